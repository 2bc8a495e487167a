/* SPDX-License-Identifier: MIT */
/* bench_async.c - what does one thread gain by not waiting for each push?
 *
 * Pawl: one thread keeps 64, then 1,000 pushes in flight by pawl_push_async(),
 * from the first call until the callback of the last. The other side: the same
 * thread with pawl_push(), one at a time. Both at full durability, 100-byte
 * payloads; the store is started, so that its own thread commits.
 *
 * What the number is not: the latency of one push, which grows with the number
 * in flight; nor what several threads gain, see bench_push. */
#include "bench.h"

#include <stdio.h>

/* The one at a time side is slow: it pushes this part of the jobs. */
#define ASYNC_ALONE_PART 10

struct async_flight {
    pthread_mutex_t mu;
    pthread_cond_t landed;
    long n, limit; /* in flight */
    long n_ok;     /* told that they are durable */
};

static const struct bench_metric async_metrics[] = {
    {"pushes/s", false, true},
    {"CPU us a push", true, false},
    {NULL, false, false}};

static void
async_told(int code, int64_t id, const pawl_error *err, void *user)
{
    struct async_flight *f = user;

    bench_ok(code, "push", err);
    if (id <= 0)
        bench_die("WRONG RESULT: a push was told without an id");
    (void)pthread_mutex_lock(&f->mu);
    f->n_ok++;
    if (f->n-- == f->limit)
        (void)pthread_cond_signal(&f->landed);
    (void)pthread_mutex_unlock(&f->mu);
}

static void
async_push_all(struct async_flight *f, pawl_queue *queue, long n)
{
    pawl_job job = PAWL_JOB(BENCH_TYPE, bench_payload(), BENCH_PAYLOAD_BYTES);
    pawl_error err;
    long i;

    for (i = 0; i < n; i++) {
        (void)pthread_mutex_lock(&f->mu);
        while (f->n == f->limit)
            (void)pthread_cond_wait(&f->landed, &f->mu);
        f->n++;
        (void)pthread_mutex_unlock(&f->mu);
        bench_ok(pawl_push_async(queue, &job, async_told, f, &err),
                 "take in a push", &err);
    }
}

static void
async_values(double *values, long n, int64_t ns, int64_t cpu_us)
{
    values[0] = (double)n * 1e9 / (double)ns;
    values[1] = (double)cpu_us / (double)n;
}

static pawl_store *
async_open(struct bench *b, const char *path)
{
    pawl_store *store = bench_open(b, path);
    pawl_error err;

    bench_ok(pawl_start(store, &err), "start", &err);
    return store;
}

static void
async_pawl(struct bench *b, const struct bench_side *side, void *user,
           double *values)
{
    struct async_flight f = {.mu = PTHREAD_MUTEX_INITIALIZER,
                             .landed = PTHREAD_COND_INITIALIZER,
                             .limit = *(const long *)user};
    char path[BENCH_PATH_MAX];
    pawl_store *store;
    pawl_error err;
    int64_t began, cpu;

    (void)side;
    bench_new_path(b, path);
    store = async_open(b, path);
    cpu = bench_cpu_us();
    began = bench_now_ns();
    async_push_all(&f, bench_queue(store), b->n);
    bench_ok(pawl_sync(store, &err), "sync", &err);
    async_values(values, b->n, bench_now_ns() - began, bench_cpu_us() - cpu);
    bench_equal("pushes told", f.n_ok, b->n);
    pawl_close(store);
    bench_sql_check(path, b->n);
    bench_remove(path);
}

static void
async_other(struct bench *b, const struct bench_side *side, void *user,
            double *values)
{
    pawl_job job = PAWL_JOB(BENCH_TYPE, bench_payload(), BENCH_PAYLOAD_BYTES);
    long i, n = b->n / ASYNC_ALONE_PART + 1;
    char path[BENCH_PATH_MAX];
    pawl_store *store;
    pawl_queue *queue;
    pawl_error err;
    int64_t began, cpu;

    (void)side;
    (void)user;
    bench_new_path(b, path);
    store = async_open(b, path);
    queue = bench_queue(store);
    cpu = bench_cpu_us();
    began = bench_now_ns();
    for (i = 0; i < n; i++)
        bench_ok(pawl_push(queue, &job, NULL, &err), "push", &err);
    async_values(values, n, bench_now_ns() - began, bench_cpu_us() - cpu);
    pawl_close(store);
    bench_sql_check(path, n);
    bench_remove(path);
}

int
main(int argc, char **argv)
{
    static const long in_flight[] = {64, 1000};
    struct bench b = {.name = "bench_async",
                      .what = "one thread, many pushes in flight",
                      .extra = "D",
                      .n = 30000};
    struct bench_race race = {.metrics = async_metrics};
    long limit;
    size_t i;

    bench_begin(&b, argc, argv);
    bench_add_side(&race, (struct bench_side){"pawl", async_pawl, NULL, 0});
    bench_add_side(&race,
                   (struct bench_side){"one at a time", async_other, NULL, 10});
    for (i = 0; i < sizeof in_flight / sizeof in_flight[0]; i++) {
        limit = in_flight[i];
        race.user = &limit;
        (void)snprintf(race.workload, sizeof race.workload,
                       "push, 1 thread, %ld in flight", limit);
        bench_run(&b, &race);
    }
    return 0;
}
