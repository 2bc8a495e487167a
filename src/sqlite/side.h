/* SPDX-License-Identifier: MIT */
/* side.h - the file JOBS.DB-pawl: who lives, and what he runs.
 *
 * Liveness is a lock, not a lease: a worker holds an OFD lock on its own byte,
 * which the kernel drops at any death and keeps through suspend and SIGSTOP.
 * The file is also a small shared mapping in which each thread of a worker
 * notes the job that it runs: exact after a crash, without a write to the
 * database. A commit writes a byte of the file where somebody waits for one:
 * the log is written before a commit shows, and says nothing of the moment
 * when it does. Behind the mapping lies a ballast of real blocks that is given
 * back to a full disk, so that acks still get through (promise 12). */
#ifndef PAWL_SQLITE_SIDE_H
#define PAWL_SQLITE_SIDE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define PAWL__SIDE_WORKERS 256
#define PAWL__SIDE_THREADS 480

struct pawl__side_map; /* the mapping's layout: side.c */

struct pawl__side {
    int fd; /* -1: not open */
    struct pawl__side_map *map;
    int64_t mark; /* of this file, drawn when it was made */
    int64_t boot; /* of this boot of the machine */
    int slot;     /* ours, -1: none */
};

/* Open or make the file and map it. mode: that of the database. */
int pawl__side_open(struct pawl__side *side, const char *path, unsigned mode,
                    int64_t new_mark, pawl_error *err);
void pawl__side_close(struct pawl__side *side);

/* Take the lock of a free slot, from slot from on. -1: none is free. */
int pawl__side_take(struct pawl__side *side, int from);
/* Write into the taken slot who we are, before others can read of us. What its
 * last worker ran stays. FULL when it finds no blocks. */
int pawl__side_sign(struct pawl__side *side, int slot, pawl_error *err);
/* Make it ours: all threads idle. */
void pawl__side_begin(struct pawl__side *side, int slot);
void pawl__side_release(struct pawl__side *side, int slot);
/* Does anybody, in this process or another, hold the slot? Not for ours. */
bool pawl__side_held(const struct pawl__side *side, int slot);

/* Is the process that took the slot gone, though the lock is held? A child that
 * it forked keeps the lock with its copy of the descriptor. */
bool pawl__side_is_gone(const struct pawl__side *side, int slot);

/* Our thread runs job (0: none). */
void pawl__side_running(struct pawl__side *side, int thread, int64_t job);
/* Is the job noted as running in that slot? */
bool pawl__side_was_running(const struct pawl__side *side, int slot,
                            int64_t job);

/* Ask for a ring after the next commit, by any process; to be asked before the
 * last look at what was committed. inotify tells of it (IN_MODIFY). */
void pawl__side_await(struct pawl__side *side);
/* A commit can be seen: tell those who wait. Two loads when nobody does. */
void pawl__side_ring(struct pawl__side *side);

/* Keep the ballast: false when the disk has no room for it. */
bool pawl__side_ballast_keep(struct pawl__side *side);
/* Give it back. Until it is kept again the store is low, for all processes. */
void pawl__side_ballast_drop(struct pawl__side *side);
bool pawl__side_low(const struct pawl__side *side);

#ifdef PAWL_TESTING
extern int64_t pawl__side_boot; /* this boot, when not 0 */
#endif

#endif
