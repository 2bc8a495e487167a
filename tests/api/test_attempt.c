/* SPDX-License-Identifier: MIT */
/* test_attempt.c - what a listener can do with its attempt: fail, abort, retry,
 * snooze, extend, results, and being told to stop. */
#include "api/kit.h"

#include <poll.h>
#include <stdio.h>

static struct kit k;
static pawl_error err;
static struct kit_gate gate;

/* A listener that does one thing and keeps what it saw. */
static struct {
    int (*act)(pawl_attempt *attempt, const pawl_job *job);
    _Atomic long n;
    _Atomic int rc;
    int64_t id, deadline;
    int number;
    pawl_queue *queue;
} seen;

static int
acting(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    int rc;

    (void)user;
    seen.id = pawl_attempt_job_id(attempt);
    seen.number = pawl_attempt_number(attempt);
    seen.queue = pawl_attempt_queue(attempt);
    seen.deadline = pawl_attempt_deadline_at_ms(attempt);
    rc = seen.act(attempt, job);
    atomic_fetch_add(&seen.n, 1);
    return rc;
}

static void
setup(int driver, int (*act)(pawl_attempt *, const pawl_job *))
{
    memset(&seen, 0, sizeof seen);
    seen.act = act;
    kit_gate_init(&gate);
    kit_setup(&k, driver);
    ok(pawl_listen(k.queue, "t", acting, NULL, &err));
    ok(pawl_start(k.store, &err));
}

static void
finish(void)
{
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}

static int64_t
push(int32_t max_attempts)
{
    pawl_job job = PAWL_JOB("t", "x", 1);

    job.max_attempts = max_attempts;
    return kit_push_job(k.queue, &job);
}

static pawl_job_info *
look(int64_t id)
{
    pawl_job_info *info = NULL;

    ok(pawl_get(k.store, id, &info, &err));
    return info;
}

static void
has_error(int64_t id, const char *why)
{
    pawl_job_info *i = look(id);

    ck_assert_ptr_nonnull(i->error);
    ck_assert_str_eq(i->error, why);
    pawl_job_info_free(i);
}

/* ------------------------------------------------------------------- facts */

static int
act_nothing(pawl_attempt *a, const pawl_job *job)
{
    (void)job;
    return pawl_attempt_should_stop(a) == PAWL_STOP_NONE ? 0 : 1;
}

START_TEST(an_attempt_knows_what_it_is)
{
    int64_t id;

    setup(_i, act_nothing);
    id = push(1);
    support_wait(&seen.n, 1);
    ck_assert_int_eq(seen.id, id);
    ck_assert_int_eq(seen.number, 1);
    ck_assert_ptr_eq(seen.queue, k.queue);
    ck_assert_int_eq(seen.deadline, SUPPORT_EPOCH + KIT_HOUR);
    kit_wait_state(k.store, id, 0);
    finish();
}
END_TEST

START_TEST(null_attempts_are_refused)
{
    kit_setup(&k, 0);
    ck_assert_int_eq(pawl_attempt_number(NULL), 0);
    ck_assert_int_eq(pawl_attempt_job_id(NULL), 0);
    ck_assert_ptr_null(pawl_attempt_queue(NULL));
    ck_assert_int_eq(pawl_attempt_deadline_at_ms(NULL), 0);
    ck_assert_int_eq(pawl_attempt_should_stop(NULL), PAWL_STOP_NONE);
    ck_assert_int_eq(pawl_attempt_stop_fd(NULL), -1);
    ck_assert_int_ne(pawl_attempt_fail(NULL, "x"), 0);
    ck_assert_int_ne(pawl_attempt_abort(NULL, "x"), 0);
    ck_assert_int_ne(pawl_attempt_retry_in(NULL, 0, "x"), 0);
    fails(PAWL_INVALID, pawl_attempt_extend(NULL, 1, &err));
    fails(PAWL_INVALID, pawl_attempt_snooze(NULL, 1, &err));
    fails(PAWL_INVALID, pawl_attempt_result(NULL, "x", &err));
    ck_assert_int_eq(pawl_attempt_extend(NULL, 1, NULL), PAWL_INVALID);
    ck_assert_int_eq(pawl_attempt_snooze(NULL, 1, NULL), PAWL_INVALID);
    ck_assert_int_eq(pawl_attempt_result(NULL, NULL, NULL), PAWL_INVALID);
    kit_end(&k);
}
END_TEST

