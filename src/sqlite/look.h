/* SPDX-License-Identifier: MIT */
/* look.h - read jobs, counts and settings, on the read connection. */
#ifndef PAWL_SQLITE_LOOK_H
#define PAWL_SQLITE_LOOK_H

#include "sqlite/store.h"

/* As in driver.h. */
int pawl__sqlite_get(void *self, int64_t id, struct pawl__record **record,
                     pawl_error *err);
int pawl__sqlite_list(void *self, struct pawl__list *list, pawl_error *err);
int pawl__sqlite_info(void *self, const char *queue, pawl_info *info,
                      pawl_error *err);
int pawl__sqlite_queues(void *self, char ***names, size_t *n, pawl_error *err);
int pawl__sqlite_busy(void *self, const struct pawl__interest *of, size_t n,
                      bool *busy, pawl_error *err);
int pawl__sqlite_check(void *self, const struct pawl__settle *pairs, size_t n,
                       bool *held, pawl_error *err);
int pawl__sqlite_settings(void *self, const char *queue,
                          pawl_settings *settings, pawl_error *err);

/* PRAGMA data_version: changes with every commit by another connection. */
int pawl__look_version(struct pawl__sqlite *s, int64_t *version,
                       pawl_error *err);

#endif
