/* SPDX-License-Identifier: MIT */
/* poison.c - jobs that kill their worker, never return, or fork.
 *
 * Worker processes share one store, and a supervisor starts a new one for each
 * that dies, as an init system would. Among ordinary jobs lie poisonous ones:
 *
 *   killers        fault, abort(), exit(0), _exit(3), SIGKILL, and SIGKILL
 *                  after a fork() whose child lives on
 *   never return   one loops, one blocks; their time is up after some ms
 *   fork           the child lives on, and calls the library
 *
 * A killer must fail as abandoned after exactly its max_abandons, so that the
 * deaths are bounded; what never returns must end as timeout, hold up nobody,
 * and not come back when its process is killed in the end; ordinary jobs must
 * all be acked, whoever ran beside them. A child that lives on must not keep
 * its dead parent's jobs, and its calls give FORKED.
 *
 *   poison [--jobs N] [--each N] [--no-forks] [--seed N]
 *
 * --each: so many poisonous jobs of each kind; --no-forks: no kind that
 * forks. */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/support.h"
#include "torture/check.h"
#include "torture/load.h"

#define POISON_WORKERS 3
#define POISON_ABANDONS 3 /* the default of max_abandons */
#define POISON_RECORDS (1u << 19)
#define POISON_CHILDREN 256
#define POISON_STEP_MS 15000 /* something ends in that time, or never will */

struct shared {
    _Atomic int over;    /* workers: end */
    _Atomic int go_home; /* children that live on: end */
    _Atomic int n_children;
    _Atomic pid_t children[POISON_CHILDREN];
    _Atomic long forked, not_forked; /* answers that the children got */
    _Atomic long left_running;       /* workers whose stop said BUSY */
    _Atomic long failed;             /* workers that failed by themselves */
};

static struct shared *shared;
static struct log *events;
static struct support_folder folder;
static pawl_options options = PAWL_OPTIONS_INIT;
static pid_t supervisor;
static pid_t workers[POISON_WORKERS];
static long deaths;
static bool no_forks;
static _Atomic int stuck_here; /* listeners of this process that stay */

/* ------------------------------------------------------------------ poison */

static void poison_loop(void) __attribute__((noreturn));
static void poison_block(void) __attribute__((noreturn));

static void
poison_loop(void)
{
    volatile unsigned turns = 0;

    for (;;)
        turns++;
}

static void
poison_block(void)
{
    for (;;)
        (void)pause();
}

static void
poison_fault(void)
{
    volatile char *page =
        mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *page = 1; /* a real one: raise() would be blocked in this thread */
}

static void
poison_exit(void)
{
    exit(0);
}

static void
poison_exit_hard(void)
{
    _exit(3);
}

static void
poison_kill(void)
{
    (void)kill(getpid(), SIGKILL);
}

/* The child's life. It has all of the parent's descriptors. */
static void
poison_live_on(pawl_queue *queue)
{
    pawl_job job = PAWL_JOB("ordinary", "", 0);
    int64_t until = support_now_ms() + 4 * SUPPORT_DEADLINE_MS;
    pawl_error err;

    if (pawl_push(queue, &job, NULL, &err) == PAWL_FORKED)
        atomic_fetch_add(&shared->forked, 1);
    else
        atomic_fetch_add(&shared->not_forked, 1);
    pawl_close(pawl_queue_store(queue)); /* must do nothing */
    while (!atomic_load(&shared->go_home) && kill(supervisor, 0) == 0 &&
           support_now_ms() < until)
        (void)poll(NULL, 0, 1); /* a look each ms */
    _exit(0);
}

static int
poison_fork(pawl_attempt *attempt)
{
    pid_t pid = fork();
    int i;

    if (pid == 0)
        poison_live_on(pawl_attempt_queue(attempt));
    if (pid < 0)
        return pawl_attempt_fail(attempt, "fork");
    i = atomic_fetch_add(&shared->n_children, 1);
    if (i < POISON_CHILDREN)
        atomic_store(&shared->children[i], pid);
    return 0;
}

