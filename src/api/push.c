/* SPDX-License-Identifier: MIT */
/* push.c - accept jobs: check, encode, store, tell.
 *
 * What the codec made lives as long as the call: drivers copy or write before
 * they return. */
#include "api/check.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"

/* ---------------------------------------------------------------- one job */

/* Replace the payload by the codec's; *made is to be freed afterwards. */
static int
push_encode(pawl_store *s, struct pawl__new_job *job, void **made,
            pawl_error *err)
{
    size_t bytes = 0;

    *made = NULL;
    if (s->codec.encode == NULL)
        return PAWL_OK;
    if (s->codec.encode(job->payload, job->payload_bytes, made, &bytes,
                        s->codec.user) != 0)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "the codec could not encode the payload");
    if (bytes > (size_t)s->options.max_payload_bytes) {
        pawl__free_foreign(*made);
        *made = NULL;
        return pawl__fail(err, PAWL_INVALID, 0,
                          "the encoded payload has %zu bytes: the store takes "
                          "at most %lld (max_payload_bytes)",
                          bytes, (long long)s->options.max_payload_bytes);
    }
    job->payload = *made;
    job->payload_bytes = bytes;
    return PAWL_OK;
}

static int
push_check(pawl_queue *queue, const pawl_job *job, struct pawl__new_job *out,
           void **made, pawl_error *err)
{
    pawl_store *s = queue->store;
    int rc = pawl__job_check(job, s->options.max_payload_bytes,
                             pawl__wall_ms(&s->clock), out, err);

    return rc == PAWL_OK ? push_encode(s, out, made, err) : rc;
}

/* The pool may have work now, or at a time that the store's thread must know.
 */
static void
push_notify(pawl_queue *queue, int64_t ready_at_ms, int64_t pushed_at_ms)
{
    if (!queue->consumer.enabled)
        return;
    if (ready_at_ms <= pushed_at_ms)
        pawl__consumer_notify(&queue->consumer);
    else if (ready_at_ms < atomic_load(&queue->store->timer.until_at_ms))
        pawl__timer_poke(queue->store);
}

/* To the driver, where the pool is idle with a claim for it. soonest_ms: when
 * the first of the jobs is ready. */
static int
push_store(pawl_queue *queue, struct pawl__push *push, int64_t soonest_ms,
           pawl_error *err)
{
    int64_t now = push->jobs->pushed_at_ms;
    pawl_store *s = queue->store;

    push->queue = queue->name;
    if (soonest_ms > now || !queue->consumer.enabled ||
        !pawl__consumer_push(&queue->consumer, push)) {
        push->rc = s->driver->push(s->self, push->queue, push->jobs, push->n,
                                   push->ids, &push->failed_at, &push->err);
        if (push->rc == PAWL_OK)
            push_notify(queue, soonest_ms, now);
    }
    if (push->rc != PAWL_OK && err != NULL)
        *err = push->err;
    return push->rc;
}

static void
push_emit(pawl_queue *queue, const pawl_job *job, int64_t id)
{
    pawl_event e;

    memset(&e, 0, sizeof e);
    e.struct_size = sizeof e;
    e.kind = PAWL_ON_PUSHED;
    e.queue = queue;
    e.job = job;
    e.job_id = id;
    pawl__emit(&queue->events, &e);
}

int
pawl_push(pawl_queue *queue, const pawl_job *job, int64_t *id, pawl_error *err)
{
    struct pawl__new_job ours;
    struct pawl__push push;
    int64_t got = 0;
    void *made = NULL;
    int rc = pawl__check_queue(queue, err);

    if (id != NULL)
        *id = 0;
    if (rc == PAWL_OK)
        rc = pawl__check_ptr(job, "job", err);
    if (rc == PAWL_OK)
        rc = push_check(queue, job, &ours, &made, err);
    if (rc != PAWL_OK)
        return rc;
    memset(&push, 0, sizeof push);
    push.jobs = &ours;
    push.n = 1;
    push.ids = &got;
    rc = push_store(queue, &push, ours.ready_at_ms, err);
    pawl__free_foreign(made);
    if (id != NULL && (rc == PAWL_OK || rc == PAWL_EXISTS))
        *id = got;
    if (rc == PAWL_OK)
        push_emit(queue, job, got);
    return rc;
}

