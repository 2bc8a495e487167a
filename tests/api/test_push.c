/* SPDX-License-Identifier: MIT */
/* test_push.c - push and push_many: what is stored, what is refused, and that
 * a refused push leaves nothing behind. */
#include "api/kit.h"

static struct kit k;
static pawl_error err;

static pawl_job_info *
look(int64_t id)
{
    pawl_job_info *info = NULL;

    ok(pawl_get(k.store, id, &info, &err));
    return info;
}

/* Refused by all three ways to push, and nothing is there afterwards. */
static void
refused(const pawl_job *job)
{
    int64_t id = 77;

    fails(PAWL_INVALID, pawl_push(k.queue, job, &id, &err));
    ck_assert_int_eq(id, 0);
    ck_assert_int_eq(pawl_push(k.queue, job, NULL, NULL), PAWL_INVALID);
    if (job != NULL) {
        id = 77;
        fails(PAWL_INVALID, pawl_push_many(k.queue, job, 1, &id, &err));
        ck_assert_int_eq(id, 0);
        ck_assert_int_eq(pawl_push_many(k.queue, job, 1, NULL, NULL),
                         PAWL_INVALID);
    }
    fails(PAWL_INVALID, pawl_push_async(k.queue, job, NULL, NULL, &err));
    ck_assert_int_eq(pawl_push_async(k.queue, job, NULL, NULL, NULL),
                     PAWL_INVALID);
    ok(pawl_sync(k.store, &err));
    ck_assert_int_eq(kit_total(k.queue), 0);
}

START_TEST(a_job_is_stored_as_it_was_pushed)
{
    static const char payload[] = "a\0b\xff";
    pawl_job job = PAWL_JOB("welcome", payload, sizeof payload);
    pawl_job_info *i;
    int64_t id;

    kit_setup(&k, _i);
    job.delay_ms = 5000;
    job.timeout_ms = 60000;
    job.unique_key = "key/1";
    job.max_attempts = 5;
    job.priority = -7;
    job.backoff_floor_ms = 10;
    job.backoff_ceiling_ms = 20;
    job.backoff_factor_percent = 150;
    job.backoff_jitter_percent = PAWL_NONE;
    id = kit_push_job(k.queue, &job);
    i = look(id);
    ck_assert_int_eq(i->id, id);
    ck_assert_str_eq(i->queue, "mail");
    ck_assert_int_eq(i->state, PAWL_DELAYED);
    ck_assert_int_eq(i->attempts, 0);
    ck_assert_int_eq(i->abandons, 0);
    ck_assert_int_eq(i->pushed_at_ms, SUPPORT_EPOCH);
    ck_assert_int_eq(i->finished_at_ms, 0);
    ck_assert_ptr_null(i->error);
    ck_assert_ptr_null(i->result);
    ck_assert_int_eq(i->worker, 0);
    ck_assert_str_eq(i->job.type, "welcome");
    ck_assert_uint_eq(i->job.payload_bytes, sizeof payload);
    ck_assert_mem_eq(i->job.payload, payload, sizeof payload);
    ck_assert_int_eq(i->job.delay_ms, 0);
    ck_assert_int_eq(i->job.ready_at_ms, SUPPORT_EPOCH + 5000);
    ck_assert_int_eq(i->job.timeout_ms, 60000);
    ck_assert_str_eq(i->job.unique_key, "key/1");
    ck_assert_int_eq(i->job.max_attempts, 5);
    ck_assert_int_eq(i->job.priority, -7);
    ck_assert_int_eq(i->job.backoff_floor_ms, 10);
    ck_assert_int_eq(i->job.backoff_ceiling_ms, 20);
    ck_assert_int_eq(i->job.backoff_factor_percent, 150);
    ck_assert_int_eq(i->job.backoff_jitter_percent, PAWL_NONE);
    pawl_job_info_free(i);
    kit_end(&k);
}
END_TEST

START_TEST(a_bare_job_gets_the_defaults)
{
    pawl_job job = PAWL_JOB("t", NULL, 0);
    pawl_job_info *i;

    kit_setup(&k, _i);
    ok(pawl_queue_set(k.queue, "timeout_ms", "5m", &err));
    i = look(kit_push_job(k.queue, &job));
    ck_assert_int_eq(i->state, PAWL_WAITING);
    ck_assert_uint_eq(i->job.payload_bytes, 0);
    ck_assert_int_eq(i->job.ready_at_ms, SUPPORT_EPOCH);
    ck_assert_int_eq(i->job.timeout_ms, 300000);
    ck_assert_int_eq(i->job.max_attempts, 1);
    ck_assert_int_eq(i->job.priority, 0);
    ck_assert_int_eq(i->job.backoff_floor_ms, 1000);
    ck_assert_int_eq(i->job.backoff_ceiling_ms, 600000);
    ck_assert_int_eq(i->job.backoff_factor_percent, 200);
    ck_assert_int_eq(i->job.backoff_jitter_percent, 50);
    ck_assert_ptr_null(i->job.unique_key);
    pawl_job_info_free(i);
    kit_end(&k);
}
END_TEST

