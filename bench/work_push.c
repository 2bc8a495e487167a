/* SPDX-License-Identifier: MIT */
/* work_push.c - W1, W2, W3: how fast do several threads push?
 *
 * Axes: producers, durability (power is synchronous=FULL, process is NORMAL),
 * payload, jobs a call, calls in flight. Each producer pushes for the given
 * time, one call after the other. The queue has no consumer.
 *
 *   raw      one INSERT a transaction and a connection for each thread, or many
 *            INSERTs in one: of one thread it is the limit that SQLite sets, of
 *            several what queue libraries on SQLite do
 *   others   see peer_redis.c and peer_beanstalkd.c
 *
 * A latency is from call to return, or to the callback. Those of calls that
 * are still out when the time is over count too: who is starved shows there.
 *
 * What the number is not: it says nothing of several processes, which share no
 * group commit, or of a disk with another price for a sync. */
#include "work.h"
#include "hist.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define PUSH_THREADS_MAX 64
#define PUSH_STRIDE 100000000L /* numbers of one producer */
#define PUSH_FLIGHT_MAX 8192   /* more than any setup has in flight */

struct push_shape {
    int producers;
    long batch;
    double seconds;
};

struct push_round {
    const struct push_shape *shape;
    pthread_barrier_t ready;
    _Atomic int64_t until_ns;
};

struct push_thread {
    struct push_round *round;
    pthread_t thread;
    struct pusher *pusher;
    long first;    /* its numbers begin here */
    long n_pushed; /* jobs in all */
    pthread_mutex_t mu;
    long n_timed; /* calls that were told in time */
    int64_t called_ns[PUSH_FLIGHT_MAX];
    struct hist latency;
};

static const struct metric push_metrics[] = {
    {"jobs/s", false},  {"p50 us", true},     {"p99 us", true},
    {"p99.9 us", true}, {"longest us", true}, {"slowest/fastest", false},
    {NULL, false}};

static void
push_told(void *user, long number)
{
    struct push_thread *t = user;
    long i = (number - t->first) / t->round->shape->batch;
    int64_t now = bench_now_ns();

    if (i == 0) /* statements and files come into being untimed */
        return;
    (void)pthread_mutex_lock(&t->mu);
    hist_add(&t->latency, now - t->called_ns[i % PUSH_FLIGHT_MAX]);
    if (now <= atomic_load(&t->round->until_ns))
        t->n_timed++;
    (void)pthread_mutex_unlock(&t->mu);
}

static void
push_call(struct push_thread *t)
{
    const struct push_shape *shape = t->round->shape;
    const struct side *side = t->pusher->store->side;
    long i = t->n_pushed / shape->batch;

    t->called_ns[i % PUSH_FLIGHT_MAX] = bench_now_ns();
    if (shape->batch == 1)
        side->push(t->pusher, t->first + t->n_pushed);
    else
        side->push_many(t->pusher, t->first + t->n_pushed, shape->batch);
    t->n_pushed += shape->batch;
}

static void *
push_produce(void *arg)
{
    struct push_thread *t = arg;
    struct push_round *r = t->round;

    push_call(t);
    t->pusher->store->side->flush(t->pusher);
    (void)pthread_barrier_wait(&r->ready);
    (void)pthread_barrier_wait(&r->ready); /* the clock starts in between */
    while (bench_now_ns() < atomic_load(&r->until_ns))
        push_call(t);
    t->pusher->store->side->flush(t->pusher);
    return NULL;
}

static void
push_race(struct push_round *r, struct push_thread *threads)
{
    int i, n = r->shape->producers;

    if (pthread_barrier_init(&r->ready, NULL, (unsigned)n + 1) != 0)
        bench_die("no barrier");
    for (i = 0; i < n; i++)
        bench_thread(&threads[i].thread, push_produce, &threads[i]);
    (void)pthread_barrier_wait(&r->ready);
    atomic_store(&r->until_ns,
                 bench_now_ns() + (int64_t)(r->shape->seconds * 1e9));
    (void)pthread_barrier_wait(&r->ready);
    for (i = 0; i < n; i++)
        (void)pthread_join(threads[i].thread, NULL);
    (void)pthread_barrier_destroy(&r->ready);
}

static void
push_values(const struct push_shape *shape, struct push_thread *threads,
            double *values)
{
    struct hist *all = bench_alloc(1, sizeof *all);
    long slowest = threads[0].n_timed, fastest = 0, sum = 0;
    int i;

    for (i = 0; i < shape->producers; i++) {
        sum += threads[i].n_timed;
        if (threads[i].n_timed < slowest)
            slowest = threads[i].n_timed;
        if (threads[i].n_timed > fastest)
            fastest = threads[i].n_timed;
        hist_join(all, &threads[i].latency);
    }
    values[0] = (double)(sum * shape->batch) / shape->seconds;
    values[1] = hist_us(all, 0.5);
    values[2] = hist_us(all, 0.99);
    values[3] = hist_us(all, 0.999);
    values[4] = hist_max_us(all);
    if (shape->producers > 1)
        values[5] = fastest > 0 ? (double)slowest / (double)fastest : 0;
    free(all);
}

