/* SPDX-License-Identifier: MIT */
/* test_bad_input.c - every public call with arguments that break a rule, with
 * and without err: each is refused, nothing is half-written, nothing printed.
 * What a single call takes and refuses in detail is in that call's own test. */
#include "api/kit.h"

#include <limits.h>
#include <stdio.h>

static struct kit k;
static pawl_error err;
static struct kit_silence silence;

/* How the store was: two queues, a job delayed, waiting and cancelled. */
static struct {
    pawl_queue *other;
    int64_t waiting, delayed, cancelled;
    pawl_info mail_info, other_info;
    pawl_settings mail_settings;
} was;

static pawl_settings
settings_of(pawl_queue *queue)
{
    pawl_settings s;

    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    ok(pawl_queue_settings(queue, &s, &err));
    return s;
}

static void
setup(int driver)
{
    pawl_job job = PAWL_JOB("t", "x", 1);

    kit_begin(&k, driver);
    k.options.max_payload_bytes = 1000;
    kit_silence_begin(&silence);
    kit_open(&k);
    was.other = kit_queue(k.store, "other");
    was.waiting = kit_push(k.queue, "t", "x");
    was.cancelled = kit_push(k.queue, "t", "x");
    ok(pawl_cancel(k.store, was.cancelled, &err));
    job.delay_ms = KIT_HOUR;
    was.delayed = kit_push_job(was.other, &job);
    ok(pawl_queue_set(k.queue, "max_attempts", "3", &err));
    was.mail_info = kit_info(k.queue);
    was.other_info = kit_info(was.other);
    was.mail_settings = settings_of(k.queue);
}

static int
count_queue(const char *queue, const pawl_info *info, void *user)
{
    (void)queue;
    (void)info;
    ++*(int *)user;
    return 0;
}

static int
count_job(const pawl_job_info *info, void *user)
{
    (void)info;
    ++*(int *)user;
    return 0;
}

/* Everything is as setup() left it, nothing was said, and the store works. */
static void
finish(void)
{
    pawl_info mail = kit_info(k.queue), other = kit_info(was.other);
    pawl_settings s = settings_of(k.queue);
    int queues = 0, jobs = 0;

    ck_assert_mem_eq(&mail, &was.mail_info, sizeof mail);
    ck_assert_mem_eq(&other, &was.other_info, sizeof other);
    ck_assert_mem_eq(&s, &was.mail_settings, sizeof s);
    ok(pawl_store_info(k.store, count_queue, &queues, &err));
    ck_assert_int_eq(queues, 2);
    ok(pawl_list(k.store, NULL, count_job, &jobs, &err));
    ck_assert_int_eq(jobs, 3);
    ck_assert_int_eq(kit_state(k.store, was.waiting), PAWL_WAITING);
    ck_assert_int_eq(kit_state(k.store, was.delayed), PAWL_DELAYED);
    ck_assert_int_eq(kit_state(k.store, was.cancelled), PAWL_CANCELLED);
    /* The next id is the next: the refused pushes took none. */
    ck_assert_int_eq(kit_push(k.queue, "t", "x"), was.delayed + 1);
    kit_end(&k);
    kit_silence_end(&silence);
}

/* The same call with err and with NULL for it. */
#define refused(code_, call_)               \
    do {                                    \
        pawl_error *e_ = &err;              \
        memset(&err, 0, sizeof err);        \
        fails((code_), (call_));            \
        e_ = NULL;                          \
        ck_assert_int_eq((call_), (code_)); \
    } while (0)

/* Callbacks that must not be called. */
static _Atomic long n_called;

static int
no_list(const pawl_job_info *info, void *user)
{
    (void)info;
    (void)user;
    atomic_fetch_add(&n_called, 1);
    return 0;
}

static int
no_info(const char *queue, const pawl_info *info, void *user)
{
    (void)queue;
    (void)info;
    (void)user;
    atomic_fetch_add(&n_called, 1);
    return 0;
}

static int
no_write(const char *text, size_t bytes, void *user)
{
    (void)text;
    (void)bytes;
    (void)user;
    atomic_fetch_add(&n_called, 1);
    return 0;
}

static void
no_gauge(const char *queue, const pawl_info *info, void *user)
{
    (void)no_info(queue, info, user);
}

static void
no_event(const pawl_event *event, void *user)
{
    (void)event;
    (void)user;
    atomic_fetch_add(&n_called, 1);
}

