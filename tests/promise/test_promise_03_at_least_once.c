/* SPDX-License-Identifier: MIT */
/* Promise 3: a job is delivered at least once; its listeners see the number
 * of the attempt. */
#include "promise.h"

static struct promise P;
static _Atomic long runs, numbers;

#define err P.err

static int
fail_twice(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    int number = pawl_attempt_number(attempt);

    (void)job;
    (void)user;
    atomic_fetch_add(&runs, 1);
    atomic_store(&numbers, atomic_load(&numbers) * 10 + number);
    return number < 3 ? pawl_attempt_retry_in(attempt, 0, "not yet") : 0;
}

START_TEST(a_failing_job_runs_until_it_succeeds_and_knows_its_number)
{
    pawl_job job = PAWL_JOB("t", "x", 1);

    promise_open(&P, false);
    job.max_attempts = 5;
    ok(pawl_push(P.queue, &job, NULL, &err));
    ok(pawl_listen(P.queue, "t", fail_twice, NULL, &err));
    ok(pawl_start(P.store, &err));
    ok(pawl_drain(P.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(&runs), 3);
    ck_assert_int_eq(atomic_load(&numbers), 123);
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    promise_close(&P);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 3");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc,
                   a_failing_job_runs_until_it_succeeds_and_knows_its_number);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise 3", add);
}
