/* SPDX-License-Identifier: MIT */
/* pass_vfs.h - a VFS that passes each call on to SQLite's own, and lets a test
 * look at it or refuse it. It becomes the default, over which the library lays
 * its own. */
#ifndef PAWL_TESTS_PASS_VFS_H
#define PAWL_TESTS_PASS_VFS_H

#include <sqlite3.h>
#include <stdbool.h>

enum pass_call {
    PASS_OPEN,
    PASS_DELETE,
    PASS_ACCESS,
    PASS_READ,
    PASS_WRITE,
    PASS_TRUNCATE,
    PASS_SYNC,
    PASS_SIZE,
    PASS_LOCK,
    PASS_SHM_MAP,
    PASS_SHM_LOCK
};

enum pass_file { PASS_DATABASE, PASS_LOG, PASS_JOURNAL, PASS_OTHER };

struct pass_io {
    enum pass_call call;
    enum pass_file file;
    const char *path; /* OPEN, DELETE, ACCESS */
    const void *data; /* WRITE */
    sqlite3_int64 n;  /* READ, WRITE: bytes */
    sqlite3_int64 at; /* READ, WRITE: offset; TRUNCATE: size; DELETE: 1: the
                         folder is synced; SYNC: 1: so it is here, with the
                         first sync of a log or journal, as SQLite's own VFS
                         does for files that it may have created */
    sqlite3_file *real;
};

#define PASS_SKIP (-1) /* do not call, say it went well */

/* before: SQLITE_OK to go on, PASS_SKIP, or what to answer instead of calling
 * (SQLITE_IOERR_SHORT_READ fills the buffer with zeros). after: what the call
 * gave; not for refused calls. Either may be NULL. Called from any thread. */
typedef int (*pass_before_fn)(const struct pass_io *io);
typedef void (*pass_after_fn)(const struct pass_io *io, int rc);

/* Before SQLite opens anything in this process. */
void pass_vfs_register(pass_before_fn before, pass_after_fn after);

#endif
