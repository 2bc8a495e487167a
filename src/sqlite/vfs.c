/* SPDX-License-Identifier: MIT */
/* vfs.c - the default VFS with one change: a writer restarts the log only
 * while it holds the checkpoint lock.
 *
 * SQLite 3.7.0 to 3.51.2 (but 3.44.6 and 3.50.7) has a race (its wal.html,
 * "The WAL-Reset Bug"): a checkpoint that runs without the write lock copies
 * the log's header, a writer then restarts the log, and the checkpoint, still
 * believing in the old header, marks frames of the new log as copied. The file
 * is corrupt. Our own checkpoints hold the write lock, so they cannot meet a
 * restart. Those of other programs (every sqlite3 shell checkpoints by itself)
 * do not, and are shut out here: a writer asks to restart by locking all reader
 * slots but the first; we take the checkpoint slot before, and when that is
 * held answer SQLITE_BUSY, upon which SQLite appends to the log instead.
 *
 * State: the registration is made once for the process and never undone, as
 * SQLite keeps VFSes in a list of its own. */
#include "sqlite/vfs.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "sqlite/sql.h"

/* Slots of the wal-index lock, from SQLite's walformat.html section 2.3. */
#define VFS_SLOT_CHECKPOINT 1
#define VFS_SLOT_READERS 4
#define VFS_N_READERS 4

struct vfs_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct, in the same block */
    bool checkpointing; /* SQLite itself took the checkpoint slot */
    bool restarting;    /* we took it for a restart */
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    pthread_once_t once;
} vfs = {.once = PTHREAD_ONCE_INIT};

static struct vfs_file *
vfs_self(sqlite3_file *file)
{
    return (struct vfs_file *)(void *)file;
}

static sqlite3_file *
vfs_real(sqlite3_file *file)
{
    return vfs_self(file)->real;
}

static int
vfs_close(sqlite3_file *f)
{
    sqlite3_file *real = vfs_real(f);

    return real->pMethods != NULL ? real->pMethods->xClose(real) : SQLITE_OK;
}

static int
vfs_read(sqlite3_file *f, void *data, int n, sqlite3_int64 at)
{
    return vfs_real(f)->pMethods->xRead(vfs_real(f), data, n, at);
}

static int
vfs_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
    return vfs_real(f)->pMethods->xWrite(vfs_real(f), data, n, at);
}

static int
vfs_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return vfs_real(f)->pMethods->xTruncate(vfs_real(f), size);
}

static int
vfs_sync(sqlite3_file *f, int flags)
{
    return vfs_real(f)->pMethods->xSync(vfs_real(f), flags);
}

static int
vfs_file_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return vfs_real(f)->pMethods->xFileSize(vfs_real(f), size);
}

static int
vfs_lock(sqlite3_file *f, int level)
{
    return vfs_real(f)->pMethods->xLock(vfs_real(f), level);
}

static int
vfs_unlock(sqlite3_file *f, int level)
{
    return vfs_real(f)->pMethods->xUnlock(vfs_real(f), level);
}

static int
vfs_check_lock(sqlite3_file *f, int *out)
{
    return vfs_real(f)->pMethods->xCheckReservedLock(vfs_real(f), out);
}

static int
vfs_control(sqlite3_file *f, int op, void *arg)
{
    return vfs_real(f)->pMethods->xFileControl(vfs_real(f), op, arg);
}

static int
vfs_sector_size(sqlite3_file *f)
{
    return vfs_real(f)->pMethods->xSectorSize(vfs_real(f));
}

static int
vfs_characteristics(sqlite3_file *f)
{
    return vfs_real(f)->pMethods->xDeviceCharacteristics(vfs_real(f));
}

static int
vfs_shm_map(sqlite3_file *f, int page, int size, int extend,
            void volatile **out)
{
    return vfs_real(f)->pMethods->xShmMap(vfs_real(f), page, size, extend, out);
}

static int
vfs_shm_real_lock(sqlite3_file *f, int slot, int n, int flags)
{
    return vfs_real(f)->pMethods->xShmLock(vfs_real(f), slot, n, flags);
}

static int
vfs_restart_begin(struct vfs_file *self)
{
    const int take = SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE;
    const int leave = SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE;
    int rc;

    if (self->checkpointing) /* a RESTART or TRUNCATE checkpoint: held */
        return vfs_shm_real_lock(&self->base, VFS_SLOT_READERS, VFS_N_READERS,
                                 take);
    rc = vfs_shm_real_lock(&self->base, VFS_SLOT_CHECKPOINT, 1, take);
    if (rc != SQLITE_OK)
        return rc;
    rc = vfs_shm_real_lock(&self->base, VFS_SLOT_READERS, VFS_N_READERS, take);
    if (rc == SQLITE_OK)
        self->restarting = true;
    else
        (void)vfs_shm_real_lock(&self->base, VFS_SLOT_CHECKPOINT, 1, leave);
    return rc;
}

