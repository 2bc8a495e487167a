/* SPDX-License-Identifier: MIT */
/* test_admin.c - what an operator does to a store, from another thread or
 * handle than those that work on it: large lists, moving and deleting many
 * jobs, cancelling what runs, settings and metrics of a store at work. */
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

/* n jobs, alternating the types "even" and "odd". */
static void
push_many(pawl_queue *queue, size_t n, int64_t *ids)
{
    pawl_job *jobs = calloc(n, sizeof *jobs);
    size_t i;

    ck_assert_ptr_nonnull(jobs);
    for (i = 0; i < n; i++) {
        jobs[i].struct_size = sizeof jobs[i];
        jobs[i].type = i % 2 == 0 ? "even" : "odd";
    }
    ok(pawl_push_many(queue, jobs, n, ids, &err));
    free(jobs);
}

/* -------------------------------------------------------------------- lists */

#define MANY 1500

static struct {
    size_t n;
    int64_t id[MANY + 10];
} listed;

static int
collect(const pawl_job_info *info, void *user)
{
    (void)user;
    ck_assert_uint_lt(listed.n, MANY + 10);
    listed.id[listed.n++] = info->id;
    return 0;
}

static int
cancel_and_collect(const pawl_job_info *info, void *user)
{
    ok(pawl_cancel(k.store, info->id, NULL));
    return collect(info, user);
}

START_TEST(pages_of_any_size_cover_all_rows_once)
{
    static const int64_t sizes[] = {1, 7, 255, 256, 257, 511, 512, 513, 2000};
    static int64_t ids[MANY];
    pawl_filter filter = PAWL_FILTER_INIT;
    size_t s, i, before;

    setup(_i);
    push_many(k.queue, MANY, ids);
    for (s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (filter.newest_first = 0; filter.newest_first < 2;
             filter.newest_first++) {
            filter.limit = sizes[s];
            filter.after_id = 0;
            listed.n = 0;
            do {
                before = listed.n;
                ok(pawl_list(k.store, &filter, collect, NULL, &err));
                ck_assert_uint_le(listed.n - before, (size_t)sizes[s]);
                if (listed.n > 0)
                    filter.after_id = listed.id[listed.n - 1];
            } while (listed.n > before);
            ck_assert_uint_eq(listed.n, MANY);
            for (i = 0; i < MANY; i++)
                ck_assert_int_eq(listed.id[i],
                                 ids[filter.newest_first ? MANY - 1 - i : i]);
        }
    kit_end(&k);
}
END_TEST

START_TEST(a_filter_counts_to_its_limit_what_it_lists_and_not_what_it_skips)
{
    static int64_t ids[MANY];
    pawl_filter filter = PAWL_FILTER_INIT;
    size_t i;

    setup(_i);
    push_many(k.queue, MANY, ids);
    push_many(kit_queue(k.store, "other"), 300, NULL);
    filter.type = "odd";
    filter.queue = "mail";
    filter.limit = 600;
    listed.n = 0;
    ok(pawl_list(k.store, &filter, collect, NULL, &err));
    ck_assert_uint_eq(listed.n, 600);
    for (i = 0; i < 600; i++)
        ck_assert_int_eq(listed.id[i], ids[2 * i + 1]);
    kit_end(&k);
}
END_TEST

START_TEST(a_list_that_changes_each_job_still_shows_each_once)
{
    static int64_t ids[MANY];
    pawl_filter filter = PAWL_FILTER_INIT;

    setup(_i);
    push_many(k.queue, 700, ids);
    filter.states = PAWL_WAITING;
    filter.limit = 1000;
    listed.n = 0;
    ok(pawl_list(k.store, &filter, cancel_and_collect, NULL, &err));
    ck_assert_uint_eq(listed.n, 700);
    ck_assert_int_eq(kit_info(k.queue).cancelled, 700);
    kit_end(&k);
}
END_TEST

/* -------------------------------------------------------------- many at once
 */

START_TEST(thousands_are_reloaded_and_flushed_and_counted)
{
    size_t n = (size_t)support_rounds(5000);
    pawl_queue *other;
    int64_t moved = 77;

    setup(_i);
    other = kit_queue(k.store, "other");
    push_many(other, 10, NULL);
    push_many(k.queue, n, NULL);
    ok(pawl_listen(k.queue, NULL, kit_tape_listener, &tape, &err));
    atomic_store(&tape.result, 1);
    ok(pawl_start(k.store, &err));
    kit_drain(k.store);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(kit_info(k.queue).failed, (int64_t)n);
    ok(pawl_reload(k.store, "other", PAWL_FAILED, &moved, &err));
    ck_assert_int_eq(moved, 0);
    ok(pawl_reload(k.store, "mail", PAWL_FAILED, &moved, &err));
    ck_assert_int_eq(moved, (int64_t)n);
    ck_assert_int_eq(kit_info(k.queue).waiting, (int64_t)n);
    ck_assert_int_eq(kit_info(k.queue).failed, 0);
    ok(pawl_flush(k.store, NULL, PAWL_WAITING, &moved, &err));
    ck_assert_int_eq(moved, (int64_t)n + 10);
    ck_assert_int_eq(kit_total(k.queue), 0);
    ck_assert_int_eq(kit_total(other), 0);
    ok(pawl_flush(k.store, NULL, PAWL_ANY_STATE & ~(unsigned)PAWL_RESERVED,
                  &moved, &err));
    ck_assert_int_eq(moved, 0);
    kit_end(&k);
}
END_TEST

START_TEST(a_flush_frees_the_unique_keys_and_a_reload_respects_them)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t cancelled, holder, id, n;

    setup(_i);
    job.unique_key = "key";
    cancelled = kit_push_job(k.queue, &job);
    ok(pawl_cancel(k.store, cancelled, &err));
    holder = kit_push_job(k.queue, &job);
    fails(PAWL_EXISTS, pawl_retry(k.store, cancelled, &err));
    ok(pawl_reload(k.store, NULL, PAWL_CANCELLED, &n, &err));
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(kit_state(k.store, cancelled), PAWL_CANCELLED);
    fails(PAWL_EXISTS, pawl_push(k.queue, &job, &id, &err));
    ck_assert_int_eq(id, holder);
    ok(pawl_flush(k.store, NULL, PAWL_WAITING, &n, &err));
    ck_assert_int_eq(n, 1);
    ok(pawl_retry(k.store, cancelled, &err));
    ck_assert_int_eq(kit_state(k.store, cancelled), PAWL_WAITING);
    fails(PAWL_EXISTS, pawl_push(k.queue, &job, &id, &err));
    ck_assert_int_eq(id, cancelled);
    kit_end(&k);
}
END_TEST

