#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh - check the models of this folder exhaustively with spin, and that each
# negative control finds its error and writes a trail. Prints a line for each.
# Exit 77: spin is missing, or PAWL_TEST_QUICK=1 is set.
#
#   LONG=1       also the configurations that take minutes
#   ONLY=claim   one model
#   KEEP=DIR     leave the generated checkers and the trails there:
#                spin -t -p -l -g MODEL.pml shows what led to the error
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
cc=${CC:-cc}
if [ "${PAWL_TEST_QUICK:-}" = 1 ] && [ -z "${LONG:-}${ONLY:-}" ]; then
    echo "skipped: a quick run checks no models"
    exit 77
fi
command -v spin >/dev/null 2>&1 || {
    echo "skipped: spin is not installed"
    exit 77
}
command -v "${cc%% *}" >/dev/null 2>&1 || {
    echo "skipped: there is no C compiler ($cc)"
    exit 77
}
if [ -n "${KEEP:-}" ]; then
    mkdir -p "$KEEP" && tmp=$(cd "$KEEP" && pwd) || exit 1
else
    tmp=$(mktemp -d "${TMPDIR:-/tmp}/pawl-spin-XXXXXX") || exit 1
    trap 'rm -rf "$tmp"' EXIT
    trap 'exit 1' HUP INT TERM
fi
failed=0 n=0 optimize=-Og

# run MODEL KIND LEVEL DEFINE...: leaves what the checker says in $dir/out.
# safety: assertions and states from which nothing can go on; live: assertions
# and the formula at the model's end, with weak fairness, which a state from
# which nothing can go on breaks too.
run() {
    model=$1 kind=$2 level=$3
    shift 3
    n=$((n + 1))
    dir=$tmp/$n
    rm -rf "$dir" && mkdir "$dir" && cp "$here/$model.pml" "$dir" || return 1
    flags="-DSAFETY -DNOCLAIM" options=
    [ "$kind" = live ] && flags="-DNFAIR=3" options="-a -f"
    # shellcheck disable=SC2086 # lists of options
    (cd "$dir" && spin -a "$@" "$model.pml" &&
        $cc "$level" -w $flags -DMEMLIM=1800 -o pan pan.c &&
        ./pan -m20000 -w21 $options) >"$dir/out" 2>&1
}

states() {
    sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$dir/out"
}

wanted() {
    [ -z "${ONLY:-}" ] || [ "$ONLY" = "$1" ]
}

say() { # say VERDICT
    printf '%-8s %-7s %9s states  %-15s %s\n' "$model" "$kind" "$(states)" \
        "$1" "$what"
}

lose() {
    say FAILED
    sed 's/^/    /' "$dir/out" | grep -v '^    *$' | head -40
    failed=1
}

# check MODEL safety|live DEFINE...: no error, and nothing left out. small: the
# same for few states, where to optimize takes longer than to run.
small() {
    optimize=-O0
    check "$@"
    optimize=-Og
}

check() {
    wanted "$1" || return 0
    what=$(echo "$*" | cut -d' ' -f3-)
    model=$1 kind=$2
    shift 2
    run "$model" "$kind" "$optimize" "$@"
    if grep -q 'errors: 0$' "$dir/out" &&
        ! grep -q 'not completed\|depth too small' "$dir/out"; then
        say 'no error'
    else
        lose
    fi
}

# control MODEL safety|live DEFINE...: an error, and a trail
control() {
    wanted "$1" || return 0
    what=$(echo "$*" | cut -d' ' -f3-)
    model=$1 kind=$2
    shift 2
    run "$model" "$kind" -O0 "$@"
    if grep -q 'errors: 1$' "$dir/out" && [ -s "$dir/$model.pml.trail" ]; then
        say 'error, as due'
    else
        lose
    fi
}

check commit live -DCALLERS=3 -DTURNS=1
check commit safety -DCALLERS=2 -DTURNS=2
small commit live -DCALLERS=0 -DASYNCS
small commit live -DCALLERS=0 -DASYNCS -DASYNC_LEAD=3
control commit safety -DCALLERS=3 -DTURNS=1 -DWAKE_BEFORE_COMMIT
control commit live -DCALLERS=3 -DTURNS=1 -DLOST_WAKEUP
control commit safety -DCALLERS=0 -DASYNCS -DASYNC_LEAD=3 -DCLOSE_SYNCS_ONCE

