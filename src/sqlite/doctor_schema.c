/* SPDX-License-Identifier: MIT */
/* doctor_schema.c - a connection that only reads; every page; the schema. */
#include "sqlite/doctor_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sqlite/schema.h"
#include "sqlite/vfs.h"

#define DOCTOR_MESSAGES 20 /* of integrity_check */

/* ------------------------------------------------------------------ SQLite */

void
pawl__doctor_check_version(struct pawl__doctor *d)
{
    if (pawl__vfs_race(sqlite3_libversion_number()))
        pawl__doctor_say(
            d, PAWL_FINDING_NOTE, "sqlite-race",
            "Update SQLite to 3.51.3 or newer where several programs "
            "write to the file.",
            "SQLite %s has the WAL-reset race, which can damage a file; "
            "Pawl's guards are on, those of other programs are not",
            sqlite3_libversion());
    else
        pawl__doctor_say(d, PAWL_FINDING_OK, "sqlite-version", "",
                         "SQLite %s has no known race that damages files",
                         sqlite3_libversion());
}

/* A statement or the opening failed. The first one is told. */
static void
doctor_sql_failed(struct pawl__doctor *d, int code, const char *message)
{
    if (d->failed)
        return;
    d->failed = true;
    if ((code & 0xff) == SQLITE_CORRUPT && d->damaged)
        return;
    if ((code & 0xff) == SQLITE_NOTADB)
        pawl__doctor_say(d, PAWL_FINDING_ERROR, "not-a-database",
                         "Is it the right file? If so restore a backup.",
                         "SQLite does not know it as a database: %s", message);
    else if ((code & 0xff) == SQLITE_CORRUPT)
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "file-damaged",
            "End all workers, save what sqlite3's .recover gives, and "
            "restore a backup.",
            "SQLite cannot read it: %s", message);
    else
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "cannot-read",
            "See to what it says, and look again: not all was looked "
            "at.",
            "SQLite cannot read it: %s (code %d)", message, code);
}

void
pawl__doctor_db_failed(struct pawl__doctor *d)
{
    doctor_sql_failed(d, sqlite3_extended_errcode(d->c.db),
                      sqlite3_errmsg(d->c.db));
}

sqlite3_stmt *
pawl__doctor_prepare(struct pawl__doctor *d, const char *sql)
{
    sqlite3_stmt *st = NULL;

    if (d->failed)
        return NULL;
    pawl__conn_patience(&d->c);
    if (sqlite3_prepare_v2(d->c.db, sql, -1, &st, NULL) != SQLITE_OK)
        pawl__doctor_db_failed(d);
    return st;
}

const char *
pawl__doctor_text(sqlite3_stmt *st, int i)
{
    const char *text = (const char *)sqlite3_column_text(st, i);

    return text != NULL ? text : "";
}

/* The first column of the first row; otherwise where there is none. */
int64_t
pawl__doctor_int(struct pawl__doctor *d, const char *sql, int64_t otherwise)
{
    sqlite3_stmt *st = pawl__doctor_prepare(d, sql);
    int64_t value = otherwise;
    int step;

    if (st == NULL)
        return otherwise;
    step = sqlite3_step(st);
    if (step == SQLITE_ROW)
        value = sqlite3_column_int64(st, 0);
    else if (step != SQLITE_DONE)
        pawl__doctor_db_failed(d);
    (void)sqlite3_finalize(st);
    return value;
}

/* A journal that nobody writes by is a crash's, and SQLite would roll it back
 * at open. One that begins with a zero is kept for the next transaction. (It
 * carries no locks, so it may be opened.) */
