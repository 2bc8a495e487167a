/* SPDX-License-Identifier: MIT */
/* load.c - see load.h. */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOAD_ON_THE_WAY 1000
#define LOAD_FASTEST 300000 /* jobs/s of a producer: room for the times */

struct load_times { /* of one job; 0: not yet */
    _Atomic int64_t called_ns, told_ns, started_ns;
};

struct load_round {
    const struct load *load;
    struct store *store;
    struct load_times *times;
    long stride; /* numbers of one producer */
    sem_t room;
    int64_t began_ns, until_ns;
};

struct load_producer {
    struct load_round *round;
    pthread_t thread;
    struct pusher *pusher;
    int i;
    long n;
};

static void
load_told(void *user, long number)
{
    struct load_round *r = user;

    atomic_store_explicit(&r->times[number].told_ns, bench_now_ns(),
                          memory_order_relaxed);
}

static void
load_started(void *user, long number)
{
    struct load_round *r = user;

    atomic_store_explicit(&r->times[number].started_ns, bench_now_ns(),
                          memory_order_relaxed);
    (void)sem_post(&r->room);
}

static void
load_sleep_until(int64_t ns)
{
    struct timespec ts = {ns / 1000000000, ns % 1000000000};

    if (ns > bench_now_ns())
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* When the n-th job of a producer is due. Producers take turns. */
static int64_t
load_due(const struct load_producer *p)
{
    const struct load *l = p->round->load;

    if (l->jobs_per_s <= 0)
        return 0;
    return p->round->began_ns + (int64_t)((double)(p->n * l->producers + p->i) *
                                          1e9 / l->jobs_per_s);
}

static void *
load_produce(void *arg)
{
    struct load_producer *p = arg;
    struct load_round *r = p->round;
    long number;

    for (p->n = 0; p->n < r->stride; p->n++) {
        load_sleep_until(load_due(p));
        while (sem_wait(&r->room) != 0)
            continue;
        if (bench_now_ns() >= r->until_ns)
            break;
        number = p->i * r->stride + p->n;
        atomic_store_explicit(&r->times[number].called_ns, bench_now_ns(),
                              memory_order_relaxed);
        r->store->side->push(p->pusher, number);
    }
    r->store->side->flush(p->pusher);
    (void)sem_post(&r->room); /* the one that was not used */
    return NULL;
}

/* How many were pushed in all. */
static long
load_push_all(struct load_round *r, struct load_producer *producers)
{
    int i, n = r->load->producers;
    long total = 0;

    for (i = 0; i < n; i++) {
        producers[i].round = r;
        producers[i].i = i;
        producers[i].pusher = side_pusher(r->store, load_told, r);
    }
    r->began_ns = bench_now_ns();
    r->until_ns = r->began_ns + (int64_t)(r->load->seconds * 1e9);
    for (i = 0; i < n; i++)
        bench_thread(&producers[i].thread, load_produce, &producers[i]);
    for (i = 0; i < n; i++) {
        (void)pthread_join(producers[i].thread, NULL);
        total += producers[i].n;
    }
    return total;
}

static void
load_sum_up(const struct load_round *r, const struct load_producer *producers,
            struct load_result *result)
{
    const struct load_times *t;
    long k, n = 0;
    int i;

    for (i = 0; i < r->load->producers; i++)
        for (k = 0; k < producers[i].n; k++) {
            t = &r->times[i * r->stride + k];
            if (t->told_ns == 0 || t->started_ns == 0)
                bench_die("WRONG RESULT: a job was not told, or not run");
            if (t->started_ns <= r->until_ns)
                n++;
            hist_add(&result->push, t->told_ns - t->called_ns);
            hist_add(&result->wait, t->started_ns > t->told_ns
                                        ? t->started_ns - t->told_ns
                                        : 0);
        }
    result->jobs_per_s = (double)n / r->load->seconds;
    result->longest_ns = result->push.max;
}

struct load_result *
load_run(struct bench *b, const struct entry *entry, const struct load *load)
{
    struct load_result *result = bench_alloc(1, sizeof *result);
    struct load_producer *producers =
        bench_alloc((size_t)load->producers, sizeof *producers);
    struct load_round r = {.load = load};
    long total;
    int i;

    r.stride = (long)(load->seconds * LOAD_FASTEST) + 1000;
    r.times =
        bench_alloc((size_t)(r.stride * load->producers), sizeof *r.times);
    (void)sem_init(&r.room, 0, LOAD_ON_THE_WAY);
    r.store = entry->side->create(&entry->setup, b, entry->side);
    entry->side->work(r.store, load_started, &r);
    total = load_push_all(&r, producers);
    (void)entry->side->finish(r.store, total);
    load_sum_up(&r, producers, result);
    for (i = 0; i < load->producers; i++)
        entry->side->pusher_close(producers[i].pusher);
    entry->side->destroy(r.store, 0);
    (void)sem_destroy(&r.room);
    free(r.times);
    free(producers);
    return result;
}

/* -------------------------------------------------------------------- disk */

static void
load_append(int fd, const char *path)
{
    static const char page[4096];

    if (write(fd, page, sizeof page) != (ssize_t)sizeof page ||
        fdatasync(fd) != 0)
        bench_die("%s: %s", path, strerror(errno));
}

void
load_disk(struct bench *b, const struct entry *entry, void *user,
          double *values)
{
    double seconds = *(const double *)user;
    struct hist *h = bench_alloc(1, sizeof *h);
    int64_t began = bench_now_ns(), now = began, before;
    char path[BENCH_PATH_MAX];
    int fd;

    (void)entry;
    bench_new_path(b, path);
    fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        bench_die("%s: %s", path, strerror(errno));
    while ((double)(now - began) < seconds * 1e9) {
        before = now;
        load_append(fd, path);
        now = bench_now_ns();
        hist_add(h, now - before);
    }
    (void)close(fd);
    (void)unlink(path);
    values[0] = (double)h->n * 1e9 / (double)(now - began);
    values[1] = hist_us(h, 0.5);
    values[2] = hist_us(h, 0.99);
    values[3] = hist_us(h, 0.999);
    values[4] = hist_max_us(h);
    free(h);
}
