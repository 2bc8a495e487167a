/* SPDX-License-Identifier: MIT */
/* kill_rounds.c - kill -9, again and again, and count every job.
 *
 * Two producers and two workers share one file. Each round kills one of them
 * at a random moment with SIGKILL and starts another in its place. All they do
 * is written down in memory that outlives them (the ledger); a job's payload
 * is its number there. In the end a worker drains what is left, and:
 *
 *   lost          pushes that returned OK and never ran          must be 0
 *   unexpected    runs of numbers that nobody tried to push      must be 0
 *   run after ack runs that began after the job was seen gone    must be 0
 *   left          jobs still in the store                        must be 0
 *
 * A job may run twice (its worker was killed before its end was settled), and
 * a push whose producer was killed before it had the answer may be there or
 * not ("unknown").
 *
 * kill_rounds [--rounds N] [--folder F] */
#include "lib/support.h"

#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_JOBS 2000000
#define KILL_PRODUCERS 2
#define KILL_WORKERS 2
#define KILL_CHILDREN (KILL_PRODUCERS + KILL_WORKERS)

struct entry {
    _Atomic char tried, pushed, gone;
    _Atomic unsigned char runs;
    _Atomic int64_t id;
};

struct ledger {
    _Atomic long next; /* number of the next push */
    _Atomic long runs, after_ack, unexpected, errors;
    struct entry entries[KILL_JOBS];
};

static struct ledger *ledger;
static struct support_folder folder;
static unsigned seed;

static unsigned
kill_random(unsigned below)
{
    seed = seed * 1103515245U + 12345U;
    return (seed >> 8) % below;
}

static void
kill_die(const char *what, const pawl_error *err)
{
    fprintf(stderr, "kill_rounds: %s: %s\n", what, err->message);
    atomic_fetch_add(&ledger->errors, 1);
    _exit(1);
}

/* ----------------------------------------------------------------- children */

static void
kill_produce(pawl_queue *queue)
{
    pawl_error err;
    long number;
    int64_t id;

    for (;;) {
        pawl_job job = PAWL_JOB("t", &number, sizeof number);

        number = atomic_fetch_add(&ledger->next, 1);
        if (number >= KILL_JOBS)
            _exit(0);
        atomic_store(&ledger->entries[number].tried, 1);
        if (pawl_push(queue, &job, &id, &err) != PAWL_OK)
            kill_die("push", &err);
        atomic_store(&ledger->entries[number].id, id);
        atomic_store(&ledger->entries[number].pushed, 1);
    }
}

static int
kill_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct entry *e;
    long number;

    (void)attempt;
    (void)user;
    memcpy(&number, job->payload, sizeof number);
    if (number < 0 || number >= KILL_JOBS ||
        !atomic_load(&ledger->entries[number].tried)) {
        atomic_fetch_add(&ledger->unexpected, 1);
        return 0;
    }
    e = &ledger->entries[number];
    if (atomic_load(&e->gone))
        atomic_fetch_add(&ledger->after_ack, 1);
    atomic_fetch_add(&ledger->runs, 1);
    if (atomic_fetch_add(&e->runs, 1) == 254) /* it counts no further */
        atomic_store(&e->runs, 254);
    return 0;
}

/* Note jobs that have run and are gone: from then on they must not run. */
static void
kill_look(pawl_store *store)
{
    pawl_job_info *info;
    pawl_error err;
    struct entry *e;
    long n = atomic_load(&ledger->next), i;

    if (n > KILL_JOBS)
        n = KILL_JOBS;
    for (i = n > 300 ? n - 300 : 0; i < n; i++) {
        e = &ledger->entries[i];
        if (!atomic_load(&e->pushed) || atomic_load(&e->runs) == 0 ||
            atomic_load(&e->gone))
            continue;
        if (pawl_get(store, atomic_load(&e->id), &info, &err) == PAWL_NOT_FOUND)
            atomic_store(&e->gone, 1);
        else
            pawl_job_info_free(info);
    }
}

static void
kill_child(bool works)
{
    pawl_store *store;
    pawl_queue *queue;
    pawl_error err;

    if (pawl_open(folder.store, NULL, &store, &err) != PAWL_OK)
        kill_die("open", &err);
    if (pawl_queue_open(store, "q", &queue, &err) != PAWL_OK)
        kill_die("queue", &err);
    if (!works)
        kill_produce(queue);
    if (pawl_listen(queue, "t", kill_listener, NULL, &err) != PAWL_OK)
        kill_die("listen", &err);
    if (pawl_start(store, &err) != PAWL_OK)
        kill_die("start", &err);
    for (;;)
        kill_look(store);
}

