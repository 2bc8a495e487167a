/* SPDX-License-Identifier: MIT */
/* test_text.c - what the command reads (spans, times, numbers, states) and
 * prints (text for terminals, JSON). */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

#define DAY_MS 86400000LL
#define BYTES(text_) (text_), sizeof(text_) - 1

/* ------------------------------------------------------------------ parsing */

START_TEST(spans_are_numbers_with_a_unit)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0", 0},
                {"7", 7000},
                {"250ms", 250},
                {"90s", 90000},
                {"15m", 900000},
                {"2h", 7200000},
                {"30d", 30 * DAY_MS},
                {"1w", 7 * DAY_MS},
                {"36525d", 36525 * DAY_MS}};
    static const char *const bad[] = {"",
                                      "s",
                                      "-1s",
                                      "+1s",
                                      "1.5h",
                                      "1 s",
                                      "1S",
                                      "1mo",
                                      "1hh",
                                      "1h ",
                                      " 1h",
                                      "36526d",
                                      "99999999999999999999s",
                                      "9223372036854775807ms"};
    int64_t ms;
    size_t i;

    for (i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(cli_parse_span(good[i].text, &ms), "%s", good[i].text);
        ck_assert_int_eq(ms, good[i].ms);
    }
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!cli_parse_span(bad[i], &ms), "%s", bad[i]);
}
END_TEST

START_TEST(numbers_reach_the_highest_and_no_further)
{
    int64_t n;

    ck_assert(cli_parse_int("9223372036854775807", 1, INT64_MAX, &n));
    ck_assert_int_eq(n, INT64_MAX);
    ck_assert(cli_parse_int("4611686018427387903", 1, INT64_MAX, &n));
    ck_assert_int_eq(n, 4611686018427387903LL);
    ck_assert(cli_parse_int("-32768", -32768, 32767, &n));
    ck_assert_int_eq(n, -32768);
    ck_assert(!cli_parse_int("32768", -32768, 32767, &n));
    ck_assert(!cli_parse_int("9223372036854775808", 1, INT64_MAX, &n));
    ck_assert(!cli_parse_int("99999999999999999999", 1, INT64_MAX, &n));
    ck_assert(!cli_parse_int("", 0, 9, &n));
    ck_assert(!cli_parse_int("-", -9, 9, &n));
    ck_assert(!cli_parse_int("--1", -9, 9, &n));
    ck_assert(!cli_parse_int("+1", 0, 9, &n));
    ck_assert(!cli_parse_int("0x1", 0, 9, &n));
    ck_assert(!cli_parse_int("1 ", 0, 9, &n));
}
END_TEST

static void
text_set_zone(const char *zone)
{
    ck_assert_int_eq(setenv("TZ", zone, 1), 0);
    tzset();
}

START_TEST(times_are_local_unless_they_name_a_zone)
{
    static const struct {
        const char *text;
        int64_t at_ms;
    } good[] = {{"@0", 0},
                {"@1924992000", 1924992000000},
                {"+2h", 1000 + 7200000},
                {"1970-01-02", 82800000},
                {"2031-01-01 01:00", 1924992000000},
                {"2031-01-01T01:00:01", 1924992001000},
                {"2031-01-01 01:00:01.5", 1924992001500},
                {"2031-01-01T00:00Z", 1924992000000},
                {"2031-01-01 00:00:00.123Z", 1924992000123},
                {"2031-01-01T02:00+02:00", 1924992000000},
                {"2030-12-31T19:30:00-0430", 1924992000000},
                {"2024-02-29", 1709161200000}};
    static const char *const bad[] = {"",
                                      "now",
                                      "@",
                                      "@-1",
                                      "+",
                                      "+soon",
                                      "2031",
                                      "2031-13-01",
                                      "2031-02-30",
                                      "2023-02-29",
                                      "2031-01-01 25:00",
                                      "2031-01-01 01:60",
                                      "2031-01-01 01:00:00.",
                                      "2031-01-01 01:00 x",
                                      "2031-01-01T00:00ZZ",
                                      "2031-01-01T00:00+25:00",
                                      "2031-01-01T00:00+1",
                                      "1969-06-01",
                                      "@7258118400001"};
    int64_t at_ms;
    size_t i;

    text_set_zone("CET-1"); /* an hour east, all year */
    for (i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(cli_parse_time(good[i].text, 1000, &at_ms), "%s",
                      good[i].text);
        ck_assert_msg(at_ms == good[i].at_ms, "%s is %lld", good[i].text,
                      (long long)at_ms);
    }
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!cli_parse_time(bad[i], 1000, &at_ms), "%s", bad[i]);
}
END_TEST

