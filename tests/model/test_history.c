/* SPDX-License-Identifier: MIT */
/* test_history.c - what eight threads of two processes were told, judged
 * afterwards.
 *
 * Each call is logged with the times of its begin and end, outside of the
 * store. Then for each job an order of its calls is searched that agrees with
 * real time (a call takes effect between its begin and end) and that the job's
 * automaton accepts:
 *
 *   push -> (claim -> (ack | fail | retry | release | rescue | cancel))*
 *
 * with retries by hand in between, stale settles wherever the token is not
 * current, rescues only from workers that died, and looks that see the state
 * of that moment. One process is killed on the way; calls that it had begun
 * may have taken effect or not.
 *
 *   test_history [--histories N] [--ops N] [--seed S] [--plant]
 *
 * --plant: only prove that a log with one wrong result is refused; the
 * ordinary run does that, too. */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/store.h"
#include "lib/support.h"

#define HISTORY_PROCESSES 2
#define HISTORY_THREADS 4 /* in each */
#define HISTORY_OPS 5000
#define HISTORY_WORKERS 4096
#define HISTORY_HELD 8
#define HISTORY_CALLS 60 /* of one job; its bits are one word */
#define HISTORY_SEEN 65536

enum kind { PUSH, CLAIM, SETTLE, RESCUE, CANCEL, RETRY, LOOK, SWEEP };

struct call {
    int64_t began, ended; /* ns; ended: INT64_MAX while it is under way */
    _Atomic int logged;   /* 1: begun, 2: ended, 3: it did nothing */
    enum kind kind;
    int process;
    int64_t job;    /* 0: not known */
    int64_t token;  /* CLAIM, SETTLE */
    int64_t worker; /* CLAIM */
    int outcome;    /* SETTLE: enum pawl__outcome */
    int result;     /* a status; LOOK: a state, 0: there is no job */
    int64_t push;   /* CLAIM: which call pushed the job */
};

struct death {
    int64_t worker, at;
};

/* Shared by all processes. */
struct history {
    _Atomic int64_t n_calls, n_done, newest;
    _Atomic int n_workers;
    int64_t room;
    struct death death[HISTORY_WORKERS]; /* at: INT64_MAX while it lives */
    struct call call[];
};

struct process {
    pawl_store *store;
    pawl_queue *queue;
    pthread_rwlock_t life; /* written by who changes the worker */
    int64_t worker;
    struct death *death;
    int number;
    int64_t dies_at; /* after so many calls of all; 0: not */
    int64_t until;
    uint64_t seed;
};

struct held {
    int64_t job, token;
};

struct thread {
    struct process *process;
    struct pawl__rng rng;
    struct held held[HISTORY_HELD];
    int n_held;
    pthread_t id;
};

static struct history *history;
static struct support_folder folder;

static int64_t
now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
die(const char *what, const pawl_error *err)
{
    printf("%s: %s\n", what, err->message);
    fflush(stdout);
    support_exit(EXIT_FAILURE);
}

/* --------------------------------------------------------------------- log */

static struct call *
call_begin(const struct process *p, enum kind kind)
{
    int64_t at = atomic_fetch_add(&history->n_calls, 1);
    struct call *c = &history->call[at];

    if (at >= history->room) {
        printf("the log is full\n");
        support_exit(EXIT_FAILURE);
    }
    c->kind = kind;
    c->process = p->number;
    c->ended = INT64_MAX;
    c->began = now_ns();
    return c;
}

/* What is known of it stands in the log before the call is made. */
static void
call_go(struct call *c)
{
    atomic_store(&c->logged, 1);
}

static void
call_end(struct call *c, int result)
{
    c->ended = now_ns();
    c->result = result;
    atomic_store(&c->logged, 2);
}

/* One of several results of a call that has just returned. */
static void
call_part(const struct process *p, const struct call *whole, enum kind kind,
          const struct call *values)
{
    struct call *c = call_begin(p, kind);

    c->began = whole->began;
    c->ended = now_ns();
    c->job = values->job;
    c->token = values->token;
    c->worker = values->worker;
    c->push = values->push;
    atomic_store(&c->logged, 2);
}

/* ------------------------------------------------------------------- calls */

static int64_t
draw(struct thread *t, int64_t lo, int64_t hi)
{
    return pawl__rng_range(&t->rng, lo, hi);
}

