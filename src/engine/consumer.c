/* SPDX-License-Identifier: MIT */
/* consumer.c - the pool of threads of one queue.
 *
 * There is no thread that fetches for the others. Each runs the jobs of the
 * ring; the one that finds the ring low, or ends to settle, exchanges: it
 * settles what all of them have finished and claims what they need next, in
 * one transaction, while the others run on. When nothing is there to be
 * claimed they wait, and use no CPU.
 *
 * How much is claimed: with slow listeners, as many jobs as threads are free;
 * with fast ones, about 2 ms of work, by the moving average of a job's run.
 *
 * Invariants: every claimed record is in the ring, or run by a thread, or was
 * given back. Every end is in done, or in the hands of the one who fetches.
 * done never lies for long: a thread that finds no next job settles at once,
 * and the store's own thread takes along what is older than some ms.
 *
 * Locks: mu; none is held while a listener, an event handler, the log hook or
 * the driver runs. Attempts' own mutexes are taken inside mu. */
#include "engine/consumer.h"

#include <string.h>

#include "base/alloc.h"
#include "engine/store.h"

#define CONSUMER_AHEAD_US 2000   /* claim so much work ahead */
#define CONSUMER_SETTLE_US 2000  /* ends wait so long for company */
#define CONSUMER_OLD_MS 5        /* and so long for a pool thread */
#define CONSUMER_CHECK_MS 1000   /* ask after attempts that run for longer */
#define CONSUMER_PAUSE_MIN_MS 10 /* after an error, doubling */
#define CONSUMER_PAUSE_MAX_MS 1000

void
pawl__consumer_init(struct pawl__consumer *c, pawl_queue *queue)
{
    memset(c, 0, sizeof *c);
    c->queue = queue;
    pawl__mutex_init(&c->mu, PAWL__RANK_QUEUE);
    pawl__cond_init(&c->work);
    pawl__cond_init(&c->ended);
    pawl__rng_seed(&c->rng);
    c->next_at_ms = PAWL__NEVER;
}

/* ------------------------------------------------------------------- ends */

static void
consumer_drop_outcomes(struct pawl__outcomes *o)
{
    size_t i;

    for (i = 0; i < o->n; i++)
        pawl__free((void *)(uintptr_t)o->all[i].text);
    pawl__free(o->all);
    memset(o, 0, sizeof *o);
}

/* Takes settle's text. Out of memory: the end is lost, so the job runs again
 * once this process is gone; at least once is kept. */
static void
consumer_add_outcome(struct pawl__consumer *c, struct pawl__settle *settle)
{
    struct pawl__outcomes *o = &c->done;
    struct pawl__settle *grown;
    size_t room;

    if (o->n == o->room) {
        room = o->room != 0 ? o->room * 2 : 64;
        grown = pawl__realloc(o->all, room, sizeof *grown);
        if (grown == NULL) {
            pawl__free((void *)(uintptr_t)settle->text);
            return;
        }
        o->all = grown;
        o->room = room;
    }
    if (o->n == 0)
        c->done_since_us = pawl__real_us();
    o->all[o->n++] = *settle;
}

/* Put back what could not be settled, before what has come since. */
static void
consumer_restore(struct pawl__consumer *c, struct pawl__outcomes *taken)
{
    size_t i;

    if (c->done.n == 0) {
        pawl__free(c->done.all);
        c->done = *taken;
        memset(taken, 0, sizeof *taken);
        c->done_since_us = pawl__real_us();
        return;
    }
    for (i = 0; i < taken->n; i++)
        consumer_add_outcome(c, &taken->all[i]);
    taken->n = 0;
    consumer_drop_outcomes(taken);
}

/* ------------------------------------------------------------------- ring */

static struct pawl__record *
consumer_pop(struct pawl__consumer *c)
{
    struct pawl__record *r = c->ring[c->ring_at];

    c->ring_at = (c->ring_at + 1) % (2 * PAWL__BATCH_MAX);
    c->ring_n--;
    c->ring_moved = true;
    return r;
}

static void
consumer_put(struct pawl__consumer *c, struct pawl__record *r)
{
    c->ring[(c->ring_at + c->ring_n) % (2 * PAWL__BATCH_MAX)] = r;
    c->ring_n++;
}