START_TEST(a_time_that_was_printed_can_be_read)
{
    char text[CLI_TIME_TEXT];
    int64_t at_ms;

    text_set_zone("CET-1");
    ck_assert_str_eq(cli_time_text(1924992001023, text),
                     "2031-01-01 01:00:01.023");
    ck_assert(cli_parse_time(text, 0, &at_ms));
    ck_assert_int_eq(at_ms, 1924992001023);
    ck_assert_str_eq(cli_time_text(0, text), "-");
    ck_assert_str_eq(cli_time_text(INT64_MAX, text), "-");
}
END_TEST

START_TEST(states_are_a_list_of_names)
{
    ck_assert_uint_eq(cli_parse_states("failed"), PAWL_FAILED);
    ck_assert_uint_eq(cli_parse_states("timeout,failed"),
                      PAWL_TIMEOUT | PAWL_FAILED);
    ck_assert_uint_eq(cli_parse_states("waiting,delayed,reserved,timeout,"
                                       "failed,done,cancelled"),
                      PAWL_ANY_STATE);
    ck_assert_uint_eq(cli_parse_states(""), 0);
    ck_assert_uint_eq(cli_parse_states("fail"), 0);
    ck_assert_uint_eq(cli_parse_states("failed,"), 0);
    ck_assert_uint_eq(cli_parse_states(",failed"), 0);
    ck_assert_uint_eq(cli_parse_states("failed timeout"), 0);
    ck_assert_uint_eq(cli_parse_states("deleted"), 0);
}
END_TEST

/* ----------------------------------------------------------------- printing */

/* What a function prints; to be freed. */
static char *
text_of(void (*put)(FILE *, const void *, size_t), const void *data,
        size_t bytes)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    ck_assert_ptr_nonnull(out);
    put(out, data, bytes);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static void
text_put_whole(FILE *out, const void *data, size_t bytes)
{
    cli_put_text(out, data, bytes, 0);
}

static void
text_put_ten(FILE *out, const void *data, size_t bytes)
{
    cli_put_text(out, data, bytes, 10);
}

static void
text_prints(void (*put)(FILE *, const void *, size_t), const void *data,
            size_t bytes, const char *wanted)
{
    char *text = text_of(put, data, bytes);

    ck_assert_str_eq(text, wanted);
    free(text);
}

START_TEST(what_a_terminal_obeys_is_made_harmless)
{
    text_prints(text_put_whole, BYTES("plain é 漢 😀"), "plain é 漢 😀");
    text_prints(text_put_whole, BYTES("\033[2J\a\b\r\n\t\177"),
                "\\x1b[2J\\x07\\x08\\x0d\\x0a\\x09\\x7f");
    text_prints(text_put_whole, BYTES("a\0b"), "a\\x00b");
    /* C1, as U+009B and as a bare byte */
    text_prints(text_put_whole, BYTES("\302\2332J \2332J"),
                "\\xc2\\x9b2J \\x9b2J");
    /* too long a form, a surrogate, beyond U+10FFFF, cut off */
    text_prints(text_put_whole, BYTES("\300\233"), "\\xc0\\x9b");
    text_prints(text_put_whole, BYTES("\355\240\200"), "\\xed\\xa0\\x80");
    text_prints(text_put_whole, BYTES("\364\220\200\200"),
                "\\xf4\\x90\\x80\\x80");
    text_prints(text_put_whole, BYTES("\342\202"), "\\xe2\\x82");
    /* right-to-left override, isolate, line separator; the euro sign stays */
    text_prints(text_put_whole, BYTES("\342\200\256"), "\\xe2\\x80\\xae");
    text_prints(text_put_whole, BYTES("\342\201\246"), "\\xe2\\x81\\xa6");
    text_prints(text_put_whole, BYTES("\342\200\250"), "\\xe2\\x80\\xa8");
    text_prints(text_put_whole, BYTES("\342\202\254"), "\342\202\254");
}
END_TEST

