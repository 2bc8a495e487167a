/* SPDX-License-Identifier: MIT */
/* model.c - a store of jobs, the plain way. */
#include "model/model.h"

#include <string.h>

void
model_init(struct model *m)
{
    int q;

    memset(m, 0, sizeof *m);
    for (q = 0; q < MODEL_QUEUES; q++) {
        m->queue[q].max_attempts = 1;
        m->queue[q].max_abandons = 3;
        m->queue[q].timeout = 3600000;
    }
}

struct model_job *
model_find(struct model *m, int64_t id)
{
    int i;

    for (i = 0; i < m->n; i++)
        if (m->job[i].id == id && !m->job[i].gone)
            return &m->job[i];
    return NULL;
}

int
model_count(const struct model *m)
{
    int i, n = 0;

    for (i = 0; i < m->n; i++)
        n += !m->job[i].gone;
    return n;
}

void
model_remove(struct model *m, struct model_job *j)
{
    int at = (int)(j - m->job);

    memmove(j, j + 1, sizeof *j * (size_t)(m->n - at - 1));
    m->n--;
}

/* ------------------------------------------------------------- unique keys */

struct model_job *
model_key_row(struct model *m, int queue, int key)
{
    int i;

    for (i = 0; i < m->n; i++)
        if (m->job[i].holds && m->job[i].as.queue == queue &&
            m->job[i].as.key == key)
            return &m->job[i];
    return NULL;
}

/* Who holds the key now. A finished holder whose time is over lets it go at
 * this moment, so a clock that steps back later does not give it back. */
static struct model_job *
model_holder(struct model *m, int queue, int key)
{
    struct model_job *j = model_key_row(m, queue, key);

    if (j == NULL || !j->ended || j->until > m->now)
        return j;
    j->holds = false;
    if (j->gone)
        model_remove(m, j);
    return NULL;
}

/* The job ends in a state, or is gone (0). */
static void
model_finish(struct model *m, struct model_job *j, int state)
{
    if (j->until <= m->now)
        j->holds = false;
    j->worker = j->token = 0;
    j->finished = m->now;
    j->ended = true;
    j->state = state;
    if (state != 0)
        return;
    j->gone = true;
    if (!j->holds)
        model_remove(m, j);
}

/* -------------------------------------------------------------------- push */

int64_t
model_ready(const struct model *m, const struct model_new *job)
{
    if (job->ready_at != 0)
        return job->ready_at > m->now ? job->ready_at : m->now;
    return m->now + job->delay;
}

static void
model_add(struct model *m, const struct model_new *job)
{
    struct model_job *j = &m->job[m->n++];

    memset(j, 0, sizeof *j);
    j->id = ++m->last_id;
    j->as = *job;
    j->pushed = m->now;
    j->ready = model_ready(m, job);
    j->state = j->ready > m->now ? PAWL_DELAYED : PAWL_WAITING;
    j->holds = job->key >= 0;
    j->until = job->unique_ms != 0 ? m->now + job->unique_ms : 0;
}

static void
model_undo(struct model *m, int64_t last_id)
{
    while (m->n > 0 && m->job[m->n - 1].id > last_id)
        m->n--;
    m->last_id = last_id;
}

int
model_push(struct model *m, const struct model_new *jobs, int n, int64_t *ids)
{
    const struct model_job *holder = NULL;
    int64_t before = m->last_id;
    int i;

    for (i = 0; i < n; i++) {
        if (jobs[i].key >= 0)
            holder = model_holder(m, jobs[i].queue, jobs[i].key);
        if (holder != NULL) {
            ids[0] = holder->id > before ? 0 : holder->id;
            model_undo(m, before);
            return PAWL_EXISTS;
        }
        model_add(m, &jobs[i]);
        ids[i] = m->last_id;
    }
    return PAWL_OK;
}

/* ------------------------------------------------------------------- claim */