static bool
doctor_is_hot(const struct pawl__doctor *d)
{
    char first = '\0';
    int fd;

    if (!d->is_beside[PAWL__DOCTOR_JOURNAL] || d->db_busy)
        return false;
    fd = open(d->beside[PAWL__DOCTOR_JOURNAL],
              O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno != ENOENT;
    if (read(fd, &first, 1) != 1)
        first = '\0';
    (void)close(fd);
    return first != '\0';
}

bool
pawl__doctor_open(struct pawl__doctor *d)
{
    const pawl_options *o = d->env->options;
    pawl_error err;

    if (doctor_is_hot(d)) {
        pawl__doctor_say(
            d, PAWL_FINDING_WARNING, "journal-hot",
            "Open it once with sqlite3, which rolls back what was not "
            "finished, and look again.",
            "%s is there: a writer died in its transaction, before the "
            "file was in WAL mode; the inside was not looked at",
            d->beside[PAWL__DOCTOR_JOURNAL]);
        return false;
    }
    if (pawl__conn_open(&d->c, d->path, o->busy_timeout_ms, 1073741824, &err) !=
        PAWL_OK) {
        doctor_sql_failed(d, err.sys_code, err.message);
        return false;
    }
    (void)pawl__conn_exec(&d->c, "PRAGMA query_only=ON", &err);
    if (d->is_beside[PAWL__DOCTOR_WAL])
        (void)sqlite3_db_config(d->c.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                                (int *)NULL);
    return true;
}

void
pawl__doctor_check_journal(struct pawl__doctor *d)
{
    sqlite3_stmt *st = pawl__doctor_prepare(d, "PRAGMA journal_mode");

    if (st == NULL)
        return;
    if (sqlite3_step(st) != SQLITE_ROW)
        pawl__doctor_db_failed(d);
    else if (strcmp(pawl__doctor_text(st, 0), "wal") != 0)
        pawl__doctor_say(d, PAWL_FINDING_WARNING, "not-wal",
                         "Run PRAGMA journal_mode=WAL on it once, if its other "
                         "programs agree.",
                         "the journal mode is %s; a store is in WAL mode",
                         pawl__doctor_text(st, 0));
    (void)sqlite3_finalize(st);
}

/* --------------------------------------------------------------- integrity */

struct doctor_messages {
    int n, n_index; /* how many, and of indexes alone */
    char first[300];
};

static void
doctor_message(struct doctor_messages *m, const char *text)
{
    size_t n = strlen(m->first);

    if (m->n++ < 3)
        (void)snprintf(m->first + n, sizeof m->first - n, "%s%s",
                       n > 0 ? "; " : "", text);
    m->n_index += strstr(text, "from index ") != NULL ||
                  strstr(text, "in index ") != NULL;
}

static void
doctor_say_messages(struct pawl__doctor *d, const struct doctor_messages *m)
{
    const char *more = m->n >= DOCTOR_MESSAGES ? " or more" : "";

    if (m->n_index == m->n)
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "index-damaged",
            "End all workers, keep a copy, and run REINDEX in sqlite3; "
            "then look again.",
            "integrity_check found %d%s faults, in indexes alone: %s", m->n,
            more, m->first);
    else
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "file-damaged",
            "End all workers, save what sqlite3's .recover gives, and "
            "restore a backup.",
            "integrity_check found %d%s faults: %s", m->n, more, m->first);
}

void
pawl__doctor_check_integrity(struct pawl__doctor *d)
{
    sqlite3_stmt *st = pawl__doctor_prepare(d, "PRAGMA integrity_check(20)");
    struct doctor_messages m;
    int step;

    if (st == NULL)
        return;
    memset(&m, 0, sizeof m);
    while ((step = sqlite3_step(st)) == SQLITE_ROW)
        if (strcmp(pawl__doctor_text(st, 0), "ok") != 0)
            doctor_message(&m, pawl__doctor_text(st, 0));
    d->damaged = m.n > 0;
    if (d->damaged)
        doctor_say_messages(d, &m);
    else if (step != SQLITE_DONE)
        pawl__doctor_db_failed(d);
    (void)sqlite3_finalize(st);
    if (m.n == 0 && step == SQLITE_DONE)
        pawl__doctor_say(
            d, PAWL_FINDING_OK, "integrity", "",
            "integrity_check read %lld pages and found nothing",
            (long long)pawl__doctor_int(d, "PRAGMA page_count", 0));
}

