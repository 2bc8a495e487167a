/* SPDX-License-Identifier: MIT */
/* test_consume.c - jobs on their way through a started store, several of the
 * header's promises at a time: what a listener's end means, deadlines, stop
 * and start, and settings that change while the pools run. */
#include "api/kit.h"

#include <poll.h>
#include <stdio.h>

static struct kit k;
static pawl_error err;
static struct kit_tape first, second, other;
static struct kit_gate gate;

static void
setup(int driver)
{
    kit_tape_init(&first);
    kit_tape_init(&second);
    kit_tape_init(&other);
    kit_gate_init(&gate);
    kit_setup(&k, driver);
}

static void
stop(void)
{
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
}

static int64_t
push_n(const char *type, int32_t max_attempts)
{
    pawl_job job = PAWL_JOB(type, "x", 1);

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

/* -------------------------------------------------------- several listeners */

START_TEST(a_job_whose_second_listener_failed_is_retried_whole)
{
    int64_t id;

    setup(_i);
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &first, &err));
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &second, &err));
    ok(pawl_listen(k.queue, NULL, kit_tape_listener, &other, &err));
    atomic_store(&second.result, 1);
    ok(pawl_start(k.store, &err));
    id = push_n("t", 2);
    kit_wait_state(k.store, id, PAWL_DELAYED);
    ck_assert_int_eq(atomic_load(&first.n), 1);
    atomic_store(&second.result, 0);
    kit_pass(&k, 600000);
    kit_wait_state(k.store, id, 0);
    ck_assert_int_eq(atomic_load(&first.n), 2);
    ck_assert_int_eq(atomic_load(&second.n), 2);
    ck_assert_int_eq(first.at[1].attempt, 2);
    ck_assert_int_eq(second.at[1].attempt, 2);
    ck_assert_int_eq(atomic_load(&other.n), 0);
    (void)push_n("unheard of", 1);
    support_wait(&other.n, 1);
    stop();
    kit_end(&k);
}
END_TEST

static int
tell_then_fail(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)job;
    (void)user;
    (void)pawl_attempt_result(attempt, "kept for success only", NULL);
    return pawl_attempt_fail(attempt, "no");
}

static int
abort_then_succeed(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)job;
    (void)user;
    (void)pawl_attempt_abort(attempt, "changed my mind");
    return 0;
}

START_TEST(what_a_listener_returns_decides_and_not_what_it_prepared)
{
    pawl_job_info *info;
    int64_t id;

    setup(_i);
    ok(pawl_queue_set(k.queue, "retention_s", "1d", &err));
    ok(pawl_listen(k.queue, "fail", tell_then_fail, NULL, &err));
    ok(pawl_listen(k.queue, "succeed", abort_then_succeed, NULL, &err));
    ok(pawl_start(k.store, &err));
    id = push_n("fail", 1);
    kit_wait_state(k.store, id, PAWL_FAILED);
    info = look(id);
    ck_assert_ptr_null(info->result);
    ck_assert_str_eq(info->error, "no");
    pawl_job_info_free(info);
    id = push_n("succeed", 1);
    kit_wait_state(k.store, id, PAWL_DONE);
    info = look(id);
    ck_assert_int_eq(info->attempts, 0);
    pawl_job_info_free(info);
    stop();
    kit_end(&k);
}
END_TEST

/* Pushes the next link of a chain until there are ten. */
static int
push_next(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    pawl_job next = *job;
    char text[16];
    long n = atomic_fetch_add((_Atomic long *)user, 1) + 1;

    (void)snprintf(text, sizeof text, "%ld", n);
    next.payload = text;
    next.payload_bytes = strlen(text);
    if (n < 10)
        return pawl_push(pawl_attempt_queue(attempt), &next, NULL, NULL);
    return 0;
}

START_TEST(listeners_push_on_and_drain_waits_for_the_last)
{
    _Atomic long n = 0;

    setup(_i);
    ok(pawl_listen(k.queue, "chain", push_next, &n, &err));
    ok(pawl_start(k.store, &err));
    (void)push_n("chain", 1);
    kit_drain(k.store);
    ck_assert_int_eq(atomic_load(&n), 10);
    stop();
    ck_assert_int_eq(kit_total(k.queue), 0);
    kit_end(&k);
}
END_TEST

/* --------------------------------------------------------------- deadlines */

static struct {
    _Atomic long n;
    _Atomic int reason, extended, polled;
    int64_t pass_ms;
} late;

