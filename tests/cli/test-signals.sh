#!/bin/sh
# SPDX-License-Identifier: MIT
# test-signals.sh - pawl work while it runs: how it ends, how it is woken, and
# what becomes of its jobs.
# shellcheck disable=SC2016 # the programs' own variables
. "${srcdir:-.}/tests/cli/lib.sh"

# wait_for FILE: until a program has made it
wait_for() {
    until_true test -s "$1"
}

state() {
    is "job $1: the state" "$2" "$(field jobs.db "$1" state)"
}

# Says that it runs, waits for a word on the pipe "go", says that it ended.
patient='echo $$ >running; read -r _ <go; echo >finished.$PAWL_JOB_ID'
mkfifo go
let_go() {
    echo >go & # waits for a reader: not for ever
    started="$started $!"
}
want 0 queue jobs.db q parallelism=1 retention_s=1d

# SIGTERM lets a running program finish; what was not started stays.
want 0 push jobs.db q t x --count 2
begin work jobs.db q -- sh -c "$patient"
wait_for running
kill -TERM $worker
let_go
end "SIGTERM" 0
[ -e finished.1 ] || not_ok "the running program could not finish"
state 1 done
state 2 waiting
is attempts "0 of 1" "$(field jobs.db 2 attempts)"
rm -f running

# At a second signal it is ended, and its job put back, not counted.
begin work jobs.db q -- sh -c "$patient"
wait_for running
kill -INT $worker # ignored by what a shell without job control begins
kill -TERM $worker
kill -HUP $worker
until_true sh -c "! kill -0 $(cat running)"
end "a second signal" 0
[ -e finished.2 ] && not_ok "the program was not ended"
state 2 waiting
is attempts "0 of 1" "$(field jobs.db 2 attempts)"
is abandons 0 "$(field jobs.db 2 abandons)"
rm -f running

# So it is when the grace time is over.
begin work jobs.db q --grace 0s -- sh -c "$patient"
wait_for running
kill -TERM $worker
end "no grace" 0
state 2 waiting
is attempts "0 of 1" "$(field jobs.db 2 attempts)"
rm -f running

# --drain ends by a signal too.
begin work jobs.db q --drain -- sh -c "$patient"
wait_for running
kill -TERM $worker
let_go
end "SIGTERM while draining" 0
state 2 done
rm -f running

# Cancelled from elsewhere: the program is ended.
want 0 push jobs.db q t x
begin work jobs.db q -- sh -c "$patient"
wait_for running
want 0 cancel jobs.db 3
until_true sh -c "! kill -0 $(cat running)"
state 3 cancelled
kill -TERM $worker
end "SIGTERM after a cancel" 0
[ -e finished.3 ] && not_ok "the cancelled program was not ended"
rm -f running

# kill -9 of the worker: the next one runs the job, and nothing is lost.
want 0 push jobs.db q t x
begin work jobs.db q -- sh -c "$patient"
wait_for running
kill -9 $worker
wait $worker 2>/dev/null
want 0 work jobs.db q --drain -- true
state 4 done
is abandons 1 "$(field jobs.db 4 abandons)"
kill "$(cat running)" # the orphan

# Jobs run side by side: each of these waits for the other.
want 0 queue jobs.db q parallelism=2
want 0 push jobs.db q meet x --count 2
mkfifo meet
want 0 work jobs.db q --drain -- sh -c \
    'if mkdir first 2>/dev/null; then echo >meet; else read -r _ <meet; fi'
state 5 done
state 6 done

# Idle, woken by a job from the sqlite3 shell.
if command -v sqlite3 >/dev/null; then
    begin work jobs.db mail -- sh -c 'cat >>from-shell'
    until_true sh -c "[ \$(sqlite3 jobs.db 'SELECT count(*) FROM pawl_worker \
        WHERE pid = $worker') = 1 ]"
    sqlite3 -cmd '.timeout 10000' jobs.db \
        "INSERT INTO pawl_job(queue,type,payload) VALUES('mail','welcome','hi')"
    wait_for from-shell
    is "what the shell has pushed" hi "$(cat from-shell)"
    kill -TERM $worker
    end "SIGTERM while idle" 0
    is "the file" ok "$(sqlite3 jobs.db 'PRAGMA integrity_check')"
fi
want 0 info jobs.db
has "0 workers"

# The store's log is taken away from under a worker: it says so and ends, so
# that it can be started again.
want 0 push gone.db q t x
rm -f running
begin work gone.db q -- sh -c "$patient" 2>gone.err
wait_for running
rm gone.db-wal
let_go
end "a store that is given up" 1
grep -q . gone.err || not_ok "it does not say why"
exit $failed
