/* SPDX-License-Identifier: MIT */
/* test_conformance.c - the contract of driver.h, on every driver. */
#include "harness.h"

#include <pthread.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/point.h"
#include "base/thread.h"

static struct harness H;
#define h (&H)
#define err H.err
#define D (H.driver)
#define S (H.self)

static void
end_test(void)
{
    harness_close(h);
}

/* The loop's index is the driver; a checked fixture does not get it. */
#define ON_EACH_DRIVER(name_)       \
    static void name_##_body(void); \
    START_TEST(name_)               \
    {                               \
        harness_open(h, _i);        \
        name_##_body();             \
        end_test();                 \
    }                               \
    END_TEST                        \
    static void name_##_body(void)

static int64_t
now(void)
{
    return atomic_load(&H.clock.wall);
}

static int64_t
push(void)
{
    struct pawl__new_job job = harness_job(h);

    return harness_push(h, "q", &job);
}

/* Push one job, claim it, and hand over the claim. */
static struct pawl__record *
push_and_claim(void)
{
    (void)push();
    return harness_claim_one(h, "q");
}

/* ---------------------------------------------------------------- push, ids */

ON_EACH_DRIVER(ids_rise_from_one)
{
    ck_assert_int_eq(push(), 1);
    ck_assert_int_eq(push(), 2);
    ck_assert_int_eq(harness_push_n(h, "other", "t", 3), 3);
    ck_assert_int_eq(push(), 6);
}

ON_EACH_DRIVER(the_id_of_an_acked_newest_job_is_not_used_again)
{
    struct pawl__record *r = push_and_claim();

    ck_assert_int_eq(harness_settle(h, r, PAWL__ACK, 0, NULL), PAWL_OK);
    pawl__record_free(r);
    ck_assert_int_eq(push(), 2);
    r = harness_claim_one(h, "q");
    ck_assert_int_eq(harness_settle(h, r, PAWL__ACK, 0, NULL), PAWL_OK);
    pawl__record_free(r);
    if (D == &pawl__sqlite_driver)
        harness_reopen(h);
    ck_assert_int_eq(push(), 3);
}

ON_EACH_DRIVER(ids_of_flushed_jobs_are_not_used_again)
{
    struct pawl__move m;

    (void)harness_push_n(h, "q", "t", 5);
    memset(&m, 0, sizeof m);
    m.kind = PAWL__MOVE_FLUSH;
    m.states = PAWL_WAITING;
    do
        ok(D->move(S, &m, &err));
    while (m.more);
    ck_assert_int_eq(harness_info(h, "q").waiting, 0);
    ck_assert_int_eq(push(), 6);
}

ON_EACH_DRIVER(a_payload_comes_back_byte_for_byte)
{
    struct pawl__new_job job = harness_job(h);
    struct pawl__record *r;

    job.payload = "a\0b\xff";
    job.payload_bytes = 4;
    (void)harness_push(h, "q", &job);
    r = harness_claim_one(h, "q");
    ck_assert_uint_eq(r->info.job.payload_bytes, 4);
    ck_assert_mem_eq(r->info.job.payload, "a\0b\xff", 4);
    pawl__record_free(r);
    job.payload = NULL;
    job.payload_bytes = 0;
    (void)harness_push(h, "q", &job);
    r = harness_claim_one(h, "q");
    ck_assert_uint_eq(r->info.job.payload_bytes, 0);
    ck_assert_ptr_nonnull(r->info.job.payload);
    pawl__record_free(r);
}

ON_EACH_DRIVER(a_record_says_what_was_pushed)
{
    struct pawl__new_job job = harness_job(h);
    struct pawl__record *r;

    job.max_attempts = 7;
    job.timeout_ms = 1234;
    job.priority = -5;
    job.unique_key = "k";
    job.backoff_floor_ms = 11;
    job.backoff_ceiling_ms = 22;
    job.backoff_factor_percent = 150;
    job.backoff_jitter_percent = PAWL_NONE;
    ok(D->get(S, harness_push(h, "q", &job), &r, &err));
    ck_assert_int_eq(r->info.job.max_attempts, 7);
    ck_assert_int_eq(r->info.job.timeout_ms, 1234);
    ck_assert_int_eq(r->info.job.priority, -5);
    ck_assert_str_eq(r->info.job.unique_key, "k");
    ck_assert_int_eq(r->info.job.backoff_floor_ms, 11);
    ck_assert_int_eq(r->info.job.backoff_ceiling_ms, 22);
    ck_assert_int_eq(r->info.job.backoff_factor_percent, 150);
    ck_assert_int_eq(r->info.job.backoff_jitter_percent, PAWL_NONE);
    ck_assert_int_eq(r->info.pushed_at_ms, now());
    ck_assert_str_eq(r->info.queue, "q");
    ck_assert_int_eq(r->info.state, PAWL_WAITING);
    pawl__record_free(r);
}

ON_EACH_DRIVER(unset_options_come_from_the_queue)
{
    struct pawl__record *r;
    int64_t id = push();

    harness_set(h, "q", "max_attempts", "9");
    harness_set(h, "q", "timeout_ms", "5s");
    ok(D->get(S, id, &r, &err));
    ck_assert_int_eq(r->info.job.max_attempts, 9);
    ck_assert_int_eq(r->info.job.timeout_ms, 5000);
    ck_assert_int_eq(r->info.job.backoff_ceiling_ms, 600000);
    pawl__record_free(r);
}

/* ------------------------------------------------------------------- claim */

ON_EACH_DRIVER(claims_go_by_priority_then_ready_time_then_id)
{
    static const int priority[] = {0, 5, 0, 5, -1, 0};
    static const int ready[] = {-5, -1, -9, -1, -99, -5};
    struct pawl__new_job job;
    int i;

    for (i = 0; i < 6; i++) {
        job = harness_job(h);
        job.priority = priority[i];
        job.ready_at_ms = now() + ready[i];
        (void)harness_push(h, "q", &job);
    }
    ck_assert_str_eq(harness_claim_ids(h, "q", "t", 10), "2 4 3 1 6 5");
}

ON_EACH_DRIVER(order_holds_over_several_types)
{
    struct pawl__new_job job = harness_job(h);
    int i;

    for (i = 0; i < 6; i++) {
        job.type = i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c";
        job.priority = i == 4;
        (void)harness_push(h, "q", &job);
    }
    ck_assert_str_eq(harness_claim_ids(h, "q", NULL, 3), "5 1 2");
    ck_assert_str_eq(harness_claim_ids(h, "q", NULL, 9), "3 4 6");
}

ON_EACH_DRIVER(a_claim_takes_only_types_it_names)
{
    (void)harness_push_n(h, "q", "foreign", 20000);
    (void)harness_push_n(h, "q", "mine", 1);
    ck_assert_str_eq(harness_claim_ids(h, "q", "mine", 10), "20001");
    ck_assert_str_eq(harness_claim_ids(h, "q", "none", 10), "");
}

