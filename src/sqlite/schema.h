/* SPDX-License-Identifier: MIT */
/* schema.h - the migrations of schema/, made into C at build time. */
#ifndef PAWL_SQLITE_SCHEMA_H
#define PAWL_SQLITE_SCHEMA_H

extern const char *const pawl__schema[]; /* [0] makes version 1, ... */
extern const int pawl__schema_version;   /* the newest: how many there are */

#endif
