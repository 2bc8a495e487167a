/* SPDX-License-Identifier: MIT */
/* push.c - store new jobs.
 *
 * The key of a unique job is guarded by an index; a push that meets it looks
 * who holds the key, and takes it when the holder has finished and its time
 * is over. Ids are SQLite's own (the highest plus one): settle.c keeps the row
 * of the highest id, so none is given twice.
 *
 * Locks: apply functions run under write_mu in an open transaction. */
#include "sqlite/push.h"

#include <string.h>

#include "base/alloc.h"
#include "base/point.h"

/* One block: the operation, its job and the job's bytes. */
struct push_async {
    struct pawl__push_op push;
    struct pawl__new_job job;
    int64_t id;
    void (*done)(void *user, int code, int64_t id, const pawl_error *err);
    void *user;
};

/* A row for the queue, so that it is listed and can be set. */
static int
push_know_queue(struct pawl__sqlite *s, const char *queue, pawl_error *err)
{
    sqlite3_stmt *st;
    int rc;

    if (strcmp(s->known_queue, queue) == 0)
        return PAWL_OK;
    st = pawl__stmt(&s->w, PAWL__STMT_QUEUE_ADD, err);
    if (st == NULL)
        return err->code;
    pawl__bind_text(st, 1, queue);
    rc = pawl__stmt_run(&s->w, st, "add the queue", err);
    if (rc == PAWL_OK && strlen(queue) < sizeof s->known_queue)
        memcpy(s->known_queue, queue, strlen(queue) + 1);
    return rc;
}

int
pawl__key_holder(struct pawl__sqlite *s, const char *queue, const char *key,
                 int64_t *holder, pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_KEY_HOLDER, err);
    bool over = false, found;
    int rc;

    *holder = 0;
    if (st == NULL)
        return err->code;
    pawl__bind_text(st, 1, queue);
    pawl__bind_text(st, 2, key);
    (void)sqlite3_bind_int64(st, 3, pawl__wall_ms(s->env.clock));
    rc = pawl__stmt_step(&s->w, st, &found, "look for the unique key", err);
    if (found) {
        *holder = sqlite3_column_int64(st, 0);
        over = sqlite3_column_int(st, 1) != 0;
    }
    pawl__stmt_done(st);
    if (rc != PAWL_OK || !over)
        return rc;
    rc = pawl__stmt_run_ints(&s->w, PAWL__STMT_KEY_RELEASE, *holder, 0,
                             "release the unique key", err);
    *holder = 0;
    return rc;
}

static void
push_bind(sqlite3_stmt *st, const char *queue, const struct pawl__new_job *job)
{
    bool waits = job->ready_at_ms > job->pushed_at_ms;

    pawl__bind_text(st, 1, queue);
    pawl__bind_text(st, 2, job->type);
    pawl__bind_text(st, 3, waits ? "delayed" : "waiting");
    (void)sqlite3_bind_int(st, 4, job->priority);
    (void)sqlite3_bind_int64(st, 5, job->ready_at_ms);
    (void)sqlite3_bind_int64(st, 6, job->pushed_at_ms);
    pawl__bind_or_null(st, 7, job->max_attempts);
    pawl__bind_or_null(st, 8, job->timeout_ms);
    if (job->unique_key != NULL) {
        pawl__bind_text(st, 9, job->unique_key);
        (void)sqlite3_bind_int64(st, 10, job->unique_until_at_ms);
    }
    pawl__bind_or_null(st, 11, job->backoff_floor_ms);
    pawl__bind_or_null(st, 12, job->backoff_ceiling_ms);
    pawl__bind_or_null(st, 13, job->backoff_factor_percent);
    pawl__bind_or_null(st, 14, job->backoff_jitter_percent);
    if (job->payload_bytes > 0)
        (void)sqlite3_bind_blob64(st, 15, job->payload, job->payload_bytes,
                                  SQLITE_STATIC);
    else
        (void)sqlite3_bind_zeroblob(st, 15, 0);
}

/* EXISTS, or PAWL_OK when the key turned out to be free. */
static int
push_conflict(struct pawl__sqlite *s, const char *queue,
              const struct pawl__new_job *job, int64_t *id, pawl_error *err)
{
    int64_t holder;
    int rc = pawl__key_holder(s, queue, job->unique_key, &holder, err);

    if (rc != PAWL_OK || holder == 0)
        return rc;
    *id = holder;
    return pawl__fail(err, PAWL_EXISTS, 0,
                      "the unique key is taken by job %lld of queue %s",
                      (long long)holder, queue);
}

static int
push_one(struct pawl__sqlite *s, const char *queue,
         const struct pawl__new_job *job, int64_t *id, pawl_error *err)
{
    sqlite3_stmt *st;
    int tries, rc;

    for (tries = 0;; tries++) {
        st = pawl__stmt(&s->w, PAWL__STMT_JOB_ADD, err);
        if (st == NULL)
            return err->code;
        push_bind(st, queue, job);
        if (sqlite3_step(st) == SQLITE_DONE) {
            pawl__stmt_done(st);
            *id = sqlite3_last_insert_rowid(s->w.db);
            pawl__point("push: stored");
            if (s->tx_top != 0)
                s->tx_top = *id;
            return PAWL_OK;
        }
        rc = pawl__conn_fail(&s->w, "push a job", err);
        pawl__stmt_done(st);
        if (err->sys_code != SQLITE_CONSTRAINT_UNIQUE || tries > 0 ||
            job->unique_key == NULL)
            return rc;
        rc = push_conflict(s, queue, job, id, err);
        if (rc != PAWL_OK)
            return rc;
    }
}