/* Its own deadline passes while it runs; nobody wakes the store. */
static int
pass_own_deadline(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)job;
    (void)user;
    support_clock_pass(&k.clock, late.pass_ms);
    atomic_store(&late.extended, pawl_attempt_extend(attempt, 1000, NULL));
    (void)pawl_attempt_result(attempt, "too late", NULL);
    atomic_fetch_add(&late.n, 1);
    return 0;
}

START_TEST(an_end_after_the_deadline_changes_nothing_though_none_looked)
{
    int64_t id;

    setup(_i);
    memset(&late, 0, sizeof late);
    late.pass_ms = KIT_HOUR;
    ok(pawl_queue_set(k.queue, "retention_s", "-1", &err));
    ok(pawl_listen(k.queue, "t", pass_own_deadline, NULL, &err));
    ok(pawl_start(k.store, &err));
    id = push_n("t", 1);
    support_wait(&late.n, 1);
    pawl_wake(k.store);
    stop();
    ck_assert_int_eq(kit_state(k.store, id), PAWL_TIMEOUT);
    kit_end(&k);
}
END_TEST

START_TEST(a_deadline_that_has_passed_cannot_be_moved_though_none_looked)
{
    setup(_i);
    memset(&late, 0, sizeof late);
    late.pass_ms = KIT_HOUR;
    ok(pawl_listen(k.queue, "t", pass_own_deadline, NULL, &err));
    ok(pawl_start(k.store, &err));
    (void)push_n("t", 1);
    support_wait(&late.n, 1);
    ck_assert_int_eq(atomic_load(&late.extended), PAWL_STALE);
    stop();
    kit_end(&k);
}
END_TEST

START_TEST(one_ms_before_the_deadline_an_end_still_counts)
{
    int64_t id;

    setup(_i);
    memset(&late, 0, sizeof late);
    late.pass_ms = KIT_HOUR - 1;
    ok(pawl_listen(k.queue, "t", pass_own_deadline, NULL, &err));
    ok(pawl_start(k.store, &err));
    id = push_n("t", 1);
    kit_wait_state(k.store, id, 0);
    ck_assert_int_eq(atomic_load(&late.extended), PAWL_OK);
    stop();
    kit_end(&k);
}
END_TEST

/* Sleeps in poll() on its descriptor, as a listener that waits would. */
static int
poll_until_told(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct pollfd p = {pawl_attempt_stop_fd(attempt), POLLIN, 0};

    (void)job;
    (void)user;
    atomic_fetch_add(&gate.n_in, 1);
    atomic_store(&late.polled, poll(&p, 1, SUPPORT_DEADLINE_MS));
    atomic_store(&late.reason, pawl_attempt_should_stop(attempt));
    (void)pawl_attempt_result(attempt, "too late", NULL);
    atomic_fetch_add(&late.n, 1);
    return 0;
}

START_TEST(the_stop_descriptor_wakes_a_listener_that_polls)
{
    pawl_job_info *info;
    int64_t id;

    setup(_i);
    memset(&late, 0, sizeof late);
    ok(pawl_queue_set(k.queue, "retention_s", "-1", &err));
    ok(pawl_listen(k.queue, "t", poll_until_told, NULL, &err));
    ok(pawl_start(k.store, &err));
    id = push_n("t", 1);
    support_wait(&gate.n_in, 1);
    kit_pass(&k, KIT_HOUR);
    support_wait(&late.n, 1);
    ck_assert_int_eq(atomic_load(&late.polled), 1);
    ck_assert_int_eq(atomic_load(&late.reason), PAWL_STOP_TIMEOUT);
    kit_wait_state(k.store, id, PAWL_TIMEOUT);
    info = look(id);
    ck_assert_ptr_null(info->result);
    pawl_job_info_free(info);

    id = push_n("t", 1);
    support_wait(&gate.n_in, 2);
    ok(pawl_cancel(k.store, id, &err));
    support_wait(&late.n, 2);
    ck_assert_int_eq(atomic_load(&late.reason), PAWL_STOP_CANCELLED);
    ck_assert_int_eq(kit_state(k.store, id), PAWL_CANCELLED);

    id = push_n("t", 1);
    support_wait(&gate.n_in, 3);
    stop();
    ck_assert_int_eq(atomic_load(&late.reason), PAWL_STOP_SHUTDOWN);
    info = look(id); /* a shutdown is no deadline: its result counts */
    ck_assert_int_eq(info->state, PAWL_DONE);
    ck_assert_str_eq(info->result, "too late");
    pawl_job_info_free(info);
    kit_end(&k);
}
END_TEST

