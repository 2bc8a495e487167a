#!/bin/sh
# SPDX-License-Identifier: MIT
# test-work.sh - pawl work: what becomes of a job by how its program ends.
# shellcheck disable=SC2016 # the programs' own variables
. "${srcdir:-.}/tests/cli/lib.sh"

# job TYPE PAYLOAD [OPTION...]: push one; its number is in $id
job() {
    want 0 push jobs.db q "$@"
    id=$(cat out)
}

# run PROGRAM...: work until nothing is left
run() {
    want 0 work jobs.db q --drain -- "$@"
}

state() {
    is "job $id: the state" "$1" "$(field jobs.db "$id" state)"
}

error() {
    is "job $id: the error" "$1" "$(field jobs.db "$id" error)"
}

want 2 work jobs.db q
want 2 work jobs.db q --
want 2 work jobs.db -- true
want 2 work jobs.db q --threads 0 -- true
want 2 work jobs.db q --grace soon -- true
want 2 work jobs.db q --nonsense -- true
want 2 work memory: q --drain -- true
[ -e jobs.db ] && not_ok "bad usage made a store"

# A program that is not there fails no job.
job kind x
want 1 work jobs.db q --drain -- ./no-such-program; has_error "No such file"
want 1 work jobs.db q --drain -- no-such-program; has_error "No such file"
want 1 work jobs.db q --drain -- "$folder"; has_error "Permission denied"
state waiting
want 0 flush jobs.db --channel waiting

# Exit 0: done. The payload and the facts are there; our descriptors are not.
want 0 queue jobs.db q retention_s=1d
job kind "the payload"
want 0 work jobs.db q --drain --keep-output -- sh -c \
    'echo "$PAWL_QUEUE/$PAWL_JOB_TYPE $PAWL_JOB_ID $PAWL_ATTEMPT: $(cat)"
    ls -l /proc/$$/fd | grep -cE "jobs.db|eventfd|inotify|signalfd|timerfd"
    true'
state done
"$pawl" show jobs.db "$id" --json >out
has "\"result\":\"q/kind $id 1: the payload\\u000a0\\u000a\""

# Where pawl work is itself a job, the facts are not those of that job.
job kind x
PAWL_JOB_ID=99 PAWL_QUEUE=other "$pawl" work jobs.db q --drain -- env >out
is "the number of facts" 4 "$(grep -c "^PAWL_[JAQ]" out)"
has "PAWL_JOB_ID=$id"; has "PAWL_QUEUE=q"; has "PAWL_ATTEMPT=1"
has "PAWL_JOB_TYPE=kind"

# Without --keep-output it goes where ours goes.
job kind x
want 0 work jobs.db q --drain -- sh -c 'echo to out; echo to err >&2'
has "to out"; has_error "to err"
is "the result" "" "$(field jobs.db "$id" result)"

# Of much output the first 64 KiB are kept, and the rest blocks nobody.
job kind x
want 0 work jobs.db q --drain --keep-output -- sh -c \
    'head -c 300000 /dev/zero | tr "\0" a'
state done
is "what is kept of much output" 65536 \
    "$(field jobs.db "$id" result | tr -d '\n' | wc -c | tr -d ' ')"

# Other exit codes: a failed attempt, and why.
job bad x
run sh -c 'echo some reason >&2; exit 3'
state failed; error "some reason"
job bad x
run sh -c 'exit 3'
state failed; error "exit code 3"
job bad x
run sh -c 'kill -9 $$'
state failed; error "killed by signal 9 (Killed)"
job bad x
run sh -c 'echo last words >&2; kill -6 $$'
state failed; error "killed by signal 6 (Aborted): last words"
job bad x
run sh -c 'seq 1 100000 >&2; exit 1'
state failed
"$pawl" show jobs.db "$id" | grep -q '^ *100000$' || not_ok "no tail is kept"
"$pawl" show jobs.db "$id" | grep -q '^ *5000$' && not_ok "all of it is kept"
job bad x
printf '#!/no/such/interpreter\n' >script
chmod +x script
run ./script
state failed; error "./script: No such file or directory"

# 75: put back, not counted.
job later x
run sh -c 'exit 75'
state delayed
is attempts "0 of 1" "$(field jobs.db "$id" attempts)"
want 0 cancel jobs.db "$id"

# A retry, until it succeeds.
job flaky x --max-attempts 3 --backoff-floor 1ms
run sh -c '[ "$PAWL_ATTEMPT" = 3 ]'
state done
is attempts "2 of 3" "$(field jobs.db "$id" attempts)"

# A program that reads nothing of a megabyte, one that closes its input after
# a little, and one that reads it all.
head -c 1048576 /dev/urandom >big
for program in true 'head -c 10 >/dev/null' 'cat >copy'; do
    job big --file big
    run sh -c "$program"
    state done
done
cmp -s big copy || not_ok "a big payload came out changed"

# One that leaves another behind, which holds its pipes, is done all the same.
job daemon x
run sh -c 'sleep 1000 & echo $! >behind'
state done
kill "$(cat behind)" || not_ok "what it left behind is gone"

# Its time is over: the whole group is ended, also what it has started; what
# heeds SIGTERM may clean up first, what does not is killed.
job slow x --timeout 300ms
run sh -c 'sh -c "trap \"echo >cleaned; exit\" TERM; echo \$\$ >heeds
    while :; do sleep 0.05; done" &
    (trap "" TERM; sleep 1000 & echo $! >deaf; wait) & wait'
state timeout
until_true gone "$(cat heeds)"
until_true gone "$(cat deaf)"
[ -e cleaned ] || not_ok "it had no time to clean up"

# Only the types that it names.
job other x
want 0 work jobs.db q mine "and mine" --drain -- true
state waiting
want 0 cancel jobs.db "$id"

# --threads is the queue's parallelism.
want 0 work jobs.db q --drain --threads 3 -- true
want 0 queue jobs.db q; has "parallelism=3"
exit $failed
