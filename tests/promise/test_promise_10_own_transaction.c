/* SPDX-License-Identifier: MIT */
/* Promise 10: a rollback of the program's own transaction takes its pushes
 * with it, a commit publishes them, and consumers wake by themselves. */
#include "promise.h"

#include <sqlite3.h>

static struct promise P;
static _Atomic long runs;

#define err P.err

static int
listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)attempt;
    (void)user;
    ck_assert_uint_eq(job->payload_bytes, 2);
    ck_assert_mem_eq(job->payload, "hi", 2);
    atomic_fetch_add(&runs, 1);
    return 0;
}

static sqlite3 *
own_connection(void)
{
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(P.url, &db), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, SUPPORT_DEADLINE_MS);
    return db;
}

static void
run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        ck_abort_msg("%s: %s", sql, sqlite3_errmsg(db));
}

#define INSERT \
    "INSERT INTO pawl_job(queue, type, payload) VALUES ('q', 't', 'hi')"

START_TEST(a_commit_wakes_an_idle_consumer_and_a_rollback_leaves_nothing)
{
    sqlite3 *db;

    promise_open(&P, false);
    db = own_connection();
    ok(pawl_listen(P.queue, "t", listener, NULL, &err));
    ok(pawl_start(P.store, &err));
    ok(pawl_drain(P.store, SUPPORT_DEADLINE_MS, &err));
    run(db, "CREATE TABLE own(x)");
    run(db, "BEGIN");
    run(db, "INSERT INTO own VALUES (1)");
    run(db, INSERT);
    run(db, "ROLLBACK");
    ck_assert_int_eq(promise_info(&P).waiting, 0);
    run(db, "BEGIN");
    run(db, "INSERT INTO own VALUES (2)");
    run(db, INSERT);
    ck_assert_int_eq(atomic_load(&runs), 0); /* not before the commit */
    run(db, "COMMIT");
    support_wait(&runs, 1);
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(&runs), 1);
    (void)sqlite3_close(db);
    ck_assert_int_eq(support_sql_int(P.url, "SELECT x FROM own"), 2);
    promise_close(&P);
}
END_TEST

START_TEST(plain_sql_that_is_due_later_waits_for_its_time)
{
    promise_open(&P, false);
    support_sql(P.url, "INSERT INTO pawl_job(queue, type, ready_at) "
                       "VALUES ('q', 't', 7000000000000)");
    ck_assert_int_eq(promise_state(&P, 1), PAWL_DELAYED);
    support_sql(P.url, "DELETE FROM pawl_job");
    ck_assert_int_eq(promise_push(&P, "hi"), 2); /* no id is used again */
    promise_close(&P);
}
END_TEST

START_TEST(the_schema_alone_makes_a_store)
{
    promise_open(&P, false);
    pawl_close(P.store);
    /* As a backup by VACUUM INTO leaves it: not in WAL mode. */
    support_sql(P.url, "PRAGMA journal_mode=DELETE");
    ok(pawl_open(P.url, NULL, &P.store, &err));
    pawl_close(P.store);
    support_sql(P.url, "CREATE TABLE own(x); PRAGMA journal_mode=DELETE");
    fails(PAWL_UNSUPPORTED, pawl_open(P.url, NULL, &P.store, &err));
    P.options.switch_to_wal = 1;
    ok(pawl_open(P.url, &P.options, &P.store, &err));
    promise_close(&P);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 10");

    tcase_set_timeout(tc, 120);
    tcase_add_test(
        tc, a_commit_wakes_an_idle_consumer_and_a_rollback_leaves_nothing);
    tcase_add_test(tc, plain_sql_that_is_due_later_waits_for_its_time);
    tcase_add_test(tc, the_schema_alone_makes_a_store);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise", add);
}