static void
do_push(struct thread *t)
{
    struct process *p = t->process;
    struct call *c = call_begin(p, PUSH);
    int64_t self = c - history->call, id = 0;
    pawl_job job = PAWL_JOB("t", &self, sizeof self);
    pawl_error err;
    int rc;

    job.max_attempts = 1000;
    call_go(c);
    rc = pawl_push(p->queue, &job, &id, &err);
    if (rc != PAWL_OK)
        die("push", &err);
    c->job = id;
    call_end(c, rc);
    atomic_store(&history->newest, id);
}

static void
do_claim(struct thread *t)
{
    struct process *p = t->process;
    struct pawl__record *records[HISTORY_HELD];
    const char *type = "t";
    struct pawl__exchange x;
    struct call *c, part;
    pawl_error err;
    size_t i;

    memset(&x, 0, sizeof x);
    memset(&part, 0, sizeof part);
    x.want = (size_t)draw(t, 1, 3);
    if (t->n_held + (int)x.want > HISTORY_HELD)
        return;
    x.queue = "q";
    x.worker = part.worker = p->worker;
    x.types = &type;
    x.n_types = 1;
    x.claims = records;
    c = call_begin(p, CLAIM);
    c->worker = p->worker;
    call_go(c);
    if (p->store->driver->exchange(p->store->self, &x, &err) != PAWL_OK)
        die("claim", &err);
    for (i = 0; i < x.n_claims; i++) {
        part.job = records[i]->info.id;
        part.token = records[i]->token;
        memcpy(&part.push, records[i]->info.job.payload, sizeof part.push);
        call_part(p, c, CLAIM, &part);
        t->held[t->n_held].job = part.job;
        t->held[t->n_held++].token = part.token;
        pawl__record_free(records[i]);
    }
    atomic_store(&c->logged, 3);
}

static void
do_settle(struct thread *t)
{
    static const enum pawl__outcome outcomes[] = {
        PAWL__ACK,  PAWL__ACK,  PAWL__ACK,     PAWL__RETRY,
        PAWL__FAIL, PAWL__FAIL, PAWL__RELEASE, PAWL__SNOOZE};
    struct process *p = t->process;
    struct pawl__settle settle;
    struct pawl__exchange x;
    struct call *c;
    pawl_error err;
    int i;

    if (t->n_held == 0)
        return;
    i = (int)draw(t, 0, t->n_held - 1);
    c = call_begin(p, SETTLE);
    memset(&settle, 0, sizeof settle);
    memset(&x, 0, sizeof x);
    c->job = settle.job = t->held[i].job;
    c->token = settle.token = t->held[i].token;
    settle.outcome = outcomes[draw(t, 0, 7)];
    c->outcome = (int)settle.outcome;
    x.queue = "q";
    x.settles = &settle;
    x.n_settles = 1;
    call_go(c);
    if (p->store->driver->exchange(p->store->self, &x, &err) != PAWL_OK)
        die("settle", &err);
    call_end(c, settle.status);
    if (draw(t, 0, 9) != 0) /* else it is settled again */
        t->held[i] = t->held[--t->n_held];
}

static void
do_sweep(struct thread *t)
{
    struct process *p = t->process;
    struct call *c = call_begin(p, SWEEP), part;
    struct pawl__sweep sweep;
    pawl_error err;
    size_t i;

    memset(&part, 0, sizeof part);
    call_go(c);
    if (p->store->driver->sweep(p->store->self, &sweep, &err) != PAWL_OK)
        die("sweep", &err);
    for (i = 0; i < sweep.n_rescued; i++) {
        part.job = sweep.rescued[i].job;
        call_part(p, c, RESCUE, &part);
    }
    atomic_store(&c->logged, 3);
    pawl__free(sweep.rescued);
}

static void
do_by_hand(struct thread *t, enum kind kind)
{
    struct process *p = t->process;
    int64_t id = atomic_load(&history->newest) - draw(t, 0, 12);
    struct call *c;
    pawl_job_info *info = NULL;
    pawl_error err;
    int rc;

    if (id < 1)
        return;
    c = call_begin(p, kind);
    c->job = id;
    call_go(c);
    if (kind == LOOK)
        rc = pawl_get(p->store, id, &info, &err);
    else
        rc = kind == CANCEL ? pawl_cancel(p->store, id, &err)
                            : pawl_retry(p->store, id, &err);
    if (rc != PAWL_OK && rc != PAWL_NOT_FOUND)
        die("by hand", &err);
    call_end(c, kind != LOOK ? rc : info != NULL ? info->state : 0);
    pawl_job_info_free(info);
}

