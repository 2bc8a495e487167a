/* SPDX-License-Identifier: MIT */
/* bench_wake.c - how soon does an idle consumer start a job that was pushed,
 * and what does the waiting cost?
 *
 * Pawl: a started store with one listener; the push comes from the same
 * process, then from another one, which opened the file itself after a fork.
 * The other side: a thread that looks for waiting rows, and where it finds
 * none sleeps 1 ms, which is already a quick poll among queue libraries; the
 * push is a plain INSERT by another connection. All pushes at full durability.
 *
 * Between two pushes is a pause of 2 ms, so that the consumer is idle. Measured
 * are the listener's start (or the moment when the row is found) since the
 * push returned, held to 0 where it was faster than the return, and since the
 * push was called. Idle CPU is getrusage() over 2 s in which nothing happens.
 *
 * What the number is not: the latency of a busy queue, where a job waits for
 * a free thread. And since the call it is mostly the disk's: a job is shown to
 * consumers once it is durable. */
#include "bench.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAKE_PAUSE_MS 2
#define WAKE_SETTLE_MS 300
#define WAKE_IDLE_MS 2000
#define WAKE_LIMIT_S 60

enum wake_from { WAKE_SAME_PROCESS, WAKE_OTHER_PROCESS };

struct wake_push { /* CLOCK_MONOTONIC is one for all processes */
    int64_t called_ns, returned_ns;
};

/* Who pushes: a store or a connection, of this process or the child's. */
struct wake_producer {
    pawl_store *store;
    pawl_queue *queue;
    sqlite3 *db;
    sqlite3_stmt *insert;
    int fd; /* to the child; -1: it is us */
    pid_t child;
};

/* Who waits for jobs. */
struct wake_consumer {
    pthread_mutex_t mu;
    pthread_cond_t came;
    long n;          /* jobs that came */
    int64_t came_ns; /* when the last did */
    pawl_store *store;
    pthread_t poller; /* of the other side */
    const char *path;
    atomic_bool stop;
};

static const struct bench_metric wake_metrics[] = {
    {"since return, p50, us", true, false},
    {"since return, p99, us", true, false},
    {"since call, p50, us", true, true},
    {"since call, p99, us", true, false},
    {"push itself, p50, us", true, false},
    {"idle CPU, us a second", true, true},
    {NULL, false, false}};

static const struct bench_metric wake_metrics_other_process[] = {
    {"since return, p50, us", true, true},
    {"since return, p99, us", true, false},
    {"since call, p50, us", true, true},
    {"since call, p99, us", true, false},
    {"push itself, p50, us", true, false},
    {NULL, false, false}};

/* ---------------------------------------------------------------- consumer */

static void
wake_came(struct wake_consumer *c, int64_t ns)
{
    (void)pthread_mutex_lock(&c->mu);
    c->n++;
    c->came_ns = ns;
    (void)pthread_cond_signal(&c->came);
    (void)pthread_mutex_unlock(&c->mu);
}

static int
wake_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    int64_t now = bench_now_ns();

    (void)attempt;
    (void)job;
    wake_came(user, now);
    return 0;
}

static void *
wake_poll(void *arg)
{
    struct wake_consumer *c = arg;
    sqlite3 *db = bench_sql_open(c->path, "NORMAL");
    sqlite3_stmt *find = bench_sql_prepare(
        db, "SELECT id FROM pawl_job INDEXED BY pawl_job_waiting "
            "WHERE state = 'waiting' AND queue = '" BENCH_QUEUE "' "
            "AND type = '" BENCH_TYPE "' "
            "ORDER BY priority DESC, ready_at, id LIMIT 1");
    sqlite3_stmt *drop =
        bench_sql_prepare(db, "DELETE FROM pawl_job WHERE id = ?1");
    int64_t now;

    while (!atomic_load(&c->stop)) {
        if (sqlite3_step(find) != SQLITE_ROW) {
            (void)sqlite3_reset(find);
            bench_pause_ms(1);
            continue;
        }
        now = bench_now_ns();
        (void)sqlite3_bind_int64(drop, 1, sqlite3_column_int64(find, 0));
        (void)sqlite3_reset(find);
        bench_sql_run(db, drop);
        wake_came(c, now);
    }
    bench_sql_close(db);
    return NULL;
}

