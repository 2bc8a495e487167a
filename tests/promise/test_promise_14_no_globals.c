/* SPDX-License-Identifier: MIT */
/* Promise 14: no global state, no threads before pawl_start, all signals
 * blocked in the library's threads, nothing printed; use after fork is
 * refused. */
#include "promise.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

static struct promise P, Q;
static _Atomic long runs;

#define err P.err

static int
listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)attempt;
    (void)job;
    atomic_fetch_add((_Atomic long *)user, 1);
    return 0;
}

/* How many threads this process has; blocked: how many of them block SIGTERM
 * and SIGUSR1. */
static int
threads(int *blocked)
{
    DIR *dir = opendir("/proc/self/task");
    unsigned long long mask;
    struct dirent *e;
    char path[300], line[200];
    FILE *f;
    int n = 0;

    ck_assert_ptr_nonnull(dir);
    for (*blocked = 0; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        n++;
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/status",
                       e->d_name);
        f = fopen(path, "r");
        while (f != NULL && fgets(line, sizeof line, f) != NULL)
            if (sscanf(line, "SigBlk: %llx", &mask) == 1 &&
                (mask & (1ULL << (15 - 1))) && (mask & (1ULL << (10 - 1))))
                (*blocked)++;
        if (f != NULL)
            (void)fclose(f);
    }
    (void)closedir(dir);
    return n;
}

START_TEST(threads_come_with_start_block_signals_and_go_with_stop)
{
    int before, blocked, n;

    /* Once for the runtime: sanitizers start a thread of their own with the
     * first one. */
    promise_open(&P, false);
    ok(pawl_start(P.store, &err));
    promise_close(&P);
    before = threads(&blocked);
    promise_open(&P, false);
    ok(pawl_queue_set(P.queue, "parallelism", "3", &err));
    ok(pawl_listen(P.queue, "t", listener, &runs, &err));
    (void)promise_push(&P, "x");
    ck_assert_int_eq(threads(&blocked), before);
    ok(pawl_start(P.store, &err));
    support_wait(&runs, 1);
    n = threads(&blocked);
    ck_assert_int_eq(n, before + 4); /* three in the pool, the store's own */
    ck_assert_int_ge(blocked, 4);
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(threads(&blocked), before);
    promise_close(&P);
}
END_TEST

START_TEST(two_stores_in_one_process_do_not_meet)
{
    _Atomic long runs_p = 0, runs_q = 0;

    promise_open(&P, false);
    promise_open(&Q, false);
    ok(pawl_listen(P.queue, "t", listener, &runs_p, &err));
    ok(pawl_listen(Q.queue, "t", listener, &runs_q, &err));
    (void)promise_push(&P, "x");
    (void)promise_push(&P, "x");
    (void)promise_push(&Q, "x");
    ok(pawl_start(P.store, &err));
    ok(pawl_start(Q.store, &err));
    ok(pawl_drain(P.store, SUPPORT_DEADLINE_MS, &err));
    ok(pawl_drain(Q.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(&runs_p), 2);
    ck_assert_int_eq(atomic_load(&runs_q), 1);
    promise_close(&P);
    promise_close(&Q);
}
END_TEST

START_TEST(two_stores_on_one_file_share_its_jobs)
{
    promise_open(&P, false);
    ok(pawl_open(P.url, NULL, &Q.store, &err));
    ok(pawl_queue_open(Q.store, "q", &Q.queue, &err));
    ok(pawl_listen(Q.queue, "t", listener, &runs, &err));
    ok(pawl_start(Q.store, &err));
    ok(pawl_listen(P.queue, "t", listener, &runs, &err));
    ok(pawl_start(P.store, &err));
    (void)promise_push(&P, "x");
    (void)promise_push(&Q, "x");
    support_wait(&runs, 2);
    pawl_close(Q.store);
    (void)promise_push(&P, "x"); /* the other's close did no harm */
    support_wait(&runs, 3);
    promise_close(&P);
}
END_TEST

static void
use_after_fork(struct promise *p)
{
    (void)p;
}

START_TEST(a_child_is_refused_and_harms_nothing)
{
    pawl_job job = PAWL_JOB("t", "x", 1);
    pawl_error e;
    pid_t pid;

    promise_open(&P, false);
    (void)promise_push(&P, "x");
    pid = fork();
    if (pid == 0) {
        if (pawl_push(P.queue, &job, NULL, &e) != PAWL_FORKED ||
            pawl_start(P.store, &e) != PAWL_FORKED ||
            pawl_cancel(P.store, 1, &e) != PAWL_FORKED)
            _exit(1);
        pawl_close(P.store);
        _exit(0);
    }
    ck_assert_int_eq(promise_reap(pid), 0);
    (void)promise_push(&P, "x");
    ck_assert_int_eq(promise_info(&P).waiting, 2);
    /* A child that opens the store for itself is welcome. */
    ck_assert_int_eq(promise_reap(promise_fork(&P, use_after_fork)), 0);
    promise_close(&P);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 14");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, threads_come_with_start_block_signals_and_go_with_stop);
    tcase_add_test(tc, two_stores_in_one_process_do_not_meet);
    tcase_add_test(tc, two_stores_on_one_file_share_its_jobs);
    tcase_add_test(tc, a_child_is_refused_and_harms_nothing);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise", add);
}