/* Give back what was claimed and not started: it counts nothing. */
static void
consumer_release_ring(struct pawl__consumer *c)
{
    struct pawl__settle settle;
    struct pawl__record *r;

    while (c->ring_n > 0) {
        r = consumer_pop(c);
        memset(&settle, 0, sizeof settle);
        settle.job = r->info.id;
        settle.token = r->token;
        settle.outcome = PAWL__RELEASE;
        if (!c->broken)
            consumer_add_outcome(c, &settle);
        pawl__record_free(r);
    }
}

/* --------------------------------------------------------------- exchange */

/* How many jobs to have at hand: see above. */
static size_t
consumer_batch(const struct pawl__consumer *c)
{
    int64_t free_threads = c->n_threads - c->n_running;
    int64_t n = free_threads;

    if (c->run_us > 0)
        n = c->n_threads * (CONSUMER_AHEAD_US * 16 / (c->run_us + 1));
    if (n < free_threads)
        n = free_threads;
    if (n < 1)
        n = 1;
    return n > PAWL__BATCH_MAX ? PAWL__BATCH_MAX : (size_t)n;
}

static bool
consumer_may_claim(const struct pawl__consumer *c)
{
    return c->look && !c->stopping && !c->broken;
}

/* How few jobs at hand make t exchange. At the largest batch the pool outruns
 * any claim: then each claim is to bring as many as it can, as it walks past
 * those in flight. Who exchanged last is the first to do so again, for the
 * database's pages are in its core's caches; another comes in when that one is
 * late, as it has a job to run. */
static size_t
consumer_low(const struct pawl__consumer *c, const struct pawl__pool_thread *t)
{
    size_t batch = consumer_batch(c);
    size_t low = batch == PAWL__BATCH_MAX ? batch / 8 : batch / 2;

    return t == c->fetcher ? low : low / 2;
}

/* Should t exchange now, rather than run or wait? */
static bool
consumer_must_fetch(const struct pawl__consumer *c,
                    const struct pawl__pool_thread *t)
{
    int64_t now;

    if (c->fetching || (c->done.n == 0 && !consumer_may_claim(c)))
        return false;
    if (c->ring_n > 0) {
        if (consumer_may_claim(c) && c->ring_n <= consumer_low(c, t) &&
            c->run_us > 0 && c->run_us < CONSUMER_AHEAD_US * 16)
            return pawl__real_us() >= c->not_before_us;
        if (c->done.n == 0)
            return false;
        now = pawl__real_us();
        return now - c->done_since_us > CONSUMER_SETTLE_US &&
               now >= c->not_before_us;
    }
    return pawl__real_us() >= c->not_before_us;
}

static bool
consumer_error_is_final(int rc)
{
    return rc == PAWL_UNKNOWN || rc == PAWL_POISONED || rc == PAWL_CORRUPT ||
           rc == PAWL_SCHEMA;
}

/* What is claimed and unsettled here will be rescued. */
static void
consumer_give_up(struct pawl__consumer *c)
{
    c->broken = true;
    consumer_drop_outcomes(&c->done);
    consumer_release_ring(c);
    pawl__cond_broadcast(&c->work);
}

/* The exchange failed: keep the ends and try later, or give up for good. */
static void
consumer_failed(struct pawl__consumer *c, int rc, struct pawl__outcomes *taken)
{
    if (consumer_error_is_final(rc)) {
        consumer_drop_outcomes(taken);
        consumer_give_up(c);
        return;
    }
    consumer_restore(c, taken);
    c->look = true;
    c->pause_ms = c->pause_ms != 0 ? c->pause_ms * 2 : CONSUMER_PAUSE_MIN_MS;
    if (c->pause_ms > CONSUMER_PAUSE_MAX_MS)
        c->pause_ms = CONSUMER_PAUSE_MAX_MS;
    c->not_before_us = pawl__real_us() + c->pause_ms * 1000;
}

/* Wake a thread for each job at hand, and one for ends to settle; one of them
 * is taken by the caller where that is of the pool. */
static void
consumer_wake(struct pawl__consumer *c, bool ours)
{
    size_t n = c->ring_n + (c->done.n > 0), i;

    for (i = ours; i < n && i < (size_t)c->n_idle + ours; i++)
        pawl__cond_signal(&c->work);
}

