/* SPDX-License-Identifier: MIT */
/* two_processes.c - several processes push and work on one file at the same
 * time; none is killed, so every job must run exactly once, in all orders of
 * start: workers that find an empty file to make, and workers that come late.
 */
#include "crash/rig.h"

#include <stdio.h>

#define N_PROCESSES 3
#define N_EACH 900
#define N_JOBS (N_PROCESSES * N_EACH)

struct shared {
    _Atomic long n_ready, n_pushed, n_runs;
    _Atomic int runs[N_JOBS];
    _Atomic int by[N_PROCESSES]; /* runs in each process */
    _Atomic int64_t first_id[N_PROCESSES], last_id[N_PROCESSES];
    char url[320];
};

struct part {
    struct shared *sh;
    int number;
    bool works;
};

static int
run(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct part *p = user;
    int n = -1;

    if (job->payload_bytes == sizeof n)
        memcpy(&n, job->payload, sizeof n);
    if (n < 0 || n >= N_JOBS)
        return pawl_attempt_abort(attempt, "not one of ours");
    atomic_fetch_add(&p->sh->runs[n], 1);
    atomic_fetch_add(&p->sh->by[p->number], 1);
    atomic_fetch_add(&p->sh->n_runs, 1);
    return 0;
}

static int
push_part(struct part *p, pawl_queue *queue)
{
    int64_t id = 0, last = 0;
    int i, n;

    for (i = 0; i < N_EACH; i++) {
        const pawl_job job = PAWL_JOB("t", &n, sizeof n);

        n = p->number * N_EACH + i;
        if (pawl_push(queue, &job, &id, NULL) != PAWL_OK || id <= last)
            return 1;
        last = id;
        atomic_fetch_add(&p->sh->n_pushed, 1);
    }
    return 0;
}

/* Wait for the others, so that all begin at the same moment. */
static void
meet(struct shared *sh)
{
    atomic_fetch_add(&sh->n_ready, 1);
    while (atomic_load(&sh->n_ready) < N_PROCESSES)
        ;
}

static int
take_part(void *arg)
{
    struct part *p = arg;
    pawl_options o = PAWL_OPTIONS_INIT;
    pawl_store *store = NULL;
    pawl_queue *queue = NULL;

    o.busy_timeout_ms = SUPPORT_DEADLINE_MS;
    o.durability = PAWL_PROCESS;
    meet(p->sh);
    if (pawl_open(p->sh->url, &o, &store, NULL) != PAWL_OK ||
        pawl_queue_open(store, "mail", &queue, NULL) != PAWL_OK)
        return 1;
    if (p->works && (pawl_listen(queue, "t", run, p, NULL) != PAWL_OK ||
                     pawl_start(store, NULL) != PAWL_OK))
        return 2;
    if (push_part(p, queue) != 0)
        return 3;
    support_wait(&p->sh->n_pushed, N_JOBS);
    if (p->works && (pawl_drain(store, SUPPORT_DEADLINE_MS, NULL) != PAWL_OK ||
                     pawl_stop(store, SUPPORT_DEADLINE_MS, NULL) != PAWL_OK))
        return 4;
    pawl_close(store);
    return 0;
}

/* n_working of the processes work, all push. */
static void
run_together(struct shared *sh, int n_working)
{
    struct part parts[N_PROCESSES];
    pid_t pids[N_PROCESSES];
    int i;

    for (i = 0; i < N_PROCESSES; i++) {
        parts[i].sh = sh;
        parts[i].number = i;
        parts[i].works = i < n_working;
        pids[i] = rig_fork(take_part, &parts[i]);
    }
    for (i = 0; i < N_PROCESSES; i++)
        rig_wait_ok(pids[i]);
    for (i = 0; i < N_JOBS; i++)
        ck_assert_int_eq(atomic_load(&sh->runs[i]), 1);
    ck_assert_int_eq(atomic_load(&sh->n_runs), N_JOBS);
}

START_TEST(each_job_runs_exactly_once_whoever_pushes_and_works)
{
    struct support_folder folder;
    struct shared *sh = rig_shared(sizeof *sh);

    support_folder_make(&folder);
    memcpy(sh->url, folder.store, strlen(folder.store) + 1);
    run_together(sh, _i);
    ck_assert_int_eq(support_sql_int(folder.store,
                                     "SELECT count(*) FROM pawl_job "
                                     "WHERE state <> 'deleted'"),
                     0);
    ck_assert_int_eq(
        support_sql_int(folder.store,
                        "SELECT (SELECT count(*) FROM pawl_claim) + "
                        "(SELECT count(*) FROM pawl_worker)"),
        0);
    (void)printf("%d working: runs by process %d %d %d\n", _i,
                 atomic_load(&sh->by[0]), atomic_load(&sh->by[1]),
                 atomic_load(&sh->by[2]));
    support_folder_remove(&folder);
}
END_TEST

/* A worker that idles in another process is woken by each push, one by one. */
static int
idle_worker(void *arg)
{
    struct part *p = arg;
    pawl_store *store = rig_open(p->sh->url);
    pawl_queue *queue = NULL;

    if (store == NULL || pawl_queue_open(store, "mail", &queue, NULL) != 0 ||
        pawl_listen(queue, "t", run, p, NULL) != 0 ||
        pawl_start(store, NULL) != 0)
        return 1;
    atomic_fetch_add(&p->sh->n_ready, 1);
    support_wait(&p->sh->n_runs, 200);
    if (pawl_stop(store, SUPPORT_DEADLINE_MS, NULL) != PAWL_OK)
        return 2;
    pawl_close(store);
    return 0;
}

START_TEST(an_idle_worker_is_woken_by_each_push_of_another_process)
{
    struct support_folder folder;
    struct shared *sh = rig_shared(sizeof *sh);
    struct part p = {sh, 0, true};
    pawl_store *store;
    pawl_queue *queue;
    pid_t pid;
    int i;

    support_folder_make(&folder);
    memcpy(sh->url, folder.store, strlen(folder.store) + 1);
    pid = rig_fork(idle_worker, &p);
    store = rig_open(sh->url);
    ck_assert_ptr_nonnull(store);
    queue = kit_queue(store, "mail");
    support_wait(&sh->n_ready, 1);
    for (i = 0; i < 200; i++) {
        const pawl_job job = PAWL_JOB("t", &i, sizeof i);

        (void)kit_push_job(queue, &job);
        support_wait(&sh->n_runs, i + 1);
    }
    rig_wait_ok(pid);
    pawl_close(store);
    support_folder_remove(&folder);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "two processes");

    tcase_add_loop_test(tc, each_job_runs_exactly_once_whoever_pushes_and_works,
                        1, N_PROCESSES + 1);
    tcase_add_test(tc, an_idle_worker_is_woken_by_each_push_of_another_process);
}

int
main(void)
{
    return support_main("two processes", add);
}
