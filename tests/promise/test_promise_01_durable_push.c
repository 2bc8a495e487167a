/* SPDX-License-Identifier: MIT */
/* Promise 1: a push that returned OK survives kill -9, and is synced at the
 * default durability. */
#include "promise.h"

#include "lib/fault_vfs.h"

static struct promise P;
static _Atomic long *pushed;

#define err P.err

static void
push_for_ever(struct promise *p)
{
    for (;;) {
        (void)promise_push(p, "x");
        atomic_fetch_add(pushed, 1);
    }
}

START_TEST(pushes_that_returned_survive_kill_9)
{
    long n;
    int round;
    pid_t pid;

    pushed = promise_shared(1);
    promise_open(&P, false);
    pawl_close(P.store);
    for (round = 1; round <= 5; round++) {
        pid = promise_fork(&P, push_for_ever);
        support_wait(pushed, round * 20);
        promise_kill(pid);
    }
    ok(pawl_open(P.url, NULL, &P.store, &err));
    ok(pawl_queue_open(P.store, "q", &P.queue, &err));
    n = atomic_load(pushed);
    /* One more for each kill may have been on its way to the answer. */
    ck_assert_int_ge(promise_info(&P).waiting, n);
    ck_assert_int_le(promise_info(&P).waiting, n + 5);
    promise_close(&P);
}
END_TEST

START_TEST(each_push_is_synced_at_durability_power_and_none_at_process)
{
    long before;
    int i;

    fault_vfs_register();
    promise_open(&P, false);
    before = atomic_load(&fault_vfs_n_wal_syncs);
    for (i = 0; i < 10; i++)
        (void)promise_push(&P, "x");
    ck_assert_int_ge(atomic_load(&fault_vfs_n_wal_syncs) - before, 10);
    P.options.durability = PAWL_PROCESS;
    promise_reopen(&P);
    (void)promise_push(&P, "x"); /* the log's head is synced once */
    before = atomic_load(&fault_vfs_n_wal_syncs);
    for (i = 0; i < 10; i++)
        (void)promise_push(&P, "x");
    ck_assert_int_eq(atomic_load(&fault_vfs_n_wal_syncs) - before, 0);
    promise_close(&P);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 1");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, pushes_that_returned_survive_kill_9);
    tcase_add_test(tc,
                   each_push_is_synced_at_durability_power_and_none_at_process);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise 1", add);
}