static void consumer_resize(struct pawl__consumer *c);

static void
consumer_take_claims(struct pawl__consumer *c, const struct pawl__exchange *x,
                     bool ours)
{
    size_t i;

    c->pause_ms = 0;
    c->not_before_us = 0;
    if (x->want == 0)
        return;
    for (i = 0; i < x->n_claims; i++)
        consumer_put(c, x->claims[i]);
    c->look = c->look || x->n_claims == x->want;
    c->next_at_ms = x->next_at_ms;
    c->settings = x->settings;
    if (c->stopping || c->broken)
        consumer_release_ring(c);
    else
        consumer_resize(c);
    consumer_wake(c, ours);
}

static void
consumer_log_error(struct pawl__consumer *c, int rc, const pawl_error *err,
                   bool first)
{
    if (first)
        pawl__log(&c->queue->store->log,
                  consumer_error_is_final(rc) ? PAWL_ERROR : PAWL_WARN,
                  "queue %s: %s", c->queue->name, err->message);
}

/* Did an end bring a job back? Then there is something to claim, or a time to
 * learn. */
static bool
consumer_brings_back(const struct pawl__outcomes *taken)
{
    size_t i;

    for (i = 0; i < taken->n; i++)
        if (taken->all[i].outcome == PAWL__RETRY ||
            taken->all[i].outcome == PAWL__SNOOZE ||
            taken->all[i].outcome == PAWL__RELEASE)
            return true;
    return false;
}

/* Push (NULL: nothing), settle and claim. Called with mu held, which it gives
 * up meanwhile; want 0: claim nothing. */
static void
consumer_exchange(struct pawl__consumer *c, struct pawl__push *push,
                  size_t want)
{
    pawl_store *store = c->queue->store;
    struct pawl__record *claims[PAWL__BATCH_MAX];
    struct pawl__outcomes taken = c->done;
    struct pawl__exchange x;
    pawl_error err;
    bool first = c->pause_ms == 0;
    int rc;

    memset(&x, 0, sizeof x);
    memset(&err, 0, sizeof err);
    memset(&c->done, 0, sizeof c->done);
    c->fetching = true;
    if (want > 0)
        c->look = false; /* a notice from here on sets it again */
    pawl__unlock(&c->mu);

    x.push = push;
    x.queue = c->queue->name;
    x.worker = store->worker;
    x.settles = taken.all;
    x.n_settles = taken.n;
    x.types = c->queue->dispatcher.types;
    x.n_types = pawl__dispatcher_n_types(&c->queue->dispatcher);
    x.want = want;
    x.claims = claims;
    rc = store->driver->exchange(store->self, &x, &err);
    if (rc != PAWL_OK)
        consumer_log_error(c, rc, &err, first);
    else if (x.promoted_others)
        pawl__store_notify_all(store);

    pawl__lock(&c->mu);
    c->fetching = false;
    if (rc == PAWL_OK) {
        c->look = c->look || (want == 0 && consumer_brings_back(&taken));
        consumer_drop_outcomes(&taken);
        consumer_take_claims(c, &x, want > 0 && push == NULL);
    } else {
        consumer_failed(c, rc, &taken);
    }
    /* A thread that was told to look meanwhile found us fetching, and waits. */
    if (c->stopping)
        pawl__cond_broadcast(&c->work); /* they end only now */
    else if (c->n_idle > 0 && (c->look || c->done.n > 0))
        pawl__cond_signal(&c->work);
}

static void
consumer_fetch(struct pawl__consumer *c, struct pawl__pool_thread *t)
{
    size_t batch = consumer_batch(c), want = 0;

    c->fetcher = t;
    /* On a full disk or so: first what makes room. */
    if (consumer_may_claim(c) && !(c->pause_ms > 0 && c->done.n > 0) &&
        batch > c->ring_n)
        want = batch - c->ring_n;
    if (want > 0 || c->done.n > 0)
        consumer_exchange(c, NULL, want);
    else
        c->look = false;
}

