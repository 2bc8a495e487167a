#!/bin/sh
# SPDX-License-Identifier: MIT
# test-commands.sh - push, list, show, info, queue, retry, cancel, reload,
# flush: what they print, and their exit codes.
. "${srcdir:-.}/tests/cli/lib.sh"

want 0 --version; has "pawl "
want 0 --help; has "usage:"
want 0 help; has "usage:"
want 2; has_error "usage:"
want 2 nonsense; has_error "no command named nonsense"
want 2 help nonsense; has_error "no command named nonsense"
for c in doctor push work list show info queue retry cancel reload flush; do
    want 0 $c --help; has "usage: pawl $c"
    want 0 $c a b --help; has "usage: pawl $c"
    want 0 help $c; has "usage: pawl $c"
    want 2 $c; has_error "usage: pawl $c"
    [ $c = work ] || { want 2 $c s --nonsense; has_error "nonsense"; }
done
want 2 "$(printf 'a\033b')"; has_error 'a\x1bb'

# ------------------------------------------------------------------- push
want 0 push jobs.db mail welcome hello; is id 1 "$(cat out)"
want 0 push jobs.db mail welcome --count 3; has 4; is ids 3 "$(grep -c . out)"
want 0 push jobs.db mail later x --delay 30d --priority 7 --max-attempts 4
want 2 push jobs.db mail; has_error "usage:"
want 2 push jobs.db mail t x y
want 2 push jobs.db mail t x --delay soon; has_error "--delay takes"
want 2 push jobs.db mail t x --delay -1s
want 2 push jobs.db mail t x --delay 99999999999d
want 2 push jobs.db mail t x --priority 99999
want 2 push jobs.db mail t x --priority 1x
want 2 push jobs.db mail t x --max-attempts 0
want 2 push jobs.db mail t x --delay 1s --at +2s; has_error "both"
want 2 push jobs.db mail t x --durability off; has_error "power or process"
want 2 push jobs.db mail t x --count 0
want 2 push jobs.db mail t --lines --count 2
want 2 push jobs.db mail t x --lines
want 2 push jobs.db mail t x --file f
want 2 push jobs.db "$(printf 'a\033b')" t x; has_error "control"
want 2 push jobs.db mail ""
want 2 push "" mail t x
want 2 push memory: mail t x; has_error "would end with this command"
want 0 push jobs.db mail key x --unique k1 --durability process
want 1 push jobs.db mail key x --unique k1; has_error "taken by job 6"
printf 'one\ntwo\nthree' | "$pawl" push jobs.db lines line --lines >out
is "the count of lines" 3 "$(cat out)"
printf 'in\0put' >file
want 0 push jobs.db files f --file file
"$pawl" show jobs.db 10 --payload >out
cmp -s file out || not_ok "--payload is not what --file was"
"$pawl" push jobs.db files f - <file >out; is id 11 "$(cat out)"
"$pawl" show jobs.db 11 --payload | cmp -s - file || not_ok "- changed it"
want 1 push jobs.db files f --file nothing; has_error "nothing"
want 1 push jobs.db files f --file "$folder"; has_error "directory"
want 1 push /nowhere/at/all.db q t x; has_error "folder"
want 0 push jobs.db times t -- --dashes; has 12
want 0 push jobs.db times t x --at "2031-05-06 07:08"
want 0 push jobs.db times t x --at "2031-05-06T09:08:00.250+02:00"
want 0 list jobs.db times; has "2031-05-06 07:08:00.000"; has "--dashes"
has "2031-05-06 07:08:00.250"
want 2 push jobs.db times t x --at "2031-02-30 07:08"
want 2 push jobs.db times t x --at tomorrow; has_error "--at takes a time"

# As big as a payload can be, and one byte more.
head -c 1048576 /dev/urandom >big
want 0 push jobs.db big b --file big
"$pawl" show jobs.db 15 --payload | cmp -s - big || not_ok "big one changed"
printf x >>big
want 2 push jobs.db big b --file big; has_error "1048576"
"$pawl" push jobs.db big b - <big >out 2>err
is "a payload too big: the exit code" 2 $?
{ echo short; tr '\n' x <big; echo; } >line
"$pawl" push long.db big b --lines <line >out 2>err
is "a line too long: the exit code" 2 $?
has_error "line 2 has more than 1048576 bytes"

# Many lines are several transactions; none is lost, the order stays.
seq 1 2500 | "$pawl" push many.db q t --lines >out
is "the count of lines" 2500 "$(cat out)"
want 0 show many.db 1; has "1 bytes: 1"
want 0 show many.db 2500; has "4 bytes: 2500"
want 3 show many.db 2501

# What comes goes on its way at once: the writer holds the pipe open still.
mkfifo slow
"$pawl" push slow.db q t --lines <slow >slow.out &
worker=$!
started="$started $worker"
exec 9>slow
printf 'first\nhalf' >&9
until_true sh -c "'$pawl' show slow.db 1 | grep -q first"
printf ' a line\n' >&9
exec 9>&-
end "push --lines" 0
is "the count of lines" 2 "$(cat slow.out)"
want 0 show slow.db 2; has "half a line"

# ---------------------------------------------------------- list and show
want 0 list jobs.db; has welcome; has delayed
want 0 list jobs.db mail --state delayed; has later; lacks welcome
want 0 list jobs.db --type line --limit 2; has one; has two; lacks three
has_error "--after 8"
want 0 list jobs.db --type line --after 8; has three; lacks two
want 0 list jobs.db --newest --limit 1; has "big/b"
want 0 list jobs.db --state failed,timeout; lacks welcome
want 2 list jobs.db --state broken; has_error "waiting, delayed"
want 2 list jobs.db --limit 0
want 2 list jobs.db a b
want 0 show jobs.db 5; has later; has "0 of 4"
want 3 show jobs.db 99; has_error "no job 99"
want 3 show jobs.db 4611686018427387903
want 2 show jobs.db x
want 2 show jobs.db 0
want 2 show jobs.db 99999999999999999999
want 2 show jobs.db 1 --json --payload
want 0 show jobs.db 10 --json; has '"payload_base64":"aW4AcHV0"'
want 0 show jobs.db 1 --json; has '"payload":"hello"'

