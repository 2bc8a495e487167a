/* SPDX-License-Identifier: MIT */
/* side.c - the file JOBS.DB-pawl.
 *
 *   page 0        header: magic, mark, boot, whether the disk is low, the bell
 *   page 1..256   a worker each: the jobs that its threads run
 *   then          8 MiB of ballast, never mapped
 *
 * Locks: byte LOCK_BASE + slot belongs to a worker; byte LOCK_BASE - 1 is held
 * while the header is written. They are OFD locks (of the open file, not of
 * the process), so two stores in one process do not meet. The mapping's words
 * are atomics; each worker writes its own page only.
 *
 * A page is touched only where blocks were allocated for it: a write into a
 * hole of a full disk would be a SIGBUS. */
#include "sqlite/side.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define SIDE_PAGE 4096
#define SIDE_MAPPED ((off_t)SIDE_PAGE * (1 + PAWL__SIDE_WORKERS))
/* Two full logs (checkpoint.c): one to be copied back, and one for acks. */
#define SIDE_BALLAST ((off_t)8 << 20)
#define SIDE_LOCK_BASE ((off_t)1 << 30)
#define SIDE_MAGIC 0x316c776170ULL /* "pawl1" */

struct side_worker {
    _Atomic int64_t jobs[PAWL__SIDE_THREADS];
    _Atomic int64_t pid, space, began; /* see side_who(); 0: not known */
    char rest[SIDE_PAGE - PAWL__SIDE_THREADS * 8 - 24];
};

struct pawl__side_map {
    _Atomic uint64_t magic;
    _Atomic int64_t mark;
    _Atomic int64_t boot;
    _Atomic uint32_t low;     /* 1: the ballast was given back to a full disk */
    _Atomic uint32_t awaited; /* 1: somebody waits for a commit */
    char bell; /* written to by write(), which inotify tells of */
    char rest[SIDE_PAGE - 33];
    struct side_worker workers[PAWL__SIDE_WORKERS];
};

static int
side_lock(int fd, int command, short type, off_t at)
{
    struct flock lock;
    int rc;

    memset(&lock, 0, sizeof lock); /* l_pid must be 0 for OFD locks */
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = at;
    lock.l_len = 1;
    do
        rc = fcntl(fd, command, &lock);
    while (rc != 0 && errno == EINTR);
    if (rc == 0 && command == F_OFD_GETLK)
        return lock.l_type == F_UNLCK ? 0 : 1;
    return rc;
}

#ifdef PAWL_TESTING
int64_t pawl__side_boot;
#endif

/* The kernel's id of this boot, folded to 63 bits; 1 where the kernel has
 * none. That it cannot be read just now is an error: all processes must agree,
 * as a worker of another boot counts as dead. */
static int
side_read_boot(int64_t *boot)
{
    char text[64];
    uint64_t h = 1469598103934665603ULL; /* FNV-1a */
    ssize_t n, i;
    int fd;

    *boot = 1;
#ifdef PAWL_TESTING
    if (pawl__side_boot != 0) {
        *boot = pawl__side_boot;
        return 0;
    }
#endif
    fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    n = read(fd, text, sizeof text);
    (void)close(fd);
    if (n <= 0)
        return -1;
    for (i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211ULL;
    *boot = (int64_t)(h >> 1) | 1;
    return 0;
}

static int
side_fail(pawl_error *err, const char *path, const char *doing)
{
    int status = errno == ENOSPC || errno == EDQUOT ? PAWL_FULL
                 : errno == EACCES || errno == EROFS || errno == EPERM
                     ? PAWL_READONLY
                     : PAWL_IO;

    return pawl__fail(err, status, errno,
                      "%s the side file %s: %s; it must be writable where the "
                      "database is",
                      doing, path, strerror(errno));
}

/* As SQLite does with the -wal: whoever may open the database may open this,
 * whatever our umask, and though it was root who made it. What fails here is
 * told by whoever cannot open it. */
static void
side_share(int fd, const char *path)
{
    char database[PATH_MAX];
    size_t n = strlen(path) - strlen("-pawl");
    struct stat ours, st;

    if (n >= sizeof database)
        return;
    memcpy(database, path, n);
    database[n] = '\0';
    if (stat(database, &st) != 0 || fstat(fd, &ours) != 0)
        return;
    if ((ours.st_uid != st.st_uid || ours.st_gid != st.st_gid) &&
        geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) != 0)
        return;
    if ((ours.st_mode & 0777U) != (st.st_mode & 0666U))
        (void)fchmod(fd, st.st_mode & 0666U);
}

