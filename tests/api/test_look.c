/* SPDX-License-Identifier: MIT */
/* test_look.c - get, list, and the names of states. */
#include "api/kit.h"

#include <stdio.h>

static struct kit k;
static pawl_error err;

#define IDS_MAX 2000

static struct {
    size_t n, end_at;
    int64_t id[IDS_MAX];
} listed;

static int
collect(const pawl_job_info *info, void *user)
{
    (void)user;
    if (listed.n < IDS_MAX)
        listed.id[listed.n] = info->id;
    listed.n++;
    return listed.n == listed.end_at;
}

/* How many the filter lists. */
static size_t
list(const pawl_filter *filter)
{
    memset(&listed, 0, sizeof listed);
    ok(pawl_list(k.store, filter, collect, NULL, &err));
    return listed.n;
}

static int64_t
delayed(pawl_queue *queue, const char *type)
{
    pawl_job job = PAWL_JOB(type, "x", 1);

    job.delay_ms = KIT_HOUR;
    return kit_push_job(queue, &job);
}

START_TEST(every_state_has_a_name)
{
    ck_assert_str_eq(pawl_state_name(PAWL_WAITING), "waiting");
    ck_assert_str_eq(pawl_state_name(PAWL_DELAYED), "delayed");
    ck_assert_str_eq(pawl_state_name(PAWL_RESERVED), "reserved");
    ck_assert_str_eq(pawl_state_name(PAWL_TIMEOUT), "timeout");
    ck_assert_str_eq(pawl_state_name(PAWL_FAILED), "failed");
    ck_assert_str_eq(pawl_state_name(PAWL_DONE), "done");
    ck_assert_str_eq(pawl_state_name(PAWL_CANCELLED), "cancelled");
    ck_assert_str_eq(pawl_state_name(0), "unknown");
    ck_assert_str_eq(pawl_state_name(3), "unknown");
    ck_assert_str_eq(pawl_state_name(INT32_MIN), "unknown");
    ck_assert_str_eq(pawl_state_name(INT32_MAX), "unknown");
}
END_TEST

START_TEST(get_finds_nothing_where_there_is_nothing)
{
    static const int64_t ids[] = {0, -1, 2, INT64_MIN, INT64_MAX};
    pawl_job_info *info;
    size_t i;

    kit_setup(&k, _i);
    (void)kit_push(k.queue, "t", "x");
    for (i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        info = (pawl_job_info *)&k;
        fails(PAWL_NOT_FOUND, pawl_get(k.store, ids[i], &info, &err));
        ck_assert_ptr_null(info);
        ck_assert_int_eq(pawl_get(k.store, ids[i], &info, NULL),
                         PAWL_NOT_FOUND);
    }
    fails(PAWL_INVALID, pawl_get(NULL, 1, &info, &err));
    ck_assert_ptr_null(info);
    fails(PAWL_INVALID, pawl_get(k.store, 1, NULL, &err));
    ck_assert_int_eq(pawl_get(NULL, 1, NULL, NULL), PAWL_INVALID);
    pawl_job_info_free(NULL);
    kit_end(&k);
}
END_TEST

START_TEST(a_deleted_job_is_not_found_though_it_was_the_newest)
{
    int64_t id;

    kit_setup(&k, _i);
    id = kit_push(k.queue, "t", "x");
    ok(pawl_flush(k.store, NULL, PAWL_WAITING, NULL, &err));
    ck_assert_int_eq(kit_state(k.store, id), 0);
    ck_assert_uint_eq(list(NULL), 0);
    ck_assert_int_eq(kit_total(k.queue), 0);
    fails(PAWL_NOT_FOUND, pawl_cancel(k.store, id, &err));
    fails(PAWL_NOT_FOUND, pawl_retry(k.store, id, &err));
    kit_end(&k);
}
END_TEST

START_TEST(list_walks_all_jobs_by_rising_id)
{
    size_t i;

    kit_setup(&k, _i);
    ck_assert_uint_eq(list(NULL), 0);
    for (i = 0; i < 150; i++)
        (void)kit_push(k.queue, "t", "x");
    ck_assert_uint_eq(list(NULL), 100); /* the default limit */
    for (i = 0; i < 100; i++)
        ck_assert_int_eq(listed.id[i], (int64_t)i + 1);
    kit_end(&k);
}
END_TEST

START_TEST(list_filters_by_queue_type_and_state)
{
    pawl_filter f = PAWL_FILTER_INIT;
    pawl_queue *other;
    int64_t late;

    kit_setup(&k, _i);
    other = kit_queue(k.store, "other");
    (void)kit_push(k.queue, "a", "x");
    (void)kit_push(k.queue, "b", "x");
    (void)kit_push(other, "a", "x");
    late = delayed(k.queue, "a");
    ck_assert_uint_eq(list(&f), 4);
    f.queue = "mail";
    ck_assert_uint_eq(list(&f), 3);
    f.type = "a";
    ck_assert_uint_eq(list(&f), 2);
    f.states = PAWL_DELAYED;
    ck_assert_uint_eq(list(&f), 1);
    ck_assert_int_eq(listed.id[0], late);
    f.states = PAWL_DELAYED | PAWL_WAITING;
    ck_assert_uint_eq(list(&f), 2);
    f.states = PAWL_FAILED | PAWL_DONE | PAWL_CANCELLED | PAWL_TIMEOUT;
    ck_assert_uint_eq(list(&f), 0);
    f.states = PAWL_RESERVED;
    ck_assert_uint_eq(list(&f), 0);
    f.states = 0;
    f.queue = "nobody knows it";
    ck_assert_uint_eq(list(&f), 0);
    kit_end(&k);
}
END_TEST

