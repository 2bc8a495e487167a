/* SPDX-License-Identifier: MIT */
/* raw_drain.c - the fastest hand-written batch loops over the same table.
 *
 *   raw   a queue: one transaction deletes the 128 jobs that were worked and
 *         marks the next 128, which are worked after it. Several may do so.
 *   bare  the ceiling: select 128 jobs, work, and delete them in one
 *         transaction, holding the write lock meanwhile: nobody else can push.
 *
 * Neither has tokens, or can tell whose a mark is; a job of a dead worker
 * would stay marked for ever. */
#include "sql_side.h"

#include <stdlib.h>

#define RAW_BATCH 128

struct raw_taker {
    struct store *store;
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *select, *mark, *drop;
    int64_t ids[RAW_BATCH];
    long numbers[RAW_BATCH];
    int n; /* marked and worked, to be deleted */
};

static void *
raw_taker_open(struct store *store)
{
    struct raw_taker *t = bench_alloc(1, sizeof *t);

    t->store = store;
    t->db = table_open(store->path, sql_ack_durability(store));
    t->begin = table_prepare(t->db, "BEGIN IMMEDIATE");
    t->commit = table_prepare(t->db, "COMMIT");
    t->select = table_prepare(
        t->db, "SELECT id, payload FROM pawl_job INDEXED BY pawl_job_waiting "
               "WHERE state = 'waiting' AND queue = '" BENCH_QUEUE "' "
               "AND type = '" BENCH_TYPE "' "
               "ORDER BY priority DESC, ready_at, id LIMIT 128");
    /* Any state but waiting is a mark; this one is in no index. */
    t->mark = table_prepare(t->db,
                            "UPDATE pawl_job SET state = 'done' WHERE id = ?1");
    t->drop = table_prepare(t->db, "DELETE FROM pawl_job WHERE id = ?1");
    return t;
}

static void
raw_taker_close(void *taker)
{
    struct raw_taker *t = taker;

    table_close(t->db);
    free(t);
}

static void
raw_drop(struct raw_taker *t)
{
    int i;

    for (i = 0; i < t->n; i++)
        table_run_id(t->db, t->drop, t->ids[i]);
    t->n = 0;
}

static void
raw_select(struct raw_taker *t)
{
    t->n = 0;
    while (table_step(t->db, t->select)) {
        t->ids[t->n] = sqlite3_column_int64(t->select, 0);
        t->numbers[t->n++] =
            bench_payload_number(sqlite3_column_blob(t->select, 1),
                                 (size_t)sqlite3_column_bytes(t->select, 1),
                                 t->store->setup->payload);
    }
    (void)sqlite3_reset(t->select);
}

static void
raw_work(struct raw_taker *t, struct crew *crew)
{
    int i;

    for (i = 0; i < t->n; i++)
        crew_work(crew, t->numbers[i]);
}

static long
raw_take(void *taker, struct crew *crew)
{
    struct raw_taker *t = taker;
    int i;

    table_run(t->db, t->begin);
    raw_drop(t);
    raw_select(t);
    for (i = 0; i < t->n; i++)
        table_run_id(t->db, t->mark, t->ids[i]);
    table_run(t->db, t->commit);
    raw_work(t, crew);
    return t->n;
}

static void
raw_settle(void *taker)
{
    struct raw_taker *t = taker;

    table_run(t->db, t->begin);
    raw_drop(t);
    table_run(t->db, t->commit);
}

static long
raw_take_bare(void *taker, struct crew *crew)
{
    struct raw_taker *t = taker;
    long n;

    table_run(t->db, t->begin);
    raw_select(t);
    raw_work(t, crew);
    n = t->n;
    raw_drop(t);
    table_run(t->db, t->commit);
    return n;
}

static const struct crew_way raw_way = {.open = raw_taker_open,
                                        .close = raw_taker_close,
                                        .take = raw_take,
                                        .settle = raw_settle,
                                        .idle_us = 1000},
                             raw_bare_way = {.open = raw_taker_open,
                                             .close = raw_taker_close,
                                             .take = raw_take_bare,
                                             .idle_us = 1000};

const struct side side_raw = {.how = &raw_way,
                              .create = sql_side_create,
                              .destroy = sql_side_destroy,
                              .pusher_open = sql_pusher_open,
                              .pusher_close = sql_pusher_close,
                              .push = sql_push,
                              .push_many = sql_push_many,
                              .flush = sql_flush,
                              .work = sql_side_work,
                              .finish = sql_side_finish},
                  side_raw_bare = {.how = &raw_bare_way,
                                   .create = sql_side_create,
                                   .destroy = sql_side_destroy,
                                   .pusher_open = sql_pusher_open,
                                   .pusher_close = sql_pusher_close,
                                   .push = sql_push,
                                   .push_many = sql_push_many,
                                   .flush = sql_flush,
                                   .work = sql_side_work,
                                   .finish = sql_side_finish};
