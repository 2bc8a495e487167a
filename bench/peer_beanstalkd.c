/* SPDX-License-Identifier: MIT */
/* peer_beanstalkd.c - put, reserve and delete, in beanstalkd's protocol: one
 * job at a time, or 64 commands sent together. With -f0 each put is synced
 * before its answer. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEANSTALKD_BATCH_MAX 64

struct beanstalkd_way {
    const char *sync;
    long batch;
};

struct beanstalkd_taker {
    struct wire *wire;
    const struct setup *setup;
    long batch;
};

static void
beanstalkd_exec(const struct server *s, const char *port)
{
    const struct beanstalkd_way *way = s->base.side->how;

    (void)execlp("beanstalkd", "beanstalkd", "-l", "127.0.0.1", "-p", port,
                 "-b", s->base.path, way->sync, (char *)NULL);
}

/* ------------------------------------------------------------------ pushing */

static void
beanstalkd_put(struct wire *w, size_t payload, long number)
{
    char bytes[BENCH_PAYLOAD_MAX];

    bench_payload(bytes, payload, number);
    wire_print(w, "put 0 0 60 %zu\r\n", payload);
    wire_put(w, bytes, payload);
    wire_put(w, "\r\n", 2);
}

static void
beanstalkd_put_many(struct wire *w, size_t payload, long first, long n)
{
    long i;

    for (i = 0; i < n; i++)
        beanstalkd_put(w, payload, first + i);
    for (i = 0; i < n; i++)
        (void)wire_expect(w, "INSERTED");
}

static void
beanstalkd_push(struct pusher *pusher, long number)
{
    beanstalkd_put_many(((struct wire_pusher *)pusher)->wire,
                        pusher->store->setup->payload, number, 1);
    pusher->told(pusher->user, number);
}

static struct store *
beanstalkd_create(const struct setup *setup, struct bench *b,
                  const struct side *side)
{
    struct server *s = server_start(setup, b, side, beanstalkd_exec);
    struct wire *w = wire_open(s);
    long i, n;

    for (i = 0; i < setup->filled; i += n) {
        n = setup->filled - i < 50 ? setup->filled - i : 50;
        beanstalkd_put_many(w, setup->payload, i, n);
    }
    wire_close(w);
    return &s->base;
}

/* ---------------------------------------------------------------- consuming */

static void *
beanstalkd_taker_open(struct store *store)
{
    struct beanstalkd_taker *t = bench_alloc(1, sizeof *t);

    t->wire = wire_open((struct server *)store);
    t->setup = store->setup;
    t->batch = ((const struct beanstalkd_way *)store->side->how)->batch;
    return t;
}

static void
beanstalkd_taker_close(void *taker)
{
    struct beanstalkd_taker *t = taker;

    wire_close(t->wire);
    free(t);
}

/* 0: there was none. */
static unsigned long
beanstalkd_reserved(struct beanstalkd_taker *t, struct crew *crew)
{
    const char *line = wire_line(t->wire);
    unsigned long id;
    size_t bytes;

    if (strcmp(line, "TIMED_OUT") == 0)
        return 0;
    if (sscanf(line, "RESERVED %lu %zu", &id, &bytes) != 2)
        bench_die("the server says \"%s\"", line);
    crew_work(crew, bench_payload_number(wire_bytes(t->wire, bytes), bytes,
                                         t->setup->payload));
    return id;
}

static long
beanstalkd_take(void *taker, struct crew *crew)
{
    struct beanstalkd_taker *t = taker;
    unsigned long id, ids[BEANSTALKD_BATCH_MAX];
    long i, n = 0;

    for (i = 0; i < t->batch; i++)
        wire_print(t->wire, "reserve-with-timeout %d\r\n", t->batch == 1);
    for (i = 0; i < t->batch; i++) {
        id = beanstalkd_reserved(t, crew);
        if (id != 0)
            ids[n++] = id;
    }
    for (i = 0; i < n; i++)
        wire_print(t->wire, "delete %lu\r\n", ids[i]);
    for (i = 0; i < n; i++)
        (void)wire_expect(t->wire, "DELETED");
    return n;
}

static const struct crew_way beanstalkd_takers = {.open = beanstalkd_taker_open,
                                                  .close =
                                                      beanstalkd_taker_close,
                                                  .take = beanstalkd_take};

static void
beanstalkd_work(struct store *store, work_fn work, void *user)
{
    ((struct server *)store)->crew =
        crew_start(store, &beanstalkd_takers, work, user);
}

static int64_t
beanstalkd_finish(struct store *store, long total)
{
    return crew_finish(((struct server *)store)->crew, total);
}

/* ----------------------------------------------------------------- checking */

static long
beanstalkd_stat(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    if (at == NULL)
        bench_die("no %s in the statistics", key);
    return strtol(at + strlen(key), NULL, 10);
}

static void
beanstalkd_destroy(struct store *store, long left)
{
    struct server *s = (struct server *)store;
    struct wire *w = wire_open(s);
    char copy[4096];
    size_t bytes;

    wire_print(w, "stats\r\n");
    if (sscanf(wire_expect(w, "OK"), "OK %zu", &bytes) != 1 ||
        bytes >= sizeof copy)
        bench_die("no statistics");
    memcpy(copy, wire_bytes(w, bytes), bytes);
    copy[bytes] = '\0';
    bench_equal("jobs ready at beanstalkd",
                beanstalkd_stat(copy, "current-jobs-ready: "), left);
    bench_equal("jobs reserved at beanstalkd",
                beanstalkd_stat(copy, "current-jobs-reserved: "), 0);
    wire_close(w);
    server_stop(s);
}

static const struct beanstalkd_way beanstalkd_one = {"-f0", 1},
                                   beanstalkd_many = {"-f0",
                                                      BEANSTALKD_BATCH_MAX},
                                   beanstalkd_lazy = {"-f1000", 1};

#define BEANSTALKD(way_)                                                   \
    {                                                                      \
        .how = (way_), .needs = "beanstalkd", .create = beanstalkd_create, \
        .destroy = beanstalkd_destroy, .pusher_open = wire_pusher_open,    \
        .pusher_close = wire_pusher_close, .push = beanstalkd_push,        \
        .flush = wire_flush, .work = beanstalkd_work,                      \
        .finish = beanstalkd_finish                                        \
    }

const struct side side_beanstalkd = BEANSTALKD(&beanstalkd_one),
                  side_beanstalkd_64 = BEANSTALKD(&beanstalkd_many),
                  side_beanstalkd_relaxed = BEANSTALKD(&beanstalkd_lazy);
