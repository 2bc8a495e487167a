/* SPDX-License-Identifier: MIT */
/* work_backlog.c - W7: what do push, claim and settle cost in front of many
 * rows? The rows wait, or are delayed for a day, or done, or wait for a
 * listener that nobody has ("foreign"). The ratio of the table is to the
 * smallest store of the same side: how many times dearer the larger one is.
 *
 *   push          one call after the other
 *   run           from the first listener call to the last of as many jobs;
 *                 for "thread" a take and a delete, one after the other
 *   lone job CPU  of a push, its claim, its settle, and the claim after it
 *                 that finds nothing (not where the rows wait)
 *
 * Nothing is synced: the disk would hide what grows. Each round leaves as many
 * rows as it found. */
#include "table.h"
#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKLOG_LONE 300
#define BACKLOG_LIMIT_MS 600000
#define BACKLOG_PAYLOAD 100

struct backlog { /* a store, and what lies in it */
    char path[BENCH_PATH_MAX];
    char name[48], thread_name[48];
    const char *kind;
    long n;
};

struct backlog_count {
    pthread_mutex_t mu;
    pthread_cond_t reached;
    long n, wanted;
    int64_t first_ns, last_ns; /* of those wanted */
};

static const struct metric backlog_metrics[] = {{"push us", true},
                                                {"run us", true},
                                                {"lone job CPU us", true},
                                                {NULL, false}};

/* --------------------------------------------------------------------- Pawl */

static int
backlog_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct backlog_count *c = user;
    int64_t now = bench_now_ns();

    (void)attempt;
    (void)job;
    (void)pthread_mutex_lock(&c->mu);
    if (c->n++ == 0)
        c->first_ns = now;
    if (c->n == c->wanted) {
        c->last_ns = now;
        (void)pthread_cond_signal(&c->reached);
    }
    (void)pthread_mutex_unlock(&c->mu);
    return 0;
}

static void
backlog_await(struct backlog_count *c)
{
    (void)pthread_mutex_lock(&c->mu);
    while (c->n < c->wanted)
        (void)pthread_cond_wait(&c->reached, &c->mu);
    (void)pthread_mutex_unlock(&c->mu);
}

static void
backlog_push(pawl_queue *queue, long n)
{
    char bytes[BACKLOG_PAYLOAD];
    pawl_job job = PAWL_JOB(BENCH_TYPE, bytes, sizeof bytes);
    pawl_error err;
    long i;

    bench_payload(bytes, sizeof bytes, 0);
    for (i = 0; i < n; i++)
        bench_ok(pawl_push(queue, &job, NULL, &err), "push", &err);
}

static double
backlog_lone(pawl_queue *queue, struct backlog_count *c)
{
    int64_t cpu = bench_cpu_ns();
    int i;

    for (i = 0; i < BACKLOG_LONE; i++) {
        c->n = 0; /* nobody works just now */
        c->wanted = 1;
        backlog_push(queue, 1);
        backlog_await(c);
        bench_pause_us(200); /* for the settle, and a look for more */
    }
    return (double)(bench_cpu_ns() - cpu) / 1000 / BACKLOG_LONE;
}

static void
backlog_pawl(struct bench *b, const struct entry *entry, void *user,
             double *values)
{
    const struct backlog *log = entry->with;
    struct backlog_count c = {.mu = PTHREAD_MUTEX_INITIALIZER,
                              .reached = PTHREAD_COND_INITIALIZER,
                              .wanted = *(const long *)user};
    pawl_options options = PAWL_OPTIONS_INIT;
    long jobs = c.wanted;
    pawl_store *store;
    pawl_queue *queue;
    pawl_error err;
    int64_t began;

    (void)b;
    options.durability = PAWL_PROCESS;
    bench_ok(pawl_open(log->path, &options, &store, &err), "open", &err);
    bench_ok(pawl_queue_open(store, BENCH_QUEUE, &queue, &err), "queue", &err);
    backlog_push(queue, 1);
    began = bench_now_ns();
    backlog_push(queue, jobs - 1);
    values[0] = (double)(bench_now_ns() - began) / 1000 / (double)jobs;
    bench_ok(pawl_listen(queue, BENCH_TYPE, backlog_listener, &c, &err),
             "listen", &err);
    bench_ok(pawl_start(store, &err), "start", &err);
    backlog_await(&c);
    values[1] = (double)(c.last_ns - c.first_ns) / 1000 / (double)jobs;
    if (strcmp(log->kind, "waiting") != 0)
        values[2] = backlog_lone(queue, &c);
    bench_ok(pawl_stop(store, BACKLOG_LIMIT_MS, &err), "stop", &err);
    if (strcmp(log->kind, "waiting") == 0)
        backlog_push(queue, c.n - jobs); /* what ran beyond */
    pawl_close(store);
}

/* ------------------------------------------------------------------- thread */

struct backlog_sql {
    sqlite3 *db;
    sqlite3_stmt *insert, *take, *drop;
};

