/* SPDX-License-Identifier: MIT */
/* Promise 8: claimed by higher priority first, then in the order in which they
 * became ready; never before their time. */
#include "promise.h"

static struct promise P;
static char order[64];
static _Atomic long runs;

#define err P.err

static int
note(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    size_t n = strlen(order);

    (void)attempt;
    (void)user;
    order[n] = *(const char *)job->payload;
    order[n + 1] = '\0';
    atomic_fetch_add(&runs, 1);
    return 0;
}

static void
push(const char *payload, int priority, int64_t delay_ms)
{
    pawl_job job = PAWL_JOB("t", payload, 1);

    job.priority = priority;
    job.delay_ms = delay_ms;
    ok(pawl_push(P.queue, &job, NULL, &err));
}

START_TEST(one_thread_runs_jobs_by_priority_then_readiness)
{
    promise_open(&P, true);
    ok(pawl_queue_set(P.queue, "parallelism", "1", &err));
    ok(pawl_listen(P.queue, "t", note, NULL, &err));
    push("d", 0, 2000);
    push("c", 0, 1000);
    push("b", 0, 0);
    push("a", 9, 0);
    push("z", 99, 3001); /* not due below, whatever its priority */
    support_clock_pass(&P.clock, 3000);
    push("e", 0, 0);
    ok(pawl_start(P.store, &err));
    support_wait(&runs, 5);
    ck_assert_str_eq(order, "abcde");
    ck_assert_int_eq(promise_info(&P).delayed, 1);
    support_clock_pass(&P.clock, 1);
    pawl_wake(P.store);
    support_wait(&runs, 6);
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_str_eq(order, "abcdez");
    promise_close(&P);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 8");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, one_thread_runs_jobs_by_priority_then_readiness);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise", add);
}