/* In rounds: whether the idle thread hears of the retry is a race with the
 * settling of the attempt that timed out. */
START_TEST(a_retry_runs_beside_the_listener_that_timed_out)
{
    int round, rounds = support_rounds(40);
    int64_t id;

    for (round = 0; round < rounds; round++) {
        setup(_i);
        ok(pawl_queue_set(k.queue, "parallelism", "2", &err));
        ok(pawl_listen(k.queue, "t", kit_gate_listener, &gate, &err));
        ok(pawl_start(k.store, &err));
        id = push_n("t", 3);
        support_wait(&gate.n_in, 1);
        kit_pass(&k, KIT_HOUR);
        kit_wait_state(k.store, id, PAWL_DELAYED);
        kit_pass(&k, 600000);
        support_wait(&gate.n_in, 2);
        ck_assert_int_eq(kit_state(k.store, id), PAWL_RESERVED);
        kit_gate_open(&gate);
        kit_wait_state(k.store, id, 0);
        stop();
        kit_end(&k);
    }
}
END_TEST

/* --------------------------------------------------------- stop and restart */

START_TEST(jobs_not_started_are_given_back_untouched)
{
    pawl_job_info *info;
    int64_t running, id[20];
    int i;

    setup(_i);
    ok(pawl_queue_set(k.queue, "parallelism", "1", &err));
    ok(pawl_listen(k.queue, "t", kit_gate_listener, &gate, &err));
    running = push_n("t", 1);
    for (i = 0; i < 20; i++)
        id[i] = push_n("t", 1);
    ok(pawl_start(k.store, &err));
    support_wait(&gate.n_in, 1);
    fails(PAWL_BUSY, pawl_stop(k.store, 0, &err));
    fails(PAWL_BUSY, pawl_stop(k.store, 1, &err));
    ck_assert_int_eq(kit_state(k.store, running), PAWL_RESERVED);
    kit_gate_open(&gate);
    stop();
    stop(); /* again: nothing is left to stop */
    ck_assert_int_eq(atomic_load(&gate.n_in), 1);
    ck_assert_int_eq(kit_state(k.store, running), 0);
    for (i = 0; i < 20; i++) {
        info = look(id[i]);
        ck_assert_int_eq(info->state, PAWL_WAITING);
        ck_assert_int_eq(info->attempts, 0);
        ck_assert_int_eq(info->abandons, 0);
        ck_assert_int_eq(info->worker, 0);
        ck_assert_ptr_null(info->error);
        pawl_job_info_free(info);
    }
    ok(pawl_start(k.store, &err));
    support_wait(&gate.n_out, 21);
    kit_drain(k.store);
    stop();
    ck_assert_int_eq(kit_total(k.queue), 0);
    kit_end(&k);
}
END_TEST

START_TEST(a_store_that_is_half_stopped_cannot_be_started)
{
    setup(_i);
    ok(pawl_listen(k.queue, "t", kit_gate_listener, &gate, &err));
    ok(pawl_start(k.store, &err));
    fails(PAWL_MISUSE, pawl_start(k.store, &err));
    (void)push_n("t", 1);
    support_wait(&gate.n_in, 1);
    fails(PAWL_BUSY, pawl_stop(k.store, 0, &err));
    fails(PAWL_MISUSE, pawl_start(k.store, &err));
    kit_gate_open(&gate);
    stop();
    ok(pawl_start(k.store, &err));
    stop();
    kit_end(&k);
}
END_TEST

START_TEST(many_starts_and_stops_lose_and_repeat_nothing)
{
    int round, n = 0, rounds = support_rounds(20);
    int i;

    setup(_i);
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &first, &err));
    for (round = 0; round < rounds; round++) {
        for (i = 0; i < 10; i++, n++)
            (void)push_n("t", 1);
        ok(pawl_start(k.store, &err));
        (void)push_n("t", 1);
        n++;
        stop();
    }
    ok(pawl_start(k.store, &err));
    support_wait(&first.n, n);
    kit_drain(k.store);
    stop();
    ck_assert_int_eq(atomic_load(&first.n), n);
    ck_assert_int_eq(kit_total(k.queue), 0);
    kit_end(&k);
}
END_TEST

START_TEST(drain_ends_when_its_time_is_over_and_not_before_the_work)
{
    setup(_i);
    ok(pawl_listen(k.queue, "t", kit_gate_listener, &gate, &err));
    ok(pawl_start(k.store, &err));
    kit_drain(k.store); /* nothing to do */
    (void)push_n("t", 1);
    support_wait(&gate.n_in, 1);
    fails(PAWL_BUSY, pawl_drain(k.store, 0, &err));
    fails(PAWL_BUSY, pawl_drain(k.store, 1, &err));
    kit_gate_open(&gate);
    kit_drain(k.store);
    ck_assert_int_eq(atomic_load(&gate.n_out), 1);
    ck_assert_int_eq(kit_total(k.queue), 0);
    stop();
    kit_end(&k);
}
END_TEST

