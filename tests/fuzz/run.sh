#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh SECONDS [TARGET ...] - fuzz with libFuzzer under AddressSanitizer and
# UndefinedBehaviorSanitizer, for so long a target, two at a time. Needs clang
# and its runtime. An input that fails is left in ./fuzz-failures. With KEEP=1
# what was found new is merged into the corpus.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-text url options file schema argv}
build=$(mktemp -d "${TMPDIR:-/tmp}/pawl-fuzz-build-XXXXXX") || exit 1
trap 'rm -rf "$build"' EXIT
failures=$PWD/fuzz-failures

flags="-std=c11 -D_GNU_SOURCE=1 -D_FILE_OFFSET_BITS=64 -DPAWL_TESTING=1 -g -O1
    -I$root/include -I$root/src -I$root/tests -I$build
    -fsanitize=address,undefined -fno-sanitize-recover=undefined"
echo '#define HAVE_SYS_RANDOM_H 1' >"$build/config.h"
sh "$root/scripts/embed-schema.sh" "$root"/schema/*.sql >"$build/schema.c" || exit 1

compile() { # compile OUT FLAGS SOURCE
    # shellcheck disable=SC2086
    clang $flags $2 -c "$3" -o "$build/$1" || exit 1
}

for source in "$root"/src/base/*.c "$root"/src/model/*.c "$root"/src/driver/*.c \
    "$root"/src/sqlite/*.c "$root"/src/memory/*.c "$root"/src/engine/*.c \
    "$root"/src/api/*.c "$build/schema.c" "$root/tests/fuzz/fuzz.c"; do
    name=$(echo "$source" | tr / _).o
    compile "lib$name" -fsanitize=fuzzer-no-link "$source"
done
for source in "$root"/src/cli/*.c; do
    compile "cli_$(basename "$source" .c).o" \
        "-fsanitize=fuzzer-no-link -Dmain=cli_main" "$source"
done

fuzz_one() { # fuzz_one TARGET
    target=$1
    extra=
    [ "$target" = text ] && extra="$build/cli_parse.o $build/cli_print.o"
    [ "$target" = argv ] && extra=$build/cli_*.o
    # shellcheck disable=SC2086
    clang $flags -fsanitize=fuzzer "$here/fuzz_$target.c" $extra \
        "$build"/lib*.o -lsqlite3 -lpthread -o "$build/fuzz_$target" || return 1
    mkdir -p "$build/new_$target" "$failures"
    "$build/fuzz_$target" -max_total_time="$seconds" -timeout=20 \
        -rss_limit_mb=2048 -print_final_stats=1 -max_len=4096 -verbosity=0 \
        -artifact_prefix="$failures/$target-" \
        "$build/new_$target" "$here/corpus/$target" \
        >"$build/$target.log" 2>&1
    status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$target.log")
    echo "fuzz $target: ${runs:-0} inputs in $seconds s, $(find \
        "$build/new_$target" -type f | wc -l) new: $([ $status -eq 0 ] &&
        echo good || echo BAD)"
    [ $status -eq 0 ] || tail -n 40 "$build/$target.log"
    if [ -n "${KEEP:-}" ]; then
        "$build/fuzz_$target" -merge=1 -max_len=4096 "$here/corpus/$target" \
            "$build/new_$target" >/dev/null 2>&1
    fi
    return $status
}

bad=0
# shellcheck disable=SC2086
set -- $targets
while [ $# -gt 0 ]; do
    fuzz_one "$1" &
    first=$!
    shift
    if [ $# -gt 0 ]; then
        fuzz_one "$1" || bad=1
        shift
    fi
    wait $first || bad=1
done
rmdir "$failures" 2>/dev/null
exit $bad
