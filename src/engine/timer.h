/* SPDX-License-Identifier: MIT */
/* timer.h - the store's own thread: due times, deadlines, sweeps, gauges. */
#ifndef PAWL_ENGINE_TIMER_H
#define PAWL_ENGINE_TIMER_H

#include "base/thread.h"
#include "driver/driver.h"

struct pawl__timer {
    struct pawl__thread thread;
    _Atomic(uintptr_t) self; /* the thread, once it runs */
    _Atomic int stop;
    _Atomic int poked;             /* pawl_wake(): look at everything */
    _Atomic int asleep;            /* it waits, or is about to: nudge it */
    _Atomic int watching;          /* its wait is told of others' work */
    _Atomic int64_t until_at_ms;   /* wall: its wait ends then */
    _Atomic int64_t until_mono_ms; /* monotonic: likewise */
    /* the thread's own: */
    int64_t sweep_ms;   /* monotonic: next sweep */
    int64_t next_at_ms; /* wall: next due job, as the last sweep said */
};

int pawl__timer_start(pawl_store *store, pawl_error *err);
void pawl__timer_stop(pawl_store *store);

/* A pool thread became idle, knowing of a job due at next_at_ms. */
void pawl__timer_idle(pawl_store *store, int64_t next_at_ms);
/* An attempt began whose deadline is at this monotonic time. */
void pawl__timer_deadline(pawl_store *store, int64_t at_ms);
/* Look at everything now. */
void pawl__timer_poke(pawl_store *store);
/* An asynchronous push was taken in: commit it. */
void pawl__timer_async(pawl_store *store);

#endif