static void
no_pushed(int code, int64_t id, const pawl_error *e, void *user)
{
    (void)code;
    (void)id;
    (void)e;
    (void)user;
    atomic_fetch_add(&n_called, 1);
}

/* ------------------------------------------------------------------ handles */

START_TEST(a_null_store_is_refused_by_every_call)
{
    pawl_queue *queue = k.queue;
    pawl_job_info *info;
    int64_t n = 77;

    setup(_i);
    pawl_close(NULL);
    pawl_wake(NULL);
    pawl_job_info_free(NULL);
    refused(PAWL_INVALID, pawl_queue_open(NULL, "mail", &queue, e_));
    ck_assert_ptr_null(queue);
    refused(PAWL_INVALID, pawl_sync(NULL, e_));
    refused(PAWL_INVALID, pawl_start(NULL, e_));
    refused(PAWL_INVALID, pawl_stop(NULL, 0, e_));
    refused(PAWL_INVALID, pawl_drain(NULL, 0, e_));
    info = (pawl_job_info *)&n;
    refused(PAWL_INVALID, pawl_get(NULL, 1, &info, e_));
    ck_assert_ptr_null(info);
    refused(PAWL_INVALID, pawl_list(NULL, NULL, no_list, NULL, e_));
    refused(PAWL_INVALID, pawl_retry(NULL, was.cancelled, e_));
    refused(PAWL_INVALID, pawl_cancel(NULL, was.waiting, e_));
    refused(PAWL_INVALID, pawl_reload(NULL, NULL, PAWL_CANCELLED, &n, e_));
    ck_assert_int_eq(n, 0);
    n = 77;
    refused(PAWL_INVALID, pawl_flush(NULL, NULL, PAWL_WAITING, &n, e_));
    ck_assert_int_eq(n, 0);
    refused(PAWL_INVALID, pawl_store_info(NULL, no_info, NULL, e_));
    refused(PAWL_INVALID, pawl_gauge(NULL, 0, no_gauge, NULL, e_));
    refused(PAWL_INVALID, pawl_prometheus(NULL, no_write, NULL, e_));
    finish();
}
END_TEST

START_TEST(a_null_queue_is_refused_by_every_call)
{
    pawl_settings s = {.struct_size = sizeof s};
    pawl_info info = {.struct_size = sizeof info};
    const pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t id = 77;

    setup(_i);
    ck_assert_ptr_null(pawl_queue_name(NULL));
    ck_assert_ptr_null(pawl_queue_store(NULL));
    refused(PAWL_INVALID, pawl_queue_settings(NULL, &s, e_));
    refused(PAWL_INVALID, pawl_queue_set(NULL, "paused", "1", e_));
    refused(PAWL_INVALID, pawl_push(NULL, &job, &id, e_));
    ck_assert_int_eq(id, 0);
    id = 77;
    refused(PAWL_INVALID, pawl_push_many(NULL, &job, 1, &id, e_));
    ck_assert_int_eq(id, 0);
    refused(PAWL_INVALID, pawl_push_many(NULL, NULL, 0, NULL, e_));
    refused(PAWL_INVALID, pawl_push_async(NULL, &job, no_pushed, NULL, e_));
    refused(PAWL_INVALID, pawl_listen(NULL, "t", kit_no_listener, NULL, e_));
    refused(PAWL_INVALID, pawl_dispatch(NULL, &job, e_));
    refused(PAWL_INVALID, pawl_subscribe(NULL, 1, no_event, NULL, e_));
    refused(PAWL_INVALID, pawl_queue_info(NULL, &info, e_));
    ok(pawl_sync(k.store, &err));
    ck_assert_int_eq(atomic_load(&n_called), 0);
    finish();
}
END_TEST

