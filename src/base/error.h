/* SPDX-License-Identifier: MIT */
/* error.h - fill a caller's pawl_error. */
#ifndef PAWL_BASE_ERROR_H
#define PAWL_BASE_ERROR_H

#include "pawl.h"

#if defined(__GNUC__)
#define PAWL__PRINTF(fmt_, args_) __attribute__((format(printf, fmt_, args_)))
#else
#define PAWL__PRINTF(fmt_, args_)
#endif

/* Fill *err (may be NULL) and return code, so that a failing function ends in
 * return pawl__fail(err, PAWL_BUSY, 0, "...", ...). The message is cut to
 * fit. Bytes below 0x20 in it are made '?'. */
int pawl__fail(pawl_error *err, int code, int sys_code, const char *format, ...)
    PAWL__PRINTF(4, 5);

/* The common sentences. */
int pawl__fail_nomem(pawl_error *err);

#endif
