#!/bin/sh
# The floors of the house: a file includes only what lies below its own floor
# or in its own folder, so that src/ stays free of cycles. Also what only some
# folders may do.
root=${srcdir:-.}
cd "$root" || exit 99
bad=0

say() {
    echo "check-floors: $*"
    bad=1
}

rank() {
    case $1 in
    base) echo 0 ;;
    model) echo 1 ;;
    driver) echo 2 ;;
    sqlite | memory | redis | engine) echo 3 ;;
    api | extension) echo 4 ;;
    *) echo 9 ;;
    esac
}

for file in src/*/*.[ch]; do
    folder=${file#src/}
    folder=${folder%%/*}
    [ "$folder" = cli ] && continue
    for to in $(sed -n 's|^#include "\([a-z]*\)/.*|\1|p' "$file" | sort -u); do
        [ "$to" = "$folder" ] && continue
        [ "$(rank "$to")" -lt "$(rank "$folder")" ] ||
            say "$file includes $to/, which is not below $folder/"
    done
done

# The command, the examples and the benchmarks stand outside.
for file in src/cli/*.[ch] examples/*.c bench/*.[ch]; do
    [ -e "$file" ] || continue
    grep -nE '^#include "(base|model|driver|sqlite|memory|engine|api)/' "$file" &&
        say "$file reaches into the library"
done

only() { # only PATTERN WHERE-IT-MAY-BE WHAT
    hits=$(grep -nE "$1" src/*/*.[ch] | grep -vE "^src/cli/|$2")
    [ -z "$hits" ] || say "$3:
$hits"
}
only '#include <sqlite3' '^src/(sqlite|extension)/' 'sqlite3.h outside its floor'
only '(^|[^_a-z])(malloc|calloc|realloc|strdup|free) ?\(' \
    '^src/base/alloc\.[ch]|^[^:]*:[0-9]+:[ /]*\*' 'memory not from base/alloc'
only '(^|[^_a-z])(abort|exit|printf|puts|perror|getenv) ?\(|[^_a-z]stderr' \
    '^[^:]*:[0-9]+:[ /]*\*' 'the library never prints, ends or asks the environment'

hits=$(grep -nE '(^|[^_a-z])(u?sleep|nanosleep) ?\(' tests/*/*.[ch])
[ -z "$hits" ] || say "tests never sleep:
$hits"
exit $bad