/* --------------------------------------------------------------- many jobs */

struct push_many {
    struct pawl__new_job *jobs;
    void **made; /* by the codec; NULL entries otherwise */
    int64_t *ids;
    size_t n;
};

static void
push_many_clear(struct push_many *m, const int64_t *callers)
{
    size_t i;

    for (i = 0; m->made != NULL && i < m->n; i++)
        pawl__free_foreign(m->made[i]);
    pawl__free(m->made);
    pawl__free(m->jobs);
    if (m->ids != callers)
        pawl__free(m->ids);
}

/* The i-th job of an array whose structs may be of another size than ours. */
static const pawl_job *
push_at(const pawl_job *jobs, size_t i)
{
    return (const pawl_job *)(const void *)((const char *)jobs +
                                            i * jobs->struct_size);
}

static int
push_many_check(pawl_queue *queue, const pawl_job *jobs, struct push_many *m,
                pawl_error *err)
{
    pawl_error one;
    size_t i;
    int rc;

    for (i = 0; i < m->n; i++) {
        if (push_at(jobs, i)->struct_size != jobs->struct_size)
            return pawl__fail(err, PAWL_INVALID, 0,
                              "jobs[%zu]: struct_size differs from jobs[0]'s",
                              i);
        rc =
            push_check(queue, push_at(jobs, i), &m->jobs[i], &m->made[i], &one);
        if (rc != PAWL_OK)
            return pawl__fail(err, rc, one.sys_code, "jobs[%zu]: %s", i,
                              one.message);
    }
    return PAWL_OK;
}

static int
push_many_store(pawl_queue *queue, struct push_many *m, pawl_error *err)
{
    int64_t soonest = INT64_MAX;
    struct pawl__push push;
    size_t i;
    int rc;

    for (i = 0; i < m->n; i++)
        if (m->jobs[i].ready_at_ms < soonest)
            soonest = m->jobs[i].ready_at_ms;
    memset(&push, 0, sizeof push);
    push.jobs = m->jobs;
    push.n = m->n;
    push.ids = m->ids;
    rc = push_store(queue, &push, soonest, err);
    if (rc == PAWL_EXISTS)
        return pawl__fail(err, rc, push.err.sys_code, "jobs[%zu]: %s",
                          push.failed_at, push.err.message);
    return rc;
}

static void
push_many_tell(pawl_queue *queue, const pawl_job *jobs,
               const struct push_many *m)
{
    size_t i;

    for (i = 0; i < m->n; i++)
        push_emit(queue, push_at(jobs, i), m->ids[i]);
}

int
pawl_push_many(pawl_queue *queue, const pawl_job *jobs, size_t n, int64_t *ids,
               pawl_error *err)
{
    struct push_many m = {NULL, NULL, NULL, n};
    int rc = pawl__check_queue(queue, err);

    if (ids != NULL && n <= 1000000)
        memset(ids, 0, n * sizeof *ids);
    if (rc == PAWL_OK && n > 1000000)
        rc = pawl__fail(err, PAWL_INVALID, 0, "n is %zu: give 0 to 1000000", n);
    if (rc == PAWL_OK && n > 0)
        rc = pawl__check_ptr(jobs, "jobs", err);
    if (rc != PAWL_OK || n == 0)
        return rc;
    if (jobs->struct_size < sizeof jobs->struct_size ||
        jobs->struct_size > 4096)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "jobs->struct_size is %zu: set it to sizeof *jobs",
                          jobs->struct_size);
    m.jobs = pawl__calloc(n, sizeof *m.jobs);
    m.made = pawl__calloc(n, sizeof *m.made);
    m.ids = ids != NULL ? ids : pawl__calloc(n, sizeof *m.ids);
    if (m.jobs == NULL || m.made == NULL || m.ids == NULL)
        rc = pawl__fail_nomem(err);
    if (rc == PAWL_OK)
        rc = push_many_check(queue, jobs, &m, err);
    if (rc == PAWL_OK)
        rc = push_many_store(queue, &m, err);
    if (rc == PAWL_OK)
        push_many_tell(queue, jobs, &m);
    else if (ids != NULL)
        memset(ids, 0, n * sizeof *ids);
    push_many_clear(&m, ids);
    return rc;
}

