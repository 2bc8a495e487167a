/* SPDX-License-Identifier: MIT */
/* support.c - what the tests share. */
#include "lib/support.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

void
support_ok(int rc, const pawl_error *err, const char *call, const char *file,
           int line)
{
    if (rc != PAWL_OK)
        ck_abort_msg("%s:%d: %s gave %d: %s", file, line, call, rc,
                     err->message);
}

void
support_fails(int code, int rc, const pawl_error *err, const char *call,
              const char *file, int line)
{
    if (rc != code)
        ck_abort_msg("%s:%d: %s gave %d, wanted %d", file, line, call, rc,
                     code);
    if (err->code != code || err->message[0] == '\0')
        ck_abort_msg("%s:%d: %s left no sentence in err", file, line, call);
}

/* ------------------------------------------------------------------ clock */

static int64_t
support_wall(void *user)
{
    return atomic_load(&((struct support_clock *)user)->wall);
}

static int64_t
support_monotonic(void *user)
{
    return atomic_load(&((struct support_clock *)user)->monotonic);
}

void
support_clock_init(struct support_clock *c)
{
    atomic_init(&c->wall, SUPPORT_EPOCH);
    atomic_init(&c->monotonic, 1000000);
    c->clock.wall_ms = support_wall;
    c->clock.monotonic_ms = support_monotonic;
    c->clock.user = c;
}

void
support_clock_pass(struct support_clock *c, int64_t ms)
{
    atomic_fetch_add(&c->wall, ms);
    atomic_fetch_add(&c->monotonic, ms);
}

void
support_clock_jump(struct support_clock *c, int64_t ms)
{
    atomic_fetch_add(&c->wall, ms);
}

int64_t
support_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ----------------------------------------------------------------- folder */

void
support_folder_make(struct support_folder *f)
{
    const char *base = getenv("TMPDIR");

    (void)snprintf(f->path, sizeof f->path, "%s/pawl-test-XXXXXX",
                   base != NULL && base[0] != '\0' ? base : "/tmp");
    if (mkdtemp(f->path) == NULL)
        ck_abort_msg("make a folder: %s", strerror(errno));
    (void)snprintf(f->store, sizeof f->store, "%s/jobs.db", f->path);
}

void
support_folder_remove(struct support_folder *f)
{
    DIR *dir = opendir(f->path);
    struct dirent *e;
    char path[600];

    while (dir != NULL && (e = readdir(dir)) != NULL) {
        (void)snprintf(path, sizeof path, "%s/%s", f->path, e->d_name);
        (void)unlink(path);
    }
    if (dir != NULL)
        (void)closedir(dir);
    (void)rmdir(f->path);
}

/* ---------------------------------------------------------------- waiting */

void
support_wait(_Atomic long *counter, long n)
{
    int64_t until = support_now_ms() + SUPPORT_DEADLINE_MS;

    while (atomic_load(counter) < n) {
        if (support_now_ms() > until)
            ck_abort_msg("waited for %ld, there were %ld", n,
                         atomic_load(counter));
        (void)poll(NULL, 0, 1); /* a look each ms, not a guess of how long */
    }
}

int
support_rounds(int rounds)
{
    const char *quick = getenv("PAWL_TEST_QUICK");

    if (quick == NULL || strcmp(quick, "1") != 0)
        return rounds;
    return rounds > 4 ? rounds / 4 : 1;
}

uint64_t
support_seed(void)
{
    const char *given = getenv("PAWL_TEST_SEED");
    struct timespec t;

    if (given != NULL)
        return strtoull(given, NULL, 10);
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return ((uint64_t)t.tv_sec * 1000003 + (uint64_t)t.tv_nsec) >> 4;
}

/* -------------------------------------------------------------------- SQL */

static sqlite3 *
support_sql_open(const char *path)
{
    sqlite3 *db = NULL;

    if (sqlite3_open(path, &db) != SQLITE_OK)
        ck_abort_msg("open %s: %s", path, sqlite3_errmsg(db));
    (void)sqlite3_busy_timeout(db, SUPPORT_DEADLINE_MS);
    return db;
}

void
support_sql(const char *path, const char *sql)
{
    sqlite3 *db = support_sql_open(path);

    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        ck_abort_msg("%s: %s", sql, sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

int64_t
support_sql_int(const char *path, const char *sql)
{
    sqlite3 *db = support_sql_open(path);
    sqlite3_stmt *st = NULL;
    int64_t value = -1;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        ck_abort_msg("%s: %s", sql, sqlite3_errmsg(db));
    if (sqlite3_step(st) == SQLITE_ROW)
        value = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(db);
    return value;
}

/* --------------------------------------------------------------- coverage */

extern void __gcov_dump(void) __attribute__((weak)); /* libgcov's */

void
support_flush_coverage(void)
{
    if (__gcov_dump != NULL)
        __gcov_dump();
}

void
support_exit(int status)
{
    support_flush_coverage();
    _exit(status);
}

/* ------------------------------------------------------------------- main */

int
support_main(const char *name, void (*add)(Suite *))
{
    Suite *suite = suite_create(name);
    SRunner *runner;
    int failed;

    add(suite);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