bool
pawl__consumer_push(struct pawl__consumer *c, struct pawl__push *push)
{
    bool idle;

    pawl__lock(&c->mu);
    idle = c->n_idle > 0 && c->ring_n == 0 && !c->fetching && !c->look &&
           !c->stopping && !c->broken && c->pause_ms == 0;
    if (idle) {
        consumer_exchange(c, push, consumer_batch(c));
        pawl__timer_idle(c->queue->store, c->next_at_ms); /* takes no lock */
    }
    pawl__unlock(&c->mu);
    return idle;
}

/* --------------------------------------------------------------- one job */

static void
consumer_emit(struct pawl__consumer *c, int kind,
              const struct pawl__record *record,
              const struct pawl__settle *settle)
{
    pawl_event e;

    memset(&e, 0, sizeof e);
    e.struct_size = sizeof e;
    e.kind = kind;
    e.queue = c->queue;
    e.job = &record->info.job;
    e.job_id = record->info.id;
    e.attempt = record->info.attempts + 1;
    if (settle != NULL) {
        e.error = kind == PAWL_ON_SUCCEEDED ? NULL : settle->text;
        e.next_at_ms = kind == PAWL_ON_RETRY ? settle->ready_at_ms : 0;
    }
    pawl__emit(&c->queue->events, &e);
}

static void
consumer_emit_outcome(struct pawl__consumer *c,
                      const struct pawl__record *record,
                      const struct pawl__settle *settle)
{
    switch (settle->outcome) {
    case PAWL__ACK:
        consumer_emit(c, PAWL_ON_SUCCEEDED, record, settle);
        break;
    case PAWL__RETRY:
        consumer_emit(c, PAWL_ON_RETRY, record, settle);
        break;
    case PAWL__FAIL:
    case PAWL__TIMEOUT:
        consumer_emit(c, PAWL_ON_ABORT, record, settle);
        break;
    case PAWL__SNOOZE:
    case PAWL__RELEASE:
        break;
    }
}

/* Decode, and call the listeners. */
static int
consumer_listen(struct pawl__consumer *c, pawl_attempt *a,
                const struct pawl__record *record)
{
    const pawl_codec *codec = &c->queue->store->codec;
    pawl_job job = record->info.job;
    void *plain = NULL;
    size_t bytes = 0;
    int rc;

    if (codec->decode != NULL) {
        if (codec->decode(job.payload, job.payload_bytes, &plain, &bytes,
                          codec->user) != 0)
            return pawl_attempt_fail(a,
                                     "the codec could not decode the payload");
        job.payload = plain;
        job.payload_bytes = bytes;
    }
    rc = pawl__dispatcher_run(&c->queue->dispatcher, a, &job);
    pawl__free_foreign(plain);
    return rc;
}

static void
consumer_note_run(struct pawl__consumer *c, int64_t us)
{
    int64_t sixteenth = us > 1000000 ? 16000000 : us * 16;

    c->run_us += (sixteenth - c->run_us) / 8 + 1;
}

/* Run the listeners, and leave the end in *settle; false: it was decided by
 * the deadline or a cancellation. */
static bool
consumer_attempt(struct pawl__consumer *c, struct pawl__rng *rng,
                 pawl_attempt *a, struct pawl__settle *settle)
{
    const struct pawl__record *record = a->record;
    bool late;
    int rc;

    consumer_emit(c, PAWL_ON_STARTED, record, NULL);
    rc = consumer_listen(c, a, record);
    late = pawl__attempt_is_late(a);
    if (!pawl__attempt_decide(a))
        return false;
    if (late)
        pawl__attempt_settle_timeout(a, rng, settle);
    else
        pawl__attempt_settle(a, rc, rng, settle);
    if (late)
        consumer_emit(c, PAWL_ON_TIMED_OUT, record, settle);
    consumer_emit_outcome(c, record, settle);
    return true;
}

static void
consumer_leave_gate(struct pawl__consumer *c, struct pawl__pool_thread *t)
{
    if (t->inside)
        pawl__gate_leave(&c->queue->store->gate, t->alone);
    t->inside = false;
}

/* The attempt that t runs was decided without its listener, which may never
 * return: another thread takes its place in the pool. */
static void
consumer_overtake(struct pawl__consumer *c, struct pawl__pool_thread *t)
{
    if (t->late)
        return;
    t->late = true;
    c->n_late++;
    if (!c->stopping)
        consumer_resize(c);
}

