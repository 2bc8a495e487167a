/* SPDX-License-Identifier: MIT */
/* doctor_file.c - what stat() tells of the file and of those beside it. */
#include "sqlite/doctor_part.h"

#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void
doctor_check_links(struct pawl__doctor *d, const char *location)
{
    struct stat st;

    if (lstat(location, &st) == 0 && S_ISLNK(st.st_mode))
        pawl__doctor_say(
            d, PAWL_FINDING_NOTE, "symbolic-link", "",
            "the path is a symbolic link to %s; the log lies beside "
            "that file",
            d->path);
    if (d->st.st_nlink > 1)
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "hard-links",
            "Copy it to a file of its own while nobody has it open, "
            "and remove the other names.",
            "the file has %lu names (hard links), and each would have "
            "a log of its own",
            (unsigned long)d->st.st_nlink);
}

static void
doctor_check_mode(struct pawl__doctor *d)
{
    unsigned mode = (unsigned)d->st.st_mode & 07777U;

    if (d->st.st_uid != geteuid())
        pawl__doctor_say(d, PAWL_FINDING_NOTE, "other-owner",
                         "Work on it as its owner, or give access by a group.",
                         "the file belongs to user %lu, and this is user %lu",
                         (unsigned long)d->st.st_uid, (unsigned long)geteuid());
    if (mode & 0002U)
        pawl__doctor_say(
            d, PAWL_FINDING_WARNING, "others-may-write",
            "chmod o-w the file and those beside it.",
            "the file has mode %04o: every user of the machine may "
            "push and change jobs",
            mode);
    if (mode & 0004U)
        pawl__doctor_say(
            d, PAWL_FINDING_NOTE, "others-may-read",
            "chmod o-r the file and those beside it, if payloads are "
            "private.",
            "the file has mode %04o: every user of the machine may "
            "read payloads",
            mode);
}

static void
doctor_check_folder(struct pawl__doctor *d)
{
    char folder[PATH_MAX];
    struct stat st;
    char *slash;

    memcpy(folder, d->path, sizeof folder);
    slash = strrchr(folder, '/');
    if (slash == NULL)
        return;
    slash[slash == folder ? 1 : 0] = '\0';
    if (stat(folder, &st) != 0)
        return;
    if ((st.st_mode & 0002U) != 0)
        pawl__doctor_say(
            d,
            (st.st_mode & S_ISVTX) != 0 ? PAWL_FINDING_NOTE
                                        : PAWL_FINDING_WARNING,
            "others-may-write-folder",
            "Put the store into a folder of its own, with mode 0700 or "
            "0750.",
            "the folder %s has mode %04o: every user of the machine "
            "may put files beside the store",
            folder, (unsigned)st.st_mode & 07777U);
    if (access(folder, W_OK | X_OK) != 0)
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "folder-denied",
            "Give this user write permission for the folder.",
            "the folder %s may not be written by this user, and the "
            "files beside the store come and go",
            folder);
}

/* Can the database's owner use a file that is another's? */
static bool
doctor_is_shared(const struct pawl__doctor *d, const struct stat *st)
{
    return (st->st_mode & 0006U) == 0006U ||
           ((st->st_mode & 0060U) == 0060U && st->st_gid == d->st.st_gid);
}

/* What lies beside the file must open for those for whom the file does. */
static void
doctor_check_beside(struct pawl__doctor *d, enum pawl__beside which)
{
    const struct stat *st = &d->st_beside[which];
    const char *path = d->beside[which];

    if (!S_ISREG(st->st_mode))
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "side-file-kind",
            "Find out who put it there, and remove it while nobody has "
            "the store open.",
            "%s is no regular file", path);
    else if (access(path, R_OK | W_OK) != 0)
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "side-file-denied",
            "Give it the owner and mode of the database.",
            "%s (user %lu, mode %04o) may not be read and written by "
            "this user",
            path, (unsigned long)st->st_uid, (unsigned)st->st_mode & 07777U);
    else if (st->st_uid != d->st.st_uid && !doctor_is_shared(d, st))
        pawl__doctor_say(
            d, PAWL_FINDING_WARNING, "side-file-owner",
            "Give it the owner and mode of the database.",
            "%s belongs to user %lu with mode %04o, the database to "
            "user %lu, who may not be able to open it",
            path, (unsigned long)st->st_uid, (unsigned)st->st_mode & 07777U,
            (unsigned long)d->st.st_uid);
    else if ((d->st.st_mode & 0066U & ~st->st_mode) != 0)
        pawl__doctor_say(d, PAWL_FINDING_WARNING, "side-file-mode",
                         "Give it the mode of the database.",
                         "%s has mode %04o, which gives less than that of the "
                         "database: some who may open that may not open this",
                         path, (unsigned)st->st_mode & 07777U);
    else if ((st->st_mode & 0006U & ~d->st.st_mode) != 0)
        pawl__doctor_say(d, PAWL_FINDING_WARNING, "others-may-write",
                         "Give it the mode of the database.",
                         "%s has mode %04o, which gives more than that of the "
                         "database",
                         path, (unsigned)st->st_mode & 07777U);
}

static void
doctor_check_room(struct pawl__doctor *d)
{
    struct statvfs fs;
    int64_t free_bytes;

    if (statvfs(d->path, &fs) != 0 || fs.f_frsize == 0)
        return;
    free_bytes = fs.f_bavail > (uint64_t)INT64_MAX / fs.f_frsize
                     ? INT64_MAX
                     : (int64_t)(fs.f_bavail * fs.f_frsize);
    if (free_bytes < PAWL__DOCTOR_RESERVE)
        pawl__doctor_say(
            d, PAWL_FINDING_WARNING, "disk-low",
            "Make room on the disk: pushes fail when it is full.",
            "the file system has %lld KiB left, less than the reserve "
            "for acks",
            (long long)(free_bytes / 1024));
    else
        pawl__doctor_say(d, PAWL_FINDING_OK, "disk", "",
                         "the file system has %lld MiB left",
                         (long long)(free_bytes / PAWL__DOCTOR_MIB));
}

void
pawl__doctor_check_file(struct pawl__doctor *d, const char *location)
{
    size_t before = pawl__doctor_n_ill(d);
    int i;

    doctor_check_links(d, location);
    doctor_check_mode(d);
    doctor_check_folder(d);
    for (i = 0; i < PAWL__DOCTOR_N_BESIDE; i++)
        if (d->is_beside[i])
            doctor_check_beside(d, (enum pawl__beside)i);
    if (pawl__doctor_n_ill(d) == before)
        pawl__doctor_say(d, PAWL_FINDING_OK, "permissions", "",
                         "mode %04o, owner %lu; the files beside it fit",
                         (unsigned)d->st.st_mode & 07777U,
                         (unsigned long)d->st.st_uid);
    doctor_check_room(d);
}

/* What pawl_open() says of the file: why tells where it would refuse. */
void
pawl__doctor_check_open(struct pawl__doctor *d, int verdict,
                        const pawl_error *why)
{
    if (verdict == PAWL_OK) {
        pawl__doctor_say(
            d, PAWL_FINDING_OK, "file-system", "",
            "it has memory shared by all processes on a file, as far "
            "as its kind tells");
        return;
    }
    if (d->st.st_nlink > 1)
        return; /* told already; open looks no further */
    d->barred = verdict == PAWL_UNSUPPORTED;
    pawl__doctor_say(
        d, PAWL_FINDING_ERROR, d->barred ? "file-system" : "file-denied",
        d->barred ? "Move the store to a local disk."
                  : "Give this user read and write permission for the "
                    "file.",
        "%s", why->message);
}