ON_EACH_DRIVER(a_job_is_claimed_once)
{
    (void)harness_push_n(h, "q", "t", 3);
    ck_assert_str_eq(harness_claim_ids(h, "q", "t", 2), "1 2");
    ck_assert_str_eq(harness_claim_ids(h, "q", "t", 2), "3");
    ck_assert_str_eq(harness_claim_ids(h, "q", "t", 2), "");
    ck_assert_int_eq(harness_state(h, 1), PAWL_RESERVED);
}

ON_EACH_DRIVER(queues_do_not_meet)
{
    (void)harness_push_n(h, "a", "t", 1);
    (void)harness_push_n(h, "b", "t", 1);
    ck_assert_str_eq(harness_claim_ids(h, "b", "t", 9), "2");
    ck_assert_int_eq(harness_info(h, "a").waiting, 1);
    ck_assert_int_eq(harness_info(h, "a").reserved, 0);
}

ON_EACH_DRIVER(a_paused_queue_gives_nothing)
{
    (void)push();
    harness_set(h, "q", "paused", "1");
    ck_assert_str_eq(harness_claim_ids(h, "q", "t", 9), "");
    ck_assert_int_eq(harness_info(h, "q").paused, 1);
    harness_set(h, "q", "paused", "default");
    ck_assert_str_eq(harness_claim_ids(h, "q", "t", 9), "1");
}

ON_EACH_DRIVER(tokens_differ_from_attempt_to_attempt)
{
    struct pawl__record *a = push_and_claim(), *b;

    ck_assert_int_ne(a->token, 0);
    ck_assert_int_eq(harness_settle(h, a, PAWL__RELEASE, 0, NULL), PAWL_OK);
    b = harness_claim_one(h, "q");
    ck_assert_int_eq(b->info.id, a->info.id);
    ck_assert_int_ne(b->token, a->token);
    ck_assert_int_eq(b->info.worker, H.worker);
    pawl__record_free(a);
    pawl__record_free(b);
}

/* ----------------------------------------------------------------- delayed */

ON_EACH_DRIVER(a_delayed_job_waits_for_its_time_to_the_millisecond)
{
    struct pawl__new_job job = harness_job(h);

    job.ready_at_ms = now() + 1000;
    (void)harness_push(h, "q", &job);
    ck_assert_int_eq(harness_state(h, 1), PAWL_DELAYED);
    support_clock_pass(&H.clock, 999);
    ck_assert_str_eq(harness_claim_ids(h, "q", "t", 1), "");
    support_clock_pass(&H.clock, 1);
    ck_assert_str_eq(harness_claim_ids(h, "q", "t", 1), "1");
}

ON_EACH_DRIVER(a_claim_says_when_the_next_job_is_due)
{
    struct pawl__new_job job = harness_job(h);
    struct pawl__record *r;
    struct pawl__exchange x;

    harness_work(h);
    job.ready_at_ms = now() + 500;
    (void)harness_push(h, "other", &job);
    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.worker = H.worker;
    x.want = 1;
    x.claims = &r;
    ok(D->exchange(S, &x, &err));
    ck_assert_int_eq(x.next_at_ms, now() + 500);
    ck_assert(!x.promoted_others);
    support_clock_pass(&H.clock, 500);
    ok(D->exchange(S, &x, &err));
    ck_assert(x.promoted_others);
    ck_assert_int_eq(x.next_at_ms, PAWL__NEVER);
    ck_assert_int_eq(harness_state(h, 1), PAWL_WAITING);
}

ON_EACH_DRIVER(promoted_jobs_keep_the_order_of_their_times)
{
    struct pawl__new_job job = harness_job(h);
    int i;

    for (i = 0; i < 5; i++) {
        job.ready_at_ms = now() + 500 - i * 100;
        (void)harness_push(h, "q", &job);
    }
    support_clock_pass(&H.clock, 1000);
    (void)push(); /* became ready last */
    ck_assert_str_eq(harness_claim_ids(h, "q", "t", 9), "5 4 3 2 1 6");
}

ON_EACH_DRIVER(a_clock_that_steps_back_holds_up_no_waiting_job)
{
    (void)push();
    support_clock_jump(&H.clock, -10LL * 365 * 86400000);
    ck_assert_str_eq(harness_claim_ids(h, "q", "t", 9), "1");
}

ON_EACH_DRIVER(a_sweep_promotes_many_due_jobs)
{
    struct pawl__new_job job = harness_job(h);
    struct pawl__sweep sweep;
    int i, n = 0;

    for (i = 0; i < 600; i++) {
        job.ready_at_ms = now() + 10;
        (void)harness_push(h, "q", &job);
    }
    support_clock_pass(&H.clock, 10);
    do {
        ok(D->sweep(S, &sweep, &err));
        n += (int)sweep.n_promoted;
        pawl__free(sweep.rescued);
    } while (sweep.next_at_ms <= now());
    ck_assert_int_eq(n, 600);
    ck_assert_int_eq(harness_info(h, "q").waiting, 600);
}

/* ------------------------------------------------------------------ settle */

ON_EACH_DRIVER(an_acked_job_is_gone)
{
    struct pawl__record *r = push_and_claim();

    ck_assert_int_eq(harness_settle(h, r, PAWL__ACK, 0, "res"), PAWL_OK);
    ck_assert_int_eq(harness_state(h, 1), 0);
    ck_assert_str_eq(harness_claim_ids(h, "q", NULL, 9), "");
    pawl__record_free(r);
}

ON_EACH_DRIVER(a_queue_with_retention_keeps_done_jobs_and_their_result)
{
    struct pawl__record *r;

    harness_set(h, "q", "retention_s", "1h");
    r = push_and_claim();
    support_clock_pass(&H.clock, 5);
    ck_assert_int_eq(harness_settle(h, r, PAWL__ACK, 0, "res"), PAWL_OK);
    pawl__record_free(r);
    ok(D->get(S, 1, &r, &err));
    ck_assert_int_eq(r->info.state, PAWL_DONE);
    ck_assert_str_eq(r->info.result, "res");
    ck_assert_int_eq(r->info.finished_at_ms, now());
    ck_assert_int_eq(r->info.worker, 0);
    pawl__record_free(r);
}

ON_EACH_DRIVER(a_retry_counts_and_comes_back_at_its_time)
{
    struct pawl__record *r = push_and_claim();

    ck_assert_int_eq(harness_settle(h, r, PAWL__RETRY, now() + 50, "why"),
                     PAWL_OK);
    pawl__record_free(r);
    ok(D->get(S, 1, &r, &err));
    ck_assert_int_eq(r->info.state, PAWL_DELAYED);
    ck_assert_int_eq(r->info.attempts, 1);
    ck_assert_str_eq(r->info.error, "why");
    pawl__record_free(r);
    support_clock_pass(&H.clock, 50);
    r = harness_claim_one(h, "q");
    ck_assert_int_eq(r->info.attempts, 1);
    pawl__record_free(r);
}