int
model_promote(struct model *m, int queue, bool *others)
{
    int i, n = 0;

    *others = false;
    for (i = 0; i < m->n; i++)
        if (m->job[i].state == PAWL_DELAYED && m->job[i].ready <= m->now) {
            m->job[i].state = PAWL_WAITING;
            *others = *others || m->job[i].as.queue != queue;
            n++;
        }
    return n;
}

int64_t
model_next_due(const struct model *m)
{
    int64_t at = MODEL_NEVER;
    int i;

    for (i = 0; i < m->n; i++)
        if (m->job[i].state == PAWL_DELAYED && m->job[i].ready < at)
            at = m->job[i].ready;
    return at;
}

/* Priority falling, ready time rising, id rising; a comes after b in the
 * array, so its id is higher. */
static bool
model_goes_before(const struct model_job *a, const struct model_job *b)
{
    if (a->as.priority != b->as.priority)
        return a->as.priority > b->as.priority;
    return a->ready < b->ready;
}

struct model_job *
model_next(struct model *m, int queue, unsigned types)
{
    struct model_job *best = NULL, *j;

    for (j = m->job; j < m->job + m->n; j++)
        if (j->state == PAWL_WAITING && j->as.queue == queue &&
            (types & 1u << j->as.type) &&
            (best == NULL || model_goes_before(j, best)))
            best = j;
    return best;
}

void
model_claim(struct model_job *j, int64_t worker, int64_t token)
{
    j->state = PAWL_RESERVED;
    j->worker = worker;
    j->token = token;
    j->was_running = false;
}

/* ------------------------------------------------------------------ settle */

static void
model_put_back(struct model *m, struct model_job *j, int64_t ready)
{
    j->worker = j->token = 0;
    j->ready = ready;
    j->state = ready > m->now ? PAWL_DELAYED : PAWL_WAITING;
}

int
model_settle(struct model *m, int64_t id, int64_t token, enum model_end end,
             int64_t ready)
{
    struct model_job *j = model_find(m, id);

    if (j == NULL || j->state != PAWL_RESERVED || j->token != token)
        return PAWL_STALE;
    if (end == MODEL_RETRY || end == MODEL_FAIL || end == MODEL_TIMEOUT)
        j->attempts++;
    if (m->planted && end == MODEL_SNOOZE && j->as.priority > 0)
        j->attempts++;
    switch (end) {
    case MODEL_ACK:
        model_finish(m, j,
                     m->queue[j->as.queue].retention_s != 0 ? PAWL_DONE : 0);
        break;
    case MODEL_FAIL:
        model_finish(m, j, PAWL_FAILED);
        break;
    case MODEL_TIMEOUT:
        model_finish(m, j, PAWL_TIMEOUT);
        break;
    case MODEL_RETRY:
    case MODEL_SNOOZE:
        model_put_back(m, j, ready);
        break;
    case MODEL_RELEASE:
        j->worker = j->token = 0;
        j->state = PAWL_WAITING;
        break;
    }
    return PAWL_OK;
}

int64_t
model_backoff(int64_t floor, int64_t ceiling, int factor, int n)
{
    int64_t wait = floor;

    for (; n > 1 && wait < ceiling; n--) {
        wait = wait * factor / 100;
        if (factor == 100)
            break;
    }
    return wait > ceiling ? ceiling : wait;
}

/* ----------------------------------------------------------------- by hand */

static int
model_reopen(struct model *m, struct model_job *j)
{
    const struct model_job *holder;
    int64_t id = j->id;

    if (j->as.key >= 0) {
        holder = model_holder(m, j->as.queue, j->as.key);
        if (holder != NULL && holder->id != id)
            return PAWL_EXISTS;
        j = model_find(m, id); /* a holder that is gone moved the rest */
        if (!j->holds)
            j->until = 0;
        j->holds = true;
    }
    j->state = PAWL_WAITING;
    j->ready = m->now;
    j->finished = 0;
    j->ended = false;
    return PAWL_OK;
}

