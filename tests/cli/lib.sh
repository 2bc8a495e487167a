# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # used by the tests
# lib.sh - what the tests of the command share. Sourced in a build folder, by
# sh or bash; leaves the test in a new folder of its own.
set -u
pawl=$PWD/pawl
[ -x "$pawl" ] || { echo "no ./pawl here" >&2; exit 99; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/pawl-cli-XXXXXX") || exit 99
started=
failed=0
TZ=UTC
export TZ

# End only what we started.
clean_up() {
    for pid in $started; do
        kill -9 "$pid" 2>/dev/null
    done
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 99' HUP INT TERM
cd "$folder" || exit 99

not_ok() {
    echo "FAILED: $*"
    failed=1
}

# want CODE ARGUMENT...: run pawl, keep what it says in out and err
want() {
    code=$1
    shift
    "$pawl" "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$code" ] ||
        not_ok "pawl $* ended with $got, wanted $code: $(cat err)"
}

# has TEXT: standard output has it
has() {
    grep -qF -- "$1" out || not_ok "no \"$1\" in: $(cat out)"
}

has_error() {
    grep -qF -- "$1" err || not_ok "no \"$1\" in: $(cat err)"
}

lacks() {
    if grep -qF -- "$1" out; then
        not_ok "\"$1\" in: $(cat out)"
    fi
}

# is WHAT WANTED GOT
is() {
    [ "$3" = "$2" ] || not_ok "$1 is \"$3\", wanted \"$2\""
}

# until_true COMMAND...: look again until it is true, with a deadline that only
# a broken command meets
until_true() {
    deadline=$(($(date +%s) + 60))
    until "$@" >/dev/null 2>&1; do
        if [ "$(date +%s)" -ge $deadline ]; then
            not_ok "never true: $*"
            return 1
        fi
        sleep 0.02
    done
}

# field STORE ID NAME: one line of pawl show
field() {
    "$pawl" show "$1" "$2" | sed -n "s/^$3  *//p"
}

# Begin pawl in the background; its number is in $worker.
begin() {
    "$pawl" "$@" </dev/null &
    worker=$!
    started="$started $worker"
}

# gone PID: it has ended, reaped or not
gone() {
    ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"
}

# end WHAT CODE: how the one begun last has ended
end() {
    until_true gone "$worker" || kill -9 "$worker"
    wait "$worker"
    is "$1: the exit code" "$2" $?
}