/* Under the header's lock: make the file what this boot expects. A file of an
 * earlier boot gets a new mark, as what it says of workers is void. */
static int
side_prepare(struct pawl__side *side, const char *path, int64_t new_mark,
             pawl_error *err)
{
    struct stat st;
    int rc;

    if (fstat(side->fd, &st) != 0)
        return side_fail(err, path, "look at");
    if (st.st_size < SIDE_MAPPED && ftruncate(side->fd, SIDE_MAPPED) != 0)
        return side_fail(err, path, "grow");
    rc = posix_fallocate(side->fd, 0, SIDE_PAGE);
    if (rc != 0) {
        errno = rc;
        return side_fail(err, path, "grow");
    }
    side->map = mmap(NULL, (size_t)SIDE_MAPPED, PROT_READ | PROT_WRITE,
                     MAP_SHARED, side->fd, 0);
    if (side->map == MAP_FAILED) {
        side->map = NULL;
        return side_fail(err, path, "map");
    }
    if (atomic_load(&side->map->magic) != SIDE_MAGIC ||
        atomic_load(&side->map->boot) != side->boot) {
        atomic_store(&side->map->mark, new_mark);
        atomic_store(&side->map->boot, side->boot);
        atomic_store(&side->map->low, 0U);
        atomic_store(&side->map->magic, SIDE_MAGIC);
    }
    side->mark = atomic_load(&side->map->mark);
    return PAWL_OK;
}

int
pawl__side_open(struct pawl__side *side, const char *path, unsigned mode,
                int64_t new_mark, pawl_error *err)
{
    int rc;

    memset(side, 0, sizeof *side);
    side->slot = -1;
    side->fd = -1;
    if (side_read_boot(&side->boot) != 0)
        return side_fail(err, path, "read the machine's boot id, for");
    side->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                    (mode_t)(mode & 0666));
    if (side->fd < 0)
        return side_fail(err, path, "open");
    side_share(side->fd, path);
    if (side_lock(side->fd, F_OFD_SETLKW, F_WRLCK, SIDE_LOCK_BASE - 1) != 0)
        rc = pawl__fail(err, PAWL_UNSUPPORTED, errno,
                        "lock the side file %s: %s; this file system has no "
                        "OFD locks",
                        path, strerror(errno));
    else
        rc = side_prepare(side, path, new_mark, err);
    (void)side_lock(side->fd, F_OFD_SETLK, F_UNLCK, SIDE_LOCK_BASE - 1);
    if (rc != PAWL_OK)
        pawl__side_close(side);
    return rc;
}

void
pawl__side_close(struct pawl__side *side)
{
    if (side->map != NULL)
        (void)munmap(side->map, (size_t)SIDE_MAPPED);
    if (side->fd >= 0)
        (void)close(side->fd); /* drops our locks, unless a fork has it too */
    side->map = NULL;
    side->fd = -1;
    side->slot = -1;
}

/* The process that a worker is: its pid, in which name space, and when it
 * began, as pids are used again. */

/* The name space of pids that we are in, 0: not known. */
static int64_t
side_space(void)
{
    struct stat st;

    return stat("/proc/self/ns/pid", &st) == 0 ? (int64_t)st.st_ino : 0;
}

/* When a process began, in ticks since the boot. 0: not known, -1: it is not
 * there, or has ended and waits for its parent. From proc(5)'s stat: field 3 is
 * the state, 20 the number of threads (a first thread that ended alone looks
 * like a dead process, but for that), 22 the time. */
static int64_t
side_began(pid_t pid)
{
    char path[40], text[1024], state = 0;
    long threads = 0;
    long long began = 0;
    const char *at;
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) /* also where /proc hides the processes of others */
        return errno == ENOENT && kill(pid, 0) != 0 && errno == ESRCH ? -1 : 0;
    n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (n <= 0)
        return n < 0 && errno == ESRCH ? -1 : 0;
    text[n] = '\0';
    at = strrchr(text, ')'); /* the name before may hold anything */
    if (at == NULL ||
        sscanf(at + 1,
               " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
               "%*s %*s %ld %*s %lld",
               &state, &threads, &began) != 3)
        return 0;
    return (state == 'Z' || state == 'X') && threads <= 1 ? -1 : began;
}