static int
act_bad_numbers(pawl_attempt *a, const pawl_job *job)
{
    static const int64_t bad[] = {-1, INT64_MIN, INT64_MAX, 3155760000001};
    static char big[65538];
    size_t i;
    int n = 0;

    (void)job;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        n += pawl_attempt_extend(a, bad[i], NULL) == PAWL_INVALID;
        n += pawl_attempt_snooze(a, bad[i], NULL) == PAWL_INVALID;
        n += pawl_attempt_retry_in(a, bad[i], "no") != 0;
    }
    memset(big, 'r', sizeof big - 1);
    n += pawl_attempt_extend(a, 0, NULL) == PAWL_INVALID;
    n += pawl_attempt_result(a, big, NULL) == PAWL_INVALID;
    n += pawl_attempt_result(a, NULL, NULL) == PAWL_INVALID;
    atomic_store(&seen.rc, n);
    return 0;
}

START_TEST(bad_numbers_are_refused_and_the_job_goes_its_way)
{
    int64_t id;

    setup(_i, act_bad_numbers);
    id = push(1);
    kit_wait_state(k.store, id, 0);
    ck_assert_int_eq(atomic_load(&seen.rc), 15);
    finish();
}
END_TEST

/* ----------------------------------------------------------------- failing */

static int
act_fail_twice(pawl_attempt *a, const pawl_job *job)
{
    (void)job;
    (void)pawl_attempt_fail(a, "first");
    return pawl_attempt_fail(a, "the last reason counts");
}

START_TEST(a_failure_keeps_its_reason)
{
    pawl_job_info *i;
    int64_t id;

    setup(_i, act_fail_twice);
    id = push(1);
    kit_wait_state(k.store, id, PAWL_FAILED);
    has_error(id, "the last reason counts");
    i = look(id);
    ck_assert_int_eq(i->attempts, 1);
    ck_assert_int_eq(i->finished_at_ms, SUPPORT_EPOCH);
    pawl_job_info_free(i);
    finish();
}
END_TEST

static int
act_return_minus_3(pawl_attempt *a, const pawl_job *job)
{
    (void)a;
    (void)job;
    return -3;
}

START_TEST(a_failure_without_a_reason_gets_one)
{
    int64_t id;

    setup(_i, act_return_minus_3);
    id = push(1);
    kit_wait_state(k.store, id, PAWL_FAILED);
    has_error(id, "listener returned -3");
    finish();
}
END_TEST

static int
act_long_reason(pawl_attempt *a, const pawl_job *job)
{
    char why[3001];

    (void)job;
    memset(why, 'w', 3000);
    memcpy(why + 999, "\xc3\xa4", 2); /* straddles the 1000th byte */
    why[3000] = '\0';
    return pawl_attempt_fail(a, why);
}

START_TEST(a_long_reason_is_cut_between_characters)
{
    pawl_job_info *i;
    int64_t id;

    setup(_i, act_long_reason);
    id = push(1);
    kit_wait_state(k.store, id, PAWL_FAILED);
    i = look(id);
    ck_assert_uint_eq(strlen(i->error), 999);
    pawl_job_info_free(i);
    finish();
}
END_TEST

static int
act_null_reason(pawl_attempt *a, const pawl_job *job)
{
    (void)job;
    return pawl_attempt_fail(a, NULL);
}

START_TEST(a_null_reason_is_none)
{
    int64_t id;

    setup(_i, act_null_reason);
    id = push(1);
    kit_wait_state(k.store, id, PAWL_FAILED);
    finish();
}
END_TEST

