/* SPDX-License-Identifier: MIT */
/* test_pool.c - the threads of a pool among themselves: the gate, growth, late
 * listeners, cancels from elsewhere. */
#include "api/kit.h"

#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/attempt.h"
#include "engine/store.h"

static struct kit k;
static pawl_error err;
static struct kit_gate gate;
static struct kit_tape tape;

/* ----------------------------------------------------------------- the gate */

static struct pawl__gate door;

struct passer {
    bool alone;
    struct pawl__thread thread;
    _Atomic long near;
    int saw_inside, saw_waiting;
    bool saw_alone;
};

/* What it finds inside, the moment it was let in. */
static void *
pass(void *arg)
{
    struct passer *p = arg;

    atomic_fetch_add(&p->near, 1);
    pawl__gate_enter(&door, p->alone);
    pawl__lock(&door.mu);
    p->saw_inside = (int)door.inside;
    p->saw_waiting = (int)door.waiting_alone;
    p->saw_alone = door.alone;
    pawl__unlock(&door.mu);
    pawl__gate_leave(&door, p->alone);
    return NULL;
}

static void
passer_start(struct passer *p, bool alone)
{
    memset(p, 0, sizeof *p);
    p->alone = alone;
    ck_assert_int_eq(pawl__thread_start(&p->thread, "test", pass, p), 0);
    support_wait(&p->near, 1);
}

/* Give a wrong gate time to let somebody in; a right one never does. */
static void
yield_often(void)
{
    int i;

    for (i = 0; i < 2000; i++)
        (void)sched_yield();
}

static int
waiting_alone(void)
{
    int n;

    pawl__lock(&door.mu);
    n = (int)door.waiting_alone;
    pawl__unlock(&door.mu);
    return n;
}

START_TEST(who_is_to_be_alone_waits_until_all_are_out)
{
    struct passer suspect;

    pawl__gate_init(&door);
    pawl__gate_enter(&door, false);
    passer_start(&suspect, true);
    yield_often();
    pawl__gate_leave(&door, false);
    pawl__thread_join(&suspect.thread);
    ck_assert_int_eq(suspect.saw_inside, 0);
    pawl__gate_clear(&door);
}
END_TEST

START_TEST(others_wait_until_who_is_alone_is_out)
{
    struct passer other;

    pawl__gate_init(&door);
    pawl__gate_enter(&door, true);
    passer_start(&other, false);
    yield_often();
    pawl__gate_leave(&door, true);
    pawl__thread_join(&other.thread);
    ck_assert(!other.saw_alone);
    pawl__gate_clear(&door);
}
END_TEST

START_TEST(others_do_not_overtake_who_waits_to_be_alone)
{
    struct passer suspect, other;

    pawl__gate_init(&door);
    pawl__gate_enter(&door, false);
    passer_start(&suspect, true);
    while (waiting_alone() == 0)
        (void)sched_yield();
    passer_start(&other, false);
    yield_often();
    pawl__gate_leave(&door, false);
    pawl__thread_join(&suspect.thread);
    pawl__thread_join(&other.thread);
    ck_assert_int_eq(other.saw_waiting, 0);
    ck_assert_int_eq(suspect.saw_inside, 0);
    pawl__gate_clear(&door);
}
END_TEST

/* ----------------------------------------------------------------- attempts */

START_TEST(a_deadline_that_has_passed_is_not_extended)
{
    struct support_clock clock;
    struct pawl__clock library;
    pawl_attempt a;

    support_clock_init(&clock);
    pawl__clock_init(&library, &clock.clock);
    pawl__attempt_init(&a, NULL, &library, NULL, 1000);
    support_clock_pass(&clock, 999);
    ok(pawl_attempt_extend(&a, 1000, &err));
    support_clock_pass(&clock, 1000);
    fails(PAWL_STALE, pawl_attempt_extend(&a, 1000, &err));
    pawl__attempt_clear(&a);
}
END_TEST

static void
setup(int driver)
{
    kit_gate_init(&gate);
    kit_tape_init(&tape);
    kit_setup(&k, driver);
    ok(pawl_queue_set(k.queue, "parallelism", "1", &err));
    ok(pawl_listen(k.queue, "held", kit_gate_listener, &gate, &err));
    ok(pawl_listen(k.queue, "t", kit_tape_listener, &tape, &err));
}

