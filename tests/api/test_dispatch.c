/* SPDX-License-Identifier: MIT */
/* test_dispatch.c - listeners called at once, storing nothing. */
#include "api/kit.h"

static struct kit k;
static pawl_error err;
static struct kit_tape tape, other;

static void
setup(int driver)
{
    kit_tape_init(&tape);
    kit_tape_init(&other);
    kit_setup(&k, driver);
}

START_TEST(bad_arguments_are_refused)
{
    pawl_job job = PAWL_JOB("t", "x", 1);

    setup(_i);
    ok(pawl_listen(k.queue, NULL, kit_tape_listener, &tape, &err));
    fails(PAWL_INVALID, pawl_dispatch(NULL, &job, &err));
    fails(PAWL_INVALID, pawl_dispatch(k.queue, NULL, &err));
    ck_assert_int_eq(pawl_dispatch(NULL, NULL, NULL), PAWL_INVALID);
    job.type = "";
    fails(PAWL_INVALID, pawl_dispatch(k.queue, &job, &err));
    job.type = "t";
    job.timeout_ms = -1;
    fails(PAWL_INVALID, pawl_dispatch(k.queue, &job, &err));
    job.timeout_ms = 0;
    job.struct_size = 0;
    fails(PAWL_INVALID, pawl_dispatch(k.queue, &job, &err));
    ck_assert_int_eq(atomic_load(&tape.n), 0);
    kit_end(&k);
}
END_TEST

START_TEST(listeners_run_in_the_caller_and_nothing_is_stored)
{
    const pawl_job job = PAWL_JOB("t", "now", 3);

    setup(_i);
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &tape, &err));
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &other, &err));
    ok(pawl_dispatch(k.queue, &job, &err));
    ck_assert_int_eq(atomic_load(&tape.n), 1);
    ck_assert_int_eq(atomic_load(&other.n), 1);
    ck_assert_int_eq(tape.at[0].id, 0);
    ck_assert_int_eq(tape.at[0].attempt, 1);
    ck_assert_str_eq(tape.at[0].text, "now");
    ck_assert_int_eq(kit_total(k.queue), 0);
    kit_end(&k);
}
END_TEST

START_TEST(the_first_failure_ends_it_and_is_the_result)
{
    const pawl_job job = PAWL_JOB("t", "x", 1);

    setup(_i);
    atomic_store(&tape.result, 42);
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &tape, &err));
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &other, &err));
    ck_assert_int_eq(pawl_dispatch(k.queue, &job, &err), 42);
    ck_assert_int_eq(pawl_dispatch(k.queue, &job, NULL), 42);
    ck_assert_int_eq(atomic_load(&other.n), 0);
    kit_end(&k);
}
END_TEST

static int
failing(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)job;
    (void)user;
    return pawl_attempt_fail(attempt, "the printer is on fire");
}

START_TEST(the_reason_of_a_failure_is_in_err)
{
    const pawl_job job = PAWL_JOB("t", "x", 1);

    setup(_i);
    ok(pawl_listen(k.queue, "t", failing, NULL, &err));
    ck_assert_int_ne(pawl_dispatch(k.queue, &job, &err), 0);
    ck_assert_str_eq(err.message, "the printer is on fire");
    kit_end(&k);
}
END_TEST

START_TEST(no_listener_is_no_failure)
{
    const pawl_job job = PAWL_JOB("t", "x", 1);

    setup(_i);
    ok(pawl_dispatch(k.queue, &job, &err));
    ok(pawl_listen(k.queue, "other", kit_tape_listener, &tape, &err));
    ok(pawl_dispatch(k.queue, &job, &err));
    ck_assert_int_eq(atomic_load(&tape.n), 0);
    kit_end(&k);
}
END_TEST

START_TEST(a_started_store_dispatches_too)
{
    const pawl_job job = PAWL_JOB("t", "x", 1);

    setup(_i);
    ok(pawl_listen(k.queue, NULL, kit_tape_listener, &tape, &err));
    ok(pawl_start(k.store, &err));
    ok(pawl_dispatch(k.queue, &job, &err));
    ck_assert_int_eq(atomic_load(&tape.n), 1);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

static int
using_everything(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    int *n = user;

    (void)job;
    *n += pawl_attempt_queue(attempt) == k.queue;
    *n += pawl_attempt_deadline_at_ms(attempt) == SUPPORT_EPOCH + 5000;
    *n += pawl_attempt_should_stop(attempt) == PAWL_STOP_NONE;
    *n += pawl_attempt_stop_fd(attempt) >= 0;
    *n += pawl_attempt_extend(attempt, 1000, NULL) == PAWL_OK;
    *n += pawl_attempt_snooze(attempt, 1000, NULL) == PAWL_OK;
    *n += pawl_attempt_result(attempt, "r", NULL) == PAWL_OK;
    return 0;
}

START_TEST(a_listener_may_use_its_attempt_as_ever)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    int n = 0;

    setup(_i);
    job.timeout_ms = 5000;
    ok(pawl_listen(k.queue, "t", using_everything, &n, &err));
    ok(pawl_dispatch(k.queue, &job, &err));
    ck_assert_int_eq(n, 7);
    kit_end(&k);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "dispatch");
    const TTest *both[] = {
        bad_arguments_are_refused,
        listeners_run_in_the_caller_and_nothing_is_stored,
        the_first_failure_ends_it_and_is_the_result,
        the_reason_of_a_failure_is_in_err,
        no_listener_is_no_failure,
        a_started_store_dispatches_too,
        a_listener_may_use_its_attempt_as_ever,
    };

    KIT_BOTH(tc, both);
}

int
main(void)
{
    return support_main("dispatch", add);
}