START_TEST(long_text_is_cut_between_characters)
{
    text_prints(text_put_ten, BYTES("0123456789"), "0123456789");
    text_prints(text_put_ten, BYTES("0123456789a"), "0123456789...");
    text_prints(text_put_ten, BYTES("012345678é"), "012345678...");
}
END_TEST

START_TEST(json_strings_are_escaped)
{
    text_prints(cli_put_json, BYTES(""), "\"\"");
    text_prints(cli_put_json, BYTES("a\"b\\c/é😀"), "\"a\\\"b\\\\c/é😀\"");
    text_prints(cli_put_json, BYTES("\n\t\0\033\177"),
                "\"\\u000a\\u0009\\u0000\\u001b\\u007f\"");
    text_prints(cli_put_json, BYTES("x\377y"), "\"x\\ufffdy\"");
}
END_TEST

START_TEST(payloads_that_are_no_text_are_base64)
{
    text_prints(cli_put_json_payload, BYTES("text"), "\"payload\":\"text\"");
    text_prints(cli_put_json_payload, BYTES(""), "\"payload\":\"\"");
    text_prints(cli_put_json_payload, NULL, 0, "\"payload\":\"\"");
    text_prints(cli_put_json_payload, BYTES("\377"),
                "\"payload_base64\":\"/w==\"");
    text_prints(cli_put_json_payload, BYTES("\377\376"),
                "\"payload_base64\":\"//4=\"");
    text_prints(cli_put_json_payload, BYTES("\0\001\002"),
                "\"payload_base64\":\"AAEC\"");
    text_prints(cli_put_json_payload, BYTES("\0fooba"),
                "\"payload_base64\":\"AGZvb2Jh\"");
}
END_TEST

START_TEST(spans_are_printed_in_their_largest_unit)
{
    char text[CLI_TIME_TEXT];

    ck_assert_str_eq(cli_span_text(-5, text), "0s");
    ck_assert_str_eq(cli_span_text(999, text), "0s");
    ck_assert_str_eq(cli_span_text(59999, text), "59s");
    ck_assert_str_eq(cli_span_text(60000, text), "1m");
    ck_assert_str_eq(cli_span_text(3 * 3600000LL + 5, text), "3h");
    ck_assert_str_eq(cli_span_text(800 * DAY_MS, text), "800d");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("command");
    TCase *parse = tcase_create("parse"), *print = tcase_create("print");
    SRunner *runner;
    int failed;

    tcase_add_test(parse, spans_are_numbers_with_a_unit);
    tcase_add_test(parse, numbers_reach_the_highest_and_no_further);
    tcase_add_test(parse, times_are_local_unless_they_name_a_zone);
    tcase_add_test(parse, a_time_that_was_printed_can_be_read);
    tcase_add_test(parse, states_are_a_list_of_names);
    tcase_add_test(print, what_a_terminal_obeys_is_made_harmless);
    tcase_add_test(print, long_text_is_cut_between_characters);
    tcase_add_test(print, json_strings_are_escaped);
    tcase_add_test(print, payloads_that_are_no_text_are_base64);
    tcase_add_test(print, spans_are_printed_in_their_largest_unit);
    suite_add_tcase(suite, parse);
    suite_add_tcase(suite, print);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