START_TEST(a_null_attempt_is_refused_by_every_call)
{
    setup(_i);
    refused(PAWL_INVALID, pawl_attempt_extend(NULL, 1, e_));
    refused(PAWL_INVALID, pawl_attempt_snooze(NULL, 1, e_));
    refused(PAWL_INVALID, pawl_attempt_result(NULL, "x", e_));
    ck_assert_int_ne(pawl_attempt_fail(NULL, NULL), 0);
    ck_assert_int_ne(pawl_attempt_abort(NULL, NULL), 0);
    ck_assert_int_ne(pawl_attempt_retry_in(NULL, -1, NULL), 0);
    ck_assert_int_eq(pawl_attempt_number(NULL), 0);
    ck_assert_int_eq(pawl_attempt_job_id(NULL), 0);
    ck_assert_ptr_null(pawl_attempt_queue(NULL));
    ck_assert_int_eq(pawl_attempt_deadline_at_ms(NULL), 0);
    ck_assert_int_eq(pawl_attempt_should_stop(NULL), PAWL_STOP_NONE);
    ck_assert_int_eq(pawl_attempt_stop_fd(NULL), -1);
    finish();
}
END_TEST

START_TEST(a_null_in_place_of_a_required_pointer_is_refused)
{
    pawl_store *store = k.store;
    int64_t n = 77;

    setup(_i);
    refused(PAWL_INVALID, pawl_open(NULL, NULL, &store, e_));
    ck_assert_ptr_null(store);
    refused(PAWL_INVALID, pawl_open("memory:", NULL, NULL, e_));
    refused(PAWL_INVALID, pawl_queue_open(k.store, NULL, &was.other, e_));
    ck_assert_ptr_null(was.other);
    was.other = kit_queue(k.store, "other");
    refused(PAWL_INVALID, pawl_queue_open(k.store, "new", NULL, e_));
    refused(PAWL_INVALID, pawl_queue_settings(k.queue, NULL, e_));
    refused(PAWL_INVALID, pawl_queue_set(k.queue, NULL, "1", e_));
    refused(PAWL_INVALID, pawl_queue_set(k.queue, "paused", NULL, e_));
    refused(PAWL_INVALID, pawl_push(k.queue, NULL, &n, e_));
    ck_assert_int_eq(n, 0);
    refused(PAWL_INVALID, pawl_push_many(k.queue, NULL, 1, NULL, e_));
    refused(PAWL_INVALID, pawl_push_async(k.queue, NULL, no_pushed, 0, e_));
    refused(PAWL_INVALID, pawl_listen(k.queue, "t", NULL, NULL, e_));
    refused(PAWL_INVALID, pawl_dispatch(k.queue, NULL, e_));
    refused(PAWL_INVALID, pawl_subscribe(k.queue, 1, NULL, NULL, e_));
    refused(PAWL_INVALID, pawl_get(k.store, was.waiting, NULL, e_));
    refused(PAWL_INVALID, pawl_list(k.store, NULL, NULL, NULL, e_));
    refused(PAWL_INVALID, pawl_queue_info(k.queue, NULL, e_));
    refused(PAWL_INVALID, pawl_store_info(k.store, NULL, NULL, e_));
    refused(PAWL_INVALID, pawl_prometheus(k.store, NULL, NULL, e_));
    ok(pawl_sync(k.store, NULL));
    ck_assert_int_eq(atomic_load(&n_called), 0);
    finish();
}
END_TEST

/* -------------------------------------------------------------------- names */

static void
name_is_refused(const char *name)
{
    pawl_job job = PAWL_JOB(name, "x", 1);
    pawl_filter filter = PAWL_FILTER_INIT;
    pawl_queue *queue = k.queue;
    int64_t n = 77;

    refused(PAWL_INVALID, pawl_queue_open(k.store, name, &queue, e_));
    ck_assert_ptr_null(queue);
    refused(PAWL_INVALID, pawl_queue_set(k.queue, name, "1", e_));
    refused(PAWL_INVALID, pawl_queue_set(k.queue, "paused", name, e_));
    refused(PAWL_INVALID, pawl_push(k.queue, &job, NULL, e_));
    refused(PAWL_INVALID, pawl_push_many(k.queue, &job, 1, NULL, e_));
    refused(PAWL_INVALID, pawl_push_async(k.queue, &job, no_pushed, NULL, e_));
    refused(PAWL_INVALID, pawl_dispatch(k.queue, &job, e_));
    refused(PAWL_INVALID, pawl_listen(k.queue, name, kit_no_listener, 0, e_));
    job.type = "t";
    job.unique_key = name;
    refused(PAWL_INVALID, pawl_push(k.queue, &job, NULL, e_));
    refused(PAWL_INVALID, pawl_push_many(k.queue, &job, 1, NULL, e_));
    refused(PAWL_INVALID, pawl_push_async(k.queue, &job, no_pushed, NULL, e_));
    filter.queue = name;
    refused(PAWL_INVALID, pawl_list(k.store, &filter, no_list, NULL, e_));
    filter.queue = NULL;
    filter.type = name;
    refused(PAWL_INVALID, pawl_list(k.store, &filter, no_list, NULL, e_));
    refused(PAWL_INVALID, pawl_reload(k.store, name, PAWL_CANCELLED, &n, e_));
    ck_assert_int_eq(n, 0);
    n = 77;
    refused(PAWL_INVALID, pawl_flush(k.store, name, PAWL_WAITING, &n, e_));
    ck_assert_int_eq(n, 0);
}