START_TEST(a_failed_job_is_retried_after_its_backoff_until_it_is_out)
{
    static const int64_t waits[] = {1000, 2000, 4000, 4000};
    pawl_job job = PAWL_JOB("t", "x", 1);
    pawl_job_info *i;
    int64_t id;
    int round;

    setup(_i, act_fail_twice);
    job.max_attempts = 5;
    job.backoff_ceiling_ms = 4000;
    job.backoff_jitter_percent = PAWL_NONE;
    id = kit_push_job(k.queue, &job);
    for (round = 0; round < 4; round++) {
        kit_wait_state(k.store, id, PAWL_DELAYED);
        i = look(id);
        ck_assert_int_eq(i->attempts, round + 1);
        ck_assert_int_eq(i->job.ready_at_ms - atomic_load(&k.clock.wall),
                         waits[round]);
        ck_assert_str_eq(i->error, "the last reason counts");
        pawl_job_info_free(i);
        kit_pass(&k, waits[round]);
        support_wait(&seen.n, round + 2);
        ck_assert_int_eq(seen.number, round + 2);
    }
    kit_wait_state(k.store, id, PAWL_FAILED);
    finish();
}
END_TEST

START_TEST(jitter_keeps_the_backoff_within_its_bounds)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t id, wait, least = INT64_MAX, most = 0;
    pawl_job_info *i;
    int n;

    setup(_i, act_fail_twice);
    job.max_attempts = 2;
    job.backoff_floor_ms = 10000;
    job.backoff_jitter_percent = 50;
    for (n = 0; n < 40; n++) {
        id = kit_push_job(k.queue, &job);
        kit_wait_state(k.store, id, PAWL_DELAYED);
        i = look(id);
        wait = i->job.ready_at_ms - SUPPORT_EPOCH;
        pawl_job_info_free(i);
        ck_assert_int_ge(wait, 10000);
        ck_assert_int_le(wait, 15000);
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    ck_assert_int_gt(most, least);
    finish();
}
END_TEST

static int
act_abort(pawl_attempt *a, const pawl_job *job)
{
    (void)job;
    return pawl_attempt_abort(a, "no use");
}

START_TEST(an_aborted_job_is_not_retried)
{
    int64_t id;

    setup(_i, act_abort);
    id = push(100);
    kit_wait_state(k.store, id, PAWL_FAILED);
    has_error(id, "no use");
    ck_assert_int_eq(atomic_load(&seen.n), 1);
    finish();
}
END_TEST

static int
act_retry_in(pawl_attempt *a, const pawl_job *job)
{
    (void)job;
    return pawl_attempt_retry_in(a, 1234567, "come back");
}

START_TEST(retry_in_says_when_and_counts_the_attempt)
{
    pawl_job_info *i;
    int64_t id;

    setup(_i, act_retry_in);
    id = push(2);
    kit_wait_state(k.store, id, PAWL_DELAYED);
    i = look(id);
    ck_assert_int_eq(i->job.ready_at_ms, SUPPORT_EPOCH + 1234567);
    ck_assert_int_eq(i->attempts, 1);
    ck_assert_str_eq(i->error, "come back");
    pawl_job_info_free(i);
    kit_pass(&k, 1234567);
    kit_wait_state(k.store, id, PAWL_FAILED);
    ck_assert_int_eq(atomic_load(&seen.n), 2);
    finish();
}
END_TEST

/* ------------------------------------------------------------ snooze, result
 */

static int
act_snooze_first(pawl_attempt *a, const pawl_job *job)
{
    (void)job;
    if (atomic_load(&seen.n) == 0)
        (void)pawl_attempt_snooze(a, 5000, NULL);
    return 0;
}

START_TEST(a_snoozed_job_comes_back_and_nothing_was_counted)
{
    pawl_job_info *i;
    int64_t id;

    setup(_i, act_snooze_first);
    id = push(1);
    kit_wait_state(k.store, id, PAWL_DELAYED);
    i = look(id);
    ck_assert_int_eq(i->job.ready_at_ms, SUPPORT_EPOCH + 5000);
    ck_assert_int_eq(i->attempts, 0);
    ck_assert_ptr_null(i->error);
    pawl_job_info_free(i);
    kit_pass(&k, 5000);
    kit_wait_state(k.store, id, 0);
    ck_assert_int_eq(seen.number, 1);
    finish();
}
END_TEST

static int
act_snooze_and_fail(pawl_attempt *a, const pawl_job *job)
{
    (void)job;
    (void)pawl_attempt_snooze(a, 5000, NULL);
    return pawl_attempt_fail(a, "whatever the listener returns");
}