/* ------------------------------------------------------------------ schema */

/* Everything that is called ours or hangs on what is ours. */
#define DOCTOR_OBJECTS                                     \
    "SELECT name, type, tbl_name, sql FROM sqlite_schema " \
    "WHERE name LIKE 'pawl\\_%' ESCAPE '\\' OR "           \
    "tbl_name LIKE 'pawl\\_%' ESCAPE '\\' ORDER BY name"
#define DOCTOR_OBJECT \
    "SELECT name, type, tbl_name, sql FROM sqlite_schema WHERE name = ?1"

/* An object that we make: is it there, and as we make it? */
static void
doctor_expect(struct pawl__doctor *d, sqlite3_stmt *ours, sqlite3_stmt *theirs)
{
    const char *name = pawl__doctor_text(ours, 0),
               *type = pawl__doctor_text(ours, 1);
    int step;

    (void)sqlite3_reset(theirs);
    (void)sqlite3_bind_text(theirs, 1, name, -1, SQLITE_TRANSIENT);
    step = sqlite3_step(theirs);
    if (step == SQLITE_ROW && strcmp(pawl__doctor_text(theirs, 1), type) == 0 &&
        strcmp(pawl__doctor_text(theirs, 3), pawl__doctor_text(ours, 3)) == 0)
        return;
    if (strcmp(type, "table") == 0)
        d->tables_ok = false;
    if (step == SQLITE_DONE)
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "schema-missing",
            "End all workers and make it again with its statement in "
            "0001_init.sql, or restore a backup.",
            "%s %s is missing; the store will not open", type, name);
    else if (step == SQLITE_ROW)
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "schema-changed",
            "Restore a backup, or dump the jobs and push them into a "
            "new store.",
            "%s %s is not as Pawl makes it; the store will not open", type,
            name);
    else
        pawl__doctor_db_failed(d);
}

/* An object that is there: do we make one of that name? */
static void
doctor_foreign(struct pawl__doctor *d, sqlite3_stmt *theirs, sqlite3_stmt *ours)
{
    const char *name = pawl__doctor_text(theirs, 0),
               *type = pawl__doctor_text(theirs, 1);
    bool trigger = strcmp(type, "trigger") == 0;

    (void)sqlite3_reset(ours);
    (void)sqlite3_bind_text(ours, 1, name, -1, SQLITE_TRANSIENT);
    if (sqlite3_step(ours) == SQLITE_ROW)
        return;
    if (sqlite3_strnicmp(name, "pawl_", 5) == 0)
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "schema-planted",
            "Find out who made it, and DROP it.",
            "%s %s is none of Pawl's though its name says so; the store "
            "will not open",
            type, name);
    else
        pawl__doctor_say(
            d, PAWL_FINDING_WARNING,
            trigger ? "trigger-planted" : "index-planted",
            trigger ? "Find out who made it, and DROP it: it runs when "
                      "other programs write."
                    : "Find out who made it, and DROP it: it slows "
                      "every push down, and a unique one refuses some.",
            "%s %s on table %s is none of Pawl's%s", type, name,
            pawl__doctor_text(theirs, 2),
            trigger ? "; Pawl's own connections do not run it" : "");
}

