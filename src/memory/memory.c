/* SPDX-License-Identifier: MIT */
/* memory.c - the driver "memory:": the contract of driver.h in RAM.
 *
 * It is the reference that other drivers are tested against, so it is written
 * for clarity: one mutex, ordered sets, and each call does what the contract
 * says, line by line.
 *
 * Locks: mu, for the length of a call. done callbacks run without it. */
#include "driver/driver.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "memory/store.h"

#define MEMORY_ASYNC_LEAD 256
#define MEMORY_PROMOTE_MAX 512
#define MEMORY_DAY_MS 86400000LL

/* ------------------------------------------------------------ open, close */

static int
memory_open(const char *location, const struct pawl__env *env, void **self,
            pawl_error *err)
{
    struct pawl__memory *m;

    *self = NULL;
    if (location[0] != '\0')
        return pawl__fail(err, PAWL_INVALID, 0,
                          "memory:%s: nothing may follow the colon, the store "
                          "is private",
                          location);
    m = pawl__calloc(1, sizeof *m);
    if (m == NULL)
        return pawl__fail_nomem(err);
    m->env = *env;
    pawl__mutex_init(&m->mu, PAWL__RANK_WRITE);
    pawl__cond_init(&m->changed);
    pawl__rng_seed(&m->rng);
    pawl__mstore_init_sets(m);
    *self = m;
    return PAWL_OK;
}

static int memory_sync(void *self, pawl_error *err);

static void
memory_free_queue(struct pawl__mqueue *q)
{
    struct pawl__mtype *t;

    while ((t = q->types) != NULL) {
        q->types = t->next;
        pawl__free(t);
    }
    pawl__free(q);
}

static void
memory_close(void *self, bool after_fork)
{
    struct pawl__memory *m = self;
    struct pawl__mqueue *q;
    struct pawl__mjob *j;

    if (!after_fork)
        (void)memory_sync(m, NULL);
    while ((j = pawl__mjob_of_id(pawl__set_first(&m->jobs))) != NULL)
        pawl__mjob_free(m, j);
    while ((q = m->queues) != NULL) {
        m->queues = q->next;
        memory_free_queue(q);
    }
    pawl__cond_clear(&m->changed);
    pawl__mutex_clear(&m->mu);
    pawl__free(m);
}

/* ------------------------------------------------------------------- push */

static int
memory_push_one(struct pawl__memory *m, struct pawl__mqueue *q,
                const struct pawl__new_job *job, int64_t *id, pawl_error *err)
{
    struct pawl__mjob *j = NULL;

    if (job->unique_key != NULL)
        j = pawl__mkey_holder(m, q, job->unique_key);
    if (j != NULL) {
        *id = j->record->info.id;
        return pawl__fail(err, PAWL_EXISTS, 0,
                          "the unique key is taken by job %lld of queue %s",
                          (long long)*id, q->name);
    }
    j = pawl__mjob_new(m, q, job);
    if (j == NULL)
        return pawl__fail_nomem(err);
    *id = j->record->info.id;
    return PAWL_OK;
}

static int
memory_push_all(struct pawl__memory *m, struct pawl__mqueue *q,
                const struct pawl__new_job *jobs, size_t n, int64_t *ids,
                size_t *failed_at, pawl_error *err)
{
    int64_t before = m->last_id, id = 0;
    struct pawl__mjob *j;
    size_t i;
    int rc = PAWL_OK;

    for (i = 0; rc == PAWL_OK && i < n; i++) {
        rc = memory_push_one(m, q, &jobs[i], &id, err);
        if (rc == PAWL_OK && ids != NULL)
            ids[i] = id;
        if (rc != PAWL_OK && failed_at != NULL)
            *failed_at = i;
    }
    if (rc == PAWL_OK)
        return rc;
    for (; m->last_id > before; m->last_id--) { /* nobody has seen them */
        j = pawl__mjob_find(m, m->last_id);
        if (j != NULL)
            pawl__mjob_free(m, j);
    }
    if (ids != NULL && n > 0) {
        memset(ids, 0, n * sizeof *ids);
        ids[0] = rc == PAWL_EXISTS ? id : 0;
    }
    return rc;
}

static int
memory_push(void *self, const char *queue, const struct pawl__new_job *jobs,
            size_t n, int64_t *ids, size_t *failed_at, pawl_error *err)
{
    struct pawl__memory *m = self;
    struct pawl__mqueue *q;
    int rc;

    pawl__lock(&m->mu);
    q = pawl__mqueue_get(m, queue);
    rc = q != NULL ? memory_push_all(m, q, jobs, n, ids, failed_at, err)
                   : pawl__fail_nomem(err);
    pawl__unlock(&m->mu);
    return rc;
}

