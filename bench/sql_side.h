/* SPDX-License-Identifier: MIT */
/* sql_side.h - what the sides of plain SQLite have in common: a file with
 * Pawl's tables, and a connection for each thread. */
#ifndef PAWL_BENCH_SQL_SIDE_H
#define PAWL_BENCH_SQL_SIDE_H

#include "crew.h"
#include "table.h"

struct sql_side {
    struct store base;
    struct crew *crew;
};

struct sql_pusher {
    struct pusher base;
    sqlite3 *db;
    sqlite3_stmt *insert, *begin, *commit;
};

struct store *sql_side_create(const struct setup *setup, struct bench *b,
                              const struct side *side);
void sql_side_destroy(struct store *store, long left);

struct pusher *sql_pusher_open(struct store *store);
void sql_pusher_close(struct pusher *pusher);
void sql_push(struct pusher *pusher, long number);
void sql_push_many(struct pusher *pusher, long first, long n);
void sql_flush(struct pusher *pusher);

/* side->work() and side->finish(); side->how is the struct crew_way. */
void sql_side_work(struct store *store, work_fn work, void *user);
int64_t sql_side_finish(struct store *store, long total);

/* How acks are synced: those of jobs are forgotten first everywhere. */
int sql_ack_durability(const struct store *store);

#endif