START_TEST(ids_rise_from_one_and_are_never_used_again)
{
    int64_t id, n = 0;
    int round;

    kit_setup(&k, _i);
    for (round = 0; round < 4; round++) {
        id = kit_push(k.queue, "t", "x");
        ck_assert_int_eq(id, 2 * round + 1);
        ck_assert_int_eq(kit_push(kit_queue(k.store, "b"), "t", "x"), id + 1);
        ok(pawl_flush(k.store, NULL, PAWL_WAITING, &n, &err));
        ck_assert_int_eq(n, 2);
    }
    kit_end(&k);
}
END_TEST

START_TEST(ids_are_not_used_again_after_the_store_was_closed)
{
    int64_t first;

    kit_setup(&k, KIT_SQLITE);
    (void)kit_push(k.queue, "t", "x");
    first = kit_push(k.queue, "t", "x");
    ok(pawl_flush(k.store, NULL, PAWL_WAITING, NULL, &err));
    kit_reopen(&k);
    ck_assert_int_gt(kit_push(k.queue, "t", "x"), first);
    kit_end(&k);
}
END_TEST

/* -------------------------------------------------------------- bad input */

START_TEST(null_arguments_are_refused)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t id = 7;

    kit_setup(&k, _i);
    refused(NULL);
    fails(PAWL_INVALID, pawl_push(NULL, &job, &id, &err));
    ck_assert_int_eq(id, 0);
    fails(PAWL_INVALID, pawl_push_many(NULL, &job, 1, &id, &err));
    fails(PAWL_INVALID, pawl_push_many(k.queue, NULL, 1, &id, &err));
    fails(PAWL_INVALID, pawl_push_async(NULL, &job, NULL, NULL, &err));
    fails(PAWL_INVALID, pawl_sync(NULL, &err));
    ck_assert_int_eq(pawl_push(NULL, NULL, NULL, NULL), PAWL_INVALID);
    ck_assert_int_eq(pawl_push_many(NULL, NULL, 1, NULL, NULL), PAWL_INVALID);
    ck_assert_int_eq(pawl_sync(NULL, NULL), PAWL_INVALID);
    kit_end(&k);
}
END_TEST

START_TEST(bad_types_and_keys_are_refused)
{
    pawl_job job = PAWL_JOB(NULL, "x", 1);
    int i;

    kit_setup(&k, _i);
    refused(&job);
    for (i = 0; kit_bad_names[i] != NULL; i++) {
        job.type = kit_bad_names[i];
        job.unique_key = NULL;
        refused(&job);
        job.type = "t";
        job.unique_key = kit_bad_names[i];
        refused(&job);
    }
    job.unique_key = kit_name(256);
    refused(&job);
    job.unique_key = NULL;
    job.type = kit_name(129);
    refused(&job);
    job.unique_key = NULL;
    job.type = kit_name(128);
    (void)kit_push_job(k.queue, &job);
    job.type = "t";
    job.unique_key = kit_name(255);
    (void)kit_push_job(k.queue, &job);
    kit_end(&k);
}
END_TEST

