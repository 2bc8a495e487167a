/* SPDX-License-Identifier: MIT */
/* bench_drain.c - how fast is a backlog of jobs that do nothing worked off?
 *
 * Pawl: a queue of parallelism 4, with claims, tokens, a listener call for
 * each job and acks, from pawl_start() until pawl_drain() says that nothing is
 * left: all listeners done and all acks committed. The other side: the least
 * that a program can do on the same table, one thread that selects 128 waiting
 * jobs in the order of claims, marks them, and deletes them, in one
 * transaction; without threads, callbacks, tokens, or anybody else to mind.
 *
 * Both commit at synchronous=NORMAL, as Pawl's acks do by default.
 *
 * What the number is not: not the speed of jobs that do something, and not a
 * race between equals: the other side loses its batch when a job takes long,
 * holds the write lock while it works, and cannot work on two at once. It is
 * the ceiling that SQLite sets, and the ratio says how much of it is left. */
#include "bench.h"

#include <stdatomic.h>
#include <stdio.h>

#define DRAIN_BATCH 128
#define DRAIN_PARALLELISM "4"
#define DRAIN_LIMIT_MS 600000

struct drain_count {
    atomic_long n;
    _Atomic int64_t last_ns; /* when the n-th job of the round ran */
    long wanted;
};

static const struct bench_metric drain_metrics[] = {
    {"jobs/s", false, true, 0.53},
    {"jobs/s to the last call", false, false, 0},
    {"CPU us a job", true, false, 0},
    {NULL, false, false, 0}};

static int
drain_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct drain_count *count = user;

    (void)attempt;
    if (job->payload_bytes != BENCH_PAYLOAD_BYTES)
        return 1;
    if (atomic_fetch_add_explicit(&count->n, 1, memory_order_relaxed) + 1 ==
        count->wanted)
        atomic_store(&count->last_ns, bench_now_ns());
    return 0;
}

static void
drain_values(double *values, long n, int64_t settled_ns, int64_t called_ns,
             int64_t cpu_us)
{
    values[0] = (double)n * 1e9 / (double)settled_ns;
    values[1] = (double)n * 1e9 / (double)called_ns;
    values[2] = (double)cpu_us / (double)n;
}

static void
drain_pawl(struct bench *b, void *user, double *values)
{
    struct drain_count count = {.wanted = b->n};
    char path[BENCH_PATH_MAX];
    pawl_store *store;
    pawl_queue *queue;
    pawl_error err;
    int64_t began, ended, cpu;

    (void)user;
    bench_new_path(b, path);
    bench_fill(b, path, b->n);
    store = bench_open(b, path);
    queue = bench_queue(store);
    bench_ok(pawl_queue_set(queue, "parallelism", DRAIN_PARALLELISM, &err),
             "set the parallelism", &err);
    bench_ok(pawl_listen(queue, BENCH_TYPE, drain_listener, &count, &err),
             "listen", &err);
    cpu = bench_cpu_us();
    began = bench_now_ns();
    bench_ok(pawl_start(store, &err), "start", &err);
    bench_ok(pawl_drain(store, DRAIN_LIMIT_MS, &err), "drain", &err);
    ended = bench_now_ns();
    cpu = bench_cpu_us() - cpu;
    bench_ok(pawl_stop(store, DRAIN_LIMIT_MS, &err), "stop", &err);
    pawl_close(store);
    bench_equal("listener calls", atomic_load(&count.n), b->n);
    drain_values(values, b->n, ended - began,
                 atomic_load(&count.last_ns) - began, cpu);
    bench_sql_check(path, 0);
    bench_remove(path);
}

struct drain_sql {
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *select, *mark, *drop;
    int64_t ids[DRAIN_BATCH];
    int64_t payload_bytes; /* seen: nobody may say that it was not read */
};

static void
drain_sql_prepare(struct drain_sql *d, const char *path)
{
    d->db = bench_sql_open(path, "NORMAL");
    d->begin = bench_sql_prepare(d->db, "BEGIN IMMEDIATE");
    d->commit = bench_sql_prepare(d->db, "COMMIT");
    d->select = bench_sql_prepare(
        d->db, "SELECT id, type, payload FROM pawl_job "
               "INDEXED BY pawl_job_waiting WHERE state = 'waiting' "
               "AND queue = '" BENCH_QUEUE "' AND type = '" BENCH_TYPE "' "
               "ORDER BY priority DESC, ready_at, id LIMIT ?1");
    /* Any state but waiting is a mark; this one is in no index. */
    d->mark = bench_sql_prepare(
        d->db, "UPDATE pawl_job SET state = 'done' WHERE id = ?1");
    d->drop = bench_sql_prepare(d->db, "DELETE FROM pawl_job WHERE id = ?1");
}

static int
drain_sql_select(struct drain_sql *d)
{
    int n = 0, step;

    (void)sqlite3_bind_int(d->select, 1, DRAIN_BATCH);
    while ((step = sqlite3_step(d->select)) == SQLITE_ROW) {
        d->ids[n++] = sqlite3_column_int64(d->select, 0);
        (void)sqlite3_column_blob(d->select, 2);
        d->payload_bytes += sqlite3_column_bytes(d->select, 2);
    }
    if (step != SQLITE_DONE)
        bench_die("sqlite: select: %s", sqlite3_errmsg(d->db));
    (void)sqlite3_reset(d->select);
    return n;
}

static void
drain_sql_each(struct drain_sql *d, sqlite3_stmt *st, int n)
{
    int i;

    for (i = 0; i < n; i++) {
        (void)sqlite3_bind_int64(st, 1, d->ids[i]);
        bench_sql_run(d->db, st);
        bench_equal("rows changed by id", sqlite3_changes(d->db), 1);
    }
}

static void
drain_other(struct bench *b, void *user, double *values)
{
    struct drain_sql d = {0};
    char path[BENCH_PATH_MAX];
    int64_t began, ended, cpu;
    long total = 0;
    int n;

    (void)user;
    bench_new_path(b, path);
    bench_fill(b, path, b->n);
    cpu = bench_cpu_us();
    began = bench_now_ns();
    drain_sql_prepare(&d, path);
    do {
        bench_sql_run(d.db, d.begin);
        n = drain_sql_select(&d);
        drain_sql_each(&d, d.mark, n);
        drain_sql_each(&d, d.drop, n);
        bench_sql_run(d.db, d.commit);
        total += n;
    } while (n > 0);
    ended = bench_now_ns();
    cpu = bench_cpu_us() - cpu;
    bench_sql_close(d.db);
    bench_equal("jobs selected", total, b->n);
    bench_equal("payload bytes", d.payload_bytes,
                (int64_t)b->n * BENCH_PAYLOAD_BYTES);
    drain_values(values, b->n, ended - began, ended - began, cpu);
    bench_sql_check(path, 0);
    bench_remove(path);
}

int
main(int argc, char **argv)
{
    struct bench b = {.name = "bench_drain",
                      .what = "working off a backlog of jobs that do nothing",
                      .extra = "",
                      .n = 100000};
    struct bench_race race = {.other_name = "loop of 128, 1 thread",
                              .pawl = drain_pawl,
                              .other = drain_other,
                              .metrics = drain_metrics};

    bench_begin(&b, argc, argv);
    (void)snprintf(race.workload, sizeof race.workload, "drain %ld, %s threads",
                   b.n, DRAIN_PARALLELISM);
    bench_run(&b, &race);
    return 0;
}
