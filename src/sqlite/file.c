/* SPDX-License-Identifier: MIT */
/* file.c - the database file before SQLite opens it. */
#include "sqlite/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"

bool
pawl__file_id(const char *path, struct pawl__file_id *id)
{
#ifdef STATX_INO
    struct statx stx;

    /* Not stat(): asking for the times of a file makes the kernel keep them
     * finer, and each write to the log then dirties its inode too: the next
     * fdatasync takes a third longer (measured on ext4, Linux 6.18). */
    if (statx(AT_FDCWD, path, 0, STATX_INO, &stx) == 0) {
        id->dev = (uint64_t)stx.stx_dev_major << 32 | stx.stx_dev_minor;
        id->ino = stx.stx_ino;
        return true;
    }
    if (errno != ENOSYS)
        return false;
#endif
    {
        struct stat st;

        if (stat(path, &st) != 0)
            return false;
        id->dev = (uint64_t)st.st_dev;
        id->ino = (uint64_t)st.st_ino;
    }
    return true;
}

static int
file_status(int e)
{
    switch (e) {
    case ENOSPC:
    case EDQUOT:
        return PAWL_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOENT:
    case ENOTDIR:
        return PAWL_READONLY;
    case ENAMETOOLONG:
    case ELOOP:
        return PAWL_INVALID;
    default:
        return PAWL_IO;
    }
}

static int
file_fail(const char *doing, const char *path, pawl_error *err)
{
    return pawl__fail(err, file_status(errno), errno,
                      "%s %s: %s; the folder must exist and be writable by "
                      "this user",
                      doing, path, strerror(errno));
}

/* The real path of location, whose last part may not exist yet. */
static int
file_resolve(const char *location, char *out, pawl_error *err)
{
    char dir[PATH_MAX], real[PATH_MAX];
    const char *base = strrchr(location, '/');
    size_t n;

    if (realpath(location, out) != NULL)
        return PAWL_OK;
    if (errno != ENOENT)
        return file_fail("find", location, err);
    base = base != NULL ? base + 1 : location;
    n = (size_t)(base - location);
    if (*base == '\0' || strcmp(base, ".") == 0 || strcmp(base, "..") == 0 ||
        n >= sizeof dir)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "store URL %s names a folder, not a file", location);
    memcpy(dir, location, n);
    dir[n] = '\0';
    if (realpath(n > 0 ? dir : ".", real) == NULL)
        return file_fail("find the folder of", location, err);
    n = strcmp(real, "/") != 0 ? strlen(real) : 0;
    if (n + 1 + strlen(base) + sizeof "-wal..." >= PATH_MAX)
        return pawl__fail(err, PAWL_INVALID, ENAMETOOLONG,
                          "the store's path is too long");
    memcpy(out, real, n);
    out[n] = '/';
    memcpy(out + n + 1, base, strlen(base) + 1);
    return PAWL_OK;
}

/* Closed again before SQLite opens anything here, so no lock is dropped; with
 * O_EXCL a file that anybody has open is never touched. */
static int
file_create(const char *path, pawl_error *err)
{
    int fd =
        open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd >= 0)
        (void)close(fd);
    else if (errno != EEXIST)
        return file_fail("create the store", path, err);
    return PAWL_OK;
}

/* Magics from statfs(2) and linux/magic.h. WAL needs memory shared between all
 * processes on the file: not there across machines and in most FUSE mounts. */
static const struct {
    unsigned long magic;
    const char *name;
} file_systems[] = {
    {0x6969UL, "NFS"},      {0xff534d42UL, "SMB"},  {0xfe534d42UL, "SMB"},
    {0x517bUL, "SMB"},      {0x65735546UL, "FUSE"}, {0x01021997UL, "9p"},
    {0x00c36400UL, "Ceph"}, {0x5346414fUL, "AFS"},  {0x6a656a63UL, "virtiofs"},
};

static int
file_check_system(const char *path, pawl_error *err)
{
    struct statfs fs;
    size_t i;

    if (statfs(path, &fs) != 0)
        return file_fail("look at the file system of", path, err);
    for (i = 0; i < sizeof file_systems / sizeof file_systems[0]; i++)
        if (((unsigned long)fs.f_type & 0xffffffffUL) == file_systems[i].magic)
            return pawl__fail(err, PAWL_UNSUPPORTED, 0,
                              "%s is on %s, where SQLite's WAL mode loses "
                              "data: put the store on a local disk, or set "
                              "unsafe_file_system",
                              path, file_systems[i].name);
    return PAWL_OK;
}

static int
file_check(const char *path, bool any_file_system, unsigned *mode,
           pawl_error *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return file_fail("look at", path, err);
    if (!S_ISREG(st.st_mode))
        return pawl__fail(err, PAWL_INVALID, 0,
                          "%s is no regular file: name a file for the store",
                          path);
    if (st.st_nlink > 1)
        return pawl__fail(err, PAWL_UNSUPPORTED, 0,
                          "%s has %lu hard links: two names would be two "
                          "logs; copy it to a file of its own",
                          path, (unsigned long)st.st_nlink);
    if (access(path, R_OK | W_OK) != 0)
        return file_fail("write to", path, err);
    *mode = (unsigned)st.st_mode & 0777U;
    return any_file_system ? PAWL_OK : file_check_system(path, err);
}

int
pawl__file_prepare(const char *location, bool must_exist, bool any_file_system,
                   char **path, unsigned *mode, pawl_error *err)
{
    char real[PATH_MAX];
    struct stat st;
    int rc;

    *path = NULL;
    if (location[0] == '\0')
        return pawl__fail(err, PAWL_INVALID, 0,
                          "the store URL is empty: give a path");
    rc = file_resolve(location, real, err);
    if (rc == PAWL_OK && stat(real, &st) != 0 && errno == ENOENT)
        rc = must_exist ? pawl__fail(err, PAWL_NOT_FOUND, 0,
                                     "there is no store %s", location)
                        : file_create(real, err);
    if (rc == PAWL_OK)
        rc = file_check(real, any_file_system, mode, err);
    if (rc != PAWL_OK)
        return rc;
    *path = pawl__strdup(real);
    return *path != NULL ? PAWL_OK : pawl__fail_nomem(err);
}
