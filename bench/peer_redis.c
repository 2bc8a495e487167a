/* SPDX-License-Identifier: MIT */
/* peer_redis.c - core-queue's commands, in the protocol of Redis. core-queue is
 * the Go package that Pawl re-imagines: LPUSH; then for each job a look at the
 * delayed ones, BRPOP and ZADD to the reserved, and ZREM for the ack. In
 * batches of 128 commands sent together they are what Redis can do at its
 * best. A member of the reserved set must be unique: payloads have numbers. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REDIS_BATCH_MAX 128

struct redis_way {
    const char *appendfsync;
    long batch;
};

struct redis_taker {
    struct wire *wire;
    const struct setup *setup;
    long batch;
    char payloads[REDIS_BATCH_MAX][1024];
};

static void
redis_exec(const struct server *s, const char *port)
{
    const struct redis_way *way = s->base.side->how;

    (void)execlp("redis-server", "redis-server", "--bind", "127.0.0.1",
                 "--port", port, "--dir", s->base.path, "--save", "",
                 "--appendonly", "yes", "--appendfsync", way->appendfsync,
                 (char *)NULL);
}

/* ----------------------------------------------------------------- commands */

static void
redis_word(struct wire *w, const char *word)
{
    wire_print(w, "$%zu\r\n%s\r\n", strlen(word), word);
}

static void
redis_bytes(struct wire *w, const void *bytes, size_t n)
{
    wire_print(w, "$%zu\r\n", n);
    wire_put(w, bytes, n);
    wire_put(w, "\r\n", 2);
}

static void
redis_push_many_wire(struct wire *w, size_t payload, long first, long n)
{
    char bytes[BENCH_PAYLOAD_MAX];
    long i;

    for (i = 0; i < n; i++) {
        bench_payload(bytes, payload, first + i);
        wire_print(w, "*3\r\n");
        redis_word(w, "LPUSH");
        redis_word(w, "waiting");
        redis_bytes(w, bytes, payload);
    }
    for (i = 0; i < n; i++)
        (void)wire_expect(w, ":");
}

static void
redis_push(struct pusher *pusher, long number)
{
    redis_push_many_wire(((struct wire_pusher *)pusher)->wire,
                         pusher->store->setup->payload, number, 1);
    pusher->told(pusher->user, number);
}

/* Not all or none, but sent together: 128 at a time, as otherwise neither side
 * would read. */
static void
redis_push_many(struct pusher *pusher, long first, long n)
{
    long i, now;

    for (i = 0; i < n; i += now) {
        now = n - i < REDIS_BATCH_MAX ? n - i : REDIS_BATCH_MAX;
        redis_push_many_wire(((struct wire_pusher *)pusher)->wire,
                             pusher->store->setup->payload, first + i, now);
    }
    pusher->told(pusher->user, first);
}

static struct store *
redis_create(const struct setup *setup, struct bench *b,
             const struct side *side)
{
    struct server *s = server_start(setup, b, side, redis_exec);
    struct wire *w = wire_open(s);
    long i, n;

    for (i = 0; i < setup->filled; i += n) {
        n = setup->filled - i < 500 ? setup->filled - i : 500;
        redis_push_many_wire(w, setup->payload, i, n);
    }
    wire_close(w);
    return &s->base;
}

/* ---------------------------------------------------------------- consuming */

static void *
redis_taker_open(struct store *store)
{
    struct redis_taker *t = bench_alloc(1, sizeof *t);

    if (store->setup->payload > sizeof t->payloads[0])
        bench_die("payloads are too large for this side");
    t->wire = wire_open((struct server *)store);
    t->setup = store->setup;
    t->batch = ((const struct redis_way *)store->side->how)->batch;
    return t;
}

static void
redis_taker_close(void *taker)
{
    struct redis_taker *t = taker;

    wire_close(t->wire);
    free(t);
}

/* The due ones among the delayed, as before each pop. */
static void
redis_look_for_due(struct wire *w)
{
    char now[32];

    (void)snprintf(now, sizeof now, "%lld", (long long)bench_wall_ms() / 1000);
    wire_print(w, "*7\r\n");
    redis_word(w, "ZREVRANGEBYSCORE");
    redis_word(w, "delayed");
    redis_word(w, now);
    redis_word(w, "-inf");
    redis_word(w, "LIMIT");
    redis_word(w, "0");
    redis_word(w, "100");
    (void)wire_expect(w, "*0");
}

/* Read one payload. */
static void
redis_read(struct redis_taker *t, char *payload)
{
    long n = strtol(wire_expect(t->wire, "$") + 1, NULL, 10);

    bench_equal("payload bytes", n, (int64_t)t->setup->payload);
    memcpy(payload, wire_bytes(t->wire, (size_t)n), (size_t)n);
}

static void
redis_work(struct redis_taker *t, struct crew *crew, const char *payload)
{
    crew_work(crew, bench_payload_number(payload, t->setup->payload,
                                         t->setup->payload));
}

