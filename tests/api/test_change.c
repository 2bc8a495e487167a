/* SPDX-License-Identifier: MIT */
/* test_change.c - retry, cancel, reload, flush. */
#include "api/kit.h"

static struct kit k;
static pawl_error err;
static struct kit_tape tape;
static bool listens;

static void
setup(int driver)
{
    listens = false;
    kit_tape_init(&tape);
    kit_setup(&k, driver);
}

static int64_t
delayed(void)
{
    pawl_job job = PAWL_JOB("t", "x", 1);

    job.delay_ms = KIT_HOUR;
    return kit_push_job(k.queue, &job);
}

/* Run what waits, with listeners that return result. */
static void
run_all(int result)
{
    atomic_store(&tape.result, result);
    if (!listens)
        ok(pawl_listen(k.queue, "t", kit_tape_listener, &tape, &err));
    listens = true;
    ok(pawl_start(k.store, &err));
    kit_drain(k.store);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
}

static int64_t
failed(void)
{
    int64_t id = kit_push(k.queue, "t", "x");

    run_all(1);
    ck_assert_int_eq(kit_state(k.store, id), PAWL_FAILED);
    return id;
}

static int32_t
attempts(int64_t id)
{
    pawl_job_info *i = NULL;
    int32_t n;

    ok(pawl_get(k.store, id, &i, &err));
    n = i->attempts;
    pawl_job_info_free(i);
    return n;
}

/* ---------------------------------------------------------------- bad input */

START_TEST(unknown_jobs_are_not_found)
{
    static const int64_t ids[] = {0, -1, 99, INT64_MIN, INT64_MAX};
    size_t i;

    setup(_i);
    (void)kit_push(k.queue, "t", "x");
    for (i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        fails(PAWL_NOT_FOUND, pawl_retry(k.store, ids[i], &err));
        fails(PAWL_NOT_FOUND, pawl_cancel(k.store, ids[i], &err));
        ck_assert_int_eq(pawl_retry(k.store, ids[i], NULL), PAWL_NOT_FOUND);
        ck_assert_int_eq(pawl_cancel(k.store, ids[i], NULL), PAWL_NOT_FOUND);
    }
    fails(PAWL_INVALID, pawl_retry(NULL, 1, &err));
    fails(PAWL_INVALID, pawl_cancel(NULL, 1, &err));
    ck_assert_int_eq(pawl_retry(NULL, 1, NULL), PAWL_INVALID);
    ck_assert_int_eq(pawl_cancel(NULL, 1, NULL), PAWL_INVALID);
    ck_assert_int_eq(kit_info(k.queue).waiting, 1);
    kit_end(&k);
}
END_TEST

START_TEST(bad_masks_and_queues_are_refused)
{
    static const unsigned no_reload[] = {0,
                                         PAWL_WAITING,
                                         PAWL_DELAYED,
                                         PAWL_RESERVED,
                                         PAWL_DONE,
                                         128,
                                         PAWL_FAILED | PAWL_WAITING,
                                         PAWL_ANY_STATE,
                                         UINT32_MAX};
    static const unsigned no_flush[] = {0, PAWL_RESERVED, 128, PAWL_ANY_STATE,
                                        UINT32_MAX};
    int64_t n;
    size_t i;

    setup(_i);
    (void)kit_push(k.queue, "t", "x");
    for (i = 0; i < sizeof no_reload / sizeof no_reload[0]; i++) {
        n = 9;
        fails(PAWL_INVALID, pawl_reload(k.store, NULL, no_reload[i], &n, &err));
        ck_assert_int_eq(n, 0);
    }
    for (i = 0; i < sizeof no_flush / sizeof no_flush[0]; i++) {
        n = 9;
        fails(PAWL_INVALID, pawl_flush(k.store, NULL, no_flush[i], &n, &err));
        ck_assert_int_eq(n, 0);
    }
    for (i = 0; kit_bad_names[i] != NULL; i++) {
        fails(PAWL_INVALID,
              pawl_reload(k.store, kit_bad_names[i], PAWL_FAILED, &n, &err));
        fails(PAWL_INVALID,
              pawl_flush(k.store, kit_bad_names[i], PAWL_WAITING, &n, &err));
    }
    fails(PAWL_INVALID,
          pawl_flush(k.store, kit_name(65), PAWL_WAITING, &n, &err));
    fails(PAWL_INVALID, pawl_reload(NULL, NULL, PAWL_FAILED, &n, &err));
    fails(PAWL_INVALID, pawl_flush(NULL, NULL, PAWL_FAILED, &n, &err));
    ck_assert_int_eq(pawl_reload(NULL, NULL, 0, NULL, NULL), PAWL_INVALID);
    ck_assert_int_eq(pawl_flush(NULL, NULL, 0, NULL, NULL), PAWL_INVALID);
    ck_assert_int_eq(kit_info(k.queue).waiting, 1);
    kit_end(&k);
}
END_TEST

