/* SPDX-License-Identifier: MIT */
/* fault_vfs.h - a VFS that fails on demand. It becomes SQLite's default, over
 * which the library lays its own. */
#ifndef PAWL_TESTS_FAULT_VFS_H
#define PAWL_TESTS_FAULT_VFS_H

#include <stdatomic.h>
#include <stdint.h>

/* The next syncs of a -wal that fail with an I/O error; -1: all. */
extern _Atomic int fault_vfs_wal_syncs;
/* How many syncs of a -wal there were. */
extern _Atomic long fault_vfs_n_wal_syncs;
/* All files together may grow by so many bytes; -1: no limit. */
extern _Atomic int64_t fault_vfs_room;

/* Before the first open of a database in this process. */
void fault_vfs_register(void);

#endif