static void
redis_reserve(struct redis_taker *t, const char *payload)
{
    wire_print(t->wire, "*4\r\n");
    redis_word(t->wire, "ZADD");
    redis_word(t->wire, "reserved");
    redis_word(t->wire, "3600");
    redis_bytes(t->wire, payload, t->setup->payload);
}

static void
redis_ack(struct redis_taker *t, const char *payload)
{
    wire_print(t->wire, "*3\r\n");
    redis_word(t->wire, "ZREM");
    redis_word(t->wire, "reserved");
    redis_bytes(t->wire, payload, t->setup->payload);
}

static long
redis_take_one(struct redis_taker *t, struct crew *crew)
{
    struct wire *w = t->wire;
    char *payload = t->payloads[0];
    const char *line;

    redis_look_for_due(w);
    wire_print(w, "*3\r\n");
    redis_word(w, "BRPOP");
    redis_word(w, "waiting");
    redis_word(w, "0.2"); /* core-queue waits longer; then nobody is there */
    if (wire_expect(w, "*")[1] == '-')
        return 0;
    line = wire_expect(w, "$"); /* the list's name */
    (void)wire_bytes(w, (size_t)strtol(line + 1, NULL, 10));
    redis_read(t, payload);
    redis_reserve(t, payload);
    (void)wire_expect(w, ":1");
    redis_work(t, crew, payload);
    redis_ack(t, payload);
    (void)wire_expect(w, ":1");
    return 1;
}

/* RPOP of many at once: how many came. */
static long
redis_pop(struct redis_taker *t)
{
    char count[32];
    long n, i;

    (void)snprintf(count, sizeof count, "%ld", t->batch);
    wire_print(t->wire, "*3\r\n");
    redis_word(t->wire, "RPOP");
    redis_word(t->wire, "waiting");
    redis_word(t->wire, count);
    n = strtol(wire_expect(t->wire, "*") + 1, NULL, 10);
    for (i = 0; i < n; i++)
        redis_read(t, t->payloads[i]);
    return n < 0 ? 0 : n;
}

/* RPOP of many, then a ZADD and a ZREM for each, sent together. */
static long
redis_take_batch(struct redis_taker *t, struct crew *crew)
{
    long n = redis_pop(t), i;

    for (i = 0; i < n; i++)
        redis_reserve(t, t->payloads[i]);
    for (i = 0; i < n; i++)
        (void)wire_expect(t->wire, ":1");
    for (i = 0; i < n; i++)
        redis_work(t, crew, t->payloads[i]);
    for (i = 0; i < n; i++)
        redis_ack(t, t->payloads[i]);
    for (i = 0; i < n; i++)
        (void)wire_expect(t->wire, ":1");
    return n;
}

static long
redis_take(void *taker, struct crew *crew)
{
    struct redis_taker *t = taker;
    long n;

    if (t->batch == 1)
        return redis_take_one(t, crew);
    n = redis_take_batch(t, crew);
    if (n == 0)
        bench_pause_us(1000);
    return n;
}

static const struct crew_way redis_takers = {
    .open = redis_taker_open, .close = redis_taker_close, .take = redis_take};

static void
redis_start_work(struct store *store, work_fn work, void *user)
{
    ((struct server *)store)->crew =
        crew_start(store, &redis_takers, work, user);
}

static int64_t
redis_finish(struct store *store, long total)
{
    return crew_finish(((struct server *)store)->crew, total);
}

/* ----------------------------------------------------------------- checking */

static void
redis_count(struct wire *w, const char *command, const char *key, long wanted)
{
    wire_print(w, "*2\r\n");
    redis_word(w, command);
    redis_word(w, key);
    bench_equal(key, strtol(wire_expect(w, ":") + 1, NULL, 10), wanted);
}

static void
redis_destroy(struct store *store, long left)
{
    struct server *s = (struct server *)store;
    struct wire *w = wire_open(s);

    redis_count(w, "LLEN", "waiting", left);
    redis_count(w, "ZCARD", "reserved", 0);
    wire_close(w);
    server_stop(s);
}

static const struct redis_way redis_always = {"always", 1},
                              redis_everysec = {"everysec", 1},
                              redis_always_128 = {"always", REDIS_BATCH_MAX},
                              redis_everysec_128 = {"everysec",
                                                    REDIS_BATCH_MAX};

#define REDIS(way_)                                                     \
    {                                                                   \
        .how = (way_), .needs = "redis-server", .create = redis_create, \
        .destroy = redis_destroy, .pusher_open = wire_pusher_open,      \
        .pusher_close = wire_pusher_close, .push = redis_push,          \
        .push_many = redis_push_many, .flush = wire_flush,              \
        .work = redis_start_work, .finish = redis_finish                \
    }

const struct side side_redis_always = REDIS(&redis_always),
                  side_redis_everysec = REDIS(&redis_everysec),
                  side_redis_always_128 = REDIS(&redis_always_128),
                  side_redis_everysec_128 = REDIS(&redis_everysec_128);
