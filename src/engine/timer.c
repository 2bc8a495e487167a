/* SPDX-License-Identifier: MIT */
/* timer.c - the store's own thread.
 *
 * It sleeps in driver->wait() until the nearest of: a second (sweep), a due
 * job, a deadline, ends that nobody settled, a gauge; or until another process
 * commits or dies, or someone here needs it. Idle, that is one wake-up each
 * second.
 *
 * No wake-up is lost: before it looks at what there is it notes that it does
 * not watch; whoever becomes idle or begins an attempt after that look finds
 * watching unset (or the noted time too late) and interrupts, and interrupts
 * are kept until the next wait. These notes are sequentially consistent, as
 * each side writes one and reads the other. */
#include "engine/timer.h"

#include <string.h>

#include "base/alloc.h"
#include "engine/store.h"

#define TIMER_TICK_MS 1000

void
pawl__timer_async(pawl_store *store)
{
    if (atomic_exchange(&store->timer.asleep, 0) != 0)
        store->driver->interrupt(store->self);
}

void
pawl__timer_poke(pawl_store *store)
{
    atomic_store(&store->timer.poked, 1);
    store->driver->interrupt(store->self);
}

void
pawl__timer_idle(pawl_store *store, int64_t next_at_ms)
{
    if (!atomic_load(&store->timer.watching) ||
        next_at_ms < atomic_load(&store->timer.until_at_ms))
        store->driver->interrupt(store->self);
}

void
pawl__timer_deadline(pawl_store *store, int64_t at_ms)
{
    if (at_ms < atomic_load(&store->timer.until_mono_ms))
        store->driver->interrupt(store->self);
}

/* ------------------------------------------------------------------ sweep */

static void
timer_tell_rescued(pawl_store *store, const struct pawl__rescued *r)
{
    pawl_queue *q = pawl__store_find(store, r->queue);
    pawl_event e;

    if (q == NULL)
        return;
    memset(&e, 0, sizeof e);
    e.struct_size = sizeof e;
    e.kind = PAWL_ON_RESCUED;
    e.queue = q;
    e.job_id = r->job;
    e.error = r->was_running ? "its worker died while running it"
                             : "its worker died before running it";
    pawl__emit(&q->events, &e);
    if (!r->failed)
        return;
    e.kind = PAWL_ON_ABORT;
    pawl__emit(&q->events, &e);
}

static void
timer_sweep(pawl_store *store, int64_t now_ms)
{
    struct pawl__timer *t = &store->timer;
    struct pawl__sweep sweep;
    pawl_error err;
    size_t i;

    memset(&err, 0, sizeof err);
    t->sweep_ms = pawl__add_sat(now_ms, TIMER_TICK_MS);
    if (store->driver->sweep(store->self, &sweep, &err) != PAWL_OK) {
        t->next_at_ms = PAWL__NEVER; /* the next tick tries again */
        return;
    }
    t->next_at_ms = sweep.next_at_ms;
    for (i = 0; i < sweep.n_rescued; i++)
        timer_tell_rescued(store, &sweep.rescued[i]);
    if (sweep.n_rescued > 0)
        pawl__log(&store->log, PAWL_WARN,
                  "rescued %zu jobs of workers that died", sweep.n_rescued);
    if (sweep.n_rescued > 0 || sweep.n_promoted > 0)
        pawl__store_notify_all(store);
    pawl__free(sweep.rescued);
}

/* ------------------------------------------------------------------ gauge */

/* Call the gauge for each queue that is due; when the next one is. */
static int64_t
timer_gauge(pawl_store *store, int64_t now_ms)
{
    int64_t next = PAWL__NEVER, interval;
    pawl_settings settings;
    pawl_info info;
    pawl_queue *q;

    if (store->gauge == NULL) /* fixed while started */
        return next;
    for (PAWL__EACH_QUEUE(store, q)) {
        if (q->gauge_at_ms <= now_ms) {
            interval = store->gauge_ms;
            if (interval == 0) {
                pawl__settings_default(&settings);
                (void)store->driver->settings(store->self, q->name, &settings,
                                              NULL);
                interval = settings.length_interval_s * 1000;
            }
            q->gauge_at_ms = pawl__add_sat(now_ms, interval);
            memset(&info, 0, sizeof info);
            info.struct_size = sizeof info;
            if (store->driver->info(store->self, q->name, &info, NULL) ==
                PAWL_OK)
                store->gauge(q->name, &info, store->gauge_user);
        }
        if (q->gauge_at_ms < next)
            next = q->gauge_at_ms;
    }
    return next;
}

