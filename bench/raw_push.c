/* SPDX-License-Identifier: MIT */
/* raw_push.c - the fastest hand-written pushes into the same table: one INSERT
 * a transaction, or many in one. See sql_side.h. */
#include "sql_side.h"

#include <stdlib.h>

struct store *
sql_side_create(const struct setup *setup, struct bench *b,
                const struct side *side)
{
    struct sql_side *s = side_base(setup, b, side, sizeof *s);

    table_create(b, s->base.path, setup->payload, setup->filled);
    return &s->base;
}

void
sql_side_destroy(struct store *store, long left)
{
    table_check(store->path, left);
    bench_remove(store->path);
    free(store);
}

struct pusher *
sql_pusher_open(struct store *store)
{
    struct sql_pusher *p = bench_alloc(1, sizeof *p);

    p->db = table_open(store->path, store->setup->durability);
    p->insert = table_insert(p->db);
    p->begin = table_prepare(p->db, "BEGIN IMMEDIATE");
    p->commit = table_prepare(p->db, "COMMIT");
    return &p->base;
}

void
sql_pusher_close(struct pusher *pusher)
{
    table_close(((struct sql_pusher *)pusher)->db);
    free(pusher);
}

void
sql_push(struct pusher *pusher, long number)
{
    struct sql_pusher *p = (struct sql_pusher *)pusher;

    table_push(p->db, p->insert, pusher->store->setup->payload, number);
    pusher->told(pusher->user, number);
}

void
sql_push_many(struct pusher *pusher, long first, long n)
{
    struct sql_pusher *p = (struct sql_pusher *)pusher;
    long i;

    table_run(p->db, p->begin);
    for (i = 0; i < n; i++)
        table_push(p->db, p->insert, pusher->store->setup->payload, first + i);
    table_run(p->db, p->commit);
    pusher->told(pusher->user, first);
}

void
sql_flush(struct pusher *pusher)
{
    (void)pusher; /* nothing is in flight */
}

int
sql_ack_durability(const struct store *store)
{
    return store->setup->durable_acks ? PAWL_POWER : PAWL_PROCESS;
}

void
sql_side_work(struct store *store, work_fn work, void *user)
{
    struct sql_side *s = (struct sql_side *)store;

    s->crew = crew_start(store, store->side->how, work, user);
}

int64_t
sql_side_finish(struct store *store, long total)
{
    return crew_finish(((struct sql_side *)store)->crew, total);
}
