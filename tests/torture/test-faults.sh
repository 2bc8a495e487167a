#!/bin/sh
# SPDX-License-Identifier: MIT
# The fault loops in short: every few calls only. make torture takes each one.
set -e
step=1
[ "${PAWL_TEST_QUICK:-}" = 1 ] && step=4
for kind in memory system short; do
    ./tests/torture/faults --step $step $kind
done
./tests/torture/faults --step $((step * 5)) io
./tests/torture/faults --step $((step * 3)) full
./tests/torture/faults --step $((step * 16)) room
./tests/torture/faults --step $((step * 131)) sqlite