/* ----------------------------------------------------------- asynchronous */

/* Copy bytes to *at, and move it. */
static const char *
memory_keep(char **at, const void *bytes, size_t n)
{
    char *kept = *at;

    if (n > 0)
        memcpy(kept, bytes, n);
    kept[n] = '\0';
    *at += n + 1;
    return kept;
}

static struct pawl__masync *
memory_async_new(const struct pawl__async *async)
{
    const struct pawl__new_job *job = async->job;
    size_t n_type = strlen(job->type);
    size_t n_key = job->unique_key != NULL ? strlen(job->unique_key) : 0;
    struct pawl__masync *a;
    char *at;

    a = pawl__malloc(sizeof *a + job->payload_bytes + n_type + n_key + 3);
    if (a == NULL)
        return NULL;
    memset(a, 0, sizeof *a);
    at = (char *)(a + 1);
    a->job = *job;
    a->job.payload = memory_keep(&at, job->payload, job->payload_bytes);
    a->job.type = memory_keep(&at, job->type, n_type);
    if (job->unique_key != NULL)
        a->job.unique_key = memory_keep(&at, job->unique_key, n_key);
    a->done = async->done;
    a->user = async->user;
    return a;
}

/* Store and tell, in order; mu is given up for each callback. */
static void
memory_tell_all(struct pawl__memory *m)
{
    struct pawl__masync *a;
    pawl_error err;
    int64_t id;
    int rc;

    m->telling = true;
    while ((a = m->async_first) != NULL) {
        m->async_first = a->next;
        if (m->async_first == NULL)
            m->async_last = NULL;
        m->n_async--;
        memset(&err, 0, sizeof err);
        id = 0;
        rc = memory_push_one(m, a->queue, &a->job, &id, &err);
        pawl__unlock(&m->mu);
        a->done(a->user, rc, rc == PAWL_OK || rc == PAWL_EXISTS ? id : 0,
                rc == PAWL_OK ? NULL : &err);
        pawl__free(a);
        pawl__lock(&m->mu);
    }
    m->telling = false;
    pawl__cond_broadcast(&m->changed);
}

static int
memory_push_start(void *self, const struct pawl__async *async, pawl_error *err)
{
    struct pawl__memory *m = self;
    struct pawl__masync *a = memory_async_new(async);
    struct pawl__mqueue *q;

    if (a == NULL)
        return pawl__fail_nomem(err);
    pawl__lock(&m->mu);
    q = pawl__mqueue_get(m, async->queue);
    if (q == NULL) {
        pawl__unlock(&m->mu);
        pawl__free(a);
        return pawl__fail_nomem(err);
    }
    a->queue = q;
    if (m->async_last != NULL)
        m->async_last->next = a;
    else
        m->async_first = a;
    m->async_last = a;
    if (++m->n_async >= MEMORY_ASYNC_LEAD && !m->telling)
        memory_tell_all(m);
    pawl__unlock(&m->mu);
    return PAWL_OK;
}

static int
memory_sync(void *self, pawl_error *err)
{
    struct pawl__memory *m = self;

    (void)err;
    pawl__lock(&m->mu);
    while (m->telling)
        pawl__cond_wait(&m->changed, &m->mu);
    memory_tell_all(m);
    pawl__unlock(&m->mu);
    return PAWL_OK;
}

static bool
memory_async_pending(void *self)
{
    struct pawl__memory *m = self;
    bool pending;

    pawl__lock(&m->mu);
    pending = m->async_first != NULL;
    pawl__unlock(&m->mu);
    return pending;
}

/* ----------------------------------------------------------------- settle */

static void
memory_count_attempt(struct pawl__mjob *j, const char *reason)
{
    (void)pawl__mjob_text(j, reason, NULL); /* without it if need be */
    j->record->info.attempts++;
}

static void
memory_put_off(struct pawl__memory *m, struct pawl__mjob *j,
               int64_t ready_at_ms)
{
    pawl__mjob_lift(m, j);
    j->record->info.worker = 0;
    j->record->token = 0;
    j->record->info.job.ready_at_ms = ready_at_ms;
    pawl__mjob_place(m, j,
                     ready_at_ms > pawl__wall_ms(m->env.clock) ? PAWL_DELAYED
                                                               : PAWL_WAITING);
}

