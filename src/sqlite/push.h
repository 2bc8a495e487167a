/* SPDX-License-Identifier: MIT */
/* push.h - store new jobs. */
#ifndef PAWL_SQLITE_PUSH_H
#define PAWL_SQLITE_PUSH_H

#include "sqlite/commit.h"

struct pawl__push_op {
    struct pawl__op op;
    const char *queue;
    const struct pawl__new_job *jobs;
    size_t n;
    int64_t *ids;
    size_t failed_at;
};

/* For a transaction that holds more than the push; _end takes the results. */
void pawl__push_begin(struct pawl__push_op *p, const struct pawl__push *push);
void pawl__push_end(const struct pawl__push_op *p, struct pawl__push *push);

/* As in driver.h. */
int pawl__sqlite_push(void *self, const char *queue,
                      const struct pawl__new_job *jobs, size_t n, int64_t *ids,
                      size_t *failed_at, pawl_error *err);
int pawl__sqlite_push_start(void *self, const struct pawl__async *async,
                            pawl_error *err);

/* In a transaction: does a live or holding job keep this key from id? Lets go
 * of a key whose time is over. *holder is 0 when the key is free. */
int pawl__key_holder(struct pawl__sqlite *s, const char *queue, const char *key,
                     int64_t *holder, pawl_error *err);

#endif
