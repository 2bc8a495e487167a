/* SPDX-License-Identifier: MIT */
/* migrate.h - make or upgrade our tables; compare them with what we made. */
#ifndef PAWL_SQLITE_MIGRATE_H
#define PAWL_SQLITE_MIGRATE_H

#include "sqlite/conn.h"

/* Bring the connection's database to the newest schema, in one transaction:
 * of two processes that open a new file at once, one makes it and the other
 * finds it made. SCHEMA when it is newer than this library; CORRUPT when a
 * table, index, view or trigger of ours is not as we made it. */
int pawl__migrate(struct pawl__conn *c, pawl_error *err);

#ifdef PAWL_TESTING
/* From now on there is one more migration: sql. NULL: no longer. */
void pawl__migrate_next(const char *sql);
#endif

#endif