ON_EACH_DRIVER(a_retry_that_is_due_at_once_waits)
{
    struct pawl__record *r = push_and_claim();

    ck_assert_int_eq(harness_settle(h, r, PAWL__RETRY, now(), NULL), PAWL_OK);
    pawl__record_free(r);
    ck_assert_int_eq(harness_state(h, 1), PAWL_WAITING);
}

ON_EACH_DRIVER(fail_and_timeout_end_in_their_state)
{
    struct pawl__record *r = push_and_claim();

    ck_assert_int_eq(harness_settle(h, r, PAWL__FAIL, 0, "bad"), PAWL_OK);
    pawl__record_free(r);
    r = push_and_claim();
    ck_assert_int_eq(harness_settle(h, r, PAWL__TIMEOUT, 0, "slow"), PAWL_OK);
    pawl__record_free(r);
    ok(D->get(S, 1, &r, &err));
    ck_assert_int_eq(r->info.state, PAWL_FAILED);
    ck_assert_int_eq(r->info.attempts, 1);
    ck_assert_str_eq(r->info.error, "bad");
    ck_assert_int_eq(r->info.finished_at_ms, now());
    pawl__record_free(r);
    ok(D->get(S, 2, &r, &err));
    ck_assert_int_eq(r->info.state, PAWL_TIMEOUT);
    pawl__record_free(r);
}

ON_EACH_DRIVER(snooze_and_release_count_nothing)
{
    struct pawl__record *r = push_and_claim();

    ck_assert_int_eq(harness_settle(h, r, PAWL__SNOOZE, now() + 5, NULL),
                     PAWL_OK);
    pawl__record_free(r);
    ck_assert_int_eq(harness_state(h, 1), PAWL_DELAYED);
    support_clock_pass(&H.clock, 5);
    r = harness_claim_one(h, "q");
    ck_assert_int_eq(r->info.attempts, 0);
    ck_assert_int_eq(harness_settle(h, r, PAWL__RELEASE, 0, NULL), PAWL_OK);
    pawl__record_free(r);
    r = harness_claim_one(h, "q");
    ck_assert_int_eq(r->info.attempts, 0);
    ck_assert_int_eq(r->info.abandons, 0);
    pawl__record_free(r);
}

ON_EACH_DRIVER(a_stale_attempt_cannot_settle_in_any_way)
{
    static const enum pawl__outcome outcomes[] = {PAWL__ACK,    PAWL__RETRY,
                                                  PAWL__FAIL,   PAWL__TIMEOUT,
                                                  PAWL__SNOOZE, PAWL__RELEASE};
    struct pawl__record *old = push_and_claim(), *current;
    size_t i;

    ck_assert_int_eq(harness_settle(h, old, PAWL__RELEASE, 0, NULL), PAWL_OK);
    current = harness_claim_one(h, "q");
    for (i = 0; i < 6; i++) {
        ck_assert_int_eq(harness_settle(h, old, outcomes[i], now() + 9, "x"),
                         PAWL_STALE);
        ck_assert_int_eq(harness_state(h, 1), PAWL_RESERVED);
    }
    ck_assert_int_eq(harness_settle(h, current, PAWL__ACK, 0, NULL), PAWL_OK);
    ck_assert_int_eq(harness_settle(h, current, PAWL__ACK, 0, NULL),
                     PAWL_STALE);
    pawl__record_free(old);
    pawl__record_free(current);
}

ON_EACH_DRIVER(one_exchange_settles_and_claims)
{
    struct pawl__record *r[2] = {NULL, NULL}, *next[2];
    struct pawl__settle settles[2];
    struct pawl__exchange x;
    int i;

    (void)harness_push_n(h, "q", "t", 3);
    ck_assert_uint_eq(harness_claim(h, "q", "t", 2, r), 2);
    memset(settles, 0, sizeof settles);
    for (i = 0; i < 2; i++) {
        settles[i].job = r[i]->info.id;
        settles[i].token = r[i]->token;
        settles[i].outcome = i == 0 ? PAWL__ACK : PAWL__RELEASE;
        pawl__record_free(r[i]);
    }
    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.worker = H.worker;
    x.settles = settles;
    x.n_settles = 2;
    x.want = 2;
    x.claims = next;
    ok(D->exchange(S, &x, &err));
    ck_assert_uint_eq(x.n_claims, 2);
    ck_assert_int_eq(next[0]->info.id, 2); /* the one just released */
    ck_assert_int_eq(next[1]->info.id, 3);
    ck_assert_int_eq(harness_state(h, 1), 0);
    pawl__record_free(next[0]);
    pawl__record_free(next[1]);
}

ON_EACH_DRIVER(check_tells_current_attempts_from_stale_ones)
{
    struct pawl__record *r = push_and_claim();
    struct pawl__settle pairs[2];
    bool held[2];

    memset(pairs, 0, sizeof pairs);
    pairs[0].job = pairs[1].job = r->info.id;
    pairs[0].token = r->token;
    pairs[1].token = r->token ^ 1;
    ok(D->check(S, pairs, 2, held, &err));
    ck_assert(held[0]);
    ck_assert(!held[1]);
    pawl__record_free(r);
}

/* -------------------------------------------------------------- unique keys */

static int
push_key(const char *key, int64_t until, int64_t *id)
{
    struct pawl__new_job job = harness_job(h);

    job.unique_key = key;
    job.unique_until_at_ms = until;
    return D->push(S, "q", &job, 1, id, NULL, &err);
}

ON_EACH_DRIVER(a_live_job_holds_its_key)
{
    struct pawl__record *r;
    int64_t id;

    ok(push_key("k", 0, &id));
    fails(PAWL_EXISTS, push_key("k", 0, &id));
    ck_assert_int_eq(id, 1);
    r = harness_claim_one(h, "q");
    fails(PAWL_EXISTS, push_key("k", 0, &id)); /* reserved */
    ck_assert_int_eq(harness_settle(h, r, PAWL__RETRY, now() + 9, NULL),
                     PAWL_OK);
    fails(PAWL_EXISTS, push_key("k", 0, &id)); /* backing off */
    pawl__record_free(r);
    support_clock_pass(&H.clock, 9);
    r = harness_claim_one(h, "q");
    ck_assert_int_eq(harness_settle(h, r, PAWL__ACK, 0, NULL), PAWL_OK);
    pawl__record_free(r);
    ok(push_key("k", 0, &id));
    ck_assert_int_eq(id, 2);
}

ON_EACH_DRIVER(keys_of_two_queues_do_not_meet)
{
    struct pawl__new_job job = harness_job(h);
    int64_t id;

    ok(push_key("k", 0, &id));
    job.unique_key = "k";
    (void)harness_push(h, "other", &job);
}