static void
push_run(struct bench *b, const struct entry *entry, void *user, double *values)
{
    struct push_round r = {.shape = user};
    struct push_thread *threads =
        bench_alloc((size_t)r.shape->producers, sizeof *threads);
    struct store *store = entry->side->create(&entry->setup, b, entry->side);
    long pushed = 0;
    int i;

    for (i = 0; i < r.shape->producers; i++) {
        threads[i].round = &r;
        threads[i].first = i * PUSH_STRIDE;
        (void)pthread_mutex_init(&threads[i].mu, NULL);
        threads[i].pusher = side_pusher(store, push_told, &threads[i]);
    }
    push_race(&r, threads);
    push_values(r.shape, threads, values);
    for (i = 0; i < r.shape->producers; i++) {
        pushed += threads[i].n_pushed;
        entry->side->pusher_close(threads[i].pusher);
    }
    entry->side->destroy(store, pushed);
    free(threads);
}

/* ---------------------------------------------------------------- workloads */

static const char *
push_plural(int n)
{
    return n == 1 ? "" : "s";
}

static void
push_one_at_a_time(struct bench *b, const char *workload, int durability,
                   size_t payload, int producers)
{
    struct push_shape shape = {producers, 1, bench_seconds(b, 1)};
    struct setup s = {.durability = durability, .payload = payload};
    struct race race = {.workload = workload,
                        .rounds = bench_rounds(b, payload > 100 ? 3 : 5),
                        .metrics = push_metrics,
                        .run = push_run,
                        .user = &shape};

    (void)snprintf(race.name, sizeof race.name, "%d producer%s, %zu B",
                   producers, push_plural(producers), payload);
    race_enter(b, &race, (struct entry){"pawl", &side_pawl, s, NULL});
    race_enter(b, &race,
               (struct entry){producers == 1 ? "raw" : "connection each",
                              &side_raw, s, NULL});
    if (durability == PAWL_POWER) {
        race_enter(b, &race,
                   (struct entry){"beanstalkd -f0", &side_beanstalkd, s, NULL});
        race_enter(b, &race,
                   (struct entry){"redis always", &side_redis_always, s, NULL});
    } else {
        race_enter(b, &race,
                   (struct entry){"beanstalkd -f1000", &side_beanstalkd_relaxed,
                                  s, NULL});
        race_enter(
            b, &race,
            (struct entry){"redis everysec", &side_redis_everysec, s, NULL});
    }
    race_run(b, &race);
}

static void
push_axes(struct bench *b, const char *workload, int durability,
          const int *producers)
{
    static const size_t payloads[] = {100, 1024};
    size_t i;
    int k;

    for (i = 0; i < 2; i++)
        for (k = 0; producers[k] != 0; k++) {
            if (b->payload == 0 && i == 1 && (producers[k] == 64 || b->quick))
                continue;
            if (b->payload != 0 && i == 1)
                continue;
            push_one_at_a_time(b, workload, durability,
                               b->payload != 0 ? b->payload : payloads[i],
                               producers[k]);
        }
}

void
work_push(struct bench *b)
{
    static const int producers[] = {1, 8, 64, 0};

    push_axes(b, "W1", PAWL_POWER, producers);
}

void
work_relaxed(struct bench *b)
{
    static const int producers[] = {1, 8, 64, 0};

    push_axes(b, "W2", PAWL_PROCESS, producers);
}

static void
push_batches(struct bench *b, int durability, long batch)
{
    struct push_shape shape = {1, batch, bench_seconds(b, 1)};
    struct setup s = {.durability = durability,
                      .payload = b->payload != 0 ? b->payload : 100};
    struct race race = {.workload = "W3",
                        .rounds = bench_rounds(b, 5),
                        .metrics = push_metrics,
                        .run = push_run,
                        .user = &shape};
    bool power = durability == PAWL_POWER;

    (void)snprintf(race.name, sizeof race.name, "batches of %ld, %s", batch,
                   power ? "power" : "process");
    race_enter(b, &race, (struct entry){"pawl", &side_pawl, s, NULL});
    race_enter(b, &race, (struct entry){"raw", &side_raw, s, NULL});
    race_enter(b, &race,
               (struct entry){
                   power ? "redis always, by 128" : "redis everysec, by 128",
                   power ? &side_redis_always_128 : &side_redis_everysec_128, s,
                   NULL});
    race_run(b, &race);
}

static void
push_in_flight(struct bench *b)
{
    struct push_shape shape = {1, 1, bench_seconds(b, 1)};
    struct setup s = {.durability = PAWL_POWER,
                      .payload = b->payload != 0 ? b->payload : 100,
                      .in_flight = 64};
    struct race race = {.workload = "W3",
                        .name = "in flight, 1 producer",
                        .rounds = bench_rounds(b, 5),
                        .metrics = push_metrics,
                        .run = push_run,
                        .user = &shape};

    race_enter(b, &race, (struct entry){"pawl, 64", &side_pawl, s, NULL});
    s.in_flight = 1000;
    race_enter(b, &race, (struct entry){"pawl, 1000", &side_pawl, s, NULL});
    s.in_flight = 0;
    race_enter(b, &race,
               (struct entry){"pawl, one at a time", &side_pawl, s, NULL});
    race_run(b, &race);
}

void
work_many(struct bench *b)
{
    push_batches(b, PAWL_POWER, 100);
    push_batches(b, PAWL_POWER, 1000);
    push_batches(b, PAWL_PROCESS, 1000);
    push_in_flight(b);
}
