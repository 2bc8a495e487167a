/* SPDX-License-Identifier: MIT */
/* claim.h - settle what is finished, promote what is due, claim what is next.
 */
#ifndef PAWL_SQLITE_CLAIM_H
#define PAWL_SQLITE_CLAIM_H

#include "sqlite/commit.h"

/* As in driver.h. */
int pawl__sqlite_exchange(void *self, struct pawl__exchange *x,
                          pawl_error *err);

/* In a transaction: move due jobs to waiting. queue may be NULL; *others says
 * whether a job of another one moved. *next_at_ms is when the next is due. */
int pawl__promote(struct pawl__sqlite *s, const char *queue, int64_t *n,
                  bool *others, int64_t *next_at_ms, pawl_error *err);

#endif
