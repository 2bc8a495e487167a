/* SPDX-License-Identifier: MIT */
/* consumer.h - the pool of threads of one queue. */
#ifndef PAWL_ENGINE_CONSUMER_H
#define PAWL_ENGINE_CONSUMER_H

#include "base/thread.h"
#include "driver/driver.h"
#include "engine/attempt.h"

#define PAWL__POOL_MAX 256  /* threads of one queue */
#define PAWL__BATCH_MAX 512 /* jobs of one claim */
#define PAWL__STORE_THREADS_MAX 480

struct pawl__pool_thread {
    struct pawl__thread thread;
    struct pawl__consumer *consumer;
    int index; /* in the store: what driver->running() is told */
    enum { PAWL__POOL_FREE, PAWL__POOL_LIVE, PAWL__POOL_ENDED } state;
    pawl_attempt *attempt; /* what it runs, or NULL */
    bool inside, alone;    /* of the gate, and how it went in */
    bool late; /* its attempt was decided, and the listener still runs */
    struct pawl__record *spent; /* run, and not freed yet: its own */
    struct pawl__rng rng;       /* its own */
};

/* An end that is not settled yet: settle.text is owned. */
struct pawl__outcomes {
    struct pawl__settle *all;
    size_t n, room;
};

struct pawl__consumer {
    pawl_queue *queue;
    bool enabled; /* has listeners; fixed while started */

    struct pawl__mutex mu;   /* guards all below */
    struct pawl__cond work;  /* pool threads wait here */
    struct pawl__cond ended; /* a pool thread ended; stop waits here */
    struct pawl__pool_thread pool[PAWL__POOL_MAX];
    int n_threads, n_wanted, n_idle, n_running;
    int n_late; /* of those that run: others take their place */

    struct pawl__record *ring[2 * PAWL__BATCH_MAX]; /* claimed, not started */
    size_t ring_at, ring_n;
    bool ring_moved; /* since the last tick */
    struct pawl__outcomes done;
    int64_t done_since_us; /* real time of the oldest in done */

    bool fetching;                           /* a thread exchanges */
    const struct pawl__pool_thread *fetcher; /* who did so last, or NULL */
    bool look;                               /* there may be jobs to claim */
    bool stopping;                           /* claim and start no more */
    bool broken;           /* the store refuses work for good */
    int64_t not_before_us; /* after an error: when to exchange again */
    int64_t pause_ms;      /* how long that was */
    int64_t next_at_ms;    /* when the next delayed job is due */
    int64_t run_us;        /* moving average of a job's run, in 1/16 us */
    pawl_settings settings;
    struct pawl__rng rng;
};

void pawl__consumer_init(struct pawl__consumer *c, pawl_queue *queue);
void pawl__consumer_clear(struct pawl__consumer *c);

/* Start the pool. */
int pawl__consumer_start(struct pawl__consumer *c, pawl_error *err);
/* Begin to stop: nothing more is claimed or started, listeners are told. */
void pawl__consumer_stop(struct pawl__consumer *c);
/* Wait until real time until_us for all threads to end; join them. When only
 * settles are left and the store has refused them for patience_us, they are
 * given up: their jobs are rescued, and run again. */
bool pawl__consumer_wait_end(struct pawl__consumer *c, int64_t until_us,
                             int64_t patience_us);

/* While threads of the pool have nothing to do: store the jobs and claim what
 * the pool can start in one transaction, so that a listener starts about when
 * the push returns. push->rc tells of the push. False: they are busy, and
 * nothing was done. Any thread. */
bool pawl__consumer_push(struct pawl__consumer *c, struct pawl__push *push);

/* There may be work: look. Any thread. */
void pawl__consumer_notify(struct pawl__consumer *c);

/* For the store's own thread: */

/* Decide attempts past their deadline; returns when the next one is due
 * (monotonic), or PAWL__NEVER. */
int64_t pawl__consumer_time_out(struct pawl__consumer *c);
/* Settle ends that no thread of the pool took along; returns in how many real
 * ms to call again, or PAWL__NEVER. */
int64_t pawl__consumer_settle_old(struct pawl__consumer *c);
/* Ask the driver for attempts that run for long: tell those that lost their
 * claim. */
void pawl__consumer_check(struct pawl__consumer *c);
/* Is a thread of the pool without work? *next_at_ms: when a job is due. */
bool pawl__consumer_idle(struct pawl__consumer *c, int64_t *next_at_ms);

/* Tell the attempt of this job, if it runs here, that it was cancelled. */
void pawl__consumer_cancel(struct pawl__consumer *c, int64_t job);
/* Is nothing claimed, running or unsettled here? */
bool pawl__consumer_quiet(struct pawl__consumer *c);
/* Is the calling thread one of the pool? */
bool pawl__consumer_is_self(struct pawl__consumer *c);

#endif
