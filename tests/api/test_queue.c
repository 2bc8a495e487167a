/* SPDX-License-Identifier: MIT */
/* test_queue.c - queues: names and settings. */
#include "api/kit.h"

static struct kit k;
static pawl_error err;

static pawl_settings
settings_of(pawl_queue *queue)
{
    pawl_settings s;

    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    ok(pawl_queue_settings(queue, &s, &err));
    ck_assert_uint_eq(s.struct_size, sizeof s);
    return s;
}

START_TEST(the_same_name_is_the_same_handle)
{
    pawl_queue *q = NULL;

    kit_setup(&k, _i);
    ok(pawl_queue_open(k.store, "mail", &q, &err));
    ck_assert_ptr_eq(q, k.queue);
    ck_assert_int_eq(pawl_queue_open(k.store, "mail", &q, NULL), PAWL_OK);
    ck_assert_ptr_eq(q, k.queue);
    ck_assert_str_eq(pawl_queue_name(q), "mail");
    ck_assert_ptr_eq(pawl_queue_store(q), k.store);
    ck_assert_ptr_ne(kit_queue(k.store, "Mail"), k.queue);
    kit_end(&k);
}
END_TEST

START_TEST(bad_names_are_refused)
{
    pawl_queue *q;
    int i;

    kit_setup(&k, _i);
    for (i = 0; kit_bad_names[i] != NULL; i++) {
        q = k.queue;
        fails(PAWL_INVALID,
              pawl_queue_open(k.store, kit_bad_names[i], &q, &err));
        ck_assert_ptr_null(q);
    }
    fails(PAWL_INVALID, pawl_queue_open(k.store, kit_name(65), &q, &err));
    ok(pawl_queue_open(k.store, kit_name(64), &q, &err));
    ck_assert_str_eq(pawl_queue_name(q), kit_name(64));
    ok(pawl_queue_open(k.store, "Grüße, 世界 🎉", &q, &err));
    kit_end(&k);
}
END_TEST

START_TEST(null_arguments_are_refused)
{
    pawl_queue *q = NULL;
    pawl_settings s;

    kit_setup(&k, _i);
    fails(PAWL_INVALID, pawl_queue_open(NULL, "mail", &q, &err));
    fails(PAWL_INVALID, pawl_queue_open(k.store, NULL, &q, &err));
    fails(PAWL_INVALID, pawl_queue_open(k.store, "mail", NULL, &err));
    ck_assert_int_eq(pawl_queue_open(NULL, NULL, NULL, NULL), PAWL_INVALID);
    ck_assert_ptr_null(pawl_queue_name(NULL));
    ck_assert_ptr_null(pawl_queue_store(NULL));
    s.struct_size = sizeof s;
    fails(PAWL_INVALID, pawl_queue_settings(NULL, &s, &err));
    fails(PAWL_INVALID, pawl_queue_settings(k.queue, NULL, &err));
    fails(PAWL_INVALID, pawl_queue_set(NULL, "paused", "1", &err));
    fails(PAWL_INVALID, pawl_queue_set(k.queue, NULL, "1", &err));
    fails(PAWL_INVALID, pawl_queue_set(k.queue, "paused", NULL, &err));
    ck_assert_int_eq(pawl_queue_set(NULL, NULL, NULL, NULL), PAWL_INVALID);
    ck_assert_int_eq(pawl_queue_settings(NULL, NULL, NULL), PAWL_INVALID);
    kit_end(&k);
}
END_TEST

START_TEST(settings_begin_with_the_defaults_of_the_header)
{
    pawl_settings s;

    kit_setup(&k, _i);
    s = settings_of(k.queue);
    ck_assert_int_eq(s.parallelism, 0);
    ck_assert_int_eq(s.paused, 0);
    ck_assert_int_eq(s.length_interval_s, 15);
    ck_assert_int_eq(s.retention_s, 0);
    ck_assert_int_eq(s.max_attempts, 1);
    ck_assert_int_eq(s.max_abandons, 3);
    ck_assert_int_eq(s.timeout_ms, KIT_HOUR);
    ck_assert_int_eq(s.backoff_floor_ms, 1000);
    ck_assert_int_eq(s.backoff_ceiling_ms, 600000);
    ck_assert_int_eq(s.backoff_factor_percent, 200);
    ck_assert_int_eq(s.backoff_jitter_percent, 50);
    kit_end(&k);
}
END_TEST