/* By job type; those that fork come last. */
static const struct killer {
    const char *type;
    void (*kill)(void);
    bool forks; /* before it dies */
} killers[] = {
    {"fault", poison_fault, false},  {"abort", abort, false},
    {"exit", poison_exit, false},    {"_exit", poison_exit_hard, false},
    {"SIGKILL", poison_kill, false}, {"fork, SIGKILL", poison_kill, true},
};
#define POISON_KILLERS ((long)(sizeof killers / sizeof killers[0]))

static long
poison_killers(void)
{
    return no_forks ? POISON_KILLERS - 1 : POISON_KILLERS;
}

/* --------------------------------------------------------------- listeners */

static int
listen_killer(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    const struct killer *killer = user;

    log_start(attempt, job);
    if (killer->forks)
        (void)poison_fork(attempt);
    log_dying(0);
    killer->kill();
    poison_block();
}

static int
listen_forking(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    int rc;

    (void)user;
    log_start(attempt, job);
    rc = poison_fork(attempt);
    log_end(attempt, job);
    return rc;
}

static int
listen_looping(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)user;
    log_start(attempt, job);
    atomic_fetch_add(&stuck_here, 1);
    poison_loop();
}

static int
listen_blocking(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)user;
    log_start(attempt, job);
    atomic_fetch_add(&stuck_here, 1);
    poison_block();
}

/* Works for up to 2 ms, so that some run beside each death. */
static int
listen_ordinary(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct log_payload p;
    int64_t until;

    (void)user;
    log_start(attempt, job);
    memcpy(&p, job->payload, sizeof p);
    until = log_now_ns() + p.number * 7919 % 2000000;
    while (log_now_ns() < until)
        ;
    log_end(attempt, job);
    return 0;
}

/* ----------------------------------------------------------------- workers */

static void
poison_die(const char *what, const pawl_error *err)
{
    fprintf(stderr, "poison: %s: %s\n", what, err->message);
    atomic_fetch_add(&shared->failed, 1);
    support_exit(1);
}

static pawl_queue *
poison_open(pawl_store **store)
{
    pawl_queue *queue;
    pawl_error err;

    if (pawl_open(folder.store, &options, store, &err) != PAWL_OK)
        poison_die("open", &err);
    log_watch(*store);
    if (pawl_queue_open(*store, "q", &queue, &err) != PAWL_OK)
        poison_die("queue", &err);
    return queue;
}

static void
worker_listen(pawl_queue *queue)
{
    pawl_error err;
    long i;
    int rc;

    rc = pawl_listen(queue, "ordinary", listen_ordinary, NULL, &err);
    if (rc == PAWL_OK)
        rc = pawl_listen(queue, "forks", listen_forking, NULL, &err);
    if (rc == PAWL_OK)
        rc = pawl_listen(queue, "loops", listen_looping, NULL, &err);
    if (rc == PAWL_OK)
        rc = pawl_listen(queue, "blocks", listen_blocking, NULL, &err);
    for (i = 0; rc == PAWL_OK && i < POISON_KILLERS; i++)
        rc = pawl_listen(queue, killers[i].type, listen_killer,
                         (void *)(uintptr_t)&killers[i], &err);
    if (rc != PAWL_OK)
        poison_die("listen", &err);
}

/* Where listeners stay, a stop says BUSY, and the process is there to be
 * killed, as pawl_stop() has it. */
static void
worker_stop(pawl_store *store)
{
    bool stuck = atomic_load(&stuck_here) > 0;
    pawl_error err;
    int rc = pawl_stop(store, stuck ? 50 : SUPPORT_DEADLINE_MS, &err);

    if (rc == PAWL_OK && !stuck) {
        pawl_close(store);
        return;
    }
    if (rc != PAWL_BUSY || !stuck)
        poison_die("stop", &err);
    atomic_fetch_add(&shared->left_running, 1);
    poison_block();
}

static void
worker_main(void)
{
    const struct rlimit no_core = {0, 0};
    pawl_store *store;
    pawl_queue *queue;
    pawl_error err;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_DUMPABLE, 0L);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(SIGSEGV, SIG_DFL); /* sanitizers have their own */
    (void)signal(SIGABRT, SIG_DFL);
    queue = poison_open(&store);
    worker_listen(queue);
    if (pawl_start(store, &err) != PAWL_OK)
        poison_die("start", &err);
    while (!atomic_load(&shared->over))
        (void)poll(NULL, 0, 1); /* a look each ms */
    worker_stop(store);
    support_exit(0);
}

