/* SPDX-License-Identifier: MIT */
/* test_thread.c - events, conditions, threads; the gate. */
#include "lib/support.h"

#include <signal.h>

#include "base/thread.h"
#include "engine/gate.h"

static struct pawl__event event;
static _Atomic long waiting, back, seen;
static int before;

static void *
wait_for_event(void *arg)
{
    const int64_t *awake_us = arg;

    atomic_fetch_add(&waiting, 1);
    pawl__event_wait(&event, *awake_us);
    atomic_fetch_add(&seen, before); /* written before it was set */
    atomic_fetch_add(&back, 1);
    return NULL;
}

START_TEST(an_event_lets_all_go_and_stays_set)
{
    /* asleep at once, after a while, or not before it is set */
    static int64_t awake_us[4] = {0, 0, 1, INT64_MAX / 2};
    struct pawl__thread threads[4];
    int i;

    pawl__event_init(&event);
    for (i = 0; i < 4; i++)
        ck_assert_int_eq(pawl__thread_start(&threads[i], "test", wait_for_event,
                                            &awake_us[i]),
                         0);
    support_wait(&waiting, 4);
    ck_assert_int_eq(atomic_load(&back), 0);
    before = 5;
    pawl__event_set(&event);
    support_wait(&back, 4);
    ck_assert_int_eq(atomic_load(&seen), 20);
    pawl__event_wait(&event, 0);
    pawl__event_wait(&event, 1000);
    for (i = 0; i < 4; i++)
        pawl__thread_join(&threads[i]);
    pawl__thread_join(&threads[0]); /* joined: nothing happens */
    pawl__event_clear(&event);
}
END_TEST

static void *
read_mask(void *arg)
{
    (void)pthread_sigmask(SIG_SETMASK, NULL, arg);
    return NULL;
}

START_TEST(a_thread_blocks_all_signals_and_its_maker_none)
{
    struct pawl__thread thread;
    sigset_t mask, own;

    ck_assert_int_eq(pawl__thread_start(&thread, "test", read_mask, &mask), 0);
    pawl__thread_join(&thread);
    ck_assert(sigismember(&mask, SIGTERM) && sigismember(&mask, SIGCHLD));
    (void)pthread_sigmask(SIG_SETMASK, NULL, &own);
    ck_assert(!sigismember(&own, SIGTERM));
}
END_TEST

START_TEST(a_timed_wait_ends)
{
    struct pawl__mutex mu;
    struct pawl__cond cond;

    pawl__mutex_init(&mu, PAWL__RANK_STORE);
    pawl__cond_init(&cond);
    pawl__lock(&mu);
    ck_assert(pawl__held(&mu));
    ck_assert(!pawl__cond_wait_ms(&cond, &mu, 1));
    ck_assert(!pawl__cond_wait_ms(&cond, &mu, -5));
    pawl__unlock(&mu);
    pawl__cond_clear(&cond);
    pawl__mutex_clear(&mu);
    ck_assert_int_ge(pawl__n_cpus(), 1);
}
END_TEST

static struct pawl__gate gate;
static _Atomic long inside, alone_inside, bad, passed;

static void *
pass_gate(void *arg)
{
    bool alone = arg != NULL;
    int i;

    for (i = 0; i < 200; i++) {
        pawl__gate_enter(&gate, alone);
        atomic_fetch_add(&inside, 1);
        atomic_fetch_add(&alone_inside, alone);
        if (atomic_load(&alone_inside) > 0 && atomic_load(&inside) > 1)
            atomic_fetch_add(&bad, 1);
        atomic_fetch_sub(&alone_inside, alone);
        atomic_fetch_sub(&inside, 1);
        pawl__gate_leave(&gate, alone);
        atomic_fetch_add(&passed, 1);
    }
    return NULL;
}

START_TEST(who_is_alone_behind_the_gate_is_alone)
{
    struct pawl__thread threads[6];
    int i;

    pawl__gate_init(&gate);
    for (i = 0; i < 6; i++)
        ck_assert_int_eq(pawl__thread_start(&threads[i], "test", pass_gate,
                                            i < 2 ? &gate : NULL),
                         0);
    support_wait(&passed, 1200); /* nobody starves */
    for (i = 0; i < 6; i++)
        pawl__thread_join(&threads[i]);
    ck_assert_int_eq(atomic_load(&bad), 0);
    pawl__gate_clear(&gate);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("thread");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, an_event_lets_all_go_and_stays_set);
    tcase_add_test(tc, a_thread_blocks_all_signals_and_its_maker_none);
    tcase_add_test(tc, a_timed_wait_ends);
    tcase_add_test(tc, who_is_alone_behind_the_gate_is_alone);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("thread", add);
}
