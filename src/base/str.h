/* SPDX-License-Identifier: MIT */
/* str.h - growable bytes with a sticky failure. */
#ifndef PAWL_BASE_STR_H
#define PAWL_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* {0} is an empty string. After a failed append, failed stays set and later
 * appends do nothing, so a caller checks once at the end. */
struct pawl__str {
    char *data; /* NUL-terminated once anything was appended */
    size_t bytes, room;
    bool failed;
};

void pawl__str_append(struct pawl__str *s, const void *data, size_t bytes);
void pawl__str_printf(struct pawl__str *s, const char *format, ...)
    PAWL__PRINTF(2, 3);
void pawl__str_clear(struct pawl__str *s);

/* Is s well-formed UTF-8 of min..max bytes without control characters? */
bool pawl__utf8_name(const char *s, size_t min, size_t max);

#endif
