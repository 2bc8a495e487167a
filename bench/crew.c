/* SPDX-License-Identifier: MIT */
/* crew.c - see crew.h. */
#include "crew.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

struct crew_thread {
    struct crew *crew;
    pthread_t thread;
    void *taker;
    int64_t ended_ns; /* when it last did something */
};

struct crew {
    const struct crew_way *way;
    work_fn work;
    void *user;
    int n_threads;
    atomic_long n_done, wanted;
    struct crew_thread *threads;
};

void
crew_work(struct crew *crew, long number)
{
    crew->work(crew->user, number);
}

static void *
crew_run(void *arg)
{
    struct crew_thread *t = arg;
    struct crew *c = t->crew;
    long n;

    t->ended_ns = bench_now_ns();
    while (atomic_load(&c->n_done) < atomic_load(&c->wanted)) {
        n = c->way->take(t->taker, c);
        if (n > 0) {
            t->ended_ns = bench_now_ns();
            (void)atomic_fetch_add(&c->n_done, n);
        } else if (c->way->idle_us > 0) {
            bench_pause_us(c->way->idle_us);
        }
    }
    if (c->way->settle != NULL) {
        c->way->settle(t->taker);
        t->ended_ns = bench_now_ns();
    }
    return NULL;
}

struct crew *
crew_start(struct store *store, const struct crew_way *way, work_fn work,
           void *user)
{
    struct crew *c = bench_alloc(1, sizeof *c);
    int i, n = store->setup->consumers;

    c->way = way;
    c->work = work;
    c->user = user;
    c->n_threads = n;
    c->threads = bench_alloc((size_t)n, sizeof *c->threads);
    atomic_store(&c->wanted, LONG_MAX);
    for (i = 0; i < n; i++) {
        c->threads[i].crew = c;
        c->threads[i].taker = way->open(store);
    }
    for (i = 0; i < n; i++)
        bench_thread(&c->threads[i].thread, crew_run, &c->threads[i]);
    return c;
}

int64_t
crew_finish(struct crew *c, long total)
{
    int64_t ended = 0;
    int i;

    atomic_store(&c->wanted, total);
    for (i = 0; i < c->n_threads; i++) {
        (void)pthread_join(c->threads[i].thread, NULL);
        c->way->close(c->threads[i].taker);
        if (c->threads[i].ended_ns > ended)
            ended = c->threads[i].ended_ns;
    }
    bench_equal("jobs consumed", atomic_load(&c->n_done), total);
    free(c->threads);
    free(c);
    return ended;
}
