#!/bin/sh
# Make a C file of the migrations named on the command line, in their order.
# Bytes, not string literals: C99 promises only 4095 characters for those.
echo '/* made by scripts/embed-schema.sh from schema/; do not edit */'
echo '#include "sqlite/schema.h"'
n=0
for file in "$@"; do
    n=$((n + 1))
    echo "static const char schema_$n[] = {"
    od -An -v -tu1 "$file" | sed 's/  *\([0-9]\)/ \1/g; s/\([0-9]\)\( \|$\)/\1,\2/g'
    echo '0};'
done
echo 'const char *const pawl__schema[] = {'
i=0
while [ $i -lt $n ]; do
    i=$((i + 1))
    echo "    schema_$i,"
done
echo '};'
echo "const int pawl__schema_version = $n;"