START_TEST(each_setting_is_set_read_and_put_back)
{
    pawl_settings s;

    kit_setup(&k, _i);
    ok(pawl_queue_set(k.queue, "parallelism", "3", &err));
    ok(pawl_queue_set(k.queue, "paused", "1", &err));
    ok(pawl_queue_set(k.queue, "length_interval_s", "1m", &err));
    ok(pawl_queue_set(k.queue, "retention_s", "30d", &err));
    ok(pawl_queue_set(k.queue, "max_attempts", "7", &err));
    ok(pawl_queue_set(k.queue, "max_abandons", "1000", &err));
    ok(pawl_queue_set(k.queue, "timeout_ms", "90s", &err));
    ok(pawl_queue_set(k.queue, "backoff_floor_ms", "1500", &err));
    ok(pawl_queue_set(k.queue, "backoff_ceiling_ms", "2h", &err));
    ok(pawl_queue_set(k.queue, "backoff_factor_percent", "100", &err));
    ok(pawl_queue_set(k.queue, "backoff_jitter_percent", "-1", &err));
    s = settings_of(k.queue);
    ck_assert_int_eq(s.parallelism, 3);
    ck_assert_int_eq(s.paused, 1);
    ck_assert_int_eq(s.length_interval_s, 60);
    ck_assert_int_eq(s.retention_s, 30 * 86400);
    ck_assert_int_eq(s.max_attempts, 7);
    ck_assert_int_eq(s.max_abandons, 1000);
    ck_assert_int_eq(s.timeout_ms, 90000);
    ck_assert_int_eq(s.backoff_floor_ms, 1500);
    ck_assert_int_eq(s.backoff_ceiling_ms, 2 * KIT_HOUR);
    ck_assert_int_eq(s.backoff_factor_percent, 100);
    ck_assert_int_eq(s.backoff_jitter_percent, PAWL_NONE);
    ok(pawl_queue_set(k.queue, "retention_s", "-1", &err));
    ck_assert_int_eq(settings_of(k.queue).retention_s, -1);
    ok(pawl_queue_set(k.queue, "max_attempts", "default", &err));
    ck_assert_int_eq(settings_of(k.queue).max_attempts, 1);
    ck_assert_int_eq(settings_of(kit_queue(k.store, "other")).max_abandons, 3);
    kit_end(&k);
}
END_TEST

START_TEST(bad_settings_are_refused_and_change_nothing)
{
    static const struct {
        const char *name, *value;
    } bad[] = {
        {"", "1"},
        {"colour", "1"},
        {"struct_size", "1"},
        {"paused; DROP TABLE pawl_job", "1"},
        {"parallelism", ""},
        {"parallelism", "-1"},
        {"parallelism", "257"},
        {"parallelism", "1x"},
        {"parallelism", "1s"},
        {"parallelism", " 1"},
        {"parallelism", "1.5"},
        {"parallelism", "99999999999999999999999"},
        {"paused", "2"},
        {"paused", "yes"},
        {"length_interval_s", "0"},
        {"length_interval_s", "86401"},
        {"length_interval_s", "1500ms"},
        {"retention_s", "-2"},
        {"retention_s", "9223372036854775807"},
        {"max_attempts", "0"},
        {"max_attempts", "1001"},
        {"max_abandons", "0"},
        {"timeout_ms", "0"},
        {"timeout_ms", "3155760000001"},
        {"timeout_ms", "-5"},
        {"timeout_ms", "1 h"},
        {"timeout_ms", "h"},
        {"timeout_ms", "9999999999999d"},
        {"backoff_floor_ms", "601s"},  /* above the ceiling */
        {"backoff_ceiling_ms", "999"}, /* below the floor */
        {"backoff_factor_percent", "99"},
        {"backoff_factor_percent", "1001"},
        {"backoff_jitter_percent", "101"},
        {"backoff_jitter_percent", "-2"},
    };
    pawl_settings before, after;
    size_t i;

    kit_setup(&k, _i);
    before = settings_of(k.queue);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fails(PAWL_INVALID,
              pawl_queue_set(k.queue, bad[i].name, bad[i].value, &err));
        ck_assert_int_eq(
            pawl_queue_set(k.queue, bad[i].name, bad[i].value, NULL),
            PAWL_INVALID);
    }
    after = settings_of(k.queue);
    ck_assert_mem_eq(&before, &after, sizeof before);
    kit_end(&k);
}
END_TEST

