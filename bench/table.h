/* SPDX-License-Identifier: MIT */
/* table.h - Pawl's table in a SQLite file, filled and checked by plain SQL. */
#ifndef PAWL_BENCH_TABLE_H
#define PAWL_BENCH_TABLE_H

#include "bench.h"

#include <sqlite3.h>

/* A file with Pawl's tables and n jobs that wait, of that payload. The largest
 * and last such file is kept, and copied. */
void table_create(struct bench *b, const char *path, size_t payload, long n);
/* Add n jobs to a file: "waiting", "delayed", or "done". They are of the type,
 * and numbered from 0. */
void table_fill(const char *path, const char *state, const char *type,
                size_t payload, long n);
/* Open the file, count the jobs in it that wait, check them against wanted and
 * the claims against 0, and let SQLite check the file. Only while no store is
 * open on it in this process. */
void table_check(const char *path, int64_t wanted);

/* A connection as usual libraries have it: WAL, a busy timeout of 5 s,
 * automatic checkpoints. Triggers are off, as on Pawl's own connections: a
 * table without them is what the others have. */
sqlite3 *table_open(const char *path, int durability);
void table_close(sqlite3 *db); /* its statements too */
sqlite3_stmt *table_prepare(sqlite3 *db, const char *sql);
void table_exec(sqlite3 *db, const char *sql);
int64_t table_int(sqlite3 *db, const char *sql);
/* Step a statement, as often as the lock is held too long by others. True:
 * there is a row. Reset it after the last. */
bool table_step(sqlite3 *db, sqlite3_stmt *st);
/* A statement that gives no rows; with a number as ?1 */
void table_run(sqlite3 *db, sqlite3_stmt *st);
void table_run_id(sqlite3 *db, sqlite3_stmt *st, int64_t id);

/* The INSERT of one job, and one run of it. */
sqlite3_stmt *table_insert(sqlite3 *db);
void table_push(sqlite3 *db, sqlite3_stmt *insert, size_t payload, long number);

/* The waiting jobs of the queue in the order of claims. */
#define TABLE_WAITING                                      \
    "SELECT id FROM pawl_job INDEXED BY pawl_job_waiting " \
    "WHERE state = 'waiting' AND queue = '" BENCH_QUEUE    \
    "' AND type = '" BENCH_TYPE "' ORDER BY priority DESC, ready_at, id "

#endif