/* ------------------------------------------------------- a running store */

static _Atomic long n_told;

/* Runs until it is told, by polling the flag; ends by the reason. */
static int
run_until_told(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)kit_gate_listener(attempt, job, user);
    if (pawl_attempt_should_stop(attempt) == PAWL_STOP_CANCELLED)
        atomic_fetch_add(&n_told, 1);
    return 1;
}

START_TEST(a_running_job_that_was_cancelled_can_be_retried)
{
    pawl_job_info *info = NULL;
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t id;

    setup(_i);
    ok(pawl_queue_set(k.queue, "parallelism", "2", &err));
    ok(pawl_listen(k.queue, "t", run_until_told, &gate, &err));
    ok(pawl_start(k.store, &err));
    job.max_attempts = 1;
    id = kit_push_job(k.queue, &job);
    support_wait(&gate.n_in, 1);
    fails(PAWL_NOT_FOUND, pawl_retry(k.store, id, &err)); /* it runs */
    ok(pawl_cancel(k.store, id, &err));
    fails(PAWL_NOT_FOUND, pawl_cancel(k.store, id, &err));
    ck_assert_int_eq(kit_state(k.store, id), PAWL_CANCELLED);
    ok(pawl_retry(k.store, id, &err));
    support_wait(&gate.n_in, 2); /* beside the one that was cancelled */
    kit_gate_open(&gate);
    kit_wait_state(k.store, id, PAWL_FAILED);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(&n_told), 1);
    ok(pawl_get(k.store, id, &info, &err));
    ck_assert_int_eq(info->attempts, 1); /* the cancelled one counted not */
    pawl_job_info_free(info);
    kit_end(&k);
}
END_TEST

START_TEST(a_second_handle_sees_and_changes_what_the_first_works_on)
{
    pawl_store *store = NULL;
    pawl_queue *queue;
    int64_t id, waiting;

    setup(KIT_SQLITE);
    ok(pawl_open(k.url, &k.options, &store, &err));
    queue = kit_queue(store, "mail");
    ck_assert_ptr_ne(queue, k.queue);
    ok(pawl_queue_set(queue, "parallelism", "1", &err));
    ok(pawl_listen(k.queue, "t", run_until_told, &gate, &err));
    ok(pawl_start(k.store, &err));
    id = kit_push(queue, "t", "x");
    support_wait(&gate.n_in, 1);
    waiting = kit_push(queue, "t", "x");
    ck_assert_int_eq(kit_info(queue).reserved, 1);
    ck_assert_int_eq(kit_info(queue).waiting, 1);
    ck_assert_int_eq(kit_state(store, id), PAWL_RESERVED);
    ok(pawl_cancel(store, waiting, &err));
    ok(pawl_cancel(store, id, &err));
    ck_assert_int_eq(kit_state(k.store, id), PAWL_CANCELLED);
    kit_gate_open(&gate);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(kit_state(k.store, id), PAWL_CANCELLED);
    ck_assert_int_eq(kit_state(k.store, waiting), PAWL_CANCELLED);
    ck_assert_int_eq(atomic_load(&gate.n_in), 1);
    pawl_close(store);
    kit_end(&k);
}
END_TEST

