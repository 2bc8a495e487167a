/* SPDX-License-Identifier: MIT */
/* Promise 13: stop lets running listeners finish within its grace time, gives
 * unstarted jobs back untouched, and never loses one; a listener may call any
 * function. */
#include "promise.h"

static struct promise P;
static _Atomic long started, let_go, told;
static int stop_rc, drain_rc, close_did_nothing;

#define err P.err

/* Jobs that begin with "q" are quick, so that the pool claims ahead. */
static int
hold_some(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)attempt;
    (void)user;
    atomic_fetch_add(&started, 1);
    while (*(const char *)job->payload != 'q' && atomic_load(&let_go) == 0)
        ;
    return 0;
}

START_TEST(claimed_jobs_are_given_back_while_a_listener_still_runs)
{
    int64_t until = support_now_ms() + SUPPORT_DEADLINE_MS;
    int i;

    promise_open(&P, false);
    ok(pawl_queue_set(P.queue, "parallelism", "1", &err));
    ok(pawl_listen(P.queue, "t", hold_some, NULL, &err));
    for (i = 0; i < 300; i++)
        (void)promise_push(&P, i == 200 ? "hold" : "quick");
    ok(pawl_start(P.store, &err));
    support_wait(&started, 201);
    ck_assert_int_gt(promise_info(&P).reserved, 1); /* it has more at hand */
    fails(PAWL_BUSY, pawl_stop(P.store, 0, &err));
    while (promise_info(&P).reserved > 1)
        ck_assert_msg(support_now_ms() < until, "they are still reserved");
    ck_assert_int_eq(promise_info(&P).waiting, 99);
    atomic_store(&let_go, 1);
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(&started), 201);
    promise_close(&P);
}
END_TEST

static int
hold(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)job;
    (void)user;
    atomic_fetch_add(&started, 1);
    while (atomic_load(&let_go) == 0)
        if (pawl_attempt_should_stop(attempt) == PAWL_STOP_SHUTDOWN)
            atomic_store(&told, 1);
    return 0;
}

START_TEST(stop_waits_for_its_grace_time_and_gives_the_rest_back)
{
    pawl_job_info *info;
    int i;

    promise_open(&P, false);
    ok(pawl_queue_set(P.queue, "parallelism", "1", &err));
    ok(pawl_listen(P.queue, "t", hold, NULL, &err));
    for (i = 0; i < 10; i++)
        (void)promise_push(&P, "x");
    ok(pawl_start(P.store, &err));
    support_wait(&started, 1);
    fails(PAWL_BUSY, pawl_stop(P.store, 1, &err));
    support_wait(&told, 1);
    ck_assert_int_eq(promise_state(&P, 1), PAWL_RESERVED);
    atomic_store(&let_go, 1);
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(&started), 1);
    ck_assert_int_eq(promise_state(&P, 1), 0); /* it finished */
    ck_assert_int_eq(promise_info(&P).waiting, 9);
    ck_assert_int_eq(promise_info(&P).reserved, 0);
    for (i = 2; i <= 10; i++) {
        info = promise_get(&P, i);
        ck_assert_int_eq(info->attempts + info->abandons, 0);
        pawl_job_info_free(info);
    }
    ok(pawl_start(P.store, &err)); /* and it may be started again */
    ok(pawl_drain(P.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(&started), 10);
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    ok(pawl_stop(P.store, 0, &err));
    promise_close(&P);
}
END_TEST

static int
call_all(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    pawl_queue *queue = pawl_attempt_queue(attempt), *other;
    pawl_store *store = pawl_queue_store(queue);
    pawl_job more = PAWL_JOB("quiet", "x", 1);
    pawl_info info;

    (void)job;
    (void)user;
    stop_rc = pawl_stop(store, 0, NULL);
    drain_rc = pawl_drain(store, 0, NULL);
    pawl_close(store); /* does nothing */
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    close_did_nothing = pawl_queue_info(queue, &info, NULL) == PAWL_OK;
    if (pawl_queue_open(store, "other", &other, NULL) != PAWL_OK ||
        pawl_push(other, &more, NULL, NULL) != PAWL_OK ||
        pawl_sync(store, NULL) != PAWL_OK)
        return 1;
    atomic_fetch_add(&started, 1);
    return 0;
}

START_TEST(a_listener_may_call_any_function_and_stop_refuses)
{
    promise_open(&P, false);
    ok(pawl_queue_set(P.queue, "parallelism", "1", &err));
    ok(pawl_listen(P.queue, "t", call_all, NULL, &err));
    (void)promise_push(&P, "x");
    ok(pawl_start(P.store, &err));
    support_wait(&started, 1);
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(stop_rc, PAWL_MISUSE);
    ck_assert_int_eq(drain_rc, PAWL_MISUSE);
    ck_assert_int_eq(close_did_nothing, 1);
    promise_close(&P);
}
END_TEST

START_TEST(no_transaction_is_open_while_a_listener_runs)
{
    promise_open(&P, false);
    ok(pawl_listen(P.queue, "t", hold, NULL, &err));
    (void)promise_push(&P, "x");
    ok(pawl_start(P.store, &err));
    support_wait(&started, 1);
    /* Another writer gets the lock at once, and can empty the log. */
    support_sql(P.url, "CREATE TABLE own(x)");
    ck_assert_int_eq(support_sql_int(P.url, "PRAGMA wal_checkpoint(TRUNCATE)"),
                     0);
    atomic_store(&let_go, 1);
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    promise_close(&P);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 13");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, stop_waits_for_its_grace_time_and_gives_the_rest_back);
    tcase_add_test(tc, claimed_jobs_are_given_back_while_a_listener_still_runs);
    tcase_add_test(tc, a_listener_may_call_any_function_and_stop_refuses);
    tcase_add_test(tc, no_transaction_is_open_while_a_listener_runs);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise", add);
}
