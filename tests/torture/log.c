/* SPDX-License-Identifier: MIT */
/* log.c - what processes did, written down outside of the store.
 *
 * The driver of a watched store is a copy of its table with three functions
 * replaced. They call the real ones, so the engine under test is whole. */
#include "torture/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "engine/attempt.h"
#include "engine/store.h"

static struct log *the_log;
static const struct pawl__driver *log_real;
static struct pawl__driver log_driver;

struct log *
log_make(size_t room)
{
    size_t bytes = sizeof(struct log) + room * sizeof(struct log_record);
    struct log *log = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (log == MAP_FAILED)
        return NULL;
    log->room = room;
    log_reset(log);
    return log;
}

void
log_free(struct log *log)
{
    (void)munmap(log,
                 sizeof(struct log) + log->room * sizeof(struct log_record));
}

void
log_reset(struct log *log)
{
    size_t used = atomic_load(&log->n);

    memset(log->records, 0,
           (used < log->room ? used : log->room) * sizeof log->records[0]);
    atomic_store(&log->n, 0);
    atomic_store(&log->next_number, 1);
    atomic_store(&log->next_call, 1);
    atomic_store(&log->pushed, 0);
    atomic_store(&log->ended, 0);
}

void
log_use(struct log *log)
{
    the_log = log;
}

int64_t
log_now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t
log_wall_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
log_add(enum log_kind kind, const struct log_record *what)
{
    size_t i = atomic_fetch_add(&the_log->n, 1);
    struct log_record *r;

    if (i >= the_log->room) {
        fprintf(stderr, "the torture log is full: make it larger\n");
        _exit(99);
    }
    r = &the_log->records[i];
    r->status = what->status;
    r->pid = what->pid != 0 ? what->pid : getpid();
    r->outcome = what->outcome;
    r->number = what->number;
    r->id = what->id;
    r->token = what->token;
    r->at_ns = log_now_ns();
    r->began_ns = what->began_ns != 0 ? what->began_ns : r->at_ns;
    r->wall_ms = what->wall_ms;
    r->priority = what->priority;
    r->call = what->call;
    atomic_store_explicit(&r->kind, (int)kind, memory_order_release);
}

void
log_dying(pid_t pid)
{
    struct log_record r = {.pid = pid};

    log_add(LOG_DYING, &r);
}

/* ------------------------------------------------------------ the payload */

static int64_t
log_number(const void *bytes, size_t n, struct log_payload *p)
{
    memset(p, 0, sizeof *p);
    if (n != sizeof *p)
        return -1;
    memcpy(p, bytes, sizeof *p);
    return p->magic == LOG_MAGIC ? p->number : -1;
}

pawl_job
log_job(struct log_payload *payload, const char *type)
{
    pawl_job job = PAWL_JOB(type, payload, sizeof *payload);

    memset(payload, 0, sizeof *payload);
    payload->magic = LOG_MAGIC;
    payload->number = atomic_fetch_add(&the_log->next_number, 1);
    return job;
}

/* ------------------------------------------------------------------ pushes */

static void
log_push_try(const struct pawl__new_job *job)
{
    struct log_payload p;
    struct log_record r = {0};

    r.number = log_number(job->payload, job->payload_bytes, &p);
    r.wall_ms = p.ready_at_ms;
    r.priority = job->priority;
    log_add(LOG_PUSH_TRY, &r);
}

static void
log_push_end(const struct pawl__new_job *job, int rc, int64_t id, int64_t began)
{
    struct log_payload p;
    struct log_record r = {.status = rc, .id = id, .began_ns = began};
    enum log_kind kind = rc == PAWL_OK        ? LOG_PUSH_OK
                         : rc == PAWL_UNKNOWN ? LOG_PUSH_UNKNOWN
                                              : LOG_PUSH_NO;

    r.number = log_number(job->payload, job->payload_bytes, &p);
    r.priority = job->priority;
    log_add(kind, &r);
    if (rc == PAWL_OK)
        atomic_fetch_add(&the_log->pushed, 1);
}

static int
log_push(void *self, const char *queue, const struct pawl__new_job *jobs,
         size_t n, int64_t *ids, size_t *failed_at, pawl_error *err)
{
    int64_t *own = calloc(n + 1, sizeof *own);
    int64_t began;
    size_t i;
    int rc;

    for (i = 0; i < n; i++)
        log_push_try(&jobs[i]);
    began = log_now_ns();
    rc = log_real->push(self, queue, jobs, n, own, failed_at, err);
    for (i = 0; i < n; i++)
        log_push_end(&jobs[i], rc, own[i], began);
    if (ids != NULL)
        memcpy(ids, own, n * sizeof *ids);
    free(own);
    return rc;
}