static _Atomic int stop_looking;

static int
ignore_text(const char *text, size_t bytes, void *user)
{
    (void)text;
    *(size_t *)user += bytes;
    return 0;
}

static int
ignore_info(const char *queue, const pawl_info *info, void *user)
{
    (void)queue;
    (void)info;
    (void)user;
    return 0;
}

static int
ignore_job(const pawl_job_info *info, void *user)
{
    (void)info;
    (void)user;
    return 0;
}

/* Looks at everything over and over. */
static void *
look_around(void *arg)
{
    pawl_settings s;
    size_t bytes = 0;
    long bad = 0;

    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    while (!atomic_load(&stop_looking)) {
        bad += pawl_list(k.store, NULL, ignore_job, NULL, NULL) != 0;
        bad += pawl_store_info(k.store, ignore_info, NULL, NULL) != 0;
        bad += pawl_prometheus(k.store, ignore_text, &bytes, NULL) != 0;
        bad += pawl_queue_settings(k.queue, &s, NULL) != 0;
        bad += pawl_queue_set(k.queue, "max_attempts", "2", NULL) != 0;
    }
    atomic_fetch_add((_Atomic long *)arg, bad);
    return NULL;
}

START_TEST(looking_on_from_many_threads_disturbs_no_work)
{
    int n = support_rounds(400), i;
    _Atomic long bad = 0;
    pthread_t thread[3];

    setup(_i);
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &tape, &err));
    ok(pawl_start(k.store, &err));
    for (i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, look_around, &bad),
                         0);
    for (i = 0; i < n; i++)
        (void)kit_push(k.queue, "t", "x");
    kit_drain(k.store);
    atomic_store(&stop_looking, 1);
    for (i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
    ck_assert_int_eq(atomic_load(&bad), 0);
    ck_assert_int_eq(atomic_load(&tape.n), n);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

/* --------------------------------------------------------- handles, texts */

static int
write_once(const char *text, size_t bytes, void *user)
{
    (void)text;
    (void)bytes;
    ++*(int *)user;
    return 1;
}

START_TEST(metrics_end_when_the_writer_has_enough)
{
    int calls = 0;

    setup(_i);
    (void)kit_push(k.queue, "t", "x");
    (void)kit_push(kit_queue(k.store, "other"), "t", "x");
    (void)pawl_prometheus(k.store, write_once, &calls, NULL);
    ck_assert_int_eq(calls, 1);
    kit_end(&k);
}
END_TEST

START_TEST(handles_and_static_texts_stay_the_same)
{
    setup(_i);
    ck_assert_ptr_eq(kit_queue(k.store, "mail"), k.queue);
    ck_assert_ptr_ne(kit_queue(k.store, "Mail"), k.queue);
    ck_assert_str_eq(pawl_queue_name(k.queue), "mail");
    ck_assert_ptr_eq(pawl_queue_store(k.queue), k.store);
    ck_assert_ptr_eq(pawl_version(), pawl_version());
    ck_assert_str_eq(pawl_version(), PAWL_VERSION_STRING);
    ck_assert_ptr_nonnull(pawl_strerror(INT32_MIN));
    ck_assert_str_eq(pawl_state_name(0), "unknown");
    ck_assert_str_eq(pawl_state_name(PAWL_ANY_STATE), "unknown");
    kit_end(&k);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "admin");
    const TTest *both[] = {
        pages_of_any_size_cover_all_rows_once,
        a_filter_counts_to_its_limit_what_it_lists_and_not_what_it_skips,
        a_list_that_changes_each_job_still_shows_each_once,
        thousands_are_reloaded_and_flushed_and_counted,
        a_flush_frees_the_unique_keys_and_a_reload_respects_them,
        a_running_job_that_was_cancelled_can_be_retried,
        looking_on_from_many_threads_disturbs_no_work,
        metrics_end_when_the_writer_has_enough,
        handles_and_static_texts_stay_the_same,
    };

    KIT_BOTH(tc, both);
    tcase_add_test(tc,
                   a_second_handle_sees_and_changes_what_the_first_works_on);
}

int
main(void)
{
    return support_main("admin", add);
}
