/* SPDX-License-Identifier: MIT */
/* checkpoint.c - copy the log back into the database, holding the write lock.
 *
 * A checkpoint without the write lock can meet a writer that restarts the log,
 * and SQLite 3.7.0 to 3.51.2 then corrupts the file (vfs.c tells how). So: the
 * write connection begins a transaction, which keeps writers of all processes
 * from restarting the log; the read connection, which is in no transaction,
 * checkpoints PASSIVE, which never waits for readers; the write connection
 * ends its transaction. Automatic checkpoints are off on all our connections.
 *
 * No push waits for a long one: the log is kept short. A reader that stays in
 * one transaction makes it grow meanwhile; its room is given back later. */
#include "sqlite/checkpoint.h"

#include "base/point.h"

#define CHECKPOINT_FRAMES 1000
/* When the disk was full: the log's room is wanted for the reserve again. */
#define CHECKPOINT_FRAMES_LOW 64

void
pawl__checkpoint_locked(struct pawl__sqlite *s)
{
    pawl_error ignored;
    int n_log = 0, n_copied = 0, rc;

    if (pawl__stmt_run_ints(&s->w, PAWL__STMT_BEGIN_WRITE, 0, 0, "begin",
                            &ignored) != PAWL_OK)
        return; /* busy: another time */
    pawl__point("checkpoint: begun");
    pawl__lock(&s->read_mu);
    rc = sqlite3_wal_checkpoint_v2(s->r.db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                   &n_log, &n_copied);
    pawl__unlock(&s->read_mu);
    pawl__point("checkpoint: copied");
    (void)pawl__stmt_run_ints(&s->w, PAWL__STMT_COMMIT, 0, 0, "end", &ignored);
    /* The log's own fsync failed: what it held may never reach the disk. */
    if ((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CORRUPT)
        pawl__store_poison(s);
    s->wal_frames = 0;
}

/* The first commit after a checkpoint truncates a log that had grown beyond
 * the limit: under a reader that stayed long, or before the disk was full. */
static void
checkpoint_limit(struct pawl__sqlite *s, bool low)
{
    pawl_error ignored;

    if (s->log_limited && s->log_limited_low == low)
        return;
    s->log_limited_low = low;
    s->log_limited = pawl__conn_exec(&s->w,
                                     low ? "PRAGMA journal_size_limit=262144"
                                         : "PRAGMA journal_size_limit=8388608",
                                     &ignored) == PAWL_OK;
}

void
pawl__checkpoint_if_due(struct pawl__sqlite *s)
{
    bool low = pawl__side_low(&s->side);

    if (s->wal_frames < (low ? CHECKPOINT_FRAMES_LOW : CHECKPOINT_FRAMES) ||
        atomic_load_explicit(&s->poisoned, memory_order_relaxed) != 0)
        return;
    checkpoint_limit(s, low);
    pawl__checkpoint_locked(s);
}