/* ------------------------------------------------------------ asynchronous */

struct push_async {
    pawl_queue *queue;
    pawl_pushed_fn fn;
    void *user;
    int64_t ready_at_ms, pushed_at_ms;
    pawl_job job; /* for the event: the caller's text, copied behind */
};

static void
push_async_done(void *user, int code, int64_t id, const pawl_error *err)
{
    struct push_async *a = user;
    pawl_store *s = a->queue->store;

    if (code == PAWL_OK) {
        push_notify(a->queue, a->ready_at_ms, a->pushed_at_ms);
        push_emit(a->queue, &a->job, id);
    }
    if (a->fn != NULL) {
        atomic_store(&s->told, (uintptr_t)pthread_self());
        a->fn(code, id, err, a->user);
        atomic_store(&s->told, 0);
    }
    pawl__free(a);
}

/* What the callback needs, with the type's text behind it. The event has no
 * payload: it may be large, and was told at the push. */
static struct push_async *
push_async_new(pawl_queue *queue, const struct pawl__new_job *ours,
               pawl_pushed_fn fn, void *user)
{
    size_t bytes = strlen(ours->type) + 1;
    struct push_async *a = pawl__malloc(sizeof *a + bytes);

    if (a == NULL)
        return NULL;
    memset(a, 0, sizeof *a);
    a->queue = queue;
    a->fn = fn;
    a->user = user;
    a->ready_at_ms = ours->ready_at_ms;
    a->pushed_at_ms = ours->pushed_at_ms;
    a->job.struct_size = sizeof a->job;
    a->job.type = memcpy(a + 1, ours->type, bytes);
    a->job.priority = ours->priority;
    a->job.max_attempts = ours->max_attempts;
    return a;
}

int
pawl_push_async(pawl_queue *queue, const pawl_job *job, pawl_pushed_fn fn,
                void *user, pawl_error *err)
{
    struct pawl__new_job ours;
    struct pawl__async async;
    struct push_async *a;
    pawl_store *s;
    void *made = NULL;
    int rc = pawl__check_queue(queue, err);

    if (rc == PAWL_OK)
        rc = pawl__check_ptr(job, "job", err);
    if (rc == PAWL_OK)
        rc = push_check(queue, job, &ours, &made, err);
    if (rc != PAWL_OK)
        return rc;
    s = queue->store;
    a = push_async_new(queue, &ours, fn, user);
    if (a == NULL) {
        pawl__free_foreign(made);
        return pawl__fail_nomem(err);
    }
    async.queue = queue->name;
    async.job = &ours;
    async.done = push_async_done;
    async.user = a;
    rc = s->driver->push_start(s->self, &async, err);
    pawl__free_foreign(made);
    if (rc != PAWL_OK)
        pawl__free(a);
    else
        pawl__timer_async(s);
    return rc;
}

int
pawl_sync(pawl_store *store, pawl_error *err)
{
    int rc = pawl__check_store(store, err);

    if (rc != PAWL_OK)
        return rc;
    if (atomic_load(&store->told) == (uintptr_t)pthread_self())
        return pawl__fail(err, PAWL_MISUSE, 0,
                          "pawl_sync would wait for the callback that calls "
                          "it");
    return store->driver->sync(store->self, err);
}
