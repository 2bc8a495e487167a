/* SPDX-License-Identifier: MIT */
/* work_wake.c - W6: how soon does an idle consumer start a job, and what does
 * its waiting cost?
 *
 * The consumer is a store with one thread here. The push comes from the same
 * process, from another one that uses the same library, from another one that
 * does a plain INSERT with the triggers on, as a program in another language
 * would, and from the sqlite3 shell. Pushes are durable. Between two of them
 * are 2 to 3 ms, so that the consumer is idle and a poll is met at any moment.
 *
 * Measured is the listener's start since the push returned (0 where it was
 * first), and since it was called; the latter is mostly the disk's. The shell
 * is said to return when its next line of output is read here, which is some
 * tens of microseconds late, in its favour. "thread" polls each millisecond.
 *
 * What the number is not: the latency of a busy queue, see W5. */
#include "children.h"
#include "hist.h"
#include "table.h"
#include "work.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAKE_PAUSE_US 2000
#define WAKE_SETTLE_US 300000
#define WAKE_LIMIT_S 60
#define WAKE_PAYLOAD 100

enum wake_from { WAKE_HERE, WAKE_LIBRARY, WAKE_SQL, WAKE_SHELL };

struct wake_push {
    int64_t called_ns, returned_ns;
};

struct wake_round {
    struct store *store;
    enum wake_from from;
    struct child child;    /* unless from here */
    struct pusher *pusher; /* from here */
    FILE *from_shell;
    pthread_mutex_t mu;
    pthread_cond_t came;
    long n;
    int64_t came_ns;
};

static const struct metric wake_metrics[] = {
    {"p50 us since return", true}, {"p99 us since return", true},
    {"p50 us since call", true},   {"p99 us since call", true},
    {"p50 us of the push", true},  {NULL, false}};

/* ---------------------------------------------------------------- consumer */

static void
wake_work(void *user, long number)
{
    int64_t now = bench_now_ns();
    struct wake_round *r = user;

    (void)number;
    (void)pthread_mutex_lock(&r->mu);
    r->n++;
    r->came_ns = now;
    (void)pthread_cond_signal(&r->came);
    (void)pthread_mutex_unlock(&r->mu);
}

/* When the n-th job came. */
static int64_t
wake_await(struct wake_round *r, long n)
{
    struct timespec until;
    int64_t ns;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAKE_LIMIT_S;
    (void)pthread_mutex_lock(&r->mu);
    while (r->n < n)
        if (pthread_cond_timedwait(&r->came, &r->mu, &until) == ETIMEDOUT)
            bench_die("WRONG RESULT: push number %ld did not wake anybody", n);
    bench_equal("jobs that came", r->n, n);
    ns = r->came_ns;
    (void)pthread_mutex_unlock(&r->mu);
    return ns;
}

/* ---------------------------------------------------------------- producers */

static void
wake_told(void *user, long number)
{
    (void)user;
    (void)number;
}

static struct wake_push
wake_push_library(struct pusher *pusher)
{
    struct wake_push w;

    w.called_ns = bench_now_ns();
    pusher->store->side->push(pusher, 0);
    w.returned_ns = bench_now_ns();
    return w;
}

/* A child's life: push once for each byte that comes, and say when it was. */
static void
wake_child_library(int fd, void *user)
{
    struct store *store = user;
    struct pusher *pusher = side_pusher(store, wake_told, NULL);
    struct wake_push w;
    char go;

    while (child_hear(fd, &go, 1)) {
        w = wake_push_library(pusher);
        child_write(fd, &w, sizeof w);
    }
}

static void
wake_child_sql(int fd, void *user)
{
    struct store *store = user;
    sqlite3 *db = table_open(store->path, PAWL_POWER);
    sqlite3_stmt *insert = table_insert(db);
    struct wake_push w;
    char go;

    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, (int *)NULL);
    while (child_hear(fd, &go, 1)) {
        w.called_ns = bench_now_ns();
        table_push(db, insert, WAKE_PAYLOAD, 0);
        w.returned_ns = bench_now_ns();
        child_write(fd, &w, sizeof w);
    }
    table_close(db);
}

