/* SPDX-License-Identifier: MIT */
/* hostile.c - neighbours that mean harm, or know no better.
 *
 * Producers and workers share a store, everything they do is logged (log.h),
 * and meanwhile a neighbour does what users and other programs do to files:
 *
 *   lock      a plain connection, and a sqlite3 shell, hold the write lock for
 *             0.1 to 8 s
 *   shells    sqlite3 shells open the database and exit, over and over
 *   host      the processes themselves open and close the database file, which
 *             drops SQLite's locks, beside such shells
 *   trigger   a trigger is planted that deletes every new job
 *   rm-wal, rm-shm, mv   a file is deleted, or moved away and back
 *   replace   another file takes the database's place
 *   chmod     the files become read-only for a while (root only)
 *   fairness  no neighbour: 8 processes that hold the lock for 1 ms each
 *
 * All that was pushed with OK must run in the end, and the log must show no
 * violation. A call that cannot keep its word says so: BUSY, or UNKNOWN, after
 * which its process begins anew.
 *
 *   hostile [SCENARIO ...] [--seconds N] */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/point.h"
#include "torture/check.h"
#include "torture/load.h"
#include "lib/support.h"

#define HOSTILE_CHILDREN 4
#define HOSTILE_BACKLOG 300
#define FAIR_PROCESSES 8
#define FAIR_LONG_S 10 /* from here on the ratio is judged */
#define FAIR_TURNS 20

static struct support_folder folder;
static struct log *events;
static pawl_options options = PAWL_OPTIONS_INIT;
static pid_t children[HOSTILE_CHILDREN];
static bool as_host; /* the children open and close the database file */

struct shared {
    _Atomic int stop, ready, go;
    _Atomic long restarts;
    _Atomic long done[FAIR_PROCESSES], busy, worst_us;
};
static struct shared *shared;

/* ----------------------------------------------------------------- children */

/* What any program may do to a file. */
static void
hostile_touch_file(void)
{
    char byte;
    int fd = open(folder.store, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        (void)!read(fd, &byte, 1);
        (void)close(fd);
    }
}

static void
hostile_produce(pawl_store *store, pawl_queue *queue)
{
    pawl_error err = {0};
    bool below;
    int rc = PAWL_OK;

    (void)store;
    while (!atomic_load(&shared->stop) && rc == PAWL_OK) {
        rc = load_is_below(queue, HOSTILE_BACKLOG, &below, &err);
        if (rc == PAWL_OK && below)
            rc = load_push(queue, &err);
        else
            (void)poll(NULL, 0, 1); /* a look each ms */
        if (as_host && load_random(20) == 0)
            hostile_touch_file();
        if (rc == PAWL_BUSY)
            rc = PAWL_OK;
    }
}

static void
hostile_work(pawl_store *store, pawl_queue *queue)
{
    pawl_error err = {0};
    int rc = pawl_listen(queue, "t", load_listener, NULL, &err);

    if (rc == PAWL_OK)
        rc = pawl_start(store, &err);
    while (rc == PAWL_OK && !atomic_load(&shared->stop)) {
        (void)poll(NULL, 0, 5); /* a look each 5 ms */
        if (as_host)
            hostile_touch_file();
        /* No such job: the answer tells whether the store still works. */
        if (pawl_cancel(store, 1LL << 60, &err) == PAWL_POISONED)
            break;
    }
    while (pawl_stop(store, SUPPORT_DEADLINE_MS, &err) == PAWL_BUSY)
        ;
}

static void
hostile_child(int place)
{
    pawl_store *store;
    pawl_queue *queue;
    pawl_error err;

    if (load_open(folder.store, &options, &store, &queue, &err) != PAWL_OK)
        support_exit(2); /* another will try */
    if (place < HOSTILE_CHILDREN / 2)
        hostile_produce(store, queue);
    else
        hostile_work(store, queue);
    log_dying(0); /* its claims, if any are left, are free from here on */
    pawl_close(store);
    support_exit(0);
}

/* Root may write anywhere: be somebody whom chmod() concerns. */
static void
hostile_be_user(void)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        support_exit(99);
}

static pid_t
hostile_fork(void (*fn)(int), int arg)
{
    unsigned theirs = load_random(1u << 30);
    pid_t pid = fork();

    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        load_seed(theirs);
        hostile_be_user();
        fn(arg);
        support_exit(0);
    }
    return pid;
}

static void
hostile_refill(void)
{
    pid_t *pids = children;
    int i, status;

    for (i = 0; i < HOSTILE_CHILDREN; i++) {
        if (pids[i] != 0 && waitpid(pids[i], &status, WNOHANG) == 0)
            continue;
        if (pids[i] != 0)
            atomic_fetch_add(&shared->restarts, 1);
        pids[i] = hostile_fork(hostile_child, i);
    }
}

