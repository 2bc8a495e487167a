/* SPDX-License-Identifier: MIT */
/* test_async.c - push_async and sync: each callback comes once, with the truth,
 * in every way that a batch can be committed. */
#include "api/kit.h"

#include <stdio.h>

static struct kit k;
static pawl_error err;

#define TOLD_MAX 6000

/* What the callbacks said, in order. */
struct told {
    pthread_mutex_t mu;
    _Atomic long n;
    int code[TOLD_MAX];
    int64_t id[TOLD_MAX];
    char message[240];
};

static struct told told;

static void
told_reset(void)
{
    memset(&told, 0, sizeof told);
    ck_assert_int_eq(pthread_mutex_init(&told.mu, NULL), 0);
}

static void
told_fn(int code, int64_t id, const pawl_error *e, void *user)
{
    struct told *t = user;
    long n;

    (void)pthread_mutex_lock(&t->mu);
    n = atomic_load(&t->n);
    if (n < TOLD_MAX) {
        t->code[n] = code;
        t->id[n] = id;
    }
    if (code != PAWL_OK && e != NULL)
        memcpy(t->message, e->message, sizeof t->message);
    atomic_store(&t->n, n + 1);
    (void)pthread_mutex_unlock(&t->mu);
}

static void
push(const char *text)
{
    const pawl_job job = PAWL_JOB("t", text, strlen(text));

    ok(pawl_push_async(k.queue, &job, told_fn, &told, &err));
}

static void
setup(int driver)
{
    told_reset();
    kit_setup(&k, driver);
}

static void
all_told(long n)
{
    long i;

    ck_assert_int_eq(atomic_load(&told.n), n);
    for (i = 0; i < n; i++) {
        ck_assert_int_eq(told.code[i], PAWL_OK);
        ck_assert_int_eq(told.id[i], i + 1);
    }
}

START_TEST(sync_commits_what_was_taken_in)
{
    int i;

    setup(_i);
    for (i = 0; i < 100; i++)
        push("x");
    ok(pawl_sync(k.store, &err));
    all_told(100);
    ck_assert_int_eq(kit_info(k.queue).waiting, 100);
    ck_assert_int_eq(pawl_sync(k.store, NULL), PAWL_OK);
    kit_end(&k);
}
END_TEST

START_TEST(a_blocking_push_commits_them_too)
{
    setup(_i);
    push("x");
    push("x");
    (void)kit_push(k.queue, "t", "x");
    ok(pawl_sync(k.store, &err));
    ck_assert_int_eq(atomic_load(&told.n), 2);
    ck_assert_int_eq(kit_info(k.queue).waiting, 3);
    kit_end(&k);
}
END_TEST

START_TEST(the_256th_commits_them)
{
    int i;

    setup(_i);
    for (i = 0; i < 256; i++)
        push("x");
    support_wait(&told.n, 256);
    all_told(256);
    kit_end(&k);
}
END_TEST

START_TEST(close_commits_them_and_tells)
{
    setup(KIT_SQLITE);
    push("x");
    push("x");
    pawl_close(k.store);
    k.store = NULL;
    all_told(2);
    kit_open(&k);
    ck_assert_int_eq(kit_info(k.queue).waiting, 2);
    kit_end(&k);
}
END_TEST

START_TEST(a_started_store_commits_them_by_itself)
{
    struct kit_tape *tape = calloc(1, sizeof *tape);

    setup(_i);
    kit_tape_init(tape);
    ok(pawl_listen(k.queue, "t", kit_tape_listener, tape, &err));
    ok(pawl_start(k.store, &err));
    push("a");
    support_wait(&told.n, 1);
    support_wait(&tape->n, 1);
    push("b");
    support_wait(&tape->n, 2);
    ck_assert_str_eq(tape->at[1].text, "b");
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
    free(tape);
}
END_TEST

START_TEST(more_than_may_be_in_flight_are_pushed_all_the_same)
{
    int i;

    setup(_i);
    for (i = 0; i < 5000; i++)
        push("x");
    ok(pawl_sync(k.store, &err));
    all_told(5000);
    kit_end(&k);
}
END_TEST

START_TEST(the_job_is_copied)
{
    char text[] = "before", type[] = "t", key[] = "key-1";
    pawl_job job = PAWL_JOB(type, text, 6);
    pawl_job_info *info = NULL;

    setup(_i);
    job.unique_key = key;
    ok(pawl_push_async(k.queue, &job, told_fn, &told, &err));
    memset(text, '?', 6);
    memset(type, '?', 1);
    memset(key, '?', 5);
    memset(&job, 0, sizeof job);
    ok(pawl_sync(k.store, &err));
    all_told(1);
    ok(pawl_get(k.store, 1, &info, &err));
    ck_assert_mem_eq(info->job.payload, "before", 6);
    ck_assert_str_eq(info->job.type, "t");
    ck_assert_str_eq(info->job.unique_key, "key-1");
    pawl_job_info_free(info);
    kit_end(&k);
}
END_TEST