START_TEST(list_shows_what_is_reserved)
{
    pawl_filter f = PAWL_FILTER_INIT;
    struct kit_gate gate;
    int64_t id;

    kit_setup(&k, _i);
    kit_gate_init(&gate);
    ok(pawl_listen(k.queue, "t", kit_gate_listener, &gate, &err));
    ok(pawl_start(k.store, &err));
    (void)delayed(k.queue, "t");
    id = kit_push(k.queue, "t", "x");
    support_wait(&gate.n_in, 1);
    f.states = PAWL_RESERVED;
    ck_assert_uint_eq(list(&f), 1);
    ck_assert_int_eq(listed.id[0], id);
    f.states = PAWL_WAITING;
    ck_assert_uint_eq(list(&f), 0);
    kit_gate_open(&gate);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

START_TEST(pages_meet_without_gap_or_overlap_in_both_directions)
{
    pawl_filter f = PAWL_FILTER_INIT;
    int64_t next;
    size_t i, n, total;
    int way;

    kit_setup(&k, _i);
    for (i = 0; i < 700; i++)
        (void)kit_push(i % 2 != 0 ? k.queue : kit_queue(k.store, "b"), "t",
                       "x");
    for (way = 0; way < 2; way++) {
        f.newest_first = way;
        f.after_id = 0;
        f.limit = 300;
        next = way == 0 ? 1 : 700;
        for (total = 0; (n = list(&f)) > 0; total += n) {
            for (i = 0; i < n; i++, next += way == 0 ? 1 : -1)
                ck_assert_int_eq(listed.id[i], next);
            f.after_id = listed.id[n - 1];
        }
        ck_assert_uint_eq(total, 700);
    }
    kit_end(&k);
}
END_TEST

START_TEST(a_list_ends_when_it_is_told_to)
{
    int i;

    kit_setup(&k, _i);
    for (i = 0; i < 10; i++)
        (void)kit_push(k.queue, "t", "x");
    memset(&listed, 0, sizeof listed);
    listed.end_at = 3;
    ok(pawl_list(k.store, NULL, collect, NULL, &err));
    ck_assert_uint_eq(listed.n, 3);
    kit_end(&k);
}
END_TEST

static int
cancel_each(const pawl_job_info *info, void *user)
{
    (void)user;
    ok(pawl_cancel(k.store, info->id, &err));
    return 0;
}

START_TEST(a_list_may_change_what_it_lists)
{
    int i;

    kit_setup(&k, _i);
    for (i = 0; i < 90; i++)
        (void)kit_push(k.queue, "t", "x");
    ok(pawl_list(k.store, NULL, cancel_each, NULL, &err));
    ck_assert_int_eq(kit_info(k.queue).cancelled, 90);
    kit_end(&k);
}
END_TEST

START_TEST(bad_filters_are_refused)
{
    const pawl_filter good = PAWL_FILTER_INIT;
    pawl_filter f = good;
    struct {
        pawl_filter f;
        char later[16];
    } big;
    int i;

    kit_setup(&k, _i);
    (void)kit_push(k.queue, "t", "x");
    memset(&listed, 0, sizeof listed);
#define REFUSED()                                                         \
    do {                                                                  \
        fails(PAWL_INVALID, pawl_list(k.store, &f, collect, NULL, &err)); \
        ck_assert_int_eq(pawl_list(k.store, &f, collect, NULL, NULL),     \
                         PAWL_INVALID);                                   \
        f = good;                                                         \
    } while (0)
    f.struct_size = 0;
    REFUSED();
    f.struct_size = 1;
    REFUSED();
    f.struct_size = SIZE_MAX;
    REFUSED();
    f.states = 128;
    REFUSED();
    f.states = UINT32_MAX;
    REFUSED();
    f.limit = -1;
    REFUSED();
    f.limit = 1000001;
    REFUSED();
    f.limit = INT64_MIN;
    REFUSED();
    f.after_id = -1;
    REFUSED();
    f.after_id = INT64_MIN;
    REFUSED();
    f.queue = kit_name(65);
    REFUSED();
    f.type = kit_name(129);
    REFUSED();
    for (i = 0; kit_bad_names[i] != NULL; i++) {
        f.queue = kit_bad_names[i];
        REFUSED();
        f.type = kit_bad_names[i];
        REFUSED();
    }
    fails(PAWL_INVALID, pawl_list(NULL, &f, collect, NULL, &err));
    fails(PAWL_INVALID, pawl_list(k.store, &f, NULL, NULL, &err));
    ck_assert_int_eq(pawl_list(NULL, NULL, NULL, NULL, NULL), PAWL_INVALID);
    ck_assert_uint_eq(listed.n, 0);
    memset(&big, 0, sizeof big);
    big.f.struct_size = sizeof big;
    ck_assert_uint_eq(list(&big.f), 1);
    big.later[15] = 1;
    fails(PAWL_INVALID, pawl_list(k.store, &big.f, collect, NULL, &err));
    f.limit = 1000000;
    f.after_id = INT64_MAX;
    ck_assert_uint_eq(list(&f), 0);
    kit_end(&k);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "look");
    const TTest *both[] = {
        get_finds_nothing_where_there_is_nothing,
        a_deleted_job_is_not_found_though_it_was_the_newest,
        list_walks_all_jobs_by_rising_id,
        list_filters_by_queue_type_and_state,
        list_shows_what_is_reserved,
        pages_meet_without_gap_or_overlap_in_both_directions,
        a_list_ends_when_it_is_told_to,
        a_list_may_change_what_it_lists,
        bad_filters_are_refused,
    };

    KIT_BOTH(tc, both);
    tcase_add_test(tc, every_state_has_a_name);
}

int
main(void)
{
    return support_main("look", add);
}
