/* SPDX-License-Identifier: MIT */
/* doctor_lock.c - who holds SQLite's locks, and who pins the log.
 *
 * Closing a descriptor of the file drops all locks that this process has on it:
 * so this comes before SQLite opens anything, and not at all where the process
 * has the file open already. */
#include "sqlite/doctor_part.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DOCTOR_LOG \
    (16 * PAWL__DOCTOR_MIB) /* four times what Pawl lets it grow */
#define DOCTOR_PROBES 100   /* of 10 ms: stuck, not busy */

/* --------------------------------------------------------------- processes */

/* The name and state letter of a process; false where it cannot be seen. */
static bool
doctor_process(pid_t pid, char name[32], char *state)
{
    char path[40], text[128];
    const char *from, *to;
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    from = strchr(text, '('); /* 12 (name) S ...; the name may hold ')' */
    to = strrchr(text, ')');
    if (from == NULL || to == NULL || to < from || to[1] != ' ')
        return false;
    (void)snprintf(name, 32, "%.*s", (int)(to - from - 1), from + 1);
    *state = to[2];
    return true;
}

bool
pawl__doctor_is_stopped(pid_t pid)
{
    char name[32], state = '?';

    return pid > 0 && doctor_process(pid, name, &state) &&
           (state == 'T' || state == 't');
}

#define DOCTOR_WHO 100

/* "process 12 (sqlite3)", from what F_GETLK says. */
static const char *
doctor_who(pid_t pid, char out[DOCTOR_WHO])
{
    char name[32], state = '?';

    if (pid == -1)
        (void)snprintf(out, DOCTOR_WHO,
                       "a process that the kernel does not name (OFD locks)");
    else if (pid <= 0)
        (void)snprintf(out, DOCTOR_WHO,
                       "a process of another container or machine");
    else if (!doctor_process(pid, name, &state))
        (void)snprintf(out, DOCTOR_WHO, "process %ld", (long)pid);
    else
        (void)snprintf(out, DOCTOR_WHO, "process %ld (%s%s)", (long)pid, name,
                       state == 'T' || state == 't' ? ", stopped" : "");
    return out;
}

/* ------------------------------------------------------------------- locks */

/* Bytes of SQLite's locks, from its walformat.html (-shm) and os.h (file). */
#define DOCTOR_SHM_WRITE 120
#define DOCTOR_SHM_CHECKPOINT 121
#define DOCTOR_SHM_READERS 123
#define DOCTOR_N_READERS 5
#define DOCTOR_DB_LOCKS 0x40000000
#define DOCTOR_SHM_BYTES 136 /* both copies of the header, marks, locks */

struct doctor_locks {
    int db, shm; /* descriptors, -1: none */
    unsigned char head[DOCTOR_SHM_BYTES];
};

