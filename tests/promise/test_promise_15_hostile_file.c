/* SPDX-License-Identifier: MIT */
/* Promise 15: a hostile file runs nothing. */
#include "promise.h"

static struct promise P;
static _Atomic long runs;

#define err P.err

static int
listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)attempt;
    (void)job;
    (void)user;
    atomic_fetch_add(&runs, 1);
    return 0;
}

START_TEST(planted_triggers_do_not_run)
{
    promise_open(&P, false);
    pawl_close(P.store);
    support_sql(P.url, "CREATE TABLE log(x);"
                       "CREATE TRIGGER evil AFTER INSERT ON pawl_job BEGIN "
                       "DELETE FROM pawl_job; INSERT INTO log VALUES (1); END;"
                       "CREATE TRIGGER evil2 BEFORE DELETE ON pawl_claim BEGIN "
                       "SELECT RAISE(IGNORE); END;");
    ok(pawl_open(P.url, NULL, &P.store, &err));
    ok(pawl_queue_open(P.store, "q", &P.queue, &err));
    ok(pawl_listen(P.queue, "t", listener, NULL, &err));
    ck_assert_int_eq(promise_push(&P, "x"), 1);
    ck_assert_int_eq(promise_info(&P).waiting, 1);
    ok(pawl_start(P.store, &err));
    ok(pawl_drain(P.store, SUPPORT_DEADLINE_MS, &err));
    ok(pawl_stop(P.store, SUPPORT_DEADLINE_MS, &err));
    ck_assert_int_eq(atomic_load(&runs), 1);
    ck_assert_int_eq(promise_state(&P, 1), 0);
    ck_assert_int_eq(support_sql_int(P.url, "SELECT count(*) FROM log"), 0);
    promise_close(&P);
}
END_TEST

/* Our objects changed in some way: refused by name. */
static void
refuse(const char *sql)
{
    pawl_store *store;

    promise_open(&P, false);
    pawl_close(P.store);
    support_sql(P.url, sql);
    fails(PAWL_CORRUPT, pawl_open(P.url, NULL, &store, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "pawl_"));
    support_folder_remove(&P.folder);
}

START_TEST(changed_tables_views_and_triggers_are_refused)
{
    refuse("ALTER TABLE pawl_job ADD COLUMN evil TEXT");
    refuse("DROP INDEX pawl_job_waiting");
    refuse("DROP TABLE pawl_claim; CREATE VIEW pawl_claim AS "
           "SELECT 1 AS job, 2 AS worker, 3 AS token, 4 AS claimed_at");
    refuse("CREATE INDEX pawl_evil ON pawl_job(abs(id))");
    refuse("CREATE TRIGGER pawl_evil AFTER INSERT ON pawl_job BEGIN "
           "SELECT 1; END");
    refuse("DROP TRIGGER pawl_job_pushed");
}
END_TEST

START_TEST(names_and_payloads_are_only_ever_data)
{
    static const char evil[] = "'); DROP TABLE pawl_job; --";
    pawl_job job = PAWL_JOB(evil, evil, sizeof evil - 1);
    pawl_queue *queue;
    int64_t id, n;
    pawl_job_info *info;

    promise_open(&P, false);
    ok(pawl_queue_open(P.store, evil, &queue, &err));
    job.unique_key = evil;
    ok(pawl_push(queue, &job, &id, &err));
    info = promise_get(&P, id);
    ck_assert_str_eq(info->job.type, evil);
    ck_assert_str_eq(info->queue, evil);
    ck_assert_str_eq(info->job.unique_key, evil);
    pawl_job_info_free(info);
    ok(pawl_flush(P.store, evil, PAWL_WAITING, &n, &err));
    ck_assert_int_eq(n, 1);
    promise_close(&P);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 15");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, planted_triggers_do_not_run);
    tcase_add_test(tc, changed_tables_views_and_triggers_are_refused);
    tcase_add_test(tc, names_and_payloads_are_only_ever_data);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise", add);
}
