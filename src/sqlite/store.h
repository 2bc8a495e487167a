/* SPDX-License-Identifier: MIT */
/* store.h - one opened SQLite store: connections, group commit, side file.
 *
 * Locks, in order of rank: commit (gathering), write (the write connection),
 * read (the read connection). */
#ifndef PAWL_SQLITE_STORE_H
#define PAWL_SQLITE_STORE_H

#include <stdatomic.h>

#include "base/thread.h"
#include "driver/driver.h"
#include "sqlite/conn.h"
#include "sqlite/place.h"
#include "sqlite/guard.h"
#include "sqlite/side.h"

struct pawl__batch;

/* Who writes next; see commit.c. Guarded by mu but where it says otherwise. */
struct pawl__commit {
    struct pawl__mutex mu;
    struct pawl__batch *gathering; /* operations for the next transaction */
    bool leading;                  /* someone runs a transaction */
    bool syncing;                  /* and it ends with a sync */
    _Atomic(uintptr_t) leader;     /* its thread, while it calls back */
    size_t last_n;                 /* operations in the last transaction */
    int64_t last_us;               /* and how long it took */
    struct pawl__op *async_first, *async_last; /* pushes nobody waits for */
    size_t n_async;                            /* in that list */
    uint64_t async_started, async_finished;    /* ever; the latter after the
                                                  callback */
    struct pawl__cond async_done;
};

struct pawl__wake {
    int event_fd;       /* interrupt() */
    bool watching;      /* the three below were made, as far as they could be */
    int wal_fd;         /* inotify on the -wal; -1: none, poll instead */
    int side_fd;        /* inotify on the side file */
    int timer_fd;       /* CLOCK_REALTIME, told of clock steps */
    uint64_t n_commits; /* of ours, as last seen */
    bool written;       /* the log was, and no look since was conclusive */
    int64_t version;    /* PRAGMA data_version as last seen */
};

struct pawl__sqlite {
    struct pawl__env env;
    char *path, *wal_path, *shm_path, *side_path;

    struct pawl__commit commit;

    struct pawl__mutex write_mu; /* guards the block below */
    struct pawl__conn w;
    uint64_t n_commits; /* of ours */
    int wal_frames;     /* in the log after the last commit */
    bool log_limited;   /* to what it may grow; see checkpoint.c */
    bool log_limited_low;
    bool may_shrink;          /* the file is Pawl's own; fixed at open */
    bool shrinking;           /* see shrink.c */
    int64_t tx_top;           /* highest id in this transaction; 0: not asked */
    char known_queue[65];     /* a queue whose row is known to be there */
    struct pawl__place place; /* of the files; see commit.c */
    struct pawl__guard guard;

    struct pawl__mutex read_mu;
    struct pawl__conn r; /* guarded by read_mu; checkpoints too */

    _Atomic int poisoned; /* 1: refuse work (promise 2) */

    struct pawl__side side;
    struct pawl__wake wake;
};

/* POISONED with its sentence, or PAWL_OK. */
int pawl__store_check(struct pawl__sqlite *s, pawl_error *err);
/* From now on the store refuses work. */
void pawl__store_poison(struct pawl__sqlite *s);

#endif
