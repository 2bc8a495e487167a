/* SPDX-License-Identifier: MIT */
/* The checker sees each violation, and nothing where there is none: hand-made
 * logs of one or two jobs. */
#include "lib/support.h"
#include "model/job.h"
#include "torture/check.h"

static struct log *events;
static int64_t now;

/* Add a record at the next instant; a call began just before. */
static void
put(enum log_kind kind, struct log_record r)
{
    size_t i = atomic_load(&events->n);

    if (r.pid == 0)
        r.pid = 10;
    if (r.id == 0 && kind != LOG_DYING && kind != LOG_CLAIM_TRY &&
        kind != LOG_CLAIMED)
        r.id = r.number;
    log_add(kind, &r);
    events->records[i].began_ns = now + 1;
    events->records[i].at_ns = now + 2;
    now += 10;
}

#define PUT(kind_, ...) put((kind_), (struct log_record){__VA_ARGS__})

static void
push(int64_t number)
{
    PUT(LOG_PUSH_TRY, .number = number);
    PUT(LOG_PUSH_OK, .number = number);
}

static void
claim(int64_t number, int64_t token, pid_t pid)
{
    int64_t call = atomic_fetch_add(&events->next_call, 1);

    PUT(LOG_CLAIM_TRY, .number = call, .status = 1, .pid = pid);
    PUT(LOG_CLAIM, .number = number, .token = token, .pid = pid, .call = call);
    PUT(LOG_CLAIMED, .number = call, .pid = pid);
}

static void
start(int64_t number, int64_t token, pid_t pid)
{
    PUT(LOG_START, .number = number, .token = token, .pid = pid);
}

static void
settle(int64_t id, int64_t token, int outcome, int status)
{
    PUT(LOG_SETTLE_TRY, .id = id, .token = token, .outcome = outcome);
    PUT(LOG_SETTLE, .id = id, .token = token, .outcome = outcome,
        .status = status);
}

static void
run(int64_t number, int64_t token, pid_t pid)
{
    claim(number, token, pid);
    start(number, token, pid);
}

static void
setup(void)
{
    events = log_make(1000);
    ck_assert_ptr_nonnull(events);
    log_use(events);
    now = 0;
}

static struct check
judge(bool good)
{
    struct check v;

    ck_assert_int_eq(check_log(events, &v, NULL), 0);
    if (check_is_good(&v) != good)
        check_print(&v, stderr);
    ck_assert_int_eq(check_is_good(&v), good);
    log_free(events);
    return v;
}

START_TEST(a_job_that_ran_once_is_good)
{
    struct check v;

    push(1);
    run(1, 100, 10);
    settle(1, 100, PAWL__ACK, PAWL_OK);
    v = judge(true);
    ck_assert_int_eq(v.pushed, 1);
    ck_assert_int_eq(v.starts, 1);
    ck_assert_int_eq(v.settles, 1);
}
END_TEST

START_TEST(a_pushed_job_that_never_ran_is_lost)
{
    push(1);
    ck_assert_int_eq(judge(false).lost, 1);
}
END_TEST

START_TEST(a_push_without_an_answer_may_be_there_or_not)
{
    struct check v;

    PUT(LOG_PUSH_TRY, .number = 1);
    PUT(LOG_PUSH_TRY, .number = 2);
    run(2, 100, 10);
    v = judge(true);
    ck_assert_int_eq(v.unknown, 2);
    ck_assert_int_eq(v.recovered, 1);
}
END_TEST

START_TEST(a_job_that_nobody_pushed_is_unexpected)
{
    run(1, 100, 10);
    PUT(LOG_START, .number = -1, .id = 7);
    ck_assert_int_eq(judge(false).unexpected, 2);
}
END_TEST

START_TEST(a_refused_push_must_not_run)
{
    PUT(LOG_PUSH_TRY, .number = 1);
    PUT(LOG_PUSH_NO, .number = 1, .status = PAWL_FULL);
    run(1, 100, 10);
    ck_assert_int_eq(judge(false).unexpected, 1);
}
END_TEST

START_TEST(a_second_run_is_explained_by_a_death)
{
    struct check v;

    push(1);
    run(1, 100, 10);
    PUT(LOG_DYING, .pid = 10);
    run(1, 101, 11);
    v = judge(true);
    ck_assert_int_eq(v.again_died, 1);
    ck_assert_int_eq(v.held_at_death, 1);
    ck_assert_int_gt(v.rescue_worst_ns, 0);
}
END_TEST

START_TEST(a_second_run_is_explained_by_a_retry)
{
    push(1);
    run(1, 100, 10);
    settle(1, 100, PAWL__RETRY, PAWL_OK);
    run(1, 101, 10);
    ck_assert_int_eq(judge(true).again_given_back, 1);
}
END_TEST