START_TEST(a_bad_name_is_refused_wherever_a_name_is_taken)
{
    size_t i;

    setup(_i);
    for (i = 0; kit_bad_names[i] != NULL; i++)
        name_is_refused(kit_bad_names[i]);
    name_is_refused(kit_name(256)); /* too long for all of them */
    ok(pawl_sync(k.store, &err));
    ck_assert_int_eq(atomic_load(&n_called), 0);
    finish();
}
END_TEST

START_TEST(a_message_never_holds_raw_bytes_of_a_bad_name)
{
    pawl_queue *queue;
    const char *c;
    size_t i;

    setup(_i);
    for (i = 0; kit_bad_names[i] != NULL; i++) {
        memset(&err, 'x', sizeof err);
        fails(PAWL_INVALID,
              pawl_queue_open(k.store, kit_bad_names[i], &queue, &err));
        ck_assert_ptr_nonnull(memchr(err.message, '\0', sizeof err.message));
        for (c = err.message; *c != '\0'; c++)
            if ((unsigned char)*c < 0x20 || (unsigned char)*c == 0x7f)
                ck_abort_msg("control byte %d in the message of name %zu", *c,
                             i);
    }
    finish();
}
END_TEST

/* ------------------------------------------------------------------ numbers */

static const int64_t bad_spans[] = {
    -1, INT64_MIN, INT64_MAX, 3155760000001, INT64_MIN + 1, INT64_MAX - 1};
#define N_BAD_SPANS (sizeof bad_spans / sizeof bad_spans[0])

/* Refused by all ways to push. */
static void
job_is_refused(const pawl_job *job)
{
    int64_t id = 77;

    refused(PAWL_INVALID, pawl_push(k.queue, job, &id, e_));
    ck_assert_int_eq(id, 0);
    id = 77;
    refused(PAWL_INVALID, pawl_push_many(k.queue, job, 1, &id, e_));
    ck_assert_int_eq(id, 0);
    refused(PAWL_INVALID, pawl_push_async(k.queue, job, no_pushed, NULL, e_));
}

START_TEST(absurd_times_of_a_job_are_refused)
{
    const pawl_job good = PAWL_JOB("t", "x", 1);
    pawl_job job;
    size_t i;

    setup(_i);
    for (i = 0; i < N_BAD_SPANS; i++) {
        job = good;
        job.delay_ms = bad_spans[i];
        job_is_refused(&job);
        job = good;
        job.timeout_ms = bad_spans[i];
        job_is_refused(&job);
        job = good;
        job.unique_key = "key";
        job.unique_ms = bad_spans[i];
        job_is_refused(&job);
        job = good;
        job.backoff_floor_ms = bad_spans[i];
        job_is_refused(&job);
        job = good;
        job.backoff_ceiling_ms = bad_spans[i];
        job_is_refused(&job);
        job = good;
        job.ready_at_ms =
            bad_spans[i] == 3155760000001 ? 7258118400001 : bad_spans[i];
        job_is_refused(&job);
    }
    ok(pawl_sync(k.store, &err));
    ck_assert_int_eq(atomic_load(&n_called), 0);
    finish();
}
END_TEST

START_TEST(absurd_counts_of_a_job_are_refused)
{
    static const int32_t bad[] = {-2, INT32_MIN, INT32_MAX, 1001};
    static const int32_t priority[] = {-32769, 32768, INT32_MIN, INT32_MAX};
    const pawl_job good = PAWL_JOB("t", "x", 1);
    pawl_job job;
    size_t i;

    setup(_i);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        job = good;
        job.max_attempts = bad[i];
        job_is_refused(&job);
        job = good;
        job.backoff_factor_percent = bad[i];
        job_is_refused(&job);
        job = good;
        job.backoff_jitter_percent = bad[i];
        job_is_refused(&job);
        job = good;
        job.priority = priority[i];
        job_is_refused(&job);
    }
    finish();
}
END_TEST

