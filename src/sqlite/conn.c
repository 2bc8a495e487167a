/* SPDX-License-Identifier: MIT */
/* conn.c - one SQLite connection of ours.
 *
 * The busy handler waits for random times that grow to 0.25 to 1 ms, until a
 * deadline: SQLite's own grow to 100 ms without a queue, and starve whoever
 * comes late. Every write transaction begins with BEGIN IMMEDIATE, so that the
 * only place that waits is its start.
 *
 * Locks: a connection belongs to whoever holds its mutex in store.h. */
#include "sqlite/conn.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "sqlite/vfs.h"

#define CONN_BUSY_FIRST_NS 30000LL
#define CONN_BUSY_DOUBLINGS 5
#define CONN_BUSY_LAST_NS 1000000LL

static int
conn_busy(void *user, int n)
{
    struct pawl__conn *c = user;
    struct timespec ts = {0, 0};
    int64_t longest = CONN_BUSY_LAST_NS;

    if (pawl__real_us() >= c->busy_until_us)
        return 0;
    if (n < CONN_BUSY_DOUBLINGS)
        longest = CONN_BUSY_FIRST_NS << n;
    ts.tv_nsec = (long)pawl__rng_range(&c->rng, longest / 4, longest);
    (void)nanosleep(&ts, NULL); /* a signal only makes it shorter */
    return 1;
}

void
pawl__conn_impatience(struct pawl__conn *c)
{
    c->busy_until_us = 0;
}

void
pawl__conn_patience(struct pawl__conn *c)
{
    c->busy_until_us = pawl__add_sat(pawl__real_us(), c->busy_timeout_us);
}

int
pawl__conn_status(int rc)
{
    if (rc == SQLITE_IOERR_NOMEM)
        return PAWL_NOMEM;
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return PAWL_OK;
    case SQLITE_NOMEM:
        return PAWL_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return PAWL_BUSY;
    case SQLITE_FULL:
        return PAWL_FULL;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
        return PAWL_READONLY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* our statements are right: the schema is not */
    case SQLITE_SCHEMA:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
        return PAWL_CORRUPT;
    case SQLITE_TOOBIG:
        return PAWL_INVALID;
    default:
        return PAWL_IO;
    }
}

static const char *
conn_advice(int status)
{
    switch (status) {
    case PAWL_BUSY:
        return "; another process holds the write lock: try again, or find it "
               "and let it end its transaction";
    case PAWL_FULL:
        return "; the disk is full: make room, nothing was changed";
    case PAWL_READONLY:
        return "; the file and its folder must be writable by this user";
    case PAWL_CORRUPT:
        return "; not a database, or its pawl_ tables were changed: restore a "
               "backup";
    default:
        return "";
    }
}

int
pawl__conn_fail(struct pawl__conn *c, const char *doing, pawl_error *err)
{
    int rc = c->db != NULL ? sqlite3_extended_errcode(c->db) : SQLITE_NOMEM;
    int status = pawl__conn_status(rc);

    if (status == PAWL_OK) /* the caller knows of a failure, SQLite does not */
        status = PAWL_IO;
    return pawl__fail(err, status, rc, "%s: %s%s", doing,
                      c->db != NULL ? sqlite3_errmsg(c->db) : "out of memory",
                      conn_advice(status));
}