/* ----------------------------------------------------------------- workers */

static void
worker_begin(struct process *p)
{
    int at = atomic_fetch_add(&history->n_workers, 1);
    pawl_error err;

    if (at >= HISTORY_WORKERS)
        support_exit(EXIT_FAILURE);
    if (p->store->driver->worker_start(p->store->self, 1, &p->worker, &err) !=
        PAWL_OK)
        die("worker", &err);
    p->death = &history->death[at];
    p->death->at = INT64_MAX;
    p->death->worker = p->worker;
}

/* Its claims are a dead worker's from here on. */
static void
do_restart(struct thread *t)
{
    struct process *p = t->process;

    (void)pthread_rwlock_wrlock(&p->life);
    p->death->at = now_ns();
    p->store->driver->worker_stop(p->store->self);
    worker_begin(p);
    (void)pthread_rwlock_unlock(&p->life);
}

static void
thread_step(struct thread *t)
{
    int64_t what = draw(t, 0, 999);

    if (what < 5) {
        do_restart(t);
        return;
    }
    (void)pthread_rwlock_rdlock(&t->process->life);
    if (what < 250)
        do_push(t);
    else if (what < 500)
        do_claim(t);
    else if (what < 780)
        do_settle(t);
    else if (what < 850)
        do_by_hand(t, CANCEL);
    else if (what < 920)
        do_by_hand(t, RETRY);
    else if (what < 970)
        do_by_hand(t, LOOK);
    else
        do_sweep(t);
    (void)pthread_rwlock_unlock(&t->process->life);
}

static void *
thread_main(void *arg)
{
    struct thread *t = arg;
    struct process *p = t->process;
    int64_t done;

    while ((done = atomic_fetch_add(&history->n_done, 1)) < p->until) {
        if (p->dies_at != 0 && done >= p->dies_at) {
            p->death->at = now_ns();
            (void)raise(SIGKILL); /* the others are in the midst of calls */
        }
        thread_step(t);
    }
    return NULL;
}

static void
process_main(struct process *p)
{
    struct thread *threads = calloc(HISTORY_THREADS, sizeof *threads);
    pawl_options options = PAWL_OPTIONS_INIT;
    pawl_error err;
    int i;

    options.durability = PAWL_PROCESS;
    if (threads == NULL || pawl_open(folder.store, &options, &p->store, &err))
        die("open", &err);
    if (pawl_queue_open(p->store, "q", &p->queue, &err) != PAWL_OK)
        die("queue", &err);
    (void)pthread_rwlock_init(&p->life, NULL);
    worker_begin(p);
    for (i = 0; i < HISTORY_THREADS; i++) {
        threads[i].process = p;
        threads[i].rng.s[0] = p->seed;
        threads[i].rng.s[1] = (uint64_t)i + 1;
        if (pthread_create(&threads[i].id, NULL, thread_main, &threads[i]))
            support_exit(EXIT_FAILURE);
    }
    for (i = 0; i < HISTORY_THREADS; i++)
        (void)pthread_join(threads[i].id, NULL);
    p->death->at = now_ns();
    pawl_close(p->store);
    free(threads);
    support_exit(EXIT_SUCCESS);
}

static pid_t
process_start(struct process *p)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0)
        process_main(p);
    return pid;
}

/* Two processes; the first is killed half-way, and another takes its place. */
static bool
history_make(uint64_t seed, int64_t ops)
{
    struct process p[HISTORY_PROCESSES + 1];
    int i, status, left = HISTORY_PROCESSES;
    bool well = true;

    memset(p, 0, sizeof p);
    for (i = 0; i <= HISTORY_PROCESSES; i++) {
        p[i].number = i;
        p[i].seed = seed + (uint64_t)i;
        p[i].until = ops;
    }
    p[0].dies_at = ops / 2;
    for (i = 0; i < HISTORY_PROCESSES; i++)
        well = process_start(&p[i]) > 0 && well;
    while (left > 0 && wait(&status) > 0) {
        left--;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
            well = process_start(&p[HISTORY_PROCESSES]) > 0 && well;
            left++;
        } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            well = false;
        }
    }
    return well;
}

