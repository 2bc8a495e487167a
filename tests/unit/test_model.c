/* SPDX-License-Identifier: MIT */
/* test_model.c - job, options, retry; which driver a URL means. */
#include "lib/support.h"

#include "driver/driver.h"
#include "model/retry.h"

static pawl_error err;

static int
check(const pawl_job *job)
{
    struct pawl__new_job out;

    return pawl__job_check(job, 100, SUPPORT_EPOCH, &out, &err);
}

#define RANGE(field_, good_lo_, good_hi_, bad_lo_, bad_hi_)  \
    do {                                                     \
        pawl_job j = PAWL_JOB("t", "x", 1);                  \
        j.field_ = good_lo_;                                 \
        ok(check(&j));                                       \
        j.field_ = good_hi_;                                 \
        ok(check(&j));                                       \
        j.field_ = bad_lo_;                                  \
        fails(PAWL_INVALID, check(&j));                      \
        ck_assert_ptr_nonnull(strstr(err.message, #field_)); \
        j.field_ = bad_hi_;                                  \
        fails(PAWL_INVALID, check(&j));                      \
    } while (0)

START_TEST(every_field_of_a_job_has_its_range)
{
    RANGE(delay_ms, 0, 3155760000000, -1, 3155760000001);
    RANGE(ready_at_ms, 0, 7258118400000, -1, 7258118400001);
    RANGE(timeout_ms, 0, 3155760000000, INT64_MIN, INT64_MAX);
    RANGE(max_attempts, 0, 1000, -1, 1001);
    RANGE(priority, -32768, 32767, -32769, 32768);
    RANGE(backoff_floor_ms, 0, 600000, -1, 3155760000001);
    RANGE(backoff_ceiling_ms, 0, 3155760000000, -1, 3155760000001);
    RANGE(backoff_factor_percent, 100, 1000, 99, 1001);
    RANGE(backoff_jitter_percent, PAWL_NONE, 100, -2, 101);
    RANGE(payload_bytes, 0, 1, 101, (size_t)-1);
}
END_TEST

START_TEST(fields_that_contradict_are_refused)
{
    pawl_job j = PAWL_JOB("t", "x", 1);

    j.delay_ms = j.ready_at_ms = 1;
    fails(PAWL_INVALID, check(&j));
    j.delay_ms = j.ready_at_ms = 0;
    j.backoff_floor_ms = 2;
    j.backoff_ceiling_ms = 1;
    fails(PAWL_INVALID, check(&j));
    j.backoff_ceiling_ms = 2;
    ok(check(&j));
    j.unique_ms = 5;
    fails(PAWL_INVALID, check(&j));
    j.unique_key = "";
    fails(PAWL_INVALID, check(&j));
    j.unique_key = "k";
    ok(check(&j));
    j.payload = NULL;
    fails(PAWL_INVALID, check(&j));
}
END_TEST

START_TEST(times_are_made_absolute)
{
    struct pawl__new_job out;
    pawl_job j = PAWL_JOB("t", "x", 1);

    j.delay_ms = 5;
    j.unique_key = "k";
    j.unique_ms = 7;
    ok(pawl__job_check(&j, 100, SUPPORT_EPOCH, &out, &err));
    ck_assert_int_eq(out.ready_at_ms, SUPPORT_EPOCH + 5);
    ck_assert_int_eq(out.unique_until_at_ms, SUPPORT_EPOCH + 7);
    j.delay_ms = 0;
    j.ready_at_ms = SUPPORT_EPOCH - 5; /* past: now */
    ok(pawl__job_check(&j, 100, SUPPORT_EPOCH, &out, &err));
    ck_assert_int_eq(out.ready_at_ms, SUPPORT_EPOCH);
}
END_TEST

struct longer {
    pawl_job job;
    char more[16];
};

START_TEST(structs_of_other_releases_are_understood_or_refused)
{
    pawl_job base = PAWL_JOB("t", "x", 1);
    struct longer l;
    pawl_job out;

    memset(&l, 0, sizeof l);
    l.job = base;
    l.job.struct_size = sizeof l;
    ok(pawl__sized_copy(&out, sizeof out, &l, "job", &err));
    ck_assert_uint_eq(out.struct_size, sizeof out);
    l.more[15] = 1;
    fails(PAWL_INVALID, pawl__sized_copy(&out, sizeof out, &l, "job", &err));
    l.job.struct_size = offsetof(pawl_job, delay_ms); /* an older one */
    l.job.delay_ms = 99;
    ok(pawl__sized_copy(&out, sizeof out, &l, "job", &err));
    ck_assert_int_eq(out.delay_ms, 0);
    ck_assert_str_eq(out.type, "t");
    l.job.struct_size = 0;
    fails(PAWL_INVALID, pawl__sized_copy(&out, sizeof out, &l, "job", &err));
    l.job.struct_size = 100000;
    fails(PAWL_INVALID, pawl__sized_copy(&out, sizeof out, &l, "job", &err));
}
END_TEST

START_TEST(settings_are_read_from_text)
{
    static const struct {
        const char *name, *text;
        int64_t want; /* -99: refused */
    } cases[] = {
        {"parallelism", "4", 4},
        {"parallelism", "257", -99},
        {"parallelism", "4s", -99},
        {"parallelism", "", -99},
        {"timeout_ms", "1500", 1500},
        {"timeout_ms", "2h", 7200000},
        {"timeout_ms", "0", -99},
        {"timeout_ms", "200y", -99},
        {"timeout_ms", "default", 3600000},
        {"retention_s", "30d", 2592000},
        {"retention_s", "-1", -1},
        {"retention_s", "1500ms", -99},
        {"paused", "1", 1},
        {"paused", "2", -99},
        {"paused", "yes", -99},
        {"timeout_ms", "99999999999999999999", -99},
    };
    int64_t value;
    size_t i;
    int rc;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rc = pawl__setting_parse(pawl__setting_find(cases[i].name),
                                 cases[i].text, &value, &err);
        ck_assert_msg((rc == PAWL_OK) == (cases[i].want != -99), "%zu", i);
        if (rc == PAWL_OK)
            ck_assert_int_eq(value, cases[i].want);
    }
    ck_assert_ptr_null(pawl__setting_find("nonsense"));
}
END_TEST

static pawl_job
backing_off(int64_t floor, int64_t ceiling, int factor, int jitter)
{
    pawl_job j = PAWL_JOB("t", "x", 1);

    j.backoff_floor_ms = floor;
    j.backoff_ceiling_ms = ceiling;
    j.backoff_factor_percent = factor;
    j.backoff_jitter_percent = jitter;
    return j;
}

START_TEST(waits_double_up_to_the_ceiling)
{
    pawl_job j = backing_off(1000, 600000, 200, PAWL_NONE);
    struct pawl__rng rng;

    pawl__rng_seed(&rng);
    ck_assert_int_eq(pawl__backoff_ms(&j, 1, &rng), 1000);
    ck_assert_int_eq(pawl__backoff_ms(&j, 2, &rng), 2000);
    ck_assert_int_eq(pawl__backoff_ms(&j, 5, &rng), 16000);
    ck_assert_int_eq(pawl__backoff_ms(&j, 11, &rng), 600000);
    ck_assert_int_eq(pawl__backoff_ms(&j, 1000, &rng), 600000);
    j = backing_off(3155760000000, 3155760000000, 1000, 100);
    ck_assert_int_eq(pawl__backoff_ms(&j, 1000, &rng), 3155760000000);
    j = backing_off(7, 9, 100, PAWL_NONE);
    ck_assert_int_eq(pawl__backoff_ms(&j, 500, &rng), 7);
}
END_TEST

START_TEST(jitter_is_half_to_one_and_a_half_within_floor_and_ceiling)
{
    pawl_job j = backing_off(1000, 600000, 200, 50);
    int64_t wait, least = INT64_MAX, most = 0;
    struct pawl__rng rng;
    int i;

    pawl__rng_seed(&rng);
    for (i = 0; i < 2000; i++) {
        wait = pawl__backoff_ms(&j, 4, &rng);
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
        ck_assert_int_ge(pawl__backoff_ms(&j, 1, &rng), 1000);
        ck_assert_int_le(pawl__backoff_ms(&j, 99, &rng), 600000);
    }
    ck_assert_int_ge(least, 4000);
    ck_assert_int_le(most, 12000);
    ck_assert_int_lt(least, 5000);
    ck_assert_int_gt(most, 11000);
}
END_TEST

START_TEST(states_have_names_both_ways)
{
    int state;

    for (state = PAWL_WAITING; state <= PAWL_CANCELLED; state <<= 1)
        ck_assert_int_eq(pawl__state_from_name(pawl_state_name(state)), state);
    ck_assert_str_eq(pawl_state_name(3), "unknown");
    ck_assert_int_eq(pawl__state_from_name("deleted"), 0);
}
END_TEST

START_TEST(a_url_names_its_driver)
{
    static const struct {
        const char *url, *scheme, *location;
    } cases[] = {
        {"jobs.db", "sqlite", "jobs.db"},
        {"/a/b:c.db", "sqlite", "/a/b:c.db"},
        {"sqlite:x.db", "sqlite", "x.db"},
        {"memory:", "memory", ""},
        {"C:x", "sqlite", "C:x"},
        {"odd:name.db", "sqlite", "odd:name.db"},
    };
    const struct pawl__driver *driver;
    const char *location;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ok(pawl__driver_find(cases[i].url, &driver, &location, &err));
        ck_assert_str_eq(driver->scheme, cases[i].scheme);
        ck_assert_str_eq(location, cases[i].location);
    }
    fails(PAWL_UNSUPPORTED,
          pawl__driver_find("redis://h:1/0", &driver, &location, &err));
    fails(PAWL_UNSUPPORTED,
          pawl__driver_find("postgres://x", &driver, &location, &err));
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("model");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, every_field_of_a_job_has_its_range);
    tcase_add_test(tc, fields_that_contradict_are_refused);
    tcase_add_test(tc, times_are_made_absolute);
    tcase_add_test(tc, structs_of_other_releases_are_understood_or_refused);
    tcase_add_test(tc, settings_are_read_from_text);
    tcase_add_test(tc, waits_double_up_to_the_ceiling);
    tcase_add_test(tc,
                   jitter_is_half_to_one_and_a_half_within_floor_and_ceiling);
    tcase_add_test(tc, states_have_names_both_ways);
    tcase_add_test(tc, a_url_names_its_driver);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("model", add);
}