START_TEST(a_callback_is_optional)
{
    const pawl_job job = PAWL_JOB("t", "x", 1);

    setup(_i);
    ok(pawl_push_async(k.queue, &job, NULL, NULL, &err));
    ck_assert_int_eq(pawl_push_async(k.queue, &job, NULL, NULL, NULL), PAWL_OK);
    ok(pawl_sync(k.store, &err));
    ck_assert_int_eq(kit_info(k.queue).waiting, 2);
    kit_end(&k);
}
END_TEST

START_TEST(a_taken_key_is_told_with_its_holder_and_harms_no_other)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t holder;

    setup(_i);
    job.unique_key = "k";
    holder = kit_push_job(k.queue, &job);
    push("before");
    ok(pawl_push_async(k.queue, &job, told_fn, &told, &err));
    push("after");
    ok(pawl_sync(k.store, &err));
    ck_assert_int_eq(atomic_load(&told.n), 3);
    ck_assert_int_eq(told.code[0], PAWL_OK);
    ck_assert_int_eq(told.code[1], PAWL_EXISTS);
    ck_assert_int_eq(told.id[1], holder);
    ck_assert_int_ne(told.message[0], '\0');
    ck_assert_int_eq(told.code[2], PAWL_OK);
    ck_assert_int_gt(told.id[2], told.id[0]);
    ck_assert_int_eq(kit_info(k.queue).waiting, 3);
    kit_end(&k);
}
END_TEST

START_TEST(a_refused_push_calls_nobody)
{
    pawl_job job = PAWL_JOB("", "x", 1);

    setup(_i);
    fails(PAWL_INVALID, pawl_push_async(k.queue, &job, told_fn, &told, &err));
    ok(pawl_sync(k.store, &err));
    ck_assert_int_eq(atomic_load(&told.n), 0);
    kit_end(&k);
}
END_TEST

/* ------------------------------------------------------- inside a callback */

static _Atomic int sync_code;

static void
chain_fn(int code, int64_t id, const pawl_error *e, void *user)
{
    const pawl_job job = PAWL_JOB("t", "from a callback", 15);

    atomic_store(&sync_code, pawl_sync(k.store, NULL));
    if (pawl_push_async(k.queue, &job, told_fn, user, NULL) == PAWL_OK)
        told_fn(code, id, e, user);
}

START_TEST(a_callback_may_push_on_but_not_sync)
{
    const pawl_job job = PAWL_JOB("t", "x", 1);

    setup(_i);
    ok(pawl_push_async(k.queue, &job, chain_fn, &told, &err));
    ok(pawl_sync(k.store, &err));
    ok(pawl_sync(k.store, &err));
    all_told(2);
    ck_assert_int_eq(atomic_load(&sync_code), PAWL_MISUSE);
    kit_end(&k);
}
END_TEST

/* ----------------------------------------------------------- many threads */

static void *
pusher(void *arg)
{
    int i;

    (void)arg;
    for (i = 0; i < 500; i++) {
        const pawl_job job = PAWL_JOB("t", "x", 1);

        if (pawl_push_async(k.queue, &job, told_fn, &told, NULL) != PAWL_OK)
            return &told;
        if (i % 100 == 99 && pawl_sync(k.store, NULL) != PAWL_OK)
            return &told;
    }
    return NULL;
}

START_TEST(pushes_of_many_threads_are_each_told_once)
{
    pthread_t threads[8];
    static char seen[4001];
    void *failed;
    int i;

    setup(_i);
    for (i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, pusher, NULL), 0);
    for (i = 0; i < 8; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
    ok(pawl_sync(k.store, &err));
    ck_assert_int_eq(atomic_load(&told.n), 4000);
    memset(seen, 0, sizeof seen);
    for (i = 0; i < 4000; i++) {
        ck_assert_int_ge(told.id[i], 1);
        ck_assert_int_le(told.id[i], 4000);
        ck_assert_int_eq(seen[told.id[i]]++, 0);
    }
    ck_assert_int_eq(kit_info(k.queue).waiting, 4000);
    kit_end(&k);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "async");
    const TTest *both[] = {
        sync_commits_what_was_taken_in,
        a_blocking_push_commits_them_too,
        the_256th_commits_them,
        a_started_store_commits_them_by_itself,
        more_than_may_be_in_flight_are_pushed_all_the_same,
        the_job_is_copied,
        a_callback_is_optional,
        a_taken_key_is_told_with_its_holder_and_harms_no_other,
        a_refused_push_calls_nobody,
        a_callback_may_push_on_but_not_sync,
        pushes_of_many_threads_are_each_told_once,
    };

    KIT_BOTH(tc, both);
    tcase_add_test(tc, close_commits_them_and_tells);
}

int
main(void)
{
    return support_main("async", add);
}
