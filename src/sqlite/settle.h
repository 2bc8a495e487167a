/* SPDX-License-Identifier: MIT */
/* settle.h - end attempts; end rows. */
#ifndef PAWL_SQLITE_SETTLE_H
#define PAWL_SQLITE_SETTLE_H

#include "sqlite/commit.h"

/* In a transaction: end the attempts. queue is the one most of them are of,
 * retention_s its setting. STALE is a status, not a failure. */
int pawl__settle_all(struct pawl__sqlite *s, const char *queue,
                     int64_t retention_s, struct pawl__settle *settles,
                     size_t n, pawl_error *err);

/* In a transaction: delete a job's row, or leave what must stay: the mark of
 * the highest id, or (hold) the holder of a unique key. */
int pawl__row_delete(struct pawl__sqlite *s, int64_t id, bool hold,
                     pawl_error *err);

/* In a transaction: a live job becomes state. attempts: how many to add. error
 * and result may be NULL. */
int pawl__row_finish(struct pawl__sqlite *s, int64_t id, const char *state,
                     int attempts, const char *error, const char *result,
                     pawl_error *err);

#endif