static void
memory_ack(struct pawl__memory *m, struct pawl__mjob *j, const char *result)
{
    pawl_settings s;

    pawl__mqueue_settings(j->queue, &s);
    if (s.retention_s != 0)
        (void)pawl__mjob_text(j, NULL, result);
    pawl__mjob_finish(m, j, s.retention_s != 0 ? PAWL_DONE : 0);
}

static void
memory_settle_one(struct pawl__memory *m, struct pawl__mjob *j,
                  const struct pawl__settle *settle)
{
    switch (settle->outcome) {
    case PAWL__ACK:
        memory_ack(m, j, settle->text);
        break;
    case PAWL__RETRY:
        memory_count_attempt(j, settle->text);
        memory_put_off(m, j, settle->ready_at_ms);
        break;
    case PAWL__FAIL:
    case PAWL__TIMEOUT:
        memory_count_attempt(j, settle->text);
        pawl__mjob_finish(
            m, j, settle->outcome == PAWL__FAIL ? PAWL_FAILED : PAWL_TIMEOUT);
        break;
    case PAWL__SNOOZE:
        memory_put_off(m, j, settle->ready_at_ms);
        break;
    case PAWL__RELEASE:
        pawl__mjob_lift(m, j);
        j->record->info.worker = 0;
        j->record->token = 0;
        pawl__mjob_place(m, j, PAWL_WAITING);
        break;
    }
}

static bool
memory_is_held(struct pawl__memory *m, const struct pawl__settle *s,
               struct pawl__mjob **job)
{
    *job = pawl__mjob_find(m, s->job);
    return *job != NULL && (*job)->record->info.state == PAWL_RESERVED &&
           (*job)->record->token == s->token;
}

/* ------------------------------------------------------------------ claim */

/* Move due jobs to waiting: how many; *others: of queues other than q. */
static int64_t
memory_promote(struct pawl__memory *m, const struct pawl__mqueue *q,
               bool *others)
{
    int64_t now = pawl__wall_ms(m->env.clock), n = 0;
    struct pawl__mjob *j;

    while (n < MEMORY_PROMOTE_MAX &&
           (j = pawl__mjob_of_state(pawl__set_first(&m->delayed))) != NULL &&
           j->record->info.job.ready_at_ms <= now) {
        pawl__mjob_lift(m, j);
        pawl__mjob_place(m, j, PAWL_WAITING);
        *others = *others || j->queue != q;
        n++;
    }
    return n;
}

static int64_t
memory_next_due(struct pawl__memory *m)
{
    struct pawl__mjob *j = pawl__mjob_of_state(pawl__set_first(&m->delayed));

    return j != NULL ? j->record->info.job.ready_at_ms : PAWL__NEVER;
}

static bool
memory_is_among(const char *const *types, size_t n, const char *type)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (strcmp(types[i], type) == 0)
            return true;
    return n == 0;
}

/* The next in turn over all types that are asked for. */
static struct pawl__mjob *
memory_next_job(struct pawl__mqueue *q, const struct pawl__exchange *x)
{
    struct pawl__mjob *best = NULL, *j;
    struct pawl__mtype *t;

    for (t = q->types; t != NULL; t = t->next) {
        if (!memory_is_among(x->types, x->n_types, t->name))
            continue;
        j = pawl__mjob_of_state(pawl__set_first(&t->waiting));
        if (j != NULL && (best == NULL ||
                          t->waiting.order(&j->by_state, &best->by_state) < 0))
            best = j;
    }
    return best;
}

static void
memory_claim(struct pawl__memory *m, struct pawl__mqueue *q,
             struct pawl__exchange *x)
{
    struct pawl__record *copy;
    struct pawl__mjob *j;

    while (x->n_claims < x->want && (j = memory_next_job(q, x)) != NULL) {
        pawl__mjob_lift(m, j);
        j->record->token = pawl__rng_id(&m->rng);
        j->record->info.worker = x->worker;
        j->was_running = false;
        pawl__mjob_place(m, j, PAWL_RESERVED);
        copy = pawl__mjob_copy(j);
        if (copy == NULL) { /* out of memory: this one stays, claim no more */
            pawl__mjob_lift(m, j);
            j->record->token = 0;
            j->record->info.worker = 0;
            pawl__mjob_place(m, j, PAWL_WAITING);
            break;
        }
        x->claims[x->n_claims++] = copy;
    }
}

