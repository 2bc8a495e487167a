/* SPDX-License-Identifier: MIT */
/* guard.h - a lock on the database that no stray close() can drop. */
#ifndef PAWL_SQLITE_GUARD_H
#define PAWL_SQLITE_GUARD_H

#define PAWL__GUARD_FDS 64

/* The descriptors of a file in this process; as many as fit. */
struct pawl__guard {
    int before[PAWL__GUARD_FDS];
    int n_before;
    int fd; /* the one that carries the lock, SQLite's own; -1: none */
};

/* Note which descriptors lead to the file, before SQLite opens it. */
void pawl__guard_look(struct pawl__guard *guard, const char *path);
/* Lock by the one that SQLite has opened since. Where that cannot be done the
 * store works without. */
void pawl__guard_lock(struct pawl__guard *guard, const char *path);
/* Before SQLite closes its connection: it may want the file for itself. */
void pawl__guard_unlock(struct pawl__guard *guard);

#endif