static void
hostile_end(void)
{
    pid_t *pids = children;
    int i, status;

    atomic_store(&shared->stop, 1);
    for (i = 0; i < HOSTILE_CHILDREN; i++)
        if (pids[i] != 0)
            (void)waitpid(pids[i], &status, 0);
    memset(children, 0, sizeof children);
    atomic_store(&shared->stop, 0);
}

/* --------------------------------------------------------------- neighbours */

static void
neighbour_shell(const char *sql)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        hostile_be_user();
        (void)!freopen("/dev/null", "w", stdout);
        (void)!freopen("/dev/null", "w", stderr);
        (void)execlp("sqlite3", "sqlite3", folder.store, sql, (char *)NULL);
        support_exit(127);
    }
    (void)waitpid(pid, &status, 0);
}

static void
neighbour_holds_lock(int i)
{
    static const int ms[] = {100, 400, 1500, 8000};
    sqlite3 *db = NULL;

    (void)sqlite3_open(folder.store, &db);
    (void)sqlite3_busy_timeout(db, 60000);
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK)
        (void)poll(NULL, 0, ms[i % 4]); /* the hold under test */
    (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    (void)sqlite3_close(db);
}

static void
neighbour_lock(int i)
{
    pid_t pid = hostile_fork(neighbour_holds_lock, i);
    int status;

    (void)waitpid(pid, &status, 0);
    neighbour_shell("PRAGMA busy_timeout=2000; BEGIN IMMEDIATE; SELECT "
                    "count(*) FROM pawl_job; COMMIT");
}

static void
neighbour_shells(int i)
{
    neighbour_shell(i % 2 == 0 ? "SELECT count(*) FROM pawl_jobs"
                               : "SELECT * FROM pawl_queues");
}

static void
neighbour_trigger(int i)
{
    neighbour_shell(i % 2 == 0
                        ? "CREATE TRIGGER planted AFTER INSERT ON pawl_job "
                          "BEGIN DELETE FROM pawl_job WHERE id = NEW.id; END"
                        : "DROP TRIGGER planted");
    (void)poll(NULL, 0, 20); /* it lies there for a while */
}

static void
neighbour_path(char *path, const char *suffix)
{
    (void)snprintf(path, 400, "%s%s", folder.store, suffix);
}

static void
neighbour_removes(const char *suffix)
{
    char path[400];

    neighbour_path(path, suffix);
    (void)unlink(path);
}

/* ---------------------------------------------------------------- scenarios */

static void
hostile_begin(void)
{
    pawl_store *store;
    pawl_queue *queue;
    pid_t pid;
    int status;

    log_reset(events);
    support_folder_make(&folder);
    atomic_store(&shared->restarts, 0);
    if (geteuid() == 0)
        (void)!chown(folder.path, 65534, 65534);
    pid = fork();
    if (pid == 0) {
        hostile_be_user();
        if (load_open(folder.store, &options, &store, &queue, NULL) == PAWL_OK)
            pawl_close(store);
        support_exit(0);
    }
    (void)waitpid(pid, &status, 0);
}

static int
hostile_drain(void)
{
    pid_t pid = fork();
    pawl_error err;
    int status = -1;

    if (pid == 0) {
        if (load_drain(folder.store, &options, &err) == PAWL_OK)
            support_exit(0);
        fprintf(stderr, "hostile: drain: %s\n", err.message);
        support_exit(1);
    }
    (void)waitpid(pid, &status, 0);
    return status;
}

static int
hostile_verdict(const char *name, int rc)
{
    struct check v;

    if (check_log(events, &v, stderr) != 0 || !check_is_good(&v) ||
        v.pushed == 0)
        rc = 1;
    printf("hostile %s: %ld pushed, %ld refused, %ld unknown, %ld restarts, "
           "%ld runs, lost %ld: %s\n",
           name, v.pushed, v.refused, v.unknown, atomic_load(&shared->restarts),
           v.starts, v.lost, rc == 0 ? "good" : "BAD");
    if (rc != 0)
        check_print(&v, stdout);
    (void)fflush(stdout);
    support_folder_remove(&folder);
    return rc;
}

/* Let them work until so many more jobs were pushed. */
static void
hostile_some_work(int64_t more)
{
    int64_t wanted = atomic_load(&events->pushed) + more;
    int64_t until = support_now_ms() + SUPPORT_DEADLINE_MS;

    while (atomic_load(&events->pushed) < wanted && support_now_ms() < until) {
        hostile_refill();
        (void)poll(NULL, 0, 1);
    }
}

