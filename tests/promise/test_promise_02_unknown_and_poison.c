/* SPDX-License-Identifier: MIT */
/* Promise 2: a commit that met an I/O error is unknown, and poisons the store;
 * a push with a unique key may be repeated and makes one job. */
#include "promise.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/fault_vfs.h"

static struct promise P;

#define err P.err

START_TEST(a_failed_sync_is_unknown_and_poisons)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t id;

    fault_vfs_register();
    promise_open(&P, false);
    (void)promise_push(&P, "before");
    job.unique_key = "k";
    atomic_store(&fault_vfs_wal_syncs, 1);
    fails(PAWL_UNKNOWN, pawl_push(P.queue, &job, &id, &err));
    /* The disk is well again, but nothing is taken for granted. */
    fails(PAWL_POISONED, pawl_push(P.queue, &job, &id, &err));
    fails(PAWL_POISONED, pawl_cancel(P.store, 1, &err));
    promise_reopen(&P);
    if (pawl_push(P.queue, &job, &id, &err) != PAWL_OK)
        ck_assert_int_eq(err.code, PAWL_EXISTS);
    ck_assert_int_eq(promise_info(&P).waiting, 2);
    promise_close(&P);
}
END_TEST

START_TEST(a_log_deleted_behind_our_back_is_unknown)
{
    char wal[400];
    pawl_job job = PAWL_JOB("t", "x", 1);

    promise_open(&P, false);
    (void)promise_push(&P, "before");
    (void)snprintf(wal, sizeof wal, "%s-wal", P.url);
    ck_assert_int_eq(unlink(wal), 0);
    fails(PAWL_UNKNOWN, pawl_push(P.queue, &job, NULL, &err));
    fails(PAWL_POISONED, pawl_push(P.queue, &job, NULL, &err));
    promise_close(&P);
}
END_TEST

static _Atomic long runs;

static int
listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)attempt;
    (void)job;
    (void)user;
    atomic_fetch_add(&runs, 1);
    return 0;
}

START_TEST(a_key_with_a_time_makes_one_job_also_after_it_ran)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    int64_t id;

    promise_open(&P, false);
    job.unique_key = "k";
    job.unique_ms = 600000;
    ok(pawl_push(P.queue, &job, NULL, &err)); /* say its answer was lost */
    ok(pawl_listen(P.queue, "t", listener, NULL, &err));
    ok(pawl_start(P.store, &err));
    ok(pawl_drain(P.store, SUPPORT_DEADLINE_MS, &err));
    fails(PAWL_EXISTS, pawl_push(P.queue, &job, &id, &err));
    ck_assert_int_eq(id, 1);
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(&runs), 1);
    promise_close(&P);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 2");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_failed_sync_is_unknown_and_poisons);
    tcase_add_test(tc, a_log_deleted_behind_our_back_is_unknown);
    tcase_add_test(tc, a_key_with_a_time_makes_one_job_also_after_it_ran);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise 2", add);
}
