/* SPDX-License-Identifier: MIT */
/* fuse.c - a process that kills itself at a stop point. */
#include "torture/fuse.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/point.h"
#include "lib/pass_vfs.h"
#include "lib/support.h"
#include "torture/log.h"

const char *const fuse_points[] = {
    "open: file made",
    "open: side file made",
    "migrate: begun",
    "migrate: made",
    "migrate: committed",
    "worker: registered",
    "worker: noted what runs",
    "worker: forgotten",
    "push: stored",
    "claim: promoted",
    "claim: reserved",
    "settle: claim deleted",
    "rescue: counted",
    "rescue: claims deleted",
    "commit: begun",
    "commit: applied",
    "commit: committed",
    "commit: told",
    "shrink: moved",
    "checkpoint: begun",
    "checkpoint: copied",
    "sqlite: database written",
    "sqlite: database truncated",
    "sqlite: database synced",
    "sqlite: log written",
    "sqlite: log truncated",
    "sqlite: log synced",
    "sqlite: index mapped",
    "sqlite: index locked",
    "sqlite: file deleted",
};
const size_t fuse_n_points = sizeof fuse_points / sizeof fuse_points[0];

static const char *fuse_name;
static _Atomic long fuse_left;

static void
fuse_point(const char *name)
{
    if (strcmp(name, fuse_name) != 0 || atomic_fetch_sub(&fuse_left, 1) != 1)
        return;
    support_flush_coverage();
    log_dying(0);
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

void
fuse_set(const char *point, long nth)
{
    fuse_name = point;
    atomic_store(&fuse_left, nth);
    pawl__point_hook(point != NULL ? fuse_point : NULL);
}

/* ------------------------------------------------------------------- VFS */

static const char *
fuse_name_of(const struct pass_io *io)
{
    bool db = io->file == PASS_DATABASE;

    switch (io->call) {
    case PASS_WRITE:
        return db ? "sqlite: database written" : "sqlite: log written";
    case PASS_TRUNCATE:
        return db ? "sqlite: database truncated" : "sqlite: log truncated";
    case PASS_SYNC:
        return db ? "sqlite: database synced" : "sqlite: log synced";
    case PASS_SHM_MAP:
        return "sqlite: index mapped";
    case PASS_SHM_LOCK:
        return "sqlite: index locked";
    case PASS_DELETE:
        return "sqlite: file deleted";
    default:
        return NULL;
    }
}

static void
fuse_after(const struct pass_io *io, int rc)
{
    const char *name = fuse_name_of(io);

    (void)rc;
    if (name != NULL)
        pawl__point(name);
}

void
fuse_vfs_register(void)
{
    pass_vfs_register(NULL, fuse_after);
}
