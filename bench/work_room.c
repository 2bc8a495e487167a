/* SPDX-License-Identifier: MIT */
/* work_room.c - W8: what does a million queued jobs take?
 *
 * Pawl: a process of its own opens a new store, pushes, and works all off. Its
 * memory (anonymous pages, not those of files) is read before the first push
 * and after the last; then with a pool whose listeners stand still, for what a
 * job that is claimed ahead takes. The file is measured at the peak, and once
 * the empty store, still open, has given its room back. The servers' memory is
 * what their process gained. */
#include "children.h"
#include "table.h"
#include "wire.h"
#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROOM_BATCH 1000
#define ROOM_PAYLOAD 100
#define ROOM_RUN_FIRST                                    \
    20000 /* until the pool claims as far ahead as it may \
           */
#define ROOM_LIMIT_MS 600000
#define ROOM_SHRINK_LIMIT_S 120

struct room_report { /* of the child */
    int64_t queued_bytes, ahead_bytes, n_ahead, empty_bytes, peak_bytes;
    int64_t shrunk_ns;
};

struct room {
    const char *path;
    long n;
    pthread_mutex_t mu;
    pthread_cond_t changed;
    long n_run, n_wanted;
    bool stands;
};

static const struct metric room_metrics[] = {{"bytes in memory a job", true},
                                             {"bytes a job ahead", true},
                                             {"jobs ahead", true},
                                             {"file MB at first", true},
                                             {"file MB at the peak", true},
                                             {"file MB afterwards", true},
                                             {"shrunk after s", true},
                                             {NULL, false}};

static int
room_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct room *r = user;

    (void)attempt;
    (void)job;
    (void)pthread_mutex_lock(&r->mu);
    r->n_run++;
    (void)pthread_cond_broadcast(&r->changed);
    while (r->stands && r->n_run >= r->n_wanted)
        (void)pthread_cond_wait(&r->changed, &r->mu);
    (void)pthread_mutex_unlock(&r->mu);
    return 0;
}

static void
room_push(pawl_queue *queue, long n)
{
    static char bytes[ROOM_PAYLOAD];
    static pawl_job jobs[ROOM_BATCH];
    pawl_error err;
    long i;

    bench_payload(bytes, sizeof bytes, 0);
    for (i = 0; i < ROOM_BATCH; i++)
        jobs[i] = (pawl_job)PAWL_JOB(BENCH_TYPE, bytes, sizeof bytes);
    for (i = 0; i < n; i += ROOM_BATCH)
        bench_ok(pawl_push_many(queue, jobs, ROOM_BATCH, NULL, &err),
                 "push many", &err);
}

/* The pool stands still: what has it claimed, and what does that take? */
static void
room_look_ahead(struct room *r, struct room_report *report, int64_t before)
{
    sqlite3 *db;

    (void)pthread_mutex_lock(&r->mu);
    while (r->n_run < r->n_wanted)
        (void)pthread_cond_wait(&r->changed, &r->mu);
    (void)pthread_mutex_unlock(&r->mu);
    bench_pause_us(100000);
    report->ahead_bytes = bench_memory(getpid()) - before;
    db = table_open(r->path, PAWL_PROCESS);
    report->n_ahead = table_int(db, "SELECT count(*) FROM pawl_claim");
    table_close(db);
    (void)pthread_mutex_lock(&r->mu);
    r->stands = false;
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->mu);
}

/* The idle store gives free pages back, a part each second. */
static void
room_await_shrunk(const struct room *r, struct room_report *report)
{
    int64_t began = bench_now_ns();

    do {
        bench_pause_us(100000);
        report->shrunk_ns = bench_now_ns() - began;
    } while (bench_file_bytes(r->path) * 10 > report->empty_bytes * 11 &&
             report->shrunk_ns < ROOM_SHRINK_LIMIT_S * 1000000000LL);
}