ON_EACH_DRIVER(failed_and_cancelled_jobs_let_their_key_go)
{
    struct pawl__record *r;
    char queue[65];
    int64_t id;

    ok(push_key("k", 0, &id));
    r = harness_claim_one(h, "q");
    ck_assert_int_eq(harness_settle(h, r, PAWL__FAIL, 0, NULL), PAWL_OK);
    pawl__record_free(r);
    ok(push_key("k", 0, &id));
    ok(D->cancel(S, id, queue, &err));
    ck_assert_str_eq(queue, "q");
    ok(push_key("k", 0, &id));
}

ON_EACH_DRIVER(a_key_is_held_for_its_time_after_the_end)
{
    struct pawl__record *r;
    int64_t id;

    ok(push_key("k", now() + 100, &id));
    r = harness_claim_one(h, "q");
    ck_assert_int_eq(harness_settle(h, r, PAWL__ACK, 0, NULL), PAWL_OK);
    pawl__record_free(r);
    ck_assert_int_eq(harness_state(h, 1), 0);
    ck_assert_int_eq(harness_info(h, "q").done, 0);
    support_clock_pass(&H.clock, 99);
    fails(PAWL_EXISTS, push_key("k", 0, &id));
    ck_assert_int_eq(id, 1);
    support_clock_pass(&H.clock, 1);
    ok(push_key("k", 0, &id));
    ck_assert_int_eq(id, 2);
}

ON_EACH_DRIVER(a_batch_with_a_taken_key_is_refused_whole)
{
    struct pawl__new_job jobs[3] = {harness_job(h), harness_job(h),
                                    harness_job(h)};
    int64_t ids[3], id;
    size_t failed_at = 9;

    ok(push_key("k", 0, &id));
    jobs[1].unique_key = "k";
    fails(PAWL_EXISTS, D->push(S, "q", jobs, 3, ids, &failed_at, &err));
    ck_assert_uint_eq(failed_at, 1);
    ck_assert_int_eq(ids[0], 1);
    ck_assert_int_eq(harness_info(h, "q").waiting, 1);
    ck_assert_int_eq(push(), 2); /* no id was spent on it */
}

/* ---------------------------------------------------------- change by hand */

ON_EACH_DRIVER(cancel_works_on_live_jobs_only)
{
    struct pawl__new_job job = harness_job(h);
    struct pawl__record *r = push_and_claim();
    char queue[65];

    ok(D->cancel(S, 1, queue, &err)); /* reserved */
    ck_assert_int_eq(harness_state(h, 1), PAWL_CANCELLED);
    ck_assert_int_eq(harness_settle(h, r, PAWL__ACK, 0, NULL), PAWL_STALE);
    pawl__record_free(r);
    fails(PAWL_NOT_FOUND, D->cancel(S, 1, queue, &err));
    fails(PAWL_NOT_FOUND, D->cancel(S, 99, queue, &err));
    job.ready_at_ms += 1000;
    ok(D->cancel(S, harness_push(h, "q", &job), queue, &err)); /* delayed */
    ok(D->cancel(S, push(), queue, &err));                     /* waiting */
    ck_assert_int_eq(harness_info(h, "q").cancelled, 3);
    ck_assert_str_eq(harness_claim_ids(h, "q", NULL, 9), "");
}

ON_EACH_DRIVER(retry_puts_one_job_back_with_its_count)
{
    struct pawl__record *r = push_and_claim();

    fails(PAWL_NOT_FOUND, D->retry(S, 1, &err)); /* reserved */
    ck_assert_int_eq(harness_settle(h, r, PAWL__FAIL, 0, "e"), PAWL_OK);
    pawl__record_free(r);
    ok(D->retry(S, 1, &err));
    r = harness_claim_one(h, "q");
    ck_assert_int_eq(r->info.attempts, 1);
    ck_assert_int_eq(r->info.finished_at_ms, 0);
    ck_assert_int_eq(harness_settle(h, r, PAWL__SNOOZE, now() + 99, NULL),
                     PAWL_OK);
    pawl__record_free(r);
    ok(D->retry(S, 1, &err)); /* delayed */
    ck_assert_int_eq(harness_state(h, 1), PAWL_WAITING);
    fails(PAWL_NOT_FOUND, D->retry(S, 1, &err));
    fails(PAWL_NOT_FOUND, D->retry(S, 99, &err));
}

ON_EACH_DRIVER(retry_is_refused_while_another_holds_the_key)
{
    struct pawl__record *r;
    int64_t id;

    ok(push_key("k", 0, &id));
    r = harness_claim_one(h, "q");
    ck_assert_int_eq(harness_settle(h, r, PAWL__FAIL, 0, NULL), PAWL_OK);
    pawl__record_free(r);
    ok(push_key("k", 0, &id));
    fails(PAWL_EXISTS, D->retry(S, 1, &err));
    ck_assert_int_eq(harness_state(h, 1), PAWL_FAILED);
}

static int64_t
move_all(enum pawl__move_kind kind, const char *queue, unsigned states)
{
    struct pawl__move m;
    int64_t n = 0;
    int steps = 0;

    memset(&m, 0, sizeof m);
    m.kind = kind;
    m.queue = queue;
    m.states = states;
    do {
        ok(D->move(S, &m, &err));
        n += m.n;
        ck_assert_int_lt(++steps, 1000);
    } while (m.more);
    return n;
}

static void
fail_n(const char *queue, int n)
{
    struct pawl__record *r;

    (void)harness_push_n(h, queue, "t", n);
    while (n-- > 0) {
        r = harness_claim_one(h, queue);
        ck_assert_int_eq(harness_settle(h, r, PAWL__FAIL, 0, "e"), PAWL_OK);
        pawl__record_free(r);
    }
}

ON_EACH_DRIVER(reload_moves_all_of_a_queue)
{
    fail_n("a", 1100); /* several steps */
    fail_n("b", 3);
    ck_assert_int_eq(move_all(PAWL__MOVE_RELOAD, "a", PAWL_FAILED), 1100);
    ck_assert_int_eq(harness_info(h, "a").waiting, 1100);
    ck_assert_int_eq(harness_info(h, "b").failed, 3);
    ck_assert_int_eq(move_all(PAWL__MOVE_RELOAD, "a", PAWL_FAILED), 0);
    ck_assert_int_eq(
        move_all(PAWL__MOVE_RELOAD, NULL, PAWL_FAILED | PAWL_TIMEOUT), 3);
}

ON_EACH_DRIVER(reload_leaves_jobs_whose_key_is_taken)
{
    struct pawl__record *r;
    int64_t id;
    int i;

    for (i = 0; i < 3; i++) {
        ok(push_key("k", 0, &id));
        r = harness_claim_one(h, "q");
        ck_assert_int_eq(harness_settle(h, r, PAWL__FAIL, 0, NULL), PAWL_OK);
        pawl__record_free(r);
    }
    ck_assert_int_eq(move_all(PAWL__MOVE_RELOAD, NULL, PAWL_FAILED), 1);
    ck_assert_int_eq(harness_info(h, "q").failed, 2);
}

