/* SPDX-License-Identifier: MIT */
/* test_listen.c - listen, start, stop, drain, wake. */
#include "api/kit.h"

#include <stdio.h>

static struct kit k;
static pawl_error err;
static struct kit_tape tape, other;
static struct kit_gate gate;

static void
setup(int driver)
{
    kit_tape_init(&tape);
    kit_tape_init(&other);
    kit_gate_init(&gate);
    kit_setup(&k, driver);
}

static void
start(void)
{
    ok(pawl_start(k.store, &err));
}

static void
finish(void)
{
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}

static void
listen(const char *type, struct kit_tape *to)
{
    ok(pawl_listen(k.queue, type, kit_tape_listener, to, &err));
}

/* ----------------------------------------------------------------- refused */

START_TEST(null_arguments_are_refused)
{
    setup(_i);
    fails(PAWL_INVALID, pawl_listen(NULL, "t", kit_no_listener, NULL, &err));
    fails(PAWL_INVALID, pawl_listen(k.queue, "t", NULL, NULL, &err));
    ck_assert_int_eq(pawl_listen(NULL, NULL, NULL, NULL, NULL), PAWL_INVALID);
    fails(PAWL_INVALID, pawl_start(NULL, &err));
    fails(PAWL_INVALID, pawl_stop(NULL, 0, &err));
    fails(PAWL_INVALID, pawl_drain(NULL, 0, &err));
    ck_assert_int_eq(pawl_start(NULL, NULL), PAWL_INVALID);
    ck_assert_int_eq(pawl_stop(NULL, 0, NULL), PAWL_INVALID);
    ck_assert_int_eq(pawl_drain(NULL, 0, NULL), PAWL_INVALID);
    pawl_wake(NULL);
    kit_end(&k);
}
END_TEST

START_TEST(bad_types_and_times_are_refused)
{
    static const int64_t bad[] = {-1, INT64_MIN, INT64_MAX, 86400001};
    size_t i;

    setup(_i);
    for (i = 0; kit_bad_names[i] != NULL; i++)
        fails(PAWL_INVALID, pawl_listen(k.queue, kit_bad_names[i],
                                        kit_no_listener, NULL, &err));
    fails(PAWL_INVALID,
          pawl_listen(k.queue, kit_name(129), kit_no_listener, NULL, &err));
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        fails(PAWL_INVALID, pawl_stop(k.store, bad[i], &err));
    fails(PAWL_INVALID, pawl_drain(k.store, -1, &err));
    fails(PAWL_INVALID, pawl_drain(k.store, INT64_MIN, &err));
    kit_end(&k);
}
END_TEST

START_TEST(calls_at_the_wrong_moment_are_refused)
{
    setup(_i);
    ok(pawl_stop(k.store, 0, &err)); /* not started: nothing to stop */
    fails(PAWL_MISUSE, pawl_drain(k.store, 0, &err));
    listen("t", &tape);
    start();
    fails(PAWL_MISUSE, pawl_start(k.store, &err));
    fails(PAWL_MISUSE, pawl_listen(k.queue, "u", kit_no_listener, NULL, &err));
    fails(PAWL_MISUSE, pawl_listen(kit_queue(k.store, "new"), "u",
                                   kit_no_listener, NULL, &err));
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    ok(pawl_stop(k.store, 0, &err));
    listen("u", &tape);
    start();
    finish();
}
END_TEST

/* ----------------------------------------------------------------- routing */

START_TEST(a_listener_gets_the_jobs_of_its_type)
{
    int64_t id;

    setup(_i);
    listen("a", &tape);
    listen("b", &other);
    start();
    id = kit_push(k.queue, "a", "payload of a");
    (void)kit_push(k.queue, "b", "payload of b");
    support_wait(&tape.n, 1);
    support_wait(&other.n, 1);
    kit_drain(k.store);
    ck_assert_int_eq(atomic_load(&tape.n), 1);
    ck_assert_int_eq(tape.at[0].id, id);
    ck_assert_int_eq(tape.at[0].attempt, 1);
    ck_assert_str_eq(tape.at[0].text, "payload of a");
    ck_assert_str_eq(other.at[0].text, "payload of b");
    ck_assert_int_eq(kit_total(k.queue), 0);
    finish();
}
END_TEST

START_TEST(jobs_that_nobody_listens_to_stay_waiting)
{
    int64_t id;

    setup(_i);
    listen("mine", &tape);
    id = kit_push(k.queue, "foreign", "x");
    (void)kit_push(k.queue, "mine", "x");
    start();
    kit_drain(k.store);
    ck_assert_int_eq(atomic_load(&tape.n), 1);
    ck_assert_int_eq(kit_state(k.store, id), PAWL_WAITING);
    finish();
}
END_TEST

