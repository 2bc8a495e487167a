/* SPDX-License-Identifier: MIT */
/* thread_queue.c - SQLite in the manner of the usual queue libraries: each
 * thread has a connection; a push is an INSERT; a worker takes one job at a
 * time by UPDATE ... RETURNING, runs it, deletes it, and where there is none
 * looks again after a millisecond (which is quick among them). */
#include "sql_side.h"

#include <stdlib.h>

struct thread_taker {
    struct store *store;
    sqlite3 *db;
    sqlite3_stmt *look, *take, *drop;
    bool is_idle; /* it found nothing: look first, without the write lock */
};

static void *
thread_taker_open(struct store *store)
{
    struct thread_taker *t = bench_alloc(1, sizeof *t);

    t->store = store;
    t->db = table_open(store->path, sql_ack_durability(store));
    t->look = table_prepare(t->db, TABLE_WAITING "LIMIT 1");
    t->take = table_prepare(
        t->db, "UPDATE pawl_job SET state = 'done' WHERE id = (" TABLE_WAITING
               "LIMIT 1) RETURNING id, payload");
    t->drop = table_prepare(t->db, "DELETE FROM pawl_job WHERE id = ?1");
    return t;
}

static void
thread_taker_close(void *taker)
{
    struct thread_taker *t = taker;

    table_close(t->db);
    free(t);
}

static bool
thread_look(struct thread_taker *t)
{
    if (t->is_idle)
        t->is_idle = !table_step(t->db, t->look);
    (void)sqlite3_reset(t->look);
    return !t->is_idle;
}

static long
thread_take(void *taker, struct crew *crew)
{
    struct thread_taker *t = taker;
    int64_t id;
    long number;

    if (!thread_look(t))
        return 0;
    if (!table_step(t->db, t->take)) {
        (void)sqlite3_reset(t->take);
        t->is_idle = true;
        return 0;
    }
    id = sqlite3_column_int64(t->take, 0);
    number = bench_payload_number(sqlite3_column_blob(t->take, 1),
                                  (size_t)sqlite3_column_bytes(t->take, 1),
                                  t->store->setup->payload);
    table_run(t->db, t->take); /* it commits at its end */
    crew_work(crew, number);
    table_run_id(t->db, t->drop, id);
    return 1;
}

static const struct crew_way thread_way = {.open = thread_taker_open,
                                           .close = thread_taker_close,
                                           .take = thread_take,
                                           .idle_us = 1000};

const struct side side_thread = {.how = &thread_way,
                                 .create = sql_side_create,
                                 .destroy = sql_side_destroy,
                                 .pusher_open = sql_pusher_open,
                                 .pusher_close = sql_pusher_close,
                                 .push = sql_push,
                                 .push_many = sql_push_many,
                                 .flush = sql_flush,
                                 .work = sql_side_work,
                                 .finish = sql_side_finish};
