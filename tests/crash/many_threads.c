/* SPDX-License-Identifier: MIT */
/* many_threads.c - many threads push in every way, several stores work on the
 * same jobs, and others look, cancel and reload meanwhile; totals are exact. */
#include "api/kit.h"

#include <stdio.h>

#define N_PUSHERS 12
#define N_EACH 400 /* a multiple of 8 */
#define N_JOBS (N_PUSHERS * N_EACH)
#define N_STORES 3 /* that work on the file besides the one that pushes */

static struct kit k;
static pawl_error err;

static struct {
    _Atomic int runs[N_JOBS];
    _Atomic long n_runs, n_told, n_bad;
    _Atomic int looking;
    _Atomic int64_t id[N_JOBS];
} sum;

static int numbers[N_JOBS];

static int
run(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    int n = -1;

    (void)user;
    if (job->payload_bytes == sizeof n)
        memcpy(&n, job->payload, sizeof n);
    if (n < 0 || n >= N_JOBS) {
        atomic_fetch_add(&sum.n_bad, 1);
        return pawl_attempt_abort(attempt, "not one of ours");
    }
    atomic_fetch_add(&sum.runs[n], 1);
    atomic_fetch_add(&sum.n_runs, 1);
    return 0;
}

static void
told(int code, int64_t id, const pawl_error *e, void *user)
{
    (void)e;
    if (code != PAWL_OK)
        atomic_fetch_add(&sum.n_bad, 1);
    atomic_store(&sum.id[(const int *)user - numbers], id);
    atomic_fetch_add(&sum.n_told, 1);
}

static pawl_job
numbered(int n)
{
    pawl_job job = PAWL_JOB("t", &numbers[n], sizeof numbers[n]);

    numbers[n] = n;
    return job;
}

/* Eight jobs from number n on: two alone, three in one call, three that are
 * told later. */
static int
push_eight(int n)
{
    pawl_job many[3];
    pawl_job job;
    int64_t ids[3];
    int i, rc = PAWL_OK;

    for (i = 0; rc == PAWL_OK && i < 2; i++) {
        job = numbered(n + i);
        rc = pawl_push(k.queue, &job, &ids[0], NULL);
        atomic_store(&sum.id[n + i], ids[0]);
    }
    for (i = 0; i < 3; i++)
        many[i] = numbered(n + 2 + i);
    if (rc == PAWL_OK)
        rc = pawl_push_many(k.queue, many, 3, ids, NULL);
    for (i = 0; i < 3; i++)
        atomic_store(&sum.id[n + 2 + i], ids[i]);
    for (i = 5; rc == PAWL_OK && i < 8; i++) {
        job = numbered(n + i);
        rc = pawl_push_async(k.queue, &job, told, &numbers[n + i], NULL);
    }
    return rc;
}

static void *
pusher(void *arg)
{
    int first = *(int *)arg, i;

    for (i = 0; i < N_EACH; i += 8)
        if (push_eight(first + i) != PAWL_OK)
            return arg;
    return NULL;
}

static int
look_at(const pawl_job_info *info, void *user)
{
    (void)user;
    return info->id < 1;
}

static int
swallow(const char *text, size_t bytes, void *user)
{
    (void)text;
    (void)bytes;
    (void)user;
    return 0;
}

/* Looks at everything all the time; must never be refused. */
static void *
looker(void *arg)
{
    pawl_info info;
    int rc = PAWL_OK;

    (void)arg;
    info.struct_size = sizeof info;
    while (rc == PAWL_OK && atomic_load(&sum.looking) != 0) {
        rc = pawl_queue_info(k.queue, &info, NULL);
        if (rc == PAWL_OK)
            rc = pawl_list(k.store, NULL, look_at, NULL, NULL);
        if (rc == PAWL_OK)
            rc = pawl_prometheus(k.store, swallow, NULL, NULL);
        if (rc == PAWL_OK)
            rc = pawl_reload(k.store, NULL, PAWL_FAILED, NULL, NULL);
    }
    return rc == PAWL_OK ? NULL : &sum;
}