static int
vfs_shm_lock(sqlite3_file *f, int slot, int n, int flags)
{
    struct vfs_file *self = vfs_self(f);
    bool readers = slot == VFS_SLOT_READERS && n == VFS_N_READERS;
    int rc;

    if (readers && flags == (SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE))
        return vfs_restart_begin(self);
    rc = vfs_shm_real_lock(f, slot, n, flags);
    if (slot == VFS_SLOT_CHECKPOINT && rc == SQLITE_OK)
        self->checkpointing = (flags & SQLITE_SHM_LOCK) != 0;
    if (readers && (flags & SQLITE_SHM_UNLOCK) && self->restarting) {
        self->restarting = false;
        (void)vfs_shm_real_lock(f, VFS_SLOT_CHECKPOINT, 1,
                                SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
    }
    return rc;
}

static void
vfs_shm_barrier(sqlite3_file *f)
{
    vfs_real(f)->pMethods->xShmBarrier(vfs_real(f));
}

static int
vfs_shm_unmap(sqlite3_file *f, int remove)
{
    return vfs_real(f)->pMethods->xShmUnmap(vfs_real(f), remove);
}

static int
vfs_fetch(sqlite3_file *f, sqlite3_int64 at, int n, void **out)
{
    return vfs_real(f)->pMethods->xFetch(vfs_real(f), at, n, out);
}

static int
vfs_unfetch(sqlite3_file *f, sqlite3_int64 at, void *page)
{
    return vfs_real(f)->pMethods->xUnfetch(vfs_real(f), at, page);
}

/* One table for each version of the real file's table: SQLite looks at
 * iVersion before it calls the later methods. */
#define VFS_METHODS(version_)                                                  \
    {                                                                          \
        .iVersion = (version_), .xClose = vfs_close, .xRead = vfs_read,        \
        .xWrite = vfs_write, .xTruncate = vfs_truncate, .xSync = vfs_sync,     \
        .xFileSize = vfs_file_size, .xLock = vfs_lock, .xUnlock = vfs_unlock,  \
        .xCheckReservedLock = vfs_check_lock, .xFileControl = vfs_control,     \
        .xSectorSize = vfs_sector_size,                                        \
        .xDeviceCharacteristics = vfs_characteristics, .xShmMap = vfs_shm_map, \
        .xShmLock = vfs_shm_lock, .xShmBarrier = vfs_shm_barrier,              \
        .xShmUnmap = vfs_shm_unmap, .xFetch = vfs_fetch,                       \
        .xUnfetch = vfs_unfetch                                                \
    }

static const sqlite3_io_methods vfs_methods[] = {VFS_METHODS(1), VFS_METHODS(2),
                                                 VFS_METHODS(3)};

static int
vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags,
         int *out_flags)
{
    struct vfs_file *self = vfs_self(f);
    int rc, version;

    (void)v;
    memset(self, 0, sizeof *self);
    self->real = (sqlite3_file *)(void *)(self + 1);
    self->real->pMethods = NULL;
    rc = vfs.real->xOpen(vfs.real, name, self->real, flags, out_flags);
    if (self->real->pMethods != NULL) { /* then xClose must follow */
        version = self->real->pMethods->iVersion;
        self->base.pMethods = &vfs_methods[version > 3 ? 2 : version - 1];
    }
    return rc;
}

static void
vfs_register(void)
{
    vfs.real = sqlite3_vfs_find(NULL);
    if (vfs.real == NULL)
        return;
    vfs.vfs = *vfs.real; /* the methods without a file go straight through */
    vfs.vfs.zName = "pawl";
    vfs.vfs.pNext = NULL;
    vfs.vfs.szOsFile = (int)sizeof(struct vfs_file) + vfs.real->szOsFile;
    vfs.vfs.xOpen = vfs_open;
    if (sqlite3_vfs_register(&vfs.vfs, 0) != SQLITE_OK)
        vfs.real = NULL;
}

const char *
pawl__vfs_name(void)
{
    (void)pthread_once(&vfs.once, vfs_register);
    return vfs.real != NULL ? vfs.vfs.zName : NULL;
}

bool
pawl__vfs_race(int n)
{
    if (n < 3007000 || n >= 3051003)
        return false;
    return !(n >= 3044006 && n < 3045000) && !(n >= 3050007 && n < 3051000);
}