static int
memory_exchange(void *self, struct pawl__exchange *x, pawl_error *err)
{
    struct pawl__memory *m = self;
    struct pawl__mqueue *q;
    struct pawl__mjob *j;
    size_t i;

    (void)err;
    if (x->push != NULL)
        x->push->rc =
            memory_push(m, x->push->queue, x->push->jobs, x->push->n,
                        x->push->ids, &x->push->failed_at, &x->push->err);
    x->n_claims = 0;
    x->promoted_others = false;
    x->next_at_ms = PAWL__NEVER;
    pawl__lock(&m->mu);
    q = pawl__mqueue_find(m, x->queue);
    for (i = 0; i < x->n_settles; i++) {
        x->settles[i].status =
            memory_is_held(m, &x->settles[i], &j) ? PAWL_OK : PAWL_STALE;
        if (x->settles[i].status == PAWL_OK)
            memory_settle_one(m, j, &x->settles[i]);
    }
    pawl__mqueue_settings(q, &x->settings);
    if (x->want > 0) {
        (void)memory_promote(m, q, &x->promoted_others);
        x->next_at_ms = memory_next_due(m);
        if (q != NULL && !x->settings.paused)
            memory_claim(m, q, x);
    }
    pawl__unlock(&m->mu);
    return PAWL_OK;
}

/* ---------------------------------------------------------------- workers */

static int
memory_worker_start(void *self, int n_threads, int64_t *worker, pawl_error *err)
{
    struct pawl__memory *m = self;
    int i;

    *worker = 0;
    if (n_threads < 1 || n_threads > PAWL__MEMORY_THREADS)
        return pawl__fail(err, PAWL_INVALID, 0, "a worker has 1 to %d threads",
                          PAWL__MEMORY_THREADS);
    pawl__lock(&m->mu);
    if (m->worker != 0) {
        pawl__unlock(&m->mu);
        return pawl__fail(err, PAWL_INVALID, 0,
                          "a worker is registered already");
    }
    for (i = 0; i < PAWL__MEMORY_THREADS; i++)
        atomic_store_explicit(&m->running[i], 0, memory_order_relaxed);
    m->worker = *worker = pawl__rng_id(&m->rng);
    pawl__unlock(&m->mu);
    return PAWL_OK;
}

static bool
memory_runs(struct pawl__memory *m, int64_t job)
{
    int i;

    for (i = 0; i < PAWL__MEMORY_THREADS; i++)
        if (atomic_load_explicit(&m->running[i], memory_order_relaxed) == job)
            return true;
    return false;
}

static void
memory_worker_stop(void *self)
{
    struct pawl__memory *m = self;
    const struct pawl__node *n;
    struct pawl__mjob *j;

    pawl__lock(&m->mu);
    for (n = pawl__set_first(&m->reserved); n != NULL;
         n = pawl__set_above(&m->reserved, n)) {
        j = pawl__mjob_of_state(n);
        if (j->record->info.worker == m->worker)
            j->was_running = memory_runs(m, j->record->info.id);
    }
    m->worker = 0;
    pawl__unlock(&m->mu);
}

static void
memory_running(void *self, int thread, int64_t job)
{
    struct pawl__memory *m = self;

    atomic_store_explicit(&m->running[thread], job, memory_order_relaxed);
}

/* ------------------------------------------------------------------ sweep */

static void
memory_abandon(struct pawl__memory *m, struct pawl__mjob *j,
               struct pawl__rescued *r)
{
    pawl_settings s;
    char why[80];

    pawl__mqueue_settings(j->queue, &s);
    r->was_running = j->was_running;
    r->job = j->record->info.id;
    (void)snprintf(r->queue, sizeof r->queue, "%s", j->queue->name);
    if (j->was_running)
        j->record->info.abandons++;
    r->failed = j->was_running && j->record->info.abandons >= s.max_abandons;
    if (r->failed) {
        (void)snprintf(why, sizeof why,
                       "abandoned: its worker died %d times while running it",
                       j->record->info.abandons);
        (void)pawl__mjob_text(j, why, NULL);
        pawl__mjob_finish(m, j, PAWL_FAILED);
        return;
    }
    pawl__mjob_lift(m, j);
    j->record->info.worker = 0;
    j->record->token = 0;
    pawl__mjob_place(m, j, PAWL_WAITING);
}