static pid_t
worker_fork(void (*fn)(void))
{
    pid_t pid = fork();

    if (pid == 0) {
        fn();
        support_exit(0);
    }
    if (pid < 0) {
        perror("poison: fork");
        exit(99);
    }
    return pid;
}

/* -------------------------------------------------------------- the queue */

static void
push_one(pawl_queue *queue, const char *type, bool stays)
{
    struct log_payload p;
    pawl_job job = log_job(&p, type);
    pawl_error err;

    job.timeout_ms = stays ? 50 : 0;
    job.max_attempts = stays ? 1 : 3;
    if (pawl_push(queue, &job, NULL, &err) != PAWL_OK)
        poison_die("push", &err);
}

static void
push_poison(pawl_queue *queue, long kind)
{
    if (kind < poison_killers())
        push_one(queue, killers[kind].type, false);
    else if (kind == poison_killers())
        push_one(queue, "loops", true);
    else if (kind == poison_killers() + 1)
        push_one(queue, "blocks", true);
    else
        push_one(queue, "forks", false);
}

/* n ordinary jobs, and the poison among them at random places. */
static void
push_all(long n, long each)
{
    long kinds = poison_killers() + (no_forks ? 2 : 3), poison = kinds * each;
    pawl_store *store;
    pawl_queue *queue = poison_open(&store);
    pawl_error err;

    if (pawl_queue_set(queue, "retention_s", "-1", &err) != PAWL_OK ||
        pawl_queue_set(queue, "parallelism", "4", &err) != PAWL_OK)
        poison_die("set", &err);
    while (n + poison > 0) {
        if (load_random((unsigned)(n + poison)) < (unsigned)n) {
            push_one(queue, "ordinary", false);
            n--;
        } else {
            poison--;
            push_poison(queue, poison % kinds);
        }
    }
    pawl_close(store);
}

/* When the killers are gone: listeners that stay until the end, and jobs that
 * must get past them. */
static void
push_last(long each)
{
    pawl_store *store;
    pawl_queue *queue = poison_open(&store);
    long i;

    for (i = 0; i < each; i++) {
        push_one(queue, "loops", true);
        push_one(queue, "blocks", true);
    }
    for (i = 0; i < 20; i++)
        push_one(queue, "ordinary", false);
    pawl_close(store);
}

/* -------------------------------------------------------------- supervisor */

static void
supervise(void)
{
    int i, status;

    for (i = 0; i < POISON_WORKERS; i++) {
        if (workers[i] != 0 && waitpid(workers[i], &status, WNOHANG) == 0)
            continue;
        deaths += workers[i] != 0;
        workers[i] = worker_fork(worker_main);
    }
}

static int64_t
poison_left(void)
{
    return support_sql_int(folder.store,
                           "SELECT count(*) FROM pawl_job WHERE state IN "
                           "('waiting', 'delayed')");
}

/* Who holds what is left, and does he live? */
static void
poison_explain(void)
{
    int64_t pid =
        support_sql_int(folder.store, "SELECT w.pid FROM pawl_claim c JOIN "
                                      "pawl_worker w ON w.id = c.worker");

    fprintf(stderr,
            "poison: nothing moves: %lld jobs left, %lld of them reserved; a "
            "holder, process %lld, is %s; %d children live on\n",
            (long long)poison_left(),
            (long long)support_sql_int(folder.store,
                                       "SELECT count(*) FROM pawl_claim"),
            (long long)pid,
            pid > 0 && kill((pid_t)pid, 0) == 0 ? "alive" : "dead",
            atomic_load(&shared->n_children));
}

/* Until every job has ended. */
static int
supervise_all(void)
{
    int64_t left, before = -1, until = 0;

    for (;;) {
        supervise();
        left = poison_left();
        if (left == 0)
            return 0;
        if (left != before)
            until = support_now_ms() + POISON_STEP_MS;
        else if (support_now_ms() > until)
            break;
        before = left;
        (void)poll(NULL, 0, 1); /* a look each ms */
    }
    poison_explain();
    return 1;
}

