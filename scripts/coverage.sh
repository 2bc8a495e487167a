#!/bin/sh
# SPDX-License-Identifier: MIT
# coverage.sh - run the tests in a build folder made with --enable-coverage,
# and print the branch coverage of src/ by file. The tests run in short, the
# fault loops at some length: most branches are what happens when something
# fails. Fails below PERCENT (default 90) of the branches.
set -u
percent=${PERCENT:-90}
sources=${srcdir:-.}
t=tests/torture
export PAWL_TEST_QUICK=1
ram=/dev/shm
[ -w $ram ] || ram=${TMPDIR:-/tmp}

echo "make check"
make -j"$(nproc)" check >coverage.log 2>&1 || grep -E '^(FAIL|ERROR):' coverage.log
{
    TMPDIR=$ram $t/faults memory
    TMPDIR=$ram $t/faults system
    TMPDIR=$ram $t/faults short
    TMPDIR=$ram $t/faults io
    TMPDIR=$ram $t/faults full
    TMPDIR=$ram $t/faults --step 9 sqlite
    TMPDIR=$ram $t/faults_threads --step 5
} >>coverage.log 2>&1
gcovr -r "$sources" --object-directory . -f "$sources/src/" --branches \
    --exclude-unreachable-branches >coverage.txt 2>>coverage.log ||
    { tail -n 20 coverage.log; exit 1; }
cat coverage.txt
total=$(sed -n 's/^TOTAL.* \([0-9]*\)%.*/\1/p' coverage.txt)
echo "branch coverage of src/: $total % (wanted: $percent %)"
[ "${total:-0}" -ge "$percent" ]