int
model_retry(struct model *m, int64_t id)
{
    struct model_job *j = model_find(m, id);

    if (j == NULL || !(j->state & (PAWL_TIMEOUT | PAWL_FAILED | PAWL_CANCELLED |
                                   PAWL_DELAYED)))
        return PAWL_NOT_FOUND;
    return model_reopen(m, j);
}

int
model_cancel(struct model *m, int64_t id)
{
    struct model_job *j = model_find(m, id);

    if (j == NULL ||
        !(j->state & (PAWL_WAITING | PAWL_DELAYED | PAWL_RESERVED)))
        return PAWL_NOT_FOUND;
    model_finish(m, j, PAWL_CANCELLED);
    return PAWL_OK;
}

/* The first job of a queue and state after (at, id) by the time of its end. */
static struct model_job *
model_next_ended(struct model *m, int queue, unsigned state, int64_t at,
                 int64_t id)
{
    struct model_job *best = NULL, *j;

    for (j = m->job; j < m->job + m->n; j++) {
        if (j->gone || j->as.queue != queue || j->state != (int)state)
            continue;
        if (j->finished < at || (j->finished == at && j->id <= id))
            continue;
        if (best == NULL || j->finished < best->finished)
            best = j;
    }
    return best;
}

static int
model_reload_state(struct model *m, int queue, unsigned state)
{
    struct model_job *j;
    int64_t at = -1, id = 0;
    int n = 0;

    while ((j = model_next_ended(m, queue, state, at, id)) != NULL) {
        at = j->finished;
        id = j->id;
        n += model_reopen(m, j) == PAWL_OK;
    }
    return n;
}

int
model_reload(struct model *m, int queue, unsigned states)
{
    unsigned state;
    int q, n = 0;

    for (q = 0; q < MODEL_QUEUES; q++)
        for (state = 1; state <= PAWL_CANCELLED; state <<= 1)
            if ((queue < 0 || q == queue) && (states & state))
                n += model_reload_state(m, q, state);
    return n;
}

int
model_flush(struct model *m, int queue, unsigned states)
{
    int i, n = 0;

    for (i = m->n - 1; i >= 0; i--)
        if (!m->job[i].gone && (states & (unsigned)m->job[i].state) &&
            (queue < 0 || m->job[i].as.queue == queue)) {
            model_remove(m, &m->job[i]);
            n++;
        }
    return n;
}

/* ------------------------------------------------------------------- sweep */

int
model_rescue(struct model *m, int64_t worker, struct model_rescued *out)
{
    struct model_job *j;
    int n = 0;

    for (j = m->job; j < m->job + m->n; j++) {
        if (j->state != PAWL_RESERVED || j->worker != worker)
            continue;
        j->abandons += j->was_running;
        out[n].job = j->id;
        out[n].was_running = j->was_running;
        out[n].failed =
            j->was_running && j->abandons >= m->queue[j->as.queue].max_abandons;
        j->worker = j->token = 0;
        if (out[n++].failed)
            model_finish(m, j, PAWL_FAILED);
        else
            j->state = PAWL_WAITING;
    }
    return n;
}

static bool
model_is_over(const struct model *m, const struct model_job *j)
{
    int64_t s = m->queue[j->as.queue].retention_s;
    int64_t keep = s > 0 ? s * 1000 : 0;

    if (j->gone)
        return j->until <= m->now;
    if (s < 0)
        return false;
    if (j->state == PAWL_DONE)
        return j->finished + keep <= m->now;
    if (j->state == PAWL_CANCELLED)
        return j->finished + (keep > MODEL_DAY ? keep : MODEL_DAY) <= m->now;
    return false;
}

void
model_prune(struct model *m)
{
    struct model_job *j;
    int i;

    for (i = m->n - 1; i >= 0; i--) {
        j = &m->job[i];
        if (!model_is_over(m, j))
            continue;
        if (!j->gone && j->holds && j->until > m->now) {
            j->gone = true;
            j->state = 0;
        } else {
            model_remove(m, j);
        }
    }
}
