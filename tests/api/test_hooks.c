/* SPDX-License-Identifier: MIT */
/* test_hooks.c - what a program plugs in: the codec, the log, the clock. */
#include "api/kit.h"

#include <stdio.h>

static struct kit k;
static pawl_error err;
static struct kit_tape tape;

/* ------------------------------------------------------------------- codec */

static struct {
    _Atomic long n_encoded, n_decoded;
    _Atomic int fail_encode, fail_decode;
    _Atomic size_t grow; /* bytes that encode adds */
} codec;

/* Flips every bit, and adds some bytes. */
static int
flip(const void *in, size_t n, size_t grow, void **out, size_t *out_bytes)
{
    unsigned char *o = malloc(n + grow + 1);
    size_t i;

    if (o == NULL)
        return 1;
    memset(o, 0, n + grow + 1);
    for (i = 0; i < n; i++)
        o[i] = (unsigned char)~((const unsigned char *)in)[i];
    *out = o;
    *out_bytes = n + grow;
    return 0;
}

static int
encode(const void *in, size_t n, void **out, size_t *out_bytes, void *user)
{
    (void)user;
    if (atomic_load(&codec.fail_encode) != 0)
        return 7;
    atomic_fetch_add(&codec.n_encoded, 1);
    return flip(in, n, atomic_load(&codec.grow), out, out_bytes);
}

static int
decode(const void *in, size_t n, void **out, size_t *out_bytes, void *user)
{
    (void)user;
    if (atomic_load(&codec.fail_decode) != 0)
        return 7;
    atomic_fetch_add(&codec.n_decoded, 1);
    return flip(in, n, 0, out, out_bytes);
}

static void
setup_codec(int driver)
{
    pawl_codec c = {encode, decode, NULL};

    memset(&codec, 0, sizeof codec);
    kit_tape_init(&tape);
    kit_begin(&k, driver);
    k.options.codec = &c;
    k.options.max_payload_bytes = 100;
    kit_open(&k);
    memset(&c, 0, sizeof c); /* it was copied */
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &tape, &err));
}

START_TEST(payloads_are_encoded_in_the_store_and_plain_for_listeners)
{
    const pawl_job jobs[2] = {PAWL_JOB("t", "b", 1), PAWL_JOB("t", "c", 1)};
    pawl_job_info *info = NULL;
    int64_t id;

    setup_codec(_i);
    id = kit_push(k.queue, "t", "abc");
    ok(pawl_get(k.store, id, &info, &err));
    ck_assert_uint_eq(info->job.payload_bytes, 3);
    ck_assert_mem_eq(info->job.payload, "\x9e\x9d\x9c", 3);
    pawl_job_info_free(info);
    ok(pawl_push_many(k.queue, jobs, 2, NULL, &err));
    ok(pawl_push_async(k.queue, &jobs[0], NULL, NULL, &err));
    ok(pawl_queue_set(k.queue, "parallelism", "1", &err));
    ok(pawl_start(k.store, &err));
    support_wait(&tape.n, 4);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_str_eq(tape.at[0].text, "abc");
    ck_assert_str_eq(tape.at[1].text, "b");
    ck_assert_str_eq(tape.at[2].text, "c");
    ck_assert_str_eq(tape.at[3].text, "b");
    ck_assert_int_eq(atomic_load(&codec.n_encoded), 4);
    ck_assert_int_eq(atomic_load(&codec.n_decoded), 4);
    kit_end(&k);
}
END_TEST

START_TEST(what_cannot_be_encoded_is_not_pushed)
{
    const pawl_job job = PAWL_JOB("t", "abc", 3);
    int64_t id = 9;

    setup_codec(_i);
    atomic_store(&codec.fail_encode, 1);
    ck_assert_int_lt(pawl_push(k.queue, &job, &id, &err), 0);
    ck_assert_int_eq(id, 0);
    ck_assert_int_lt(pawl_push_many(k.queue, &job, 1, NULL, NULL), 0);
    ck_assert_int_lt(pawl_push_async(k.queue, &job, NULL, NULL, NULL), 0);
    atomic_store(&codec.fail_encode, 0);
    atomic_store(&codec.grow, 98); /* one byte too many when encoded */
    fails(PAWL_INVALID, pawl_push(k.queue, &job, &id, &err));
    ck_assert_int_eq(kit_total(k.queue), 0);
    atomic_store(&codec.grow, 97);
    ok(pawl_push(k.queue, &job, &id, &err));
    kit_end(&k);
}
END_TEST