static int
memory_rescue(struct pawl__memory *m, struct pawl__sweep *sweep,
              pawl_error *err)
{
    const struct pawl__node *n;
    struct pawl__mjob *j, *next;

    if (m->reserved.n == 0)
        return PAWL_OK;
    sweep->rescued = pawl__calloc(m->reserved.n, sizeof *sweep->rescued);
    if (sweep->rescued == NULL)
        return pawl__fail_nomem(err);
    for (j = pawl__mjob_of_state(pawl__set_first(&m->reserved)); j != NULL;
         j = next) {
        n = pawl__set_above(&m->reserved, &j->by_state);
        next = pawl__mjob_of_state(n);
        if (m->worker == 0 || j->record->info.worker != m->worker)
            memory_abandon(m, j, &sweep->rescued[sweep->n_rescued++]);
    }
    return PAWL_OK;
}

/* When a finished job goes; PAWL__NEVER: it stays. */
static int64_t
memory_goes_at(const struct pawl__mjob *j, const pawl_settings *s)
{
    int64_t keep = s->retention_s * 1000, at = j->record->info.finished_at_ms;

    if (j->hidden)
        return at;
    if (s->retention_s < 0)
        return PAWL__NEVER;
    if (j->record->info.state == PAWL_DONE)
        return pawl__add_sat(at, keep);
    if (j->record->info.state == PAWL_CANCELLED)
        return pawl__add_sat(at, keep > MEMORY_DAY_MS ? keep : MEMORY_DAY_MS);
    return PAWL__NEVER;
}

/* Gone; but a key that is held longer keeps the job, hidden. */
static void
memory_prune_one(struct pawl__memory *m, struct pawl__mjob *j)
{
    if (!j->hidden && j->has_key &&
        j->unique_until > pawl__wall_ms(m->env.clock))
        pawl__mjob_finish(m, j, 0);
    else
        pawl__mjob_free(m, j);
}

static void
memory_prune(struct pawl__memory *m)
{
    int64_t now = pawl__wall_ms(m->env.clock);
    const struct pawl__node *n, *next;
    struct pawl__mqueue *q;
    pawl_settings s;

    for (q = m->queues; q != NULL; q = q->next) {
        pawl__mqueue_settings(q, &s);
        for (n = pawl__set_first(&q->finished); n != NULL; n = next) {
            next = pawl__set_above(&q->finished, n);
            if (memory_goes_at(pawl__mjob_of_state(n), &s) <= now)
                memory_prune_one(m, pawl__mjob_of_state(n));
        }
    }
}

static int
memory_sweep(void *self, struct pawl__sweep *sweep, pawl_error *err)
{
    struct pawl__memory *m = self;
    bool others = false;
    int rc;

    memset(sweep, 0, sizeof *sweep);
    sweep->next_at_ms = PAWL__NEVER;
    pawl__lock(&m->mu);
    rc = memory_rescue(m, sweep, err);
    if (rc == PAWL_OK) {
        sweep->n_promoted = memory_promote(m, NULL, &others);
        sweep->next_at_ms = memory_next_due(m);
        memory_prune(m);
    }
    pawl__unlock(&m->mu);
    return rc;
}

/* ------------------------------------------------------------------- look */

static int
memory_check(void *self, const struct pawl__settle *pairs, size_t n, bool *held,
             pawl_error *err)
{
    struct pawl__memory *m = self;
    struct pawl__mjob *j;
    size_t i;

    (void)err;
    pawl__lock(&m->mu);
    for (i = 0; i < n; i++)
        held[i] = memory_is_held(m, &pairs[i], &j);
    pawl__unlock(&m->mu);
    return PAWL_OK;
}

static int
memory_no_job(int64_t id, pawl_error *err)
{
    return pawl__fail(err, PAWL_NOT_FOUND, 0, "there is no job %lld",
                      (long long)id);
}

static int
memory_get(void *self, int64_t id, struct pawl__record **record,
           pawl_error *err)
{
    struct pawl__memory *m = self;
    struct pawl__mjob *j;
    int rc = PAWL_OK;

    *record = NULL;
    pawl__lock(&m->mu);
    j = pawl__mjob_find(m, id);
    if (j == NULL)
        rc = memory_no_job(id, err);
    else if ((*record = pawl__mjob_copy(j)) == NULL)
        rc = pawl__fail_nomem(err);
    pawl__unlock(&m->mu);
    return rc;
}

static bool
memory_matches(const struct pawl__mjob *j, const pawl_filter *f)
{
    return !j->hidden && (f->states & (unsigned)j->record->info.state) &&
           (f->queue == NULL || strcmp(f->queue, j->queue->name) == 0) &&
           (f->type == NULL || strcmp(f->type, j->type->name) == 0);
}

