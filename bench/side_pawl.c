/* SPDX-License-Identifier: MIT */
/* side_pawl.c - Pawl, by its public interface. */
#include "side.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

#define PAWL_LIMIT_MS 600000

struct pawl_side {
    struct store base;
    pawl_store *store; /* NULL until somebody needs it in this process */
    pawl_queue *queue;
    work_fn work;
    void *user;
    bool is_started;
};

struct pawl_pusher {
    struct pusher base;
    pawl_queue *queue;
    pthread_mutex_t mu;
    pthread_cond_t landed;
    long in_flight;
};

struct pawl_told { /* one asynchronous push */
    struct pawl_pusher *pusher;
    long number;
};

static struct store *
pawl_side_create(const struct setup *setup, struct bench *b,
                 const struct side *side)
{
    struct pawl_side *p = side_base(setup, b, side, sizeof *p);

    table_create(b, p->base.path, setup->payload, setup->filled);
    return &p->base;
}

static struct pawl_side *
pawl_side_open(struct store *store)
{
    struct pawl_side *p = (struct pawl_side *)store;
    pawl_options options = PAWL_OPTIONS_INIT;
    pawl_error err;

    if (p->store != NULL)
        return p;
    options.durability = store->setup->durability;
    options.durable_acks = store->setup->durable_acks;
    bench_ok(pawl_open(store->path, &options, &p->store, &err), "open a store",
             &err);
    bench_ok(pawl_queue_open(p->store, BENCH_QUEUE, &p->queue, &err),
             "open a queue", &err);
    return p;
}

static void
pawl_side_destroy(struct store *store, long left)
{
    struct pawl_side *p = (struct pawl_side *)store;

    pawl_close(p->store);
    table_check(store->path, left);
    bench_remove(store->path);
    free(p);
}

/* ------------------------------------------------------------------ pushing */

static struct pusher *
pawl_pusher_open(struct store *store)
{
    struct pawl_side *p = pawl_side_open(store);
    struct pawl_pusher *u = bench_alloc(1, sizeof *u);
    pawl_error err;

    /* Pushes in flight are committed by the store's own thread. */
    if (store->setup->in_flight > 0 && !p->is_started) {
        bench_ok(pawl_start(p->store, &err), "start", &err);
        p->is_started = true;
    }
    u->queue = p->queue;
    (void)pthread_mutex_init(&u->mu, NULL);
    (void)pthread_cond_init(&u->landed, NULL);
    return &u->base;
}

static void
pawl_pusher_close(struct pusher *pusher)
{
    free(pusher);
}

static void
pawl_pusher_told(int code, int64_t id, const pawl_error *err, void *user)
{
    struct pawl_told *t = user;
    struct pawl_pusher *u = t->pusher;

    bench_ok(code, "push", err);
    if (id <= 0)
        bench_die("WRONG RESULT: a push was told without an id");
    u->base.told(u->base.user, t->number);
    free(t);
    (void)pthread_mutex_lock(&u->mu);
    if (u->in_flight-- == u->base.store->setup->in_flight)
        (void)pthread_cond_signal(&u->landed);
    (void)pthread_mutex_unlock(&u->mu);
}

static void
pawl_pusher_take_off(struct pawl_pusher *u, const pawl_job *job, long number)
{
    struct pawl_told *t = bench_alloc(1, sizeof *t);
    pawl_error err;

    t->pusher = u;
    t->number = number;
    (void)pthread_mutex_lock(&u->mu);
    while (u->in_flight == u->base.store->setup->in_flight)
        (void)pthread_cond_wait(&u->landed, &u->mu);
    u->in_flight++;
    (void)pthread_mutex_unlock(&u->mu);
    bench_ok(pawl_push_async(u->queue, job, pawl_pusher_told, t, &err),
             "take in a push", &err);
}

static void
pawl_side_push(struct pusher *pusher, long number)
{
    struct pawl_pusher *u = (struct pawl_pusher *)pusher;
    const struct setup *setup = pusher->store->setup;
    char bytes[BENCH_PAYLOAD_MAX];
    pawl_job job = PAWL_JOB(BENCH_TYPE, bytes, setup->payload);
    pawl_error err;

    bench_payload(bytes, setup->payload, number);
    if (setup->in_flight > 0) {
        pawl_pusher_take_off(u, &job, number);
        return;
    }
    bench_ok(pawl_push(u->queue, &job, NULL, &err), "push", &err);
    pusher->told(pusher->user, number);
}

static void
pawl_side_push_many(struct pusher *pusher, long first, long n)
{
    struct pawl_pusher *u = (struct pawl_pusher *)pusher;
    size_t payload = pusher->store->setup->payload;
    pawl_job *jobs = bench_alloc((size_t)n, sizeof *jobs);
    char *bytes = bench_alloc((size_t)n, payload);
    pawl_error err;
    long i;

    for (i = 0; i < n; i++) {
        bench_payload(bytes + (size_t)i * payload, payload, first + i);
        jobs[i] = (pawl_job)PAWL_JOB(BENCH_TYPE, bytes + (size_t)i * payload,
                                     payload);
    }
    bench_ok(pawl_push_many(u->queue, jobs, (size_t)n, NULL, &err), "push many",
             &err);
    pusher->told(pusher->user, first);
    free(bytes);
    free(jobs);
}

static void
pawl_side_flush(struct pusher *pusher)
{
    struct pawl_side *p = (struct pawl_side *)pusher->store;
    pawl_error err;

    bench_ok(pawl_sync(p->store, &err), "sync", &err);
}

/* ---------------------------------------------------------------- consuming */

static int
pawl_side_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct pawl_side *p = user;

    (void)attempt;
    p->work(p->user, bench_payload_number(job->payload, job->payload_bytes,
                                          p->base.setup->payload));
    return 0;
}

static void
pawl_side_work(struct store *store, work_fn work, void *user)
{
    struct pawl_side *p = pawl_side_open(store);
    char threads[16];
    pawl_error err;

    p->work = work;
    p->user = user;
    (void)snprintf(threads, sizeof threads, "%d", store->setup->consumers);
    bench_ok(pawl_queue_set(p->queue, "parallelism", threads, &err),
             "set the parallelism", &err);
    bench_ok(pawl_listen(p->queue, BENCH_TYPE, pawl_side_listener, p, &err),
             "listen", &err);
    bench_ok(pawl_start(p->store, &err), "start", &err);
    p->is_started = true;
}

static int64_t
pawl_side_finish(struct store *store, long total)
{
    struct pawl_side *p = (struct pawl_side *)store;
    pawl_error err;
    int64_t ended;

    (void)total;
    bench_ok(pawl_drain(p->store, PAWL_LIMIT_MS, &err), "drain", &err);
    ended = bench_now_ns();
    bench_ok(pawl_stop(p->store, PAWL_LIMIT_MS, &err), "stop", &err);
    return ended;
}

const struct side side_pawl = {.create = pawl_side_create,
                               .destroy = pawl_side_destroy,
                               .pusher_open = pawl_pusher_open,
                               .pusher_close = pawl_pusher_close,
                               .push = pawl_side_push,
                               .push_many = pawl_side_push_many,
                               .flush = pawl_side_flush,
                               .work = pawl_side_work,
                               .finish = pawl_side_finish};