/* ----------------------------------------------------------- live settings */

START_TEST(a_pause_holds_what_waits_and_lets_what_runs_end)
{
    int64_t running, held;

    setup(_i);
    ok(pawl_queue_set(k.queue, "parallelism", "2", &err));
    ok(pawl_listen(k.queue, "t", kit_gate_listener, &gate, &err));
    ok(pawl_listen(k.queue, "held", kit_tape_listener, &first, &err));
    ok(pawl_start(k.store, &err));
    running = push_n("t", 1);
    support_wait(&gate.n_in, 1);
    ok(pawl_queue_set(k.queue, "paused", "1", &err));
    ck_assert_int_eq(kit_info(k.queue).paused, 1);
    held = push_n("held", 1);
    kit_gate_open(&gate);
    kit_wait_state(k.store, running, 0); /* its thread is free now */
    pawl_wake(k.store);
    fails(PAWL_BUSY, pawl_drain(k.store, 50, &err));
    ck_assert_int_eq(kit_state(k.store, held), PAWL_WAITING);
    ck_assert_int_eq(atomic_load(&first.n), 0);
    ok(pawl_queue_set(k.queue, "paused", "0", &err));
    support_wait(&first.n, 1);
    kit_drain(k.store);
    stop();
    kit_end(&k);
}
END_TEST

START_TEST(parallelism_grows_and_shrinks_under_load)
{
    static const char *const width[] = {"1", "8", "2", "256", "1", "default"};
    int i, n = support_rounds(600);

    setup(_i);
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &first, &err));
    ok(pawl_start(k.store, &err));
    for (i = 0; i < n; i++) {
        if (i % 100 == 0)
            ok(pawl_queue_set(k.queue, "parallelism", width[i / 100 % 6],
                              &err));
        (void)push_n("t", 1);
    }
    kit_drain(k.store);
    stop();
    ck_assert_int_eq(atomic_load(&first.n), n);
    ck_assert_int_eq(kit_total(k.queue), 0);
    kit_end(&k);
}
END_TEST

START_TEST(larger_priority_runs_sooner_and_equals_in_order)
{
    static const int32_t priority[] = {0, -5, 7, 7, 0, 32767, -32768};
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t id[7];
    int i;

    setup(_i);
    ok(pawl_queue_set(k.queue, "parallelism", "1", &err));
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &first, &err));
    for (i = 0; i < 7; i++) {
        job.priority = priority[i];
        id[i] = kit_push_job(k.queue, &job);
    }
    ok(pawl_start(k.store, &err));
    support_wait(&first.n, 7);
    stop();
    ck_assert_int_eq(first.at[0].id, id[5]);
    ck_assert_int_eq(first.at[1].id, id[2]);
    ck_assert_int_eq(first.at[2].id, id[3]);
    ck_assert_int_eq(first.at[3].id, id[0]);
    ck_assert_int_eq(first.at[4].id, id[4]);
    ck_assert_int_eq(first.at[5].id, id[1]);
    ck_assert_int_eq(first.at[6].id, id[6]);
    kit_end(&k);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "consume");
    const TTest *both[] = {
        a_job_whose_second_listener_failed_is_retried_whole,
        what_a_listener_returns_decides_and_not_what_it_prepared,
        listeners_push_on_and_drain_waits_for_the_last,
        an_end_after_the_deadline_changes_nothing_though_none_looked,
        a_deadline_that_has_passed_cannot_be_moved_though_none_looked,
        one_ms_before_the_deadline_an_end_still_counts,
        the_stop_descriptor_wakes_a_listener_that_polls,
        a_retry_runs_beside_the_listener_that_timed_out,
        jobs_not_started_are_given_back_untouched,
        a_store_that_is_half_stopped_cannot_be_started,
        many_starts_and_stops_lose_and_repeat_nothing,
        drain_ends_when_its_time_is_over_and_not_before_the_work,
        a_pause_holds_what_waits_and_lets_what_runs_end,
        parallelism_grows_and_shrinks_under_load,
        larger_priority_runs_sooner_and_equals_in_order,
    };

    KIT_BOTH(tc, both);
}

int
main(void)
{
    return support_main("consume", add);
}
