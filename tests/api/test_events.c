/* SPDX-License-Identifier: MIT */
/* test_events.c - subscribers: each event comes when it should, with what the
 * header promises, and cannot harm the job. */
#include "api/kit.h"

#include <stdio.h>

static struct kit k;
static pawl_error err;
static struct kit_tape tape;

#define LOG_MAX 64

/* The events that came, in order. */
static struct {
    pthread_mutex_t mu;
    _Atomic long n;
    struct {
        size_t size;
        int kind, attempt;
        int64_t job_id, next_at_ms;
        bool has_job;
        pawl_queue *queue;
        char type[16], payload[16], error[64];
    } at[LOG_MAX];
} events;

static void
note(const pawl_event *e, void *user)
{
    long n;

    (void)user;
    (void)pthread_mutex_lock(&events.mu);
    n = atomic_load(&events.n);
    if (n < LOG_MAX) {
        events.at[n].size = e->struct_size;
        events.at[n].kind = e->kind;
        events.at[n].attempt = e->attempt;
        events.at[n].job_id = e->job_id;
        events.at[n].next_at_ms = e->next_at_ms;
        events.at[n].queue = e->queue;
        events.at[n].has_job = e->job != NULL;
        if (e->job != NULL) {
            (void)snprintf(events.at[n].type, 16, "%s", e->job->type);
            (void)snprintf(events.at[n].payload, 16, "%.*s",
                           (int)e->job->payload_bytes,
                           (const char *)e->job->payload);
        }
        (void)snprintf(events.at[n].error, 64, "%s",
                       e->error != NULL ? e->error : "(none)");
    }
    atomic_store(&events.n, n + 1);
    (void)pthread_mutex_unlock(&events.mu);
}

static void
setup(int driver, unsigned mask)
{
    memset(&events, 0, sizeof events);
    ck_assert_int_eq(pthread_mutex_init(&events.mu, NULL), 0);
    kit_tape_init(&tape);
    kit_setup(&k, driver);
    ok(pawl_subscribe(k.queue, mask, note, NULL, &err));
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &tape, &err));
}

static void
finish(void)
{
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}

static void
event_is(long i, int kind, int64_t job, int attempt)
{
    support_wait(&events.n, i + 1);
    ck_assert_int_eq(events.at[i].kind, kind);
    ck_assert_int_eq(events.at[i].job_id, job);
    ck_assert_int_eq(events.at[i].attempt, attempt);
    ck_assert_ptr_eq(events.at[i].queue, k.queue);
    ck_assert_uint_eq(events.at[i].size, sizeof(pawl_event));
}

START_TEST(bad_arguments_are_refused)
{
    setup(_i, PAWL_ON_ALL);
    fails(PAWL_INVALID, pawl_subscribe(NULL, PAWL_ON_ALL, note, NULL, &err));
    fails(PAWL_INVALID, pawl_subscribe(k.queue, 0, note, NULL, &err));
    fails(PAWL_INVALID, pawl_subscribe(k.queue, 256, note, NULL, &err));
    fails(PAWL_INVALID, pawl_subscribe(k.queue, UINT32_MAX, note, NULL, &err));
    fails(PAWL_INVALID, pawl_subscribe(k.queue, PAWL_ON_ALL, NULL, NULL, &err));
    ck_assert_int_eq(pawl_subscribe(NULL, 0, NULL, NULL, NULL), PAWL_INVALID);
    ok(pawl_start(k.store, &err));
    fails(PAWL_MISUSE, pawl_subscribe(k.queue, PAWL_ON_ALL, note, NULL, &err));
    finish();
}
END_TEST

START_TEST(a_job_that_succeeds_is_pushed_started_and_succeeded)
{
    int64_t id;

    setup(_i, PAWL_ON_ALL);
    id = kit_push(k.queue, "t", "payload");
    event_is(0, PAWL_ON_PUSHED, id, 0);
    ck_assert_str_eq(events.at[0].payload, "payload");
    ok(pawl_start(k.store, &err));
    event_is(1, PAWL_ON_STARTED, id, 1);
    event_is(2, PAWL_ON_SUCCEEDED, id, 1);
    ck_assert_str_eq(events.at[2].type, "t");
    ck_assert_str_eq(events.at[2].payload, "payload");
    ck_assert_str_eq(events.at[2].error, "(none)");
    finish();
    ck_assert_int_eq(atomic_load(&events.n), 3);
}
END_TEST

START_TEST(a_job_that_fails_tells_of_each_retry_and_of_the_abort)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t id;

    setup(_i, PAWL_ON_RETRY | PAWL_ON_ABORT);
    atomic_store(&tape.result, 9);
    job.max_attempts = 2;
    job.backoff_jitter_percent = PAWL_NONE;
    id = kit_push_job(k.queue, &job);
    ok(pawl_start(k.store, &err));
    event_is(0, PAWL_ON_RETRY, id, 1);
    ck_assert_str_eq(events.at[0].error, "listener returned 9");
    ck_assert_int_eq(events.at[0].next_at_ms, SUPPORT_EPOCH + 1000);
    ck_assert(events.at[0].has_job);
    kit_wait_state(k.store, id, PAWL_DELAYED);
    kit_pass(&k, 1000);
    event_is(1, PAWL_ON_ABORT, id, 2);
    ck_assert_str_eq(events.at[1].error, "listener returned 9");
    ck_assert_int_eq(events.at[1].next_at_ms, 0);
    kit_wait_state(k.store, id, PAWL_FAILED);
    finish();
    ck_assert_int_eq(atomic_load(&events.n), 2);
}
END_TEST