/* ------------------------------------------------------------- the verdict */

enum state { NONE, WAITING, RESERVED, FAILED, CANCELLED, GONE };

/* All calls of one job. */
struct story {
    struct call *call[HISTORY_CALLS];
    bool optional[HISTORY_CALLS]; /* it may have had no effect */
    int n;
};

/* A place in the search: what is placed, and where the job is then. */
struct place {
    uint64_t placed;
    enum state state;
    const struct call *claim; /* RESERVED: by which */
};

static struct place seen[HISTORY_SEEN];

static enum state
state_after(const struct call *settle)
{
    switch ((enum pawl__outcome)settle->outcome) {
    case PAWL__ACK:
        return GONE;
    case PAWL__FAIL:
    case PAWL__TIMEOUT:
        return FAILED;
    case PAWL__RETRY:
    case PAWL__SNOOZE:
    case PAWL__RELEASE:
        break;
    }
    return WAITING;
}

static int
state_look(enum state state)
{
    static const int looks[] = {[NONE] = 0,
                                [WAITING] = PAWL_WAITING,
                                [RESERVED] = PAWL_RESERVED,
                                [FAILED] = PAWL_FAILED,
                                [CANCELLED] = PAWL_CANCELLED,
                                [GONE] = 0};

    return looks[state];
}

static bool
worker_died_before(int64_t worker, int64_t at)
{
    int i, n = atomic_load(&history->n_workers);

    for (i = 0; i < n && i < HISTORY_WORKERS; i++)
        if (history->death[i].worker == worker)
            return history->death[i].at < at;
    return true; /* killed before it could say its name */
}

/* Does the automaton take this call here? Moves *p. */
static bool
place_takes(struct place *p, const struct call *c)
{
    bool current = p->state == RESERVED && p->claim->token == c->token;

    switch (c->kind) {
    case PUSH:
        if (p->state != NONE)
            return false;
        p->state = WAITING;
        return true;
    case CLAIM:
        if (p->state != WAITING)
            return false;
        p->state = RESERVED;
        p->claim = c;
        return true;
    case SETTLE:
        if (c->result == PAWL_STALE || !current)
            return c->result == PAWL_STALE && !current;
        p->state = state_after(c);
        return true;
    case RESCUE:
        if (p->state != RESERVED ||
            !worker_died_before(p->claim->worker, c->ended))
            return false;
        p->state = WAITING;
        return true;
    case CANCEL:
        if (p->state != WAITING && p->state != RESERVED)
            return c->result == PAWL_NOT_FOUND;
        p->state = CANCELLED;
        return c->result == PAWL_OK;
    case RETRY:
        if (p->state != FAILED && p->state != CANCELLED)
            return c->result == PAWL_NOT_FOUND;
        p->state = WAITING;
        return c->result == PAWL_OK;
    case LOOK:
        return c->result == state_look(p->state);
    case SWEEP:
        break;
    }
    return false;
}

/* Has another search come here before? */
static bool
place_is_seen(const struct place *p)
{
    uint64_t hash =
        (p->placed ^ (uint64_t)p->state << 61 ^ (uint64_t)(uintptr_t)p->claim) *
        0x9e3779b97f4a7c15u;
    struct place *s = &seen[hash >> 48];

    if (s->placed == p->placed && s->state == p->state &&
        s->claim == p->claim && s->placed != 0)
        return true;
    *s = *p;
    return false;
}

/* Can the rest be placed? A call may come next when no other that is left had
 * ended before it began. */
static bool
story_search(const struct story *s, struct place p)
{
    struct place next;
    int64_t first_end = INT64_MAX;
    bool left = false;
    int i;

    for (i = 0; i < s->n; i++)
        if (!(p.placed >> i & 1) && !s->optional[i]) {
            left = true;
            if (s->call[i]->ended < first_end)
                first_end = s->call[i]->ended;
        }
    if (!left)
        return true;
    if (place_is_seen(&p))
        return false;
    for (i = 0; i < s->n; i++) {
        if (p.placed >> i & 1 || s->call[i]->began > first_end)
            continue;
        next = p;
        next.placed |= (uint64_t)1 << i;
        if (place_takes(&next, s->call[i]) && story_search(s, next))
            return true;
    }
    return false;
}