START_TEST(a_snooze_counts_more_than_what_the_listener_returns)
{
    int64_t id;

    setup(_i, act_snooze_and_fail);
    id = push(1);
    kit_wait_state(k.store, id, PAWL_DELAYED);
    finish();
}
END_TEST

static int
act_result(pawl_attempt *a, const pawl_job *job)
{
    (void)job;
    atomic_store(&seen.rc, pawl_attempt_result(a, "first", NULL));
    return pawl_attempt_result(a, "forty-two", NULL);
}

START_TEST(a_result_is_kept_where_done_jobs_are_kept)
{
    pawl_job_info *i;
    int64_t id;

    setup(_i, act_result);
    id = push(1);
    kit_wait_state(k.store, id, 0);
    ok(pawl_queue_set(k.queue, "retention_s", "1h", &err));
    id = push(1);
    kit_wait_state(k.store, id, PAWL_DONE);
    i = look(id);
    ck_assert_str_eq(i->result, "forty-two");
    ck_assert_int_eq(i->finished_at_ms, SUPPORT_EPOCH);
    pawl_job_info_free(i);
    kit_pass(&k, KIT_HOUR + 1000);
    kit_wait_state(k.store, id, 0);
    finish();
}
END_TEST

/* ------------------------------------------------------------ told to stop */

/* Waits at the gate, then keeps why it should stop and whether the descriptor
 * says so too. */
static struct {
    _Atomic int before, reason, readable_before, readable, extended;
} stop;

static int
readable(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};

    return fd >= 0 && poll(&p, 1, 0) == 1;
}

static int
act_wait_at_gate(pawl_attempt *a, const pawl_job *job)
{
    int fd = pawl_attempt_stop_fd(a);

    atomic_store(&stop.before, pawl_attempt_should_stop(a));
    atomic_store(&stop.readable_before, readable(fd));
    (void)kit_gate_listener(a, job, &gate);
    atomic_store(&stop.reason, pawl_attempt_should_stop(a));
    atomic_store(&stop.readable, readable(fd));
    atomic_store(&stop.extended, pawl_attempt_extend(a, 1000, NULL));
    return 0;
}

static void
was_told(int reason)
{
    support_wait(&seen.n, 1);
    ck_assert_int_eq(atomic_load(&stop.before), PAWL_STOP_NONE);
    ck_assert_int_eq(atomic_load(&stop.readable_before), 0);
    ck_assert_int_eq(atomic_load(&stop.reason), reason);
    ck_assert_int_eq(atomic_load(&stop.readable), 1);
}

START_TEST(a_listener_past_its_deadline_is_told_and_its_result_is_void)
{
    int64_t id;

    setup(_i, act_wait_at_gate);
    id = push(1);
    support_wait(&gate.n_in, 1);
    kit_pass(&k, KIT_HOUR);
    kit_wait_state(k.store, id, PAWL_TIMEOUT);
    kit_gate_open(&gate);
    was_told(PAWL_STOP_TIMEOUT);
    ck_assert_int_eq(atomic_load(&stop.extended), PAWL_STALE);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(kit_state(k.store, id), PAWL_TIMEOUT);
    kit_end(&k);
}
END_TEST

START_TEST(a_timed_out_job_with_attempts_left_is_retried)
{
    pawl_job_info *i;
    int64_t id;

    setup(_i, act_wait_at_gate);
    id = push(2);
    support_wait(&gate.n_in, 1);
    kit_pass(&k, KIT_HOUR);
    kit_wait_state(k.store, id, PAWL_DELAYED);
    i = look(id);
    ck_assert_int_eq(i->attempts, 1);
    ck_assert_ptr_nonnull(i->error);
    pawl_job_info_free(i);
    kit_gate_open(&gate);
    kit_pass(&k, 600000);
    kit_wait_state(k.store, id, 0);
    ck_assert_int_eq(seen.number, 2);
    finish();
}
END_TEST

