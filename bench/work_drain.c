/* SPDX-License-Identifier: MIT */
/* work_drain.c - W4: how fast is a backlog of jobs that do nothing worked off?
 *
 * Pawl has claims, tokens, a listener call for each job, and acks; its time is
 * from pawl_start() until pawl_drain() says that all acks are committed. The
 * time of the others ends with their last ack. Where the name says "durable",
 * acks are synced; else they are not, as is Pawl's default.
 *
 *   raw       see raw_drain.c: batches of 128, with 1 and with 4 threads
 *   bare      likewise, holding the write lock while it works
 *   thread    see thread_queue.c; it gets a twentieth of the jobs
 *   redis     core-queue's commands, and batches of 128; see peer_redis.c
 *
 * What the number is not: not the speed of jobs that do something. Neither raw
 * loop could be used as it is: a job of a dead worker would stay marked for
 * ever, and "bare" lets nobody push while it works. */
#include "children.h"
#include "work.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define DRAIN_SLOW 20 /* who takes one at a time gets so many fewer jobs */
#define DRAIN_PAYLOAD 100

struct drain_result { /* of a process */
    long n;
    int64_t ended_ns;
};

static const struct metric drain_metrics[] = {
    {"jobs/s", false}, {"CPU us a job", true}, {NULL, false}};

static void
drain_work(void *user, long number)
{
    (void)number;
    (void)atomic_fetch_add_explicit((atomic_long *)user, 1,
                                    memory_order_relaxed);
}

static int64_t
drain_here(struct store *store, atomic_long *n, long total)
{
    store->side->work(store, drain_work, n);
    return store->side->finish(store, total);
}

/* The life of a process: ready, go, result. */
static void
drain_child(int fd, void *user)
{
    struct store *store = user;
    struct drain_result r;
    atomic_long n = 0;
    char go;

    child_write(fd, "r", 1);
    child_read(fd, &go, 1);
    r.ended_ns = drain_here(store, &n, 0);
    r.n = atomic_load(&n);
    child_write(fd, &r, sizeof r);
}

static struct drain_result
drain_processes(struct store *store, int n, int64_t *began)
{
    struct child children[CHILDREN_MAX];
    struct drain_result all = {0, 0}, r;
    char ready;
    int i;

    for (i = 0; i < n; i++) {
        child_start(&children[i], drain_child, store);
        child_read(children[i].fd, &ready, 1);
    }
    *began = bench_now_ns();
    for (i = 0; i < n; i++)
        child_write(children[i].fd, "g", 1);
    for (i = 0; i < n; i++) {
        child_read(children[i].fd, &r, sizeof r);
        all.n += r.n;
        if (r.ended_ns > all.ended_ns)
            all.ended_ns = r.ended_ns;
    }
    for (i = 0; i < n; i++)
        child_end(&children[i]);
    return all;
}

static void
drain_run(struct bench *b, const struct entry *entry, void *user,
          double *values)
{
    struct store *store = entry->side->create(&entry->setup, b, entry->side);
    long total = entry->setup.filled;
    struct drain_result r;
    int64_t began, cpu = bench_cpu_ns();
    atomic_long n = 0;

    (void)user;
    began = bench_now_ns();
    if (entry->setup.processes > 0) {
        r = drain_processes(store, entry->setup.processes, &began);
    } else {
        r.ended_ns = drain_here(store, &n, total);
        r.n = atomic_load(&n);
    }
    bench_equal("listener calls", r.n, total);
    values[0] = (double)total * 1e9 / (double)(r.ended_ns - began);
    if (entry->setup.processes == 0 && entry->side->needs == NULL)
        values[1] = (double)(bench_cpu_ns() - cpu) / 1000 / (double)total;
    entry->side->destroy(store, 0);
}

static void
drain_enter(const struct bench *b, struct race *race, const char *name,
            const struct side *side, struct setup setup)
{
    race_enter(b, race, (struct entry){name, side, setup, NULL});
}

static void
drain_enter_all(const struct bench *b, struct race *race, struct setup many,
                bool durable)
{
    struct setup few = many;

    few.filled = many.filled / DRAIN_SLOW;
    drain_enter(b, race, "pawl, 4 threads", &side_pawl, many);
    many.consumers = 1;
    drain_enter(b, race, "pawl, 1 thread", &side_pawl, many);
    many.processes = 4;
    drain_enter(b, race, "pawl, 4 processes", &side_pawl, many);
    many.processes = 0;
    drain_enter(b, race, "raw, 1 thread", &side_raw, many);
    if (!durable)
        drain_enter(b, race, "bare, 1 thread", &side_raw_bare, many);
    many.consumers = 4;
    drain_enter(b, race, "raw, 4 threads", &side_raw, many);
    drain_enter(b, race, "thread, 4 threads", &side_thread, few);
    drain_enter(b, race, "core-queue on redis, 4",
                durable ? &side_redis_always : &side_redis_everysec, few);
    drain_enter(b, race, "redis by 128, 4",
                durable ? &side_redis_always_128 : &side_redis_everysec_128,
                many);
    if (durable)
        drain_enter(b, race, "beanstalkd by 64, 4", &side_beanstalkd_64, few);
}

/* Redis always syncs what it answers: it stands beside durable acks, though
 * Pawl's pushes are durable in both races. */
void
work_drain(struct bench *b)
{
    struct setup setup = {.durability = PAWL_POWER,
                          .payload = DRAIN_PAYLOAD,
                          .filled = bench_jobs(b, 200000, 40000),
                          .consumers = 4};
    struct race race = {.workload = "W4",
                        .name = "relaxed acks",
                        .rounds = bench_rounds(b, 3),
                        .metrics = drain_metrics,
                        .run = drain_run};

    drain_enter_all(b, &race, setup, false);
    race_run(b, &race);
    race.n_entries = 0;
    (void)snprintf(race.name, sizeof race.name, "%s", "durable acks");
    setup.durable_acks = true;
    drain_enter_all(b, &race, setup, true);
    race_run(b, &race);
}
