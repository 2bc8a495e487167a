/* SPDX-License-Identifier: MIT */
/* pass_vfs.c - a VFS that passes each call on. */
#include "lib/pass_vfs.h"

#include <stdlib.h>
#include <string.h>

struct pass_handle {
    sqlite3_file base;
    enum pass_file file;
    bool synced; /* once, through this handle */
    sqlite3_file *real;
};

static sqlite3_vfs pass_vfs, *pass_real;
static pass_before_fn pass_before;
static pass_after_fn pass_after;

static struct pass_handle *
pass_self(sqlite3_file *file)
{
    return (struct pass_handle *)(void *)file;
}

static sqlite3_file *
pass_file_of(sqlite3_file *file)
{
    return pass_self(file)->real;
}

static int
pass_ask(const struct pass_io *io)
{
    return pass_before != NULL ? pass_before(io) : SQLITE_OK;
}

static int
pass_tell(const struct pass_io *io, int rc)
{
    if (pass_after != NULL)
        pass_after(io, rc);
    return rc;
}

/* Ask, call unless refused, tell. */
#define PASS(io_, call_)                         \
    do {                                         \
        int rc_ = pass_ask(&(io_));              \
        if (rc_ == SQLITE_OK)                    \
            return pass_tell(&(io_), (call_));   \
        if (rc_ == PASS_SKIP)                    \
            return pass_tell(&(io_), SQLITE_OK); \
        return rc_;                              \
    } while (0)

static struct pass_io
pass_io_of(sqlite3_file *f, enum pass_call call)
{
    struct pass_io io = {.call = call};

    io.file = pass_self(f)->file;
    io.real = pass_file_of(f);
    return io;
}

static int
pass_close(sqlite3_file *f)
{
    return pass_file_of(f)->pMethods->xClose(pass_file_of(f));
}

static int
pass_read(sqlite3_file *f, void *data, int n, sqlite3_int64 at)
{
    struct pass_io io = pass_io_of(f, PASS_READ);
    int rc;

    io.n = n;
    io.at = at;
    rc = pass_ask(&io);
    if (rc == SQLITE_IOERR_SHORT_READ)
        memset(data, 0, (size_t)n);
    if (rc != SQLITE_OK)
        return rc;
    return pass_tell(&io,
                     pass_file_of(f)->pMethods->xRead(io.real, data, n, at));
}

static int
pass_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
    struct pass_io io = pass_io_of(f, PASS_WRITE);

    io.data = data;
    io.n = n;
    io.at = at;
    PASS(io, io.real->pMethods->xWrite(io.real, data, n, at));
}

static int
pass_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    struct pass_io io = pass_io_of(f, PASS_TRUNCATE);

    io.at = size;
    PASS(io, io.real->pMethods->xTruncate(io.real, size));
}

static int
pass_sync(sqlite3_file *f, int flags)
{
    struct pass_io io = pass_io_of(f, PASS_SYNC);

    io.at = !pass_self(f)->synced && io.file != PASS_DATABASE;
    pass_self(f)->synced = true;
    PASS(io, io.real->pMethods->xSync(io.real, flags));
}

static int
pass_size(sqlite3_file *f, sqlite3_int64 *size)
{
    struct pass_io io = pass_io_of(f, PASS_SIZE);

    PASS(io, io.real->pMethods->xFileSize(io.real, size));
}

static int
pass_lock(sqlite3_file *f, int level)
{
    struct pass_io io = pass_io_of(f, PASS_LOCK);

    PASS(io, io.real->pMethods->xLock(io.real, level));
}

static int
pass_unlock(sqlite3_file *f, int level)
{
    return pass_file_of(f)->pMethods->xUnlock(pass_file_of(f), level);
}

static int
pass_check_lock(sqlite3_file *f, int *out)
{
    return pass_file_of(f)->pMethods->xCheckReservedLock(pass_file_of(f), out);
}

static int
pass_control(sqlite3_file *f, int op, void *arg)
{
    return pass_file_of(f)->pMethods->xFileControl(pass_file_of(f), op, arg);
}

static int
pass_sector(sqlite3_file *f)
{
    return pass_file_of(f)->pMethods->xSectorSize(pass_file_of(f));
}

static int
pass_traits(sqlite3_file *f)
{
    return pass_file_of(f)->pMethods->xDeviceCharacteristics(pass_file_of(f));
}

