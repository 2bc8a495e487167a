/* SPDX-License-Identifier: MIT */
/* store.c - one opened store: order of start and stop.
 *
 *   start: register the worker, start the pools, start the store's thread
 *   stop:  tell the pools, wait for them, end the thread, drop the worker
 *
 * Locks: life is held for the whole of a start or stop, also while listeners
 * run on, and so is never taken in what a listener may call. mu is held to add
 * a queue; the list only grows, so it is read without. */
#include "engine/store.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

#define STORE_FOR_EVER_US (INT64_MAX / 4)

/* ------------------------------------------------------------ open, close */

static void
store_free(pawl_store *s)
{
    pawl_queue *q = atomic_load(&s->queues), *next;

    for (; q != NULL; q = next) {
        next = q->next;
        pawl__queue_free(q);
    }
    pawl__gate_clear(&s->gate);
    pawl__cond_clear(&s->changed);
    pawl__mutex_clear(&s->mu);
    pawl__mutex_clear(&s->life);
    pawl__free(s);
}

static void
store_take_options(pawl_store *s)
{
    const pawl_options *o = &s->options;

    pawl__clock_init(&s->clock, o->clock);
    s->log.fn = o->log;
    s->log.user = o->log_user;
    s->log.level = o->log_level;
    if (o->codec != NULL)
        s->codec = *o->codec;
    s->options.clock = NULL; /* copied: the caller's may go */
    s->options.codec = NULL;
    s->env.options = &s->options;
    s->env.clock = &s->clock;
    s->env.log = &s->log;
}

int
pawl__store_open(const char *url, const pawl_options *options,
                 pawl_store **store, pawl_error *err)
{
    pawl_store *s = pawl__calloc(1, sizeof *s);
    const char *location = NULL;
    int rc;

    if (s == NULL)
        return pawl__fail_nomem(err);
    pawl__mutex_init(&s->life, PAWL__RANK_LIFE);
    pawl__mutex_init(&s->mu, PAWL__RANK_STORE);
    pawl__cond_init(&s->changed);
    pawl__gate_init(&s->gate);
    s->pid = getpid();
    rc = pawl__options_check(options, &s->options, err);
    if (rc == PAWL_OK)
        rc = pawl__driver_find(url, &s->driver, &location, err);
    if (rc == PAWL_OK) {
        store_take_options(s);
        rc = s->driver->open(location, &s->env, &s->self, err);
    }
    if (rc != PAWL_OK) {
        store_free(s);
        return rc;
    }
    *store = s;
    return PAWL_OK;
}

void
pawl__store_close(pawl_store *s)
{
    /* In a forked child nothing is touched, nor freed: threads that are not
     * here may hold the locks or wait on the conditions. */
    if (s->pid != getpid() || pawl__store_is_inside(s))
        return;
    (void)pawl__store_stop(s, STORE_FOR_EVER_US / 1000, NULL);
    s->driver->close(s->self, false);
    store_free(s);
}

/* ----------------------------------------------------------------- queues */

pawl_queue *
pawl__store_find(pawl_store *s, const char *name)
{
    pawl_queue *q;

    for (PAWL__EACH_QUEUE(s, q))
        if (strcmp(q->name, name) == 0)
            return q;
    return NULL;
}

int
pawl__store_queue(pawl_store *s, const char *name, pawl_queue **queue,
                  pawl_error *err)
{
    pawl_queue *q;

    pawl__lock(&s->mu);
    q = pawl__store_find(s, name);
    if (q == NULL) {
        q = pawl__queue_new(s, name);
        if (q != NULL) {
            q->next = atomic_load(&s->queues);
            /* Release: who finds it finds it whole. */
            atomic_store_explicit(&s->queues, q, memory_order_release);
        }
    }
    pawl__unlock(&s->mu);
    *queue = q;
    return q != NULL ? PAWL_OK : pawl__fail_nomem(err);
}

void
pawl__store_notify_all(pawl_store *s)
{
    pawl_queue *q;

    for (PAWL__EACH_QUEUE(s, q))
        if (q->consumer.enabled)
            pawl__consumer_notify(&q->consumer);
}

/* ---------------------------------------------------------------- threads */

int
pawl__store_take_thread(pawl_store *s)
{
    char used;
    int i;

    for (i = 0; i < PAWL__STORE_THREADS_MAX; i++) {
        used = 0;
        if (atomic_compare_exchange_strong(&s->thread_used[i], &used, 1))
            return i;
    }
    return -1;
}

void
pawl__store_give_thread(pawl_store *s, int index)
{
    atomic_store(&s->thread_used[index], 0);
}

bool
pawl__store_is_inside(pawl_store *s)
{
    pawl_queue *q;

    if (atomic_load(&s->phase) == PAWL__STOPPED)
        return false;
    if (atomic_load(&s->timer.self) == (uintptr_t)pthread_self())
        return true;
    for (PAWL__EACH_QUEUE(s, q))
        if (q->consumer.enabled && pawl__consumer_is_self(&q->consumer))
            return true;
    return false;
}

/* ------------------------------------------------------------ start, stop */

/* All queues' pools: begin to stop, then wait until real time until_us. Who
 * waits for ever does not do so for a store that refuses the last settles. */
static bool
store_stop_pools(pawl_store *s, int64_t until_us)
{
    int64_t patience = until_us < STORE_FOR_EVER_US
                           ? INT64_MAX
                           : s->options.busy_timeout_ms * 1000;
    pawl_queue *q;
    bool ended = true;

    for (PAWL__EACH_QUEUE(s, q))
        if (q->consumer.enabled)
            pawl__consumer_stop(&q->consumer);
    for (PAWL__EACH_QUEUE(s, q))
        if (q->consumer.enabled &&
            !pawl__consumer_wait_end(&q->consumer, until_us, patience))
            ended = false;
    return ended;
}