ON_EACH_DRIVER(flush_deletes_what_it_names_and_no_claimed_job)
{
    struct pawl__new_job job = harness_job(h);

    fail_n("q", 2);
    (void)harness_push_n(h, "q", "t", 3);
    ck_assert_str_eq(harness_claim_ids(h, "q", NULL, 1), "3");
    job.ready_at_ms += 50;
    (void)harness_push(h, "q", &job);
    ck_assert_int_eq(move_all(PAWL__MOVE_FLUSH, "q", PAWL_FAILED), 2);
    ck_assert_int_eq(
        move_all(PAWL__MOVE_FLUSH, NULL, PAWL_WAITING | PAWL_DELAYED), 3);
    ck_assert_int_eq(harness_info(h, "q").reserved, 1);
    ck_assert_int_eq(harness_state(h, 3), PAWL_RESERVED);
}

/* -------------------------------------------------------------------- look */

static const char *
list_ids(const pawl_filter *filter)
{
    static char text[1024];
    struct pawl__record *records[64];
    struct pawl__list list;
    pawl_filter checked;
    size_t i, at = 0;

    ok(pawl__filter_check(filter, &checked, &err));
    memset(&list, 0, sizeof list);
    checked.limit = checked.limit > 64 ? 64 : checked.limit;
    list.filter = &checked;
    list.records = records;
    ok(D->list(S, &list, &err));
    text[0] = '\0';
    for (i = 0; i < list.n_records; i++) {
        at +=
            (size_t)snprintf(text + at, sizeof text - at, "%s%lld",
                             i > 0 ? " " : "", (long long)records[i]->info.id);
        pawl__record_free(records[i]);
    }
    return text;
}

ON_EACH_DRIVER(lists_filter_and_page)
{
    pawl_filter f = PAWL_FILTER_INIT;

    fail_n("a", 2);                       /* 1 2 */
    (void)harness_push_n(h, "b", "x", 2); /* 3 4 */
    (void)harness_push_n(h, "a", "y", 2); /* 5 6 */
    ck_assert_str_eq(harness_claim_ids(h, "b", "x", 1), "3");
    ck_assert_str_eq(list_ids(&f), "1 2 3 4 5 6");
    f.newest_first = 1;
    f.limit = 2;
    ck_assert_str_eq(list_ids(&f), "6 5");
    f.after_id = 5;
    ck_assert_str_eq(list_ids(&f), "4 3");
    memset(&f, 0, sizeof f);
    f.struct_size = sizeof f;
    f.queue = "a";
    ck_assert_str_eq(list_ids(&f), "1 2 5 6");
    f.states = PAWL_FAILED;
    ck_assert_str_eq(list_ids(&f), "1 2");
    f.after_id = 1;
    ck_assert_str_eq(list_ids(&f), "2");
    memset(&f, 0, sizeof f);
    f.struct_size = sizeof f;
    f.type = "x";
    ck_assert_str_eq(list_ids(&f), "3 4");
    f.states = PAWL_RESERVED;
    ck_assert_str_eq(list_ids(&f), "3");
    f.newest_first = 1;
    ck_assert_str_eq(list_ids(&f), "3");
    f.states = PAWL_RESERVED | PAWL_WAITING;
    ck_assert_str_eq(list_ids(&f), "4 3");
}

ON_EACH_DRIVER(info_counts_each_state_once)
{
    struct pawl__new_job job = harness_job(h);
    struct pawl__record *r;
    char queue[65];
    pawl_info info;

    harness_set(h, "q", "retention_s", "-1");
    fail_n("q", 1);
    r = push_and_claim();
    ck_assert_int_eq(harness_settle(h, r, PAWL__ACK, 0, NULL), PAWL_OK);
    pawl__record_free(r);
    r = push_and_claim();
    ck_assert_int_eq(harness_settle(h, r, PAWL__TIMEOUT, 0, NULL), PAWL_OK);
    pawl__record_free(r);
    ok(D->cancel(S, push(), queue, &err));
    r = push_and_claim();
    pawl__record_free(r);
    support_clock_pass(&H.clock, 7);
    (void)push();
    support_clock_pass(&H.clock, 7);
    (void)push();
    job.ready_at_ms += 1000;
    (void)harness_push(h, "q", &job);
    info = harness_info(h, "q");
    ck_assert_int_eq(info.waiting, 2);
    ck_assert_int_eq(info.delayed, 1);
    ck_assert_int_eq(info.reserved, 1);
    ck_assert_int_eq(info.failed, 1);
    ck_assert_int_eq(info.timeout, 1);
    ck_assert_int_eq(info.done, 1);
    ck_assert_int_eq(info.cancelled, 1);
    ck_assert_int_eq(info.oldest_waiting_at_ms, now() - 7);
    ck_assert_int_eq(info.workers, 1);
}

ON_EACH_DRIVER(queues_are_listed_by_name)
{
    char **names;
    size_t n;

    (void)harness_push_n(h, "m", "t", 1);
    (void)harness_push_n(h, "a", "t", 1);
    harness_set(h, "z", "paused", "1");
    ok(D->queues(S, &names, &n, &err));
    ck_assert_uint_eq(n, 3);
    ck_assert_str_eq(names[0], "a");
    ck_assert_str_eq(names[1], "m");
    ck_assert_str_eq(names[2], "z");
    pawl__free(names);
}

ON_EACH_DRIVER(busy_means_waiting_reserved_or_backing_off)
{
    struct pawl__new_job job = harness_job(h);
    struct pawl__record *r;

    job.ready_at_ms += 1000;
    (void)harness_push(h, "q", &job); /* delayed by choice: not busy */
    ck_assert(!harness_busy(h, "q", "t"));
    (void)push();
    ck_assert(harness_busy(h, "q", "t"));
    ck_assert(harness_busy(h, "q", NULL));
    ck_assert(!harness_busy(h, "q", "u"));
    ck_assert(!harness_busy(h, "other", NULL));
    r = harness_claim_one(h, "q");
    ck_assert(harness_busy(h, "q", "t"));
    ck_assert_int_eq(harness_settle(h, r, PAWL__RETRY, now() + 9, NULL),
                     PAWL_OK);
    pawl__record_free(r);
    ck_assert(harness_busy(h, "q", "t"));
}

/* What another thread does while it is asked; once. */
static void (*meanwhile)(void);

static void *
do_meanwhile(void *arg)
{
    void (*act)(void) = meanwhile;

    (void)arg;
    meanwhile = NULL;
    act();
    return NULL;
}

static void
point_meanwhile(const char *name)
{
    struct pawl__thread thread;

    if (meanwhile == NULL || strcmp(name, "look: waiting") != 0)
        return;
    ck_assert_int_eq(pawl__thread_start(&thread, "test", do_meanwhile, NULL),
                     0);
    pawl__thread_join(&thread);
}

static void
claim_the_retry(void)
{
    support_clock_pass(&H.clock, 5);
    pawl__record_free(harness_claim_one(h, "q"));
}