static void
wake_consumer_start(struct bench *b, struct wake_consumer *c, bool is_pawl)
{
    pawl_error err;

    if (!is_pawl) {
        if (pthread_create(&c->poller, NULL, wake_poll, c) != 0)
            bench_die("no thread");
        return;
    }
    c->store = bench_open(b, c->path);
    bench_ok(
        pawl_listen(bench_queue(c->store), BENCH_TYPE, wake_listener, c, &err),
        "listen", &err);
    bench_ok(pawl_start(c->store, &err), "start", &err);
}

static void
wake_consumer_stop(struct wake_consumer *c)
{
    pawl_error err;

    if (c->store == NULL) {
        atomic_store(&c->stop, true);
        (void)pthread_join(c->poller, NULL);
        return;
    }
    bench_ok(pawl_drain(c->store, WAKE_LIMIT_S * 1000, &err), "drain", &err);
    bench_ok(pawl_stop(c->store, WAKE_LIMIT_S * 1000, &err), "stop", &err);
    pawl_close(c->store);
}

/* When the n-th job came. */
static int64_t
wake_await(struct wake_consumer *c, long n)
{
    struct timespec until;
    int64_t ns;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAKE_LIMIT_S;
    (void)pthread_mutex_lock(&c->mu);
    while (c->n < n)
        if (pthread_cond_timedwait(&c->came, &c->mu, &until) == ETIMEDOUT)
            bench_die("WRONG RESULT: push number %ld did not wake anybody", n);
    bench_equal("jobs that came", c->n, n);
    ns = c->came_ns;
    (void)pthread_mutex_unlock(&c->mu);
    return ns;
}

/* ---------------------------------------------------------------- producer */

static void
wake_open(struct bench *b, struct wake_producer *p, const char *path,
          bool is_pawl, pawl_store *shared)
{
    if (!is_pawl) {
        p->db = bench_sql_open(path, "FULL");
        p->insert = bench_sql_insert(p->db);
        return;
    }
    if (shared == NULL)
        p->store = shared = bench_open(b, path);
    p->queue = bench_queue(shared);
}

static void
wake_close(struct wake_producer *p)
{
    if (p->db != NULL)
        bench_sql_close(p->db);
    pawl_close(p->store);
}

static struct wake_push
wake_push_here(struct wake_producer *p)
{
    pawl_job job = PAWL_JOB(BENCH_TYPE, bench_payload(), BENCH_PAYLOAD_BYTES);
    struct wake_push w;
    pawl_error err;

    w.called_ns = bench_now_ns();
    if (p->db != NULL)
        bench_sql_push(p->db, p->insert);
    else
        bench_ok(pawl_push(p->queue, &job, NULL, &err), "push", &err);
    w.returned_ns = bench_now_ns();
    return w;
}

/* The child: push once for each byte that comes, and say when it was. */
_Noreturn static void
wake_child(struct bench *b, int fd, const char *path, bool is_pawl)
{
    struct wake_producer p = {.fd = -1};
    struct wake_push w;
    char go;

    bench_in_child();
    wake_open(b, &p, path, is_pawl, NULL);
    while (read(fd, &go, 1) == 1) {
        w = wake_push_here(&p);
        if (write(fd, &w, sizeof w) != (ssize_t)sizeof w)
            bench_die("the parent is gone");
    }
    wake_close(&p);
    _exit(0);
}

static void
wake_fork(struct bench *b, struct wake_producer *p, const char *path,
          bool is_pawl)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        bench_die("socketpair: %s", strerror(errno));
    (void)fflush(stdout);
    p->child = fork();
    if (p->child < 0)
        bench_die("fork: %s", strerror(errno));
    if (p->child == 0) {
        (void)close(fds[0]);
        wake_child(b, fds[1], path, is_pawl);
    }
    (void)close(fds[1]);
    p->fd = fds[0];
}

static struct wake_push
wake_push_once(struct wake_producer *p)
{
    struct wake_push w;

    if (p->fd < 0)
        return wake_push_here(p);
    if (write(p->fd, "p", 1) != 1 ||
        recv(p->fd, &w, sizeof w, MSG_WAITALL) != (ssize_t)sizeof w)
        bench_die("the other process is gone");
    return w;
}