START_TEST(a_job_that_times_out_tells_so_before_what_follows)
{
    struct kit_gate gate;
    int64_t id;

    setup(_i, PAWL_ON_ALL & ~(unsigned)PAWL_ON_PUSHED);
    kit_gate_init(&gate);
    ok(pawl_listen(k.queue, "slow", kit_gate_listener, &gate, &err));
    id = kit_push(k.queue, "slow", "x");
    ok(pawl_start(k.store, &err));
    event_is(0, PAWL_ON_STARTED, id, 1);
    support_wait(&gate.n_in, 1);
    kit_pass(&k, KIT_HOUR);
    event_is(1, PAWL_ON_TIMED_OUT, id, 1);
    event_is(2, PAWL_ON_ABORT, id, 1);
    ck_assert_str_ne(events.at[2].error, "(none)");
    kit_gate_open(&gate);
    finish();
    ck_assert_int_eq(atomic_load(&events.n), 3); /* no SUCCEEDED after it */
}
END_TEST

START_TEST(a_cancel_is_told_without_a_job)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t id;

    setup(_i, PAWL_ON_CANCELLED);
    job.delay_ms = 1000;
    id = kit_push_job(k.queue, &job);
    ok(pawl_cancel(k.store, id, &err));
    event_is(0, PAWL_ON_CANCELLED, id, 0);
    ck_assert(!events.at[0].has_job);
    fails(PAWL_NOT_FOUND, pawl_cancel(k.store, id, &err));
    ck_assert_int_eq(atomic_load(&events.n), 1);
    kit_end(&k);
}
END_TEST

START_TEST(every_way_to_push_tells)
{
    const pawl_job jobs[2] = {PAWL_JOB("t", "a", 1), PAWL_JOB("t", "b", 1)};
    int64_t ids[2];

    setup(_i, PAWL_ON_PUSHED);
    (void)kit_push(k.queue, "t", "x");
    ok(pawl_push_many(k.queue, jobs, 2, ids, &err));
    ok(pawl_push_async(k.queue, jobs, NULL, NULL, &err));
    ok(pawl_sync(k.store, &err));
    event_is(0, PAWL_ON_PUSHED, 1, 0);
    event_is(1, PAWL_ON_PUSHED, 2, 0);
    ck_assert_str_eq(events.at[1].payload, "a");
    event_is(2, PAWL_ON_PUSHED, 3, 0);
    event_is(3, PAWL_ON_PUSHED, 4, 0);
    ck_assert_str_eq(events.at[3].type, "t");
    (void)kit_push(kit_queue(k.store, "other"), "t", "x");
    ck_assert_int_eq(atomic_load(&events.n), 4);
    kit_end(&k);
}
END_TEST

START_TEST(a_refused_push_tells_nothing)
{
    pawl_job job = PAWL_JOB("t", "x", 1);

    setup(_i, PAWL_ON_ALL);
    job.priority = 99999;
    fails(PAWL_INVALID, pawl_push(k.queue, &job, NULL, &err));
    ck_assert_int_eq(atomic_load(&events.n), 0);
    kit_end(&k);
}
END_TEST

static void
meddle(const pawl_event *e, void *user)
{
    const pawl_job more = PAWL_JOB("more", "x", 1);

    (void)user;
    if (e->kind == PAWL_ON_STARTED)
        (void)pawl_push(e->queue, &more, NULL, NULL);
    if (e->kind == PAWL_ON_RETRY)
        (void)pawl_get(k.store, e->job_id, NULL, NULL);
}

START_TEST(a_subscriber_may_call_the_library)
{
    setup(_i, PAWL_ON_ALL);
    ok(pawl_subscribe(k.queue, PAWL_ON_ALL, meddle, NULL, &err));
    ok(pawl_start(k.store, &err));
    kit_wait_state(k.store, kit_push(k.queue, "t", "x"), 0);
    ck_assert_int_eq(kit_info(k.queue).waiting, 1);
    finish();
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "events");
    const TTest *both[] = {
        bad_arguments_are_refused,
        a_job_that_succeeds_is_pushed_started_and_succeeded,
        a_job_that_fails_tells_of_each_retry_and_of_the_abort,
        a_job_that_times_out_tells_so_before_what_follows,
        a_cancel_is_told_without_a_job,
        every_way_to_push_tells,
        a_refused_push_tells_nothing,
        a_subscriber_may_call_the_library,
    };

    KIT_BOTH(tc, both);
}

int
main(void)
{
    return support_main("events", add);
}