ON_EACH_DRIVER(busy_sees_a_retry_that_falls_due_meanwhile)
{
    struct pawl__record *r = push_and_claim();

    ck_assert_int_eq(harness_settle(h, r, PAWL__RETRY, now() + 5, NULL),
                     PAWL_OK);
    pawl__record_free(r);
    meanwhile = claim_the_retry;
    pawl__point_hook(point_meanwhile);
    ck_assert(harness_busy(h, "q", "t"));
    pawl__point_hook(NULL);
}

static struct pawl__record *in_hand;

static void
push_and_settle(void)
{
    (void)push();
    (void)harness_settle(h, in_hand, PAWL__ACK, 0, NULL);
}

ON_EACH_DRIVER(busy_sees_what_a_job_of_another_queue_pushes_meanwhile)
{
    struct pawl__interest of[2] = {{"q", NULL, 0}, {"other", NULL, 0}};
    bool busy;

    (void)harness_push_n(h, "other", "t", 1);
    in_hand = harness_claim_one(h, "other");
    meanwhile = push_and_settle;
    pawl__point_hook(point_meanwhile);
    ok(D->busy(S, of, 2, &busy, &err));
    pawl__point_hook(NULL);
    pawl__record_free(in_hand);
    ck_assert(busy);
}

#define TOGETHER 40

/* Many ends in one turn, among them each kind that is no plain deletion. */
ON_EACH_DRIVER(many_acks_at_once_are_each_as_if_alone)
{
    struct pawl__record *r[TOGETHER];
    struct pawl__settle settles[TOGETHER];
    struct pawl__new_job job = harness_job(h);
    struct pawl__exchange x;
    char queue[65];
    int64_t id;
    size_t i;

    for (i = 0; i < TOGETHER; i++) {
        job.unique_key = i == 4 ? "k" : NULL;
        job.unique_until_at_ms = i == 4 ? now() + 1000 : 0;
        (void)harness_push(h, "q", &job);
    }
    ck_assert_uint_eq(harness_claim(h, "q", NULL, TOGETHER, r), TOGETHER);
    ok(D->cancel(S, 10, queue, &err));
    memset(settles, 0, sizeof settles);
    for (i = 0; i < TOGETHER; i++) {
        settles[i].job = r[i]->info.id;
        settles[i].token = r[i]->token;
        settles[i].outcome = i == 20 ? PAWL__RELEASE : PAWL__ACK;
    }
    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.settles = settles;
    x.n_settles = TOGETHER;
    ok(D->exchange(S, &x, &err));
    for (i = 0; i < TOGETHER; i++) {
        id = r[i]->info.id;
        ck_assert_int_eq(settles[i].status, id == 10 ? PAWL_STALE : PAWL_OK);
        ck_assert_int_eq(harness_state(h, id), id == 10   ? PAWL_CANCELLED
                                               : id == 21 ? PAWL_WAITING
                                                          : 0);
        pawl__record_free(r[i]);
    }
    ck_assert_int_eq(push(), TOGETHER + 1);
    job.unique_key = "k"; /* the fifth holds it still */
    fails(PAWL_EXISTS, D->push(S, "q", &job, 1, &id, NULL, &err));
    ck_assert_int_eq(id, 5);
}

/* ----------------------------------------------------- a push within a turn */

/* One turn of queue q with a push of one job in it. */
static int
turn(struct pawl__push *push, struct pawl__settle *settles, size_t n,
     struct pawl__record **claims, size_t *n_claims)
{
    struct pawl__exchange x;
    int rc;

    if (h->worker == 0)
        harness_work(h);
    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.worker = h->worker;
    x.push = push;
    x.settles = settles;
    x.n_settles = n;
    x.want = 2;
    x.claims = claims;
    rc = D->exchange(S, &x, &err);
    *n_claims = x.n_claims;
    return rc;
}

ON_EACH_DRIVER(a_turn_claims_what_it_pushes)
{
    struct pawl__new_job job = harness_job(h);
    int64_t id = 0;
    struct pawl__push push = {.queue = "q", .jobs = &job, .n = 1, .ids = &id};
    struct pawl__record *claims[2];
    size_t n;

    ok(turn(&push, NULL, 0, claims, &n));
    ck_assert_int_eq(push.rc, PAWL_OK);
    ck_assert_uint_eq(n, 1);
    ck_assert_int_eq(claims[0]->info.id, id);
    ck_assert_int_eq(harness_settle(h, claims[0], PAWL__ACK, 0, NULL), PAWL_OK);
    pawl__record_free(claims[0]);
}

ON_EACH_DRIVER(a_push_that_is_refused_leaves_its_turn_alone)
{
    struct pawl__new_job job = harness_job(h);
    int64_t id = 0;
    struct pawl__push push = {.queue = "q", .jobs = &job, .n = 1, .ids = &id};
    struct pawl__record *claims[2], *r = push_and_claim();
    struct pawl__settle ack = {r->info.id, r->token, PAWL__ACK, 0, NULL, 9};
    size_t n;

    job.unique_key = "k";
    (void)harness_push(h, "q", &job);
    ok(turn(&push, &ack, 1, claims, &n));
    ck_assert_int_eq(push.rc, PAWL_EXISTS);
    ck_assert_uint_eq(push.failed_at, 0);
    ck_assert_int_eq(id, 2);
    ck_assert_int_eq(ack.status, PAWL_OK);
    ck_assert_uint_eq(n, 1);
    ck_assert_int_eq(claims[0]->info.id, 2);
    pawl__record_free(claims[0]);
    pawl__record_free(r);
}

ON_EACH_DRIVER(a_turn_of_a_paused_queue_pushes_all_the_same)
{
    struct pawl__new_job jobs[2] = {harness_job(h), harness_job(h)};
    int64_t ids[2] = {0, 0};
    struct pawl__push push = {.queue = "q", .jobs = jobs, .n = 2, .ids = ids};
    struct pawl__record *claims[2];
    size_t n;

    harness_set(h, "q", "paused", "1");
    ok(turn(&push, NULL, 0, claims, &n));
    ck_assert_int_eq(push.rc, PAWL_OK);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(harness_state(h, ids[0]), PAWL_WAITING);
    ck_assert_int_eq(harness_state(h, ids[1]), PAWL_WAITING);
}

/* ------------------------------------------------------------------- sweep */

static struct pawl__sweep
sweep(void)
{
    struct pawl__sweep sw;

    ok(D->sweep(S, &sw, &err));
    return sw;
}