START_TEST(a_second_run_without_a_reason_is_unexplained)
{
    struct check v;

    push(1);
    run(1, 100, 10);
    run(1, 101, 11);
    v = judge(false);
    ck_assert_int_eq(v.unexplained, 1);
    ck_assert_int_eq(v.two_valid, 1);
}
END_TEST

START_TEST(a_retry_whose_call_never_returned_explains_a_second_run)
{
    push(1);
    run(1, 100, 10);
    PUT(LOG_SETTLE_TRY, .id = 1, .token = 100, .outcome = PAWL__RETRY);
    run(1, 101, 11);
    PUT(LOG_DYING, .pid = 10);
    ck_assert_int_eq(judge(true).again_unknown, 1);
}
END_TEST

START_TEST(a_claim_after_an_accepted_ack_is_seen)
{
    push(1);
    run(1, 100, 10);
    settle(1, 100, PAWL__ACK, PAWL_OK);
    claim(1, 101, 11);
    ck_assert_int_eq(judge(false).run_after_ack, 1);
}
END_TEST

START_TEST(a_stale_settle_that_is_accepted_is_seen)
{
    push(1);
    run(1, 100, 10);
    PUT(LOG_DYING, .pid = 10);
    run(1, 101, 11);
    settle(1, 100, PAWL__SNOOZE, PAWL_OK);
    ck_assert_int_eq(judge(false).stale_accepted, 1);
}
END_TEST

START_TEST(a_stale_settle_that_is_refused_is_good)
{
    push(1);
    run(1, 100, 10);
    PUT(LOG_DYING, .pid = 10);
    run(1, 101, 11);
    settle(1, 100, PAWL__SNOOZE, PAWL_STALE);
    ck_assert_int_eq(judge(true).stale_refused, 1);
}
END_TEST

START_TEST(one_attempt_settled_twice_is_seen)
{
    push(1);
    run(1, 100, 10);
    settle(1, 100, PAWL__ACK, PAWL_OK);
    settle(1, 100, PAWL__ACK, PAWL_OK);
    ck_assert_int_eq(judge(false).stale_accepted, 1);
}
END_TEST

START_TEST(a_start_before_its_time_is_seen)
{
    PUT(LOG_PUSH_TRY, .number = 1, .wall_ms = 5000);
    PUT(LOG_PUSH_OK, .number = 1);
    claim(1, 100, 10);
    PUT(LOG_START, .number = 1, .token = 100, .wall_ms = 4999);
    ck_assert_int_eq(judge(false).early, 1);
}
END_TEST

START_TEST(a_job_that_is_passed_over_is_out_of_order)
{
    push(1);
    push(2);
    run(2, 100, 10);
    run(1, 101, 10);
    ck_assert_int_eq(judge(false).out_of_order, 1);
}
END_TEST

START_TEST(what_an_unheard_of_claim_held_is_not_out_of_order)
{
    push(1);
    push(2);
    PUT(LOG_CLAIM_TRY, .number = atomic_fetch_add(&events->next_call, 1),
        .status = 1, .pid = 9);
    PUT(LOG_DYING, .pid = 9);
    run(2, 100, 10);
    run(1, 101, 10);
    (void)judge(true);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("checker");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, a_job_that_ran_once_is_good);
    tcase_add_test(tc, a_pushed_job_that_never_ran_is_lost);
    tcase_add_test(tc, a_push_without_an_answer_may_be_there_or_not);
    tcase_add_test(tc, a_job_that_nobody_pushed_is_unexpected);
    tcase_add_test(tc, a_refused_push_must_not_run);
    tcase_add_test(tc, a_second_run_is_explained_by_a_death);
    tcase_add_test(tc, a_second_run_is_explained_by_a_retry);
    tcase_add_test(tc, a_second_run_without_a_reason_is_unexplained);
    tcase_add_test(tc, a_retry_whose_call_never_returned_explains_a_second_run);
    tcase_add_test(tc, a_claim_after_an_accepted_ack_is_seen);
    tcase_add_test(tc, a_stale_settle_that_is_accepted_is_seen);
    tcase_add_test(tc, a_stale_settle_that_is_refused_is_good);
    tcase_add_test(tc, one_attempt_settled_twice_is_seen);
    tcase_add_test(tc, a_start_before_its_time_is_seen);
    tcase_add_test(tc, a_job_that_is_passed_over_is_out_of_order);
    tcase_add_test(tc, what_an_unheard_of_claim_held_is_not_out_of_order);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("checker", add);
}
