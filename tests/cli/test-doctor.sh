#!/bin/sh
# SPDX-License-Identifier: MIT
# test-doctor.sh - pawl doctor: each illness is made for real and must be found
# by its name; a healthy store, idle or in use, gives no warning.
. "${srcdir:-.}/tests/cli/lib.sh"

if ! command -v sqlite3 >/dev/null || ! command -v python3 >/dev/null; then
    echo "no sqlite3 or python3 here"
    exit 77
fi
umask 077

# ill CODE NAME STORE: doctor ends with CODE and tells NAME
ill() {
    want "$1" doctor "$3"
    grep -q "^[a-z]*  *$2: " out || not_ok "no $2 in: $(cat out)"
}

# well STORE: nothing worse than a note
well() {
    want 0 doctor "$1"
    has "nothing is wrong"
}

sql() {
    store=$1
    shift
    sqlite3 -cmd ".timeout 10000" "$store" "$@" || not_ok "sqlite3 $store $*"
}

# hold STORE SQL: a shell of SQLite's that stays behind in a transaction; its
# number is in $holder. Its pipe is closed by release.
hold() {
    rm -f pipe said
    mkfifo pipe
    sqlite3 "$1" <pipe >said 2>&1 &
    holder=$!
    started="$started $holder"
    exec 9>pipe
    printf "%s\nSELECT 'ready';\n" "$2" >&9
    until_true grep -q ready said
}

release() {
    exec 9>&-
    wait "$holder"
}

new() {
    rm -rf s
    mkdir s
    want 0 push s/a.db mail welcome hello
}

# A worker of queue mail that holds one job, until the file go is there.
work() {
    rm -f go running
    cat >listener <<'END'
echo $$ >running
while [ ! -e go ]; do read -r line <>wait_here; done
END
    rm -f wait_here
    mkfifo wait_here
    begin work s/a.db mail "$@" --threads 1 -- sh ./listener
    until_true test -s running
    read -r child <running
    started="$started $child"
}

let_go() {
    : >go
    echo >wait_here
}

# A worker that only gives back what dead ones held.
rescue() {
    begin work s/a.db mail other -- true
    until_true sh -c "! '$pawl' doctor s/a.db | grep -q worker-dead"
    kill "$worker"
    end "a worker that is told to end" 0
}

# ------------------------------------------------------------------- usage
want 2 doctor; has_error "usage: pawl doctor"
want 2 doctor a b
want 2 doctor a --nonsense
want 0 doctor --help; has "usage: pawl doctor"
want 3 doctor missing.db; has_error "no store"; is "what is printed" "" "$(cat out)"
want 3 doctor missing.db --json; is "what is printed" "" "$(cat out)"
want 2 doctor "$folder"
want 2 doctor ""
want 1 doctor redis://localhost
want 0 doctor memory:; has "memory"

# ----------------------------------------------------------------- healthy
new
well s/a.db
has "integrity"; has "schema"; has "workers"; has "jobs"; has "permissions"
is "what doctor leaves behind" "a.db a.db-pawl" "$(cd s && echo *)"

# In use: a worker runs a job, others push and are done.
work welcome
slow=$worker
begin work s/a.db busy -- true
(while [ ! -e enough ]; do "$pawl" push s/a.db busy t x --count 50 >/dev/null; done) &
pusher=$!
started="$started $pusher"
until_true sh -c "'$pawl' doctor s/a.db | grep -q '2 live'"
well s/a.db; has "2 live"
well s/a.db; has "2 live"
well s/a.db; has "2 live"
: >enough
wait $pusher
kill "$worker"
end "a worker that is told to end" 0
let_go
worker=$slow
kill "$worker"
end "a worker that is told to end" 0

# A log that was left behind is not touched.
new
work welcome
kill -9 "$worker"; wait "$worker" 2>/dev/null
let_go
cksum s/a.db s/a.db-wal s/a.db-pawl >before
ill 1 worker-dead s/a.db; has "process $worker"; has "holds jobs: 1"
cksum s/a.db s/a.db-wal s/a.db-pawl | cmp - before || not_ok "files changed"

# --json is JSON, also with names that JSON must escape
want 1 doctor s/a.db --json
python3 - out s/a.db <<'END' || not_ok "--json: $(cat out)"
import json, sys
d = json.load(open(sys.argv[1]))
assert sorted(d) == ["findings", "store"] and d["store"] == sys.argv[2]
assert len(d["findings"]) > 5
for f in d["findings"]:
    assert sorted(f) == ["name", "severity", "todo", "what"], f
    assert f["severity"] in ("ok", "note", "warning", "error")
    assert f["severity"] == "ok" or f["todo"] or f["name"] == "symbolic-link", f
assert [f["severity"] for f in d["findings"] if f["name"] == "worker-dead"] \
    == ["warning"]
END