/* Let t in. Called with mu held, which it gives up where it must wait; false:
 * meanwhile the pool began to stop. */
static bool
consumer_enter_gate(struct pawl__consumer *c, struct pawl__pool_thread *t,
                    bool alone)
{
    struct pawl__gate *gate = &c->queue->store->gate;

    if (!pawl__gate_try(gate, alone)) {
        pawl__unlock(&c->mu);
        pawl__gate_enter(gate, alone);
        pawl__lock(&c->mu);
    }
    t->inside = true;
    t->alone = alone;
    return !c->stopping && !c->broken;
}

/* The attempt is over: leave its end for whoever exchanges next. Called with
 * mu held. */
static void
consumer_end_job(struct pawl__consumer *c, struct pawl__pool_thread *t,
                 int64_t run_us, struct pawl__settle *settle)
{
    consumer_note_run(c, run_us);
    if (settle != NULL)
        consumer_add_outcome(c, settle);
    c->queue->store->driver->running(c->queue->store->self, t->index, 0);
    c->n_running--;
    consumer_leave_gate(c, t);
    if (t->late)
        c->n_late--;
    t->late = false;
    t->attempt = NULL;
}

/* One job, from the ring to its end. Called with mu held: between two jobs it
 * is taken once. */
static void
consumer_run_job(struct pawl__consumer *c, struct pawl__pool_thread *t)
{
    pawl_store *store = c->queue->store;
    struct pawl__record *record = consumer_pop(c);
    struct pawl__settle settle;
    bool decided;
    pawl_attempt a;
    int64_t began;

    c->n_running++;
    if (!consumer_enter_gate(c, t, record->info.abandons > 0)) {
        consumer_put(c, record);
        consumer_release_ring(c);
        c->n_running--;
        consumer_leave_gate(c, t);
        return;
    }
    pawl__attempt_init(&a, c->queue, &store->clock, record,
                       record->info.job.timeout_ms);
    t->attempt = &a;
    pawl__unlock(&c->mu);
    pawl__record_free(t->spent);
    t->spent = record;
    pawl__timer_deadline(
        store, atomic_load_explicit(&a.deadline_ms, memory_order_relaxed));
    store->driver->running(store->self, t->index, record->info.id);
    began = pawl__real_us();
    decided = consumer_attempt(c, &t->rng, &a, &settle);

    pawl__lock(&c->mu);
    consumer_end_job(c, t, pawl__real_us() - began, decided ? &settle : NULL);
    pawl__attempt_clear(&a);
}

/* ------------------------------------------------------------------ threads */

static bool
consumer_must_end(const struct pawl__consumer *c)
{
    if (c->stopping) /* a push may be claiming for us */
        return c->ring_n == 0 && !c->fetching && (c->done.n == 0 || c->broken);
    return c->n_threads > c->n_wanted + c->n_late && c->ring_n == 0 &&
           c->done.n == 0;
}

static void
consumer_wait(struct pawl__consumer *c, struct pawl__pool_thread *t)
{
    pawl_store *store = c->queue->store;
    int64_t now = pawl__real_us();

    pawl__record_free(t->spent); /* who is idle keeps no memory */
    t->spent = NULL;
    if (c->not_before_us > now) {
        (void)pawl__cond_wait_ms(&c->work, &c->mu,
                                 (c->not_before_us - now) / 1000 + 1);
        return;
    }
    c->n_idle++;
    if (!c->fetching && c->n_running == 0)
        pawl__cond_broadcast(&store->changed);
    pawl__timer_idle(store, c->next_at_ms); /* takes no lock */
    pawl__cond_wait(&c->work, &c->mu);
    c->n_idle--;
}

static void *
consumer_main(void *arg)
{
    struct pawl__pool_thread *t = arg;
    struct pawl__consumer *c = t->consumer;

    pawl__lock(&c->mu);
    while (!consumer_must_end(c)) {
        if (consumer_must_fetch(c, t))
            consumer_fetch(c, t);
        else if (c->ring_n > 0 && !c->stopping)
            consumer_run_job(c, t);
        else
            consumer_wait(c, t);
    }
    pawl__record_free(t->spent);
    t->spent = NULL;
    t->state = PAWL__POOL_ENDED;
    c->n_threads--;
    pawl__store_give_thread(c->queue->store, t->index);
    pawl__cond_broadcast(&c->ended);
    pawl__cond_broadcast(&c->work); /* the next to end */
    pawl__cond_broadcast(&c->queue->store->changed);
    pawl__unlock(&c->mu);
    return NULL;
}

