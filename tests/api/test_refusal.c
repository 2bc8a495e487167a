/* SPDX-License-Identifier: MIT */
/* test_refusal.c - what becomes of ends and claims when the store refuses the
 * exchange that would take them in. */
#include "api/kit.h"

#include <limits.h>
#include <string.h>

#include "engine/store.h"

static struct kit k;
static struct kit_tape tape;
static pawl_error err;

static const struct pawl__driver *real;
static struct pawl__driver fake;
static _Atomic int refusal;        /* what exchanges with settles answer */
static _Atomic long n_to_refuse;   /* so many of them */
static _Atomic long n_refused;     /* so many did */
static _Atomic bool stop_at_claim; /* the stop begins while a claim returns */
static _Atomic long n_stopped;
static _Atomic long n_warnings, n_errors;

static int
fake_exchange(void *self, struct pawl__exchange *x, pawl_error *e)
{
    int rc;

    if (x->n_settles > 0 && atomic_fetch_sub(&n_to_refuse, 1) > 0) {
        atomic_fetch_add(&n_refused, 1);
        return pawl__fail(e, atomic_load(&refusal), 0, "refused by the test");
    }
    rc = real->exchange(self, x, e);
    if (x->n_claims > 0 && atomic_exchange(&stop_at_claim, false)) {
        pawl__consumer_stop(&k.queue->consumer);
        atomic_store(&n_stopped, (long)x->n_claims);
    }
    return rc;
}

static void
count_lines(int level, const char *message, void *user)
{
    (void)user;
    if (strstr(message, "refused by the test") != NULL)
        atomic_fetch_add(level == PAWL_ERROR ? &n_errors : &n_warnings, 1);
}

static void
watch_store(void)
{
    real = k.store->driver;
    fake = *real;
    fake.exchange = fake_exchange;
    k.store->driver = &fake;
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &tape, &err));
}

static void
setup(int driver)
{
    atomic_store(&n_to_refuse, 0);
    kit_tape_init(&tape);
    kit_begin(&k, driver);
    k.options.log = count_lines;
    k.options.busy_timeout_ms = 20;
    kit_open(&k);
    watch_store();
}

START_TEST(refused_ends_are_kept_and_settled_when_the_store_takes_them)
{
    int64_t first, id;
    int i;

    setup(_i);
    atomic_store(&refusal, PAWL_BUSY);
    atomic_store(&n_to_refuse, 6);
    first = kit_push(k.queue, "t", "x");
    ok(pawl_start(k.store, &err));
    support_wait(&n_refused, 1);
    for (i = 0; i < 100; i++)
        (void)kit_push(k.queue, "t", "x");
    kit_drain(k.store);
    for (id = first; id <= first + 100; id++)
        ck_assert_int_eq(kit_state(k.store, id), 0); /* acked */
    ck_assert_int_eq(atomic_load(&tape.n), 101);     /* each once */
    ck_assert_int_ge(atomic_load(&n_warnings), 1);
    ck_assert_int_lt(atomic_load(&n_warnings), 6); /* not for each */
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

/* CORRUPT and its like will not get better: the pool ends its work, and says
 * so once. What it held runs again after the next start. */
START_TEST(a_final_refusal_ends_the_pool_and_the_next_start_runs_its_jobs)
{
    int64_t id;

    setup(_i);
    atomic_store(&refusal, PAWL_CORRUPT);
    atomic_store(&n_to_refuse, LONG_MAX);
    id = kit_push(k.queue, "t", "x");
    ok(pawl_start(k.store, &err));
    support_wait(&n_errors, 1);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(&n_errors), 1);
    ck_assert_int_ne(kit_state(k.store, id), 0);
    atomic_store(&n_to_refuse, 0);
    ok(pawl_start(k.store, &err));
    kit_wait_state(k.store, id, 0);
    ck_assert_int_eq(atomic_load(&tape.n), 2);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

START_TEST(close_gives_up_ends_that_are_refused_for_longer_than_busy_timeout)
{
    int64_t id;

    setup(KIT_SQLITE);
    atomic_store(&refusal, PAWL_BUSY);
    atomic_store(&n_to_refuse, LONG_MAX);
    id = kit_push(k.queue, "t", "x");
    ok(pawl_start(k.store, &err));
    support_wait(&n_refused, 2);
    pawl_close(k.store);
    atomic_store(&n_to_refuse, 0);
    kit_open(&k);
    watch_store();
    ok(pawl_start(k.store, &err));
    kit_wait_state(k.store, id, 0);
    ck_assert_int_eq(atomic_load(&tape.n), 2);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

START_TEST(what_a_claim_brings_after_the_stop_is_given_back)
{
    pawl_job_info *info;
    int64_t id;

    setup(_i);
    atomic_store(&stop_at_claim, true);
    id = kit_push(k.queue, "t", "x");
    ok(pawl_start(k.store, &err));
    support_wait(&n_stopped, 1);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    ok(pawl_get(k.store, id, &info, &err));
    ck_assert_int_eq(info->state, PAWL_WAITING);
    ck_assert_int_eq(info->attempts, 0);
    ck_assert_int_eq(info->abandons, 0);
    pawl_job_info_free(info);
    ck_assert_int_eq(atomic_load(&tape.n), 0);
    kit_end(&k);
}
END_TEST

static void
add(Suite *suite)
{
    const TTest *const both[] = {
        refused_ends_are_kept_and_settled_when_the_store_takes_them,
        a_final_refusal_ends_the_pool_and_the_next_start_runs_its_jobs,
        what_a_claim_brings_after_the_stop_is_given_back,
    };
    TCase *tc = kit_case(suite, "refusal");

    KIT_BOTH(tc, both);
    tcase_add_test(
        tc, close_gives_up_ends_that_are_refused_for_longer_than_busy_timeout);
}

int
main(void)
{
    return support_main("refusal", add);
}
