/* SPDX-License-Identifier: MIT */
/* kill.c - kill -9, thousands of times, and account for every job.
 *
 * Producers and workers share one file. Half of the deaths come from outside
 * at a random moment; half of the processes carry a fuse that kills them at a
 * stop point of the library or of SQLite (fuse.h), also while they create the
 * file, recover it, or copy the log back. Some processes are stopped for a
 * while by SIGSTOP, some end cleanly, and some settle attempts of a store
 * that they have closed. Everything is logged outside of the store (log.h);
 * after each round a worker drains the store, and the log is judged (check.h).
 *
 *   kill [--kills N] [--round N] [--process] [--folder F] [--seed N]
 *
 * --process: durability process instead of power. */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/store.h"
#include "lib/support.h"
#include "torture/check.h"
#include "torture/fuse.h"

#define KILL_CHILDREN 6
#define KILL_BACKLOG 300
#define KILL_RECORDS (6u << 20)

enum role { PRODUCER, WORKER, ZOMBIE };

static struct log *events;
static struct support_folder folder;
static pawl_options options = PAWL_OPTIONS_INIT;
static uint64_t seed;

static struct {
    long at_random, by_fuse, stops, clean, failed;
} counts;

static unsigned
kill_random(unsigned below)
{
    seed ^= seed << 13; /* xorshift64, Marsaglia 2003 */
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 20) % below;
}

static void
kill_die(const char *what, const pawl_error *err)
{
    fprintf(stderr, "kill: %s: %s\n", what, err->message);
    _exit(1);
}

/* ---------------------------------------------------------------- children */

static pawl_queue *
kill_open(pawl_store **store)
{
    pawl_settings settings = {.struct_size = sizeof settings};
    pawl_queue *queue;
    pawl_error err;

    if (pawl_open(folder.store, &options, store, &err) != PAWL_OK)
        kill_die("open", &err);
    log_watch(*store);
    if (pawl_queue_open(*store, "q", &queue, &err) != PAWL_OK ||
        pawl_queue_settings(queue, &settings, &err) != PAWL_OK)
        kill_die("queue", &err);
    /* Deaths are all that happens here: jobs must not fail of them. */
    if (settings.max_abandons != 1000 &&
        (pawl_queue_set(queue, "max_abandons", "1000", &err) != PAWL_OK ||
         pawl_queue_set(queue, "parallelism", "3", &err) != PAWL_OK))
        kill_die("set", &err);
    return queue;
}

static int
kill_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct log_payload p;
    volatile unsigned work;
    int rc = 0;

    (void)user;
    log_start(attempt, job);
    memcpy(&p, job->payload, sizeof p);
    for (work = (unsigned)(p.number * 7919) % 60000; work > 0; work--)
        ;
    if (p.number % 17 == 0 && pawl_attempt_number(attempt) == 1)
        rc = pawl_attempt_fail(attempt, "the first attempt fails");
    else if (p.number % 23 == 0 && log_now_ns() / 1000 % 2 == 0)
        rc = pawl_attempt_snooze(attempt, 1, NULL);
    log_end(attempt, job);
    return rc;
}

static void
kill_throttle(pawl_queue *queue)
{
    pawl_info info = {.struct_size = sizeof info};
    pawl_error err;

    for (;;) {
        if (pawl_queue_info(queue, &info, &err) != PAWL_OK)
            kill_die("info", &err);
        if (info.waiting + info.delayed + info.reserved < KILL_BACKLOG)
            return;
        (void)poll(NULL, 0, 1); /* a look each ms */
    }
}

static pawl_job
kill_job(struct log_payload *p)
{
    struct timespec now;
    pawl_job job = log_job(p, "t");

    job.max_attempts = 3;
    job.backoff_floor_ms = job.backoff_ceiling_ms = 1;
    job.backoff_jitter_percent = PAWL_NONE;
    job.priority = (int32_t)kill_random(5) - 2;
    if (kill_random(8) == 0) {
        (void)clock_gettime(CLOCK_REALTIME, &now);
        p->ready_at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 +
                         1 + kill_random(20);
        job.ready_at_ms = p->ready_at_ms;
    }
    return job;
}