static int
consumer_start_thread(struct pawl__consumer *c, pawl_error *err)
{
    struct pawl__pool_thread *t = NULL;
    int i, rc;

    for (i = 0; i < PAWL__POOL_MAX && t == NULL; i++)
        if (c->pool[i].state != PAWL__POOL_LIVE)
            t = &c->pool[i];
    if (t == NULL)
        return pawl__fail(err, PAWL_INVALID, 0, "a pool has at most %d threads",
                          PAWL__POOL_MAX);
    /* It has given up mu for good, so this join does not wait for us. */
    pawl__thread_join(&t->thread);
    t->state = PAWL__POOL_FREE;
    t->index = pawl__store_take_thread(c->queue->store);
    if (t->index < 0)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "the queues' parallelism adds up to more than %d "
                          "threads: lower it",
                          PAWL__STORE_THREADS_MAX);
    t->consumer = c;
    t->attempt = NULL;
    pawl__rng_seed(&t->rng);
    rc = pawl__thread_start(&t->thread, "pawl-pool", consumer_main, t);
    if (rc != 0) {
        pawl__store_give_thread(c->queue->store, t->index);
        return pawl__fail(err, PAWL_NOMEM, rc,
                          "a thread could not be started: lower parallelism");
    }
    t->state = PAWL__POOL_LIVE;
    c->n_threads++;
    return PAWL_OK;
}

/* Follow the parallelism setting: start threads; too many end by themselves. */
static void
consumer_resize(struct pawl__consumer *c)
{
    pawl_error ignored;
    int wanted;

    c->n_wanted =
        c->settings.parallelism != 0 ? c->settings.parallelism : pawl__n_cpus();
    if (c->n_wanted > PAWL__POOL_MAX)
        c->n_wanted = PAWL__POOL_MAX;
    wanted = c->n_wanted + c->n_late;
    if (wanted > PAWL__POOL_MAX)
        wanted = PAWL__POOL_MAX;
    while (c->n_threads < wanted)
        if (consumer_start_thread(c, &ignored) != PAWL_OK)
            break;
    if (c->n_threads > wanted)
        pawl__cond_broadcast(&c->work);
}

int
pawl__consumer_start(struct pawl__consumer *c, pawl_error *err)
{
    pawl_store *store = c->queue->store;
    pawl_settings settings;
    int rc;

    rc = store->driver->settings(store->self, c->queue->name, &settings, err);
    if (rc != PAWL_OK)
        return rc;
    pawl__lock(&c->mu);
    c->settings = settings;
    c->stopping = c->broken = c->fetching = false;
    c->look = true;
    c->not_before_us = c->pause_ms = 0;
    c->n_wanted =
        settings.parallelism != 0 ? settings.parallelism : pawl__n_cpus();
    while (rc == PAWL_OK && c->n_threads < c->n_wanted)
        rc = consumer_start_thread(c, err);
    pawl__unlock(&c->mu);
    return rc;
}

void
pawl__consumer_stop(struct pawl__consumer *c)
{
    int i;

    pawl__lock(&c->mu);
    c->stopping = true;
    consumer_release_ring(c);
    for (i = 0; i < PAWL__POOL_MAX; i++)
        if (c->pool[i].attempt != NULL)
            pawl__attempt_tell(c->pool[i].attempt, PAWL_STOP_SHUTDOWN);
    pawl__cond_broadcast(&c->work);
    pawl__unlock(&c->mu);
}