/* A low disk: pushes must not eat what was given back for acks. */
static int
push_check_space(struct pawl__sqlite *s, pawl_error *err)
{
    if (!pawl__side_low(&s->side) || pawl__side_ballast_keep(&s->side))
        return PAWL_OK;
    return pawl__fail(err, PAWL_FULL, 0,
                      "the disk is full: what is left is kept for acks; make "
                      "room, nothing was changed");
}

static int
push_apply(struct pawl__sqlite *s, struct pawl__op *op)
{
    struct pawl__push_op *p = (struct pawl__push_op *)op;
    int64_t id = 0;
    size_t i;
    int rc;

    if (p->ids != NULL && p->n > 0)
        p->ids[0] = 0;
    rc = push_check_space(s, &op->err);
    if (rc == PAWL_OK)
        rc = push_know_queue(s, p->queue, &op->err);
    for (i = 0; rc == PAWL_OK && i < p->n; i++) {
        rc = push_one(s, p->queue, &p->jobs[i], &id, &op->err);
        if (rc == PAWL_OK && p->ids != NULL)
            p->ids[i] = id;
        if (rc != PAWL_OK) {
            p->failed_at = i;
            if (p->ids != NULL)
                p->ids[0] = rc == PAWL_EXISTS ? id : 0;
        }
    }
    return rc;
}

void
pawl__push_begin(struct pawl__push_op *p, const struct pawl__push *push)
{
    memset(p, 0, sizeof *p);
    p->op.apply = push_apply;
    p->op.durable = true;
    p->op.plain = push->n == 1;
    p->queue = push->queue;
    p->jobs = push->jobs;
    p->n = push->n;
    p->ids = push->ids;
}

void
pawl__push_end(const struct pawl__push_op *p, struct pawl__push *push)
{
    push->rc = p->op.rc;
    if (p->op.rc == PAWL_OK)
        return;
    push->err = p->op.err;
    push->failed_at = p->failed_at;
    if (push->ids != NULL && push->n > 0 && push->rc != PAWL_EXISTS)
        memset(push->ids, 0, push->n * sizeof *push->ids);
}

int
pawl__sqlite_push(void *self, const char *queue,
                  const struct pawl__new_job *jobs, size_t n, int64_t *ids,
                  size_t *failed_at, pawl_error *err)
{
    struct pawl__push push;
    struct pawl__push_op p;

    memset(&push, 0, sizeof push);
    push.queue = queue;
    push.jobs = jobs;
    push.n = n;
    push.ids = ids;
    pawl__push_begin(&p, &push);
    (void)pawl__commit_run(self, &p.op);
    pawl__push_end(&p, &push);
    if (push.rc != PAWL_OK && failed_at != NULL)
        *failed_at = push.failed_at;
    if (push.rc != PAWL_OK && err != NULL)
        *err = push.err;
    return push.rc;
}

static void
push_async_done(struct pawl__sqlite *s, struct pawl__op *op)
{
    struct push_async *a = (struct push_async *)op;

    (void)s;
    a->done(a->user, op->rc,
            op->rc == PAWL_OK || op->rc == PAWL_EXISTS ? a->id : 0,
            op->rc == PAWL_OK ? NULL : &op->err);
    pawl__free(a);
}

/* Copy bytes to *at, and move it. */
static const char *
push_keep(char **at, const void *bytes, size_t n)
{
    char *kept = *at;

    if (n > 0)
        memcpy(kept, bytes, n);
    kept[n] = '\0';
    *at += n + 1;
    return kept;
}

int
pawl__sqlite_push_start(void *self, const struct pawl__async *async,
                        pawl_error *err)
{
    const struct pawl__new_job *job = async->job;
    size_t n_queue = strlen(async->queue), n_type = strlen(job->type);
    size_t n_key = job->unique_key != NULL ? strlen(job->unique_key) : 0;
    struct push_async *a;
    char *at;
    int rc;

    rc = pawl__store_check(self, err);
    if (rc != PAWL_OK)
        return rc;
    a = pawl__malloc(sizeof *a + job->payload_bytes + n_queue + n_type + n_key +
                     4);
    if (a == NULL)
        return pawl__fail_nomem(err);
    memset(a, 0, sizeof *a);
    at = (char *)(a + 1);
    a->job = *job;
    a->job.payload = push_keep(&at, job->payload, job->payload_bytes);
    a->job.type = push_keep(&at, job->type, n_type);
    a->push.queue = push_keep(&at, async->queue, n_queue);
    if (job->unique_key != NULL)
        a->job.unique_key = push_keep(&at, job->unique_key, n_key);
    a->push.op.apply = push_apply;
    a->push.op.durable = true;
    a->push.op.plain = true;
    a->push.op.done = push_async_done;
    a->push.jobs = &a->job;
    a->push.n = 1;
    a->push.ids = &a->id;
    a->done = async->done;
    a->user = async->user;
    pawl__commit_start(self, &a->push.op);
    return PAWL_OK;
}