/* Every number of a job, just outside of its range and far outside. */
START_TEST(numbers_out_of_range_are_refused)
{
    static const struct {
        size_t at;
        int wide;
        int64_t value;
    } bad[] = {
#define WIDE(field_, value_) {offsetof(pawl_job, field_), 1, value_}
#define NARROW(field_, value_)                \
    {                                         \
        offsetof(pawl_job, field_), 0, value_ \
    }
        WIDE(delay_ms, -1),
        WIDE(delay_ms, 3155760000001),
        WIDE(delay_ms, INT64_MIN),
        WIDE(delay_ms, INT64_MAX),
        WIDE(ready_at_ms, -1),
        WIDE(ready_at_ms, 7258118400001),
        WIDE(ready_at_ms, INT64_MIN),
        WIDE(ready_at_ms, INT64_MAX),
        WIDE(timeout_ms, -1),
        WIDE(timeout_ms, 3155760000001),
        WIDE(timeout_ms, INT64_MIN),
        WIDE(timeout_ms, INT64_MAX),
        WIDE(unique_ms, 1), /* without a key */
        NARROW(max_attempts, -1),
        NARROW(max_attempts, 1001),
        NARROW(max_attempts, INT32_MIN),
        NARROW(max_attempts, INT32_MAX),
        NARROW(priority, -32769),
        NARROW(priority, 32768),
        NARROW(priority, INT32_MIN),
        NARROW(priority, INT32_MAX),
        WIDE(backoff_floor_ms, -1),
        WIDE(backoff_floor_ms, 3155760000001),
        WIDE(backoff_floor_ms, INT64_MIN),
        WIDE(backoff_ceiling_ms, -1),
        WIDE(backoff_ceiling_ms, INT64_MAX),
        NARROW(backoff_factor_percent, -1),
        NARROW(backoff_factor_percent, 99),
        NARROW(backoff_factor_percent, 1001),
        NARROW(backoff_jitter_percent, -2),
        NARROW(backoff_jitter_percent, 101),
        NARROW(backoff_jitter_percent, INT32_MIN),
    };
    const pawl_job good = PAWL_JOB("t", "x", 1);
    pawl_job job;
    int32_t narrow;
    size_t i;

    kit_setup(&k, _i);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        job = good;
        narrow = (int32_t)bad[i].value;
        if (bad[i].wide)
            memcpy((char *)&job + bad[i].at, &bad[i].value, sizeof(int64_t));
        else
            memcpy((char *)&job + bad[i].at, &narrow, sizeof narrow);
        refused(&job);
    }
    kit_end(&k);
}
END_TEST

START_TEST(contradictions_are_refused)
{
    pawl_job job = PAWL_JOB("t", "x", 1);

    kit_setup(&k, _i);
    job.delay_ms = 1;
    job.ready_at_ms = SUPPORT_EPOCH + 1;
    refused(&job);
    job.delay_ms = job.ready_at_ms = 0;
    job.backoff_floor_ms = 100;
    job.backoff_ceiling_ms = 99;
    refused(&job);
    job.backoff_floor_ms = job.backoff_ceiling_ms = 0;
    job.unique_key = "k";
    job.unique_ms = -1;
    refused(&job);
    job.unique_ms = 3155760000001;
    refused(&job);
    kit_end(&k);
}
END_TEST

START_TEST(payloads_over_the_limit_are_refused)
{
    static const char bytes[101];
    pawl_job job = PAWL_JOB("t", bytes, 101);

    kit_begin(&k, _i);
    k.options.max_payload_bytes = 100;
    kit_open(&k);
    refused(&job);
    job.payload_bytes = SIZE_MAX;
    refused(&job);
    job.payload = NULL;
    job.payload_bytes = 1;
    refused(&job);
    job.payload = bytes;
    job.payload_bytes = 100;
    (void)kit_push_job(k.queue, &job);
    kit_end(&k);
}
END_TEST

START_TEST(a_job_needs_a_size_and_known_fields_only)
{
    struct {
        pawl_job job;
        char later[48];
    } big;
    pawl_job job = PAWL_JOB("t", "x", 1);

    kit_setup(&k, _i);
    job.struct_size = 0;
    refused(&job);
    job.struct_size = 1;
    refused(&job);
    job.struct_size = SIZE_MAX;
    refused(&job);
    memset(&big, 0, sizeof big);
    big.job = job;
    big.job.struct_size = sizeof big;
    big.later[47] = 1;
    refused(&big.job);
    big.later[47] = 0;
    (void)kit_push_job(k.queue, &big.job);
    job.struct_size = offsetof(pawl_job, delay_ms); /* an older program's */
    job.delay_ms = -1;
    (void)kit_push_job(k.queue, &job);
    ck_assert_int_eq(kit_info(k.queue).waiting, 2);
    kit_end(&k);
}
END_TEST

/* ------------------------------------------------------------------ times */

START_TEST(times_at_the_ends_of_their_ranges_are_taken)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    pawl_job_info *i;

    kit_setup(&k, _i);
    job.delay_ms = 3155760000000;
    i = look(kit_push_job(k.queue, &job));
    ck_assert_int_eq(i->job.ready_at_ms, SUPPORT_EPOCH + 3155760000000);
    pawl_job_info_free(i);
    job.delay_ms = 0;
    job.ready_at_ms = 7258118400000;
    i = look(kit_push_job(k.queue, &job));
    ck_assert_int_eq(i->state, PAWL_DELAYED);
    ck_assert_int_eq(i->job.ready_at_ms, 7258118400000);
    pawl_job_info_free(i);
    job.ready_at_ms = 1; /* long past: now */
    i = look(kit_push_job(k.queue, &job));
    ck_assert_int_eq(i->state, PAWL_WAITING);
    pawl_job_info_free(i);
    kit_end(&k);
}
END_TEST

