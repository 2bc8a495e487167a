/* SPDX-License-Identifier: MIT */
/* thread.c - mutex, condition, thread, and a one-shot event.
 *
 * With PAWL_DEBUG each thread keeps the ranks that it holds, and taking one
 * that is not above them all fails an assertion. */
#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

/* ------------------------------------------------------------------ mutex */

#ifdef PAWL_DEBUG
static _Thread_local unsigned thread_held[16]; /* ranks, rising */
static _Thread_local size_t thread_n_held;

static void
thread_note_lock(struct pawl__mutex *mu)
{
    assert(thread_n_held < 16);
    assert(thread_n_held == 0 ||
           thread_held[thread_n_held - 1] < (unsigned)mu->rank);
    thread_held[thread_n_held++] = (unsigned)mu->rank;
    atomic_store_explicit(&mu->owner, (uintptr_t)&thread_n_held,
                          memory_order_relaxed);
}

static void
thread_note_unlock(struct pawl__mutex *mu)
{
    size_t i;

    for (i = thread_n_held; i > 0; i--)
        if (thread_held[i - 1] == (unsigned)mu->rank)
            break;
    assert(i > 0);
    for (; i < thread_n_held; i++)
        thread_held[i - 1] = thread_held[i];
    thread_n_held--;
    atomic_store_explicit(&mu->owner, 0, memory_order_relaxed);
}

bool
pawl__held(const struct pawl__mutex *mu)
{
    return atomic_load_explicit(&((struct pawl__mutex *)(uintptr_t)mu)->owner,
                                memory_order_relaxed) ==
           (uintptr_t)&thread_n_held;
}
#else
#define thread_note_lock(mu_) ((void)0)
#define thread_note_unlock(mu_) ((void)0)

bool
pawl__held(const struct pawl__mutex *mu)
{
    (void)mu;
    return true;
}
#endif

void
pawl__mutex_init(struct pawl__mutex *mu, enum pawl__rank rank)
{
    (void)pthread_mutex_init(&mu->m, NULL); /* cannot fail on Linux, BSD */
    mu->rank = rank;
    atomic_init(&mu->owner, 0);
}

void
pawl__mutex_clear(struct pawl__mutex *mu)
{
    (void)pthread_mutex_destroy(&mu->m);
}

void
pawl__lock(struct pawl__mutex *mu)
{
    (void)pthread_mutex_lock(&mu->m);
    thread_note_lock(mu);
}

bool
pawl__trylock(struct pawl__mutex *mu)
{
    if (pthread_mutex_trylock(&mu->m) != 0)
        return false;
    thread_note_lock(mu);
    return true;
}

void
pawl__unlock(struct pawl__mutex *mu)
{
    thread_note_unlock(mu);
    (void)pthread_mutex_unlock(&mu->m);
}

/* -------------------------------------------------------------- condition */

void
pawl__cond_init(struct pawl__cond *cond)
{
    pthread_condattr_t attr;

    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&cond->c, &attr);
    (void)pthread_condattr_destroy(&attr);
}

void
pawl__cond_clear(struct pawl__cond *cond)
{
    (void)pthread_cond_destroy(&cond->c);
}

void
pawl__cond_signal(struct pawl__cond *cond)
{
    (void)pthread_cond_signal(&cond->c);
}

void
pawl__cond_broadcast(struct pawl__cond *cond)
{
    (void)pthread_cond_broadcast(&cond->c);
}

void
pawl__cond_wait(struct pawl__cond *cond, struct pawl__mutex *mu)
{
    thread_note_unlock(mu);
    (void)pthread_cond_wait(&cond->c, &mu->m);
    thread_note_lock(mu);
}

bool
pawl__cond_wait_ms(struct pawl__cond *cond, struct pawl__mutex *mu, int64_t ms)
{
    struct timespec until;
    int rc;

    if (ms < 0)
        ms = 0;
    if (ms > 86400000) /* waits are looped: a day is as good as ever */
        ms = 86400000;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    thread_note_unlock(mu);
    rc = pthread_cond_timedwait(&cond->c, &mu->m, &until);
    thread_note_lock(mu);
    return rc != ETIMEDOUT;
}