static void
doctor_walk(struct pawl__doctor *d, sqlite3 *from, sqlite3 *in,
            void (*each)(struct pawl__doctor *, sqlite3_stmt *, sqlite3_stmt *))
{
    sqlite3_stmt *all = NULL, *one = NULL;
    int step = SQLITE_ERROR;

    if (sqlite3_prepare_v2(from, DOCTOR_OBJECTS, -1, &all, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(in, DOCTOR_OBJECT, -1, &one, NULL) == SQLITE_OK)
        while ((step = sqlite3_step(all)) == SQLITE_ROW)
            each(d, all, one);
    if (step != SQLITE_DONE)
        pawl__doctor_db_failed(d);
    (void)sqlite3_finalize(all);
    (void)sqlite3_finalize(one);
}

/* What we made at that version, in memory: what we expect is not written a
 * second time. */
static sqlite3 *
doctor_expected(int64_t version)
{
    sqlite3 *db = NULL;
    int i, rc;

    rc = sqlite3_open_v2(
        ":memory:", &db,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_MEMORY, NULL);
    for (i = 0; rc == SQLITE_OK && i < version; i++)
        rc = sqlite3_exec(db, pawl__schema[i], NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return db;
    (void)sqlite3_close(db);
    return NULL;
}

static void
doctor_compare(struct pawl__doctor *d, int64_t version)
{
    sqlite3 *expected = doctor_expected(version);
    size_t before = pawl__doctor_n_ill(d);

    if (expected == NULL) {
        d->nomem = true;
        return;
    }
    d->tables_ok = true;
    doctor_walk(d, expected, d->c.db, doctor_expect);
    doctor_walk(d, d->c.db, expected, doctor_foreign);
    (void)sqlite3_close(expected);
    if (d->failed)
        d->tables_ok = false;
    else if (pawl__doctor_n_ill(d) == before)
        pawl__doctor_say(
            d, PAWL_FINDING_OK, "schema", "",
            "all tables, indexes, views and triggers are as Pawl makes "
            "them, and there are no others on them");
}

/* A row of pawl_meta; otherwise where there is no such table. */
static int64_t
doctor_meta(struct pawl__doctor *d, const char *sql, int64_t otherwise)
{
    if (pawl__doctor_int(
            d,
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' "
            "AND name = 'pawl_meta'",
            0) == 0)
        return otherwise;
    return pawl__doctor_int(d, sql, 0);
}

static void
doctor_newer(struct pawl__doctor *d, int64_t version)
{
    int64_t min_writer = doctor_meta(d,
                                     "SELECT coalesce(max(value), 0) FROM "
                                     "pawl_meta WHERE key = 'min_writer'",
                                     0);

    d->tables_ok = min_writer <= pawl__schema_version;
    pawl__doctor_say(d, d->tables_ok ? PAWL_FINDING_NOTE : PAWL_FINDING_ERROR,
                     "schema-newer", "Use the newer Pawl.",
                     "the schema has version %lld, this Pawl knows %d%s",
                     (long long)version, pawl__schema_version,
                     d->tables_ok ? "" : ", and the store will not open");
}

void
pawl__doctor_check_schema(struct pawl__doctor *d)
{
    int64_t there, version;

    there =
        pawl__doctor_int(d,
                         "SELECT count(*) FROM sqlite_schema WHERE name LIKE "
                         "'pawl\\_%' ESCAPE '\\'",
                         -1);
    if (there == 0)
        pawl__doctor_say(
            d, PAWL_FINDING_WARNING, "not-a-store",
            "Is it the right file? The first push makes the tables.",
            "it has no tables of Pawl's");
    if (there <= 0)
        return;
    version = doctor_meta(d,
                          "SELECT coalesce(max(value), 0) FROM pawl_meta "
                          "WHERE key = 'schema_version'",
                          pawl__schema_version);
    if (d->failed)
        return;
    if (version > pawl__schema_version) {
        doctor_newer(d, version);
        return;
    }
    if (version < 1)
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "schema-changed", "Restore a backup.",
            "table pawl_meta says no version; the store will not open");
    else if (version < pawl__schema_version)
        pawl__doctor_say(d, PAWL_FINDING_NOTE, "schema-older",
                         "Nothing: the next open brings it up to date.",
                         "the schema has version %lld, this Pawl makes %d",
                         (long long)version, pawl__schema_version);
    doctor_compare(d, version < 1 ? pawl__schema_version : version);
}
