/* SPDX-License-Identifier: MIT */
/* test_time.c - a clock that may do anything.
 *
 * Between random calls the wall clock passes, stands still, jumps by years or
 * to the ends of int64_t, or goes on while the monotonic clock stands (the
 * machine slept). What must hold is written here job by job, without a model
 * of the store:
 *  - a job is handed out only after a claim or sweep saw its time come,
 *  - what is due is handed out to whoever asks for enough,
 *  - a worker that lives keeps its jobs, and their tokens stay current,
 *  - an attempt is late by the monotonic clock, never by the wall's,
 *  - a retry waits within floor and ceiling,
 *  - done jobs and unique keys are kept for their time, and not for longer.
 * A second part lets a started store run jobs while the clock jumps.
 *
 *   test_time [--steps N] [--seed S] */
#include <getopt.h>
#include <stdio.h>

#include "base/alloc.h"
#include "engine/attempt.h"
#include "engine/store.h"
#include "lib/support.h"

#define TIME_STEPS 20000
#define TIME_JOBS 200
#define TIME_WORKERS 3
#define TIME_WANT 64
#define TIME_KEYS 4
#define TIME_DAY 86400000LL
#define TIME_YEAR (365 * TIME_DAY)
#define TIME_KEEP_S 10

struct time_job {
    int64_t id, due;
    bool seen_due; /* a claim or sweep saw its time come, or it had none */
    bool ended, kept;
    int64_t finished; /* kept: since when */
    bool gone_due;    /* kept: a sweep saw that its time is over */
    int key;          /* -1: none */
    int64_t until;
    bool key_over; /* some call saw that the key's time is over */
    /* while it is claimed: */
    struct pawl__record *record;
    pawl_attempt attempt;
    int64_t deadline; /* monotonic */
    int worker;       /* -1: one that died */
};

static struct time_job *jobs[TIME_JOBS];
static int n_jobs;
static struct {
    pawl_store *store;
    pawl_queue *queue;
    int64_t id;
} workers[TIME_WORKERS];
static int n_workers;
static struct support_folder folder;
static struct support_clock fake;
static struct pawl__clock held_clock;
static struct pawl__rng rng;
static int64_t step_no;
static pawl_error err;
static long n_claims, n_rescued, n_late, n_jumps;

