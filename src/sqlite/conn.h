/* SPDX-License-Identifier: MIT */
/* conn.h - one SQLite connection of ours: settings, errors, busy handler.
 *
 * Inside src/sqlite err is never NULL: the driver table sees to it.
 *
 * A connection distrusts the file: triggers, views, extensions, ATTACH and
 * double-quoted strings are off, the schema is untrusted (promise 15). */
#ifndef PAWL_SQLITE_CONN_H
#define PAWL_SQLITE_CONN_H

#include <stdbool.h>

#include "base/error.h"
#include "base/rng.h"
#include "sqlite/sql.h"
#include "sqlite/stmt.h"

struct pawl__conn {
    sqlite3 *db;
    sqlite3_stmt *stmts[PAWL__N_STMTS]; /* prepared on first use, kept */
    struct pawl__rng rng;               /* the busy handler's, and tokens' */
    int64_t busy_timeout_us;
    int64_t busy_until_us; /* real time; set when a transaction begins */
    int synchronous;       /* 1 NORMAL, 2 FULL: as set last */
};

/* path is absolute. The file exists. limit_bytes: the longest payload. */
int pawl__conn_open(struct pawl__conn *c, const char *path,
                    int64_t busy_timeout_ms, int64_t limit_bytes,
                    pawl_error *err);
/* {0} allowed. */
void pawl__conn_close(struct pawl__conn *c);
/* Wait for no lock, until the next call of pawl__conn_patience(). */
void pawl__conn_impatience(struct pawl__conn *c);
/* Start the clock of the busy handler anew. */
void pawl__conn_patience(struct pawl__conn *c);
/* Run SQL without results. */
int pawl__conn_exec(struct pawl__conn *c, const char *sql, pawl_error *err);
/* One integer of a one-row query, e.g. a pragma. */
int pawl__conn_int(struct pawl__conn *c, const char *sql, int64_t *value,
                   pawl_error *err);
/* 1 NORMAL or 2 FULL, outside a transaction. */
int pawl__conn_synchronous(struct pawl__conn *c, int level, pawl_error *err);

/* Our code for a SQLite result code. */
int pawl__conn_status(int sqlite_rc);
/* Fill err from the connection's last error; doing says what failed. */
int pawl__conn_fail(struct pawl__conn *c, const char *doing, pawl_error *err);

/* Prepare what ends a transaction: that must not need memory then. After the
 * last change of the schema, which would let them expire. */
int pawl__conn_prepare_ends(struct pawl__conn *c, pawl_error *err);
/* Get a statement ready to bind; every get is followed by pawl__stmt_done().
 * NULL on failure, err filled. */
sqlite3_stmt *pawl__stmt(struct pawl__conn *c, enum pawl__stmt_id id,
                         pawl_error *err);
/* Reset and unbind. */
void pawl__stmt_done(sqlite3_stmt *stmt);
/* Step a statement that returns no rows to its end, and release it. */
/* Step once: is there a row? The statement stays on it. */
int pawl__stmt_step(struct pawl__conn *c, sqlite3_stmt *stmt, bool *found,
                    const char *doing, pawl_error *err);
/* The text of a column that is never NULL. NULL: err says why. */
const char *pawl__stmt_text_at(sqlite3_stmt *stmt, int column, pawl_error *err);
int pawl__stmt_run(struct pawl__conn *c, sqlite3_stmt *stmt, const char *doing,
                   pawl_error *err);
/* The same for one that takes up to two integers and nothing else. */
int pawl__stmt_run_ints(struct pawl__conn *c, enum pawl__stmt_id id, int64_t a,
                        int64_t b, const char *doing, pawl_error *err);
/* Bind text or NULL. */
void pawl__bind_text(sqlite3_stmt *stmt, int i, const char *text);
/* Bind an integer, 0 as NULL: "the default". */
void pawl__bind_or_null(sqlite3_stmt *stmt, int i, int64_t value);

#endif