struct log_async {
    struct pawl__async theirs;
    struct pawl__new_job job;
    struct log_payload payload;
    int64_t began;
};

static void
log_async_done(void *user, int code, int64_t id, const pawl_error *err)
{
    struct log_async *a = user;

    log_push_end(&a->job, code, id, a->began);
    a->theirs.done(a->theirs.user, code, id, err);
    free(a);
}

static int
log_push_start(void *self, const struct pawl__async *async, pawl_error *err)
{
    struct log_async *a = calloc(1, sizeof *a);
    struct pawl__async ours = *async;
    int rc;

    a->theirs = *async;
    a->job = *async->job;
    memcpy(&a->payload, async->job->payload, sizeof a->payload);
    a->job.payload = &a->payload;
    ours.done = log_async_done;
    ours.user = a;
    log_push_try(&a->job);
    a->began = log_now_ns();
    rc = log_real->push_start(self, &ours, err);
    if (rc != PAWL_OK)
        free(a);
    return rc;
}

/* ------------------------------------------------------- claims and settles */

static void
log_settles(enum log_kind kind, const struct pawl__exchange *x, int rc,
            int64_t began)
{
    struct log_record r;
    size_t i;

    for (i = 0; i < x->n_settles; i++) {
        memset(&r, 0, sizeof r);
        r.id = x->settles[i].job;
        r.token = x->settles[i].token;
        r.outcome = (int)x->settles[i].outcome;
        r.status = rc != PAWL_OK ? rc : x->settles[i].status;
        r.began_ns = began;
        log_add(kind, &r);
        if (kind == LOG_SETTLE && r.status == PAWL_OK &&
            (r.outcome == PAWL__ACK || r.outcome == PAWL__FAIL))
            atomic_fetch_add(&the_log->ended, 1);
    }
}

static void
log_claims(const struct pawl__exchange *x, int64_t call, int64_t began)
{
    const pawl_job *job;
    struct log_payload p;
    struct log_record r;
    size_t i;

    for (i = 0; i < x->n_claims; i++) {
        job = &x->claims[i]->info.job;
        memset(&r, 0, sizeof r);
        r.number = log_number(job->payload, job->payload_bytes, &p);
        r.id = x->claims[i]->info.id;
        r.token = x->claims[i]->token;
        r.priority = job->priority;
        r.wall_ms = job->ready_at_ms;
        r.call = call;
        r.began_ns = began;
        log_add(LOG_CLAIM, &r);
    }
}

static int
log_exchange(void *self, struct pawl__exchange *x, pawl_error *err)
{
    struct log_record r = {0};
    int64_t began, call = atomic_fetch_add(&the_log->next_call, 1);
    const struct pawl__push *push = x->push;
    size_t i;
    int rc;

    for (i = 0; push != NULL && i < push->n; i++)
        log_push_try(&push->jobs[i]);
    log_settles(LOG_SETTLE_TRY, x, 0, 0);
    r.number = call;
    r.status = x->want > 0;
    log_add(LOG_CLAIM_TRY, &r);
    began = log_now_ns();
    rc = log_real->exchange(self, x, err);
    for (i = 0; push != NULL && i < push->n; i++)
        log_push_end(&push->jobs[i], push->rc, push->ids[i], began);
    log_settles(LOG_SETTLE, x, rc, began);
    if (rc == PAWL_OK)
        log_claims(x, call, began);
    r.began_ns = began;
    if (rc != PAWL_UNKNOWN) /* else it may have taken jobs all the same */
        log_add(LOG_CLAIMED, &r);
    return rc;
}

void
log_watch(pawl_store *store)
{
    log_real = store->driver;
    log_driver = *log_real;
    log_driver.push = log_push;
    log_driver.push_start = log_push_start;
    log_driver.exchange = log_exchange;
    store->driver = &log_driver;
}

/* --------------------------------------------------------------- listeners */

static void
log_run(enum log_kind kind, const pawl_attempt *attempt, const pawl_job *job)
{
    struct log_payload p;
    struct log_record r = {0};

    r.number = log_number(job->payload, job->payload_bytes, &p);
    r.id = attempt->record->info.id;
    r.token = attempt->record->token;
    r.wall_ms = log_wall_ms();
    log_add(kind, &r);
}

void
log_start(const pawl_attempt *attempt, const pawl_job *job)
{
    log_run(LOG_START, attempt, job);
}

void
log_end(const pawl_attempt *attempt, const pawl_job *job)
{
    log_run(LOG_END, attempt, job);
}
