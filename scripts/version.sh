#!/bin/sh
# The version, read from where it is written: include/pawl.h. No newline.
sed -n 's/^#define PAWL_VERSION_STRING "\([^"]*\)".*/\1/p' \
    "$(dirname "$0")/../include/pawl.h" | tr -d '\n'