START_TEST(a_listener_to_all_gets_what_has_no_listener_of_its_own)
{
    setup(_i);
    listen(NULL, &other);
    listen("a", &tape);
    start();
    (void)kit_push(k.queue, "a", "x");
    (void)kit_push(k.queue, "b", "x");
    (void)kit_push(k.queue, "c", "x");
    support_wait(&other.n, 2);
    kit_drain(k.store);
    ck_assert_int_eq(atomic_load(&tape.n), 1);
    ck_assert_int_eq(atomic_load(&other.n), 2);
    finish();
}
END_TEST

START_TEST(listeners_of_a_type_run_in_order_and_the_first_failure_ends_them)
{
    int64_t id;

    setup(_i);
    listen("t", &tape);
    listen("t", &tape);
    listen("t", &other);
    start();
    id = kit_push(k.queue, "t", "x");
    kit_wait_state(k.store, id, 0);
    ck_assert_int_eq(atomic_load(&tape.n), 2);
    ck_assert_int_eq(atomic_load(&other.n), 1);
    atomic_store(&tape.result, 5);
    id = kit_push(k.queue, "t", "x");
    kit_wait_state(k.store, id, PAWL_FAILED);
    ck_assert_int_eq(atomic_load(&tape.n), 3);
    ck_assert_int_eq(atomic_load(&other.n), 1);
    finish();
}
END_TEST

START_TEST(queues_of_a_store_do_not_mix)
{
    pawl_queue *second;
    int64_t id;

    setup(_i);
    second = kit_queue(k.store, "second");
    listen("t", &tape);
    ok(pawl_listen(second, "u", kit_tape_listener, &other, &err));
    id = kit_push(second, "t", "x");
    (void)kit_push(second, "u", "x");
    (void)kit_push(k.queue, "t", "x");
    start();
    kit_drain(k.store);
    ck_assert_int_eq(atomic_load(&tape.n), 1);
    ck_assert_int_eq(atomic_load(&other.n), 1);
    ck_assert_int_eq(kit_state(k.store, id), PAWL_WAITING);
    finish();
}
END_TEST

/* -------------------------------------------------------------- start, stop */

START_TEST(what_waits_before_the_start_is_run_after_it)
{
    int i;

    setup(_i);
    listen("t", &tape);
    for (i = 0; i < 300; i++)
        (void)kit_push(k.queue, "t", "x");
    start();
    kit_drain(k.store);
    ck_assert_int_eq(atomic_load(&tape.n), 300);
    finish();
}
END_TEST

START_TEST(parallelism_is_the_number_of_listeners_at_once)
{
    int i;

    setup(_i);
    ok(pawl_queue_set(k.queue, "parallelism", "3", &err));
    ok(pawl_listen(k.queue, "t", kit_gate_listener, &gate, &err));
    for (i = 0; i < 20; i++)
        (void)kit_push(k.queue, "t", "x");
    start();
    support_wait(&gate.n_in, 3);
    fails(PAWL_BUSY, pawl_drain(k.store, 50, &err));
    ck_assert_int_eq(atomic_load(&gate.n_in), 3);
    kit_gate_open(&gate);
    kit_drain(k.store);
    ck_assert_int_eq(atomic_load(&gate.n_in), 20);
    finish();
}
END_TEST

START_TEST(parallelism_follows_the_setting_while_started)
{
    int i;

    setup(_i);
    ok(pawl_queue_set(k.queue, "parallelism", "1", &err));
    ok(pawl_listen(k.queue, "t", kit_gate_listener, &gate, &err));
    listen("tick", &tape);
    start();
    ok(pawl_queue_set(k.queue, "parallelism", "6", &err));
    for (i = 0; i < 6; i++)
        (void)kit_push(k.queue, "t", "x");
    support_wait(&gate.n_in, 6);
    kit_gate_open(&gate);
    kit_drain(k.store);
    finish();
}
END_TEST

START_TEST(a_stopped_store_may_be_started_again)
{
    int round;

    setup(_i);
    listen("t", &tape);
    for (round = 1; round <= 3; round++) {
        start();
        (void)kit_push(k.queue, "t", "x");
        support_wait(&tape.n, round);
        ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    }
    (void)kit_push(k.queue, "t", "x");
    ck_assert_int_eq(kit_info(k.queue).waiting, 1);
    ck_assert_int_eq(kit_info(k.queue).workers, 0);
    kit_end(&k);
}
END_TEST

