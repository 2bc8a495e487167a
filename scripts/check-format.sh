#!/bin/sh
# Are all sources as .clang-format has them? 77: no clang-format here.
root=${srcdir:-.}
command -v clang-format >/dev/null || exit 77
cd "$root" || exit 99
exec clang-format --dry-run --Werror include/*.h src/*/*.[ch] tests/*/*.[ch] \
    bench/*.[ch] examples/*.c