bool
pawl__consumer_wait_end(struct pawl__consumer *c, int64_t until_us,
                        int64_t patience_us)
{
    int64_t now, refused_us = 0; /* since when nothing but settles is left */
    bool ended;
    int i;

    pawl__lock(&c->mu);
    /* The grace is for listeners, and for a store that refuses the last
     * settles; idle threads end by themselves. */
    while (c->n_threads > 0 && ((now = pawl__real_us()) < until_us ||
                                (c->n_running == 0 && c->pause_ms == 0))) {
        if (c->n_running > 0 || c->pause_ms == 0 || refused_us == 0)
            refused_us = now;
        if (now - refused_us > patience_us && !c->broken)
            consumer_give_up(c);
        (void)pawl__cond_wait_ms(&c->ended, &c->mu, CONSUMER_OLD_MS);
    }
    ended = c->n_threads == 0;
    pawl__unlock(&c->mu);
    for (i = 0; ended && i < PAWL__POOL_MAX; i++) {
        pawl__thread_join(&c->pool[i].thread);
        c->pool[i].state = PAWL__POOL_FREE;
    }
    return ended;
}

void
pawl__consumer_clear(struct pawl__consumer *c)
{
    size_t i;

    for (i = 0; i < c->ring_n; i++)
        pawl__record_free(c->ring[(c->ring_at + i) % (2 * PAWL__BATCH_MAX)]);
    consumer_drop_outcomes(&c->done);
    pawl__cond_clear(&c->ended);
    pawl__cond_clear(&c->work);
    pawl__mutex_clear(&c->mu);
}

void
pawl__consumer_notify(struct pawl__consumer *c)
{
    bool wake = false;

    pawl__lock(&c->mu);
    if (!c->look && !c->stopping) {
        c->look = true;
        wake = c->n_idle > 0;
    }
    pawl__unlock(&c->mu);
    if (wake) /* without mu: it would only wait for it */
        pawl__cond_signal(&c->work);
}

/* ------------------------------------------------ for the store's own thread
 */

/* The deadline of one attempt passed: settle it, having told of it. Called
 * with mu held, which it gives up meanwhile. */
static void
consumer_time_out_one(struct pawl__consumer *c, struct pawl__pool_thread *t)
{
    pawl_attempt *a = t->attempt;
    /* A copy: the listener may return, and its record go, at any moment. */
    struct pawl__record *record = pawl__record_copy(a->record);
    struct pawl__settle settle;

    if (record == NULL || !pawl__attempt_decide(a)) {
        pawl__record_free(record); /* out of memory: at the next tick */
        return;
    }
    pawl__attempt_tell(a, PAWL_STOP_TIMEOUT);
    pawl__attempt_settle_timeout(a, &c->rng, &settle);
    consumer_overtake(c, t);
    pawl__unlock(&c->mu);
    consumer_emit(c, PAWL_ON_TIMED_OUT, record, &settle);
    consumer_emit_outcome(c, record, &settle);
    pawl__record_free(record);
    pawl__lock(&c->mu);
    consumer_add_outcome(c, &settle);
    c->done_since_us = 0; /* its token is to be dead at once */
}

int64_t
pawl__consumer_time_out(struct pawl__consumer *c)
{
    int64_t now = pawl__monotonic_ms(&c->queue->store->clock);
    int64_t next = PAWL__NEVER, at;
    pawl_attempt *a;
    int i;

    pawl__lock(&c->mu);
    for (i = 0; i < PAWL__POOL_MAX; i++) {
        a = c->pool[i].attempt;
        if (a == NULL ||
            atomic_load_explicit(&a->stop_reason, memory_order_relaxed) ==
                PAWL_STOP_TIMEOUT)
            continue;
        at = atomic_load_explicit(&a->deadline_ms, memory_order_relaxed);
        if (at <= now)
            consumer_time_out_one(c, &c->pool[i]);
        else if (at < next)
            next = at;
    }
    pawl__unlock(&c->mu);
    return next;
}

/* Once all ends are settled the gate need not wait for listeners that run on:
 * not before, as a job that is let in alone may end the process, and their
 * jobs must not count that as an abandon. */
static void
consumer_leave_late(struct pawl__consumer *c)
{
    int i;

    if (c->done.n > 0 || c->fetching)
        return;
    for (i = 0; c->n_late > 0 && i < PAWL__POOL_MAX; i++)
        if (c->pool[i].late)
            consumer_leave_gate(c, &c->pool[i]);
}