/* A neighbour that comes again and again. */
static int
hostile_repeat(const char *name, void (*neighbour)(int), int seconds)
{
    int64_t until;
    int i;

    hostile_begin();
    until = support_now_ms() + seconds * 1000LL;
    hostile_some_work(100);
    for (i = 0; support_now_ms() < until || i % 2 != 0; i++) {
        hostile_refill();
        neighbour(i);
    }
    hostile_end();
    return hostile_verdict(name, hostile_drain());
}

static void
neighbour_chmod(int i)
{
    static const char *const suffix[] = {"", "-wal", "-pawl"};
    char path[400];
    size_t k;

    for (k = 0; k < 3; k++) {
        neighbour_path(path, suffix[k]);
        (void)chmod(path, i % 2 == 0 ? 0400 : 0600);
    }
    if (i % 2 != 0) {
        hostile_some_work(100);
        return;
    }
    /* One must begin anew, which it cannot while it may not write. */
    k = load_random(HOSTILE_CHILDREN);
    log_dying(children[k]);
    (void)kill(children[k], SIGKILL);
    (void)poll(NULL, 0, 30); /* so it stays for a while */
}

/* A file goes; they notice, and end; then they begin anew. */
static int
hostile_remove(const char *name, const char *suffix, int seconds)
{
    int64_t until;

    hostile_begin();
    until = support_now_ms() + seconds * 1000LL;
    do {
        hostile_some_work(500);
        neighbour_removes(suffix);
        hostile_end();
    } while (support_now_ms() < until);
    return hostile_verdict(name, hostile_drain());
}

static int
hostile_move(const char *name, int seconds)
{
    char away[400];
    int64_t until;

    hostile_begin();
    neighbour_path(away, ".away");
    until = support_now_ms() + seconds * 1000LL;
    do {
        hostile_some_work(500);
        (void)rename(folder.store, away);
        hostile_end();
        (void)rename(away, folder.store);
    } while (support_now_ms() < until);
    return hostile_verdict(name, hostile_drain());
}

/* What was pushed until then went with the old file. From then on no call may
 * say OK. */
static int
hostile_replace(const char *name)
{
    char other[400], sql[500];
    int64_t replaced;
    size_t i, n;
    long late = 0;

    hostile_begin();
    hostile_some_work(500);
    neighbour_path(other, ".other");
    (void)snprintf(sql, sizeof sql, "VACUUM INTO '%s'", other);
    neighbour_shell(sql);
    (void)rename(other, folder.store);
    replaced = log_now_ns();
    (void)poll(NULL, 0, 200); /* they go on, if they do not notice */
    hostile_end();
    n = atomic_load(&events->n);
    for (i = 0; i < n; i++)
        late += atomic_load(&events->records[i].kind) == LOG_PUSH_OK &&
                events->records[i].began_ns > replaced;
    printf("hostile %s: %ld pushed, %ld of them after the replacement: %s\n",
           name, (long)atomic_load(&events->pushed), late,
           late == 0 ? "good" : "BAD");
    support_folder_remove(&folder);
    return late != 0;
}

/* ----------------------------------------------------------------- fairness */

static void
fair_hold(const char *point)
{
    int64_t until;

    if (strcmp(point, "commit: applied") != 0)
        return;
    until = log_now_ns() + 1000000; /* the lock is held for 1 ms */
    while (log_now_ns() < until)
        ;
}

static void
fair_loop(pawl_queue *queue, int i)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    pawl_error err;
    int64_t began;
    long us;
    int rc;

    while (!atomic_load(&shared->stop)) {
        began = log_now_ns();
        rc = pawl_push(queue, &job, NULL, &err);
        us = (long)((log_now_ns() - began) / 1000);
        if (us > atomic_load(&shared->worst_us))
            atomic_store(&shared->worst_us, us);
        if (rc == PAWL_OK)
            atomic_fetch_add(&shared->done[i], 1);
        else
            atomic_fetch_add(&shared->busy, 1);
    }
}

static void
fair_process(int i)
{
    pawl_store *store;
    pawl_queue *queue;
    pawl_error err;

    if (pawl_open(folder.store, &options, &store, &err) != PAWL_OK ||
        pawl_queue_open(store, "q", &queue, &err) != PAWL_OK)
        support_exit(1);
    pawl__point_hook(fair_hold);
    atomic_fetch_add(&shared->ready, 1);
    while (!atomic_load(&shared->go) && !atomic_load(&shared->stop))
        (void)poll(NULL, 0, 1); /* a look each ms: all begin together */
    fair_loop(queue, i);
    pawl_close(store);
}

