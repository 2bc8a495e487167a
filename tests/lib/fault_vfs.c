/* SPDX-License-Identifier: MIT */
/* fault_vfs.c - a VFS that fails on demand. */
#include "lib/fault_vfs.h"

#include <stddef.h>

#include "lib/pass_vfs.h"

_Atomic int fault_vfs_wal_syncs;
_Atomic long fault_vfs_n_wal_syncs;
_Atomic int64_t fault_vfs_room = -1;

static int
fault_sync(void)
{
    int left = atomic_load(&fault_vfs_wal_syncs);

    atomic_fetch_add(&fault_vfs_n_wal_syncs, 1);
    if (left > 0)
        atomic_fetch_sub(&fault_vfs_wal_syncs, 1);
    return left != 0 ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int
fault_write(const struct pass_io *io)
{
    int64_t room = atomic_load(&fault_vfs_room);
    sqlite3_int64 size = 0, grows;

    if (room < 0)
        return SQLITE_OK;
    (void)io->real->pMethods->xFileSize(io->real, &size);
    grows = io->at + io->n - size;
    if (grows > room)
        return SQLITE_FULL;
    if (grows > 0)
        atomic_fetch_sub(&fault_vfs_room, grows);
    return SQLITE_OK;
}

static int
fault_before(const struct pass_io *io)
{
    if (io->call == PASS_SYNC && io->file == PASS_LOG)
        return fault_sync();
    return io->call == PASS_WRITE ? fault_write(io) : SQLITE_OK;
}

void
fault_vfs_register(void)
{
    pass_vfs_register(fault_before, NULL);
}