other="-DPUSHES=0 -DLOCALS=0"
small wake live -DPOOL=1 -DPUSHES=1 -DLOCALS=0
small wake safety -DPOOL=1 -DPUSHES=2 -DLOCALS=0
check wake safety -DPOOL=1 -DPUSHES=1 -DLOCALS=1
small wake safety -DPOOL=1 -DPUSHES=0 -DLOCALS=2
check wake safety -DPOOL=2 -DREADY=1 -DPUSHES=0 -DLOCALS=1 -DNO_DEADLINES
# shellcheck disable=SC2086
check wake safety -DPOOL=2 -DREADY=2 $other -DNO_DEADLINES
small wake live -DPOOL=1 -DPUSHES=1 -DLOCALS=0 -DTICK -DFORGETS_WRITTEN \
    -DSTALE_DEADLINE
control wake safety -DPOOL=1 -DPUSHES=1 -DLOCALS=0 -DCHECK_AFTER_ARM_DROPPED
control wake safety -DPOOL=1 -DPUSHES=1 -DLOCALS=0 -DFORGETS_WRITTEN
# shellcheck disable=SC2086
control wake safety -DPOOL=1 -DREADY=2 $other -DSTALE_DEADLINE
control wake safety -DPOOL=1 -DPUSHES=2 -DLOCALS=0 -DNOTE_AFTER_LOOK
control wake safety -DPOOL=1 -DREADY=1 -DPUSHES=0 -DLOCALS=1 \
    -DNO_SIGNAL_AT_END
control wake safety -DPOOL=1 -DPUSHES=0 -DLOCALS=1 -DEND_WHILE_FETCHING

check claim safety -DJOBS=1
small claim safety -DJOBS=1 -DBREAKS=1 -DCRASHES=1 -DSTOPS=0
check claim safety -DJOBS=1 -DTIMEOUTS=1 -DPEOPLE=1 -DCRASHES=0
check claim safety -DJOBS=2 -DCRASHES=1 -DSTOPS=0 -DJUMPS=0
check claim safety -DJOBS=1 -DCRASHES=1 -DCHILDREN=1
small claim live -DJOBS=1 -DCRASHES=1 -DSTOPS=0
control claim safety -DJOBS=1 -DPEOPLE=1 -DCRASHES=0 -DSTOPS=0 -DNO_TOKEN
control claim safety -DJOBS=1 -DNO_SLOT_CHECK
control claim safety -DJOBS=1 -DNOTE_LATE
control claim safety -DJOBS=1 -DCLEAR_LATE
control claim live -DJOBS=1 -DCRASHES=3 -DSTOPS=0 -DJUMPS=0 -DMAX_ABANDONS=4

if [ -n "${LONG:-}" ]; then
    check commit safety -DCALLERS=2 -DTURNS=3
    control commit safety -DCALLERS=3 -DTURNS=1 -DBARE_FUTEX
    check wake safety -DPOOL=2 -DPUSHES=1 -DLOCALS=0
    check wake safety -DPOOL=2 -DPUSHES=1 -DLOCALS=1 -DNO_DEADLINES
    # shellcheck disable=SC2086
    check wake safety -DPOOL=2 -DREADY=2 $other
    control claim safety -DJOBS=1 -DNO_LOCK
    check commit live -DCALLERS=1 -DTURNS=1 -DASYNCS
    check claim safety -DJOBS=2 -DCRASHES=2 -DSTOPS=0 -DJUMPS=1
    check claim safety -DJOBS=2 -DCRASHES=1 -DSTOPS=1 -DJUMPS=0
    check claim safety -DJOBS=1 -DTIMEOUTS=1 -DPEOPLE=1 -DCRASHES=1
    check claim live -DJOBS=1 -DCRASHES=1 -DSTOPS=1
    check claim safety -DJOBS=1 -DBREAKS=1 -DCRASHES=1 -DSTOPS=1
fi
exit "$failed"
