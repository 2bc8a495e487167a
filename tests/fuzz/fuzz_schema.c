/* SPDX-License-Identifier: MIT */
/* fuzz_schema.c - a store in which somebody ran SQL of his own: triggers,
 * views, altered tables, other versions. The library refuses it or works; and
 * nothing of it runs: a table that only planted objects would write to stays
 * as it was. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

static int
fuzz_enough(void *user)
{
    return ++*(int *)user > 2000;
}

/* No files but this one, and no settings of SQLite's. */
static int
fuzz_allow(void *user, int what, const char *a, const char *b, const char *c,
           const char *d)
{
    (void)user;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return what == SQLITE_ATTACH || what == SQLITE_PRAGMA ? SQLITE_DENY
                                                          : SQLITE_OK;
}

static int
fuzz_count(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int n = -1;

    (void)sqlite3_open(path, &db);
    if (sqlite3_prepare_v2(db, "SELECT count(*) FROM planted", -1, &st, NULL) ==
            SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int(st, 0);
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(db);
    return n;
}

static void
fuzz_plant(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    int steps = 0;

    (void)sqlite3_open(path, &db);
    (void)sqlite3_exec(db, "CREATE TABLE planted(x)", NULL, NULL, NULL);
    (void)sqlite3_set_authorizer(db, fuzz_allow, NULL);
    sqlite3_progress_handler(db, 1000, fuzz_enough, &steps);
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 100000);
    (void)sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    (void)sqlite3_close(db);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct fuzz_image *image = fuzz_image();
    static const char *const beside[] = {"-wal", "-shm", "-journal"};
    char path[260], other[280];
    char *sql = fuzz_text(data, size);
    int before, i;

    (void)snprintf(path, sizeof path, "%s/hostile.db", fuzz_folder());
    for (i = 0; i < 3; i++) {
        (void)snprintf(other, sizeof other, "%s%s", path, beside[i]);
        (void)unlink(other);
    }
    fuzz_put(path, image->db, image->n_db);
    fuzz_plant(path, sql);
    before = fuzz_count(path);
    fuzz_use_store(path);
    fuzz_must(fuzz_count(path) == before, "nothing that was planted ran");
    free(sql);
    return 0;
}
