#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh - the campaign of doc/reliability.md at length: make torture, or with
# LONG=1 much longer. Run in a build folder after make check has built it all.
# Prints what each part found, and how long it took; fails if any part does.
#
#   LONG=1       many times as much
#   JOBS=N       processes that judge power cuts; default: the processors
#   ONLY="a b"   only these parts
set -u
jobs=${JOBS:-$(nproc)}
long=${LONG:-}
passed=0 failed=0
began=$(date +%s)
logs=$(mktemp -d "${TMPDIR:-/tmp}/pawl-torture-XXXXXX") || exit 1
trap 'rm -rf "$logs"' EXIT

# Memory for what only asks for speed, a real disk for what asks for one.
ram=/dev/shm
[ -w "$ram" ] || ram=${TMPDIR:-/tmp}
disk=${TORTURE_DISK:-/var/tmp}

amount() { # amount NORMAL LONG
    if [ -n "$long" ]; then echo "$2"; else echo "$1"; fi
}

wanted() {
    [ -z "${ONLY:-}" ] && return 0
    case " $ONLY " in *" $1 "*) return 0 ;; esac
    return 1
}

# part NAME COMMAND...: its output goes to a log, shown at its end
part() {
    name=$1
    shift
    start=$(date +%s)
    "$@" >"$logs/$name.log" 2>&1
    echo "$? $(($(date +%s) - start))" >"$logs/$name.end"
}

report() { # report NAME...
    for name; do
        [ -f "$logs/$name.end" ] || continue
        read -r status seconds <"$logs/$name.end"
        printf '\n--- %s (%s s)\n' "$name" "$seconds"
        cat "$logs/$name.log"
        if [ "$status" -eq 0 ] || [ "$status" -eq 77 ]; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAILED: $name (status $status)"
        fi
        rm -f "$logs/$name.end"
    done
}

t=tests/torture
uname -srm
echo "sqlite $(sqlite3 --version 2>/dev/null | cut -d' ' -f1), $jobs processors," \
    "disk $(stat -f -c %T "$disk")"

# Kills wait for the disk, the rest for processors: side by side.
if wanted kill; then
    part kill-power $t/kill --kills "$(amount 10000 500000)" --folder "$disk" &
fi
if wanted faults; then
    for kind in memory system io full short; do
        TMPDIR=$ram part "faults-$kind" $t/faults "$kind"
    done
    TMPDIR=$ram part faults-room $t/faults room
    TMPDIR=$ram part faults-sqlite $t/faults --step "$(amount 11 1)" sqlite
    TMPDIR=$ram part faults-threads $t/faults_threads --step "$(amount 7 1)"
    part small-disk $t/small_disk
fi
wait
report kill-power faults-memory faults-system faults-threads faults-sqlite faults-io faults-full \
    faults-short faults-room small-disk

if wanted kill; then
    part kill-process $t/kill --process --kills "$(amount 10000 500000)" \
        --folder "$disk" &
fi
if wanted race; then
    TMPDIR=$ram part race-control $t/race --control
    TMPDIR=$ram part race $t/race --seconds "$(amount 60 3600)"
fi
wait
report kill-process race-control race

if wanted power; then
    TMPDIR=$ram part power-cuts $t/power --jobs "$jobs" \
        --states "$(amount 35000 7000000)"
    TMPDIR=$ram part power-cuts-process $t/power --jobs "$jobs" --process \
        --states "$(amount 15000 3000000)"
    TMPDIR=$ram part power-control-log $t/power --control log --states 1000
    TMPDIR=$ram part power-control-off $t/power --control off --states 1000
    report power-cuts power-cuts-process power-control-log power-control-off
fi

if wanted soak; then
    TMPDIR=$ram part soak $t/soak --seconds "$(amount 60 86400)" &
fi
if wanted model; then
    TMPDIR=$ram part model-memory tests/model/test_public --driver memory \
        --ops "$(amount 1000000 100000000)"
    TMPDIR=$ram part model-sqlite tests/model/test_public --driver sqlite \
        --ops "$(amount 1000000 100000000)" &
    TMPDIR=$ram part time tests/model/test_time \
        --steps "$(amount 300000 10000000)"
    TMPDIR=$ram part history tests/model/test_history \
        --histories "$(amount 30 10000)" --ops 20000
fi
wait
report soak model-memory model-sqlite time history

if wanted poison; then
    TMPDIR=$ram part poison $t/poison
    report poison
fi
if wanted hostile; then
    TMPDIR=$ram part hostile $t/hostile --seconds "$(amount 10 600)"
    report hostile
fi

printf '\ntorture: %d passed, %d failed, %d s\n' $passed $failed \
    $(($(date +%s) - began))
[ $failed -eq 0 ]