ON_EACH_DRIVER(a_stopped_worker_leaves_its_jobs_to_be_rescued)
{
    struct pawl__record *r[2] = {NULL, NULL};
    struct pawl__sweep sw;

    (void)harness_push_n(h, "q", "t", 2);
    ck_assert_uint_eq(harness_claim(h, "q", "t", 2, r), 2);
    D->running(S, 0, r[0]->info.id);
    sw = sweep();
    ck_assert_uint_eq(sw.n_rescued, 0); /* it lives */
    pawl__free(sw.rescued);
    D->worker_stop(S);
    sw = sweep();
    ck_assert_uint_eq(sw.n_rescued, 2);
    ck_assert_str_eq(sw.rescued[0].queue, "q");
    ck_assert(sw.rescued[0].was_running ==
              (sw.rescued[0].job == r[0]->info.id));
    ck_assert(!sw.rescued[0].failed);
    pawl__free(sw.rescued);
    ck_assert_int_eq(harness_settle(h, r[0], PAWL__ACK, 0, NULL), PAWL_STALE);
    pawl__record_free(r[0]);
    pawl__record_free(r[1]);
    ok(D->get(S, 1, &r[0], &err));
    ck_assert_int_eq(r[0]->info.abandons, 1);
    ck_assert_int_eq(r[0]->info.attempts, 0);
    ck_assert_int_eq(r[0]->info.state, PAWL_WAITING);
    pawl__record_free(r[0]);
    ok(D->get(S, 2, &r[1], &err)); /* an innocent neighbour */
    ck_assert_int_eq(r[1]->info.abandons, 0);
    pawl__record_free(r[1]);
}

ON_EACH_DRIVER(a_job_abandoned_too_often_fails_with_that_reason)
{
    struct pawl__record *r;
    struct pawl__sweep sw;
    int i;

    (void)push();
    for (i = 1; i <= 3; i++) {
        harness_work(h);
        r = harness_claim_one(h, "q");
        D->running(S, 3, r->info.id);
        pawl__record_free(r);
        D->worker_stop(S);
        sw = sweep();
        ck_assert_uint_eq(sw.n_rescued, 1);
        ck_assert(sw.rescued[0].failed == (i == 3));
        pawl__free(sw.rescued);
    }
    ok(D->get(S, 1, &r, &err));
    ck_assert_int_eq(r->info.state, PAWL_FAILED);
    ck_assert_int_eq(r->info.abandons, 3);
    ck_assert_int_eq(r->info.attempts, 0);
    ck_assert_str_eq(r->info.error,
                     "abandoned: its worker died 3 times while running it");
    pawl__record_free(r);
}

ON_EACH_DRIVER(history_goes_when_its_time_is_over)
{
    struct pawl__record *r;
    char queue[65];

    harness_set(h, "q", "retention_s", "10");
    r = push_and_claim();
    ck_assert_int_eq(harness_settle(h, r, PAWL__ACK, 0, NULL), PAWL_OK);
    pawl__record_free(r);
    ok(D->cancel(S, push(), queue, &err));
    fail_n("q", 1);
    support_clock_pass(&H.clock, 9999);
    pawl__free(sweep().rescued);
    ck_assert_int_eq(harness_info(h, "q").done, 1);
    support_clock_pass(&H.clock, 1);
    pawl__free(sweep().rescued);
    ck_assert_int_eq(harness_info(h, "q").done, 0);
    ck_assert_int_eq(harness_info(h, "q").cancelled, 1);
    support_clock_pass(&H.clock, 86400000);
    pawl__free(sweep().rescued);
    ck_assert_int_eq(harness_info(h, "q").cancelled, 0);
    ck_assert_int_eq(harness_info(h, "q").failed, 1);
}

ON_EACH_DRIVER(pruning_leaves_a_held_key)
{
    struct pawl__record *r;
    int64_t id;

    harness_set(h, "q", "retention_s", "1");
    ok(push_key("k", now() + 5000, &id));
    r = harness_claim_one(h, "q");
    ck_assert_int_eq(harness_settle(h, r, PAWL__ACK, 0, NULL), PAWL_OK);
    pawl__record_free(r);
    support_clock_pass(&H.clock, 2000);
    pawl__free(sweep().rescued);
    ck_assert_int_eq(harness_state(h, 1), 0);
    fails(PAWL_EXISTS, push_key("k", 0, &id));
    support_clock_pass(&H.clock, 3000);
    pawl__free(sweep().rescued);
    ok(push_key("k", 0, &id));
}

/* ----------------------------------------------------------- asynchronous */

static int told;
static int64_t told_last;

static void
tell(void *user, int code, int64_t id, const pawl_error *why)
{
    ck_assert_int_eq(code, *(int *)user);
    ck_assert((why == NULL) == (code == PAWL_OK));
    if (code == PAWL_OK)
        ck_assert_int_gt(id, told_last); /* in order */
    told_last = id;
    told++;
}

ON_EACH_DRIVER(asynchronous_pushes_are_told_once_they_are_stored)
{
    int want = PAWL_OK, taken = PAWL_EXISTS;
    struct pawl__new_job job = harness_job(h);
    struct pawl__async a = {"q", &job, tell, &want};
    int i;

    told = 0;
    told_last = 0;
    ck_assert(!D->async_pending(S));
    job.unique_key = "k";
    ok(D->push_start(S, &a, &err));
    ck_assert(D->async_pending(S));
    a.user = &taken;
    ok(D->push_start(S, &a, &err));
    ck_assert_int_eq(told, 0);
    ok(D->sync(S, &err));
    ck_assert_int_eq(told, 2);
    ck_assert(!D->async_pending(S));
    job.unique_key = NULL;
    a.user = &want;
    for (i = 0; i < 1000; i++)
        ok(D->push_start(S, &a, &err));
    ck_assert_int_ge(told, 2 + 768); /* committed by the 256th, by itself */
    ok(D->sync(S, &err));
    ck_assert_int_eq(told, 1002);
    ck_assert_int_eq(harness_info(h, "q").waiting, 1001);
}

START_TEST(close_commits_asynchronous_pushes)
{
    int want = PAWL_OK;
    struct pawl__new_job job;
    struct pawl__async a = {"q", &job, tell, &want};

    harness_open(h, _i);
    job = harness_job(h);
    told = 0;
    told_last = 0;
    ok(D->push_start(S, &a, &err));
    harness_close(h);
    ck_assert_int_eq(told, 1);
}
END_TEST

/* -------------------------------------------------------------------- wait */

ON_EACH_DRIVER(an_interrupt_ends_a_wait_also_one_that_comes_later)
{
    D->interrupt(S);
    D->interrupt(S);
    ck_assert_int_eq(D->wait(S, PAWL__NEVER, SUPPORT_DEADLINE_MS, false) &
                         PAWL__WAIT_INTERRUPT,
                     PAWL__WAIT_INTERRUPT);
    ck_assert_int_eq(D->wait(S, PAWL__NEVER, 0, false), PAWL__WAIT_TIME);
}

ON_EACH_DRIVER(a_due_time_ends_a_wait)
{
    ck_assert_int_eq(D->wait(S, now(), SUPPORT_DEADLINE_MS, false),
                     PAWL__WAIT_TIME);
}

