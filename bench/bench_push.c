/* SPDX-License-Identifier: MIT */
/* bench_push.c - how fast do several threads make one push at a time durable?
 *
 * Pawl: threads share one store, and so its group commit. Beside it:
 *   connection each  each thread has a connection of its own and does a plain
 *                    INSERT into the same table, one transaction and one sync
 *                    each, as queue libraries on SQLite do; of one thread it is
 *                    the limit that SQLite sets
 *   beanstalkd       with -f0, a sync before each answer
 *   redis            core-queue's LPUSH, with appendfsync always, or everysec
 *                    where durability is process
 *
 * Axes: producers (-t), durability (-D: power is synchronous=FULL, process is
 * NORMAL). Payloads are 100 bytes, the queue has no consumer.
 *
 * What the number is not: it says nothing of several processes (they share no
 * group commit), of pushes that are told instead of waited for (bench_async),
 * or of a disk with another price for a sync; see syncs/s in the first line.
 *
 * A round ends with the n-th push that anybody completes, so that a starved
 * thread does not hold up the clock; what the others complete after that is
 * not timed, but counted and looked for in the table. The shares of a round
 * are those at its end. */
#include "peer.h"

#include <stdatomic.h>
#include <stdio.h>

#define PUSH_THREADS_MAX 256

struct push_round {
    struct bench *b;
    int n_threads;
    const char *path;
    pawl_queue *queue; /* Pawl, or NULL */
    struct peer *peer; /* or NULL; neither: a connection each */
    pthread_barrier_t ready;
    atomic_long n_done;
    _Atomic int64_t ended_ns;
};

struct push_thread {
    struct push_round *round;
    pthread_t thread;
    sqlite3 *db; /* a connection each */
    sqlite3_stmt *insert;
    struct wire *wire; /* a peer */
    long n_timed, n_pushed;
    struct bench_spans latency;
};

struct push_setup {
    int n_threads;
};

static const struct bench_metric push_metrics[] = {
    {"pushes/s", false, true},
    {"p50, us", true, false},
    {"p99, us", true, false},
    {"p99.9, us", true, false},
    {"slowest/fastest producer", false, false},
    {NULL, false, false}};

static const struct peer_way push_beanstalkd = {PEER_BEANSTALKD, true, 1},
                             push_always = {PEER_REDIS, true, 1},
                             push_everysec = {PEER_REDIS, false, 1};

static void
push_one(struct push_thread *t)
{
    pawl_job job = PAWL_JOB(BENCH_TYPE, bench_payload(), BENCH_PAYLOAD_BYTES);
    pawl_error err;

    if (t->db != NULL)
        bench_sql_push(t->db, t->insert);
    else if (t->wire != NULL)
        peer_push(t->wire);
    else
        bench_ok(pawl_push(t->round->queue, &job, NULL, &err), "push", &err);
    t->n_pushed++;
}

static void *
push_produce(void *arg)
{
    struct push_thread *t = arg;
    struct push_round *r = t->round;
    int64_t began, now;
    long n;

    push_one(t); /* statements and files come into being untimed */
    (void)pthread_barrier_wait(&r->ready);
    (void)pthread_barrier_wait(&r->ready); /* the clock starts in between */
    do {
        began = bench_now_ns();
        push_one(t);
        now = bench_now_ns();
        n = atomic_fetch_add(&r->n_done, 1) + 1;
        if (n == r->b->n)
            atomic_store(&r->ended_ns, now);
        if (n <= r->b->n) {
            t->n_timed++;
            bench_spans_add(&t->latency, now - began);
        }
    } while (n < r->b->n);
    return NULL;
}

static void
push_prepare(struct push_round *r, struct push_thread *t)
{
    t->round = r;
    if (r->queue != NULL)
        return;
    if (r->peer != NULL) {
        t->wire = wire_open(r->peer);
        return;
    }
    t->db = bench_sql_open(r->path,
                           r->b->durability == PAWL_POWER ? "FULL" : "NORMAL");
    t->insert = bench_sql_insert(t->db);
}

/* Run the threads. Returns the nanoseconds from start to n-th push. */
static int64_t
push_race(struct push_round *r, struct push_thread *threads)
{
    int64_t began;
    int i;

    if (pthread_barrier_init(&r->ready, NULL, (unsigned)r->n_threads + 1) != 0)
        bench_die("no barrier");
    for (i = 0; i < r->n_threads; i++) {
        push_prepare(r, &threads[i]);
        if (pthread_create(&threads[i].thread, NULL, push_produce,
                           &threads[i]) != 0)
            bench_die("no thread");
    }
    (void)pthread_barrier_wait(&r->ready);
    began = bench_now_ns();
    (void)pthread_barrier_wait(&r->ready);
    for (i = 0; i < r->n_threads; i++)
        (void)pthread_join(threads[i].thread, NULL);
    (void)pthread_barrier_destroy(&r->ready);
    return atomic_load(&r->ended_ns) - began;
}

