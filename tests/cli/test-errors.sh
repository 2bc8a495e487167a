#!/bin/sh
# SPDX-License-Identifier: MIT
# test-errors.sh - wrong values, full outputs and programs that cannot be run:
# each is told in a sentence, with its exit code.
# shellcheck disable=SC2016 # the programs' own variables
. "${srcdir:-.}/tests/cli/lib.sh"

# Values of options that are none: usage, and what would be one.
while read -r option value wanted; do
    want 2 push jobs.db q t x "$option" "$value"
    has_error "$wanted"
done <<'END'
--delay soon a span
--at never a time
--priority 40000 -32768 to 32767
--max-attempts 0 1 to 1000
--timeout long a span
--unique-for ever a span
--backoff-floor low a span
--backoff-ceiling high a span
--count 0 1 to 1000000
--durability none power or process
END
[ -e jobs.db ] && not_ok "bad usage made a store"
want 0 push jobs.db q t x --durability process --backoff-ceiling 2h \
    --unique k --unique-for 1h
want 1 push jobs.db q t x --unique k
want 2 work jobs.db q --grace 2d -- true
want 2 info jobs.db --watch 50ms
want 2 info jobs.db --watch 2d
want 2 info jobs.db --json --prometheus
want 2 list jobs.db --after x
want 3 show jobs.db 99
has_error "99"

# Nowhere to write to.
for command in "list jobs.db" "info jobs.db" "info jobs.db --prometheus" \
    "info jobs.db --watch" "show jobs.db 1" "doctor jobs.db" "queue jobs.db q" \
    "push jobs.db q t y"; do
    # shellcheck disable=SC2086 # its words
    "$pawl" $command >/dev/full 2>err
    is "the exit code of $command on a full disk" 1 $?
    has_error "No space left"
done
"$pawl" list jobs.db >&- 2>err </dev/null
[ $? -eq 0 ] && not_ok "nothing was said of a closed output"

# A folder, a file that is no store, and one of a later version.
head -c 8192 /dev/urandom >rubbish.db
sqlite3 future.db "CREATE TABLE pawl_meta(key TEXT PRIMARY KEY, value ANY) \
STRICT; INSERT INTO pawl_meta VALUES ('schema_version', 99), ('min_writer', 99)"
want 2 list "$folder"
has_error "no regular file"
for store in rubbish.db future.db; do
    for command in info list "queue" "show"; do
        case $command in
        queue) set -- queue "$store" q ;;
        show) set -- show "$store" 1 ;;
        *) set -- "$command" "$store" ;;
        esac
        want 1 "$@"
        [ -s err ] || not_ok "$* says nothing"
    done
done

# How a program is found, and why not.
job() {
    want 0 push jobs.db p t x "$@"
    id=$(cat out)
}
printf '#!/bin/sh\nexit 0\n' >mine
job
PATH=:/bin "$pawl" work jobs.db p --drain -- true >out 2>err
is "an empty element of PATH" 0 $?
chmod +x mine
job
PATH=:/bin "$pawl" work jobs.db p --drain -- mine >out 2>err
is "a program of the working folder" 0 $?
job
(
    unset PATH
    "$pawl" work jobs.db p --drain -- true >out 2>err
)
is "a program without PATH" 0 $?
mkdir secret
printf 'no program\n' >secret/thing
job
PATH=$folder/secret:/bin:/usr/bin "$pawl" work jobs.db p --drain -- thing \
    >out 2>err
is "a file that may not be run" 1 $?
has_error "Permission denied"
want 0 cancel jobs.db "$id"

# An output that is cut in the middle of a character keeps none of it.
want 0 queue jobs.db p retention_s=1d
job
want 0 work jobs.db p --drain --keep-output -- sh -c \
    'printf x; i=0; while [ $i -lt 700 ]; do printf "%s" "$0"; i=$((i+1)); done' \
    "$(printf '\303\244%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 \
        20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 \
        44 45 46 47 48 49 50)"
"$pawl" show jobs.db "$id" | sed -n 's/^result  *//p' | tr -d '\n' >kept
is "its bytes" 65535 "$(wc -c <kept | tr -d ' ')"
iconv -f UTF-8 -t UTF-8 kept >/dev/null || not_ok "half a character was kept"

# As is the end of what it says of its failure.
job
want 0 work jobs.db p --drain -- sh -c \
    'i=0; while [ $i -lt 3000 ]; do printf "\303\244\303\244" >&2; i=$((i+1));
    done; printf "%s" "$0" >&2; exit 1' x
"$pawl" show jobs.db "$id" --json >json
iconv -f UTF-8 -t UTF-8 json >/dev/null || not_ok "half a character was kept"

# No descriptors left for pipes: nobody fails a job.
job
(
    ulimit -n 24
    "$pawl" work jobs.db p --drain --threads 8 -- true >out 2>err
)
case $(field jobs.db "$id" state) in
waiting | done) ;;
*) not_ok "a job failed for want of descriptors: $(cat err)" ;;
esac
exit $failed