static void
finish(void)
{
    kit_gate_open(&gate);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}

START_TEST(a_listener_that_is_late_leaves_its_place_to_another)
{
    pawl_job job = PAWL_JOB("held", "x", 1);
    int64_t id;

    setup(_i);
    ok(pawl_start(k.store, &err));
    job.timeout_ms = 1000;
    id = kit_push_job(k.queue, &job);
    support_wait(&gate.n_in, 1);
    kit_pass(&k, 1000);
    kit_wait_state(k.store, id, PAWL_TIMEOUT);
    (void)kit_push(k.queue, "t", "next");
    support_wait(&tape.n, 1); /* though the first has not returned */
    ck_assert_int_eq(atomic_load(&gate.n_out), 0);
    finish();
}
END_TEST

START_TEST(a_pool_grows_when_its_setting_does)
{
    setup(_i);
    ok(pawl_start(k.store, &err));
    (void)kit_push(k.queue, "t", "first");
    support_wait(&tape.n, 1);
    ok(pawl_queue_set(k.queue, "parallelism", "3", &err));
    (void)kit_push(k.queue, "held", "1");
    (void)kit_push(k.queue, "held", "2");
    (void)kit_push(k.queue, "held", "3");
    support_wait(&gate.n_in, 3);
    finish();
}
END_TEST

START_TEST(jobs_claimed_ahead_are_given_back_behind_a_long_one)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t last;
    int i;

    setup(_i);
    for (job.priority = 2, i = 0; i < 200; i++) /* fast: it claims ahead */
        (void)kit_push_job(k.queue, &job);
    job.type = "held";
    job.priority = 1;
    (void)kit_push_job(k.queue, &job);
    job.type = "t";
    for (job.priority = 0, i = 0; i < 5; i++)
        last = kit_push_job(k.queue, &job);
    ok(pawl_start(k.store, &err));
    support_wait(&gate.n_in, 1);
    for (i = 0; i < 1000 && kit_state(k.store, last) != PAWL_WAITING; i++) {
        pawl_wake(k.store); /* its thread looks, as it does each second */
        (void)poll(NULL, 0, 5);
    }
    kit_wait_state(k.store, last, PAWL_WAITING);
    ck_assert_int_eq(kit_info(k.queue).reserved, 1);
    finish();
}
END_TEST

static const struct pawl__driver *real;
static struct pawl__driver counting;
static _Atomic long n_pushes, n_turns, n_claimed;

static int
count_push(void *self, const char *queue, const struct pawl__new_job *jobs,
           size_t n, int64_t *ids, size_t *failed_at, pawl_error *e)
{
    atomic_fetch_add(&n_pushes, 1);
    return real->push(self, queue, jobs, n, ids, failed_at, e);
}

static int
count_exchange(void *self, struct pawl__exchange *x, pawl_error *e)
{
    int rc = real->exchange(self, x, e);

    if (x->push != NULL) {
        atomic_fetch_add(&n_turns, 1);
        atomic_fetch_add(&n_claimed, (long)x->n_claims);
    }
    return rc;
}

static bool
pool_is_idle(void)
{
    struct pawl__consumer *c = &k.queue->consumer;
    bool idle;

    pawl__lock(&c->mu);
    idle = c->n_idle == c->n_threads && !c->look && !c->fetching;
    pawl__unlock(&c->mu);
    return idle;
}

/* Not each: the store's thread may send the pool to look just then. */
START_TEST(pushes_to_an_idle_pool_are_claimed_in_their_own_transactions)
{
    const long n = 50;
    long i;

    setup(_i);
    real = k.store->driver;
    counting = *real;
    counting.push = count_push;
    counting.exchange = count_exchange;
    k.store->driver = &counting;
    ok(pawl_start(k.store, &err));
    for (i = 1; i <= n; i++) {
        while (!pool_is_idle())
            (void)sched_yield();
        (void)kit_push(k.queue, "t", "x");
        support_wait(&tape.n, i);
    }
    ck_assert_int_eq(atomic_load(&n_turns) + atomic_load(&n_pushes), n);
    ck_assert_int_gt(atomic_load(&n_turns), 0);
    ck_assert_int_eq(atomic_load(&n_claimed), atomic_load(&n_turns));
    finish();
}
END_TEST