/* ------------------------------------------------------------------- loop */

static int64_t
timer_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Do what is due; the monotonic time at which to look again. */
static int64_t
timer_work(pawl_store *store, int mask)
{
    struct pawl__timer *t = &store->timer;
    bool poked = atomic_exchange(&t->poked, 0) != 0;
    int64_t now = pawl__monotonic_ms(&store->clock), next, in;
    bool tick;
    pawl_queue *q;

    if (store->driver->async_pending(store->self))
        (void)store->driver->sync(store->self, NULL);
    if (poked || (mask & PAWL__WAIT_WORK))
        pawl__store_notify_all(store);
    tick = poked || now >= t->sweep_ms;
    next = now;
    if (tick || (mask & PAWL__WAIT_DEATH) ||
        t->next_at_ms <= pawl__wall_ms(&store->clock))
        timer_sweep(store, now);
    next = t->sweep_ms;
    for (PAWL__EACH_QUEUE(store, q)) {
        if (!q->consumer.enabled)
            continue;
        next = timer_min(next, pawl__consumer_time_out(&q->consumer));
        in = pawl__consumer_settle_old(&q->consumer);
        if (in != PAWL__NEVER)
            next = timer_min(next, pawl__add_sat(now, in));
        if (tick)
            pawl__consumer_check(&q->consumer);
    }
    return timer_min(next, timer_gauge(store, now));
}

/* The wall time of the next due job, and whether anybody waits for work. */
static int64_t
timer_until(pawl_store *store, bool *watch)
{
    int64_t until = store->timer.next_at_ms, at;
    pawl_queue *q;

    *watch = false;
    for (PAWL__EACH_QUEUE(store, q))
        if (q->consumer.enabled && pawl__consumer_idle(&q->consumer, &at)) {
            *watch = true;
            until = timer_min(until, at);
        }
    return until;
}

/* A job that a consumer knows to be due is promoted by our own sweep. */
static void
timer_wait(pawl_store *store, int64_t next_ms, int *mask)
{
    struct pawl__timer *t = &store->timer;
    int64_t now = pawl__monotonic_ms(&store->clock);
    int64_t max = next_ms <= now ? 0 : next_ms - now;
    int64_t until;
    bool watch;

    if (max > TIMER_TICK_MS) /* also with a custom clock: real time */
        max = TIMER_TICK_MS;
    if (store->clock.custom && max == 0)
        max = 1;
    atomic_store(&t->until_mono_ms, next_ms);
    until = timer_until(store, &watch);
    atomic_store(&t->until_at_ms, until);
    atomic_store(&t->watching, watch ? 1 : 0);
    atomic_store(&t->asleep, 1);
    *mask = 0;
    if (!store->driver->async_pending(store->self))
        *mask = store->driver->wait(store->self, until, max, watch);
    atomic_store(&t->asleep, 0);
    atomic_store(&t->watching, 0);
    /* Who begins an attempt while we look may find us past its queue. */
    atomic_store(&t->until_mono_ms, PAWL__NEVER);
    if (until <= pawl__wall_ms(&store->clock))
        t->next_at_ms = timer_min(t->next_at_ms, until);
}

static void *
timer_main(void *arg)
{
    pawl_store *store = arg;
    int mask = 0;
    int64_t next;

    atomic_store(&store->timer.self, (uintptr_t)pthread_self());
    while (!atomic_load(&store->timer.stop)) {
        next = timer_work(store, mask);
        timer_wait(store, next, &mask);
    }
    return NULL;
}

int
pawl__timer_start(pawl_store *store, pawl_error *err)
{
    struct pawl__timer *t = &store->timer;
    int rc;

    atomic_store(&t->stop, 0);
    atomic_store(&t->watching, 0);
    atomic_store(&t->until_at_ms, PAWL__NEVER);
    atomic_store(&t->until_mono_ms, PAWL__NEVER);
    t->sweep_ms = INT64_MIN; /* at once */
    t->next_at_ms = PAWL__NEVER;
    rc = pawl__thread_start(&t->thread, "pawl-store", timer_main, store);
    if (rc != 0)
        return pawl__fail(err, PAWL_NOMEM, rc,
                          "the store's thread could not be started");
    return PAWL_OK;
}

void
pawl__timer_stop(pawl_store *store)
{
    atomic_store(&store->timer.stop, 1);
    store->driver->interrupt(store->self);
    pawl__thread_join(&store->timer.thread);
    atomic_store(&store->timer.self, 0);
}