static void
wake_child_shell(int fd, void *user)
{
    struct store *store = user;

    (void)dup2(fd, 0);
    (void)dup2(fd, 1);
    (void)setenv("PATH", side_program("sqlite3"), 1);
    (void)execlp("sqlite3", "sqlite3", "-batch", "-cmd", ".timeout 5000",
                 store->path, (char *)NULL);
    _exit(127);
}

static struct wake_push
wake_push_shell(struct wake_round *r)
{
    char payload[WAKE_PAYLOAD + 1] = "", sql[512], line[16];
    struct wake_push w;
    int n;

    bench_payload(payload, WAKE_PAYLOAD, 0);
    n = snprintf(sql, sizeof sql,
                 "INSERT INTO pawl_job(queue, type, payload) VALUES('%s', "
                 "'%s', '%s');\nSELECT 'done';\n",
                 BENCH_QUEUE, BENCH_TYPE, payload);
    w.called_ns = bench_now_ns();
    child_write(r->child.fd, sql, (size_t)n);
    if (fgets(line, sizeof line, r->from_shell) == NULL ||
        strcmp(line, "done\n") != 0)
        bench_die("the shell does not say that it is done");
    w.returned_ns = bench_now_ns();
    return w;
}

static struct wake_push
wake_push(struct wake_round *r)
{
    struct wake_push w;

    if (r->from == WAKE_HERE)
        return wake_push_library(r->pusher);
    if (r->from == WAKE_SHELL)
        return wake_push_shell(r);
    child_write(r->child.fd, "p", 1);
    child_read(r->child.fd, &w, sizeof w);
    return w;
}

/* ------------------------------------------------------------------- rounds */

static void
wake_measure(struct wake_round *r, long n, double *values)
{
    struct hist *h = bench_alloc(3, sizeof *h);
    struct wake_push w;
    int64_t came;
    long i;

    (void)wake_push(r); /* statements and files come into being */
    (void)wake_await(r, 1);
    for (i = 0; i < n; i++) {
        bench_pause_us(WAKE_PAUSE_US + i * 37 % 1000);
        w = wake_push(r);
        came = wake_await(r, i + 2);
        hist_add(&h[0], came > w.returned_ns ? came - w.returned_ns : 0);
        hist_add(&h[1], came - w.called_ns);
        hist_add(&h[2], w.returned_ns - w.called_ns);
    }
    values[0] = hist_us(&h[0], 0.5);
    values[1] = hist_us(&h[0], 0.99);
    values[2] = hist_us(&h[1], 0.5);
    values[3] = hist_us(&h[1], 0.99);
    values[4] = hist_us(&h[2], 0.5);
    free(h);
}

/* Before anything of the store is open here. */
static void
wake_fork(struct wake_round *r)
{
    if (r->from == WAKE_LIBRARY)
        child_start(&r->child, wake_child_library, r->store);
    else if (r->from == WAKE_SQL)
        child_start(&r->child, wake_child_sql, r->store);
    else if (r->from == WAKE_SHELL)
        child_start(&r->child, wake_child_shell, r->store);
    if (r->from == WAKE_SHELL)
        r->from_shell = fdopen(dup(r->child.fd), "r");
}

static void
wake_end_producer(struct wake_round *r)
{
    if (r->pusher != NULL)
        r->store->side->pusher_close(r->pusher);
    if (r->from_shell != NULL)
        (void)fclose(r->from_shell);
    if (r->from != WAKE_HERE)
        child_end(&r->child);
}