# ----------------------------------------------------------- what died there
# Rescued by a worker that does not run it: abandoned once.
rescue
ill 1 job-abandoned s/a.db; has "first is job 1"
new
want 0 queue s/a.db mail max_abandons=1
begin work s/a.db mail -- sh -c 'kill -9 $PPID'
until_true gone "$worker"
wait "$worker" 2>/dev/null
rescue
ill 1 job-poisonous s/a.db; has "first is job 1"
want 0 flush s/a.db
well s/a.db

# ------------------------------------------------------- stopped and stuck
new
work welcome
kill -STOP "$worker"
until_true grep -q '^State:.T' "/proc/$worker/status"
ill 1 worker-stopped s/a.db; has "process $worker"
lacks job-stuck
sql s/a.db "UPDATE pawl_claim SET claimed_at = claimed_at - 10800000"
ill 1 job-stuck s/a.db; has "job 1 of queue mail"
kill -CONT "$worker"
let_go
until_true sh -c "[ \"\$('$pawl' list s/a.db | wc -l)\" -le 1 ]"
well s/a.db

# A type that nobody listens to; the worker above is idle.
want 0 push s/a.db mail strange x
well s/a.db
sql s/a.db "UPDATE pawl_job SET ready_at = ready_at - 120000
    WHERE state = 'waiting'"
kill "$worker"
end "a worker that is told to end" 0
ill 0 no-worker s/a.db
begin work s/a.db mail welcome -- true
until_true sh -c "'$pawl' doctor s/a.db | grep -q '1 live'"
ill 1 type-unheard s/a.db; has "type strange in queue mail"
want 0 queue s/a.db mail paused=1
ill 0 queue-paused s/a.db; lacks type-unheard
kill "$worker"
end "a worker that is told to end" 0

# ------------------------------------------------------------------- locks
new
work welcome
hold s/a.db "BEGIN IMMEDIATE;"
ill 1 write-lock-held s/a.db; has "process $holder (sqlite3)"; has "warning"
kill -STOP "$holder"
until_true grep -q '^State:.T' "/proc/$holder/status"
ill 1 write-lock-held s/a.db; has "process $holder (sqlite3, stopped)"
has "error "
kill -CONT "$holder"
release
well s/a.db

head -c 1000000 /dev/zero >big
hold s/a.db "BEGIN; SELECT count(*) FROM pawl_job;"
want 0 push s/a.db slow t --file big --count 20
ill 1 wal-pinned s/a.db; has "process $holder (sqlite3)"
release
let_go
kill "$worker"
end "a worker that is told to end" 0
well s/a.db

# The descriptor that the command inherits is the file: its locks are left.
# shellcheck disable=SC2094
"$pawl" doctor s/a.db <s/a.db >out
has locks-not-seen

# --------------------------------------------------------------- side file
new
rm s/a.db-pawl
ill 0 side-file-missing s/a.db
work welcome
truncate -s 1052672 s/a.db-pawl
ill 1 reserve-missing s/a.db
mv s/a.db-pawl kept
ill 1 side-file-missing s/a.db
want 0 push s/a.db other t x
ill 1 side-file-replaced s/a.db; has "process $worker"
: >s/a.db-pawl
ill 1 side-file-damaged s/a.db
rm s/a.db-pawl
ln -s "$folder/kept" s/a.db-pawl
ill 1 side-file-kind s/a.db
mv -f kept s/a.db-pawl
let_go
kill "$worker"
end "a worker that is told to end" 0
well s/a.db

# ------------------------------------------------------------- permissions
new
chmod 666 s/a.db
ill 1 others-may-write s/a.db; has "mode 0666"; has "others-may-read"
chmod 644 s/a.db s/a.db-pawl
ill 0 others-may-read s/a.db
chmod 600 s/a.db
chmod 666 s/a.db-pawl
ill 1 others-may-write s/a.db; has "a.db-pawl has mode 0666"
chmod 600 s/a.db-pawl
chmod 660 s/a.db
chmod 600 s/a.db-pawl
ill 1 side-file-mode s/a.db
chmod 660 s/a.db-pawl
well s/a.db
chmod 600 s/a.db s/a.db-pawl
chmod 777 s
ill 1 others-may-write-folder s/a.db
chmod 1777 s
ill 0 others-may-write-folder s/a.db
chmod 700 s
ln -s a.db s/b.db
ill 0 symbolic-link s/b.db; has "/s/a.db"
ln s/a.db s/c.db
ill 1 hard-links s/a.db; has "2 names"
rm s/c.db
if [ "$(id -u)" -eq 0 ]; then
    chown 12345 s/a.db
    ill 1 side-file-owner s/a.db; has "other-owner"
    chown 0 s/a.db
else
    chmod 000 s/a.db-pawl
    ill 1 side-file-denied s/a.db
    chmod 600 s/a.db-pawl
    chmod 000 s/a.db
    ill 1 file-denied s/a.db; has cannot-read
    chmod 600 s/a.db
    chmod 500 s
    ill 1 folder-denied s/a.db
    chmod 700 s
