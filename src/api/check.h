/* SPDX-License-Identifier: MIT */
/* check.h - what every public call asks first. */
#ifndef PAWL_API_CHECK_H
#define PAWL_API_CHECK_H

#include "engine/store.h"

/* Not NULL, and opened by this process. */
int pawl__check_store(pawl_store *store, pawl_error *err);
int pawl__check_queue(pawl_queue *queue, pawl_error *err);
int pawl__check_ptr(const void *pointer, const char *name, pawl_error *err);
/* name as in the message; value in min..max. */
int pawl__check_range(const char *name, int64_t value, int64_t min, int64_t max,
                      pawl_error *err);
/* Not while the store is started. */
int pawl__check_stopped(pawl_store *store, const char *call, pawl_error *err);
/* Not on a thread of the store's own. */
int pawl__check_outside(pawl_store *store, const char *call, pawl_error *err);

#endif
