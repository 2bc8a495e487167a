/* SPDX-License-Identifier: MIT */
/* place.h - are the files still those that we opened? */
#ifndef PAWL_SQLITE_PLACE_H
#define PAWL_SQLITE_PLACE_H

#include "sqlite/file.h"

struct pawl__place {
    const char *path[3];         /* the database, its -wal and -shm; borrowed */
    struct pawl__file_id was[3]; /* as opened */
    int folder;                  /* -1: none; each look is at the paths */
    bool calm;                   /* the folder has not changed since: */
    int64_t sec, nsec;           /* its time of modification */
};

/* Before pawl__place_look(); {0} but for the folder. */
void pawl__place_init(struct pawl__place *place);
/* Remember the files, which are there. False, with errno: one is not. */
bool pawl__place_remember(struct pawl__place *place, const char *database,
                          const char *log, const char *shm);
void pawl__place_clear(struct pawl__place *place);

/* Do the paths still lead to them? One system call where nobody has made,
 * renamed or deleted anything in the folder for a while. Not thread-safe. */
bool pawl__place_is_same(struct pawl__place *place);
/* Does the path of the -shm? Then all still share their locks. */
bool pawl__place_shm_is_same(const struct pawl__place *place);

#endif
