/* SPDX-License-Identifier: MIT */
/* store.c - a store in RAM: its sets, and how a job moves between them.
 *
 * Invariant: a job is in exactly one set by state (waiting and reserved are
 * two), and in the set of keys exactly while it holds one. */
#include "memory/store.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"

#define MJOB(node_, field_)                                             \
    ((struct pawl__mjob *)(void *)((char *)(uintptr_t)(node_)-offsetof( \
        struct pawl__mjob, field_)))

struct pawl__mjob *
pawl__mjob_of_id(const struct pawl__node *n)
{
    return n != NULL ? MJOB(n, by_id) : NULL;
}

struct pawl__mjob *
pawl__mjob_of_state(const struct pawl__node *n)
{
    return n != NULL ? MJOB(n, by_state) : NULL;
}

/* ----------------------------------------------------------------- orders */

static int
store_compare(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int
store_by_id(const struct pawl__node *a, const struct pawl__node *b)
{
    return store_compare(MJOB(a, by_id)->record->info.id,
                         MJOB(b, by_id)->record->info.id);
}

static int
store_by_reserved(const struct pawl__node *a, const struct pawl__node *b)
{
    return store_compare(MJOB(a, by_state)->record->info.id,
                         MJOB(b, by_state)->record->info.id);
}

static int
store_by_ready(const struct pawl__node *a, const struct pawl__node *b)
{
    const pawl_job_info *x = &MJOB(a, by_state)->record->info;
    const pawl_job_info *y = &MJOB(b, by_state)->record->info;
    int c = store_compare(x->job.ready_at_ms, y->job.ready_at_ms);

    return c != 0 ? c : store_compare(x->id, y->id);
}

static int
store_by_turn(const struct pawl__node *a, const struct pawl__node *b)
{
    const pawl_job_info *x = &MJOB(a, by_state)->record->info;
    const pawl_job_info *y = &MJOB(b, by_state)->record->info;
    int c = store_compare(y->job.priority, x->job.priority);

    return c != 0 ? c : store_by_ready(a, b);
}

static int
store_by_end(const struct pawl__node *a, const struct pawl__node *b)
{
    const pawl_job_info *x = &MJOB(a, by_state)->record->info;
    const pawl_job_info *y = &MJOB(b, by_state)->record->info;
    int c = store_compare(x->state, y->state);

    if (c == 0)
        c = store_compare(x->finished_at_ms, y->finished_at_ms);
    return c != 0 ? c : store_compare(x->id, y->id);
}

static int
store_by_key(const struct pawl__node *a, const struct pawl__node *b)
{
    const struct pawl__mjob *x = MJOB(a, by_key), *y = MJOB(b, by_key);
    int c = strcmp(x->queue->name, y->queue->name);

    return c != 0 ? c
                  : strcmp(x->record->info.job.unique_key,
                           y->record->info.job.unique_key);
}

void
pawl__mstore_init_sets(struct pawl__memory *m)
{
    m->jobs.order = store_by_id;
    m->delayed.order = store_by_ready;
    m->reserved.order = store_by_reserved;
    m->keys.order = store_by_key;
}

void
pawl__mqueue_init_sets(struct pawl__mqueue *q)
{
    q->finished.order = store_by_end;
}

/* ----------------------------------------------------------------- queues */

struct pawl__mqueue *
pawl__mqueue_find(struct pawl__memory *m, const char *name)
{
    struct pawl__mqueue *q;

    for (q = m->queues; q != NULL; q = q->next)
        if (strcmp(q->name, name) == 0)
            return q;
    return NULL;
}

struct pawl__mqueue *
pawl__mqueue_get(struct pawl__memory *m, const char *name)
{
    struct pawl__mqueue *q = pawl__mqueue_find(m, name), **at;

    if (q != NULL)
        return q;
    q = pawl__calloc(1, sizeof *q);
    if (q == NULL)
        return NULL;
    memcpy(q->name, name, strlen(name) + 1); /* checked: at most 64 bytes */
    pawl__mqueue_init_sets(q);
    for (at = &m->queues; *at != NULL && strcmp((*at)->name, name) < 0;)
        at = &(*at)->next;
    q->next = *at;
    *at = q;
    return q;
}

void
pawl__mqueue_settings(const struct pawl__mqueue *q, pawl_settings *s)
{
    int i;

    pawl__settings_default(s);
    for (i = 0; q != NULL && i < PAWL__N_SETTINGS; i++)
        if (q->given[i])
            pawl__setting_put(s, &pawl__settings[i], q->value[i]);
}

static struct pawl__mtype *
store_type(struct pawl__mqueue *q, const char *name)
{
    struct pawl__mtype *t;

    for (t = q->types; t != NULL; t = t->next)
        if (strcmp(t->name, name) == 0)
            return t;
    t = pawl__calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    memcpy(t->name, name, strlen(name) + 1); /* checked: at most 128 bytes */
    t->waiting.order = store_by_turn;
    t->next = q->types;
    q->types = t;
    return t;
}

/* ------------------------------------------------------------------- jobs */

struct pawl__mjob *
pawl__mjob_find(struct pawl__memory *m, int64_t id)
{
    struct pawl__record record;
    struct pawl__mjob probe, *j;

    record.info.id = id;
    probe.record = &record;
    j = pawl__mjob_of_id(pawl__set_find(&m->jobs, &probe.by_id));
    return j != NULL && !j->hidden ? j : NULL;
}

struct pawl__set *
pawl__mset(struct pawl__memory *m, struct pawl__mjob *j)
{
    switch (j->record->info.state) {
    case PAWL_WAITING:
        return &j->type->waiting;
    case PAWL_DELAYED:
        return &m->delayed;
    case PAWL_RESERVED:
        return &m->reserved;
    default:
        return &j->queue->finished;
    }
}

void
pawl__mjob_lift(struct pawl__memory *m, struct pawl__mjob *j)
{
    pawl__set_remove(pawl__mset(m, j), &j->by_state);
    m->version++;
}

void
pawl__mjob_place(struct pawl__memory *m, struct pawl__mjob *j, int state)
{
    j->record->info.state = state;
    pawl__set_add(pawl__mset(m, j), &j->by_state, pawl__rng_next(&m->rng));
    m->version++;
}

static void
store_drop_key(struct pawl__memory *m, struct pawl__mjob *j)
{
    if (!j->has_key)
        return;
    pawl__set_remove(&m->keys, &j->by_key);
    j->has_key = false;
    j->unique_until = j->record->info.job.unique_ms = 0;
}

void
pawl__mjob_free(struct pawl__memory *m, struct pawl__mjob *j)
{
    store_drop_key(m, j);
    pawl__mjob_lift(m, j);
    pawl__set_remove(&m->jobs, &j->by_id);
    pawl__record_free(j->record);
    pawl__free(j);
}

void
pawl__mjob_finish(struct pawl__memory *m, struct pawl__mjob *j, int state)
{
    pawl_job_info *info = &j->record->info;
    int64_t now = pawl__wall_ms(m->env.clock);

    if (j->has_key && j->unique_until <= now)
        store_drop_key(m, j);
    if (state == 0 && !j->has_key) {
        pawl__mjob_free(m, j);
        return;
    }
    pawl__mjob_lift(m, j);
    j->hidden = state == 0;
    info->worker = 0;
    j->record->token = 0;
    info->finished_at_ms = j->hidden ? j->unique_until : now;
    pawl__mjob_place(m, j, state);
}

struct pawl__mjob *
pawl__mkey_holder(struct pawl__memory *m, struct pawl__mqueue *q,
                  const char *key)
{
    struct pawl__record record;
    struct pawl__mjob probe, *j;
    struct pawl__node *n;

    record.info.job.unique_key = key;
    probe.record = &record;
    probe.queue = q;
    n = pawl__set_find(&m->keys, &probe.by_key);
    if (n == NULL)
        return NULL;
    j = MJOB(n, by_key);
    if ((j->record->info.state &
         (PAWL_WAITING | PAWL_DELAYED | PAWL_RESERVED)) ||
        j->unique_until > pawl__wall_ms(m->env.clock))
        return j;
    store_drop_key(m, j);
    if (j->hidden)
        pawl__mjob_free(m, j);
    return NULL;
}

static struct pawl__record *
store_record(struct pawl__memory *m, const struct pawl__mqueue *q,
             const struct pawl__new_job *from)
{
    struct pawl__record r;

    memset(&r, 0, sizeof r);
    r.info.struct_size = sizeof r.info;
    r.info.id = m->last_id + 1;
    r.info.queue = q->name;
    r.info.pushed_at_ms = from->pushed_at_ms;
    r.info.job.struct_size = sizeof r.info.job;
    r.info.job.type = from->type;
    r.info.job.payload = from->payload;
    r.info.job.payload_bytes = from->payload_bytes;
    r.info.job.ready_at_ms = from->ready_at_ms;
    r.info.job.timeout_ms = from->timeout_ms;
    r.info.job.unique_key = from->unique_key;
    if (from->unique_until_at_ms > from->pushed_at_ms)
        r.info.job.unique_ms = from->unique_until_at_ms - from->pushed_at_ms;
    r.info.job.max_attempts = from->max_attempts;
    r.info.job.priority = from->priority;
    r.info.job.backoff_floor_ms = from->backoff_floor_ms;
    r.info.job.backoff_ceiling_ms = from->backoff_ceiling_ms;
    r.info.job.backoff_factor_percent = from->backoff_factor_percent;
    r.info.job.backoff_jitter_percent = from->backoff_jitter_percent;
    return pawl__record_copy(&r);
}

struct pawl__mjob *
pawl__mjob_new(struct pawl__memory *m, struct pawl__mqueue *q,
               const struct pawl__new_job *from)
{
    struct pawl__mjob *j = pawl__calloc(1, sizeof *j);

    if (j == NULL)
        return NULL;
    j->queue = q;
    j->type = store_type(q, from->type);
    j->record = store_record(m, q, from);
    if (j->type == NULL || j->record == NULL) {
        pawl__record_free(j->record);
        pawl__free(j);
        return NULL;
    }
    m->last_id++;
    j->unique_until = from->unique_until_at_ms;
    pawl__set_add(&m->jobs, &j->by_id, pawl__rng_next(&m->rng));
    pawl__mjob_place(m, j,
                     from->ready_at_ms > from->pushed_at_ms ? PAWL_DELAYED
                                                            : PAWL_WAITING);
    if (from->unique_key != NULL) {
        pawl__set_add(&m->keys, &j->by_key, pawl__rng_next(&m->rng));
        j->has_key = true;
    }
    return j;
}

bool
pawl__mjob_text(struct pawl__mjob *j, const char *error, const char *result)
{
    struct pawl__record changed = *j->record, *copy;

    if (error == NULL && result == NULL)
        return true;
    if (error != NULL)
        changed.info.error = error;
    if (result != NULL)
        changed.info.result = result;
    copy = pawl__record_copy(&changed);
    if (copy == NULL)
        return false;
    pawl__record_free(j->record);
    j->record = copy;
    return true;
}

struct pawl__record *
pawl__mjob_copy(const struct pawl__mjob *j)
{
    struct pawl__record *copy = pawl__record_copy(j->record);
    pawl_settings settings;

    if (copy == NULL)
        return NULL;
    pawl__mqueue_settings(j->queue, &settings);
    pawl__job_fill(&copy->info.job, &settings);
    return copy;
}