START_TEST(stop_without_grace_is_done_when_no_listener_runs)
{
    int round;

    setup(_i);
    listen("t", &tape);
    for (round = 1; round <= 20; round++) {
        start();
        (void)kit_push(k.queue, "t", "x");
        kit_drain(k.store);
        ok(pawl_stop(k.store, 0, &err));
    }
    kit_end(&k);
}
END_TEST

START_TEST(close_stops_a_started_store)
{
    setup(_i);
    listen("t", &tape);
    start();
    (void)kit_push(k.queue, "t", "x");
    support_wait(&tape.n, 1);
    kit_end(&k);
}
END_TEST

START_TEST(a_store_without_listeners_starts_and_stops)
{
    setup(_i);
    start();
    (void)kit_push(k.queue, "t", "x");
    kit_drain(k.store);
    ck_assert_int_eq(kit_info(k.queue).waiting, 1);
    ck_assert_int_eq(kit_info(k.queue).workers, 1);
    finish();
}
END_TEST

/* ---------------------------------------------------------- inside listeners
 */

struct inside {
    _Atomic long done;
    int stop, drain, start, push, get;
};

static int
inside_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct inside *in = user;
    const pawl_job more = PAWL_JOB("more", "x", 1);
    pawl_job_info *info = NULL;

    (void)job;
    in->stop = pawl_stop(k.store, 0, NULL);
    in->drain = pawl_drain(k.store, 0, NULL);
    in->start = pawl_start(k.store, NULL);
    pawl_close(k.store); /* does nothing here */
    in->push = pawl_push(k.queue, &more, NULL, NULL);
    in->get = pawl_get(k.store, pawl_attempt_job_id(attempt), &info, NULL);
    pawl_job_info_free(info);
    atomic_fetch_add(&in->done, 1);
    return 0;
}

START_TEST(a_listener_may_call_anything_but_stop_drain_and_close)
{
    struct inside in;

    setup(_i);
    memset(&in, 0, sizeof in);
    ok(pawl_listen(k.queue, "t", inside_listener, &in, &err));
    listen("more", &tape);
    start();
    (void)kit_push(k.queue, "t", "x");
    support_wait(&in.done, 1);
    support_wait(&tape.n, 1);
    ck_assert_int_eq(in.stop, PAWL_MISUSE);
    ck_assert_int_eq(in.drain, PAWL_MISUSE);
    ck_assert_int_eq(in.start, PAWL_MISUSE);
    ck_assert_int_eq(in.push, PAWL_OK);
    ck_assert_int_eq(in.get, PAWL_OK);
    finish();
}
END_TEST

/* ------------------------------------------------------------------- drain */

START_TEST(drain_waits_for_jobs_that_back_off_but_not_for_delayed_ones)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t later, id;

    setup(_i);
    listen("t", &tape);
    job.delay_ms = KIT_HOUR;
    later = kit_push_job(k.queue, &job);
    start();
    kit_drain(k.store);
    atomic_store(&tape.result, 1);
    job.delay_ms = 0;
    job.max_attempts = 2;
    id = kit_push_job(k.queue, &job);
    kit_wait_state(k.store, id, PAWL_DELAYED);
    fails(PAWL_BUSY, pawl_drain(k.store, 20, &err));
    atomic_store(&tape.result, 0);
    kit_pass(&k, 600000);
    kit_drain(k.store);
    ck_assert_int_eq(atomic_load(&tape.n), 2);
    ck_assert_int_eq(kit_state(k.store, id), 0);
    ck_assert_int_eq(kit_state(k.store, later), PAWL_DELAYED);
    finish();
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "listen");
    const TTest *both[] = {
        null_arguments_are_refused,
        bad_types_and_times_are_refused,
        calls_at_the_wrong_moment_are_refused,
        a_listener_gets_the_jobs_of_its_type,
        jobs_that_nobody_listens_to_stay_waiting,
        a_listener_to_all_gets_what_has_no_listener_of_its_own,
        listeners_of_a_type_run_in_order_and_the_first_failure_ends_them,
        queues_of_a_store_do_not_mix,
        what_waits_before_the_start_is_run_after_it,
        parallelism_is_the_number_of_listeners_at_once,
        parallelism_follows_the_setting_while_started,
        a_stopped_store_may_be_started_again,
        stop_without_grace_is_done_when_no_listener_runs,
        close_stops_a_started_store,
        a_store_without_listeners_starts_and_stops,
        a_listener_may_call_anything_but_stop_drain_and_close,
        drain_waits_for_jobs_that_back_off_but_not_for_delayed_ones,
    };

    KIT_BOTH(tc, both);
}

int
main(void)
{
    return support_main("listen", add);
}
