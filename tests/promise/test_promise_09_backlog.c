/* SPDX-License-Identifier: MIT */
/* Promise 9: cost does not grow with the backlog. What a machine takes is for
 * the benchmarks; here the plan of every statement is looked at, and SQLite's
 * own count of its steps with a small and a large backlog. */
#include "promise.h"

#include <sqlite3.h>
#include <stdio.h>

#include "sqlite/stmt.h"

static struct promise P;

#define err P.err

static sqlite3 *db;

static void
open_db(void)
{
    promise_open(&P, false);
    ck_assert_int_eq(sqlite3_open(P.url, &db), SQLITE_OK);
}

static void
close_db(void)
{
    (void)sqlite3_close(db);
    promise_close(&P);
}

/* What may walk or sort: lists for people, tables as large as the number of
 * workers and of jobs in flight, and rows that stand in the statement. */
static bool
may_walk(enum pawl__stmt_id id, const char *step)
{
    if (strstr(step, "CONSTANT ROWS") != NULL ||
        strstr(step, "pawl_claim") != NULL || strstr(step, "SCAN c") ||
        strstr(step, "pawl_worker") != NULL || strstr(step, "pawl_queue"))
        return true;
    return id == PAWL__STMT_NEXT_DUE || /* its first entry alone */
           id == PAWL__STMT_LIST_FINISHED_UP ||
           id == PAWL__STMT_LIST_FINISHED_DOWN ||
           id == PAWL__STMT_LIST_RESERVED_UP ||
           id == PAWL__STMT_LIST_RESERVED_DOWN ||
           id == PAWL__STMT_COUNT_DELAYED || id == PAWL__STMT_BUSY_DELAYED ||
           id == PAWL__STMT_MOVE_DELAYED;
}

static void
check_plan(enum pawl__stmt_id id)
{
    sqlite3_stmt *st = NULL;
    const char *step;
    char sql[4000];

    (void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s",
                   pawl__stmt_text(id));
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        ck_abort_msg("%s: %s", pawl__stmt_text(id), sqlite3_errmsg(db));
    while (sqlite3_step(st) == SQLITE_ROW) {
        step = (const char *)sqlite3_column_text(st, 3);
        if ((strncmp(step, "SCAN", 4) == 0 ||
             strstr(step, "TEMP B-TREE") != NULL ||
             strstr(step, "AUTOMATIC") != NULL) &&
            !may_walk(id, step))
            ck_abort_msg("%s: %s", pawl__stmt_text(id), step);
    }
    (void)sqlite3_finalize(st);
}

START_TEST(no_statement_walks_the_jobs_or_sorts_them)
{
    int id;

    open_db();
    for (id = 0; id < PAWL__N_STMTS; id++)
        if (strncmp(pawl__stmt_text((enum pawl__stmt_id)id), "PRAGMA", 6) != 0)
            check_plan((enum pawl__stmt_id)id);
    close_db();
}
END_TEST

/* SQLite's steps for one statement on queue q. */
static int
steps(enum pawl__stmt_id id)
{
    sqlite3_stmt *st = NULL;
    int n;

    ck_assert_int_eq(sqlite3_prepare_v2(db, pawl__stmt_text(id), -1, &st, NULL),
                     SQLITE_OK);
    (void)sqlite3_bind_text(st, 1, "q", -1, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(st) >= 2)
        (void)sqlite3_bind_text(st, 2, "t", -1, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(st) >= 3)
        (void)sqlite3_bind_int(st, 3, 8);
    while (sqlite3_step(st) == SQLITE_ROW)
        ;
    n = sqlite3_stmt_status(st, SQLITE_STMTSTATUS_VM_STEP, 0);
    (void)sqlite3_finalize(st);
    return n;
}

static void
push_n(const char *type, int n, int64_t delay_ms)
{
    pawl_job *jobs = calloc((size_t)n, sizeof *jobs);
    int i;

    for (i = 0; i < n; i++) {
        pawl_job job = PAWL_JOB(type, "x", 1);

        job.delay_ms = delay_ms;
        jobs[i] = job;
    }
    ok(pawl_push_many(P.queue, jobs, (size_t)n, NULL, &err));
    free(jobs);
}

START_TEST(a_claim_takes_the_same_steps_before_any_backlog)
{
    static const enum pawl__stmt_id ids[] = {
        PAWL__STMT_CLAIM_TYPE, PAWL__STMT_CLAIM_CANDIDATES,
        PAWL__STMT_TYPE_NEXT, PAWL__STMT_BUSY_WAITING_TYPE};
    int before[4], i;

    open_db();
    push_n("foreign", 1, 0);
    push_n("t", 20, 0);
    for (i = 0; i < 4; i++)
        before[i] = steps(ids[i]);
    push_n("foreign", 50000, 0); /* in front, by type */
    push_n("t", 50000, 0);
    push_n("t", 50000, 86400000);
    for (i = 0; i < 4; i++)
        ck_assert_int_le(steps(ids[i]), before[i] + 20);
    ck_assert_int_lt(steps(PAWL__STMT_NEXT_DUE), 100);
    close_db();
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 9");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, no_statement_walks_the_jobs_or_sorts_them);
    tcase_add_test(tc, a_claim_takes_the_same_steps_before_any_backlog);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise", add);
}