int
pawl__conn_exec(struct pawl__conn *c, const char *sql, pawl_error *err)
{
    if (sqlite3_exec(c->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return pawl__conn_fail(c, "set up the database", err);
    return PAWL_OK;
}

int
pawl__conn_int(struct pawl__conn *c, const char *sql, int64_t *value,
               pawl_error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = PAWL_OK;

    if (sqlite3_prepare_v2(c->db, sql, -1, &st, NULL) != SQLITE_OK ||
        sqlite3_step(st) != SQLITE_ROW)
        rc = pawl__conn_fail(c, "read the database", err);
    else
        *value = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    return rc;
}

int
pawl__conn_synchronous(struct pawl__conn *c, int level, pawl_error *err)
{
    int rc = PAWL_OK;

    if (c->synchronous == level)
        return PAWL_OK;
    rc = pawl__conn_exec(
        c, level == 2 ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL",
        err);
    c->synchronous = rc == PAWL_OK ? level : 0;
    return rc;
}

static int
conn_distrust(struct pawl__conn *c, int64_t limit_bytes, pawl_error *err)
{
    static const int off[] = {SQLITE_DBCONFIG_ENABLE_TRIGGER,
                              SQLITE_DBCONFIG_ENABLE_VIEW,
                              SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
                              SQLITE_DBCONFIG_DQS_DML,
                              SQLITE_DBCONFIG_DQS_DDL,
                              SQLITE_DBCONFIG_TRUSTED_SCHEMA,
                              SQLITE_DBCONFIG_ENABLE_FKEY,
                              SQLITE_DBCONFIG_WRITABLE_SCHEMA};
    size_t i;

    for (i = 0; i < sizeof off / sizeof off[0]; i++)
        if (sqlite3_db_config(c->db, off[i], 0, (int *)NULL) != SQLITE_OK)
            return pawl__conn_fail(c, "secure the connection", err);
    if (sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL) !=
        SQLITE_OK)
        return pawl__conn_fail(c, "secure the connection", err);
    (void)sqlite3_limit(c->db, SQLITE_LIMIT_LENGTH,
                        (int)(limit_bytes + (1 << 20)));
    (void)sqlite3_limit(c->db, SQLITE_LIMIT_SQL_LENGTH, 100000);
    (void)sqlite3_limit(c->db, SQLITE_LIMIT_ATTACHED, 0);
    (void)sqlite3_limit(c->db, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
    return pawl__conn_exec(c,
                           "PRAGMA cell_size_check=ON;"
                           "PRAGMA mmap_size=0;"
                           "PRAGMA temp_store=MEMORY;"
                           "PRAGMA recursive_triggers=OFF;",
                           err);
}

int
pawl__conn_open(struct pawl__conn *c, const char *path, int64_t busy_timeout_ms,
                int64_t limit_bytes, pawl_error *err)
{
    const char *vfs = NULL;
    int rc;

    memset(c, 0, sizeof *c);
    pawl__rng_seed(&c->rng);
    c->busy_timeout_us = busy_timeout_ms * 1000;
    if (pawl__vfs_race(sqlite3_libversion_number())) {
        vfs = pawl__vfs_name();
        if (vfs == NULL)
            return pawl__fail_nomem(err);
    }
    /* NOMUTEX: our own mutex guards it. No URI: a path is only a path. */
    if (sqlite3_open_v2(path, &c->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                            SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
                        vfs) != SQLITE_OK) {
        rc = pawl__conn_fail(c, "open the database", err);
        pawl__conn_close(c);
        return rc;
    }
    (void)sqlite3_busy_handler(c->db, conn_busy, c);
    (void)sqlite3_wal_autocheckpoint(c->db, 0);
    pawl__conn_patience(c);
    rc = conn_distrust(c, limit_bytes, err);
    if (rc != PAWL_OK)
        pawl__conn_close(c);
    return rc;
}

void
pawl__conn_close(struct pawl__conn *c)
{
    size_t i;

    for (i = 0; i < PAWL__N_STMTS; i++) {
        (void)sqlite3_finalize(c->stmts[i]);
        c->stmts[i] = NULL;
    }
    (void)sqlite3_close(c->db);
    c->db = NULL;
}

sqlite3_stmt *
pawl__stmt(struct pawl__conn *c, enum pawl__stmt_id id, pawl_error *err)
{
    if (c->stmts[id] == NULL &&
        sqlite3_prepare_v3(c->db, pawl__stmt_text(id), -1,
                           SQLITE_PREPARE_PERSISTENT, &c->stmts[id],
                           NULL) != SQLITE_OK)
        (void)pawl__conn_fail(c, "prepare a statement", err);
    return c->stmts[id];
}

int
pawl__conn_prepare_ends(struct pawl__conn *c, pawl_error *err)
{
    static const enum pawl__stmt_id ends[] = {
        PAWL__STMT_COMMIT, PAWL__STMT_ROLLBACK, PAWL__STMT_SAVEPOINT_UNDO,
        PAWL__STMT_SAVEPOINT_END};
    size_t i;

    for (i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (pawl__stmt(c, ends[i], err) == NULL)
            return err->code;
    return PAWL_OK;
}

void
pawl__stmt_done(sqlite3_stmt *stmt)
{
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
}

int
pawl__stmt_step(struct pawl__conn *c, sqlite3_stmt *stmt, bool *found,
                const char *doing, pawl_error *err)
{
    int step = sqlite3_step(stmt);

    *found = step == SQLITE_ROW;
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return pawl__conn_fail(c, doing, err);
    return PAWL_OK;
}

const char *
pawl__stmt_text_at(sqlite3_stmt *stmt, int column, pawl_error *err)
{
    bool null = sqlite3_column_type(stmt, column) == SQLITE_NULL;
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    if (null)
        (void)pawl__fail(err, PAWL_CORRUPT, 0,
                         "a row lacks its %s: the file is damaged; restore a "
                         "backup",
                         sqlite3_column_name(stmt, column));
    else if (text == NULL) /* it had to be copied */
        (void)pawl__fail_nomem(err);
    return text;
}

int
pawl__stmt_run(struct pawl__conn *c, sqlite3_stmt *stmt, const char *doing,
               pawl_error *err)
{
    int rc = PAWL_OK;

    if (sqlite3_step(stmt) != SQLITE_DONE)
        rc = pawl__conn_fail(c, doing, err);
    pawl__stmt_done(stmt);
    return rc;
}

int
pawl__stmt_run_ints(struct pawl__conn *c, enum pawl__stmt_id id, int64_t a,
                    int64_t b, const char *doing, pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(c, id, err);
    int n;

    if (st == NULL)
        return err->code;
    n = sqlite3_bind_parameter_count(st);
    if (n >= 1)
        (void)sqlite3_bind_int64(st, 1, a);
    if (n >= 2)
        (void)sqlite3_bind_int64(st, 2, b);
    return pawl__stmt_run(c, st, doing, err);
}

void
pawl__bind_text(sqlite3_stmt *stmt, int i, const char *text)
{
    if (text == NULL)
        (void)sqlite3_bind_null(stmt, i);
    else
        (void)sqlite3_bind_text(stmt, i, text, -1, SQLITE_STATIC);
}

void
pawl__bind_or_null(sqlite3_stmt *stmt, int i, int64_t value)
{
    if (value == 0)
        (void)sqlite3_bind_null(stmt, i);
    else
        (void)sqlite3_bind_int64(stmt, i, value);
}