static void
kill_push_many(pawl_queue *queue)
{
    struct log_payload p[20];
    pawl_job jobs[20];
    pawl_error err;
    size_t n = 2 + kill_random(19), i;

    for (i = 0; i < n; i++)
        jobs[i] = kill_job(&p[i]);
    if (pawl_push_many(queue, jobs, n, NULL, &err) != PAWL_OK)
        kill_die("push many", &err);
}

static void
kill_push_async(pawl_queue *queue)
{
    struct log_payload p;
    pawl_job job;
    pawl_error err;
    unsigned n = 1 + kill_random(30);

    while (n-- > 0) {
        job = kill_job(&p);
        if (pawl_push_async(queue, &job, NULL, NULL, &err) != PAWL_OK)
            kill_die("push async", &err);
    }
    if (pawl_sync(pawl_queue_store(queue), &err) != PAWL_OK)
        kill_die("sync", &err);
}

static void
kill_push_one(pawl_queue *queue)
{
    struct log_payload p;
    pawl_job job = kill_job(&p);
    char key[16];
    pawl_error err;
    int rc;

    if (kill_random(8) == 0) { /* one of few keys: often it is taken */
        (void)snprintf(key, sizeof key, "key %u", kill_random(10));
        job.unique_key = key;
    }
    rc = pawl_push(queue, &job, NULL, &err);
    if (rc != PAWL_OK && (rc != PAWL_EXISTS || job.unique_key == NULL))
        kill_die("push", &err);
}

static void
kill_produce(pawl_queue *queue, unsigned life)
{
    while (life-- > 0) {
        kill_throttle(queue);
        switch (kill_random(6)) {
        case 0:
            kill_push_many(queue);
            break;
        case 1:
            kill_push_async(queue);
            break;
        default:
            kill_push_one(queue);
        }
    }
}

static void
kill_work(pawl_store *store, pawl_queue *queue, unsigned life)
{
    pawl_error err;

    if (pawl_listen(queue, "t", kill_listener, NULL, &err) != PAWL_OK)
        kill_die("listen", &err);
    if (pawl_start(store, &err) != PAWL_OK)
        kill_die("start", &err);
    while (life-- > 0)
        (void)poll(NULL, 0, 1);
    if (pawl_stop(store, SUPPORT_DEADLINE_MS, &err) != PAWL_OK)
        kill_die("stop", &err);
}

/* Claim, end the worker, and settle by another store what may by then belong
 * to someone else. */
static void
kill_haunt(pawl_store *store, pawl_store *other)
{
    struct pawl__record *claims[8];
    struct pawl__settle settles[8];
    struct pawl__exchange x;
    const char *type = "t";
    pawl_error err;
    int64_t worker;
    size_t n;

    if (store->driver->worker_start(store->self, 1, &worker, &err) != PAWL_OK)
        kill_die("worker", &err);
    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.worker = worker;
    x.types = &type;
    x.n_types = 1;
    x.want = 8;
    x.claims = claims;
    if (store->driver->exchange(store->self, &x, &err) != PAWL_OK)
        kill_die("claim", &err);
    memset(settles, 0, sizeof settles);
    for (n = 0; n < x.n_claims; n++) {
        settles[n].job = claims[n]->info.id;
        settles[n].token = claims[n]->token;
        settles[n].outcome = PAWL__SNOOZE;
        pawl__record_free(claims[n]);
    }
    log_dying(0); /* as far as its claims go */
    store->driver->worker_stop(store->self);
    (void)poll(NULL, 0, (int)kill_random(4)); /* rescued or not: either way */
    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.settles = settles;
    x.n_settles = n;
    if (n > 0 && other->driver->exchange(other->self, &x, &err) != PAWL_OK)
        kill_die("settle", &err);
}

