/* SPDX-License-Identifier: MIT */
/* Promise 4: only the holder of the current token can settle. A listener that
 * outlives its time changes nothing. (What drivers do with stale tokens, the
 * conformance suite asks.) */
#include "promise.h"

static struct promise P;
static _Atomic long started, let_go, told, second;

#define err P.err

static int
outlive(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)job;
    (void)user;
    if (pawl_attempt_number(attempt) > 1) {
        atomic_fetch_add(&second, 1);
        support_wait(&let_go, 2);
        return 0;
    }
    atomic_fetch_add(&started, 1);
    while (pawl_attempt_should_stop(attempt) == PAWL_STOP_NONE)
        ;
    ck_assert_int_eq(pawl_attempt_should_stop(attempt), PAWL_STOP_TIMEOUT);
    ck_assert_int_eq(pawl_attempt_extend(attempt, 1000, NULL), PAWL_STALE);
    atomic_fetch_add(&told, 1);
    support_wait(&let_go, 1);
    return 0; /* success, but too late */
}

START_TEST(a_listener_that_outlives_its_time_cannot_ack)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    pawl_job_info *info;

    promise_open(&P, true);
    job.timeout_ms = 1000;
    job.max_attempts = 2;
    ok(pawl_push(P.queue, &job, NULL, &err));
    ok(pawl_queue_set(P.queue, "parallelism", "2", &err));
    ok(pawl_listen(P.queue, "t", outlive, NULL, &err));
    ok(pawl_start(P.store, &err));
    support_wait(&started, 1);
    support_clock_pass(&P.clock, 1000);
    pawl_wake(P.store);
    support_wait(&told, 1);
    while (promise_state(&P, 1) != PAWL_DELAYED)
        ;
    info = promise_get(&P, 1);
    ck_assert_int_eq(info->attempts, 1);
    ck_assert_str_eq(info->error, "timed out after 1000 ms");
    pawl_job_info_free(info);
    support_clock_pass(&P.clock, 2000); /* the retry is due */
    pawl_wake(P.store);
    support_wait(&second, 1);
    atomic_store(&let_go, 1); /* the first attempt now returns success */
    ok(pawl_queue_set(P.queue, "retention_s", "-1", &err));
    ck_assert_int_eq(promise_state(&P, 1), PAWL_RESERVED);
    atomic_store(&let_go, 2);
    ok(pawl_drain(P.store, SUPPORT_DEADLINE_MS, &err));
    info = promise_get(&P, 1);
    ck_assert_int_eq(info->state, PAWL_DONE);
    ck_assert_int_eq(info->attempts, 1);
    pawl_job_info_free(info);
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    promise_close(&P);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 4");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_listener_that_outlives_its_time_cannot_ack);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise 4", add);
}