/* Workers end, or say that listeners stay; those are killed. */
static void
supervise_end(bool good)
{
    int64_t until = support_now_ms() + SUPPORT_DEADLINE_MS;
    long ended = 0;
    int i, status;

    atomic_store(&shared->over, 1);
    while (good && support_now_ms() < until &&
           ended + atomic_load(&shared->left_running) < POISON_WORKERS) {
        for (i = 0; i < POISON_WORKERS; i++)
            if (workers[i] != 0 &&
                waitpid(workers[i], &status, WNOHANG) == workers[i]) {
                workers[i] = 0;
                ended++;
            }
        (void)poll(NULL, 0, 1);
    }
    for (i = 0; i < POISON_WORKERS; i++) {
        if (workers[i] == 0)
            continue;
        log_dying(workers[i]);
        (void)kill(workers[i], SIGKILL);
        (void)waitpid(workers[i], &status, 0);
    }
    atomic_store(&shared->over, 0);
}

/* They were left to us when their parents died. */
static void
supervise_children(void)
{
    int status;

    atomic_store(&shared->go_home, 1);
    while (waitpid(-1, &status, 0) > 0)
        ;
}

/* Until all workers but this one are forgotten: its first sweep is done. */
static void
worker_is_alone(pawl_queue *queue)
{
    int64_t until = support_now_ms() + SUPPORT_DEADLINE_MS;
    pawl_info info = {.struct_size = sizeof info};
    pawl_error err;

    do {
        if (pawl_queue_info(queue, &info, &err) != PAWL_OK)
            poison_die("info", &err);
        if (info.workers == 1)
            return;
        (void)poll(NULL, 0, 1); /* a look each ms */
    } while (support_now_ms() < until);
    fprintf(stderr, "poison: dead workers stay registered\n");
    support_exit(1);
}

/* After all, one more worker: it must find nothing to do. */
static void
worker_last(void)
{
    pawl_store *store;
    pawl_queue *queue = poison_open(&store);
    pawl_error err;

    worker_listen(queue);
    if (pawl_start(store, &err) != PAWL_OK)
        poison_die("the last worker's start", &err);
    worker_is_alone(queue);
    if (pawl_drain(store, SUPPORT_DEADLINE_MS, &err) != PAWL_OK ||
        pawl_stop(store, SUPPORT_DEADLINE_MS, &err) != PAWL_OK)
        poison_die("the last worker", &err);
    pawl_close(store);
}

static int
supervise_last(void)
{
    pid_t pid = worker_fork(worker_last);
    int status = -1;

    (void)waitpid(pid, &status, 0);
    if (status != 0)
        fprintf(stderr, "poison: the last worker ended with status %x\n",
                (unsigned)status);
    return status != 0;
}

/* ------------------------------------------------------------------- judge */

/* Jobs of a type, or like a pattern, that are not as they should be. */
static int
judge_sql(const char *what, const char *where)
{
    char sql[500];
    int64_t n;

    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM pawl_job WHERE %s",
                   where);
    n = support_sql_int(folder.store, sql);
    if (n != 0)
        fprintf(stderr, "poison: %lld %s\n", (long long)n, what);
    return n != 0;
}

static int
judge_store(void)
{
    int bad = 0;

    bad |= judge_sql("ordinary jobs are not done",
                     "type IN ('ordinary', 'forks') AND state <> 'done'");
    bad |= judge_sql("ordinary jobs count attempts",
                     "type IN ('ordinary', 'forks') AND attempts <> 0");
    /* Beside a first death; from then on a job runs alone. */
    bad |= judge_sql("ordinary jobs count more than one abandon",
                     "type IN ('ordinary', 'forks') AND abandons > 1");
    bad |= judge_sql("jobs that never return are not as they should be",
                     "type IN ('loops', 'blocks') AND NOT (state = 'timeout' "
                     "AND attempts = 1 AND error LIKE 'timed out%')");
    bad |= judge_sql("killers are not as they should be",
                     "type NOT IN ('ordinary', 'forks', 'loops', 'blocks') AND "
                     "NOT (state = 'failed' AND abandons = 3 AND attempts = 0 "
                     "AND error LIKE '%abandoned%')");
    bad |= judge_sql("claims are left", "id IN (SELECT job FROM pawl_claim)");
    if (support_sql_int(folder.store, "SELECT count(*) FROM pawl_worker") != 0)
        bad |= fprintf(stderr, "poison: workers are left\n") > 0;
    return bad;
}