fi
well s/a.db

# ------------------------------------------------------------------ schema
new
sql s/a.db "DROP INDEX pawl_job_delayed"
ill 1 schema-missing s/a.db; has "index pawl_job_delayed"
new
sql s/a.db "CREATE TRIGGER mine AFTER INSERT ON pawl_job BEGIN SELECT 1; END"
ill 1 trigger-planted s/a.db; has "trigger mine on table pawl_job"
new
sql s/a.db "CREATE UNIQUE INDEX mine ON pawl_job(type)"
ill 1 index-planted s/a.db; has "index mine"
new
sql s/a.db "CREATE VIEW pawl_mine AS SELECT 1"
ill 1 schema-planted s/a.db; has "view pawl_mine"
new
sql s/a.db "ALTER TABLE pawl_job ADD COLUMN g INTEGER AS (abs(id))"
ill 1 schema-changed s/a.db; has "table pawl_job"
new
sql s/a.db "DROP VIEW pawl_jobs; CREATE TABLE t(x);
    CREATE TRIGGER pawl_t AFTER INSERT ON t BEGIN SELECT 1; END"
ill 1 schema-missing s/a.db; has "view pawl_jobs"; has "trigger pawl_t"
new
sql s/a.db "UPDATE pawl_meta SET value = 99"
ill 1 schema-newer s/a.db
sql s/a.db "UPDATE pawl_meta SET value = 1 WHERE key = 'min_writer'"
ill 0 schema-newer s/a.db
sql s/a.db "UPDATE pawl_meta SET value = 0"
ill 1 schema-changed s/a.db; has "pawl_meta says no version"
sql s/a.db "DROP TABLE pawl_meta"
ill 1 schema-missing s/a.db; has "table pawl_meta"; has "integrity"
new
sql s/a.db "INSERT INTO pawl_job(id, queue, type) VALUES (1 << 60, 'q', 't')"
ill 1 ids-near-end s/a.db; has 1152921504606846976
new
sql s/a.db "UPDATE pawl_job SET pushed_at = pushed_at + 864000000"
ill 1 times-absurd s/a.db; has "first is job 1"
new
sql s/a.db "INSERT INTO pawl_claim VALUES (1, 2, 3, 4)"
ill 1 claims-orphaned s/a.db

# -------------------------------------------------------------- not a store
: >empty.db
ill 1 not-a-store empty.db
sql other.db "CREATE TABLE t(x)"
ill 1 not-a-store other.db; has not-wal
echo "this is no database, but long enough to be looked at" >text.db
ill 1 not-a-database text.db
new
sql s/a.db "PRAGMA journal_mode=DELETE" >/dev/null
ill 1 not-wal s/a.db
echo "what a writer left behind" >s/a.db-journal
cksum s/a.db s/a.db-journal >before
ill 1 journal-hot s/a.db
cksum s/a.db s/a.db-journal | cmp - before || not_ok "the journal was used"
sql s/a.db "PRAGMA journal_mode=PERSIST; INSERT INTO pawl_queue(name) VALUES ('p')" >/dev/null
ill 1 not-wal s/a.db; lacks journal-hot
hold s/a.db "BEGIN IMMEDIATE; INSERT INTO pawl_queue(name) VALUES ('q');"
ill 1 write-lock-held s/a.db; has "lock on the whole file"; lacks journal-hot
release

# ----------------------------------------------------------------- damaged
# overwrite STORE PAGE AT BYTES: write over a page
overwrite() {
    printf '%b' "$4" |
        dd of="$1" bs=1 seek=$((($2 - 1) * 4096 + $3)) conv=notrunc 2>/dev/null
}

root() {
    sqlite3 s/a.db "SELECT rootpage FROM sqlite_schema WHERE name = '$1'"
}

# A text that is not the one in the index any more.
new
page=$(root pawl_job)
at=$(dd if=s/a.db bs=4096 skip=$((page - 1)) count=1 2>/dev/null |
    grep -abo welcome | cut -d: -f1)
overwrite s/a.db "$page" "$at" W
ill 1 index-damaged s/a.db; has pawl_job_waiting
# Pages that make no sense: of an index, of the jobs, of the schema.
new
overwrite s/a.db "$(root pawl_job_waiting)" 0 '\0377\0377\0377\0377\0377\0377\0377\0377'
ill 1 file-damaged s/a.db
new
overwrite s/a.db "$(root pawl_job)" 0 '\0377\0377\0377\0377\0377\0377\0377\0377'
ill 1 file-damaged s/a.db
new
overwrite s/a.db 1 100 '\0377\0377\0377\0377\0377\0377\0377\0377'
ill 1 file-damaged s/a.db
new
overwrite s/a.db 1 0 'no SQLite file'
ill 1 not-a-database s/a.db
new
truncate -s 10000 s/a.db
ill 1 file-damaged s/a.db

exit $failed