static void
wake_run(struct bench *b, const struct entry *entry, void *user, double *values)
{
    const struct side *side = entry->side;
    struct wake_round r = {.from = *(const enum wake_from *)entry->with,
                           .mu = PTHREAD_MUTEX_INITIALIZER,
                           .came = PTHREAD_COND_INITIALIZER};

    r.store = side->create(&entry->setup, b, side);
    wake_fork(&r);
    side->work(r.store, wake_work, &r);
    if (r.from == WAKE_HERE)
        r.pusher = side_pusher(r.store, wake_told, NULL);
    bench_pause_us(WAKE_SETTLE_US);
    wake_measure(&r, *(const long *)user, values);
    wake_end_producer(&r);
    (void)side->finish(r.store, r.n);
    side->destroy(r.store, 0);
}

static void
wake_latency(struct bench *b, enum wake_from from, const char *name)
{
    static const enum wake_from here = WAKE_HERE, library = WAKE_LIBRARY,
                                sql = WAKE_SQL, shell = WAKE_SHELL;
    const enum wake_from *with = from == WAKE_HERE ? &here : &library;
    struct setup s = {
        .durability = PAWL_POWER, .payload = WAKE_PAYLOAD, .consumers = 1};
    long n = bench_jobs(b, 500, 150);
    struct race race = {.workload = "W6",
                        .rounds = bench_rounds(b, 3),
                        .metrics = wake_metrics,
                        .run = wake_run,
                        .user = &n};

    (void)snprintf(race.name, sizeof race.name, "%s", name);
    race_enter(b, &race, (struct entry){"pawl", &side_pawl, s, with});
    if (from == WAKE_LIBRARY) {
        race_enter(b, &race,
                   (struct entry){"pawl, plain SQL", &side_pawl, s, &sql});
        if (side_program("sqlite3") != NULL)
            race_enter(
                b, &race,
                (struct entry){"pawl, sqlite3 shell", &side_pawl, s, &shell});
        else
            printf("skipped: sqlite3 is not installed\n");
    }
    race_enter(b, &race,
               (struct entry){"thread, polls", &side_thread, s, with});
    race_enter(b, &race,
               (struct entry){"beanstalkd -f0", &side_beanstalkd, s, with});
    race_enter(b, &race,
               (struct entry){"core-queue, redis everysec",
                              &side_redis_everysec, s, with});
    race_run(b, &race);
}

/* --------------------------------------------------------------------- idle */

static void
wake_idle_run(struct bench *b, const struct entry *entry, void *user,
              double *values)
{
    struct wake_round r = {.mu = PTHREAD_MUTEX_INITIALIZER,
                           .came = PTHREAD_COND_INITIALIZER};
    int64_t cpu, began;

    r.store = entry->side->create(&entry->setup, b, entry->side);
    entry->side->work(r.store, wake_work, &r);
    bench_pause_us(WAKE_SETTLE_US);
    cpu = bench_cpu_ns();
    began = bench_now_ns();
    bench_pause_us((int64_t)(*(const double *)user * 1e6));
    cpu = bench_cpu_ns() - cpu;
    values[0] = (double)cpu * 100 / (double)(bench_now_ns() - began);
    (void)entry->side->finish(r.store, 0);
    entry->side->destroy(r.store, 0);
}

static void
wake_idle(struct bench *b)
{
    static const struct metric metrics[] = {{"% of a core", true},
                                            {NULL, false}};
    double seconds = bench_seconds(b, 10);
    struct setup s = {
        .durability = PAWL_POWER, .payload = WAKE_PAYLOAD, .consumers = 4};
    struct race race = {.workload = "W6",
                        .name = "idle",
                        .rounds = 1,
                        .metrics = metrics,
                        .run = wake_idle_run,
                        .user = &seconds};

    race_enter(b, &race,
               (struct entry){"pawl, 4 threads", &side_pawl, s, NULL});
    s.consumers = 1;
    race_enter(
        b, &race,
        (struct entry){"thread, polls, 1 thread", &side_thread, s, NULL});
    race_run(b, &race);
}

void
work_wake(struct bench *b)
{
    wake_latency(b, WAKE_HERE, "same process");
    wake_latency(b, WAKE_LIBRARY, "other process");
    wake_idle(b);
}