static void
push_from_many_threads(void)
{
    pthread_t threads[N_PUSHERS], watching;
    int first[N_PUSHERS], i;
    void *bad;

    atomic_store(&sum.looking, 1);
    ck_assert_int_eq(pthread_create(&watching, NULL, looker, NULL), 0);
    for (i = 0; i < N_PUSHERS; i++) {
        first[i] = i * N_EACH;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, pusher, &first[i]),
                         0);
    }
    for (i = 0; i < N_PUSHERS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &bad), 0);
        ck_assert_ptr_null(bad);
    }
    ok(pawl_sync(k.store, &err));
    ck_assert_int_eq(atomic_load(&sum.n_told), N_JOBS / 8 * 3);
    atomic_store(&sum.looking, 0);
    ck_assert_int_eq(pthread_join(watching, &bad), 0);
    ck_assert_ptr_null(bad);
}

static int
compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* Every job has an id of its own, and they are 1..N_JOBS. */
static void
ids_are_exact(void)
{
    static int64_t ids[N_JOBS];
    int i;

    for (i = 0; i < N_JOBS; i++)
        ids[i] = atomic_load(&sum.id[i]);
    qsort(ids, N_JOBS, sizeof ids[0], compare);
    for (i = 0; i < N_JOBS; i++)
        ck_assert_int_eq(ids[i], i + 1);
}

static void
runs_are_exact(void)
{
    int i;

    ck_assert_int_eq(atomic_load(&sum.n_bad), 0);
    for (i = 0; i < N_JOBS; i++)
        ck_assert_int_eq(atomic_load(&sum.runs[i]), 1);
    ck_assert_int_eq(atomic_load(&sum.n_runs), N_JOBS);
    ck_assert_int_eq(kit_total(k.queue), 0);
}

static void
setup(int driver)
{
    memset(&sum, 0, sizeof sum);
    kit_begin(&k, driver);
    k.options.clock = NULL;
    k.options.busy_timeout_ms = SUPPORT_DEADLINE_MS;
    kit_open(&k);
}

START_TEST(what_many_threads_push_one_store_runs_exactly_once)
{
    setup(_i);
    ok(pawl_listen(k.queue, "t", run, NULL, &err));
    ok(pawl_start(k.store, &err));
    push_from_many_threads();
    kit_drain(k.store);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    ids_are_exact();
    runs_are_exact();
    kit_end(&k);
}
END_TEST

START_TEST(what_many_threads_push_several_stores_run_exactly_once)
{
    pawl_store *stores[N_STORES];
    int i;

    setup(KIT_SQLITE);
    for (i = 0; i < N_STORES; i++) {
        ok(pawl_open(k.url, &k.options, &stores[i], &err));
        ok(pawl_listen(kit_queue(stores[i], "mail"), "t", run, NULL, &err));
        ok(pawl_start(stores[i], &err));
    }
    push_from_many_threads();
    for (i = 0; i < N_STORES; i++)
        kit_drain(stores[i]);
    for (i = 0; i < N_STORES; i++) {
        ok(pawl_stop(stores[i], SUPPORT_DEADLINE_MS, &err));
        pawl_close(stores[i]);
    }
    ids_are_exact();
    runs_are_exact();
    kit_end(&k);
}
END_TEST

START_TEST(what_many_threads_pushed_is_all_there_before_anything_runs)
{
    setup(_i);
    push_from_many_threads();
    ids_are_exact();
    ck_assert_int_eq(kit_info(k.queue).waiting, N_JOBS);
    kit_end(&k);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "many threads");
    const TTest *both[] = {
        what_many_threads_push_one_store_runs_exactly_once,
        what_many_threads_pushed_is_all_there_before_anything_runs,
    };

    KIT_BOTH(tc, both);
    tcase_add_test(tc, what_many_threads_push_several_stores_run_exactly_once);
}

int
main(void)
{
    return support_main("many threads", add);
}
