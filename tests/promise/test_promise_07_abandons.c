/* SPDX-License-Identifier: MIT */
/* Promise 7: a job that kills its worker is counted apart, runs alone from
 * then on, and fails after its abandons; its neighbours lose nothing. */
#include "promise.h"

#include <signal.h>
#include <stdlib.h>

static struct promise P;
static _Atomic long *shared; /* 0: poison runs, 1: others' runs, 2: at once,
                                3: neighbours seen while alone */

#define err P.err

static int
listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)attempt;
    (void)user;
    atomic_fetch_add(&shared[2], 1);
    if (job->payload_bytes == 6) { /* "poison" */
        if (atomic_fetch_add(&shared[0], 1) > 0)
            atomic_fetch_add(&shared[3], atomic_load(&shared[2]) - 1);
        (void)raise(SIGKILL);
    }
    atomic_fetch_add(&shared[1], 1);
    atomic_fetch_sub(&shared[2], 1);
    return 0;
}

static void
work(struct promise *p)
{
    ok(pawl_listen(p->queue, "t", listener, NULL, &err));
    ok(pawl_start(p->store, &err));
    ok(pawl_drain(p->store, SUPPORT_DEADLINE_MS, &err));
    ok(pawl_stop(p->store, SUPPORT_DEADLINE_MS, &err));
}

START_TEST(a_job_that_kills_its_worker_fails_after_three_and_harms_no_other)
{
    pawl_job_info *info;
    int i, deaths = 0;

    shared = promise_shared(4);
    promise_open(&P, false);
    ok(pawl_queue_set(P.queue, "parallelism", "4", &err));
    ok(pawl_queue_set(P.queue, "retention_s", "-1", &err));
    for (i = 0; i < 20; i++)
        (void)promise_push(&P, i == 7 ? "poison" : "x");
    for (i = 0; i < 10; i++) {
        atomic_store(&shared[2], 0); /* who died is no longer at it */
        if (promise_reap(promise_fork(&P, work)) == 0)
            break;
        deaths++;
    }
    ck_assert_int_eq(deaths, 3);
    ck_assert_int_eq(atomic_load(&shared[0]), 3);
    ck_assert_int_eq(atomic_load(&shared[3]), 0); /* alone after the first */
    info = promise_get(&P, 8);
    ck_assert_int_eq(info->state, PAWL_FAILED);
    ck_assert_int_eq(info->abandons, 3);
    ck_assert_int_eq(info->attempts, 0);
    ck_assert_ptr_nonnull(strstr(info->error, "abandoned"));
    pawl_job_info_free(info);
    ck_assert_int_eq(promise_info(&P).done, 19);
    ck_assert_int_eq(promise_info(&P).failed, 1);
    promise_close(&P);
}
END_TEST

static int
ring_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)attempt;
    (void)job;
    (void)user;
    (void)raise(SIGKILL);
    return 0;
}

static void
die_at_once(struct promise *p)
{
    ok(pawl_listen(p->queue, "t", ring_listener, NULL, &err));
    ok(pawl_start(p->store, &err));
    (void)pawl_drain(p->store, SUPPORT_DEADLINE_MS, NULL);
}

START_TEST(jobs_that_were_claimed_but_not_started_count_nothing)
{
    pawl_job_info *info;
    int i, abandoned = 0;

    shared = promise_shared(4);
    promise_open(&P, false);
    ok(pawl_queue_set(P.queue, "parallelism", "1", &err));
    for (i = 0; i < 30; i++)
        (void)promise_push(&P, "x");
    ck_assert_int_ne(promise_reap(promise_fork(&P, die_at_once)), 0);
    ok(pawl_listen(P.queue, "other", ring_listener, NULL, &err));
    ok(pawl_start(P.store, &err)); /* its sweep rescues */
    while (promise_info(&P).reserved > 0)
        ;
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    for (i = 1; i <= 30; i++) {
        info = promise_get(&P, i);
        ck_assert_int_eq(info->state, PAWL_WAITING);
        ck_assert_int_eq(info->attempts, 0);
        abandoned += info->abandons;
        pawl_job_info_free(info);
    }
    ck_assert_int_eq(abandoned, 1);
    promise_close(&P);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 7");

    tcase_set_timeout(tc, 120);
    tcase_add_test(
        tc, a_job_that_kills_its_worker_fails_after_three_and_harms_no_other);
    tcase_add_test(tc, jobs_that_were_claimed_but_not_started_count_nothing);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise 7", add);
}
