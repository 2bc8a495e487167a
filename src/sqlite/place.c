/* SPDX-License-Identifier: MIT */
/* place.c - are the files still those that we opened?
 *
 * Asked after each commit: a path costs a walk through the kernel's names, and
 * three of them, cold after a sync, a twelfth of a small push. But whoever
 * deletes, renames or replaces a file changes the time of its folder. As long
 * as that is what it was when the files were last found in place, they are.
 *
 * Times of files are coarse (a tick of the kernel, up to 10 ms): what happens
 * in the same tick as the change that we know of does not show. So a time is
 * trusted only once it is old. A folder that is moved as a whole is no change:
 * its files move together, and nothing is lost.
 *
 * Locks: the caller's. */
#include "sqlite/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PLACE_OLD_MS 100 /* generous: several ticks */

enum { PLACE_DATABASE, PLACE_LOG, PLACE_SHM, PLACE_N };

void
pawl__place_init(struct pawl__place *place)
{
    memset(place, 0, sizeof *place);
    place->folder = -1;
}

/* The folder that the path is in, or -1. */
static int
place_open_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash != NULL ? (size_t)(slash - path) : 0;

    if (n == 0 || n >= sizeof folder)
        return -1;
    memcpy(folder, path, n);
    folder[n] = '\0';
    return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool
pawl__place_remember(struct pawl__place *place, const char *database,
                     const char *log, const char *shm)
{
    int i;

    place->path[PLACE_DATABASE] = database;
    place->path[PLACE_LOG] = log;
    place->path[PLACE_SHM] = shm;
    for (i = 0; i < PLACE_N; i++)
        if (!pawl__file_id(place->path[i], &place->was[i]))
            return false;
    place->folder = place_open_folder(database);
    return true;
}

void
pawl__place_clear(struct pawl__place *place)
{
    if (place->folder >= 0)
        (void)close(place->folder);
    place->folder = -1;
}

static bool
place_leads_to(const struct pawl__place *place, int i)
{
    struct pawl__file_id now;

    return pawl__file_id(place->path[i], &now) &&
           now.ino == place->was[i].ino && now.dev == place->was[i].dev;
}

static bool
place_folder_time(const struct pawl__place *place, struct timespec *time)
{
    struct stat st;

    if (place->folder < 0 || fstat(place->folder, &st) != 0)
        return false;
    *time = st.st_mtim;
    return true;
}

static bool
place_is_old(const struct timespec *time)
{
    struct timespec now;
    int64_t ms;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    ms = ((int64_t)now.tv_sec - (int64_t)time->tv_sec) * 1000 +
         (now.tv_nsec - time->tv_nsec) / 1000000;
    return ms > PLACE_OLD_MS;
}

bool
pawl__place_is_same(struct pawl__place *place)
{
    struct timespec time; /* before the look at the paths */
    bool known = place_folder_time(place, &time);
    int i;

    if (known && place->calm && time.tv_sec == place->sec &&
        time.tv_nsec == place->nsec)
        return true;
    for (i = 0; i < PLACE_N; i++)
        if (!place_leads_to(place, i))
            return false;
    place->calm = known && place_is_old(&time);
    if (place->calm) {
        place->sec = time.tv_sec;
        place->nsec = time.tv_nsec;
    }
    return true;
}

bool
pawl__place_shm_is_same(const struct pawl__place *place)
{
    return place_leads_to(place, PLACE_SHM);
}
