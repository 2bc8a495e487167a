/* SPDX-License-Identifier: MIT */
/* error.c - fill a caller's pawl_error; names of codes. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

int
pawl__fail(pawl_error *err, int code, int sys_code, const char *format, ...)
{
    va_list args;
    char *c;

    if (err == NULL)
        return code;
    err->code = code;
    err->sys_code = sys_code;
    va_start(args, format);
    (void)vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    for (c = err->message; *c != '\0'; c++) /* one line, no escapes */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return code;
}

int
pawl__fail_nomem(pawl_error *err)
{
    return pawl__fail(err, PAWL_NOMEM, 0, "out of memory; nothing was changed");
}

const char *
pawl_strerror(int code)
{
    static const char *const names[] = {
        "success",
        "out of memory",
        "invalid argument",
        "store is busy",
        "unique key is taken",
        "not found",
        "attempt is stale",
        "result is unknown",
        "store is poisoned",
        "disk is full",
        "input or output failed",
        "no permission to write",
        "not a store, or damaged",
        "store is of a newer version",
        "not supported",
        "handle is from before fork",
        "call is not allowed now",
    };
    const int n = (int)(sizeof names / sizeof names[0]);

    if (code > 0 || code <= -n)
        return "no Pawl status";
    return names[-code];
}