static void
room_child(int fd, void *user)
{
    struct room *r = user;
    struct room_report report = {0, 0, 0, 0, 0, 0};
    pawl_store *store;
    pawl_queue *queue;
    pawl_error err;
    int64_t before;

    bench_ok(pawl_open(r->path, NULL, &store, &err), "open", &err);
    bench_ok(pawl_queue_open(store, BENCH_QUEUE, &queue, &err), "queue", &err);
    report.empty_bytes = bench_file_bytes(r->path);
    room_push(queue, ROOM_BATCH * 10); /* SQLite's page cache is full */
    before = bench_memory(getpid());
    room_push(queue, r->n);
    report.queued_bytes = bench_memory(getpid()) - before;
    report.peak_bytes = bench_file_bytes(r->path);
    before = bench_memory(getpid());
    bench_ok(pawl_listen(queue, BENCH_TYPE, room_listener, r, &err), "listen",
             &err);
    bench_ok(pawl_start(store, &err), "start", &err);
    room_look_ahead(r, &report, before);
    bench_ok(pawl_drain(store, ROOM_LIMIT_MS, &err), "drain", &err);
    room_await_shrunk(r, &report);
    pawl_close(store);
    child_write(fd, &report, sizeof report);
}

static void
room_pawl(struct bench *b, long n, double *values)
{
    char path[BENCH_PATH_MAX];
    struct room r = {.path = path,
                     .n = n,
                     .mu = PTHREAD_MUTEX_INITIALIZER,
                     .changed = PTHREAD_COND_INITIALIZER,
                     .n_wanted = n < ROOM_RUN_FIRST ? n : ROOM_RUN_FIRST,
                     .stands = true};
    struct room_report report;
    struct child child;

    bench_new_path(b, path);
    table_create(b, path, ROOM_PAYLOAD, 0);
    child_start(&child, room_child, &r);
    child_read(child.fd, &report, sizeof report);
    child_end(&child);
    values[0] = (double)report.queued_bytes / (double)n;
    values[1] = (double)report.ahead_bytes / (double)report.n_ahead;
    values[2] = (double)report.n_ahead;
    values[3] = (double)report.empty_bytes / 1e6;
    values[4] = (double)report.peak_bytes / 1e6;
    values[5] = (double)bench_file_bytes(path) / 1e6;
    values[6] = (double)report.shrunk_ns / 1e9;
    table_check(path, 0);
    bench_remove(path);
}

static void
room_run(struct bench *b, const struct entry *entry, void *user, double *values)
{
    long n = *(const long *)user;
    struct setup none = entry->setup, all = entry->setup;
    struct store *store;
    int64_t before;

    if (entry->side == &side_pawl) {
        room_pawl(b, n, values);
        return;
    }
    store = entry->side->create(&none, b, entry->side);
    before = bench_memory(((struct server *)store)->pid);
    entry->side->destroy(store, 0);
    all.filled = n;
    store = entry->side->create(&all, b, entry->side);
    values[0] = (double)(bench_memory(((struct server *)store)->pid) - before) /
                (double)n;
    entry->side->destroy(store, n);
}

void
work_room(struct bench *b)
{
    struct setup s = {.durability = PAWL_POWER, .payload = ROOM_PAYLOAD};
    long n = bench_jobs(b, 1000000, 100000);
    struct race race = {.workload = "W8",
                        .rounds = b->rounds > 0 ? b->rounds : 1,
                        .metrics = room_metrics,
                        .run = room_run,
                        .user = &n};

    (void)snprintf(race.name, sizeof race.name, "%s", "jobs came and went");
    race_enter(b, &race, (struct entry){"pawl", &side_pawl, s, NULL});
    race_enter(b, &race,
               (struct entry){"redis", &side_redis_everysec, s, NULL});
    race_enter(b, &race,
               (struct entry){"beanstalkd", &side_beanstalkd_relaxed, s, NULL});
    race_run(b, &race);
}
