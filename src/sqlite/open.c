/* SPDX-License-Identifier: MIT */
/* open.c - open and close a SQLite store. */
#include "sqlite/open.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/point.h"
#include "sqlite/checkpoint.h"
#include "sqlite/commit.h"
#include "sqlite/file.h"
#include "sqlite/look.h"
#include "sqlite/migrate.h"
#include "sqlite/sweep.h"
#include "sqlite/wake.h"

static int
open_wal_frames(void *user, sqlite3 *db, const char *schema, int n)
{
    struct pawl__sqlite *s = user;

    (void)db;
    (void)schema;
    s->wal_frames = n; /* called inside COMMIT, under write_mu */
    return SQLITE_OK;
}

static bool
open_is(const unsigned char *text, const char *wanted)
{
    return text != NULL && strcmp((const char *)text, wanted) == 0;
}

static bool
open_is_wal(struct pawl__conn *c)
{
    sqlite3_stmt *st = NULL;
    bool wal = false;

    if (sqlite3_prepare_v2(c->db, "PRAGMA journal_mode", -1, &st, NULL) ==
            SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        wal = open_is(sqlite3_column_text(st, 0), "wal");
    (void)sqlite3_finalize(st);
    return wal;
}

/* Switch to WAL. SQLite asks no busy handler here, so we wait ourselves: two
 * processes may open a new file at the same moment. */
static int
open_switch_to_wal(struct pawl__conn *c, pawl_error *err)
{
    const struct timespec pause = {0, 1000000};
    int rc;

    pawl__conn_patience(c);
    for (;;) {
        rc = sqlite3_exec(c->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        if (rc == SQLITE_OK && open_is_wal(c))
            return PAWL_OK;
        if ((rc != SQLITE_OK && pawl__conn_status(rc) != PAWL_BUSY) ||
            pawl__real_us() >= c->busy_until_us)
            return pawl__conn_fail(c, "switch to WAL mode", err);
        (void)nanosleep(&pause, NULL);
    }
}

static int
open_journal(struct pawl__sqlite *s, pawl_error *err)
{
    int64_t n = 0;
    int rc;

    /* A program's own tables; Pawl's alone may have come by a backup or by the
     * schema's SQL. Reading is also what finds that it is no database. */
    rc = pawl__conn_int(&s->w,
                        "SELECT count(*) FROM sqlite_schema "
                        "WHERE name NOT LIKE 'pawl\\_%' ESCAPE '\\' AND "
                        "name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
                        &n, err);
    if (rc != PAWL_OK || open_is_wal(&s->w))
        return rc;
    if (n > 0 && !s->env.options->switch_to_wal)
        return pawl__fail(err, PAWL_UNSUPPORTED, 0,
                          "%s is a database in rollback-journal mode: run "
                          "PRAGMA journal_mode=WAL on it once, or set "
                          "switch_to_wal",
                          s->path);
    /* Before the first page is written. See shrink.c. */
    if (n == 0)
        rc = pawl__conn_exec(&s->w, "PRAGMA auto_vacuum=INCREMENTAL", err);
    return rc == PAWL_OK ? open_switch_to_wal(&s->w, err) : rc;
}

static int
open_ask_shrink(struct pawl__sqlite *s, pawl_error *err)
{
    int64_t mode = 0;
    int rc = pawl__conn_int(&s->w, "PRAGMA auto_vacuum", &mode, err);

    s->may_shrink = mode == 2; /* INCREMENTAL */
    return rc;
}

static char *
open_path(const char *path, const char *suffix)
{
    size_t n = strlen(path) + strlen(suffix) + 1;
    char *joined = pawl__malloc(n);

    if (joined != NULL)
        (void)snprintf(joined, n, "%s%s", path, suffix);
    return joined;
}

static int
open_connections(struct pawl__sqlite *s, pawl_error *err)
{
    const pawl_options *o = s->env.options;
    int rc;

    pawl__guard_look(&s->guard, s->path);
    rc = pawl__conn_open(&s->w, s->path, o->busy_timeout_ms,
                         o->max_payload_bytes, err);
    if (rc == PAWL_OK)
        rc = open_journal(s, err);
    if (rc == PAWL_OK)
        rc = pawl__conn_synchronous(&s->w, o->durability == PAWL_POWER ? 2 : 1,
                                    err);
    if (rc == PAWL_OK)
        rc = pawl__migrate(&s->w, err);
    if (rc == PAWL_OK)
        rc = open_ask_shrink(s, err);
    if (rc == PAWL_OK)
        pawl__guard_lock(&s->guard, s->path);
    if (rc == PAWL_OK)
        rc = pawl__conn_prepare_ends(&s->w, err);
    if (rc == PAWL_OK)
        rc = pawl__conn_open(&s->r, s->path, o->busy_timeout_ms,
                             o->max_payload_bytes, err);
    if (rc == PAWL_OK) /* it checkpoints: syncs, but never writes by SQL */
        rc = pawl__conn_exec(
            &s->r, "PRAGMA synchronous=FULL; PRAGMA query_only=ON;", err);
    if (rc == PAWL_OK)
        rc = pawl__conn_prepare_ends(&s->r, err);
    if (rc == PAWL_OK)
        (void)sqlite3_wal_hook(s->w.db, open_wal_frames, s);
    return rc;
}

/* A read makes the -wal where it is missing; from here on it must stay. */
static int
open_remember_log(struct pawl__sqlite *s, pawl_error *err)
{
    int64_t version = 0;
    int rc = pawl__look_version(s, &version, err);

    if (rc == PAWL_OK &&
        !pawl__place_remember(&s->place, s->path, s->wal_path, s->shm_path))
        rc = pawl__fail(err, PAWL_IO, errno,
                        "look at the files of %s: %s; another program moves or "
                        "deletes them",
                        s->path, strerror(errno));
    return rc;
}

static int
open_all(struct pawl__sqlite *s, const char *location, pawl_error *err)
{
    const pawl_options *o = s->env.options;
    unsigned mode = 0600;
    int rc;

    rc = pawl__file_prepare(location, o->must_exist != 0,
                            o->unsafe_file_system != 0, &s->path, &mode, err);
    if (rc != PAWL_OK)
        return rc;
    pawl__point("open: file made");
    s->wal_path = open_path(s->path, "-wal");
    s->shm_path = open_path(s->path, "-shm");
    s->side_path = open_path(s->path, "-pawl");
    if (s->wal_path == NULL || s->shm_path == NULL || s->side_path == NULL)
        return pawl__fail_nomem(err);
    rc = open_connections(s, err);
    if (rc == PAWL_OK)
        rc = pawl__side_open(&s->side, s->side_path, mode,
                             pawl__rng_id(&s->w.rng), err);
    pawl__point("open: side file made");
    if (rc == PAWL_OK)
        rc = open_remember_log(s, err);
    if (rc == PAWL_OK)
        rc = pawl__wake_init(s, err);
    return rc;
}

static void
open_free(struct pawl__sqlite *s)
{
    pawl__wake_clear(&s->wake);
    pawl__side_close(&s->side);
    pawl__place_clear(&s->place);
    pawl__commit_clear(&s->commit);
    pawl__mutex_clear(&s->write_mu);
    pawl__mutex_clear(&s->read_mu);
    pawl__free(s->path);
    pawl__free(s->wal_path);
    pawl__free(s->shm_path);
    pawl__free(s->side_path);
    pawl__free(s);
}

int
pawl__sqlite_open(const char *location, const struct pawl__env *env,
                  void **self, pawl_error *theirs)
{
    pawl_error own, *err = theirs != NULL ? theirs : &own;
    struct pawl__sqlite *s = pawl__calloc(1, sizeof *s);
    int rc;

    *self = NULL;
    if (s == NULL)
        return pawl__fail_nomem(err);
    s->env = *env;
    s->guard.fd = -1;
    pawl__place_init(&s->place);
    s->side.fd = s->side.slot = -1;
    s->wake.event_fd = s->wake.timer_fd = -1;
    s->wake.wal_fd = s->wake.side_fd = -1;
    pawl__mutex_init(&s->write_mu, PAWL__RANK_WRITE);
    pawl__mutex_init(&s->read_mu, PAWL__RANK_READ);
    (void)pawl__commit_init(&s->commit);
    rc = open_all(s, location, err);
    if (rc != PAWL_OK) {
        pawl__conn_close(&s->r);
        pawl__guard_unlock(&s->guard);
        pawl__conn_close(&s->w);
        open_free(s);
        return rc;
    }
    *self = s;
    return PAWL_OK;
}

void
pawl__sqlite_close(void *self, bool after_fork)
{
    struct pawl__sqlite *s = self;
    pawl_error ignored;

    if (!after_fork) {
        (void)pawl__commit_sync(s, &ignored);
        pawl__sqlite_worker_stop(s);
        pawl__lock(&s->write_mu);
        /* The last to close checkpoints too, holding every lock. A poisoned
         * store is left as it is for the next to recover. */
        pawl__checkpoint_if_due(s);
        pawl__conn_close(&s->r);
        pawl__guard_unlock(&s->guard);
        pawl__conn_close(&s->w);
        pawl__unlock(&s->write_mu);
    } /* else the parent's connections are left alone: SQLite must not know */
    open_free(s);
}