/* ------------------------------------------------------------------- retry */

START_TEST(retry_puts_a_delayed_job_to_work_now)
{
    int64_t id;

    setup(_i);
    id = delayed();
    ok(pawl_retry(k.store, id, &err));
    ck_assert_int_eq(kit_state(k.store, id), PAWL_WAITING);
    fails(PAWL_NOT_FOUND, pawl_retry(k.store, id, &err));
    run_all(0);
    ck_assert_int_eq(kit_state(k.store, id), 0);
    kit_end(&k);
}
END_TEST

START_TEST(retry_gives_a_failed_job_one_more_attempt_and_keeps_its_count)
{
    int64_t id;

    setup(_i);
    id = failed();
    ok(pawl_retry(k.store, id, &err));
    ck_assert_int_eq(kit_state(k.store, id), PAWL_WAITING);
    ck_assert_int_eq(attempts(id), 1);
    run_all(1);
    ck_assert_int_eq(kit_state(k.store, id), PAWL_FAILED);
    ck_assert_int_eq(attempts(id), 2);
    ok(pawl_retry(k.store, id, &err));
    run_all(0);
    ck_assert_int_eq(kit_state(k.store, id), 0);
    ck_assert_int_eq(atomic_load(&tape.n), 3);
    ck_assert_int_eq(tape.at[2].attempt, 3);
    kit_end(&k);
}
END_TEST

START_TEST(retry_wakes_a_started_store)
{
    int64_t id;

    setup(_i);
    id = delayed();
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &tape, &err));
    ok(pawl_start(k.store, &err));
    ok(pawl_retry(k.store, id, &err));
    support_wait(&tape.n, 1);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

START_TEST(retry_is_refused_while_another_job_holds_the_key)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t first, second, n = 9;

    setup(_i);
    job.unique_key = "k";
    first = kit_push_job(k.queue, &job);
    ok(pawl_cancel(k.store, first, &err));
    second = kit_push_job(k.queue, &job);
    fails(PAWL_EXISTS, pawl_retry(k.store, first, &err));
    ok(pawl_reload(k.store, NULL, PAWL_CANCELLED, &n, &err));
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(kit_state(k.store, first), PAWL_CANCELLED);
    ok(pawl_cancel(k.store, second, &err));
    ok(pawl_retry(k.store, first, &err));
    fails(PAWL_EXISTS, pawl_push(k.queue, &job, NULL, &err));
    kit_end(&k);
}
END_TEST

/* ------------------------------------------------------------------ cancel */

START_TEST(cancel_ends_waiting_and_delayed_jobs)
{
    int64_t a, b;

    setup(_i);
    a = kit_push(k.queue, "t", "x");
    b = delayed();
    ok(pawl_cancel(k.store, a, &err));
    ok(pawl_cancel(k.store, b, &err));
    fails(PAWL_NOT_FOUND, pawl_cancel(k.store, a, &err));
    ck_assert_int_eq(kit_info(k.queue).cancelled, 2);
    kit_pass(&k, 2 * KIT_HOUR);
    run_all(0);
    ck_assert_int_eq(atomic_load(&tape.n), 0);
    ok(pawl_retry(k.store, b, &err));
    run_all(0);
    ck_assert_int_eq(tape.at[0].id, b);
    kit_end(&k);
}
END_TEST

START_TEST(a_failed_job_cannot_be_cancelled)
{
    int64_t id;

    setup(_i);
    id = failed();
    fails(PAWL_NOT_FOUND, pawl_cancel(k.store, id, &err));
    ck_assert_int_eq(kit_state(k.store, id), PAWL_FAILED);
    kit_end(&k);
}
END_TEST

