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
#include "sqlite/shrink.h"
#include "torture/check.h"
#include "torture/fuse.h"
#include "torture/load.h"

#define KILL_CHILDREN 6
#define KILL_BACKLOG 300
#define KILL_RECORDS (6u << 20)

enum role { PRODUCER, WORKER, ZOMBIE };

static struct log *events;
static struct support_folder folder;
static pawl_options options = PAWL_OPTIONS_INIT;
static struct {
    long at_random, by_fuse, stops, clean, failed;
} counts;

static void
kill_die(const char *what, const pawl_error *err)
{
    fprintf(stderr, "kill: %s: %s\n", what, err->message);
    support_exit(1);
}

/* ---------------------------------------------------------------- children */

static pawl_queue *
kill_open(pawl_store **store)
{
    pawl_queue *queue;
    pawl_error err;

    if (load_open(folder.store, &options, store, &queue, &err) != PAWL_OK)
        kill_die("open", &err);
    return queue;
}

static void
kill_produce(pawl_queue *queue, unsigned life)
{
    pawl_error err;
    bool below;

    while (life-- > 0) {
        if (load_is_below(queue, KILL_BACKLOG, &below, &err) != PAWL_OK)
            kill_die("info", &err);
        if (!below)
            (void)poll(NULL, 0, 1); /* a look each ms */
        else if (load_push(queue, &err) != PAWL_OK)
            kill_die("push", &err);
    }
}

static void
kill_work(pawl_store *store, pawl_queue *queue, unsigned life)
{
    pawl_error err;

    if (pawl_listen(queue, "t", load_listener, NULL, &err) != PAWL_OK)
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
    (void)poll(NULL, 0, (int)load_random(4)); /* rescued or not: either way */
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
    unsigned life = load_random(6) == 0 ? load_random(40) : 1u << 30;
    pawl_store *store, *other;
    pawl_queue *queue;
    size_t point;

    if (creating || load_random(4) != 0) {
        point =
            creating ? load_random(5) : load_random((unsigned)fuse_n_points);
        if (creating && load_random(2) == 0)
            point = fuse_n_points - 1 - load_random(9);
        fuse_set(fuse_points[point],
                 1 + (long)load_random(2u << load_random(6)));
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
    support_exit(0);
}

static pid_t
kill_start(int place, bool creating)
{
    enum role role = place < 2 ? PRODUCER : place < 5 ? WORKER : ZOMBIE;
    unsigned theirs = load_random(1u << 30);
    pid_t pid = fork();

    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        load_seed(theirs);
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
    (void)poll(NULL, 0, (int)load_random(8)); /* the pause under test */
    (void)kill(pid, SIGCONT);
    counts.stops++;
}

static int
kill_drain(void)
{
    pid_t pid = fork();
    pawl_error err;
    int status = -1;

    if (pid == 0) {
        if (load_drain(folder.store, &options, &err) != PAWL_OK)
            kill_die("drain", &err);
        support_exit(0);
    }
    (void)waitpid(pid, &status, 0);
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
        (void)poll(NULL, 0, (int)load_random(6)); /* the random moment */
        i = (int)load_random(KILL_CHILDREN);
        if (load_random(8) == 0)
            kill_stop_awhile(pids[i]);
        else if (load_random(2) == 0)
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
    uint64_t seed = support_seed();
    int option;

    pawl__shrink_from = 1;
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
    load_seed(seed);
    events = log_make(KILL_RECORDS);
    if (events == NULL) {
        perror("kill: the log");
        return 99;
    }
    log_use(events);
    fuse_vfs_register();
    return kill_all(kills, round);
}
