#!/bin/sh
# SPDX-License-Identifier: MIT
# Run all benchmarks in modest sizes, about two minutes, and end with a table.
#
# usage: bench/run.sh [-q] [-d DIRECTORY] [-j FILE]     in the build folder
#   -q  quick: one small round of each, to see that they work
#   -d  where the databases are made; default: the build folder. It should be
#       on the disk that the answer is wanted for
#   -j  keep the results, a JSON object a line
#
# Exit status: 0, or 1 when a result was wrong. A missed figure is no failure.

quick=no
dir=.
json=
while getopts qd:j: option; do
    case $option in
    q) quick=yes ;;
    d) dir=$OPTARG ;;
    j) json=$OPTARG ;;
    *) exit 2 ;;
    esac
done

work=$(mktemp -d "$dir/bench-run-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
results=$work/results.jsonl
: >"$results"
status=0

run()
{
    program=$1
    shift
    if [ $quick = yes ]; then
        set -- "$@" -r 1 -n 500
    fi
    "./bench/$program" -d "$work" -j "$results" "$@" || {
        echo "$program FAILED"
        status=1
    }
    echo
}

run bench_push -t 1,8,64 -n 6000
run bench_push -t 1,8 -D process -n 20000
run bench_drain -n 100000
run bench_async -n 30000
run bench_wake -n 200

# The lines have their members in one fixed order; see race_json() in race.c.
echo "medians; ratio: how many times better Pawl is (more a second, or less time)"
printf '%-28s %-22s %-24s %11s  %6s  %6s\n' workload metric side median ratio wanted
sed -n 's/^{"workload":"\([^"]*\)","metric":"\([^"]*\)","side":"\([^"]*\)","median":\([0-9.]*\),"min":[0-9.]*,"max":[0-9.]*,"ratio":\([0-9.]*\),"wanted":\([0-9.]*\),"table":true.*/\1|\2|\3|\4|\5|\6/p' "$results" |
    awk -F'|' '{ printf "%-28s %-22s %-24s %11.0f  %6s  %6s\n",
                 $1, $2, $3, $4, ($5 > 0 ? sprintf("%.2f", $5) : ""),
                 ($6 > 0 ? $6 ($5 < $6 ? " -" : "") : "") }'
echo "wanted ... -: missed"

if [ -n "$json" ]; then
    cp "$results" "$json" || status=1
fi
exit $status