/* Before any thread of ours runs. */
static void
store_choose_pools(pawl_store *s)
{
    pawl_queue *q;

    for (PAWL__EACH_QUEUE(s, q)) {
        q->consumer.enabled = q->dispatcher.first != NULL;
        q->gauge_at_ms = INT64_MIN;
    }
}

static int
store_start_pools(pawl_store *s, pawl_error *err)
{
    pawl_queue *q;
    int rc = PAWL_OK;

    for (PAWL__EACH_QUEUE(s, q))
        if (rc == PAWL_OK && q->consumer.enabled)
            rc = pawl__consumer_start(&q->consumer, err);
    return rc;
}

static int
store_start(pawl_store *s, pawl_error *err)
{
    int rc = s->driver->worker_start(s->self, PAWL__STORE_THREADS_MAX,
                                     &s->worker, err);

    if (rc != PAWL_OK)
        return rc;
    store_choose_pools(s);
    rc = pawl__timer_start(s, err);
    if (rc == PAWL_OK) {
        rc = store_start_pools(s, err);
        if (rc != PAWL_OK) {
            (void)store_stop_pools(s, STORE_FOR_EVER_US);
            pawl__timer_stop(s);
        }
    }
    if (rc != PAWL_OK)
        s->driver->worker_stop(s->self);
    return rc;
}

int
pawl__store_start(pawl_store *s, pawl_error *err)
{
    int rc;

    pawl__lock(&s->life);
    if (atomic_load(&s->phase) != PAWL__STOPPED) {
        rc = pawl__fail(err, PAWL_MISUSE, 0,
                        "the store is started already: stop it first");
    } else {
        atomic_store(&s->phase, PAWL__STARTED);
        rc = store_start(s, err);
        if (rc != PAWL_OK)
            atomic_store(&s->phase, PAWL__STOPPED);
    }
    pawl__unlock(&s->life);
    return rc;
}

static int
store_stop(pawl_store *s, int64_t until_us, pawl_error *err)
{
    atomic_store(&s->phase, PAWL__STOPPING);
    if (!store_stop_pools(s, until_us))
        return pawl__fail(err, PAWL_BUSY, 0,
                          "listeners still run: stop again to wait on, or "
                          "leave them to be rescued when the process ends");
    pawl__timer_stop(s);
    s->driver->worker_stop(s->self);
    atomic_store(&s->phase, PAWL__STOPPED);
    pawl__cond_broadcast(&s->changed);
    return PAWL_OK;
}

int
pawl__store_stop(pawl_store *s, int64_t grace_ms, pawl_error *err)
{
    int64_t until = pawl__add_sat(pawl__real_us(), grace_ms * 1000);
    int rc = PAWL_OK;

    if (pawl__store_is_inside(s))
        return pawl__fail(err, PAWL_MISUSE, 0,
                          "a listener cannot stop its own store: let another "
                          "thread call pawl_stop");
    pawl__lock(&s->life);
    if (atomic_load(&s->phase) != PAWL__STOPPED)
        rc = store_stop(s, until, err);
    pawl__unlock(&s->life);
    return rc;
}

/* ------------------------------------------------------------------ drain */

/* What the pools listen to, or NULL when memory is out. */
static struct pawl__interest *
store_interests(pawl_store *s, size_t *n)
{
    struct pawl__interest *of;
    pawl_queue *q;
    size_t room = 1;

    for (PAWL__EACH_QUEUE(s, q))
        room++;
    of = pawl__calloc(room, sizeof *of);
    *n = 0;
    if (of == NULL)
        return NULL;
    for (PAWL__EACH_QUEUE(s, q)) {
        if (!q->consumer.enabled || *n == room)
            continue;
        of[*n].queue = q->name;
        of[*n].types = q->dispatcher.types;
        of[(*n)++].n_types = pawl__dispatcher_n_types(&q->dispatcher);
    }
    return of;
}

static bool
store_is_quiet(pawl_store *s)
{
    pawl_queue *q;

    for (PAWL__EACH_QUEUE(s, q))
        if (q->consumer.enabled && !pawl__consumer_quiet(&q->consumer))
            return false;
    return true;
}

static int
store_busy(pawl_store *s, bool *busy, pawl_error *err)
{
    struct pawl__interest *of;
    size_t n;
    int rc;

    *busy = true;
    if (!store_is_quiet(s))
        return PAWL_OK;
    of = store_interests(s, &n);
    if (of == NULL)
        return pawl__fail_nomem(err);
    rc = s->driver->busy(s->self, of, n, busy, err);
    pawl__free(of);
    return rc;
}

int
pawl__store_drain(pawl_store *s, int64_t timeout_ms, pawl_error *err)
{
    int64_t until = pawl__add_sat(pawl__real_us(), timeout_ms * 1000);
    int64_t pause = 1;
    bool busy = true;
    int rc;

    for (;;) {
        if (atomic_load(&s->phase) == PAWL__STOPPED)
            return pawl__fail(err, PAWL_MISUSE, 0,
                              "the store is not started: nothing drains it");
        rc = store_busy(s, &busy, err);
        if (rc != PAWL_OK || !busy)
            return rc;
        if (pawl__real_us() >= until)
            return pawl__fail(err, PAWL_BUSY, 0,
                              "the time is over and jobs are left");
        pawl__lock(&s->mu); /* a notice missed here costs one pause */
        (void)pawl__cond_wait_ms(&s->changed, &s->mu, pause);
        pawl__unlock(&s->mu);
        if (pause < 50)
            pause *= 2;
    }
}