# What a terminal would obey is made harmless; a pipe gets no colours.
printf '\033[2Jboo\r\302\205\342\200\256' | "$pawl" push esc.db esc t - >out
want 0 list esc.db; has '\x1b[2Jboo\x0d\xc2\x85\xe2\x80\xae'
grep -q "$(printf '\033')" out && not_ok "an escape came through"
want 0 show esc.db 1; has '\x1b[2Jboo\x0d'

# ------------------------------------------------------------------- info
want 0 info jobs.db; has mail; has WAITING; has "0 workers"
want 0 info jobs.db --json; has '"queue":"mail"'
want 0 info jobs.db --prometheus
has 'pawl_jobs{queue="mail",state="waiting"} 5'
want 2 info jobs.db --json --prometheus
want 2 info jobs.db --watch 0s
want 2 info jobs.db --watch=never
for c in info list "show 1" "retry 1" "cancel 1" reload flush queue; do
    # shellcheck disable=SC2086
    set -- $c
    c=$1
    shift
    want 3 "$c" nothing.db "$@"; has_error "no store"
    [ -e nothing.db ] && not_ok "$c made a store"
done
begin info jobs.db --watch 100ms >watch
until_true sh -c '[ $(grep -c WAITING watch) -ge 3 ]'
kill $worker
wait $worker 2>/dev/null

# ------------------------------------------------------------------ queue
want 0 queue jobs.db; has mail; has "max_attempts=1"
want 0 queue jobs.db mail max_attempts=3 timeout_ms=5m; has "timeout_ms=300000"
want 0 queue jobs.db mail; has "max_attempts=3"
want 0 queue jobs.db mail max_attempts=default; has "max_attempts=1"
want 2 queue jobs.db mail nonsense=1; has_error "no setting named nonsense"
want 2 queue jobs.db mail max_attempts=0
want 2 queue jobs.db mail max_attempts; has_error "no key=value"
want 0 queue new.db q paused=1; has "paused=1"

# ------------------------------------------- cancel, retry, reload, flush
want 0 cancel jobs.db 1 2
want 3 cancel jobs.db 1; has_error "cancelled already"
want 3 cancel jobs.db 99 3
is "job 3, named behind one that is not there," cancelled \
    "$(field jobs.db 3 state)"
want 2 cancel jobs.db 4 x
is "job 4, named before what is no id," waiting "$(field jobs.db 4 state)"
want 0 list jobs.db --state cancelled; has "welcome"
want 0 retry jobs.db 1; is "job 1" waiting "$(field jobs.db 1 state)"
want 3 retry jobs.db 1
want 0 retry jobs.db 5; is "job 5" waiting "$(field jobs.db 5 state)"
want 0 reload jobs.db mail --channel cancelled; is moved 2 "$(cat out)"
want 0 reload jobs.db; is moved 0 "$(cat out)"
want 2 reload jobs.db --channel waiting
want 2 reload jobs.db --channel nonsense; has_error "no channel nonsense"
want 2 reload jobs.db --channel ""
want 0 flush jobs.db lines --channel waiting; is deleted 3 "$(cat out)"
want 2 flush jobs.db --channel reserved
want 0 info jobs.db --json; has '"queue":"lines","waiting":0'
want 0 flush jobs.db; is deleted 0 "$(cat out)"

# --------------------------------------------------- output, and bad files
if [ -w /dev/full ]; then
    for c in "list jobs.db" "info jobs.db --json" "show jobs.db 1" --help \
        "push jobs.db mail t x"; do
        # shellcheck disable=SC2086
        "$pawl" $c >/dev/full 2>err
        is "pawl $c to a full disk: the exit code" 1 $?
        has_error "No space left"
    done
fi
# A closed descriptor must not become the store's.
"$pawl" push closed.db q t x >&- 2>err
is "pawl push without standard output: the exit code" 1 $?
"$pawl" push closed.db q t x <&- 2>&- | grep -q 2 || not_ok "no id"
want 0 list closed.db; has "q/t"

printf 'this is no database, but long enough to look like one%600s' x >rubbish
want 1 info rubbish; has_error "not a database"
mkdir folder
want 2 info folder

# ------------------------------------------------------------ valid JSON
command -v python3 >/dev/null || exit $failed
printf '"\\\t\377' | "$pawl" push jobs.db json 'a"\b' - >/dev/null
want 0 push jobs.db json é "é\"\\
	ü"
for c in "list jobs.db" "list esc.db" "info jobs.db" "show jobs.db 1" \
    "list new.db" "list many.db --limit 3"; do
    # shellcheck disable=SC2086
    "$pawl" $c --json | python3 -c 'import json, sys
json.loads(sys.stdin.buffer.read().decode("utf-8", "strict"))' ||
        not_ok "pawl $c --json is no JSON"
done
"$pawl" list jobs.db json --json | python3 -c 'import base64, json, sys
a, b = json.load(sys.stdin)
assert a["type"] == "a\"\\b", a
assert base64.b64decode(a["payload_base64"]) == b"\"\\\t\xff", a
assert b["payload"] == "é\"\\\n\tü", b
assert isinstance(b["pushed_at_ms"], int) and b["state"] == "waiting", b' ||
    not_ok "JSON does not bring back what was pushed"
exit $failed
