/* SPDX-License-Identifier: MIT */
/* store.h - one opened store: its driver, queues, worker and thread. */
#ifndef PAWL_ENGINE_STORE_H
#define PAWL_ENGINE_STORE_H

#include <stdatomic.h>
#include <sys/types.h>

#include "engine/gate.h"
#include "engine/queue.h"
#include "engine/timer.h"

enum pawl__phase { PAWL__STOPPED, PAWL__STARTED, PAWL__STOPPING };

struct pawl_store {
    const struct pawl__driver *driver;
    void *self; /* the driver's store */
    pawl_options options;
    struct pawl__clock clock;
    struct pawl__log log;
    pawl_codec codec;
    struct pawl__env env;
    pid_t pid; /* who opened it */

    struct pawl__mutex life;   /* held to start or stop; no listener takes it */
    _Atomic int phase;         /* changed under life */
    struct pawl__mutex mu;     /* guards the growth of queues */
    struct pawl__cond changed; /* something ended; drain waits here */
    _Atomic(pawl_queue *) queues; /* newest first; read without mu */
    pawl_gauge_fn gauge;          /* fixed while started, like all of these */
    void *gauge_user;
    int64_t gauge_ms;

    int64_t worker; /* fixed while started */
    struct pawl__gate gate;
    struct pawl__timer timer;
    _Atomic char thread_used[PAWL__STORE_THREADS_MAX];
    _Atomic(uintptr_t) told; /* the thread inside a pawl_pushed_fn */
};

#define PAWL__EACH_QUEUE(store_, q_)                                      \
    (q_) = atomic_load_explicit(&(store_)->queues, memory_order_acquire); \
    (q_) != NULL;                                                         \
    (q_) = (q_)->next

int pawl__store_open(const char *url, const pawl_options *options,
                     pawl_store **store, pawl_error *err);
void pawl__store_close(pawl_store *store);
int pawl__store_queue(pawl_store *store, const char *name, pawl_queue **queue,
                      pawl_error *err);
/* The queue if this process opened it, or NULL. */
pawl_queue *pawl__store_find(pawl_store *store, const char *name);

int pawl__store_start(pawl_store *store, pawl_error *err);
int pawl__store_stop(pawl_store *store, int64_t grace_ms, pawl_error *err);
int pawl__store_drain(pawl_store *store, int64_t timeout_ms, pawl_error *err);

/* Is the calling thread the library's own (a pool's, or the timer's)? */
bool pawl__store_is_inside(pawl_store *store);
/* Let all pools look for work. */
void pawl__store_notify_all(pawl_store *store);
/* A number for a pool thread, or -1. */
int pawl__store_take_thread(pawl_store *store);
void pawl__store_give_thread(pawl_store *store, int index);

#endif