START_TEST(what_cannot_be_decoded_fails_the_attempt)
{
    pawl_job_info *info = NULL;
    int64_t id;

    setup_codec(_i);
    atomic_store(&codec.fail_decode, 1);
    id = kit_push(k.queue, "t", "abc");
    ok(pawl_start(k.store, &err));
    kit_wait_state(k.store, id, PAWL_FAILED);
    ck_assert_int_eq(atomic_load(&tape.n), 0);
    ok(pawl_get(k.store, id, &info, &err));
    ck_assert_ptr_nonnull(strstr(info->error, "codec"));
    pawl_job_info_free(info);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

/* --------------------------------------------------------------------- log */

static struct {
    pthread_mutex_t mu;
    _Atomic long n;
    int level[32];
    char line[32][240];
} logged;

static void
log_fn(int level, const char *message, void *user)
{
    long n;

    ck_assert_ptr_eq(user, &logged);
    (void)pthread_mutex_lock(&logged.mu);
    n = atomic_load(&logged.n);
    if (n < 32) {
        logged.level[n] = level;
        (void)snprintf(logged.line[n], sizeof logged.line[n], "%s", message);
    }
    atomic_store(&logged.n, n + 1);
    (void)pthread_mutex_unlock(&logged.mu);
}

/* A started store whose table is taken away: its pool has something to say. */
static void
break_the_store(int level)
{
    memset(&logged, 0, sizeof logged);
    ck_assert_int_eq(pthread_mutex_init(&logged.mu, NULL), 0);
    kit_tape_init(&tape);
    kit_begin(&k, KIT_SQLITE);
    k.options.log = log_fn;
    k.options.log_user = &logged;
    k.options.log_level = level;
    kit_open(&k);
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &tape, &err));
    ok(pawl_start(k.store, &err));
    kit_wait_state(k.store, kit_push(k.queue, "t", "x"), 0);
    support_sql(k.folder.store, "DROP TABLE pawl_claim");
    (void)pawl_queue_set(k.queue, "paused", "0", NULL);
    pawl_wake(k.store);
}

START_TEST(the_log_tells_what_broke_in_one_line)
{
    long i;

    break_the_store(PAWL_WARN);
    support_wait(&logged.n, 1);
    for (i = 0; i < atomic_load(&logged.n) && i < 32; i++) {
        ck_assert_int_ge(logged.level[i], PAWL_ERROR);
        ck_assert_int_le(logged.level[i], PAWL_WARN);
        ck_assert_ptr_null(strchr(logged.line[i], '\n'));
        ck_assert_int_ne(logged.line[i][0], '\0');
    }
    (void)pawl_stop(k.store, SUPPORT_DEADLINE_MS, NULL);
    kit_end(&k);
}
END_TEST

START_TEST(errors_print_nothing_without_a_log)
{
    struct kit_silence silence;
    pawl_store *store = NULL;

    kit_silence_begin(&silence);
    kit_setup(&k, KIT_SQLITE);
    ok(pawl_listen(k.queue, "t", kit_no_listener, NULL, &err));
    ok(pawl_start(k.store, &err));
    kit_wait_state(k.store, kit_push(k.queue, "t", "x"), 0);
    support_sql(k.folder.store, "DROP TABLE pawl_claim");
    ck_assert_int_lt(pawl_open(k.url, NULL, &store, NULL), 0);
    pawl_wake(k.store);
    (void)pawl_drain(k.store, 100, NULL);
    (void)pawl_stop(k.store, SUPPORT_DEADLINE_MS, NULL);
    kit_end(&k);
    kit_silence_end(&silence);
}
END_TEST

/* ------------------------------------------------------------------- clock */

START_TEST(the_programs_clock_is_the_stores_time)
{
    pawl_job_info *info = NULL;
    int64_t id;

    kit_setup(&k, _i);
    support_clock_jump(&k.clock, -12345678901);
    id = kit_push(k.queue, "t", "x");
    ok(pawl_get(k.store, id, &info, &err));
    ck_assert_int_eq(info->pushed_at_ms, SUPPORT_EPOCH - 12345678901);
    pawl_job_info_free(info);
    kit_end(&k);
}
END_TEST

static int64_t
absurd_wall(void *user)
{
    return *(const int64_t *)user;
}

START_TEST(an_absurd_clock_harms_nothing)
{
    static const int64_t absurd[] = {0, -1, INT64_MIN, INT64_MAX};
    pawl_clock clock = k.clock.clock;
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t now = 0, id;
    size_t i;

    kit_begin(&k, _i);
    clock.wall_ms = absurd_wall;
    clock.monotonic_ms = absurd_wall;
    clock.user = &now;
    k.options.clock = &clock;
    kit_open(&k);
    for (i = 0; i < sizeof absurd / sizeof absurd[0]; i++) {
        now = absurd[i];
        job.delay_ms = 3155760000000;
        ok(pawl_push(k.queue, &job, &id, &err));
        job.delay_ms = 0;
        ok(pawl_push(k.queue, &job, &id, &err));
        ck_assert_int_ne(kit_state(k.store, id), 0);
    }
    ck_assert_int_eq(kit_total(k.queue), 8);
    kit_end(&k);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "hooks");
    const TTest *both[] = {
        payloads_are_encoded_in_the_store_and_plain_for_listeners,
        what_cannot_be_encoded_is_not_pushed,
        what_cannot_be_decoded_fails_the_attempt,
        the_programs_clock_is_the_stores_time,
        an_absurd_clock_harms_nothing,
    };

    KIT_BOTH(tc, both);
    tcase_add_test(tc, the_log_tells_what_broke_in_one_line);
    tcase_add_test(tc, errors_print_nothing_without_a_log);
}

int
main(void)
{
    return support_main("hooks", add);
}
