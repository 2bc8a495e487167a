/* SPDX-License-Identifier: MIT */
/* wake.h - wait for commits of others, deaths, and due times. */
#ifndef PAWL_SQLITE_WAKE_H
#define PAWL_SQLITE_WAKE_H

#include "sqlite/store.h"

int pawl__wake_init(struct pawl__sqlite *s, pawl_error *err);
void pawl__wake_clear(struct pawl__wake *wake);

/* As in driver.h. */
int pawl__sqlite_wait(void *self, int64_t until_at_ms, int64_t max_ms,
                      bool watch);
void pawl__sqlite_interrupt(void *self);

#endif
