/* SPDX-License-Identifier: MIT */
/* Promise 12: on a full disk pushes fail cleanly, acks still get through, and
 * nothing accepted is lost. The disk is a VFS that lets files grow no more;
 * when the library gives its reserve back, the test gives it that room. */
#include "promise.h"

#include <stdio.h>
#include <sys/stat.h>

#include "lib/fault_vfs.h"

static struct promise P;
static _Atomic long runs, hold;

#define err P.err

static int
listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)attempt;
    (void)job;
    (void)user;
    support_wait(&hold, 1);
    atomic_fetch_add(&runs, 1);
    return 0;
}

static int64_t
reserve_blocks(void)
{
    struct stat st;
    char path[400];

    (void)snprintf(path, sizeof path, "%s-pawl", P.url);
    ck_assert_int_eq(stat(path, &st), 0);
    return (int64_t)st.st_blocks;
}

START_TEST(pushes_fail_cleanly_and_acks_get_through)
{
    static char payload[20000];
    pawl_job job = PAWL_JOB("t", payload, sizeof payload);
    int64_t accepted = 0, kept;
    bool given = false;
    int rc;

    fault_vfs_register();
    promise_open(&P, false);
    ok(pawl_queue_set(P.queue, "parallelism", "2", &err));
    ok(pawl_listen(P.queue, "t", listener, NULL, &err));
    ok(pawl_start(P.store, &err));
    kept = reserve_blocks();
    ck_assert_int_ge(kept * 512, 8 << 20);
    atomic_store(&fault_vfs_room, 2000000);
    while ((rc = pawl_push(P.queue, &job, NULL, &err)) == PAWL_OK)
        accepted++;
    ck_assert_int_eq(rc, PAWL_FULL);
    ck_assert_int_ge(accepted, 10);
    fails(PAWL_FULL, pawl_push(P.queue, &job, NULL, &err));
    ck_assert_int_eq(promise_info(&P).waiting + promise_info(&P).reserved,
                     accepted);
    atomic_store(&hold, 1);
    support_wait(&runs, 1);
    /* Acks that the log has no room for make the library give its reserve
     * back; the disk then has that much. */
    while (promise_info(&P).waiting + promise_info(&P).reserved > 0)
        if (!given && reserve_blocks() < kept) {
            given = true;
            atomic_store(&fault_vfs_room, 8 << 20);
        }
    ck_assert_int_eq(atomic_load(&runs), accepted);
    atomic_store(&fault_vfs_room, -1); /* someone made room */
    ok(pawl_push(P.queue, &job, NULL, &err));
    ok(pawl_drain(P.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(&runs), accepted + 1);
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    promise_close(&P);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 12");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, pushes_fail_cleanly_and_acks_get_through);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise", add);
}
