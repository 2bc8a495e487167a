/* SPDX-License-Identifier: MIT */
/* change.h - retry, cancel, reload, flush, settings. */
#ifndef PAWL_SQLITE_CHANGE_H
#define PAWL_SQLITE_CHANGE_H

#include "sqlite/commit.h"

/* As in driver.h. */
int pawl__sqlite_retry(void *self, int64_t id, pawl_error *err);
int pawl__sqlite_cancel(void *self, int64_t id, char *queue, pawl_error *err);
int pawl__sqlite_move(void *self, struct pawl__move *move, pawl_error *err);
int pawl__sqlite_set(void *self, const char *queue,
                     const struct pawl__setting *field, int64_t value,
                     bool or_default, pawl_error *err);

#endif
