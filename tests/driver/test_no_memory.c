/* SPDX-License-Identifier: MIT */
/* test_no_memory.c - each allocation of the library fails once, in each call
 * of each driver: the call does all, or says NOMEM and does nothing; nothing
 * leaks, and the store works on. */
#include "driver/harness.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

static struct harness H;

#define h (&H)
#define err H.err
#define D (H.driver)
#define S (H.self)

/* One call of the driver; what it did is told by the tables. */
struct step {
    const char *name;
    int (*call)(void);
};

static int64_t ids[4];

static int
call_push(void)
{
    struct pawl__new_job jobs[3];
    size_t i;

    for (i = 0; i < 3; i++)
        jobs[i] = harness_job(h);
    jobs[1].unique_key = "k";
    jobs[2].ready_at_ms += 1000;
    return D->push(S, "new", jobs, 3, ids, NULL, &err);
}

static int
call_push_taken(void)
{
    struct pawl__new_job job = harness_job(h);
    size_t at = 9;
    int rc;

    job.unique_key = "held";
    rc = D->push(S, "q", &job, 1, ids, &at, &err);
    if (rc == PAWL_EXISTS)
        ck_assert_uint_eq(at, 0);
    return rc == PAWL_EXISTS ? PAWL_OK : rc;
}

static int async_code;

static void
async_done(void *user, int code, int64_t id, const pawl_error *e)
{
    (void)user;
    (void)id;
    (void)e;
    async_code = code;
}

static int
call_push_start(void)
{
    struct pawl__new_job job = harness_job(h);
    struct pawl__async async = {"q", &job, async_done, NULL};
    int rc;

    async_code = PAWL_OK;
    rc = D->push_start(S, &async, &err);
    if (rc == PAWL_OK)
        rc = D->sync(S, &err);
    return rc == PAWL_OK ? async_code : rc;
}

static int
call_claim(void)
{
    struct pawl__record *claims[4];
    struct pawl__exchange x;
    size_t i;
    int rc;

    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.worker = h->worker;
    x.want = 4;
    x.claims = claims;
    rc = D->exchange(S, &x, &err);
    for (i = 0; rc == PAWL_OK && i < x.n_claims; i++)
        pawl__record_free(claims[i]);
    return rc;
}

static struct pawl__record *held;

static int
call_settle(void)
{
    struct pawl__settle settle = {
        held->info.id, held->token, PAWL__FAIL, 0, "a reason", 0};
    struct pawl__exchange x;

    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.settles = &settle;
    x.n_settles = 1;
    return D->exchange(S, &x, &err);
}

static int
call_sweep(void)
{
    struct pawl__sweep sweep;
    int rc;

    memset(&sweep, 0, sizeof sweep);
    rc = D->sweep(S, &sweep, &err);
    pawl__free(sweep.rescued);
    return rc;
}

static int
call_get(void)
{
    struct pawl__record *record = NULL;
    int rc = D->get(S, 1, &record, &err);

    if (rc == PAWL_OK)
        pawl__record_free(record);
    else
        ck_assert_ptr_null(record);
    return rc;
}

static int
call_list(void)
{
    struct pawl__record *records[8];
    pawl_filter filter = PAWL_FILTER_INIT;
    struct pawl__list list = {&filter, records, 0};
    size_t i;
    int rc;

    filter.limit = 8;
    filter.states = PAWL_ANY_STATE;
    rc = D->list(S, &list, &err);
    if (rc != PAWL_OK)
        ck_assert_uint_eq(list.n_records, 0);
    for (i = 0; i < list.n_records; i++)
        pawl__record_free(records[i]);
    return rc;
}

static int
call_queues(void)
{
    char **names = NULL;
    size_t n;
    int rc = D->queues(S, &names, &n, &err);

    pawl__free(names);
    return rc;
}

static int
call_set(void)
{
    return D->set(S, "another", &pawl__settings[0], 1, false, &err);
}

static int
call_worker(void)
{
    int64_t worker;

    D->worker_stop(S);
    h->worker = 0;
    return D->worker_start(S, 4, &worker, &err);
}

static const struct step steps[] = {
    {"push", call_push},
    {"a key that is held", call_push_taken},
    {"push_start", call_push_start},
    {"claim", call_claim},
    {"settle", call_settle},
    {"sweep", call_sweep},
    {"get", call_get},
    {"list", call_list},
    {"queues", call_queues},
    {"set", call_set},
    {"worker_start", call_worker},
};

#define N_STEPS ((int)(sizeof steps / sizeof steps[0]))

/* Three jobs of queue q, one with a key, one in hand. */
static void
prepare(int driver)
{
    struct pawl__new_job job;

    harness_open(h, driver);
    harness_work(h);
    job = harness_job(h);
    (void)harness_push(h, "q", &job);
    held = harness_claim_one(h, "q");
    (void)harness_push(h, "q", &job);
    job.unique_key = "held";
    (void)harness_push(h, "q", &job);
}

static int64_t
count_jobs(const char *queue)
{
    pawl_info info = harness_info(h, queue);

    return info.waiting + info.delayed + info.reserved + info.failed;
}

/* The nth allocation of the step fails. False: it makes fewer. */
static bool
life(const struct step *step, int driver, long n)
{
    int64_t before[2], after[2];
    bool met;
    int rc;

    prepare(driver);
    before[0] = count_jobs("q");
    before[1] = count_jobs("new");
    (void)pawl__alloc_fail_at(n, 0);
    rc = step->call();
    met = pawl__alloc_fail_at(0, 0) >= n;
    after[0] = count_jobs("q");
    after[1] = count_jobs("new");
    if (rc != PAWL_OK) {
        ck_assert_msg(rc == PAWL_NOMEM, "%s, allocation %ld: %s", step->name, n,
                      err.message);
        ck_assert_int_eq(before[0], after[0]);
        ck_assert_int_eq(before[1], after[1]);
        ok(step->call()); /* nothing was left half done */
    }
    pawl__record_free(held);
    harness_close(h);
    return met;
}

START_TEST(each_allocation_of_a_call_fails)
{
    const struct step *step = &steps[_i % N_STEPS];
    long n, live = pawl__alloc_live();

    for (n = 1; life(step, _i / N_STEPS, n); n++)
        ck_assert_msg(pawl__alloc_live() == live,
                      "%s leaks when allocation "
                      "%ld fails",
                      step->name, n);
    ck_assert_int_gt(n, 0);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("no memory");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, each_allocation_of_a_call_fails, 0,
                        HARNESS_N_DRIVERS * N_STEPS);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("no memory", add);
}
