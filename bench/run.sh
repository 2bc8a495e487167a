#!/bin/sh
# SPDX-License-Identifier: MIT
# Run the benchmark, then say which targets are met, and draw a picture. In the
# build folder; the options and workloads are those of bench/bench.
#
# Leaves bench-results.jsonl, an object a line, and bench-results.svg.
# Exit status: 0, or 1 when a result was wrong. A missed target is no failure.

source=$(dirname "$0")
results=bench-results.jsonl
rm -f $results bench-results.svg
./bench/bench -j $results "$@" || exit
echo
awk -f "$source/targets.awk" "$source/targets.txt" $results
sh "$source/plot.sh" $results bench-results.svg