#define must(condition_)                                                   \
    do                                                                     \
        if (!(condition_)) {                                               \
            printf("step %lld, line %d: not so: %s\n", (long long)step_no, \
                   __LINE__, #condition_);                                 \
            exit(EXIT_FAILURE);                                            \
        }                                                                  \
    while (0)

static int64_t
draw(int64_t lo, int64_t hi)
{
    return pawl__rng_range(&rng, lo, hi);
}

static int64_t
now(void)
{
    return pawl__wall_ms(&held_clock);
}

static int64_t
mono(void)
{
    return atomic_load(&fake.monotonic);
}

/* -------------------------------------------------------------- the clock */

static void
time_jump(void)
{
    static const int64_t edges[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    int64_t wall = now();

    n_jumps++;
    switch (draw(0, 7)) {
    case 0:
        atomic_store(&fake.wall, edges[draw(0, 4)]);
        break;
    case 1: /* the machine slept */
        atomic_store(&fake.wall, wall + draw(0, 30 * TIME_DAY));
        break;
    case 2:
    case 3:
        atomic_store(&fake.wall, wall + draw(-10 * TIME_YEAR, 10 * TIME_YEAR));
        break;
    case 4:
        atomic_store(&fake.wall, wall + draw(-5000, 5000));
        break;
    default:
        atomic_store(&fake.wall, SUPPORT_EPOCH + draw(-20000, 20000));
        break;
    }
}

static void
time_pass(void)
{
    int64_t ms = draw(0, 9) == 0 ? draw(0, 2 * TIME_DAY) : draw(0, 1500);

    atomic_store(&fake.wall, now() + ms);
    (void)atomic_fetch_add(&fake.monotonic, ms);
}

/* ---------------------------------------------------------------- the jobs */

static struct time_job *
time_find(int64_t id)
{
    int i;

    for (i = 0; i < n_jobs; i++)
        if (jobs[i]->id == id)
            return jobs[i];
    return NULL;
}

static void
time_unhold(struct time_job *j)
{
    if (j->record == NULL)
        return;
    pawl__attempt_clear(&j->attempt);
    pawl__record_free(j->record);
    j->record = NULL;
}

/* Begin anew with those that are claimed, so that a look at all stays cheap.
 * A job that is gone already holds its key on. */
static void
time_make_room(void)
{
    int64_t n;
    int i, kept = 0;

    support_ok(pawl_flush(workers[0].store, NULL,
                          PAWL_ANY_STATE & ~(unsigned)PAWL_RESERVED, &n, &err),
               &err, "flush", __FILE__, __LINE__);
    for (i = 0; i < n_jobs; i++)
        if (jobs[i]->record != NULL || (jobs[i]->gone_due && jobs[i]->key >= 0))
            jobs[kept++] = jobs[i];
        else
            free(jobs[i]);
    n_jobs = kept;
}

/* Who has the key, of those that this test made. */
static struct time_job *
time_holder(int key)
{
    int i;

    for (i = n_jobs - 1; key >= 0 && i >= 0; i--)
        if (jobs[i]->key == key)
            return jobs[i];
    return NULL;
}

static void
time_check_push(const struct time_job *holder, int rc, int64_t id)
{
    if (holder == NULL) {
        must(rc == PAWL_OK);
    } else if (!holder->ended) {
        must(rc == PAWL_EXISTS && id == holder->id);
    } else if (now() >= holder->until) {
        must(rc == PAWL_OK);
    } else if (!holder->key_over) {
        must(rc == PAWL_EXISTS && id == holder->id);
    }
}

static void
time_push(void)
{
    static const int64_t delays[] = {0,        1,         1000,
                                     TIME_DAY, TIME_YEAR, PAWL__SPAN_MAX_MS};
    static const char *const keys[TIME_KEYS] = {"k0", "k1", "k2", "k3"};
    pawl_job job = PAWL_JOB("t", "p", 1);
    int worker = (int)draw(0, n_workers - 1);
    struct time_job *j, *holder;
    int64_t id = 0;
    int rc;

    if (n_jobs == TIME_JOBS)
        time_make_room();
    if (n_jobs == TIME_JOBS)
        return;
    j = calloc(1, sizeof *j);
    must(j != NULL);
    if (draw(0, 1) == 0)
        job.delay_ms = delays[draw(0, 5)];
    else
        job.ready_at_ms = SUPPORT_EPOCH + draw(-20000, 20000);
    job.max_attempts = 3;
    job.timeout_ms = draw(1, 4000);
    job.backoff_floor_ms = draw(1, 1000);
    job.backoff_ceiling_ms = job.backoff_floor_ms + draw(0, 3000);
    j->key = draw(0, 3) == 0 ? (int)draw(0, TIME_KEYS - 1) : -1;
    if (j->key >= 0) {
        job.unique_key = keys[j->key];
        job.unique_ms = draw(0, 1) ? draw(1, 20000) : 0;
        j->until = job.unique_ms != 0 ? now() + job.unique_ms : 0;
    }
    holder = time_holder(j->key);
    rc = pawl_push(workers[worker].queue, &job, &id, &err);
    time_check_push(holder, rc, id);
    if (rc != PAWL_OK) {
        free(j);
        return;
    }
    if (holder != NULL)
        holder->key = -1;
    j->id = id;
    j->due = job.ready_at_ms > now() ? job.ready_at_ms : now() + job.delay_ms;
    j->seen_due = j->due <= now();
    jobs[n_jobs++] = j;
}

/* ------------------------------------------------------------------- claim */

/* A claim or sweep at this moment: whose time has come? */
static void
time_look(void)
{
    int i;

    for (i = 0; i < n_jobs; i++)
        if (!jobs[i]->ended && jobs[i]->record == NULL && jobs[i]->due <= now())
            jobs[i]->seen_due = true;
}

static int64_t
time_next_due(void)
{
    int64_t at = PAWL__NEVER;
    int i;

    for (i = 0; i < n_jobs; i++)
        if (!jobs[i]->ended && !jobs[i]->seen_due && jobs[i]->due < at)
            at = jobs[i]->due;
    return at;
}

static void
time_take(struct pawl__record *record, int worker)
{
    struct time_job *j = time_find(record->info.id);

    n_claims++;
    must(j != NULL);
    must(!j->ended);
    must(j->record == NULL); /* nobody has it */
    must(j->seen_due);       /* never before its time */
    j->record = record;
    j->worker = worker;
    j->deadline = mono() + record->info.job.timeout_ms;
    pawl__attempt_init(&j->attempt, NULL, &held_clock, record,
                       record->info.job.timeout_ms);
}

static void
time_claim(void)
{
    int worker = (int)draw(0, n_workers - 1), i;
    const struct pawl__driver *driver = workers[worker].store->driver;
    struct pawl__record *records[TIME_WANT];
    struct pawl__exchange x;

    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.worker = workers[worker].id;
    x.want = (size_t)(draw(0, 3) == 0 ? TIME_WANT : draw(1, 4));
    x.claims = records;
    support_ok(driver->exchange(workers[worker].store->self, &x, &err), &err,
               "claim", __FILE__, __LINE__);
    time_look();
    for (i = 0; i < (int)x.n_claims; i++)
        time_take(records[i], worker);
    must(x.next_at_ms == time_next_due());
    for (i = 0; x.n_claims < x.want && i < n_jobs; i++)
        must(jobs[i]->ended || jobs[i]->record != NULL || !jobs[i]->seen_due);
}

/* -------------------------------------------------------------------- ends */

static void
time_end(void)
{
    struct time_job *j = n_jobs > 0 ? jobs[draw(0, n_jobs - 1)] : NULL;
    const struct pawl__driver *driver = workers[0].store->driver;
    struct pawl__settle settle;
    struct pawl__exchange x;
    bool late;
    int how = (int)draw(0, 3);
    int64_t wait, floor, ceiling;

    if (j == NULL || j->record == NULL)
        return;
    must(pawl_attempt_deadline_at_ms(&j->attempt) ==
         now() + j->deadline - mono());
    late = pawl__attempt_is_late(&j->attempt);
    must(late == (mono() >= j->deadline)); /* whatever the wall says */
    n_late += late;
    if (how == 0)
        (void)pawl_attempt_snooze(&j->attempt, draw(0, 5000), &err);
    if (late)
        pawl__attempt_settle_timeout(&j->attempt, &rng, &settle);
    else
        pawl__attempt_settle(&j->attempt, how == 1, &rng, &settle);
    if (settle.outcome == PAWL__RETRY) {
        wait = settle.ready_at_ms - now();
        floor = j->record->info.job.backoff_floor_ms;
        ceiling = j->record->info.job.backoff_ceiling_ms;
        must(wait >= floor && wait <= ceiling);
    }
    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.settles = &settle;
    x.n_settles = 1;
    support_ok(driver->exchange(workers[0].store->self, &x, &err), &err,
               "settle", __FILE__, __LINE__);
    pawl__free((void *)(uintptr_t)settle.text);
    must(settle.status == PAWL_OK); /* it was the holder all the time */
    time_unhold(j);
    j->ended = settle.outcome != PAWL__RETRY && settle.outcome != PAWL__SNOOZE;
    j->kept = settle.outcome == PAWL__ACK;
    j->finished = now();
    j->due = settle.ready_at_ms;
    j->seen_due = j->ended || j->due <= now();
    j->key_over = j->ended && j->until <= now();
}

/* ------------------------------------------------------------------- sweep */

static void
time_sweep(void)
{
    int worker = (int)draw(0, n_workers - 1), i, orphans = 0;
    const struct pawl__driver *driver = workers[worker].store->driver;
    struct pawl__sweep sweep;
    struct time_job *j;

    for (i = 0; i < n_jobs; i++) {
        j = jobs[i];
        if (j->record != NULL && j->worker < 0) {
            orphans++;
            time_unhold(j);
            j->seen_due = true;
        }
        if (j->ended && j->until <= now())
            j->key_over = true;
        if (j->kept && j->finished + TIME_KEEP_S * 1000 <= now())
            j->gone_due = true;
    }
    support_ok(driver->sweep(workers[worker].store->self, &sweep, &err), &err,
               "sweep", __FILE__, __LINE__);
    /* Of the dead all, of the living none. */
    must((int)sweep.n_rescued == orphans);
    n_rescued += orphans;
    pawl__free(sweep.rescued);
    time_look();
    must(sweep.next_at_ms == time_next_due());
}

/* All that live workers hold is theirs; what is kept is there. */
static void
time_check(void)
{
    int worker = (int)draw(0, n_workers - 1), i;
    const struct pawl__driver *driver = workers[worker].store->driver;
    struct pawl__settle pair;
    pawl_job_info *info;
    bool held;
    int rc;

    memset(&pair, 0, sizeof pair);
    for (i = 0; i < n_jobs; i++) {
        if (jobs[i]->record != NULL) {
            pair.job = jobs[i]->id;
            pair.token = jobs[i]->record->token;
            (void)driver->check(workers[worker].store->self, &pair, 1, &held,
                                &err);
            must(held);
        }
        if (!jobs[i]->kept)
            continue;
        rc = pawl_get(workers[worker].store, jobs[i]->id, &info, &err);
        must(rc == (jobs[i]->gone_due ? PAWL_NOT_FOUND : PAWL_OK));
        pawl_job_info_free(info);
    }
}

/* ------------------------------------------------------------ life, death */

static void
time_work(int worker)
{
    support_ok(workers[worker].store->driver->worker_start(
                   workers[worker].store->self, 1, &workers[worker].id, &err),
               &err, "worker_start", __FILE__, __LINE__);
}

static void
time_die(void)
{
    int worker = (int)draw(0, n_workers - 1), i;

    workers[worker].store->driver->worker_stop(workers[worker].store->self);
    for (i = 0; i < n_jobs; i++)
        if (jobs[i]->record != NULL && jobs[i]->worker == worker)
            jobs[i]->worker = -1;
    time_work(worker);
    time_sweep();
}

static void
time_open(int driver)
{
    pawl_options options = PAWL_OPTIONS_INIT;
    int i;

    support_folder_make(&folder);
    support_clock_init(&fake);
    pawl__clock_init(&held_clock, &fake.clock);
    options.durability = PAWL_PROCESS;
    options.clock = &fake.clock;
    n_workers = driver == 0 ? 1 : TIME_WORKERS;
    for (i = 0; i < n_workers; i++) {
        support_ok(pawl_open(driver == 0 ? "memory:" : folder.store, &options,
                             &workers[i].store, &err),
                   &err, "open", __FILE__, __LINE__);
        support_ok(
            pawl_queue_open(workers[i].store, "q", &workers[i].queue, &err),
            &err, "queue", __FILE__, __LINE__);
        time_work(i);
    }
    support_ok(pawl_queue_set(workers[0].queue, "retention_s", "10s", &err),
               &err, "set", __FILE__, __LINE__);
}

static void
time_close(void)
{
    int i;

    for (i = 0; i < n_jobs; i++) {
        time_unhold(jobs[i]);
        free(jobs[i]);
    }
    n_jobs = 0;
    for (i = 0; i < n_workers; i++)
        pawl_close(workers[i].store);
    support_folder_remove(&folder);
}

static void
time_step(void)
{
    int64_t what = draw(0, 99);

    if (what < 25)
        time_push();
    else if (what < 45)
        time_claim();
    else if (what < 65)
        time_end();
    else if (what < 72)
        time_sweep();
    else if (what < 73)
        time_die();
    else if (what < 76)
        time_check();
    else if (what < 88)
        time_jump();
    else
        time_pass();
}

/* --------------------------------------------------------- a started store */

static _Atomic long n_ran, n_early;

/* The payload says when the job is due. */
static int
time_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    int64_t due = 0;

    (void)attempt;
    (void)user;
    memcpy(&due, job->payload, sizeof due);
    if (due > now())
        atomic_fetch_add(&n_early, 1);
    atomic_fetch_add(&n_ran, 1);
    return 0;
}

/* A job for later; the clock jumps there in one go, after it has been
 * elsewhere, and the job runs, once. */
static void
time_run_one(long nth)
{
    pawl_job job = PAWL_JOB("later", NULL, 0);
    int64_t due = now() + draw(1, TIME_YEAR);

    job.payload = &due;
    job.payload_bytes = sizeof due;
    job.ready_at_ms = due;
    support_ok(pawl_push(workers[0].queue, &job, NULL, &err), &err, "push",
               __FILE__, __LINE__);
    atomic_store(&fake.wall, draw(0, due - 1));
    pawl_wake(workers[0].store);
    must(atomic_load(&n_ran) == nth - 1);
    atomic_store(&fake.wall, due + draw(0, 2000));
    pawl_wake(workers[0].store);
    support_wait(&n_ran, nth);
    must(atomic_load(&n_early) == 0);
    atomic_store(&fake.wall, SUPPORT_EPOCH + draw(-TIME_YEAR, TIME_YEAR));
}

static void
time_started(int driver, int64_t rounds)
{
    int64_t began = support_now_ms();
    long i;

    time_open(driver);
    workers[0].store->driver->worker_stop(workers[0].store->self);
    support_ok(
        pawl_listen(workers[0].queue, "later", time_listener, NULL, &err), &err,
        "listen", __FILE__, __LINE__);
    support_ok(pawl_start(workers[0].store, &err), &err, "start", __FILE__,
               __LINE__);
    atomic_store(&n_ran, 0);
    for (i = 1; i <= rounds; i++)
        time_run_one(i);
    time_close();
    must(atomic_load(&n_ran) == rounds);
    printf("%s, started: %lld jobs, %lld ms\n",
           driver == 0 ? "memory" : "sqlite", (long long)rounds,
           (long long)(support_now_ms() - began));
}

/* --------------------------------------------------------------------- main */

static void
time_run(int driver, int64_t steps)
{
    int64_t began = support_now_ms();

    n_claims = n_rescued = n_late = n_jumps = 0;
    time_open(driver);
    for (step_no = 1; step_no <= steps; step_no++)
        time_step();
    time_close();
    printf("%s: %lld steps: %ld jumps, %ld claims, %ld late, %ld rescued, "
           "%lld ms\n",
           driver == 0 ? "memory" : "sqlite", (long long)steps, n_jumps,
           n_claims, n_late, n_rescued, (long long)(support_now_ms() - began));
    fflush(stdout);
    must(steps < 10000 || (n_claims > steps / 50 && n_late > 0 &&
                           n_rescued > 0)); /* or it tests nothing */
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"steps", required_argument, NULL, 'n'},
        {"seed", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0}};
    uint64_t seed = support_seed();
    int64_t steps = support_rounds(TIME_STEPS);
    int driver, c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (c == 'n')
            steps = atoll(optarg);
        else if (c == 's')
            seed = strtoull(optarg, NULL, 10);
        else
            return 2;
    printf("PAWL_TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    for (driver = 0; driver < 2; driver++) {
        memset(&rng, 0, sizeof rng);
        rng.s[0] = seed;
        rng.s[1] = 1;
        time_run(driver, steps);
        time_started(driver, steps / 100);
    }
    return EXIT_SUCCESS;
}
