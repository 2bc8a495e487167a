/* SPDX-License-Identifier: MIT */
/* test_info.c - counts, the gauge, and Prometheus' text. */
#include "api/kit.h"

#include <stdio.h>

static struct kit k;
static pawl_error err;
static struct kit_tape tape;
static struct kit_gate gate;

static void
setup(int driver)
{
    kit_tape_init(&tape);
    kit_gate_init(&gate);
    kit_setup(&k, driver);
}

/* ------------------------------------------------------------------- counts */

START_TEST(bad_arguments_are_refused)
{
    pawl_info info;

    setup(_i);
    info.struct_size = sizeof info;
    fails(PAWL_INVALID, pawl_queue_info(NULL, &info, &err));
    fails(PAWL_INVALID, pawl_queue_info(k.queue, NULL, &err));
    info.struct_size = 0;
    fails(PAWL_INVALID, pawl_queue_info(k.queue, &info, &err));
    info.struct_size = 1;
    fails(PAWL_INVALID, pawl_queue_info(k.queue, &info, &err));
    info.struct_size = SIZE_MAX;
    fails(PAWL_INVALID, pawl_queue_info(k.queue, &info, &err));
    ck_assert_int_eq(pawl_queue_info(NULL, NULL, NULL), PAWL_INVALID);
    fails(PAWL_INVALID, pawl_store_info(k.store, NULL, NULL, &err));
    fails(PAWL_INVALID, pawl_prometheus(k.store, NULL, NULL, &err));
    ck_assert_int_eq(pawl_store_info(NULL, NULL, NULL, NULL), PAWL_INVALID);
    ck_assert_int_eq(pawl_prometheus(NULL, NULL, NULL, NULL), PAWL_INVALID);
    ck_assert_int_eq(pawl_gauge(NULL, 0, NULL, NULL, NULL), PAWL_INVALID);
    kit_end(&k);
}
END_TEST

START_TEST(an_info_struct_of_any_release_is_filled_as_far_as_it_goes)
{
    struct {
        pawl_info i;
        char later[16];
    } big;
    pawl_info info;

    setup(_i);
    (void)kit_push(k.queue, "t", "x");
    memset(&info, 'x', sizeof info);
    info.struct_size = offsetof(pawl_info, delayed);
    info.delayed = 77;
    ok(pawl_queue_info(k.queue, &info, &err));
    ck_assert_int_eq(info.waiting, 1);
    ck_assert_int_eq(info.delayed, 77);
    memset(&big, 'x', sizeof big);
    big.i.struct_size = sizeof big;
    ok(pawl_queue_info(k.queue, &big.i, &err));
    ck_assert_int_eq(big.later[0], 0);
    ck_assert_int_eq(big.later[15], 0);
    kit_end(&k);
}
END_TEST

static int
fail_it(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)job;
    (void)user;
    return pawl_attempt_fail(attempt, "no");
}