static int
judge_counts(long each, long forks)
{
    long most = poison_killers() * each * POISON_ABANDONS;
    /* Only its first death may a killer share with others. */
    long least = poison_killers() * each * (POISON_ABANDONS - 1);
    int bad = 0;

    if (deaths > most || deaths < least)
        bad |= fprintf(stderr, "poison: %ld deaths, not %ld to %ld\n", deaths,
                       least, most) > 0;
    if (atomic_load(&shared->left_running) == 0)
        bad |= fprintf(stderr, "poison: no stop said BUSY\n") > 0;
    if (atomic_load(&shared->failed) != 0)
        bad |= fprintf(stderr, "poison: workers failed\n") > 0;
    if (atomic_load(&shared->not_forked) != 0 ||
        atomic_load(&shared->forked) < forks)
        bad |= fprintf(stderr,
                       "poison: in children %ld calls gave FORKED, %ld did "
                       "not\n",
                       atomic_load(&shared->forked),
                       atomic_load(&shared->not_forked)) > 0;
    return bad;
}

static size_t
judge_starts(void)
{
    size_t i, n = atomic_load(&events->n), starts = 0;

    for (i = 0; i < n; i++)
        starts += atomic_load(&events->records[i].kind) == LOG_START;
    return starts;
}

static int
judge_log(bool detailed)
{
    struct check v;
    int bad = check_log(events, &v, detailed ? stderr : NULL) != 0 ||
              !check_is_good(&v);

    check_print(&v, stdout);
    return bad;
}

static int
judge(long each, int rc)
{
    size_t starts = judge_starts();

    if (rc == 0)
        rc = supervise_last();
    if (judge_starts() != starts)
        rc |= fprintf(stderr, "poison: settled jobs ran again\n") > 0;
    rc |= judge_store();
    rc |= judge_counts(each, no_forks ? 0 : each);
    rc |= judge_log(rc == 0); /* else it is clear that jobs never ran */
    return rc;
}

/* -------------------------------------------------------------------- main */

static int
poison_all(long jobs, long each)
{
    int64_t began = support_now_ms();
    int rc;

    support_folder_make(&folder);
    push_all(jobs, each);
    rc = supervise_all();
    if (rc == 0) {
        push_last(each);
        rc = supervise_all();
    }
    supervise_end(rc == 0);
    rc = judge(each, rc); /* while the children still live */
    supervise_children();
    printf("poison: %ld ordinary jobs, %ld killers, %ld deaths, %ld workers "
           "that were left running, %d children that live on, %lld ms: %s\n",
           jobs, poison_killers() * each, deaths,
           atomic_load(&shared->left_running), atomic_load(&shared->n_children),
           (long long)(support_now_ms() - began), rc == 0 ? "good" : "BAD");
    if (rc == 0)
        support_folder_remove(&folder);
    else
        fprintf(stderr, "poison: the store is kept in %s\n", folder.path);
    return rc != 0;
}

int
main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"jobs", required_argument, NULL, 'j'},
        {"each", required_argument, NULL, 'e'},
        {"no-forks", no_argument, NULL, 'n'},
        {"seed", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0}};
    uint64_t seed = support_seed();
    long jobs = 300, each = support_rounds(2) > 1 ? 2 : 1;
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'j')
            jobs = atol(optarg);
        else if (option == 'e')
            each = atol(optarg);
        else if (option == 'n')
            no_forks = true;
        else if (option == 's')
            seed = strtoull(optarg, NULL, 10);
        else
            return 2;
    }
    printf("seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    load_seed(seed);
    supervisor = getpid();
    /* Children whose parents die become ours, so that we can end them. */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1L);
    options.durability = PAWL_PROCESS;
    events = log_make(POISON_RECORDS);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (events == NULL || shared == MAP_FAILED) {
        perror("poison: shared memory");
        return 99;
    }
    log_use(events);
    return poison_all(jobs, each);
}
