/* SPDX-License-Identifier: MIT */
/* file.h - the database file before SQLite opens it. */
#ifndef PAWL_SQLITE_FILE_H
#define PAWL_SQLITE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Which file a path leads to, without opening it. ino 0: not known. */
struct pawl__file_id {
    uint64_t dev, ino;
};

/* False where the path leads to nothing. */
bool pawl__file_id(const char *path, struct pawl__file_id *id);

/* Make location absolute, follow links, create the file (0600) where it is
 * missing and may be, and refuse what cannot work: folders, hard links, file
 * systems without shared memory between processes. *path is the caller's, to
 * be freed by pawl__free(); *mode is the file's. Never opens an existing file:
 * closing any descriptor of a database drops SQLite's locks on it. */
int pawl__file_prepare(const char *location, bool must_exist,
                       bool any_file_system, char **path, unsigned *mode,
                       pawl_error *err);

#endif