START_TEST(a_settings_struct_of_any_release_is_filled_as_far_as_it_goes)
{
    struct {
        pawl_settings s;
        char later[32];
    } big;
    pawl_settings s;

    kit_setup(&k, _i);
    memset(&s, 0, sizeof s);
    fails(PAWL_INVALID, pawl_queue_settings(k.queue, &s, &err));
    s.struct_size = 1;
    fails(PAWL_INVALID, pawl_queue_settings(k.queue, &s, &err));
    s.struct_size = offsetof(pawl_settings, max_attempts);
    s.max_attempts = 77;
    ok(pawl_queue_settings(k.queue, &s, &err));
    ck_assert_int_eq(s.length_interval_s, 15);
    ck_assert_int_eq(s.max_attempts, 77); /* behind the size: not touched */
    memset(&big, 'x', sizeof big);
    big.s.struct_size = sizeof big;
    ok(pawl_queue_settings(k.queue, &big.s, &err));
    ck_assert_int_eq(big.s.max_abandons, 3);
    ck_assert_int_eq(big.later[0], 0);
    ck_assert_int_eq(big.later[31], 0);
    kit_end(&k);
}
END_TEST

START_TEST(settings_outlive_the_store_and_follow_plain_sql)
{
    kit_setup(&k, KIT_SQLITE);
    ok(pawl_queue_set(k.queue, "max_attempts", "9", &err));
    kit_reopen(&k);
    ck_assert_int_eq(settings_of(k.queue).max_attempts, 9);
    support_sql(k.folder.store,
                "UPDATE pawl_queue SET max_attempts = 4 WHERE name = 'mail'");
    ck_assert_int_eq(settings_of(k.queue).max_attempts, 4);
    kit_end(&k);
}
END_TEST

START_TEST(a_paused_queue_hands_out_nothing_until_it_goes_on)
{
    struct kit_tape *tape = calloc(1, sizeof *tape);

    kit_setup(&k, _i);
    kit_tape_init(tape);
    ok(pawl_queue_set(k.queue, "paused", "1", &err));
    ck_assert_int_eq(kit_info(k.queue).paused, 1);
    (void)kit_push(k.queue, "t", "x");
    ok(pawl_listen(k.queue, "t", kit_tape_listener, tape, &err));
    ok(pawl_start(k.store, &err));
    fails(PAWL_BUSY, pawl_drain(k.store, 50, &err));
    ck_assert_int_eq(atomic_load(&tape->n), 0);
    ok(pawl_queue_set(k.queue, "paused", "0", &err));
    support_wait(&tape->n, 1);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
    free(tape);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "queue");
    const TTest *both[] = {
        the_same_name_is_the_same_handle,
        bad_names_are_refused,
        null_arguments_are_refused,
        settings_begin_with_the_defaults_of_the_header,
        each_setting_is_set_read_and_put_back,
        bad_settings_are_refused_and_change_nothing,
        a_settings_struct_of_any_release_is_filled_as_far_as_it_goes,
        a_paused_queue_hands_out_nothing_until_it_goes_on,
    };

    KIT_BOTH(tc, both);
    tcase_add_test(tc, settings_outlive_the_store_and_follow_plain_sql);
}

int
main(void)
{
    return support_main("queue", add);
}