START_TEST(a_delayed_job_waits_for_its_time_and_no_longer)
{
    struct kit_tape *tape = calloc(1, sizeof *tape);
    pawl_job job = PAWL_JOB("t", "later", 5);
    int64_t id;

    kit_setup(&k, _i);
    kit_tape_init(tape);
    job.delay_ms = 30LL * 24 * KIT_HOUR;
    id = kit_push_job(k.queue, &job);
    ok(pawl_listen(k.queue, "t", kit_tape_listener, tape, &err));
    ok(pawl_start(k.store, &err));
    kit_pass(&k, job.delay_ms - 1);
    (void)kit_push(k.queue, "t", "now"); /* proof that the pool has looked */
    support_wait(&tape->n, 1);
    kit_drain(k.store);
    ck_assert_str_eq(tape->at[0].text, "now");
    ck_assert_int_eq(kit_state(k.store, id), PAWL_DELAYED);
    kit_pass(&k, 1);
    support_wait(&tape->n, 2);
    ck_assert_int_eq(tape->at[1].id, id);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
    free(tape);
}
END_TEST

/* ------------------------------------------------------------------- keys */

START_TEST(a_unique_key_is_held_by_one_job_of_the_queue)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t id, other = 0;

    kit_setup(&k, _i);
    job.unique_key = "once";
    id = kit_push_job(k.queue, &job);
    fails(PAWL_EXISTS, pawl_push(k.queue, &job, &other, &err));
    ck_assert_int_eq(other, id);
    ck_assert_int_eq(pawl_push(k.queue, &job, NULL, NULL), PAWL_EXISTS);
    ck_assert_int_eq(kit_total(k.queue), 1);
    (void)kit_push_job(kit_queue(k.store, "other"), &job);
    ok(pawl_cancel(k.store, id, &err));
    ck_assert_int_gt(kit_push_job(k.queue, &job), id);
    kit_end(&k);
}
END_TEST

START_TEST(a_unique_key_outlives_its_job_for_unique_ms)
{
    struct kit_tape *tape = calloc(1, sizeof *tape);
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t id, other = 0;

    kit_setup(&k, _i);
    kit_tape_init(tape);
    job.unique_key = "hourly";
    job.unique_ms = KIT_HOUR;
    id = kit_push_job(k.queue, &job);
    ok(pawl_listen(k.queue, "t", kit_tape_listener, tape, &err));
    ok(pawl_start(k.store, &err));
    kit_wait_state(k.store, id, 0);
    fails(PAWL_EXISTS, pawl_push(k.queue, &job, &other, &err));
    ck_assert_int_eq(other, id);
    kit_pass(&k, KIT_HOUR - 1);
    fails(PAWL_EXISTS, pawl_push(k.queue, &job, &other, &err));
    kit_pass(&k, 1);
    ck_assert_int_gt(kit_push_job(k.queue, &job), id);
    support_wait(&tape->n, 2);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
    free(tape);
}
END_TEST

/* --------------------------------------------------------------- push_many */

START_TEST(many_jobs_are_pushed_in_order)
{
    pawl_job jobs[100];
    int64_t ids[100];
    pawl_job_info *info;
    char text[100];
    size_t i;

    kit_setup(&k, _i);
    for (i = 0; i < 100; i++) {
        const pawl_job job = PAWL_JOB("t", &text[i], 1);

        text[i] = (char)i;
        jobs[i] = job;
    }
    ok(pawl_push_many(k.queue, jobs, 100, ids, &err));
    for (i = 0; i < 100; i++) {
        ck_assert_int_eq(ids[i], (int64_t)i + 1);
        info = look(ids[i]);
        ck_assert_int_eq(*(const char *)info->job.payload, (char)i);
        pawl_job_info_free(info);
    }
    ok(pawl_push_many(k.queue, jobs, 50, NULL, &err));
    ck_assert_int_eq(kit_info(k.queue).waiting, 150);
    kit_end(&k);
}
END_TEST