/* By another store, where there can be one. */
static void
push_elsewhere(void)
{
    struct pawl__new_job job = harness_job(h);
    void *other;

    if (strcmp(D->scheme, "memory") == 0) {
        (void)push();
        return;
    }
    ok(D->open(H.location, &H.env, &other, &err));
    ok(D->push(other, "q", &job, 1, NULL, NULL, &err));
    D->close(other, false);
}

ON_EACH_DRIVER(a_watching_wait_is_told_of_changes_since_the_last)
{
    (void)D->wait(S, PAWL__NEVER, 0, true);
    ck_assert_int_eq(D->wait(S, PAWL__NEVER, 0, true), PAWL__WAIT_TIME);
    push_elsewhere();
    ck_assert_int_eq(D->wait(S, PAWL__NEVER, SUPPORT_DEADLINE_MS, true) &
                         PAWL__WAIT_WORK,
                     PAWL__WAIT_WORK);
    ck_assert_int_eq(D->wait(S, PAWL__NEVER, 0, true) & PAWL__WAIT_WORK, 0);
}

/* ----------------------------------------------------------------- threads */

#define MANY_THREADS 8
#define MANY_JOBS 200

static _Atomic long many_acked;

static void *
many_main(void *arg)
{
    struct pawl__record *r[16];
    struct pawl__new_job job = harness_job(h);
    struct pawl__exchange x;
    struct pawl__settle settles[16];
    pawl_error e;
    int64_t id;
    size_t i;
    int n;

    (void)arg;
    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.worker = H.worker;
    x.want = 16;
    x.claims = r;
    x.settles = settles;
    for (n = 0; n < MANY_JOBS; n++) {
        if (D->push(S, "q", &job, 1, &id, NULL, &e) != PAWL_OK)
            return (void *)"push";
        if (D->exchange(S, &x, &e) != PAWL_OK)
            return (void *)"exchange";
        for (i = 0; i < x.n_settles; i++)
            if (settles[i].status == PAWL_OK)
                atomic_fetch_add(&many_acked, 1);
        memset(settles, 0, sizeof settles);
        x.n_settles = x.n_claims;
        for (i = 0; i < x.n_claims; i++) {
            settles[i].job = r[i]->info.id;
            settles[i].token = r[i]->token;
            pawl__record_free(r[i]);
        }
    }
    x.want = 0;
    if (D->exchange(S, &x, &e) != PAWL_OK)
        return (void *)"exchange";
    for (i = 0; i < x.n_settles; i++)
        if (settles[i].status == PAWL_OK)
            atomic_fetch_add(&many_acked, 1);
    return NULL;
}

ON_EACH_DRIVER(many_threads_share_a_store_and_lose_nothing)
{
    pthread_t threads[MANY_THREADS];
    void *failed;
    int i;

    harness_work(h);
    atomic_store(&many_acked, 0);
    for (i = 0; i < MANY_THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, many_main, NULL), 0);
    for (i = 0; i < MANY_THREADS; i++) {
        (void)pthread_join(threads[i], &failed);
        ck_assert_msg(failed == NULL, "%s failed", (const char *)failed);
    }
    ck_assert_int_eq(atomic_load(&many_acked) + harness_info(h, "q").waiting,
                     MANY_THREADS * MANY_JOBS);
    ck_assert_int_eq(harness_info(h, "q").reserved, 0);
}

#define ADD(name_) tcase_add_loop_test(tc, name_, 0, HARNESS_N_DRIVERS)

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("driver");

    tcase_set_timeout(tc, 120);
    ADD(ids_rise_from_one);
    ADD(the_id_of_an_acked_newest_job_is_not_used_again);
    ADD(ids_of_flushed_jobs_are_not_used_again);
    ADD(a_payload_comes_back_byte_for_byte);
    ADD(a_record_says_what_was_pushed);
    ADD(unset_options_come_from_the_queue);
    ADD(claims_go_by_priority_then_ready_time_then_id);
    ADD(order_holds_over_several_types);
    ADD(a_claim_takes_only_types_it_names);
    ADD(a_job_is_claimed_once);
    ADD(queues_do_not_meet);
    ADD(a_paused_queue_gives_nothing);
    ADD(tokens_differ_from_attempt_to_attempt);
    ADD(a_delayed_job_waits_for_its_time_to_the_millisecond);
    ADD(a_claim_says_when_the_next_job_is_due);
    ADD(promoted_jobs_keep_the_order_of_their_times);
    ADD(a_clock_that_steps_back_holds_up_no_waiting_job);
    ADD(a_sweep_promotes_many_due_jobs);
    ADD(an_acked_job_is_gone);
    ADD(a_queue_with_retention_keeps_done_jobs_and_their_result);
    ADD(a_retry_counts_and_comes_back_at_its_time);
    ADD(a_retry_that_is_due_at_once_waits);
    ADD(fail_and_timeout_end_in_their_state);
    ADD(snooze_and_release_count_nothing);
    ADD(a_stale_attempt_cannot_settle_in_any_way);
    ADD(one_exchange_settles_and_claims);
    ADD(check_tells_current_attempts_from_stale_ones);
    ADD(a_live_job_holds_its_key);
    ADD(keys_of_two_queues_do_not_meet);
    ADD(failed_and_cancelled_jobs_let_their_key_go);
    ADD(a_key_is_held_for_its_time_after_the_end);
    ADD(a_batch_with_a_taken_key_is_refused_whole);
    ADD(cancel_works_on_live_jobs_only);
    ADD(retry_puts_one_job_back_with_its_count);
    ADD(retry_is_refused_while_another_holds_the_key);
    ADD(reload_moves_all_of_a_queue);
    ADD(reload_leaves_jobs_whose_key_is_taken);
    ADD(flush_deletes_what_it_names_and_no_claimed_job);
    ADD(lists_filter_and_page);
    ADD(info_counts_each_state_once);
    ADD(queues_are_listed_by_name);
    ADD(many_acks_at_once_are_each_as_if_alone);
    ADD(a_turn_claims_what_it_pushes);
    ADD(a_push_that_is_refused_leaves_its_turn_alone);
    ADD(a_turn_of_a_paused_queue_pushes_all_the_same);
    ADD(busy_means_waiting_reserved_or_backing_off);
    ADD(busy_sees_a_retry_that_falls_due_meanwhile);
    ADD(busy_sees_what_a_job_of_another_queue_pushes_meanwhile);
    ADD(a_stopped_worker_leaves_its_jobs_to_be_rescued);
    ADD(a_job_abandoned_too_often_fails_with_that_reason);
    ADD(history_goes_when_its_time_is_over);
    ADD(pruning_leaves_a_held_key);
    ADD(asynchronous_pushes_are_told_once_they_are_stored);
    ADD(close_commits_asynchronous_pushes);
    ADD(an_interrupt_ends_a_wait_also_one_that_comes_later);
    ADD(a_due_time_ends_a_wait);
    ADD(a_watching_wait_is_told_of_changes_since_the_last);
    ADD(many_threads_share_a_store_and_lose_nothing);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("conformance", add);
}