static void
story_add(struct story *s, struct call *c, bool optional)
{
    if (s->n == HISTORY_CALLS) {
        printf("job %lld has too many calls\n", (long long)c->job);
        exit(EXIT_FAILURE);
    }
    s->optional[s->n] = optional;
    s->call[s->n++] = c;
}

/* Calls in flight at the kill, of which it is not known whom they met. */
static void
story_add_unknown(struct story *s, struct call *c)
{
    static struct call made[64];
    static int n_made;

    if (c->kind == SWEEP) {
        n_made = (n_made + 1) % 64;
        made[n_made] = *c;
        made[n_made].kind = RESCUE;
        story_add(s, &made[n_made], true);
    } else if (c->kind == CLAIM) {
        story_add(s, c, true);
    }
}

static void
story_print(const struct story *s)
{
    static const char *const kinds[] = {"push",   "claim", "settle", "rescue",
                                        "cancel", "retry", "look",   "sweep"};
    const struct call *c;
    int64_t zero = s->call[0]->began;
    int i;

    for (i = 0; i < s->n; i++) {
        c = s->call[i];
        printf("  %10lld .. %10lld us  process %d  %-6s token %016llx outcome "
               "%d result %d%s\n",
               (long long)(c->began - zero) / 1000,
               c->ended == INT64_MAX ? -1 : (long long)(c->ended - zero) / 1000,
               c->process, kinds[c->kind], (unsigned long long)c->token,
               c->outcome, c->result, s->optional[i] ? " (unknown)" : "");
    }
}

static int
call_compare(const void *a, const void *b)
{
    const struct call *x = *(struct call *const *)a;
    const struct call *y = *(struct call *const *)b;

    if (x->job != y->job)
        return x->job < y->job ? -1 : 1;
    return x->began < y->began ? -1 : x->began > y->began;
}

/* A push that was killed has its id from whoever claimed the job. */
static void
history_name_pushes(void)
{
    int64_t i, n = atomic_load(&history->n_calls);
    const struct call *c;

    for (i = 0; i < n; i++) {
        c = &history->call[i];
        if (c->kind == CLAIM && atomic_load(&c->logged) == 2)
            history->call[c->push].job = c->job;
    }
}

/* Judge all calls of one job, calls[0 .. n). */
static bool
history_judge_job(struct call **calls, int64_t n, struct call **unknown,
                  int64_t n_unknown)
{
    struct place start = {0, NONE, NULL};
    struct story s;
    int64_t i;

    s.n = 0;
    for (i = 0; i < n; i++)
        if (atomic_load(&calls[i]->logged) == 2)
            story_add(&s, calls[i], false);
        else if (calls[i]->kind != LOOK)
            story_add(&s, calls[i], calls[i]->kind != PUSH);
    for (i = 0; i < n_unknown; i++)
        story_add_unknown(&s, unknown[i]);
    memset(seen, 0, sizeof seen);
    if (s.n == 0 || story_search(&s, start))
        return true;
    printf("job %lld: no order of these calls is right:\n",
           (long long)calls[0]->job);
    story_print(&s);
    return false;
}

/* How many jobs have no right order. */
static int64_t
history_judge(int64_t *n_jobs)
{
    int64_t n = atomic_load(&history->n_calls), n_known = 0, n_unknown = 0;
    int64_t i, from, wrong = 0;
    struct call **known = calloc((size_t)n * 2 + 2, sizeof *known);
    struct call **unknown = known + n + 1, *c;

    if (known == NULL)
        abort();
    history_name_pushes();
    for (i = 0; i < n; i++) {
        c = &history->call[i];
        if (c->job != 0 && atomic_load(&c->logged) != 0)
            known[n_known++] = c;
        else if (atomic_load(&c->logged) == 1 && c->kind != PUSH)
            unknown[n_unknown++] = c;
    }
    qsort(known, (size_t)n_known, sizeof *known, call_compare);
    *n_jobs = 0;
    for (from = 0; from < n_known; from = i) {
        for (i = from; i < n_known && known[i]->job == known[from]->job; i++)
            ;
        wrong += !history_judge_job(known + from, i - from, unknown, n_unknown);
        (*n_jobs)++;
    }
    free(known);
    return wrong;
}

