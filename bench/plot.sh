#!/bin/sh
# SPDX-License-Identifier: MIT
# Draw the results: a panel for each race, a bar for each side, with its
# smallest and largest round.
#
# usage: bench/plot.sh RESULTS.jsonl OUT.svg

results=${1:?which results?}
out=${2:?which picture?}
command -v gnuplot >/dev/null || {
    echo "no picture: gnuplot is not installed"
    exit 0
}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# The first metric of each race, in a file of its own: side, min, median, max,
# and a colour. The disk alone needs no picture.
awk -v work="$work" '
/^\{"workload"/ {
    split($0, q, "\"")
    if (q[4] == "W0" || q[8] ~ /, thread$/)
        next
    race = q[4] ", " q[8]
    if (!(race in metric)) {
        metric[race] = q[12]
        file[race] = work "/" ++n ".data"
        print race "|" q[12] >(work "/races")
    }
    if (metric[race] != q[12])
        next
    printf "\"%s\" %s %s %s %s\n", q[16], substr(q[21], 2) + 0, \
        substr(q[19], 2) + 0, substr(q[23], 2) + 0, \
        q[16] ~ /^pawl/ ? "0x2166ac" : "0x999999" >file[race]
}' "$results"
[ -s "$work/races" ] || {
    echo "no picture: no results"
    exit 0
}

panels=$(wc -l <"$work/races")
rows=$(((panels + 2) / 3))
{
    echo "set terminal svg size 1350,$((rows * 300)) font 'sans,10' background '#ffffff'"
    echo "set output '$out'"
    echo "set multiplot layout $rows,3"
    echo "set style fill solid 0.6; set boxwidth 0.7; unset key"
    echo "set xtics rotate by -25 noenhanced; set grid y; set yrange [0:*]"
    echo "set format y '%.0s%c'; set lmargin 9; set rmargin 6"
    i=0
    while IFS='|' read -r race metric; do
        i=$((i + 1))
        echo "set title '$race' noenhanced; set ylabel '$metric' noenhanced"
        echo "plot '$work/$i.data' using 0:3:5:xtic(1)" \
            "with boxes lc rgb variable," \
            "'' using 0:3:2:4 with yerrorbars lc rgb 'black' pt 0"
    done <"$work/races"
    echo "unset multiplot"
} >"$work/plot"
gnuplot "$work/plot" || exit 1
echo "drawn: $out"
