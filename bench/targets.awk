# SPDX-License-Identifier: MIT
# Each aim of targets.txt, what the results say of it, and whether it is met.
#
# usage: awk -f targets.awk targets.txt results.jsonl
#
# The lines of the results have their members in one fixed order; see
# race_json() in race.c.

function trim(s)
{
    gsub(/^ +| +$/, "", s)
    return s
}

# The measured value of a field; "" when it was not measured.
function value(field,    at, prefix, sides, n, i, found)
{
    at = 0
    for (i = 0; i < 3; i++)
        at += index(substr(field, at + 1), ";")
    prefix = substr(field, 1, at)
    found = ""
    n = split(substr(field, at + 1), sides, /[+~]/)
    for (i = 1; i <= n; i++) {
        if (!((prefix sides[i]) in median))
            continue
        if (found == "" || median[prefix sides[i]] > found)
            found = median[prefix sides[i]]
        if (index(field, "~"))
            break
    }
    return found
}

# False: its condition does not hold in this run.
function applies(condition,    parts, v)
{
    if (condition == "")
        return 1
    split(condition, parts, / < /)
    v = value(parts[1])
    return v != "" && v < parts[2] + 0
}

function judge(line,    f, above, below, v, verdict)
{
    split(line, f, "|")
    above = value(trim(f[2]))
    below = trim(f[3]) == "" ? 1 : value(trim(f[3]))
    if (above == "" || below == "" || below == 0)
        return
    v = above / below
    verdict = "missed"
    if (!applies(trim(f[6])))
        verdict = "says nothing: the disk was too slow"
    else if (trim(f[4]) == ">=" ? v >= f[5] + 0 : v <= f[5] + 0)
        verdict = "met"
    count[verdict]++
    printf "%-44s %2s %-7s %10s  %s\n", trim(f[1]), trim(f[4]), trim(f[5]), \
        sprintf(v < 10 ? "%.2f" : "%.0f", v), verdict
}

FNR == NR {
    if ($0 !~ /^#/ && NF > 0)
        targets[n_targets++] = $0
    next
}

/^\{"workload"/ {
    split($0, q, "\"")
    median[q[4] ";" q[8] ";" q[12] ";" q[16]] = substr(q[19], 2) + 0
}

END {
    printf "%-44s %-10s %10s\n", "target", "wanted", "this run"
    for (i = 0; i < n_targets; i++)
        judge(targets[i])
    printf "%d met, %d missed\n", count["met"], count["missed"]
}