START_TEST(no_jobs_are_many_too)
{
    const pawl_job job = PAWL_JOB("t", "x", 1);

    kit_setup(&k, _i);
    ok(pawl_push_many(k.queue, NULL, 0, NULL, &err));
    ok(pawl_push_many(k.queue, &job, 0, NULL, &err));
    fails(PAWL_INVALID, pawl_push_many(k.queue, &job, 1000001, NULL, &err));
    fails(PAWL_INVALID, pawl_push_many(k.queue, &job, SIZE_MAX, NULL, &err));
    ck_assert_int_eq(kit_total(k.queue), 0);
    kit_end(&k);
}
END_TEST

START_TEST(one_bad_job_among_many_refuses_all_and_is_named)
{
    pawl_job jobs[10];
    int64_t ids[10];
    size_t i;

    kit_setup(&k, _i);
    for (i = 0; i < 10; i++) {
        const pawl_job job = PAWL_JOB("t", "x", 1);

        jobs[i] = job;
    }
    jobs[7].priority = 99999;
    memset(ids, 'x', sizeof ids);
    fails(PAWL_INVALID, pawl_push_many(k.queue, jobs, 10, ids, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "jobs[7]"));
    for (i = 0; i < 10; i++)
        ck_assert_int_eq(ids[i], 0);
    jobs[7].priority = 0;
    jobs[3].struct_size--;
    fails(PAWL_INVALID, pawl_push_many(k.queue, jobs, 10, ids, &err));
    ck_assert_int_eq(kit_total(k.queue), 0);
    kit_end(&k);
}
END_TEST

START_TEST(one_taken_key_among_many_refuses_all_and_is_named)
{
    pawl_job jobs[3] = {PAWL_JOB("t", "x", 1), PAWL_JOB("t", "x", 1),
                        PAWL_JOB("t", "x", 1)};
    int64_t ids[3] = {9, 9, 9};

    kit_setup(&k, _i);
    jobs[2].unique_key = "k";
    (void)kit_push_job(k.queue, &jobs[2]);
    fails(PAWL_EXISTS, pawl_push_many(k.queue, jobs, 3, ids, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "jobs[2]"));
    ck_assert_int_eq(ids[0], 0);
    ck_assert_int_eq(kit_total(k.queue), 1);
    jobs[0].unique_key = jobs[2].unique_key = "twice in one call";
    fails(PAWL_EXISTS, pawl_push_many(k.queue, jobs, 3, NULL, &err));
    ck_assert_int_eq(kit_total(k.queue), 1);
    kit_end(&k);
}
END_TEST

START_TEST(many_structs_of_another_release_are_walked_by_their_size)
{
    struct {
        pawl_job job;
        char later[24];
    } big[3];
    pawl_job_info *info;
    int64_t ids[3];
    int i;

    kit_setup(&k, _i);
    memset(big, 0, sizeof big);
    for (i = 0; i < 3; i++) {
        big[i].job.struct_size = sizeof big[0];
        big[i].job.type = i == 1 ? "b" : "a";
        big[i].job.priority = i;
    }
    ok(pawl_push_many(k.queue, &big[0].job, 3, ids, &err));
    info = look(ids[1]);
    ck_assert_str_eq(info->job.type, "b");
    ck_assert_int_eq(info->job.priority, 1);
    pawl_job_info_free(info);
    big[0].job.struct_size = 0;
    fails(PAWL_INVALID, pawl_push_many(k.queue, &big[0].job, 3, ids, &err));
    big[0].job.struct_size = SIZE_MAX;
    fails(PAWL_INVALID, pawl_push_many(k.queue, &big[0].job, 3, ids, &err));
    kit_end(&k);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "push");
    const TTest *both[] = {
        a_job_is_stored_as_it_was_pushed,
        a_bare_job_gets_the_defaults,
        ids_rise_from_one_and_are_never_used_again,
        null_arguments_are_refused,
        bad_types_and_keys_are_refused,
        numbers_out_of_range_are_refused,
        contradictions_are_refused,
        payloads_over_the_limit_are_refused,
        a_job_needs_a_size_and_known_fields_only,
        times_at_the_ends_of_their_ranges_are_taken,
        a_delayed_job_waits_for_its_time_and_no_longer,
        a_unique_key_is_held_by_one_job_of_the_queue,
        a_unique_key_outlives_its_job_for_unique_ms,
        many_jobs_are_pushed_in_order,
        no_jobs_are_many_too,
        one_bad_job_among_many_refuses_all_and_is_named,
        one_taken_key_among_many_refuses_all_and_is_named,
        many_structs_of_another_release_are_walked_by_their_size,
    };

    KIT_BOTH(tc, both);
    tcase_add_test(tc, ids_are_not_used_again_after_the_store_was_closed);
}

int
main(void)
{
    return support_main("push", add);
}
