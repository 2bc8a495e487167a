#!/bin/sh
# SPDX-License-Identifier: MIT
# Run every example on a store of its own and look at what it says; compare the
# program in README.md with examples/minimal.c.
set -u
srcdir=${srcdir:-.}
n_failed=0
dir=$(mktemp -d ./examples-test.XXXXXX) || exit 99
trap 'rm -rf "$dir"' EXIT
trap 'exit 99' HUP INT TERM

fail() {
    echo "FAILED: $*" >&2
    n_failed=$((n_failed + 1))
}

# run NAME: its output to $dir/out
run() {
    echo "--- $1"
    "examples/$1" "$dir/$1.db" >"$dir/out" 2>"$dir/err" ||
        fail "$1 exits with $?: $(cat "$dir/err")"
    cat "$dir/out"
    if "examples/$1" >/dev/null 2>&1; then
        fail "$1 without a store exits with 0"
    fi
}

# says N PATTERN: that many lines of the output match
says() {
    n=$(grep -c -e "$2" "$dir/out")
    [ "$n" -eq "$1" ] || fail "$n lines, not $1, match: $2"
}

awk '/^```c$/ && !seen {on = seen = 1; next} /^```$/ {on = 0} on' \
    "$srcdir/README.md" >"$dir/readme.c"
awk '/^#include/ {on = 1} on' "$srcdir/examples/minimal.c" >"$dir/minimal.c"
[ -s "$dir/readme.c" ] || fail "README.md has no C program"
cmp "$dir/readme.c" "$dir/minimal.c" ||
    fail "the program in README.md is not examples/minimal.c"

run minimal
says 1 '^job 1 says hello, world$'

run delayed
says 3 ' ran -\{0,1\}[0-9]* ms after it was due$'
says 0 ' ran -' # never before its time
says 1 'is delayed, due in 30.0 days; cancelled$'

run retry_events
says 2 'attempt 1: the partner does not answer$'
says 1 '^job 1 succeeded, attempt 3$'
says 1 '^job 2 goes to failed, attempt 3: the partner does not answer$'
says 1 '^job 3 goes to failed, attempt 1: no payload'
says 1 '^2 failed, 2 deleted$'

run two_queues
says 1 '^mail: 12 jobs, at most [234] at once$'
says 1 '^disk: 12 jobs, at most 1 at once$'

run metrics
says 1 '^pawl_succeeded_total{queue="pictures"} 20$'
says 0 '^push: '

if [ -x examples/digests ]; then
    echo "--- digests"
    mkdir "$dir/in"
    printf 'a' >"$dir/in/with space"
    printf 'b' >"$dir/in/with
newline"
    : >"$dir/in/empty"
    printf 'c' >"$dir/in/$(printf 'bytes\377\376')"
    for i in 1 2 3 4 5 6; do
        printf '%s' "$i" >"$dir/in/file $i"
    done
    find "$dir/in" -type f -exec printf '%s\0' {} + >"$dir/names"
    n=$(examples/digests push "$dir/digests.db" <"$dir/names") ||
        fail "digests push"
    [ "$n" = 10 ] || fail "digests push says $n, not 10"
    examples/digests work "$dir/digests.db" >/dev/null || fail "digests work"
    examples/digests report "$dir/digests.db" >"$dir/out"
    cat "$dir/out"
    says 1 '^done=10$'
    says 1 '^retried=1$'
    says 1 '^left=0$'
    examples/digests list "$dir/digests.db" >"$dir/ours" || fail "digests list"
    xargs -0 sha256sum --zero <"$dir/names" >"$dir/theirs"
    cmp "$dir/ours" "$dir/theirs" || fail "the digests are not sha256sum's"
    printf '%s\0' "$dir/gone" | examples/digests push "$dir/gone.db" >/dev/null
    examples/digests work "$dir/gone.db" >/dev/null || fail "digests work"
    examples/digests report "$dir/gone.db" >"$dir/out"
    says 1 '^failed=1$'
fi

[ "$n_failed" -eq 0 ]