/* Would a lock of this type meet another process's? */
static bool
doctor_held(int fd, short type, off_t at, off_t bytes, pid_t *pid)
{
    struct flock lock;

    memset(&lock, 0, sizeof lock);
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = at;
    lock.l_len = bytes;
    if (fd < 0 || fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
        return false;
    *pid = lock.l_pid;
    return true;
}

/* Held by one process for a second in which nothing in the log's index moved?
 * A busy store is locked at most moments too, but its commits count there. */
static bool
doctor_stuck(const struct doctor_locks *l, int fd, short type, off_t at,
             off_t bytes, pid_t *pid)
{
    const struct timespec pause = {0, 10000000};
    unsigned char now[DOCTOR_SHM_BYTES];
    pid_t other = 0;
    int i;

    if (!doctor_held(fd, type, at, bytes, pid))
        return false;
    for (i = 0; i < DOCTOR_PROBES; i++) {
        (void)nanosleep(&pause, NULL);
        if (!doctor_held(fd, type, at, bytes, &other) || other != *pid)
            return false;
        if (l->shm >= 0 &&
            pread(l->shm, now, sizeof now, 0) == (ssize_t)sizeof now &&
            memcmp(now, l->head, sizeof now) != 0)
            return false;
    }
    return true;
}

static void
doctor_check_writer(struct pawl__doctor *d, const struct doctor_locks *l)
{
    char who[DOCTOR_WHO];
    pid_t pid = 0;
    bool log = true, stuck;

    stuck = doctor_stuck(l, l->shm, F_WRLCK, DOCTOR_SHM_WRITE, 1, &pid);
    if (!stuck) { /* a read lock there meets those of a journal's writer only */
        log = false;
        d->db_busy = doctor_held(l->db, F_RDLCK, DOCTOR_DB_LOCKS, 512, &pid);
        stuck = doctor_stuck(l, l->db, F_RDLCK, DOCTOR_DB_LOCKS, 512, &pid);
    }
    if (stuck)
        pawl__doctor_say(
            d,
            pawl__doctor_is_stopped(pid) ? PAWL_FINDING_ERROR
                                         : PAWL_FINDING_WARNING,
            "write-lock-held",
            "Let that process end its transaction, continue it if it "
            "is stopped, or end it: the lock goes with it.",
            "%s has held %s for more than a second without a commit; "
            "pushes, claims and acks wait",
            doctor_who(pid, who),
            log ? "the write lock" : "the lock on the whole file");
    else if (doctor_stuck(l, l->shm, F_WRLCK, DOCTOR_SHM_CHECKPOINT, 1, &pid))
        pawl__doctor_say(
            d, PAWL_FINDING_WARNING, "checkpoint-lock-held",
            "Continue or end that process: the log grows meanwhile.",
            "%s has been in a checkpoint for more than a second without "
            "getting on",
            doctor_who(pid, who));
    else
        pawl__doctor_say(d, PAWL_FINDING_OK, "locks", "",
                         "nobody holds the write lock for long");
}

static uint32_t
doctor_word(const struct doctor_locks *l, size_t at)
{
    uint32_t n;

    memcpy(&n, l->head + at, sizeof n); /* in the machine's own byte order */
    return n;
}

/* The slot of a reader with an old snapshot, or -1. Slot 0 is for those who
 * read the database alone: nothing may be copied into it meanwhile. */
static int
doctor_old_reader(const struct doctor_locks *l, uint32_t *mark, pid_t *pid)
{
    uint32_t newest = doctor_word(l, 16);
    int i;

    for (i = 0; i < DOCTOR_N_READERS; i++) {
        *mark = i == 0 ? 0 : doctor_word(l, 100 + 4 * (size_t)i);
        if (*mark < newest &&
            doctor_held(l->shm, F_WRLCK, DOCTOR_SHM_READERS + i, 1, pid))
            return i;
    }
    return -1;
}

static void
doctor_check_log(struct pawl__doctor *d, const struct doctor_locks *l)
{
    uint32_t frames = doctor_word(l, 16), copied = doctor_word(l, 96), mark = 0;
    uint16_t page;
    int64_t bytes;
    char who[DOCTOR_WHO];
    pid_t pid = 0;
    int slot;

    memcpy(&page, l->head + 14, sizeof page);
    bytes = (int64_t)frames * (24 + (page > 1 ? page : 65536));
    slot = bytes >= DOCTOR_LOG ? doctor_old_reader(l, &mark, &pid) : -1;
    if (slot >= 0)
        pawl__doctor_say(
            d, PAWL_FINDING_WARNING, "wal-pinned",
            "Let that reader end its transaction, or end the process.",
            "the log has %lu frames (%lld MiB) and %lu are copied back: "
            "%s reads from frame %lu (lock byte %d of -shm)",
            (unsigned long)frames, (long long)(bytes / PAWL__DOCTOR_MIB),
            (unsigned long)copied, doctor_who(pid, who), (unsigned long)mark,
            DOCTOR_SHM_READERS + slot);
    else if (bytes >= DOCTOR_LOG)
        pawl__doctor_say(
            d, PAWL_FINDING_NOTE, "wal-large",
            "Nothing; look again when somebody has committed.",
            "the log has %lu frames (%lld MiB), %lu copied back; no "
            "reader pins it now",
            (unsigned long)frames, (long long)(bytes / PAWL__DOCTOR_MIB),
            (unsigned long)copied);
    else
        pawl__doctor_say(d, PAWL_FINDING_OK, "wal", "",
                         "the log has %lu frames (%lld KiB)",
                         (unsigned long)frames, (long long)(bytes / 1024));
}

static bool
doctor_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Has this process the database or what SQLite has beside it open, by whatever
 * means? Where that cannot be seen the answer is yes. */
static bool
doctor_is_open_here(const struct pawl__doctor *d)
{
    DIR *all = opendir("/proc/self/fd");
    bool found = all == NULL;
    struct dirent *entry;
    struct stat st;

    while (!found && (entry = readdir(all)) != NULL) {
        if (entry->d_name[0] == '.' ||
            fstatat(dirfd(all), entry->d_name, &st, 0) != 0)
            continue;
        found = doctor_same(&st, &d->st) ||
                (d->is_beside[PAWL__DOCTOR_WAL] &&
                 doctor_same(&st, &d->st_beside[PAWL__DOCTOR_WAL])) ||
                (d->is_beside[PAWL__DOCTOR_SHM] &&
                 doctor_same(&st, &d->st_beside[PAWL__DOCTOR_SHM]));
    }
    if (all != NULL)
        (void)closedir(all);
    return found;
}

void
pawl__doctor_check_locks(struct pawl__doctor *d)
{
    const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    struct doctor_locks l;

    if (doctor_is_open_here(d)) {
        d->db_busy = true; /* perhaps */
        pawl__doctor_say(
            d, PAWL_FINDING_NOTE, "locks-not-seen",
            "Run pawl doctor in a process of its own.",
            "this process has the file open, and looking would drop "
            "its locks");
        return;
    }
    l.db = open(d->path, flags);
    l.shm = open(d->beside[PAWL__DOCTOR_SHM], flags);
    memset(l.head, 0, sizeof l.head);
    if (l.shm >= 0)
        (void)pread(l.shm, l.head, sizeof l.head, 0);
    doctor_check_writer(d, &l);
    if (l.shm >= 0 && l.head[12] != 0) /* isInit */
        doctor_check_log(d, &l);
    if (l.shm >= 0)
        (void)close(l.shm);
    if (l.db >= 0)
        (void)close(l.db);
}
