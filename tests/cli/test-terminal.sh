#!/bin/sh
# SPDX-License-Identifier: MIT
# test-terminal.sh - what a person at a terminal sees beside what a pipe gets:
# colours, progress, a screen that is drawn again. Exit 77: no script(1).
. "${srcdir:-.}/tests/cli/lib.sh"
command -v script >/dev/null 2>&1 || {
    echo "skipped: there is no script(1)"
    exit 77
}
escape=$(printf '\033')

# on_terminal COMMAND-LINE: what it prints, with its escapes, is in out
on_terminal() {
    script -qec "$1" /dev/null >out 2>&1 </dev/null
    got=$?
}

want 0 queue jobs.db q retention_s=1d
for how in 'exit 0' 'exit 1' 'sleep 100'; do
    want 0 push jobs.db q t "$how" --timeout 50ms
done
want 0 work jobs.db q --drain -- sh -c 'eval "$(cat)"'
want 0 push jobs.db q t later --delay 1h
want 0 push jobs.db q t x

on_terminal "'$pawl' list jobs.db"
is "the exit code" 0 $got
has "$escape[31mfailed"
has "$escape[31mtimeout"
has "$escape[32mdone"
on_terminal "NO_COLOR=1 '$pawl' list jobs.db"
lacks "$escape[31m"
on_terminal "'$pawl' doctor jobs.db"
has "$escape["
on_terminal "NO_COLOR=1 '$pawl' doctor jobs.db"
lacks "$escape[3"
"$pawl" list jobs.db >out
lacks "$escape"

# Progress is on standard error, and only there, and is wiped away.
seq 1 3000 >numbers
on_terminal "'$pawl' push jobs.db many t --lines <numbers"
has "jobs pushed:"
has "$escape[K"
on_terminal "'$pawl' flush jobs.db many --channel waiting"
has "flush ..."
"$pawl" flush jobs.db q --channel done >out 2>err
is "progress without a terminal" "" "$(cat err)"

# --watch draws the screen anew until it is ended.
begin_watch() {
    script -qec "'$pawl' info jobs.db --watch 100ms" /dev/null >watched 2>&1 \
        </dev/null &
    watch=$!
    started="$started $watch"
}
drawn_twice() {
    [ "$(tr "$escape" '\n' <watched | grep -c '^\[2J')" -ge 2 ]
}
begin_watch
until_true drawn_twice
kill "$watch"
wait "$watch" 2>/dev/null
exit $failed
