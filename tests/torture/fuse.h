/* SPDX-License-Identifier: MIT */
/* fuse.h - a process that kills itself at a stop point.
 *
 * The points are those of the library (base/point.h), and one after each call
 * that SQLite makes on a file, so that a death may also fall between the steps
 * of a commit, a checkpoint or a recovery inside SQLite. */
#ifndef PAWL_TESTS_TORTURE_FUSE_H
#define PAWL_TESTS_TORTURE_FUSE_H

#include <stddef.h>

/* The points' names. */
extern const char *const fuse_points[];
extern const size_t fuse_n_points;

/* Before SQLite opens anything: a VFS whose calls are points. */
void fuse_vfs_register(void);

/* From now on: kill -9 this process when it passes point for the nth time.
 * NULL: never. */
void fuse_set(const char *point, long nth);

#endif
