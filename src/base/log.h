/* SPDX-License-Identifier: MIT */
/* log.h - one line to the program's log hook; silent without one. */
#ifndef PAWL_BASE_LOG_H
#define PAWL_BASE_LOG_H

#include "base/error.h"

struct pawl__log {
    pawl_log_fn fn; /* NULL: silent */
    void *user;
    int level;
};

/* Call without locks held: the hook may call any function. */
void pawl__log(const struct pawl__log *log, int level, const char *format, ...)
    PAWL__PRINTF(3, 4);

#endif
