/* SPDX-License-Identifier: MIT */
/* table.c - see table.h. */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- connections */

_Noreturn static void
table_die(sqlite3 *db, const char *doing)
{
    bench_die("sqlite: %s: %s", doing, sqlite3_errmsg(db));
}

void
table_exec(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        table_die(db, sql);
}

sqlite3 *
table_open(const char *path, int durability)
{
    sqlite3 *db;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        table_die(db, path);
    (void)sqlite3_busy_timeout(db, 5000);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int *)NULL);
    table_exec(db, "PRAGMA journal_mode=WAL");
    table_exec(db, durability == PAWL_POWER ? "PRAGMA synchronous=FULL"
                                            : "PRAGMA synchronous=NORMAL");
    table_exec(db, "PRAGMA temp_store=MEMORY");
    return db;
}

void
table_close(sqlite3 *db)
{
    sqlite3_stmt *st;

    while ((st = sqlite3_next_stmt(db, NULL)) != NULL)
        (void)sqlite3_finalize(st);
    if (sqlite3_close(db) != SQLITE_OK)
        table_die(db, "close");
}

sqlite3_stmt *
table_prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st;

    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) !=
        SQLITE_OK)
        table_die(db, sql);
    return st;
}

bool
table_step(sqlite3 *db, sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);

    while (rc == SQLITE_BUSY) { /* a starved library would give up here */
        (void)sqlite3_reset(st);
        rc = sqlite3_step(st);
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        table_die(db, sqlite3_sql(st));
    return rc == SQLITE_ROW;
}

void
table_run(sqlite3 *db, sqlite3_stmt *st)
{
    if (table_step(db, st))
        bench_die("sqlite: a row of %s", sqlite3_sql(st));
    (void)sqlite3_reset(st);
}

void
table_run_id(sqlite3 *db, sqlite3_stmt *st, int64_t id)
{
    (void)sqlite3_bind_int64(st, 1, id);
    table_run(db, st);
    bench_equal("rows changed by id", sqlite3_changes(db), 1);
}

int64_t
table_int(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st = table_prepare(db, sql);
    int64_t value;

    if (!table_step(db, st))
        table_die(db, sql);
    value = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    return value;
}

/* -------------------------------------------------------------------- jobs */

sqlite3_stmt *
table_insert(sqlite3 *db)
{
    return table_prepare(
        db, "INSERT INTO pawl_job(queue, type, ready_at, pushed_at, payload) "
            "VALUES ('" BENCH_QUEUE "', '" BENCH_TYPE "', ?1, ?1, ?2)");
}

void
table_push(sqlite3 *db, sqlite3_stmt *insert, size_t payload, long number)
{
    char bytes[BENCH_PAYLOAD_MAX];

    bench_payload(bytes, payload, number);
    if (sqlite3_bind_int64(insert, 1, bench_wall_ms()) != SQLITE_OK ||
        sqlite3_bind_blob(insert, 2, bytes, (int)payload, SQLITE_STATIC) !=
            SQLITE_OK)
        table_die(db, "bind");
    table_run(db, insert);
}

static void
table_create_empty(const char *path)
{
    pawl_store *store;
    pawl_error err;

    bench_ok(pawl_open(path, NULL, &store, &err), "open a store", &err);
    pawl_close(store);
}

void
table_fill(const char *path, const char *state, const char *type,
           size_t payload, long n)
{
    bool done = strcmp(state, "done") == 0;
    int64_t now = bench_wall_ms();
    sqlite3 *db = table_open(path, PAWL_PROCESS);
    char sql[1024], finished[24];

    if (n == 0) {
        table_close(db);
        return;
    }
    (void)snprintf(finished, sizeof finished, "%lld", (long long)now);
    /* Delayed ones are due in a day. */
    (void)snprintf(
        sql, sizeof sql,
        "PRAGMA synchronous=OFF; PRAGMA cache_size=-200000; BEGIN;"
        "INSERT OR IGNORE INTO pawl_queue(name) VALUES ('" BENCH_QUEUE "');"
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n "
        "WHERE i + 1 < %ld) INSERT INTO pawl_job(queue, type, state, ready_at, "
        "pushed_at, finished_at, payload) SELECT '" BENCH_QUEUE "', '%s', '%s',"
        "%lld + i / 1000, %lld, %s, CAST(printf('%%016d', i) || "
        "printf('%%.*c', %zu, 'x') AS BLOB) FROM n; COMMIT;"
        "PRAGMA wal_checkpoint(TRUNCATE);",
        n, type, state,
        (long long)(now + (strcmp(state, "delayed") == 0 ? 86400000 : -n)),
        (long long)now, done ? finished : "NULL", payload - 16);
    table_exec(db, sql);
    table_close(db);
}

void
table_create(struct bench *b, const char *path, size_t payload, long n)
{
    static char kept[BENCH_PATH_MAX];
    static size_t kept_payload;
    static long kept_n;

    if (kept[0] == '\0' || kept_payload != payload || kept_n != n) {
        if (kept[0] != '\0')
            bench_remove(kept);
        bench_new_path(b, kept);
        table_create_empty(kept);
        table_fill(kept, "waiting", BENCH_TYPE, payload, n);
        kept_payload = payload;
        kept_n = n;
    }
    bench_copy(kept, path);
}

void
table_check(const char *path, int64_t wanted)
{
    sqlite3 *db = table_open(path, PAWL_PROCESS);

    bench_equal("jobs that wait in the table",
                table_int(db, "SELECT count(*) FROM pawl_job "
                              "WHERE state = 'waiting'"),
                wanted);
    bench_equal("jobs still claimed",
                table_int(db, "SELECT count(*) FROM pawl_claim"), 0);
    bench_equal("faults that SQLite finds in the file",
                table_int(db, "SELECT count(*) FROM pragma_quick_check "
                              "WHERE quick_check <> 'ok'"),
                0);
    table_close(db);
}
