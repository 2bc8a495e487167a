/* SPDX-License-Identifier: MIT */
/* sql.h - the one way by which src/sqlite reaches SQLite. */
#ifndef PAWL_SQLITE_SQL_H
#define PAWL_SQLITE_SQL_H

#include <sqlite3.h>

#endif