START_TEST(each_state_is_counted)
{
    pawl_job job = PAWL_JOB("late", "x", 1);
    int64_t id;
    pawl_info i;

    setup(_i);
    ok(pawl_queue_set(k.queue, "retention_s", "1d", &err));
    ok(pawl_queue_set(k.queue, "parallelism", "4", &err));
    ok(pawl_listen(k.queue, "good", kit_tape_listener, &tape, &err));
    ok(pawl_listen(k.queue, "bad", fail_it, NULL, &err));
    ok(pawl_listen(k.queue, "slow", kit_gate_listener, &gate, &err));
    ok(pawl_start(k.store, &err));
    job.delay_ms = 500 * KIT_HOUR;
    (void)kit_push_job(k.queue, &job);
    ok(pawl_cancel(k.store, kit_push(k.queue, "foreign", "x"), &err));
    kit_wait_state(k.store, kit_push(k.queue, "good", "x"), PAWL_DONE);
    kit_wait_state(k.store, kit_push(k.queue, "bad", "x"), PAWL_FAILED);
    id = kit_push(k.queue, "slow", "x");
    support_wait(&gate.n_in, 1);
    kit_pass(&k, KIT_HOUR);
    kit_wait_state(k.store, id, PAWL_TIMEOUT);
    (void)kit_push(k.queue, "slow", "x");
    support_wait(&gate.n_in, 2);
    (void)kit_push(k.queue, "foreign", "x");
    (void)kit_push(k.queue, "foreign", "x");
    i = kit_info(k.queue);
    ck_assert_int_eq(i.waiting, 2);
    ck_assert_int_eq(i.delayed, 1);
    ck_assert_int_eq(i.reserved, 1);
    ck_assert_int_eq(i.timeout, 1);
    ck_assert_int_eq(i.failed, 1);
    ck_assert_int_eq(i.done, 1);
    ck_assert_int_eq(i.cancelled, 1);
    ck_assert_int_eq(i.oldest_waiting_at_ms, SUPPORT_EPOCH + KIT_HOUR);
    ck_assert_int_eq(i.workers, 1);
    kit_gate_open(&gate);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

START_TEST(an_unknown_queue_is_empty)
{
    pawl_info i;

    setup(_i);
    i = kit_info(kit_queue(k.store, "never used"));
    ck_assert_int_eq(i.waiting + i.delayed + i.reserved + i.timeout, 0);
    ck_assert_int_eq(i.oldest_waiting_at_ms, 0);
    ck_assert_int_eq(i.paused, 0);
    ck_assert_int_eq(i.workers, 0);
    kit_end(&k);
}
END_TEST

static char told[400];
static int told_rc;

static int
tell(const char *queue, const pawl_info *info, void *user)
{
    (void)user;
    ck_assert_uint_eq(info->struct_size, sizeof *info);
    (void)snprintf(told + strlen(told), sizeof told - strlen(told), "%s=%lld;",
                   queue, (long long)info->waiting);
    return told_rc;
}

START_TEST(all_queues_are_told_by_name_until_the_caller_has_enough)
{
    setup(_i);
    (void)kit_push(kit_queue(k.store, "b"), "t", "x");
    (void)kit_push(kit_queue(k.store, "c"), "t", "x");
    (void)kit_push(kit_queue(k.store, "a"), "t", "x");
    (void)kit_push(kit_queue(k.store, "a"), "t", "x");
    told[0] = '\0';
    told_rc = 0;
    ok(pawl_store_info(k.store, tell, NULL, &err));
    ck_assert_str_eq(told, "a=2;b=1;c=1;");
    told[0] = '\0';
    told_rc = 1;
    ok(pawl_store_info(k.store, tell, NULL, NULL));
    ck_assert_str_eq(told, "a=2;");
    kit_end(&k);
}
END_TEST

/* -------------------------------------------------------------------- gauge */

static struct {
    _Atomic long n;
    _Atomic int64_t waiting;
} gauged;

static void
gauge_fn(const char *queue, const pawl_info *info, void *user)
{
    (void)user;
    if (strcmp(queue, "mail") != 0)
        return;
    atomic_store(&gauged.waiting, info->waiting);
    atomic_fetch_add(&gauged.n, 1);
}

START_TEST(a_gauge_is_called_at_its_interval)
{
    setup(_i);
    memset(&gauged, 0, sizeof gauged);
    ok(pawl_gauge(k.store, 60000, gauge_fn, NULL, &err));
    (void)kit_push(k.queue, "t", "x");
    ok(pawl_start(k.store, &err));
    support_wait(&gauged.n, 1);
    ck_assert_int_eq(atomic_load(&gauged.waiting), 1);
    (void)kit_push(k.queue, "t", "x");
    kit_pass(&k, 60000);
    support_wait(&gauged.n, 2);
    ck_assert_int_eq(atomic_load(&gauged.waiting), 2);
    kit_pass(&k, 59999);
    kit_pass(&k, 1);
    support_wait(&gauged.n, 3);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(&gauged.n), 3);
    kit_end(&k);
}
END_TEST

START_TEST(a_gauge_follows_the_queues_own_interval)
{
    setup(_i);
    memset(&gauged, 0, sizeof gauged);
    ok(pawl_queue_set(k.queue, "length_interval_s", "1h", &err));
    ok(pawl_gauge(k.store, 0, gauge_fn, NULL, &err));
    ok(pawl_start(k.store, &err));
    support_wait(&gauged.n, 1);
    kit_pass(&k, KIT_HOUR);
    support_wait(&gauged.n, 2);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

START_TEST(a_gauge_with_a_bad_interval_or_moment_is_refused)
{
    setup(_i);
    fails(PAWL_INVALID, pawl_gauge(NULL, 0, gauge_fn, NULL, &err));
    fails(PAWL_INVALID, pawl_gauge(k.store, -1, gauge_fn, NULL, &err));
    fails(PAWL_INVALID, pawl_gauge(k.store, 86400001, gauge_fn, NULL, &err));
    fails(PAWL_INVALID, pawl_gauge(k.store, INT64_MIN, gauge_fn, NULL, &err));
    memset(&gauged, 0, sizeof gauged);
    ok(pawl_gauge(k.store, 0, gauge_fn, NULL, &err));
    ok(pawl_gauge(k.store, 0, NULL, NULL, &err)); /* removed */
    ok(pawl_start(k.store, &err));
    fails(PAWL_MISUSE, pawl_gauge(k.store, 0, gauge_fn, NULL, &err));
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(&gauged.n), 0);
    kit_end(&k);
}
END_TEST

