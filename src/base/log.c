/* SPDX-License-Identifier: MIT */
/* log.c - one line to the program's log hook. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void
pawl__log(const struct pawl__log *log, int level, const char *format, ...)
{
    char line[512];
    va_list args;

    if (log->fn == NULL || level > log->level)
        return;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log->fn(level, line, log->user);
}