static void
wake_producer_stop(struct wake_producer *p)
{
    int status;

    wake_close(p);
    if (p->fd < 0)
        return;
    (void)close(p->fd);
    if (waitpid(p->child, &status, 0) != p->child || status != 0)
        bench_die("WRONG RESULT: the other process did not end well");
}

/* ------------------------------------------------------------------- rounds */

static double
wake_idle_cpu(void)
{
    int64_t began = bench_now_ns(), cpu = bench_cpu_us();

    bench_pause_ms(WAKE_IDLE_MS);
    cpu = bench_cpu_us() - cpu;
    return (double)cpu * 1e9 / (double)(bench_now_ns() - began);
}

static void
wake_measure(struct bench *b, struct wake_producer *p, struct wake_consumer *c,
             double *values)
{
    struct bench_spans since_return = {NULL, 0, 0};
    struct bench_spans since_call = {NULL, 0, 0}, itself = {NULL, 0, 0};
    struct wake_push w;
    int64_t came;
    long i;

    (void)wake_push_once(p); /* statements and files come into being */
    (void)wake_await(c, 1);
    for (i = 0; i < b->n; i++) {
        bench_pause_ms(WAKE_PAUSE_MS);
        w = wake_push_once(p);
        came = wake_await(c, i + 2);
        bench_spans_add(&since_return,
                        came > w.returned_ns ? came - w.returned_ns : 0);
        bench_spans_add(&since_call, came - w.called_ns);
        bench_spans_add(&itself, w.returned_ns - w.called_ns);
    }
    values[0] = bench_spans_us(&since_return, 0.5);
    values[1] = bench_spans_us(&since_return, 0.99);
    values[2] = bench_spans_us(&since_call, 0.5);
    values[3] = bench_spans_us(&since_call, 0.99);
    values[4] = bench_spans_us(&itself, 0.5);
    bench_spans_clear(&since_return);
    bench_spans_clear(&since_call);
    bench_spans_clear(&itself);
}

static void
wake_side(struct bench *b, enum wake_from from, bool is_pawl, double *values)
{
    struct wake_consumer c = {.mu = PTHREAD_MUTEX_INITIALIZER,
                              .came = PTHREAD_COND_INITIALIZER};
    struct wake_producer p = {.fd = -1};
    char path[BENCH_PATH_MAX];

    bench_new_path(b, path);
    bench_fill(b, path, 0);
    c.path = path;
    if (from == WAKE_OTHER_PROCESS) /* before anything of ours is open */
        wake_fork(b, &p, path, is_pawl);
    wake_consumer_start(b, &c, is_pawl);
    if (from == WAKE_SAME_PROCESS) {
        wake_open(b, &p, path, is_pawl, c.store);
        bench_pause_ms(WAKE_SETTLE_MS);
        values[5] = wake_idle_cpu();
    }
    wake_measure(b, &p, &c, values);
    wake_producer_stop(&p);
    wake_consumer_stop(&c);
    bench_equal("jobs that came", c.n, b->n + 1);
    bench_sql_check(path, 0);
    bench_remove(path);
}

static void
wake_pawl(struct bench *b, const struct bench_side *side, void *user,
          double *values)
{
    (void)side;
    wake_side(b, *(const enum wake_from *)user, true, values);
}

static void
wake_other(struct bench *b, const struct bench_side *side, void *user,
           double *values)
{
    (void)side;
    wake_side(b, *(const enum wake_from *)user, false, values);
}

int
main(int argc, char **argv)
{
    struct bench b = {.name = "bench_wake",
                      .what = "waking an idle consumer",
                      .extra = "",
                      .n = 300};
    enum wake_from from = WAKE_SAME_PROCESS;
    struct bench_race race = {.workload = "wake, same process",
                              .user = &from,
                              .metrics = wake_metrics};

    bench_begin(&b, argc, argv);
    bench_add_side(&race, (struct bench_side){"pawl", wake_pawl, NULL, 0});
    bench_add_side(&race,
                   (struct bench_side){"poll every 1 ms", wake_other, NULL, 1});
    bench_run(&b, &race);
    from = WAKE_OTHER_PROCESS;
    (void)snprintf(race.workload, sizeof race.workload, "%s",
                   "wake, other process");
    race.metrics = wake_metrics_other_process;
    bench_run(&b, &race);
    return 0;
}