int64_t
pawl__consumer_settle_old(struct pawl__consumer *c)
{
    int64_t again = PAWL__NEVER, now;

    pawl__lock(&c->mu);
    now = pawl__real_us();
    if (c->done.n > 0 && !c->fetching && !c->broken &&
        now >= c->not_before_us) {
        if (now - c->done_since_us >= CONSUMER_OLD_MS * 1000)
            consumer_exchange(c, NULL, 0);
        if (c->done.n > 0)
            again = CONSUMER_OLD_MS;
    } else if (c->done.n > 0 && !c->broken) {
        again = CONSUMER_OLD_MS;
    }
    consumer_leave_late(c);
    pawl__unlock(&c->mu);
    return again;
}

/* Jobs that were claimed and that nobody here came to start since the last
 * tick: others may have time for them. */
static void
consumer_free_ring(struct pawl__consumer *c)
{
    if (c->ring_n > 0 && !c->ring_moved) {
        consumer_release_ring(c);
        c->done_since_us = 0;
        c->look = true;
    }
    c->ring_moved = false;
}

void
pawl__consumer_check(struct pawl__consumer *c)
{
    pawl_store *store = c->queue->store;
    int64_t now = pawl__monotonic_ms(&store->clock);
    struct pawl__settle pairs[PAWL__POOL_MAX];
    bool held[PAWL__POOL_MAX];
    pawl_attempt *a;
    size_t n = 0, k;
    int i;

    pawl__lock(&c->mu);
    consumer_free_ring(c);
    for (i = 0; i < PAWL__POOL_MAX; i++) {
        a = c->pool[i].attempt;
        if (a == NULL || now - a->began_ms < CONSUMER_CHECK_MS ||
            atomic_load_explicit(&a->stop_reason, memory_order_relaxed) !=
                PAWL_STOP_NONE)
            continue;
        memset(&pairs[n], 0, sizeof pairs[n]);
        pairs[n].job = a->record->info.id;
        pairs[n++].token = a->record->token;
    }
    pawl__unlock(&c->mu);
    if (n == 0 ||
        store->driver->check(store->self, pairs, n, held, NULL) != PAWL_OK)
        return;
    pawl__lock(&c->mu);
    for (i = 0; i < PAWL__POOL_MAX; i++) {
        a = c->pool[i].attempt;
        for (k = 0; a != NULL && k < n; k++)
            if (!held[k] && a->record->token == pairs[k].token &&
                pawl__attempt_decide(a)) {
                pawl__attempt_tell(a, PAWL_STOP_CANCELLED);
                consumer_overtake(c, &c->pool[i]);
                consumer_leave_gate(c, &c->pool[i]);
            }
    }
    pawl__unlock(&c->mu);
}

bool
pawl__consumer_idle(struct pawl__consumer *c, int64_t *next_at_ms)
{
    bool idle;

    pawl__lock(&c->mu);
    idle = c->n_idle > 0 && !c->stopping;
    *next_at_ms = idle ? c->next_at_ms : PAWL__NEVER;
    pawl__unlock(&c->mu);
    return idle;
}

void
pawl__consumer_cancel(struct pawl__consumer *c, int64_t job)
{
    pawl_attempt *a;
    int i;

    pawl__lock(&c->mu);
    for (i = 0; i < PAWL__POOL_MAX; i++) {
        a = c->pool[i].attempt;
        if (a != NULL && a->record->info.id == job && pawl__attempt_decide(a)) {
            pawl__attempt_tell(a, PAWL_STOP_CANCELLED);
            consumer_overtake(c, &c->pool[i]);
            consumer_leave_gate(c, &c->pool[i]);
        }
    }
    pawl__unlock(&c->mu);
}

bool
pawl__consumer_quiet(struct pawl__consumer *c)
{
    bool quiet;

    pawl__lock(&c->mu);
    quiet = c->broken || (c->ring_n == 0 && c->n_running == c->n_late &&
                          c->done.n == 0 && !c->fetching);
    pawl__unlock(&c->mu);
    return quiet;
}

bool
pawl__consumer_is_self(struct pawl__consumer *c)
{
    bool self = false;
    int i;

    pawl__lock(&c->mu);
    for (i = 0; i < PAWL__POOL_MAX && !self; i++)
        self = c->pool[i].state == PAWL__POOL_LIVE &&
               pthread_equal(c->pool[i].thread.t, pthread_self());
    pawl__unlock(&c->mu);
    return self;
}
