/* SPDX-License-Identifier: MIT */
/* Promise 5: an acked job never runs again after a process crash. (kill_rounds
 * asks the same at random moments.) */
#include "promise.h"

static struct promise P;
static _Atomic long *runs;

#define err P.err

static int
count(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)attempt;
    (void)job;
    (void)user;
    atomic_fetch_add(runs, 1);
    return 0;
}

static void
work(struct promise *p)
{
    ok(pawl_listen(p->queue, "t", count, NULL, &err));
    ok(pawl_start(p->store, &err));
    for (;;)
        (void)pawl_drain(p->store, 1000, NULL);
}

START_TEST(acked_jobs_do_not_come_back_after_kill_9)
{
    pid_t pid;
    int i;

    runs = promise_shared(1);
    promise_open(&P, false);
    for (i = 0; i < 100; i++)
        (void)promise_push(&P, "x");
    pid = promise_fork(&P, work);
    while (promise_info(&P).waiting + promise_info(&P).reserved > 0)
        ;
    promise_kill(pid);
    ck_assert_int_eq(atomic_load(runs), 100);
    ok(pawl_listen(P.queue, "t", count, NULL, &err));
    ok(pawl_start(P.store, &err));
    ok(pawl_drain(P.store, SUPPORT_DEADLINE_MS, &err));
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(runs), 100);
    promise_close(&P);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 5");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, acked_jobs_do_not_come_back_after_kill_9);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise 5", add);
}