START_TEST(a_payload_that_cannot_be_is_refused)
{
    static char big[1001];
    pawl_job job = PAWL_JOB("t", big, sizeof big);

    setup(_i);
    job_is_refused(&job);
    job.payload_bytes = SIZE_MAX; /* never read */
    job_is_refused(&job);
    job.payload_bytes = (size_t)INT64_MAX + 1;
    job_is_refused(&job);
    job.payload = NULL;
    job.payload_bytes = 1;
    job_is_refused(&job);
    finish();
}
END_TEST

START_TEST(a_batch_of_absurd_length_is_refused_unread)
{
    const pawl_job job = PAWL_JOB("t", "x", 1);

    setup(_i);
    refused(PAWL_INVALID, pawl_push_many(k.queue, &job, 1000001, NULL, e_));
    refused(PAWL_INVALID, pawl_push_many(k.queue, &job, SIZE_MAX, NULL, e_));
    finish();
}
END_TEST

START_TEST(absurd_times_of_calls_are_refused)
{
    static const int64_t bad[] = {-1, INT64_MIN, 86400001, INT64_MAX};
    size_t i;

    setup(_i);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refused(PAWL_INVALID, pawl_stop(k.store, bad[i], e_));
        refused(PAWL_INVALID, pawl_gauge(k.store, bad[i], no_gauge, NULL, e_));
        if (bad[i] < 0)
            refused(PAWL_INVALID, pawl_drain(k.store, bad[i], e_));
    }
    finish();
}
END_TEST

START_TEST(absurd_settings_are_refused)
{
    static const char *const names[] = {"parallelism",
                                        "paused",
                                        "length_interval_s",
                                        "retention_s",
                                        "max_attempts",
                                        "max_abandons",
                                        "timeout_ms",
                                        "backoff_floor_ms",
                                        "backoff_ceiling_ms",
                                        "backoff_factor_percent",
                                        "backoff_jitter_percent"};
    static const char *const values[] = {
        "-2",
        "-9223372036854775808",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999999999999999999999",
        "9223372036854775807d",
        "1.5",
        "0x10",
        " 1",
        "1 ",
        "1s1s",
        "s",
        "+",
        "-",
        "nan",
        "DEFAULT ",
        ""};
    size_t i, v;

    setup(_i);
    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        for (v = 0; v < sizeof values / sizeof values[0]; v++)
            refused(PAWL_INVALID,
                    pawl_queue_set(k.queue, names[i], values[v], e_));
    refused(PAWL_INVALID, pawl_queue_set(k.queue, "struct_size", "1", e_));
    refused(PAWL_INVALID, pawl_queue_set(k.queue, "Paused", "1", e_));
    refused(PAWL_INVALID, pawl_queue_set(k.queue, "paused = 1; --", "1", e_));
    finish();
}
END_TEST

START_TEST(ids_that_no_job_has_are_not_found)
{
    static const int64_t ids[] = {0, -1, INT64_MIN, INT64_MAX, 1000};
    pawl_job_info *info;
    size_t i;
    int rc;

    setup(_i);
    for (i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        info = (pawl_job_info *)&rc;
        refused(PAWL_NOT_FOUND, pawl_get(k.store, ids[i], &info, e_));
        ck_assert_ptr_null(info);
        refused(PAWL_NOT_FOUND, pawl_retry(k.store, ids[i], e_));
        refused(PAWL_NOT_FOUND, pawl_cancel(k.store, ids[i], e_));
    }
    finish();
}
END_TEST

/* -------------------------------------------------------------------- masks */