/* False: there is none. */
static bool
backlog_take(struct backlog_sql *s)
{
    bool found = table_step(s->db, s->take);
    int64_t id = sqlite3_column_int64(s->take, 0);

    if (!found) {
        (void)sqlite3_reset(s->take);
        return false;
    }
    table_run(s->db, s->take);
    table_run_id(s->db, s->drop, id);
    return true;
}

static void
backlog_thread_times(struct backlog_sql *s, const struct backlog *log,
                     long jobs, double *values)
{
    int64_t began = bench_now_ns(), ns;
    long i;

    for (i = 0; i < jobs; i++)
        table_push(s->db, s->insert, BACKLOG_PAYLOAD, i);
    ns = bench_now_ns();
    values[0] = (double)(ns - began) / 1000 / (double)jobs;
    for (i = 0; i < jobs; i++)
        (void)backlog_take(s);
    values[1] = (double)(bench_now_ns() - ns) / 1000 / (double)jobs;
    if (strcmp(log->kind, "waiting") == 0)
        return;
    ns = bench_cpu_ns();
    for (i = 0; i < BACKLOG_LONE; i++) {
        table_push(s->db, s->insert, BACKLOG_PAYLOAD, i);
        while (backlog_take(s))
            continue;
    }
    values[2] = (double)(bench_cpu_ns() - ns) / 1000 / BACKLOG_LONE;
}

static void
backlog_thread(struct bench *b, const struct entry *entry, void *user,
               double *values)
{
    const struct backlog *log = entry->with;
    struct backlog_sql s = {.db = table_open(log->path, PAWL_PROCESS)};

    (void)b;
    s.insert = table_insert(s.db);
    s.take = table_prepare(
        s.db, "UPDATE pawl_job SET state = 'done' WHERE id = (" TABLE_WAITING
              "LIMIT 1) RETURNING id, payload");
    s.drop = table_prepare(s.db, "DELETE FROM pawl_job WHERE id = ?1");
    backlog_thread_times(&s, log, *(const long *)user / 4, values);
    table_close(s.db);
}

static void
backlog_run(struct bench *b, const struct entry *entry, void *user,
            double *values)
{
    if (entry->side == &side_pawl)
        backlog_pawl(b, entry, user, values);
    else
        backlog_thread(b, entry, user, values);
}

/* ------------------------------------------------------------------- stores */

static const char *
backlog_size(long n)
{
    return n == 1000      ? "1 thousand"
           : n == 100000  ? "100 thousand"
           : n == 1000000 ? "1 million"
                          : "10 million";
}

static void
backlog_make(struct bench *b, struct backlog *log, const char *kind, long n)
{
    bool foreign = strcmp(kind, "foreign") == 0;

    log->kind = kind;
    log->n = n;
    (void)snprintf(log->name, sizeof log->name, "pawl, %s", backlog_size(n));
    (void)snprintf(log->thread_name, sizeof log->thread_name, "thread, %s",
                   backlog_size(n));
    bench_new_path(b, log->path);
    table_create(b, log->path, BACKLOG_PAYLOAD, 0);
    table_fill(log->path, foreign ? "waiting" : kind,
               foreign ? "foreign" : BENCH_TYPE, BACKLOG_PAYLOAD, n);
}

static void
backlog_race(struct bench *b, const char *kind, const long *sizes)
{
    struct backlog logs[4];
    long jobs = bench_jobs(b, 8000, 4000);
    struct race race = {.workload = "W7",
                        .rounds = bench_rounds(b, 3),
                        .metrics = backlog_metrics,
                        .run = backlog_run,
                        .user = &jobs};
    int i, n = 0;

    (void)snprintf(race.name, sizeof race.name, "%s", kind);
    for (; sizes[n] != 0; n++) {
        backlog_make(b, &logs[n], kind, sizes[n]);
        race_enter(b, &race,
                   (struct entry){.name = logs[n].name,
                                  .side = &side_pawl,
                                  .with = &logs[n]});
    }
    race_run(b, &race);
    race.n_entries = 0;
    (void)snprintf(race.name, sizeof race.name, "%s, thread", kind);
    for (i = 0; i < n; i++)
        race_enter(b, &race,
                   (struct entry){.name = logs[i].thread_name,
                                  .side = &side_thread,
                                  .with = &logs[i]});
    race_run(b, &race);
    for (i = 0; i < n; i++)
        bench_remove(logs[i].path);
}

void
work_backlog(struct bench *b)
{
    static const char *const kinds[] = {"waiting", "delayed", "done",
                                        "foreign"};
    static const long quick[] = {1000, 100000, 0},
                      normal[] = {1000, 100000, 1000000, 0},
                      longer[] = {1000, 1000000, 10000000, 0};
    size_t i;

    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        backlog_race(b, kinds[i],
                     b->longer  ? longer
                     : b->quick ? quick
                                : normal);
}
