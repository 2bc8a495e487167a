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
#include "peer.h"

#include <stdatomic.h>
#include <stdio.h>

#define DRAIN_BATCH 128
#define DRAIN_PARALLELISM "4"
#define DRAIN_THREADS 4
#define DRAIN_SLOW 20 /* who takes one at a time gets so many fewer jobs */
#define DRAIN_LIMIT_MS 600000

struct drain_count {
    atomic_long n;
    _Atomic int64_t last_ns; /* when the n-th job of the round ran */
    long wanted;
};

static const struct bench_metric drain_metrics[] = {
    {"jobs/s", false, true},
    {"jobs/s to the last call", false, false},
    {"CPU us a job", true, false},
    {NULL, false, false}};

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
drain_pawl(struct bench *b, const struct bench_side *side, void *user,
           double *values)
{
    struct drain_count count = {.wanted = b->n};
    char path[BENCH_PATH_MAX];
    pawl_store *store;
    pawl_queue *queue;
    pawl_error err;
    int64_t began, ended, cpu;

    (void)side;
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
drain_loop(struct bench *b, const struct bench_side *side, void *user,
           double *values)
{
    struct drain_sql d = {0};
    char path[BENCH_PATH_MAX];
    int64_t began, ended, cpu;
    long total = 0;
    int n;

    (void)side;
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

/* ----------------------------------------------------------- one at a time */

/* As queue libraries on SQLite do: a statement that takes, one that drops. */
static void
drain_single(struct bench *b, const struct bench_side *side, void *user,
             double *values)
{
    long n = b->n / DRAIN_SLOW, i;
    char path[BENCH_PATH_MAX];
    sqlite3_stmt *take, *drop;
    int64_t began, cpu, id;
    sqlite3 *db;

    (void)side;
    (void)user;
    bench_new_path(b, path);
    bench_fill(b, path, n);
    db = bench_sql_open(path, "NORMAL");
    take = bench_sql_prepare(
        db, "UPDATE pawl_job SET state = 'done' WHERE id = (SELECT id FROM "
            "pawl_job INDEXED BY pawl_job_waiting WHERE state = 'waiting' "
            "AND queue = '" BENCH_QUEUE "' AND type = '" BENCH_TYPE "' "
            "ORDER BY priority DESC, ready_at, id LIMIT 1) "
            "RETURNING id, payload");
    drop = bench_sql_prepare(db, "DELETE FROM pawl_job WHERE id = ?1");
    cpu = bench_cpu_us();
    began = bench_now_ns();
    for (i = 0; i < n; i++) {
        if (sqlite3_step(take) != SQLITE_ROW)
            bench_die("sqlite: take: %s", sqlite3_errmsg(db));
        id = sqlite3_column_int64(take, 0);
        while (sqlite3_step(take) == SQLITE_ROW)
            continue;
        (void)sqlite3_reset(take);
        (void)sqlite3_bind_int64(drop, 1, id);
        bench_sql_run(db, drop);
    }
    began = bench_now_ns() - began;
    drain_values(values, n, began, began, bench_cpu_us() - cpu);
    bench_sql_close(db);
    bench_sql_check(path, 0);
    bench_remove(path);
}

/* -------------------------------------------------------------------- peers */

struct drain_peer_thread {
    const struct peer *peer;
    pthread_t thread;
    long n, *left;
};

static void *
drain_peer_consume(void *arg)
{
    struct drain_peer_thread *t = arg;
    struct wire *wire = wire_open(t->peer);
    long batch = t->peer->way->batch, n;

    while (__atomic_fetch_sub(t->left, batch, __ATOMIC_RELAXED) > 0) {
        n = peer_consume(wire);
        t->n += n;
        if (n == 0)
            break;
    }
    wire_close(wire);
    return NULL;
}

static long
drain_peer_fill(const struct peer *peer, long n)
{
    struct wire *wire = wire_open(peer);
    long i, step = 100;

    for (i = 0; i < n; i += step)
        peer_push_many(wire, step);
    wire_close(wire);
    return i;
}

static void
drain_peer(struct bench *b, const struct bench_side *side, void *user,
           double *values)
{
    const struct peer_way *way = side->how;
    struct drain_peer_thread threads[DRAIN_THREADS] = {{0}};
    long n, left, total = 0;
    struct peer peer;
    int64_t ns;
    int i;

    (void)user;
    peer_start(b, way, &peer);
    n = drain_peer_fill(&peer, way->batch > 1 ? b->n : b->n / DRAIN_SLOW);
    left = n;
    ns = bench_now_ns();
    for (i = 0; i < DRAIN_THREADS; i++) {
        threads[i].peer = &peer;
        threads[i].left = &left;
        if (pthread_create(&threads[i].thread, NULL, drain_peer_consume,
                           &threads[i]) != 0)
            bench_die("no thread");
    }
    for (i = 0; i < DRAIN_THREADS; i++) {
        (void)pthread_join(threads[i].thread, NULL);
        total += threads[i].n;
    }
    ns = bench_now_ns() - ns;
    bench_equal("jobs consumed", total, n);
    drain_values(values, n, ns, ns, 0); /* its CPU is the server's, too */
    peer_stop(&peer);
}

static const struct peer_way drain_always = {PEER_REDIS, true, 1},
                             drain_always_128 = {PEER_REDIS, true, 128},
                             drain_everysec = {PEER_REDIS, false, 1},
                             drain_everysec_128 = {PEER_REDIS, false, 128};

static void
drain_add_peer(struct bench_race *race, const char *name,
               const struct peer_way *way, double wanted)
{
    if (peer_is_there(way))
        bench_add_side(race,
                       (struct bench_side){name, drain_peer, way, wanted});
    else
        printf("skipped: %s is not installed\n", name);
}

int
main(int argc, char **argv)
{
    struct bench b = {.name = "bench_drain",
                      .what = "working off a backlog of jobs that do nothing",
                      .extra = "",
                      .n = 100000};
    struct bench_race race = {.metrics = drain_metrics};

    bench_begin(&b, argc, argv);
    (void)snprintf(race.workload, sizeof race.workload, "drain %ld, %s threads",
                   b.n, DRAIN_PARALLELISM);
    bench_add_side(&race, (struct bench_side){"pawl", drain_pawl, NULL, 0});
    bench_add_side(&race, (struct bench_side){"loop of 128, 1 thread",
                                              drain_loop, NULL, 0.8});
    bench_add_side(&race, (struct bench_side){"one at a time, 1 thread",
                                              drain_single, NULL, 7});
    drain_add_peer(&race, "core-queue, always", &drain_always, 20);
    drain_add_peer(&race, "core-queue, everysec", &drain_everysec, 0);
    drain_add_peer(&race, "redis by 128, always", &drain_always_128, 1);
    drain_add_peer(&race, "redis by 128, everysec", &drain_everysec_128, 0);
    bench_run(&b, &race);
    return 0;
}