/* Add up, and free what the threads hold. Returns how many were pushed. */
static int64_t
push_sum_up(struct push_round *r, struct push_thread *threads, double *values)
{
    struct bench_spans all = {NULL, 0, 0};
    long slowest = threads[0].n_timed, fastest = threads[0].n_timed;
    int64_t n_pushed = 0;
    int i;

    for (i = 0; i < r->n_threads; i++) {
        n_pushed += threads[i].n_pushed;
        if (threads[i].n_timed < slowest)
            slowest = threads[i].n_timed;
        if (threads[i].n_timed > fastest)
            fastest = threads[i].n_timed;
        bench_spans_join(&all, &threads[i].latency);
        bench_spans_clear(&threads[i].latency);
        if (threads[i].db != NULL)
            bench_sql_close(threads[i].db);
        if (threads[i].wire != NULL)
            wire_close(threads[i].wire);
    }
    values[1] = bench_spans_us(&all, 0.5);
    values[2] = bench_spans_us(&all, 0.99);
    values[3] = bench_spans_us(&all, 0.999);
    values[4] = fastest > 0 ? (double)slowest / (double)fastest : 0;
    bench_equal("pushes timed", (int64_t)all.n, r->b->n);
    bench_spans_clear(&all);
    return n_pushed;
}

/* One round; returns how many were pushed. */
static int64_t
push_run(struct push_round *r, double *values)
{
    struct push_thread threads[PUSH_THREADS_MAX] = {{0}};
    int64_t ns = push_race(r, threads);

    values[0] = (double)r->b->n * 1e9 / (double)ns;
    return push_sum_up(r, threads, values);
}

static void
push_pawl(struct bench *b, const struct bench_side *side, void *user,
          double *values)
{
    struct push_round r = {.b = b, .n_threads = *(int *)user};
    char path[BENCH_PATH_MAX];
    pawl_store *store;
    int64_t n;

    (void)side;
    bench_new_path(b, path);
    bench_fill(b, path, 0);
    store = bench_open(b, path);
    r.queue = bench_queue(store);
    n = push_run(&r, values);
    pawl_close(store);
    bench_sql_check(path, n);
    bench_remove(path);
}

static void
push_each(struct bench *b, const struct bench_side *side, void *user,
          double *values)
{
    struct push_round r = {.b = b, .n_threads = *(int *)user};
    char path[BENCH_PATH_MAX];

    (void)side;
    bench_new_path(b, path);
    bench_fill(b, path, 0);
    r.path = path;
    bench_sql_check(path, push_run(&r, values));
    bench_remove(path);
}

static void
push_peer(struct bench *b, const struct bench_side *side, void *user,
          double *values)
{
    struct push_round r = {.b = b, .n_threads = *(int *)user};
    struct peer peer;
    struct wire *wire;
    int64_t n;

    peer_start(b, side->how, &peer);
    r.peer = &peer;
    n = push_run(&r, values);
    wire = wire_open(&peer);
    bench_equal("jobs at the peer", peer_waiting(wire), n);
    wire_close(wire);
    peer_stop(&peer);
}

/* A peer, where it is installed. */
static void
push_add_peer(struct bench_race *race, const char *name,
              const struct peer_way *way, double wanted)
{
    if (peer_is_there(way))
        bench_add_side(race, (struct bench_side){name, push_peer, way, wanted});
    else
        printf("skipped: %s is not installed\n", name);
}

static void
push_workload(struct bench *b, int n_threads)
{
    bool power = b->durability == PAWL_POWER;
    struct bench_race race = {.user = &n_threads, .metrics = push_metrics};

    (void)snprintf(race.workload, sizeof race.workload, "push, %d thread%s, %s",
                   n_threads, n_threads == 1 ? "" : "s",
                   power ? "power" : "process");
    bench_add_side(&race, (struct bench_side){"pawl", push_pawl, NULL, 0});
    bench_add_side(&race,
                   (struct bench_side){"connection each", push_each, NULL,
                                       n_threads == 1   ? power ? 0.95 : 0.9
                                       : !power         ? 0
                                       : n_threads < 64 ? 3
                                                        : 5});
    if (power) {
        push_add_peer(&race, "beanstalkd -f0", &push_beanstalkd, 1);
        push_add_peer(&race, "redis always", &push_always, 1);
    } else {
        push_add_peer(&race, "redis everysec", &push_everysec, 1);
    }
    bench_run(b, &race);
}

int
main(int argc, char **argv)
{
    struct bench b = {.name = "bench_push",
                      .what = "durable pushes, one at a time, by several "
                              "threads",
                      .extra = "tD",
                      .n = 8000,
                      .threads = {8}};
    int i;

    bench_begin(&b, argc, argv);
    for (i = 0; b.threads[i] != 0; i++)
        push_workload(&b, b.threads[i]);
    return 0;
}