START_TEST(unknown_bits_of_a_mask_are_refused)
{
    static const unsigned bad[] = {128, 256, 1u << 31, UINT_MAX};
    pawl_filter filter = PAWL_FILTER_INIT;
    int64_t n;
    size_t i;

    setup(_i);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        n = 77;
        refused(PAWL_INVALID,
                pawl_reload(k.store, NULL, bad[i] | PAWL_CANCELLED, &n, e_));
        ck_assert_int_eq(n, 0);
        refused(PAWL_INVALID,
                pawl_flush(k.store, NULL, bad[i] | PAWL_WAITING, NULL, e_));
        filter.states = bad[i] | PAWL_WAITING;
        refused(PAWL_INVALID, pawl_list(k.store, &filter, no_list, NULL, e_));
        if (bad[i] != 128)
            refused(PAWL_INVALID,
                    pawl_subscribe(k.queue, bad[i] | 1, no_event, NULL, e_));
    }
    refused(PAWL_INVALID, pawl_subscribe(k.queue, 0, no_event, NULL, e_));
    refused(PAWL_INVALID, pawl_reload(k.store, NULL, 0, NULL, e_));
    refused(PAWL_INVALID, pawl_flush(k.store, NULL, 0, NULL, e_));
    refused(PAWL_INVALID,
            pawl_reload(k.store, NULL, PAWL_CANCELLED | PAWL_DONE, NULL, e_));
    refused(PAWL_INVALID, pawl_reload(k.store, NULL, PAWL_WAITING, NULL, e_));
    refused(PAWL_INVALID,
            pawl_flush(k.store, NULL, PAWL_WAITING | PAWL_RESERVED, NULL, e_));
    ck_assert_int_eq(atomic_load(&n_called), 0);
    finish();
}
END_TEST

START_TEST(bad_pages_of_a_list_are_refused)
{
    static const int64_t limits[] = {-1, 1000001, INT64_MIN, INT64_MAX};
    pawl_filter filter = PAWL_FILTER_INIT;
    size_t i;

    setup(_i);
    for (i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        filter.limit = limits[i];
        refused(PAWL_INVALID, pawl_list(k.store, &filter, no_list, NULL, e_));
    }
    filter.limit = 0;
    filter.after_id = INT64_MAX; /* there is nothing behind it */
    ok(pawl_list(k.store, &filter, no_list, NULL, &err));
    ck_assert_int_eq(atomic_load(&n_called), 0);
    finish();
}
END_TEST

/* ------------------------------------------------------------------ structs */

START_TEST(a_struct_of_no_size_is_refused)
{
    static const size_t sizes[] = {0, 1, sizeof(size_t) - 1, SIZE_MAX,
                                   SIZE_MAX / 2};
    pawl_options options = PAWL_OPTIONS_INIT;
    pawl_filter filter = PAWL_FILTER_INIT;
    pawl_job job = PAWL_JOB("t", "x", 1);
    pawl_settings s;
    pawl_info info;
    pawl_store *store;
    size_t i;

    setup(_i);
    memset(&s, 0, sizeof s);
    memset(&info, 0, sizeof info);
    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        store = k.store;
        options.struct_size = sizes[i];
        refused(PAWL_INVALID, pawl_open("memory:", &options, &store, e_));
        ck_assert_ptr_null(store);
        job.struct_size = sizes[i];
        job_is_refused(&job);
        refused(PAWL_INVALID, pawl_dispatch(k.queue, &job, e_));
        filter.struct_size = sizes[i];
        refused(PAWL_INVALID, pawl_list(k.store, &filter, no_list, NULL, e_));
        s.struct_size = sizes[i];
        refused(PAWL_INVALID, pawl_queue_settings(k.queue, &s, e_));
        info.struct_size = sizes[i];
        refused(PAWL_INVALID, pawl_queue_info(k.queue, &info, e_));
    }
    ck_assert_int_eq(atomic_load(&n_called), 0);
    finish();
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "bad_input");
    const TTest *both[] = {
        a_null_store_is_refused_by_every_call,
        a_null_queue_is_refused_by_every_call,
        a_null_attempt_is_refused_by_every_call,
        a_null_in_place_of_a_required_pointer_is_refused,
        a_bad_name_is_refused_wherever_a_name_is_taken,
        a_message_never_holds_raw_bytes_of_a_bad_name,
        absurd_times_of_a_job_are_refused,
        absurd_counts_of_a_job_are_refused,
        a_payload_that_cannot_be_is_refused,
        a_batch_of_absurd_length_is_refused_unread,
        absurd_times_of_calls_are_refused,
        absurd_settings_are_refused,
        ids_that_no_job_has_are_not_found,
        unknown_bits_of_a_mask_are_refused,
        bad_pages_of_a_list_are_refused,
        a_struct_of_no_size_is_refused,
    };

    KIT_BOTH(tc, both);
}

int
main(void)
{
    return support_main("bad_input", add);
}
