/* SPDX-License-Identifier: MIT */
/* str.c - growable bytes with a sticky failure; names. */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

static bool
str_reserve(struct pawl__str *s, size_t more)
{
    size_t room;
    char *grown;

    if (s->failed || more > (size_t)-1 / 4 || s->bytes > (size_t)-1 / 4) {
        s->failed = true;
        return false;
    }
    if (s->bytes + more + 1 <= s->room)
        return true;
    room = (s->bytes + more + 1) * 2;
    grown = pawl__realloc(s->data, room, 1);
    if (grown == NULL) {
        s->failed = true;
        return false;
    }
    s->data = grown;
    s->room = room;
    return true;
}

void
pawl__str_append(struct pawl__str *s, const void *data, size_t bytes)
{
    if (!str_reserve(s, bytes))
        return;
    if (bytes > 0)
        memcpy(s->data + s->bytes, data, bytes);
    s->bytes += bytes;
    s->data[s->bytes] = '\0';
}

void
pawl__str_printf(struct pawl__str *s, const char *format, ...)
{
    va_list args, again;
    int n;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        s->failed = true;
    } else if (str_reserve(s, (size_t)n)) {
        (void)vsnprintf(s->data + s->bytes, (size_t)n + 1, format, again);
        s->bytes += (size_t)n;
    }
    va_end(again);
}

void
pawl__str_clear(struct pawl__str *s)
{
    pawl__free(s->data);
    memset(s, 0, sizeof *s);
}

/* How many bytes the UTF-8 sequence at s has, 0 when it is malformed: RFC 3629
 * section 4, so no surrogates, no overlong forms, nothing above U+10FFFF. */
static size_t
str_sequence(const unsigned char *s)
{
    unsigned lo = 0x80, hi = 0xbf;
    size_t n, i;

    if (s[0] < 0x80)
        return 1;
    n = s[0] >= 0xc2 && s[0] <= 0xdf   ? 2
        : s[0] >= 0xe0 && s[0] <= 0xef ? 3
        : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                                       : 0;
    if (s[0] == 0xe0)
        lo = 0xa0;
    else if (s[0] == 0xed)
        hi = 0x9f;
    else if (s[0] == 0xf0)
        lo = 0x90;
    else if (s[0] == 0xf4)
        hi = 0x8f;
    for (i = 1; i < n; i++, lo = 0x80, hi = 0xbf)
        if (s[i] < lo || s[i] > hi)
            return 0;
    return n;
}

bool
pawl__utf8_name(const char *s, size_t min, size_t max)
{
    const unsigned char *u = (const unsigned char *)s;
    size_t at = 0, n;

    while (u[at] != 0) {
        n = str_sequence(u + at);
        if (n == 0 || at + n > max || u[at] < 0x20 || u[at] == 0x7f ||
            (u[at] == 0xc2 && u[at + 1] < 0xa0)) /* C1 controls */
            return false;
        at += n;
    }
    return at >= min;
}