static int
memory_list(void *self, struct pawl__list *list, pawl_error *err)
{
    struct pawl__memory *m = self;
    const pawl_filter *f = list->filter;
    struct pawl__record probe_record;
    struct pawl__mjob probe, *j;
    const struct pawl__node *n;
    int rc = PAWL_OK;

    list->n_records = 0;
    probe.record = &probe_record;
    probe_record.info.id = f->after_id;
    if (f->newest_first && f->after_id == 0)
        probe_record.info.id = INT64_MAX;
    pawl__lock(&m->mu);
    for (n = &probe.by_id; (int64_t)list->n_records < f->limit;) {
        n = f->newest_first ? pawl__set_below(&m->jobs, n)
                            : pawl__set_above(&m->jobs, n);
        if (n == NULL)
            break;
        j = pawl__mjob_of_id(n);
        if (!memory_matches(j, f))
            continue;
        list->records[list->n_records] = pawl__mjob_copy(j);
        if (list->records[list->n_records] == NULL) {
            rc = pawl__fail_nomem(err);
            break;
        }
        list->n_records++;
    }
    pawl__unlock(&m->mu);
    while (rc != PAWL_OK && list->n_records > 0)
        pawl__record_free(list->records[--list->n_records]);
    return rc;
}

static void
memory_count(pawl_info *info, const struct pawl__mjob *j)
{
    int64_t ready = j->record->info.job.ready_at_ms;

    switch (j->record->info.state) {
    case PAWL_WAITING:
        if (info->waiting++ == 0 || ready < info->oldest_waiting_at_ms)
            info->oldest_waiting_at_ms = ready;
        break;
    case PAWL_DELAYED:
        info->delayed++;
        break;
    case PAWL_RESERVED:
        info->reserved++;
        break;
    case PAWL_TIMEOUT:
        info->timeout++;
        break;
    case PAWL_FAILED:
        info->failed++;
        break;
    case PAWL_DONE:
        info->done++;
        break;
    case PAWL_CANCELLED:
        info->cancelled++;
        break;
    default:
        break;
    }
}

static int
memory_info(void *self, const char *queue, pawl_info *info, pawl_error *err)
{
    struct pawl__memory *m = self;
    size_t size = info->struct_size;
    const struct pawl__node *n;
    const struct pawl__mqueue *q;
    pawl_settings s;

    (void)err;
    memset(info, 0, sizeof *info);
    info->struct_size = size;
    pawl__lock(&m->mu);
    q = pawl__mqueue_find(m, queue);
    for (n = pawl__set_first(&m->jobs); n != NULL;
         n = pawl__set_above(&m->jobs, n))
        if (pawl__mjob_of_id(n)->queue == q && !pawl__mjob_of_id(n)->hidden)
            memory_count(info, pawl__mjob_of_id(n));
    pawl__mqueue_settings(q, &s);
    info->paused = s.paused;
    info->workers = m->worker != 0;
    pawl__unlock(&m->mu);
    return PAWL_OK;
}

static int
memory_queues(void *self, char ***names, size_t *n, pawl_error *err)
{
    struct pawl__memory *m = self;
    struct pawl__mqueue *q;
    char *at;
    size_t i = 0;

    pawl__lock(&m->mu);
    for (*n = 0, q = m->queues; q != NULL; q = q->next)
        (*n)++;
    *names = pawl__calloc(*n + 1, sizeof **names + sizeof q->name);
    if (*names == NULL) {
        pawl__unlock(&m->mu);
        *n = 0;
        return pawl__fail_nomem(err);
    }
    at = (char *)(*names + *n + 1);
    for (q = m->queues; q != NULL; q = q->next, at += sizeof q->name)
        (*names)[i++] = memcpy(at, q->name, sizeof q->name);
    pawl__unlock(&m->mu);
    return PAWL_OK;
}

static bool
memory_is_busy(const struct pawl__mjob *j, int64_t now)
{
    const pawl_job_info *info = &j->record->info;

    return info->state == PAWL_WAITING || info->state == PAWL_RESERVED ||
           (info->state == PAWL_DELAYED &&
            (info->job.ready_at_ms <= now || info->attempts > 0 ||
             info->abandons > 0));
}

static bool
memory_is_wanted(const struct pawl__mjob *j, const struct pawl__interest *of,
                 size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (strcmp(j->queue->name, of[i].queue) == 0 &&
            memory_is_among(of[i].types, of[i].n_types, j->type->name))
            return true;
    return false;
}