static void
kill_child(enum role role, bool creating)
{
    unsigned life = kill_random(6) == 0 ? kill_random(40) : 1u << 30;
    pawl_store *store, *other;
    pawl_queue *queue;
    size_t point;

    if (creating || kill_random(4) != 0) {
        point =
            creating ? kill_random(5) : kill_random((unsigned)fuse_n_points);
        if (creating && kill_random(2) == 0)
            point = fuse_n_points - 1 - kill_random(9);
        fuse_set(fuse_points[point],
                 1 + (long)kill_random(2u << kill_random(6)));
    }
    queue = kill_open(&store);
    if (role == PRODUCER) {
        kill_produce(queue, life);
    } else if (role == WORKER) {
        kill_work(store, queue, life);
    } else {
        (void)kill_open(&other);
        kill_haunt(store, other);
        pawl_close(other);
    }
    pawl_close(store);
    _exit(0);
}

static pid_t
kill_start(int place, bool creating)
{
    enum role role = place < 2 ? PRODUCER : place < 5 ? WORKER : ZOMBIE;
    uint64_t theirs;
    pid_t pid;

    (void)kill_random(2);
    theirs = seed;
    pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        seed = theirs * 0x9e3779b97f4a7c15ULL | 1;
        kill_child(role, creating);
    }
    if (pid < 0) {
        perror("kill: fork");
        exit(99);
    }
    return pid;
}

/* ----------------------------------------------------------------- a round */

static void
kill_count(int status, bool ours)
{
    if (WIFEXITED(status)) {
        counts.clean += WEXITSTATUS(status) == 0;
        counts.failed += WEXITSTATUS(status) != 0;
    } else if (WTERMSIG(status) != SIGKILL) {
        counts.failed++;
        fprintf(stderr, "kill: a process died of signal %d\n",
                WTERMSIG(status));
    } else if (ours) {
        counts.at_random++;
    } else {
        counts.by_fuse++;
    }
}

/* Put new processes where some have ended by themselves. */
static void
kill_refill(pid_t *pids, bool creating)
{
    int i, status;

    for (i = 0; i < KILL_CHILDREN; i++) {
        if (pids[i] != 0 && waitpid(pids[i], &status, WNOHANG) == 0)
            continue;
        if (pids[i] != 0)
            kill_count(status, false);
        pids[i] = kill_start(i, creating);
    }
}

static void
kill_one(pid_t *pid)
{
    int status;

    log_dying(*pid);
    (void)kill(*pid, SIGKILL);
    (void)waitpid(*pid, &status, 0);
    kill_count(status, true);
    *pid = 0;
}

static void
kill_stop_awhile(pid_t pid)
{
    (void)kill(pid, SIGSTOP);
    (void)poll(NULL, 0, (int)kill_random(8)); /* the pause under test */
    (void)kill(pid, SIGCONT);
    counts.stops++;
}

static void
kill_drainer(void)
{
    pawl_info info = {.struct_size = sizeof info};
    pawl_store *store;
    pawl_queue *queue = kill_open(&store);
    pawl_error err;

    if (pawl_listen(queue, "t", kill_listener, NULL, &err) != PAWL_OK ||
        pawl_start(store, &err) != PAWL_OK ||
        pawl_drain(store, 120000, &err) != PAWL_OK ||
        pawl_stop(store, SUPPORT_DEADLINE_MS, &err) != PAWL_OK ||
        pawl_queue_info(queue, &info, &err) != PAWL_OK)
        kill_die("drain", &err);
    while (info.waiting + info.delayed + info.reserved > 0) {
        /* Retries and delayed jobs come due within ms. */
        (void)poll(NULL, 0, 1);
        if (pawl_start(store, &err) != PAWL_OK ||
            pawl_drain(store, 120000, &err) != PAWL_OK ||
            pawl_stop(store, SUPPORT_DEADLINE_MS, &err) != PAWL_OK ||
            pawl_queue_info(queue, &info, &err) != PAWL_OK)
            kill_die("drain", &err);
    }
    pawl_close(store);
    if (info.failed + info.timeout + info.cancelled != 0)
        _exit(3);
    if (support_sql_int(folder.store,
                        "SELECT count(*) FROM pragma_integrity_check() "
                        "WHERE integrity_check <> 'ok'") != 0)
        _exit(4);
    _exit(0);
}