/* ------------------------------------------------------------ reload, flush */

/* 1200 jobs of two queues: several steps of any bounded move. */
static void
push_hundreds(void)
{
    pawl_queue *other = kit_queue(k.store, "other");
    int64_t id;
    int i;

    for (i = 0; i < 1200; i++) {
        id = kit_push(i % 2 != 0 ? k.queue : other, "t", "x");
        ok(pawl_cancel(k.store, id, &err));
    }
}

START_TEST(reload_moves_all_jobs_of_a_queue_or_of_all)
{
    int64_t n = 0;

    setup(_i);
    push_hundreds();
    ok(pawl_reload(k.store, "mail", PAWL_CANCELLED, &n, &err));
    ck_assert_int_eq(n, 600);
    ck_assert_int_eq(kit_info(k.queue).waiting, 600);
    ck_assert_int_eq(kit_info(kit_queue(k.store, "other")).cancelled, 600);
    ok(pawl_reload(k.store, NULL, PAWL_CANCELLED | PAWL_FAILED, &n, &err));
    ck_assert_int_eq(n, 600);
    ok(pawl_reload(k.store, NULL, PAWL_CANCELLED, NULL, NULL));
    ok(pawl_reload(k.store, "nobody knows it", PAWL_CANCELLED, &n, &err));
    ck_assert_int_eq(n, 0);
    kit_end(&k);
}
END_TEST

START_TEST(flush_deletes_all_jobs_of_a_queue_or_of_all)
{
    int64_t n = 0;

    setup(_i);
    push_hundreds();
    (void)delayed();
    ok(pawl_flush(k.store, "mail", PAWL_CANCELLED, &n, &err));
    ck_assert_int_eq(n, 600);
    ck_assert_int_eq(kit_total(k.queue), 1);
    ok(pawl_flush(k.store, NULL, PAWL_CANCELLED | PAWL_DELAYED, &n, &err));
    ck_assert_int_eq(n, 601);
    ck_assert_int_eq(kit_total(k.queue), 0);
    ck_assert_int_eq(kit_total(kit_queue(k.store, "other")), 0);
    kit_end(&k);
}
END_TEST

START_TEST(reload_counts_on_and_gives_one_more_attempt)
{
    int64_t id, n = 0;

    setup(_i);
    id = failed();
    ok(pawl_reload(k.store, NULL, PAWL_FAILED | PAWL_TIMEOUT, &n, &err));
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(attempts(id), 1);
    run_all(1);
    ck_assert_int_eq(kit_state(k.store, id), PAWL_FAILED);
    ck_assert_int_eq(attempts(id), 2);
    kit_end(&k);
}
END_TEST

START_TEST(flush_leaves_reserved_jobs_alone)
{
    struct kit_gate gate;
    int64_t id, n = 9;

    setup(_i);
    kit_gate_init(&gate);
    ok(pawl_listen(k.queue, "t", kit_gate_listener, &gate, &err));
    ok(pawl_start(k.store, &err));
    id = kit_push(k.queue, "t", "x");
    support_wait(&gate.n_in, 1);
    ok(pawl_flush(k.store, NULL, PAWL_ANY_STATE & ~(unsigned)PAWL_RESERVED, &n,
                  &err));
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(kit_state(k.store, id), PAWL_RESERVED);
    kit_gate_open(&gate);
    kit_wait_state(k.store, id, 0);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "change");
    const TTest *both[] = {
        unknown_jobs_are_not_found,
        bad_masks_and_queues_are_refused,
        retry_puts_a_delayed_job_to_work_now,
        retry_gives_a_failed_job_one_more_attempt_and_keeps_its_count,
        retry_wakes_a_started_store,
        retry_is_refused_while_another_job_holds_the_key,
        cancel_ends_waiting_and_delayed_jobs,
        a_failed_job_cannot_be_cancelled,
        reload_moves_all_jobs_of_a_queue_or_of_all,
        flush_deletes_all_jobs_of_a_queue_or_of_all,
        reload_counts_on_and_gives_one_more_attempt,
        flush_leaves_reserved_jobs_alone,
    };

    KIT_BOTH(tc, both);
}

int
main(void)
{
    return support_main("change", add);
}
