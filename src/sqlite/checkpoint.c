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
 * No push waits for a long one: the log is kept short. */
#include "sqlite/checkpoint.h"

#define CHECKPOINT_FRAMES 1000

void
pawl__checkpoint_locked(struct pawl__sqlite *s)
{
    pawl_error ignored;
    int n_log = 0, n_copied = 0, rc;

    if (pawl__stmt_run_ints(&s->w, PAWL__STMT_BEGIN_WRITE, 0, 0, "begin",
                            &ignored) != PAWL_OK)
        return; /* busy: another time */
    pawl__lock(&s->read_mu);
    rc = sqlite3_wal_checkpoint_v2(s->r.db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                   &n_log, &n_copied);
    pawl__unlock(&s->read_mu);
    (void)pawl__stmt_run_ints(&s->w, PAWL__STMT_COMMIT, 0, 0, "end", &ignored);
    /* The log's own fsync failed: what it held may never reach the disk. */
    if ((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CORRUPT)
        pawl__store_poison(s);
    s->wal_frames = 0;
}

void
pawl__checkpoint_if_due(struct pawl__sqlite *s)
{
    if (s->wal_frames >= CHECKPOINT_FRAMES &&
        atomic_load_explicit(&s->poisoned, memory_order_relaxed) == 0)
        pawl__checkpoint_locked(s);
}