static int
memory_busy(void *self, const struct pawl__interest *of, size_t n_of,
            bool *busy, pawl_error *err)
{
    struct pawl__memory *m = self;
    const struct pawl__node *n;
    struct pawl__mjob *j;

    (void)err;
    *busy = false;
    pawl__lock(&m->mu);
    for (n = pawl__set_first(&m->jobs); n != NULL && !*busy;
         n = pawl__set_above(&m->jobs, n)) {
        j = pawl__mjob_of_id(n);
        *busy = memory_is_busy(j, pawl__wall_ms(m->env.clock)) &&
                memory_is_wanted(j, of, n_of);
    }
    pawl__unlock(&m->mu);
    return PAWL_OK;
}

/* ----------------------------------------------------------------- change */

/* Back to waiting; EXISTS when another holds its key. */
static int
memory_reopen(struct pawl__memory *m, struct pawl__mjob *j, pawl_error *err)
{
    const char *key = j->record->info.job.unique_key;
    struct pawl__mjob *holder = NULL;

    if (key != NULL)
        holder = pawl__mkey_holder(m, j->queue, key);
    if (holder != NULL && holder != j)
        return pawl__fail(err, PAWL_EXISTS, 0,
                          "the unique key of job %lld is taken by job %lld",
                          (long long)j->record->info.id,
                          (long long)holder->record->info.id);
    if (key != NULL && !j->has_key) {
        pawl__set_add(&m->keys, &j->by_key, pawl__rng_next(&m->rng));
        j->has_key = true;
    }
    pawl__mjob_lift(m, j);
    j->record->info.finished_at_ms = 0;
    j->record->info.job.ready_at_ms = pawl__wall_ms(m->env.clock);
    pawl__mjob_place(m, j, PAWL_WAITING);
    return PAWL_OK;
}

static int
memory_retry(void *self, int64_t id, pawl_error *err)
{
    struct pawl__memory *m = self;
    const int may = PAWL_TIMEOUT | PAWL_FAILED | PAWL_CANCELLED | PAWL_DELAYED;
    struct pawl__mjob *j;
    int rc;

    pawl__lock(&m->mu);
    j = pawl__mjob_find(m, id);
    if (j == NULL)
        rc = memory_no_job(id, err);
    else if ((j->record->info.state & may) == 0)
        rc = pawl__fail(err, PAWL_NOT_FOUND, 0,
                        "job %lld is %s: only timeout, failed, cancelled and "
                        "delayed jobs can be retried",
                        (long long)id, pawl_state_name(j->record->info.state));
    else
        rc = memory_reopen(m, j, err);
    pawl__unlock(&m->mu);
    return rc;
}

static int
memory_cancel(void *self, int64_t id, char *queue, pawl_error *err)
{
    struct pawl__memory *m = self;
    const int may = PAWL_WAITING | PAWL_DELAYED | PAWL_RESERVED;
    struct pawl__mjob *j;
    int rc = PAWL_OK;

    pawl__lock(&m->mu);
    j = pawl__mjob_find(m, id);
    if (j == NULL) {
        rc = memory_no_job(id, err);
    } else if ((j->record->info.state & may) == 0) {
        rc = pawl__fail(err, PAWL_NOT_FOUND, 0, "job %lld is %s already",
                        (long long)id, pawl_state_name(j->record->info.state));
    } else {
        memcpy(queue, j->queue->name, sizeof j->queue->name);
        pawl__mjob_finish(m, j, PAWL_CANCELLED);
    }
    pawl__unlock(&m->mu);
    return rc;
}

static void
memory_move_one(struct pawl__memory *m, struct pawl__move *move,
                struct pawl__mjob *j)
{
    if (move->kind == PAWL__MOVE_FLUSH)
        pawl__mjob_free(m, j);
    else if (memory_reopen(m, j, NULL) != PAWL_OK)
        return; /* its key is taken: it stays */
    move->n++;
}

/* All of one state of one queue that are in this set, in its order. */
static void
memory_move_set(struct pawl__memory *m, struct pawl__move *move,
                const struct pawl__mqueue *q, const struct pawl__set *set,
                unsigned state)
{
    const struct pawl__node *n = pawl__set_first(set);
    struct pawl__mjob *j;

    while (n != NULL) {
        j = pawl__mjob_of_state(n);
        n = pawl__set_above(set, n);
        if (!j->hidden && j->queue == q && j->record->info.state == (int)state)
            memory_move_one(m, move, j);
    }
}