static int
pass_shm_map(sqlite3_file *f, int page, int size, int extend,
             void volatile **out)
{
    struct pass_io io = pass_io_of(f, PASS_SHM_MAP);

    PASS(io, io.real->pMethods->xShmMap(io.real, page, size, extend, out));
}

static int
pass_shm_lock(sqlite3_file *f, int slot, int n, int flags)
{
    struct pass_io io = pass_io_of(f, PASS_SHM_LOCK);

    if (flags & SQLITE_SHM_UNLOCK) /* never fails */
        return io.real->pMethods->xShmLock(io.real, slot, n, flags);
    PASS(io, io.real->pMethods->xShmLock(io.real, slot, n, flags));
}

static void
pass_shm_barrier(sqlite3_file *f)
{
    pass_file_of(f)->pMethods->xShmBarrier(pass_file_of(f));
}

static int
pass_shm_unmap(sqlite3_file *f, int remove)
{
    return pass_file_of(f)->pMethods->xShmUnmap(pass_file_of(f), remove);
}

static const sqlite3_io_methods pass_methods = {
    .iVersion = 2,
    .xClose = pass_close,
    .xRead = pass_read,
    .xWrite = pass_write,
    .xTruncate = pass_truncate,
    .xSync = pass_sync,
    .xFileSize = pass_size,
    .xLock = pass_lock,
    .xUnlock = pass_unlock,
    .xCheckReservedLock = pass_check_lock,
    .xFileControl = pass_control,
    .xSectorSize = pass_sector,
    .xDeviceCharacteristics = pass_traits,
    .xShmMap = pass_shm_map,
    .xShmLock = pass_shm_lock,
    .xShmBarrier = pass_shm_barrier,
    .xShmUnmap = pass_shm_unmap,
};

static enum pass_file
pass_kind(int flags)
{
    if (flags & SQLITE_OPEN_MAIN_DB)
        return PASS_DATABASE;
    if (flags & SQLITE_OPEN_WAL)
        return PASS_LOG;
    return flags & SQLITE_OPEN_MAIN_JOURNAL ? PASS_JOURNAL : PASS_OTHER;
}

static enum pass_file
pass_kind_of_path(const char *path)
{
    size_t n = strlen(path);

    if (n > 4 && strcmp(path + n - 4, "-wal") == 0)
        return PASS_LOG;
    if (n > 8 && strcmp(path + n - 8, "-journal") == 0)
        return PASS_JOURNAL;
    return PASS_OTHER;
}

static int
pass_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags,
          int *out)
{
    struct pass_handle *self = pass_self(f);
    struct pass_io io = {.call = PASS_OPEN, .path = path};
    int rc;

    (void)vfs;
    memset(self, 0, sizeof *self);
    self->real = (sqlite3_file *)(void *)(self + 1);
    self->file = io.file = pass_kind(flags);
    rc = pass_ask(&io);
    if (rc != SQLITE_OK)
        return rc;
    rc = pass_real->xOpen(pass_real, path, self->real, flags, out);
    if (self->real->pMethods != NULL)
        self->base.pMethods = &pass_methods;
    return pass_tell(&io, rc);
}

static int
pass_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    struct pass_io io = {.call = PASS_DELETE, .path = path, .at = sync_folder};

    (void)vfs;
    io.file = pass_kind_of_path(path);
    PASS(io, pass_real->xDelete(pass_real, path, sync_folder));
}

static int
pass_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    struct pass_io io = {.call = PASS_ACCESS, .path = path};

    (void)vfs;
    io.file = pass_kind_of_path(path);
    PASS(io, pass_real->xAccess(pass_real, path, flags, out));
}

void
pass_vfs_register(pass_before_fn before, pass_after_fn after)
{
    pass_real = sqlite3_vfs_find(NULL);
    if (pass_real == NULL)
        abort();
    pass_before = before;
    pass_after = after;
    pass_vfs = *pass_real;
    pass_vfs.zName = "pass";
    pass_vfs.pNext = NULL;
    pass_vfs.szOsFile = (int)sizeof(struct pass_handle) + pass_real->szOsFile;
    pass_vfs.xOpen = pass_open;
    pass_vfs.xDelete = pass_delete;
    pass_vfs.xAccess = pass_access;
    if (sqlite3_vfs_register(&pass_vfs, 1) != SQLITE_OK)
        abort();
}