START_TEST(a_cancelled_job_tells_its_listener_and_stays_cancelled)
{
    int64_t id;

    setup(_i, act_wait_at_gate);
    id = push(1);
    support_wait(&gate.n_in, 1);
    ok(pawl_cancel(k.store, id, &err));
    kit_gate_open(&gate);
    was_told(PAWL_STOP_CANCELLED);
    ck_assert_int_eq(atomic_load(&stop.extended), PAWL_STALE);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(kit_state(k.store, id), PAWL_CANCELLED);
    kit_end(&k);
}
END_TEST

START_TEST(a_stopping_store_tells_its_listeners_and_takes_their_result)
{
    int64_t id;

    setup(_i, act_wait_at_gate);
    id = push(1);
    support_wait(&gate.n_in, 1);
    fails(PAWL_BUSY, pawl_stop(k.store, 0, &err));
    kit_gate_open(&gate);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    was_told(PAWL_STOP_SHUTDOWN);
    ck_assert_int_eq(kit_state(k.store, id), 0);
    kit_end(&k);
}
END_TEST

/* ------------------------------------------------------------------ extend */

static int
act_extend_and_wait(pawl_attempt *a, const pawl_job *job)
{
    atomic_store(&seen.rc, pawl_attempt_extend(a, 3 * KIT_HOUR, NULL));
    seen.deadline = pawl_attempt_deadline_at_ms(a);
    return act_wait_at_gate(a, job);
}

START_TEST(an_extended_attempt_lives_until_its_new_deadline)
{
    int64_t id, other;

    setup(_i, act_extend_and_wait);
    ok(pawl_queue_set(k.queue, "parallelism", "2", &err));
    id = push(1);
    support_wait(&gate.n_in, 1);
    ck_assert_int_eq(seen.deadline, SUPPORT_EPOCH + 3 * KIT_HOUR);
    kit_pass(&k, 3 * KIT_HOUR - 1);
    other = push(1); /* proof that the store has looked since */
    support_wait(&gate.n_in, 2);
    ck_assert_int_eq(kit_state(k.store, id), PAWL_RESERVED);
    kit_pass(&k, 1);
    kit_wait_state(k.store, id, PAWL_TIMEOUT);
    kit_gate_open(&gate);
    kit_wait_state(k.store, other, 0);
    finish();
}
END_TEST

START_TEST(a_jump_of_the_wall_clock_times_nothing_out)
{
    int64_t id;

    setup(_i, act_wait_at_gate);
    ok(pawl_queue_set(k.queue, "parallelism", "2", &err));
    id = push(1);
    support_wait(&gate.n_in, 1);
    support_clock_jump(&k.clock, 1000 * KIT_HOUR);
    pawl_wake(k.store);
    (void)push(1);
    support_wait(&gate.n_in, 2);
    ck_assert_int_eq(kit_state(k.store, id), PAWL_RESERVED);
    kit_gate_open(&gate);
    kit_wait_state(k.store, id, 0);
    ck_assert_int_eq(atomic_load(&stop.reason), PAWL_STOP_NONE);
    finish();
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "attempt");
    const TTest *both[] = {
        an_attempt_knows_what_it_is,
        bad_numbers_are_refused_and_the_job_goes_its_way,
        a_failure_keeps_its_reason,
        a_failure_without_a_reason_gets_one,
        a_long_reason_is_cut_between_characters,
        a_null_reason_is_none,
        a_failed_job_is_retried_after_its_backoff_until_it_is_out,
        jitter_keeps_the_backoff_within_its_bounds,
        an_aborted_job_is_not_retried,
        retry_in_says_when_and_counts_the_attempt,
        a_snoozed_job_comes_back_and_nothing_was_counted,
        a_snooze_counts_more_than_what_the_listener_returns,
        a_result_is_kept_where_done_jobs_are_kept,
        a_listener_past_its_deadline_is_told_and_its_result_is_void,
        a_timed_out_job_with_attempts_left_is_retried,
        a_cancelled_job_tells_its_listener_and_stays_cancelled,
        a_stopping_store_tells_its_listeners_and_takes_their_result,
        an_extended_attempt_lives_until_its_new_deadline,
        a_jump_of_the_wall_clock_times_nothing_out,
    };

    KIT_BOTH(tc, both);
    tcase_add_test(tc, null_attempts_are_refused);
}

int
main(void)
{
    return support_main("attempt", add);
}