static void
memory_move_queue(struct pawl__memory *m, struct pawl__move *move,
                  struct pawl__mqueue *q)
{
    struct pawl__mtype *t;
    unsigned state;

    for (t = q->types; t != NULL && (move->states & PAWL_WAITING); t = t->next)
        memory_move_set(m, move, q, &t->waiting, PAWL_WAITING);
    if (move->states & PAWL_DELAYED)
        memory_move_set(m, move, q, &m->delayed, PAWL_DELAYED);
    for (state = PAWL_TIMEOUT; state <= PAWL_CANCELLED; state <<= 1)
        if (move->states & state)
            memory_move_set(m, move, q, &q->finished, state);
}

/* RAM is fast: one step does all. */
static int
memory_move(void *self, struct pawl__move *move, pawl_error *err)
{
    struct pawl__memory *m = self;
    struct pawl__mqueue *q;

    (void)err;
    move->n = 0;
    move->more = false;
    pawl__lock(&m->mu);
    for (q = m->queues; q != NULL; q = q->next)
        if (move->queue == NULL || strcmp(move->queue, q->name) == 0)
            memory_move_queue(m, move, q);
    pawl__unlock(&m->mu);
    return PAWL_OK;
}

static int
memory_settings(void *self, const char *queue, pawl_settings *settings,
                pawl_error *err)
{
    struct pawl__memory *m = self;

    (void)err;
    pawl__lock(&m->mu);
    pawl__mqueue_settings(pawl__mqueue_find(m, queue), settings);
    pawl__unlock(&m->mu);
    return PAWL_OK;
}

static int
memory_set(void *self, const char *queue, const struct pawl__setting *field,
           int64_t value, bool or_default, pawl_error *err)
{
    struct pawl__memory *m = self;
    struct pawl__mqueue *q;
    ptrdiff_t i = field - pawl__settings;

    pawl__lock(&m->mu);
    q = pawl__mqueue_get(m, queue);
    if (q != NULL) {
        q->value[i] = value;
        q->given[i] = !or_default;
        m->version++;
    }
    pawl__unlock(&m->mu);
    return q != NULL ? PAWL_OK : pawl__fail_nomem(err);
}

/* ------------------------------------------------------------------- wait */

static int
memory_wait(void *self, int64_t until_at_ms, int64_t max_ms, bool watch)
{
    struct pawl__memory *m = self;
    int64_t until = pawl__add_sat(pawl__real_us(), max_ms * 1000);
    int64_t left, due;
    int mask = PAWL__WAIT_TIME;

    pawl__lock(&m->mu);
    for (;;) {
        due = until_at_ms - pawl__wall_ms(m->env.clock);
        left = (until - pawl__real_us() + 999) / 1000;
        if (m->interrupted)
            mask = PAWL__WAIT_INTERRUPT;
        else if (watch && m->version != m->seen)
            mask = PAWL__WAIT_WORK;
        if (mask != PAWL__WAIT_TIME || due <= 0 || left <= 0)
            break;
        if (!m->env.clock->custom && due < left)
            left = due;
        (void)pawl__cond_wait_ms(&m->changed, &m->mu, left);
    }
    m->interrupted = false;
    if (watch)
        m->seen = m->version;
    pawl__unlock(&m->mu);
    return mask;
}

static void
memory_interrupt(void *self)
{
    struct pawl__memory *m = self;

    pawl__lock(&m->mu);
    m->interrupted = true;
    pawl__cond_broadcast(&m->changed);
    pawl__unlock(&m->mu);
}

const struct pawl__driver pawl__memory_driver = {
    .scheme = "memory",
    .open = memory_open,
    .close = memory_close,
    .push = memory_push,
    .push_start = memory_push_start,
    .sync = memory_sync,
    .async_pending = memory_async_pending,
    .exchange = memory_exchange,
    .worker_start = memory_worker_start,
    .worker_stop = memory_worker_stop,
    .running = memory_running,
    .sweep = memory_sweep,
    .check = memory_check,
    .get = memory_get,
    .list = memory_list,
    .retry = memory_retry,
    .cancel = memory_cancel,
    .move = memory_move,
    .info = memory_info,
    .queues = memory_queues,
    .busy = memory_busy,
    .settings = memory_settings,
    .set = memory_set,
    .wait = memory_wait,
    .interrupt = memory_interrupt,
};
