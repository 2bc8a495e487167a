#!/bin/sh
# SPDX-License-Identifier: MIT
# Every input that was ever worth keeping, through its target once more.
corpus=${srcdir:-.}/tests/fuzz/corpus
bad=0
for target in text url options file schema argv; do
    printf '%s: ' $target
    "$PWD/tests/fuzz/fuzz_$target" "$(cd "$corpus" && pwd)/$target" || bad=1
done
exit $bad