static int
kill_drain(void)
{
    pid_t pid = fork();
    int status = -1;

    if (pid == 0)
        kill_drainer();
    (void)waitpid(pid, &status, 0);
    if (status != 0)
        fprintf(stderr,
                "kill: the drain ended with status %d (exit 3: jobs "
                "are left, 4: the file is damaged)\n",
                status);
    return status;
}

/* So many kills on one store. 0: all is well. */
static int
kill_round(long kills, struct check *sum)
{
    pid_t pids[KILL_CHILDREN] = {0};
    long before = counts.at_random + counts.by_fuse, done = 0;
    struct check one;
    int i, rc;

    log_reset(events);
    support_folder_make(&folder);
    while (done < kills) {
        kill_refill(pids, done < 8);
        (void)poll(NULL, 0, (int)kill_random(6)); /* the random moment */
        i = (int)kill_random(KILL_CHILDREN);
        if (kill_random(8) == 0)
            kill_stop_awhile(pids[i]);
        else if (kill_random(2) == 0)
            kill_one(&pids[i]);
        done = counts.at_random + counts.by_fuse - before;
    }
    for (i = 0; i < KILL_CHILDREN; i++)
        if (pids[i] != 0)
            kill_one(&pids[i]);
    rc = kill_drain();
    if (check_log(events, &one, stderr) != 0 || !check_is_good(&one))
        rc = 1;
    if (rc != 0)
        fprintf(stderr, "kill: the store is kept in %s\n", folder.path);
    else
        support_folder_remove(&folder);
    check_sum(sum, &one);
    return rc;
}

static int
kill_all(long kills, long round)
{
    struct check sum;
    long n, done;
    int rc = 0;

    memset(&sum, 0, sizeof sum);
    for (done = 0; rc == 0 && done < kills; done += n) {
        n = kills - done < round ? kills - done : round;
        rc = kill_round(n, &sum);
    }
    printf("kill -9, durability %s: %ld at random, %ld at stop points, %ld "
           "SIGSTOP, %ld clean ends, %ld failed\n",
           options.durability == PAWL_POWER ? "power" : "process",
           counts.at_random, counts.by_fuse, counts.stops, counts.clean,
           counts.failed);
    check_print(&sum, stdout);
    rc = rc != 0 || counts.failed > 0;
    printf("kill -9: %s\n", rc == 0 ? "good" : "BAD");
    return rc;
}

int
main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"kills", required_argument, NULL, 'k'},
        {"round", required_argument, NULL, 'r'},
        {"process", no_argument, NULL, 'p'},
        {"folder", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0}};
    long kills = support_rounds(400), round = 500;
    int option;

    seed = support_seed();
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'k')
            kills = atol(optarg);
        else if (option == 'r')
            round = atol(optarg);
        else if (option == 'p')
            options.durability = PAWL_PROCESS;
        else if (option == 'f')
            (void)setenv("TMPDIR", optarg, 1);
        else if (option == 's')
            seed = strtoull(optarg, NULL, 10);
        else
            return 2;
    }
    printf("seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    seed = seed * 2 + 1;
    events = log_make(KILL_RECORDS);
    if (events == NULL) {
        perror("kill: the log");
        return 99;
    }
    log_use(events);
    fuse_vfs_register();
    return kill_all(kills, round);
}