static _Atomic int stop_reason;
static _Atomic long n_told;

static int
wait_for_stop(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct pollfd p = {pawl_attempt_stop_fd(attempt), POLLIN, 0};

    (void)job;
    (void)user;
    atomic_fetch_add(&n_told, 1);
    (void)poll(&p, 1, SUPPORT_DEADLINE_MS);
    atomic_store(&stop_reason, pawl_attempt_should_stop(attempt));
    atomic_fetch_add(&n_told, 1);
    return 0;
}

START_TEST(a_cancel_by_another_store_is_told_to_the_listener)
{
    pawl_store *other;
    int64_t id;

    kit_setup(&k, KIT_SQLITE);
    ok(pawl_listen(k.queue, "wait", wait_for_stop, NULL, &err));
    ok(pawl_start(k.store, &err));
    id = kit_push(k.queue, "wait", "x");
    support_wait(&n_told, 1);
    ok(pawl_open(k.url, &k.options, &other, &err));
    ok(pawl_cancel(other, id, &err));
    kit_pass(&k, 1000); /* it asks after attempts that run for longer */
    support_wait(&n_told, 2);
    ck_assert_int_eq(atomic_load(&stop_reason), PAWL_STOP_CANCELLED);
    ck_assert_int_eq(kit_state(k.store, id), PAWL_CANCELLED);
    pawl_close(other);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

/* ------------------------------------------------------------ start and end */

START_TEST(a_child_that_closes_a_started_store_does_nothing)
{
    int status;
    pid_t pid;

    setup(_i);
    ok(pawl_start(k.store, &err));
    (void)kit_push(k.queue, "t", "before");
    support_wait(&tape.n, 1);
    pid = fork();
    if (pid == 0) {
        (void)alarm(SUPPORT_DEADLINE_MS / 1000); /* its threads are not here */
        pawl_close(k.store);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    (void)kit_push(k.queue, "t", "after");
    support_wait(&tape.n, 2);
    finish();
}
END_TEST

START_TEST(a_start_that_failed_can_be_made_again)
{
    pawl_queue *second;

    setup(_i);
    second = kit_queue(k.store, "second");
    ok(pawl_listen(second, "t", kit_tape_listener, &tape, &err));
    ok(pawl_queue_set(k.queue, "parallelism", "256", &err));
    ok(pawl_queue_set(second, "parallelism", "256", &err));
    fails(PAWL_INVALID, pawl_start(k.store, &err)); /* too many threads */
    ck_assert_int_eq(kit_info(k.queue).workers, 0);
    ok(pawl_queue_set(second, "parallelism", "1", &err));
    ok(pawl_queue_set(k.queue, "parallelism", "1", &err));
    ok(pawl_start(k.store, &err));
    (void)kit_push(second, "t", "x");
    support_wait(&tape.n, 1);
    finish();
}
END_TEST

static void
add(Suite *suite)
{
    const TTest *const once[] = {
        who_is_to_be_alone_waits_until_all_are_out,
        others_wait_until_who_is_alone_is_out,
        others_do_not_overtake_who_waits_to_be_alone,
        a_deadline_that_has_passed_is_not_extended,
        a_cancel_by_another_store_is_told_to_the_listener,
    };
    const TTest *const both[] = {
        a_listener_that_is_late_leaves_its_place_to_another,
        a_pool_grows_when_its_setting_does,
        pushes_to_an_idle_pool_are_claimed_in_their_own_transactions,
        jobs_claimed_ahead_are_given_back_behind_a_long_one,
        a_child_that_closes_a_started_store_does_nothing,
        a_start_that_failed_can_be_made_again,
    };
    TCase *tc = kit_case(suite, "pool");
    size_t i;

    for (i = 0; i < sizeof once / sizeof once[0]; i++)
        tcase_add_test(tc, once[i]);
    KIT_BOTH(tc, both);
}

int
main(void)
{
    return support_main("pool", add);
}