/* --------------------------------------------------------------- Prometheus */

static char text[65536];

static int
gather(const char *piece, size_t bytes, void *user)
{
    size_t n = strlen(text);

    (void)user;
    ck_assert_uint_lt(n + bytes, sizeof text);
    memcpy(text + n, piece, bytes);
    text[n + bytes] = '\0';
    return 0;
}

static void
has_line(const char *line)
{
    const char *at = strstr(text, line);

    if (at == NULL || (at != text && at[-1] != '\n') ||
        at[strlen(line)] != '\n')
        ck_abort_msg("no line %s in:\n%s", line, text);
}

/* Every line is a comment or name{labels} number. */
static void
well_formed(void)
{
    char line[512];
    const char *at, *end, *space;
    char *rest;

    for (at = text; *at != '\0'; at = end + 1) {
        end = strchr(at, '\n');
        ck_assert_ptr_nonnull(end);
        ck_assert_int_lt(end - at, (int)sizeof line);
        memcpy(line, at, (size_t)(end - at));
        line[end - at] = '\0';
        if (line[0] == '#')
            continue;
        space = strrchr(line, ' ');
        ck_assert_ptr_nonnull(space);
        (void)strtod(space + 1, &rest);
        ck_assert_ptr_ne(rest, space + 1);
        ck_assert_int_eq(*rest, '\0');
        ck_assert_int_eq(strncmp(line, "pawl_", 5), 0);
    }
}

START_TEST(prometheus_tells_of_jobs_ages_and_what_was_done)
{
    setup(_i);
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &tape, &err));
    ok(pawl_start(k.store, &err));
    kit_wait_state(k.store, kit_push(k.queue, "t", "x"), 0);
    atomic_store(&tape.result, 1);
    kit_wait_state(k.store, kit_push(k.queue, "t", "x"), PAWL_FAILED);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    (void)kit_push(k.queue, "t", "x");
    support_clock_pass(&k.clock, 2500);
    text[0] = '\0';
    ok(pawl_prometheus(k.store, gather, NULL, &err));
    well_formed();
    has_line("pawl_jobs{queue=\"mail\",state=\"waiting\"} 1");
    has_line("pawl_jobs{queue=\"mail\",state=\"failed\"} 1");
    has_line("pawl_jobs{queue=\"mail\",state=\"reserved\"} 0");
    has_line("pawl_oldest_waiting_age_seconds{queue=\"mail\"} 2.500");
    has_line("pawl_pushed_total{queue=\"mail\"} 3");
    has_line("pawl_started_total{queue=\"mail\"} 2");
    has_line("pawl_succeeded_total{queue=\"mail\"} 1");
    has_line("pawl_failed_total{queue=\"mail\"} 1");
    has_line("pawl_retried_total{queue=\"mail\"} 0");
    has_line("pawl_timed_out_total{queue=\"mail\"} 0");
    has_line("pawl_rescued_total{queue=\"mail\"} 0");
    has_line("# TYPE pawl_jobs gauge");
    has_line("# TYPE pawl_pushed_total counter");
    kit_end(&k);
}
END_TEST

START_TEST(prometheus_escapes_queue_names)
{
    setup(_i);
    (void)kit_push(kit_queue(k.store, "a\"b\\c"), "t", "x");
    text[0] = '\0';
    ok(pawl_prometheus(k.store, gather, NULL, NULL));
    well_formed();
    has_line("pawl_jobs{queue=\"a\\\"b\\\\c\",state=\"waiting\"} 1");
    kit_end(&k);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "info");
    const TTest *both[] = {
        bad_arguments_are_refused,
        an_info_struct_of_any_release_is_filled_as_far_as_it_goes,
        each_state_is_counted,
        an_unknown_queue_is_empty,
        all_queues_are_told_by_name_until_the_caller_has_enough,
        a_gauge_is_called_at_its_interval,
        a_gauge_follows_the_queues_own_interval,
        a_gauge_with_a_bad_interval_or_moment_is_refused,
        prometheus_tells_of_jobs_ages_and_what_was_done,
        prometheus_escapes_queue_names,
    };

    KIT_BOTH(tc, both);
}

int
main(void)
{
    return support_main("info", add);
}
