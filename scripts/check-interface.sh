#!/bin/sh
# The public calls in pawl.h, in the list of exported symbols, in the shared
# library and in the man pages are the same; and each says who may call it.
root=${srcdir:-.}
bad=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

grep -A2 '^PAWL_API' "$root/include/pawl.h" |
    sed -n 's/.*[ *]\(pawl_[a-z_]*\)(.*/\1/p' | sort -u >"$tmp/header"
sort -u "$root/src/libpawl.sym" >"$tmp/list"
[ -s "$tmp/header" ] || { echo "check-interface: no call found in pawl.h"; exit 99; }
diff "$tmp/header" "$tmp/list" || {
    echo "check-interface: pawl.h (<) and src/libpawl.sym (>) differ"
    bad=1
}

so=.libs/libpawl.so
if [ -e $so ] && command -v nm >/dev/null; then
    nm -D --defined-only $so | awk '$2 ~ /[TDBR]/ { print $3 }' |
        grep -v '^_\|^__' | sort -u >"$tmp/library"
    diff "$tmp/list" "$tmp/library" || {
        echo "check-interface: src/libpawl.sym (<) and $so (>) differ"
        bad=1
    }
fi

for name in $(cat "$tmp/list"); do
    grep -qw "$name" "$root"/doc/*.3 || {
        echo "check-interface: no man page names $name"
        bad=1
    }
done

# A comment with "Threads:" stands above each call, or at the head of its
# section ("/* ----- attempt */" says it for all of them).
awk '
    /^\/\* -----/ { section = 0 }
    /Threads:/ { seen = 1 }
    /^\/\* All of these/ { section = 1 }
    /^PAWL_API/ { if (!seen && !section && !run) { print; bad = 1 } run = 1; next }
    /^$/ { seen = 0; run = 0 }
    END { exit bad }' "$root/include/pawl.h" || {
    echo "check-interface: these calls do not say who may call them"
    bad=1
}
exit $bad
