/* SPDX-License-Identifier: MIT */
/* guard.c - a lock on the database that no stray close() can drop.
 *
 * POSIX drops all locks of a process on a file when the process closes any of
 * its descriptors (SQLite's howtocorrupt.html, 2.2). A host program that
 * copies, stats by opening or chmods the database, or that has a second SQLite
 * in it, thus takes away the lock by which others see that we are there; the
 * next sqlite3 shell to exit then takes itself for the last, and deletes the
 * log under our feet. commit.c notices that, but not a deletion that falls
 * between its look and the next commit.
 *
 * An OFD lock belongs to the open file, not to the process: it goes when that
 * very descriptor is closed. So SQLite's own descriptor gets one too, for
 * reading, on the bytes that SQLite's SHARED lock takes (fileformat2 calls
 * them the lock-byte page; os.h, SHARED_FIRST). To others it looks like one
 * more reader. A descriptor of our own would not do: to close it would be the
 * very thing to guard against. */
#include "sqlite/guard.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define GUARD_SHARED_FIRST 0x40000002
#define GUARD_SHARED_BYTES 510

static int
guard_list(const char *path, int fds[PAWL__GUARD_FDS])
{
    DIR *dir = opendir("/proc/self/fd");
    struct stat wanted, st;
    struct dirent *e;
    char name[300];
    int n = 0;

    if (dir == NULL)
        return 0;
    if (stat(path, &wanted) != 0)
        wanted.st_ino = 0;
    while (n < PAWL__GUARD_FDS && (e = readdir(dir)) != NULL) {
        /* By name, not fstat(): another thread may close it just now, which
         * thread checkers take for a race. "." is a folder: it never fits. */
        (void)snprintf(name, sizeof name, "/proc/self/fd/%s", e->d_name);
        if (stat(name, &st) == 0 && st.st_ino == wanted.st_ino &&
            st.st_dev == wanted.st_dev)
            fds[n++] = atoi(e->d_name);
    }
    (void)closedir(dir);
    return n;
}

static int
guard_set(int fd, short type)
{
    struct flock lock;

    memset(&lock, 0, sizeof lock);
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = GUARD_SHARED_FIRST;
    lock.l_len = GUARD_SHARED_BYTES;
    return fcntl(fd, F_OFD_SETLK, &lock);
}

static bool
guard_was_there(const struct pawl__guard *guard, int fd)
{
    int i;

    for (i = 0; i < guard->n_before; i++)
        if (guard->before[i] == fd)
            return true;
    return false;
}

void
pawl__guard_look(struct pawl__guard *guard, const char *path)
{
    guard->fd = -1;
    guard->n_before = guard_list(path, guard->before);
}

void
pawl__guard_lock(struct pawl__guard *guard, const char *path)
{
    int fds[PAWL__GUARD_FDS];
    int n = guard_list(path, fds), i;

    for (i = 0; i < n && guard->fd < 0; i++)
        if (!guard_was_there(guard, fds[i]) && guard_set(fds[i], F_RDLCK) == 0)
            guard->fd = fds[i];
}

void
pawl__guard_unlock(struct pawl__guard *guard)
{
    if (guard->fd >= 0)
        (void)guard_set(guard->fd, F_UNLCK);
    guard->fd = -1;
}