/* ------------------------------------------------------------------ the end */

/* A last look at all jobs, which also names pushes that nobody claimed. */
static int
history_last_look(const pawl_job_info *info, void *user)
{
    int64_t push;

    (void)user;
    memcpy(&push, info->job.payload, sizeof push);
    history->call[push].job = info->id;
    return 0;
}

static void
history_look_at_all(void)
{
    struct process p;
    pawl_filter filter = PAWL_FILTER_INIT;
    pawl_job_info *info;
    struct call *c;
    int64_t id, last;
    pawl_error err;

    memset(&p, 0, sizeof p);
    p.number = HISTORY_PROCESSES + 1;
    support_ok(pawl_open(folder.store, NULL, &p.store, &err), &err, "open",
               __FILE__, __LINE__);
    filter.limit = 1000000;
    support_ok(pawl_list(p.store, &filter, history_last_look, NULL, &err), &err,
               "list", __FILE__, __LINE__);
    last = atomic_load(&history->newest) + HISTORY_THREADS;
    for (id = 1; id <= last; id++) {
        c = call_begin(&p, LOOK);
        c->job = id;
        info = NULL;
        (void)pawl_get(p.store, id, &info, &err);
        call_end(c, info != NULL ? info->state : 0);
        pawl_job_info_free(info);
    }
    pawl_close(p.store);
}

/* Swap one result: an ack that was taken is said to be stale. It is one of the
 * process that nobody killed, so nothing unknown can explain it. */
static void
history_plant(void)
{
    int64_t i, n = atomic_load(&history->n_calls);
    struct call *c;

    for (i = n / 4; i < n; i++) {
        c = &history->call[i];
        if (c->process == 1 && c->kind == SETTLE &&
            atomic_load(&c->logged) == 2 && c->outcome == PAWL__ACK &&
            c->result == PAWL_OK) {
            c->result = PAWL_STALE;
            return;
        }
    }
}

static void
history_begin(int64_t ops)
{
    int64_t room = ops * 6 + 10000;
    size_t bytes = sizeof *history + (size_t)room * sizeof history->call[0];

    history = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (history == MAP_FAILED)
        abort();
    history->room = room;
    support_folder_make(&folder);
}

static void
history_end(void)
{
    size_t bytes =
        sizeof *history + (size_t)history->room * sizeof history->call[0];

    support_folder_remove(&folder);
    (void)munmap(history, bytes);
}

/* One history, and its verdict with all results right; then with one wrong. */
static bool
history_run(uint64_t seed, int64_t ops, bool plant)
{
    int64_t began = support_now_ms(), made, n_jobs, wrong;
    bool well;

    history_begin(ops);
    well = history_make(seed, ops);
    made = support_now_ms();
    history_look_at_all();
    wrong = history_judge(&n_jobs);
    printf("%lld calls of %lld jobs, %d workers: %lld ms, judged in %lld ms\n",
           (long long)atomic_load(&history->n_calls), (long long)n_jobs,
           atomic_load(&history->n_workers), (long long)(made - began),
           (long long)(support_now_ms() - made));
    well = well && wrong == 0;
    if (plant && well) {
        printf("one wrong result, which must be refused:\n");
        history_plant();
        well = history_judge(&n_jobs) == 1;
        printf("%s\n", well ? "refused" : "it was not");
    }
    fflush(stdout);
    history_end();
    return well;
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"histories", required_argument, NULL, 'h'},
        {"ops", required_argument, NULL, 'o'},
        {"seed", required_argument, NULL, 's'},
        {"plant", no_argument, NULL, 'p'},
        {NULL, 0, NULL, 0}};
    uint64_t seed = support_seed();
    int64_t histories = 2, ops = support_rounds(HISTORY_OPS), i;
    bool well = true;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (c == 'h')
            histories = atoll(optarg);
        else if (c == 'o')
            ops = atoll(optarg);
        else if (c == 's')
            seed = strtoull(optarg, NULL, 10);
        else if (c == 'p')
            histories = 1;
        else
            return 2;
    printf("PAWL_TEST_SEED=%llu\n", (unsigned long long)seed);
    for (i = 0; i < histories && well; i++)
        well = history_run(seed + (uint64_t)i * 16, ops, i == 0);
    return well ? EXIT_SUCCESS : EXIT_FAILURE;
}
