#!/bin/sh
# pawl.h alone, as C99 to C23 and as C++, under strict flags.
root=${srcdir:-.}
bad=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
cat >"$tmp/use.c" <<'END'
#include <pawl.h>
int main(void);
int main(void)
{
    pawl_job job = PAWL_JOB("type", "payload", 7);
    pawl_options options = PAWL_OPTIONS_INIT;
    pawl_filter filter = PAWL_FILTER_INIT;
    (void)options;
    (void)filter;
    return job.struct_size != sizeof job;
}
END
cp "$tmp/use.c" "$tmp/use.cc"
strict="-Wall -Wextra -Wpedantic -Wshadow -Wundef -Werror -fsyntax-only"
for cc in gcc clang; do
    command -v $cc >/dev/null || continue
    for std in c99 c11 c2x; do
        $cc -std=$std $strict -I"$root/include" "$tmp/use.c" || bad=1
    done
done
for cxx in g++ clang++; do
    command -v $cxx >/dev/null || continue
    for std in c++98 c++11 c++17; do
        $cxx -x c++ -std=$std $strict -I"$root/include" "$tmp/use.cc" || bad=1
    done
done
exit $bad
