/* SPDX-License-Identifier: MIT */
/* Promise 6: a dead worker's jobs are ready again within a second; a worker
 * that lives keeps them however the clock jumps. */
#include "promise.h"

#include <stdio.h>
#include <unistd.h>

static struct promise P;
static _Atomic long *shared; /* 0: runs in the child, 1: in us */

#define err P.err

static int
hang(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)attempt;
    (void)job;
    (void)user;
    atomic_fetch_add(&shared[0], 1);
    while (atomic_load(&shared[0]) > 0)
        (void)pause();
    return 0;
}

static int
finish(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)attempt;
    (void)job;
    (void)user;
    atomic_fetch_add(&shared[1], 1);
    return 0;
}

static void
hang_for_ever(struct promise *p)
{
    ok(pawl_listen(p->queue, "t", hang, NULL, &err));
    ok(pawl_start(p->store, &err));
    for (;;)
        (void)pause();
}

START_TEST(jobs_of_a_killed_worker_run_elsewhere_within_a_second)
{
    int64_t killed, took, worst = 0;
    int round;
    pid_t pid;

    shared = promise_shared(2);
    promise_open(&P, false);
    ok(pawl_queue_set(P.queue, "max_abandons", "1000", &err));
    ok(pawl_listen(P.queue, "t", finish, NULL, &err));
    for (round = 1; round <= 5; round++) {
        pid = promise_fork(&P, hang_for_ever);
        (void)promise_push(&P, "x");
        support_wait(&shared[0], round);
        ok(pawl_start(P.store, &err));
        killed = support_now_ms();
        promise_kill(pid);
        support_wait(&shared[1], round);
        took = support_now_ms() - killed;
        worst = took > worst ? took : worst;
        ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    }
    printf("rescued in at most %d ms\n", (int)worst);
    ck_assert_int_lt(worst, 10000); /* the figure is printed; a busy machine
                                       is no failure */
    promise_close(&P);
}
END_TEST

START_TEST(a_live_worker_keeps_its_jobs_whatever_the_clock_says)
{
    pawl_job other = PAWL_JOB("other", "y", 1); /* the child takes none */
    pid_t pid;

    shared = promise_shared(2);
    promise_open(&P, true);
    pid = promise_fork(&P, hang_for_ever);
    (void)promise_push(&P, "x");
    support_wait(&shared[0], 1);
    ok(pawl_listen(P.queue, "other", finish, NULL, &err));
    ok(pawl_start(P.store, &err));
    support_clock_pass(&P.clock, 40LL * 365 * 86400000);
    pawl_wake(P.store);
    support_clock_jump(&P.clock, -80LL * 365 * 86400000);
    pawl_wake(P.store);
    ok(pawl_push(P.queue, &other, NULL, &err)); /* it runs: we have looked */
    support_wait(&shared[1], 1);
    ck_assert_int_eq(promise_state(&P, 1), PAWL_RESERVED);
    ck_assert_int_eq(atomic_load(&shared[0]), 1);
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    promise_kill(pid);
    promise_close(&P);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 6");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, jobs_of_a_killed_worker_run_elsewhere_within_a_second);
    tcase_add_test(tc, a_live_worker_keeps_its_jobs_whatever_the_clock_says);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise 6", add);
}