/* ----------------------------------------------------------------- thread */

int
pawl__thread_start(struct pawl__thread *thread, const char *name,
                   void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    int rc;

    /* The new thread inherits the mask: signals are the program's. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&thread->t, NULL, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    thread->started = rc == 0;
#ifdef __linux__
    if (rc == 0)
        (void)pthread_setname_np(thread->t, name);
#else
    (void)name;
#endif
    return rc;
}

void
pawl__thread_join(struct pawl__thread *thread)
{
    if (!thread->started)
        return;
    (void)pthread_join(thread->t, NULL);
    thread->started = false;
}

int
pawl__n_cpus(void)
{
#ifdef __linux__
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
#endif
    {
        long n = sysconf(_SC_NPROCESSORS_ONLN);

        return n > 0 && n < INT_MAX ? (int)n : 1;
    }
}

/* ------------------------------------------------------------------ event */

#define EVENT_SET 1

static void
event_spin(const struct pawl__event *event, int64_t us)
{
    int64_t until;

    if (us <= 0)
        return;
    until = pawl__real_us() + us;
    /* Relaxed: who sees it set here looks again in pawl__event_wait(). */
    while (atomic_load_explicit(&event->set, memory_order_relaxed) !=
               EVENT_SET &&
           pawl__real_us() < until)
        (void)sched_yield();
}

#ifdef __linux__
#define EVENT_UNSET 0
#define EVENT_AWAITED 2

void
pawl__event_init(struct pawl__event *event)
{
    atomic_init(&event->set, EVENT_UNSET);
}

void
pawl__event_clear(struct pawl__event *event)
{
    (void)event;
}

void
pawl__event_set(struct pawl__event *event)
{
    /* Release: what was written before is seen by whoever finds it set. */
    uint32_t before =
        atomic_exchange_explicit(&event->set, EVENT_SET, memory_order_release);

    if (before == EVENT_AWAITED)
        (void)syscall(SYS_futex, &event->set, FUTEX_WAKE_PRIVATE, INT_MAX, NULL,
                      NULL, 0);
}

void
pawl__event_wait(struct pawl__event *event, int64_t awake_us)
{
    uint32_t now;

    event_spin(event, awake_us);
    for (;;) {
        /* Acquire: pairs with the release in pawl__event_set(). */
        now = atomic_load_explicit(&event->set, memory_order_acquire);
        if (now == EVENT_SET)
            return;
        if (now == EVENT_UNSET &&
            !atomic_compare_exchange_weak_explicit(
                &event->set, &now, EVENT_AWAITED, memory_order_relaxed,
                memory_order_relaxed))
            continue;
        (void)syscall(SYS_futex, &event->set, FUTEX_WAIT_PRIVATE, EVENT_AWAITED,
                      NULL, NULL, 0);
    }
}
#else
void
pawl__event_init(struct pawl__event *event)
{
    atomic_init(&event->set, 0);
    (void)pthread_mutex_init(&event->m, NULL);
    (void)pthread_cond_init(&event->c, NULL);
}

void
pawl__event_clear(struct pawl__event *event)
{
    (void)pthread_cond_destroy(&event->c);
    (void)pthread_mutex_destroy(&event->m);
}

void
pawl__event_set(struct pawl__event *event)
{
    (void)pthread_mutex_lock(&event->m);
    atomic_store(&event->set, EVENT_SET);
    (void)pthread_cond_broadcast(&event->c);
    (void)pthread_mutex_unlock(&event->m);
}

void
pawl__event_wait(struct pawl__event *event, int64_t awake_us)
{
    event_spin(event, awake_us);
    (void)pthread_mutex_lock(&event->m);
    while (atomic_load(&event->set) == 0)
        (void)pthread_cond_wait(&event->c, &event->m);
    (void)pthread_mutex_unlock(&event->m);
}
#endif
