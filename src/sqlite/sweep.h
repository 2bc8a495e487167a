/* SPDX-License-Identifier: MIT */
/* sweep.h - workers: register, rescue the dead; prune history. */
#ifndef PAWL_SQLITE_SWEEP_H
#define PAWL_SQLITE_SWEEP_H

#include "sqlite/commit.h"

/* As in driver.h. */
int pawl__sqlite_worker_start(void *self, int n_threads, int64_t *worker,
                              pawl_error *err);
void pawl__sqlite_worker_stop(void *self);
void pawl__sqlite_running(void *self, int thread, int64_t job);
int pawl__sqlite_sweep(void *self, struct pawl__sweep *sweep, pawl_error *err);

#endif
