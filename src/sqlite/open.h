/* SPDX-License-Identifier: MIT */
/* open.h - open and close a SQLite store. */
#ifndef PAWL_SQLITE_OPEN_H
#define PAWL_SQLITE_OPEN_H

#include "sqlite/store.h"

/* As in driver.h. */
int pawl__sqlite_open(const char *location, const struct pawl__env *env,
                      void **self, pawl_error *err);
void pawl__sqlite_close(void *self, bool after_fork);

#endif
