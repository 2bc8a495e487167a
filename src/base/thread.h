/* SPDX-License-Identifier: MIT */
/* thread.h - mutex, condition, thread, and a one-shot event.
 *
 * Ranks: a thread takes only a mutex of a higher rank than any it holds. All
 * ranks stand here. Builds with PAWL_DEBUG check it, and asserts "held". */
#ifndef PAWL_BASE_THREAD_H
#define PAWL_BASE_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum pawl__rank {
    PAWL__RANK_LIFE = 5,     /* engine: start and stop, one at a time */
    PAWL__RANK_STORE = 10,   /* engine: the list of queues */
    PAWL__RANK_QUEUE = 20,   /* engine: one queue's pool */
    PAWL__RANK_GATE = 30,    /* engine: who runs alone */
    PAWL__RANK_ATTEMPT = 40, /* engine: one attempt's outcome */
    PAWL__RANK_COMMIT = 50,  /* driver: gathering of a group commit */
    PAWL__RANK_WRITE = 60,   /* driver: the write connection */
    PAWL__RANK_READ = 70     /* driver: the read connection */
};

struct pawl__mutex {
    pthread_mutex_t m;
    enum pawl__rank rank;
    _Atomic(uintptr_t) owner; /* debug: the holder's mark */
};

void pawl__mutex_init(struct pawl__mutex *mu, enum pawl__rank rank);
void pawl__mutex_clear(struct pawl__mutex *mu);
void pawl__lock(struct pawl__mutex *mu);
/* false: somebody holds it. */
bool pawl__trylock(struct pawl__mutex *mu);
void pawl__unlock(struct pawl__mutex *mu);
bool pawl__held(const struct pawl__mutex *mu); /* true where not checked */

struct pawl__cond {
    pthread_cond_t c; /* on CLOCK_MONOTONIC */
};

void pawl__cond_init(struct pawl__cond *cond);
void pawl__cond_clear(struct pawl__cond *cond);
void pawl__cond_signal(struct pawl__cond *cond);
void pawl__cond_broadcast(struct pawl__cond *cond);
void pawl__cond_wait(struct pawl__cond *cond, struct pawl__mutex *mu);
/* At most real span ms (0.. ); false when it is over. May wake early. */
bool pawl__cond_wait_ms(struct pawl__cond *cond, struct pawl__mutex *mu,
                        int64_t ms);

struct pawl__thread {
    pthread_t t;
    bool started;
};

/* Start a thread with all signals blocked. 0, or an errno. name: 15 bytes. */
int pawl__thread_start(struct pawl__thread *thread, const char *name,
                       void *(*run)(void *), void *arg);
void pawl__thread_join(struct pawl__thread *thread); /* no-op if not started */

/* A one-shot event: many wait, one sets. Lives until all waiters are back:
 * pawl__event_wait() reads it no more after it has seen it set. For the first
 * awake_us it does not sleep, but lets others run. */
struct pawl__event {
    _Atomic uint32_t set;
#ifndef __linux__
    pthread_mutex_t m;
    pthread_cond_t c;
#endif
};

void pawl__event_init(struct pawl__event *event);
void pawl__event_clear(struct pawl__event *event);
void pawl__event_set(struct pawl__event *event);
void pawl__event_wait(struct pawl__event *event, int64_t awake_us);

/* How many CPUs this process may use; at least 1. */
int pawl__n_cpus(void);

#endif