static void
fair_count(long *least, long *most)
{
    long n;
    int i;

    for (i = 0; i < FAIR_PROCESSES; i++) {
        n = atomic_load(&shared->done[i]);
        *least = i == 0 || n < *least ? n : *least;
        *most = i == 0 || n > *most ? n : *most;
    }
}

/* A long run measures a ratio. A short one, perhaps on a machine that has no
 * core for all of them, waits until each had its turn a few times: that nobody
 * starves. */
static void
fair_wait(int seconds)
{
    int64_t until = support_now_ms() + SUPPORT_DEADLINE_MS;
    long least = 0, most = 0;

    while (atomic_load(&shared->ready) < FAIR_PROCESSES &&
           support_now_ms() < until)
        (void)poll(NULL, 0, 1); /* a look each ms */
    atomic_store(&shared->go, 1);
    if (seconds >= FAIR_LONG_S)
        (void)poll(NULL, 0, seconds * 1000); /* the time that they contend */
    while (least < FAIR_TURNS && support_now_ms() < until) {
        (void)poll(NULL, 0, 1); /* a look each ms */
        fair_count(&least, &most);
    }
}

static int
hostile_fairness(int seconds)
{
    pid_t pids[FAIR_PROCESSES];
    long least = 0, most = 0;
    double ratio;
    int i, status;

    hostile_begin();
    memset(shared, 0, sizeof *shared);
    for (i = 0; i < FAIR_PROCESSES; i++)
        pids[i] = hostile_fork(fair_process, i);
    fair_wait(seconds);
    fair_count(&least, &most);
    atomic_store(&shared->stop, 1);
    for (i = 0; i < FAIR_PROCESSES; i++)
        (void)waitpid(pids[i], &status, 0);
    ratio = most > 0 ? (double)least / (double)most : 0;
    status = atomic_load(&shared->busy) != 0 || least < FAIR_TURNS ||
             (seconds >= FAIR_LONG_S && ratio < 0.4);
    printf("hostile fairness: 8 processes, each %ld to %ld commits, ratio "
           "%.2f, BUSY %ld, worst wait %.0f ms: %s\n",
           least, most, ratio, atomic_load(&shared->busy),
           (double)atomic_load(&shared->worst_us) / 1000,
           status == 0 ? "good" : "BAD");
    memset(shared, 0, sizeof *shared);
    support_folder_remove(&folder);
    return status;
}

/* --------------------------------------------------------------------- main */

static int
hostile_run(const char *name, int seconds)
{
    if (strcmp(name, "lock") == 0)
        return hostile_repeat(name, neighbour_lock, seconds);
    if (strcmp(name, "shells") == 0)
        return hostile_repeat(name, neighbour_shells, seconds);
    if (strcmp(name, "trigger") == 0)
        return hostile_repeat(name, neighbour_trigger, seconds);
    if (strcmp(name, "chmod") == 0)
        return hostile_repeat(name, neighbour_chmod, seconds);
    if (strcmp(name, "rm-wal") == 0)
        return hostile_remove(name, "-wal", seconds);
    if (strcmp(name, "rm-shm") == 0)
        return hostile_remove(name, "-shm", seconds);
    if (strcmp(name, "mv") == 0)
        return hostile_move(name, seconds);
    if (strcmp(name, "replace") == 0)
        return hostile_replace(name);
    if (strcmp(name, "fairness") == 0)
        return hostile_fairness(seconds);
    if (strcmp(name, "host") == 0) {
        int rc;

        as_host = true;
        rc = hostile_repeat(name, neighbour_shells, seconds);
        as_host = false;
        return rc;
    }
    fprintf(stderr, "hostile: there is no scenario %s\n", name);
    return 2;
}

int
main(int argc, char **argv)
{
    static const char *const all[] = {"lock",   "shells",  "host", "trigger",
                                      "rm-wal", "rm-shm",  "mv",   "replace",
                                      "chmod",  "fairness"};
    static const struct option long_options[] = {
        {"seconds", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
    uint64_t seed = support_seed();
    int option, seconds = 1, rc = 0;
    size_t i;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option != 's')
            return 2;
        seconds = atoi(optarg);
    }
    printf("seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    load_seed(seed);
    options.durability = PAWL_PROCESS;
    events = log_make(16u << 20);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (events == NULL || shared == MAP_FAILED)
        return 99;
    log_use(events);
    if (optind < argc)
        for (; rc == 0 && optind < argc; optind++)
            rc = hostile_run(argv[optind], seconds);
    else
        for (i = 0; rc == 0 && i < sizeof all / sizeof all[0]; i++)
            rc = hostile_run(all[i], seconds);
    return rc;
}
