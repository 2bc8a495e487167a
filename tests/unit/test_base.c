/* SPDX-License-Identifier: MIT */
/* test_base.c - alloc, error, clock, log, rng, str. */
#include "lib/support.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/str.h"

START_TEST(the_nth_allocation_fails_once_or_for_ever)
{
    void *a, *b, *c;

    (void)pawl__alloc_fail_at(2, 0);
    a = pawl__malloc(1);
    b = pawl__malloc(1);
    c = pawl__calloc(1, 1);
    ck_assert(a != NULL && b == NULL && c != NULL);
    pawl__free(a);
    pawl__free(c);
    ck_assert_int_eq(pawl__alloc_fail_at(1, 1), 3);
    ck_assert_ptr_null(pawl__malloc(1));
    ck_assert_ptr_null(pawl__strdup("x"));
    (void)pawl__alloc_fail_at(0, 0);
    ck_assert_ptr_null(pawl__realloc(NULL, (size_t)-1, 2));
    ck_assert_ptr_null(pawl__strdup(NULL));
}
END_TEST

START_TEST(every_status_has_a_name_and_other_numbers_have_one_too)
{
    int code;

    for (code = PAWL_OK; code >= PAWL_MISUSE; code--)
        ck_assert_str_ne(pawl_strerror(code), pawl_strerror(-999));
    ck_assert_str_eq(pawl_strerror(PAWL_MISUSE - 1), pawl_strerror(1));
    ck_assert_ptr_nonnull(pawl_strerror(1));
}
END_TEST

START_TEST(an_error_is_one_line_that_fits)
{
    pawl_error e;
    char text[600];

    memset(text, 'x', sizeof text);
    text[10] = '\n';
    text[11] = '\033';
    text[sizeof text - 1] = '\0';
    ck_assert_int_eq(pawl__fail(&e, PAWL_IO, 7, "%s", text), PAWL_IO);
    ck_assert_int_eq(e.code, PAWL_IO);
    ck_assert_int_eq(e.sys_code, 7);
    ck_assert_uint_eq(strlen(e.message), sizeof e.message - 1);
    ck_assert_int_eq(e.message[10], '?');
    ck_assert_int_eq(e.message[11], '?');
    ck_assert_int_eq(pawl__fail(NULL, PAWL_BUSY, 0, "x"), PAWL_BUSY);
}
END_TEST

START_TEST(sums_of_times_do_not_overflow)
{
    ck_assert_int_eq(pawl__add_sat(INT64_MAX, 1), INT64_MAX);
    ck_assert_int_eq(pawl__add_sat(INT64_MAX - 4, 5), INT64_MAX);
    ck_assert_int_eq(pawl__add_sat(INT64_MIN, -1), INT64_MIN);
    ck_assert_int_eq(pawl__add_sat(INT64_MAX, INT64_MIN), -1);
    ck_assert_int_eq(pawl__add_sat(2, 3), 5);
}
END_TEST

START_TEST(a_program_may_bring_its_own_clock)
{
    struct support_clock fake;
    struct pawl__clock clock;

    support_clock_init(&fake);
    pawl__clock_init(&clock, &fake.clock);
    ck_assert(clock.custom);
    ck_assert_int_eq(pawl__wall_ms(&clock), SUPPORT_EPOCH);
    support_clock_pass(&fake, 5);
    ck_assert_int_eq(pawl__wall_ms(&clock), SUPPORT_EPOCH + 5);
    pawl__clock_init(&clock, NULL);
    ck_assert(!clock.custom);
    ck_assert_int_gt(pawl__wall_ms(&clock), 1600000000000LL);
}
END_TEST

static int lines;

static void
count_line(int level, const char *message, void *user)
{
    ck_assert_int_le(level, *(int *)user);
    ck_assert_str_eq(message, "a 1");
    lines++;
}

START_TEST(the_log_hears_its_level_and_below)
{
    int level = PAWL_WARN;
    struct pawl__log log = {count_line, &level, PAWL_WARN};

    pawl__log(&log, PAWL_ERROR, "a %d", 1);
    pawl__log(&log, PAWL_WARN, "a %d", 1);
    pawl__log(&log, PAWL_INFO, "never");
    ck_assert_int_eq(lines, 2);
    log.fn = NULL;
    pawl__log(&log, PAWL_ERROR, "nobody");
}
END_TEST

START_TEST(random_numbers_stay_in_range_and_ids_are_positive)
{
    struct pawl__rng rng;
    bool lo = false, hi = false;
    int64_t n;
    int i;

    pawl__rng_seed(&rng);
    for (i = 0; i < 1000; i++) {
        n = pawl__rng_range(&rng, -1, 1);
        ck_assert(n >= -1 && n <= 1);
        lo = lo || n == -1;
        hi = hi || n == 1;
        ck_assert_int_gt(pawl__rng_id(&rng), 0);
    }
    ck_assert(lo && hi);
    (void)pawl__rng_range(&rng, INT64_MIN, INT64_MAX);
    ck_assert_int_eq(pawl__rng_range(&rng, 7, 7), 7);
}
END_TEST

START_TEST(a_string_grows_and_remembers_a_failure)
{
    struct pawl__str s = {0};
    int i;

    for (i = 0; i < 100; i++)
        pawl__str_printf(&s, "%d,", i % 10);
    ck_assert_uint_eq(s.bytes, 200);
    ck_assert_mem_eq(s.data, "0,1,2,", 6);
    (void)pawl__alloc_fail_at(1, 0);
    for (i = 0; i < 100; i++)
        pawl__str_append(&s, "more", 4);
    (void)pawl__alloc_fail_at(0, 0);
    ck_assert(s.failed);
    pawl__str_append(&s, "x", 1);
    ck_assert(s.failed);
    pawl__str_clear(&s);
    ck_assert(!s.failed);
}
END_TEST

START_TEST(names_are_utf8_without_controls)
{
    static const char *const good[] = {
        "a", "a b", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "'\";--"};
    static const char *const bad[] = {
        "",         "a\n",      "\x7f",         "\x1b[2J",
        "\xc2\x85", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xe2\x82", "\x80",     "\xff",         "12345678901"};
    size_t i;

    for (i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(pawl__utf8_name(good[i], 1, 10), "%zu", i);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!pawl__utf8_name(bad[i], 1, 10), "%zu", i);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("base");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, the_nth_allocation_fails_once_or_for_ever);
    tcase_add_test(tc, every_status_has_a_name_and_other_numbers_have_one_too);
    tcase_add_test(tc, an_error_is_one_line_that_fits);
    tcase_add_test(tc, sums_of_times_do_not_overflow);
    tcase_add_test(tc, a_program_may_bring_its_own_clock);
    tcase_add_test(tc, the_log_hears_its_level_and_below);
    tcase_add_test(tc, random_numbers_stay_in_range_and_ids_are_positive);
    tcase_add_test(tc, a_string_grows_and_remembers_a_failure);
    tcase_add_test(tc, names_are_utf8_without_controls);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("base", add);
}
