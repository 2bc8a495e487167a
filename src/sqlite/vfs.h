/* SPDX-License-Identifier: MIT */
/* vfs.h - the VFS that closes the WAL-reset race for our writers. */
#ifndef PAWL_SQLITE_VFS_H
#define PAWL_SQLITE_VFS_H

#include <stdbool.h>

/* The name to open databases with, registering it at the first call; NULL when
 * memory is out. It lies over the default VFS of that moment. Threads: any. */
const char *pawl__vfs_name(void);

/* Does a SQLite of this number (sqlite3_libversion_number) have the race? */
bool pawl__vfs_race(int version_number);

#endif