bool
pawl__side_is_gone(const struct pawl__side *side, int slot)
{
    const struct side_worker *w = &side->map->workers[slot];
    int64_t pid = atomic_load(&w->pid), began = atomic_load(&w->began), now;

    if (pid <= 0 || began <= 0 || atomic_load(&w->space) == 0 ||
        atomic_load(&w->space) != side_space())
        return false;
    now = side_began((pid_t)pid);
    return now != 0 && now != began;
}

int
pawl__side_take(struct pawl__side *side, int from)
{
    int slot;

    for (slot = from; slot < PAWL__SIDE_WORKERS; slot++)
        if (slot != side->slot && side_lock(side->fd, F_OFD_SETLK, F_WRLCK,
                                            SIDE_LOCK_BASE + slot) == 0)
            return slot;
    return -1;
}

int
pawl__side_sign(struct pawl__side *side, int slot, pawl_error *err)
{
    struct side_worker *w = &side->map->workers[slot];
    int rc;

    rc = posix_fallocate(side->fd, (off_t)SIDE_PAGE * (1 + slot), SIDE_PAGE);
    if (rc != 0)
        return pawl__fail(err, rc == ENOSPC ? PAWL_FULL : PAWL_IO, rc,
                          "grow the side file: %s; make room on the disk",
                          strerror(rc));
    atomic_store(&w->pid, 0); /* half of it must not be read as a whole */
    atomic_store(&w->space, side_space());
    atomic_store(&w->began, side_began(getpid()));
    atomic_store(&w->pid, (int64_t)getpid());
    return PAWL_OK;
}

void
pawl__side_begin(struct pawl__side *side, int slot)
{
    int i;

    for (i = 0; i < PAWL__SIDE_THREADS; i++)
        atomic_store_explicit(&side->map->workers[slot].jobs[i], 0,
                              memory_order_relaxed);
    side->slot = slot;
}

void
pawl__side_release(struct pawl__side *side, int slot)
{
    (void)side_lock(side->fd, F_OFD_SETLK, F_UNLCK, SIDE_LOCK_BASE + slot);
    if (side->slot == slot)
        side->slot = -1;
}

bool
pawl__side_held(const struct pawl__side *side, int slot)
{
    if (slot < 0 || slot >= PAWL__SIDE_WORKERS)
        return false;
    /* An error is taken for a held lock: never rob a worker that may live. */
    return side_lock(side->fd, F_OFD_GETLK, F_WRLCK, SIDE_LOCK_BASE + slot) !=
           0;
}

void
pawl__side_running(struct pawl__side *side, int thread, int64_t job)
{
    /* Relaxed: only another process reads it, and only after our death. */
    atomic_store_explicit(&side->map->workers[side->slot].jobs[thread], job,
                          memory_order_relaxed);
}

bool
pawl__side_was_running(const struct pawl__side *side, int slot, int64_t job)
{
    int i;

    if (slot < 0 || slot >= PAWL__SIDE_WORKERS)
        return false;
    for (i = 0; i < PAWL__SIDE_THREADS; i++)
        if (atomic_load_explicit(&side->map->workers[slot].jobs[i],
                                 memory_order_relaxed) == job)
            return true;
    return false;
}

void
pawl__side_await(struct pawl__side *side)
{
    atomic_store(&side->map->awaited, 1U);
}

void
pawl__side_ring(struct pawl__side *side)
{
    const char bell = 1;

    /* One ring wakes all, and each asks again when it waits again. */
    if (atomic_load(&side->map->awaited) != 0U &&
        atomic_exchange(&side->map->awaited, 0U) != 0U)
        (void)!pwrite(side->fd, &bell, 1,
                      (off_t)offsetof(struct pawl__side_map, bell));
}

bool
pawl__side_ballast_keep(struct pawl__side *side)
{
    if (posix_fallocate(side->fd, SIDE_MAPPED, SIDE_BALLAST) != 0)
        return false;
    atomic_store(&side->map->low, 0U);
    return true;
}

void
pawl__side_ballast_drop(struct pawl__side *side)
{
    atomic_store(&side->map->low, 1U);
    if (ftruncate(side->fd, SIDE_MAPPED) != 0)
        return; /* then there is nothing to give */
}

bool
pawl__side_low(const struct pawl__side *side)
{
    return atomic_load(&side->map->low) != 0U;
}
