/* SPDX-License-Identifier: MIT */
/* row.h - from a row of pawl_job to a record. */
#ifndef PAWL_SQLITE_ROW_H
#define PAWL_SQLITE_ROW_H

#include "sqlite/conn.h"
#include "model/job.h"
#include "model/options.h"

/* Read the current row of a statement that selects STMT_ROW and the worker.
 * settings are of the row's queue. *record is the caller's. */
int pawl__row_read(sqlite3_stmt *stmt, const pawl_settings *settings,
                   struct pawl__record **record, pawl_error *err);

/* The settings of a queue, defaults filled in. */
int pawl__row_settings(struct pawl__conn *c, const char *queue,
                       pawl_settings *settings, pawl_error *err);

/* The queue after name, by name, with its retention; name has room for
 * PAWL__QUEUE_BYTES. No statement stays open, so rows may go between two calls.
 */
int pawl__row_next_queue(struct pawl__conn *c, char *name, bool *found,
                         int64_t *retention_s, pawl_error *err);

#endif
