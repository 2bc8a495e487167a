/* SPDX-License-Identifier: MIT */
/* migrate.c - make or upgrade our tables, and distrust what is there.
 *
 * What we expect is not written a second time: the migrations are run on a
 * database in memory, and the text of every pawl_ object compared. A table
 * that was altered, an index on an expression, a view in place of a table, a
 * trigger under our name: all differ. (Triggers of other names on our tables
 * never run on our connections.) */
#include "sqlite/migrate.h"

#include <string.h>

#include "base/point.h"
#include "sqlite/schema.h"

#define MIGRATE_OBJECTS                                                     \
    "SELECT name, type, sql FROM sqlite_schema WHERE name LIKE 'pawl\\_%' " \
    "ESCAPE '\\' ORDER BY name"

#ifdef PAWL_TESTING
static const char *migrate_next; /* one more migration, to test an upgrade */

void
pawl__migrate_next(const char *sql)
{
    migrate_next = sql;
}
#define MIGRATE_LAST (pawl__schema_version + (migrate_next != NULL ? 1 : 0))
#define MIGRATE_SQL(i_) \
    ((i_) < pawl__schema_version ? pawl__schema[i_] : migrate_next)
#else
#define MIGRATE_LAST pawl__schema_version
#define MIGRATE_SQL(i_) pawl__schema[i_]
#endif

/* The schema's version, 0 when there is none; min_writer likewise. */
static int
migrate_version(struct pawl__conn *c, int64_t *version, int64_t *min_writer,
                pawl_error *err)
{
    int64_t there = 0;
    int rc = pawl__conn_int(c,
                            "SELECT count(*) FROM sqlite_schema "
                            "WHERE name = 'pawl_meta'",
                            &there, err);

    *version = *min_writer = 0;
    if (rc != PAWL_OK || there == 0)
        return rc;
    rc = pawl__conn_int(c,
                        "SELECT coalesce(max(value), -1) FROM pawl_meta "
                        "WHERE key = 'schema_version'",
                        version, err);
    if (rc == PAWL_OK)
        rc = pawl__conn_int(c,
                            "SELECT coalesce(max(value), 0) FROM pawl_meta "
                            "WHERE key = 'min_writer'",
                            min_writer, err);
    if (rc == PAWL_OK && *version < 1)
        rc = pawl__fail(err, PAWL_CORRUPT, 0,
                        "table pawl_meta says no version: it is not one of "
                        "Pawl's; restore a backup");
    return rc;
}

static int
migrate_run(struct pawl__conn *c, int64_t from, pawl_error *err)
{
    int64_t i;
    int rc = PAWL_OK;

    for (i = from; rc == PAWL_OK && i < MIGRATE_LAST; i++)
        rc = pawl__conn_exec(c, MIGRATE_SQL(i), err);
    return rc;
}

static const char *
migrate_text(sqlite3_stmt *st, int i)
{
    const char *text = (const char *)sqlite3_column_text(st, i);

    return text != NULL ? text : "";
}

static int
migrate_differs(const char *name, const char *how, pawl_error *err)
{
    return pawl__fail(err, PAWL_CORRUPT, 0,
                      "%s is %s: Pawl did not make it so; restore a backup, or "
                      "dump the jobs and push them into a new store",
                      name, how);
}

/* Both statements list objects by name: walk them side by side. */
static int
migrate_walk(struct pawl__conn *c, sqlite3_stmt *theirs, sqlite3_stmt *ours,
             pawl_error *err)
{
    int a, b;

    for (;;) {
        a = sqlite3_step(theirs);
        b = sqlite3_step(ours);
        if (a == SQLITE_DONE && b == SQLITE_DONE)
            return PAWL_OK;
        if ((a != SQLITE_ROW && a != SQLITE_DONE) ||
            (b != SQLITE_ROW && b != SQLITE_DONE))
            return pawl__conn_fail(c, "read the schema", err);
        if (b == SQLITE_DONE ||
            (a == SQLITE_ROW &&
             strcmp(migrate_text(theirs, 0), migrate_text(ours, 0)) < 0))
            return migrate_differs(migrate_text(theirs, 0), "unknown", err);
        if (a == SQLITE_DONE ||
            strcmp(migrate_text(theirs, 0), migrate_text(ours, 0)) > 0)
            return migrate_differs(migrate_text(ours, 0), "missing", err);
        if (strcmp(migrate_text(theirs, 1), migrate_text(ours, 1)) != 0 ||
            strcmp(migrate_text(theirs, 2), migrate_text(ours, 2)) != 0)
            return migrate_differs(migrate_text(ours, 0), "changed", err);
    }
}

static int
migrate_compare(struct pawl__conn *c, struct pawl__conn *expected,
                pawl_error *err)
{
    sqlite3_stmt *theirs = NULL, *ours = NULL;
    int rc;

    if (sqlite3_prepare_v2(c->db, MIGRATE_OBJECTS, -1, &theirs, NULL) !=
        SQLITE_OK)
        rc = pawl__conn_fail(c, "read the schema", err);
    else if (sqlite3_prepare_v2(expected->db, MIGRATE_OBJECTS, -1, &ours,
                                NULL) != SQLITE_OK)
        rc = pawl__conn_fail(expected, "make the schema", err);
    else
        rc = migrate_walk(c, theirs, ours, err);
    (void)sqlite3_finalize(theirs);
    (void)sqlite3_finalize(ours);
    return rc;
}

static int
migrate_verify(struct pawl__conn *c, pawl_error *err)
{
    struct pawl__conn expected;
    int rc;

    memset(&expected, 0, sizeof expected);
    if (sqlite3_open_v2(":memory:", &expected.db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                            SQLITE_OPEN_MEMORY,
                        NULL) != SQLITE_OK)
        rc = pawl__conn_fail(&expected, "make the schema", err);
    else
        rc = migrate_run(&expected, 0, err);
    if (rc == PAWL_OK)
        rc = migrate_compare(c, &expected, err);
    pawl__conn_close(&expected);
    return rc;
}

static int
migrate_inside(struct pawl__conn *c, pawl_error *err)
{
    int64_t version, min_writer;
    int rc = migrate_version(c, &version, &min_writer, err);

    if (rc != PAWL_OK)
        return rc;
    if (version > MIGRATE_LAST && min_writer > MIGRATE_LAST)
        return pawl__fail(err, PAWL_SCHEMA, 0,
                          "the store has schema version %lld, this library "
                          "knows %d: use a newer Pawl; nothing was changed",
                          (long long)version, MIGRATE_LAST);
    if (version > MIGRATE_LAST)
        return PAWL_OK; /* it may be written by us, by its own word */
    if (version < MIGRATE_LAST)
        rc = migrate_run(c, version, err);
    return rc == PAWL_OK ? migrate_verify(c, err) : rc;
}

int
pawl__migrate(struct pawl__conn *c, pawl_error *err)
{
    pawl_error ignored;
    int rc;

    pawl__conn_patience(c);
    rc = pawl__conn_exec(c, "BEGIN IMMEDIATE", err);
    if (rc != PAWL_OK)
        return rc;
    pawl__point("migrate: begun");
    rc = migrate_inside(c, err);
    pawl__point("migrate: made");
    if (rc == PAWL_OK)
        rc = pawl__conn_exec(c, "COMMIT", err);
    pawl__point("migrate: committed");
    if (rc != PAWL_OK && sqlite3_get_autocommit(c->db) == 0)
        (void)pawl__conn_exec(c, "ROLLBACK", &ignored);
    return rc;
}