static pid_t
kill_start(bool works)
{
    pid_t pid = fork();

    if (pid == 0)
        kill_child(works);
    if (pid < 0) {
        perror("kill_rounds: fork");
        exit(99);
    }
    return pid;
}

/* ---------------------------------------------------------------- the rounds
 */

static void
kill_all_rounds(int rounds)
{
    pid_t pids[KILL_CHILDREN];
    int i, which, status;

    for (i = 0; i < KILL_CHILDREN; i++)
        pids[i] = kill_start(i >= KILL_PRODUCERS);
    for (i = 0; i < rounds; i++) {
        (void)poll(NULL, 0, (int)kill_random(31)); /* the random moment */
        which = (int)kill_random(KILL_CHILDREN);
        (void)kill(pids[which], SIGKILL);
        (void)waitpid(pids[which], &status, 0);
        pids[which] = kill_start(which >= KILL_PRODUCERS);
    }
    for (i = 0; i < KILL_CHILDREN; i++) {
        (void)kill(pids[i], SIGKILL);
        (void)waitpid(pids[i], &status, 0);
    }
}

/* Drain in this process; how many jobs are left. */
static long
kill_drain(void)
{
    pawl_info info;
    pawl_store *store;
    pawl_queue *queue;
    pawl_error err;

    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    if (pawl_open(folder.store, NULL, &store, &err) != PAWL_OK ||
        pawl_queue_open(store, "q", &queue, &err) != PAWL_OK ||
        pawl_listen(queue, "t", kill_listener, NULL, &err) != PAWL_OK ||
        pawl_start(store, &err) != PAWL_OK ||
        pawl_drain(store, 120000, &err) != PAWL_OK ||
        pawl_stop(store, 30000, &err) != PAWL_OK ||
        pawl_queue_info(queue, &info, &err) != PAWL_OK) {
        fprintf(stderr, "kill_rounds: drain: %s\n", err.message);
        return -1;
    }
    pawl_close(store);
    return (long)(info.waiting + info.delayed + info.reserved + info.failed +
                  info.timeout);
}

struct verdict {
    long tried, pushed, unknown, recovered, lost, duplicates;
};

static struct verdict
kill_check(void)
{
    struct verdict v;
    struct entry *e;
    long i, n = atomic_load(&ledger->next);

    memset(&v, 0, sizeof v);
    for (i = 0; i < n && i < KILL_JOBS; i++) {
        e = &ledger->entries[i];
        v.tried += atomic_load(&e->tried);
        v.pushed += atomic_load(&e->pushed);
        if (atomic_load(&e->tried) && !atomic_load(&e->pushed)) {
            v.unknown++;
            v.recovered += atomic_load(&e->runs) > 0;
        }
        if (atomic_load(&e->pushed) && atomic_load(&e->runs) == 0)
            v.lost++;
        if (atomic_load(&e->runs) > 1)
            v.duplicates += atomic_load(&e->runs) - 1;
    }
    return v;
}

static int
kill_report(int rounds, long left)
{
    struct verdict v = kill_check();
    int64_t bad_pages =
        support_sql_int(folder.store, "SELECT count(*) FROM "
                                      "pragma_integrity_check() "
                                      "WHERE integrity_check <> 'ok'");
    bool good = v.lost == 0 && left == 0 && bad_pages == 0 &&
                atomic_load(&ledger->unexpected) == 0 &&
                atomic_load(&ledger->after_ack) == 0 &&
                atomic_load(&ledger->errors) == 0;

    printf("%d rounds of kill -9: %ld pushed, %ld unknown (%ld of them "
           "stored), %ld runs, %ld duplicates, %ld lost, %ld unexpected, "
           "%ld run after ack, %ld left, %ld errors, integrity %s: %s\n",
           rounds, v.pushed, v.unknown, v.recovered, atomic_load(&ledger->runs),
           v.duplicates, v.lost, atomic_load(&ledger->unexpected),
           atomic_load(&ledger->after_ack), left, atomic_load(&ledger->errors),
           bad_pages == 0 ? "ok" : "BROKEN", good ? "good" : "BAD");
    return good ? 0 : 1;
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"rounds", required_argument, NULL, 'r'},
        {"folder", required_argument, NULL, 'f'},
        {NULL, 0, NULL, 0}};
    int rounds = support_rounds(200), option, rc;
    long left;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'r')
            rounds = atoi(optarg);
        else if (option == 'f')
            (void)setenv("TMPDIR", optarg, 1);
        else
            return 2;
    }
    seed = (unsigned)time(NULL) ^ (unsigned)getpid();
    ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ledger == MAP_FAILED) {
        perror("kill_rounds: mmap");
        return 99;
    }
    support_folder_make(&folder);
    kill_all_rounds(rounds);
    left = kill_drain();
    rc = kill_report(rounds, left);
    support_folder_remove(&folder);
    return rc;
}
