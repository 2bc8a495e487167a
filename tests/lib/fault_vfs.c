/* SPDX-License-Identifier: MIT */
/* fault_vfs.c - a VFS that fails on demand. */
#include "lib/fault_vfs.h"

#include <check.h>
#include <sqlite3.h>

_Atomic int fault_vfs_wal_syncs;
_Atomic long fault_vfs_n_wal_syncs;
_Atomic int64_t fault_vfs_room = -1;

/* SQLite's own VFS has one table of methods for databases and another for the
 * rest. Each is copied, and some methods replaced. */
static sqlite3_vfs fault_vfs, *fault_real;
static const sqlite3_io_methods *real_db, *real_wal;
static sqlite3_io_methods fault_db, fault_wal;

static const sqlite3_io_methods *
fault_real_of(const sqlite3_file *file)
{
    return file->pMethods == &fault_wal ? real_wal : real_db;
}

static int
fault_sync(sqlite3_file *file, int flags)
{
    int left = atomic_load(&fault_vfs_wal_syncs);

    if (file->pMethods == &fault_wal) {
        atomic_fetch_add(&fault_vfs_n_wal_syncs, 1);
        if (left != 0) {
            if (left > 0)
                atomic_fetch_sub(&fault_vfs_wal_syncs, 1);
            return SQLITE_IOERR_FSYNC;
        }
    }
    return fault_real_of(file)->xSync(file, flags);
}

static int
fault_write(sqlite3_file *file, const void *data, int n, sqlite3_int64 at)
{
    int64_t room = atomic_load(&fault_vfs_room);
    sqlite3_int64 size = 0, grows;

    if (room >= 0) {
        (void)fault_real_of(file)->xFileSize(file, &size);
        grows = at + n - size;
        if (grows > room)
            return SQLITE_FULL;
        if (grows > 0)
            atomic_fetch_sub(&fault_vfs_room, grows);
    }
    return fault_real_of(file)->xWrite(file, data, n, at);
}

static void
fault_wrap(sqlite3_file *file, const sqlite3_io_methods **real,
           sqlite3_io_methods *ours)
{
    if (*real == NULL) {
        *ours = *file->pMethods;
        ours->xSync = fault_sync;
        ours->xWrite = fault_write;
        *real = file->pMethods;
    }
    file->pMethods = ours;
}

static int
fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
           int *out)
{
    int rc = fault_real->xOpen(fault_real, name, file, flags, out);

    (void)vfs;
    if (rc != SQLITE_OK)
        return rc;
    if (flags & SQLITE_OPEN_MAIN_DB)
        fault_wrap(file, &real_db, &fault_db);
    else if (flags & SQLITE_OPEN_WAL)
        fault_wrap(file, &real_wal, &fault_wal);
    return rc;
}

void
fault_vfs_register(void)
{
    fault_real = sqlite3_vfs_find(NULL);
    ck_assert_ptr_nonnull(fault_real);
    fault_vfs = *fault_real;
    fault_vfs.zName = "fault";
    fault_vfs.pNext = NULL;
    fault_vfs.xOpen = fault_open;
    ck_assert_int_eq(sqlite3_vfs_register(&fault_vfs, 1), SQLITE_OK);
}
