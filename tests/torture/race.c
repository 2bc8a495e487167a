/* SPDX-License-Identifier: MIT */
/* race.c - the WAL-reset race of SQLite 3.7.0 to 3.51.2, for real.
 *
 * A checkpoint that runs without the write lock can miss that a writer began
 * the log anew, and then marks frames of the new log as copied: the file is
 * corrupt (SQLite's wal.html, "The WAL-Reset Bug"). Six writers and four
 * checkpointers that never rest:
 *
 *   race --control   plain connections, as any program and the sqlite3 shell
 *                    have them: must corrupt the file within --seconds (60)
 *   race             the writers are Pawl stores, which push, claim and ack,
 *                    and checkpoint as they do; the checkpointers are plain
 *                    connections, as a shell's: all must be well for
 *                    --seconds (default 1)
 *
 * On a SQLite without the bug the control is skipped (exit 77). */
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>

#include "driver/driver.h"
#include "lib/support.h"
#include "sqlite/vfs.h"

#define RACE_WRITERS 6
#define RACE_CHECKPOINTERS 4

static struct support_folder folder;
static atomic_bool stop, corrupt;
static _Atomic long written, ended, checkpoints, busy;

static sqlite3 *
race_open(int checkpoint_at)
{
    sqlite3 *db = NULL;

    if (sqlite3_open(folder.store, &db) != SQLITE_OK) {
        fprintf(stderr, "race: open: %s\n", sqlite3_errmsg(db));
        exit(99);
    }
    (void)sqlite3_busy_timeout(db, 5000);
    (void)sqlite3_wal_autocheckpoint(db, checkpoint_at);
    (void)sqlite3_exec(db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
    return db;
}

static bool
race_is_corrupt(int rc)
{
    return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

static void *
race_checkpointer(void *arg)
{
    sqlite3 *db = race_open(0);

    (void)arg;
    while (!atomic_load(&stop)) {
        (void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                        NULL, NULL);
        atomic_fetch_add(&checkpoints, 1);
    }
    (void)sqlite3_close(db);
    return NULL;
}

static void *
race_plain_writer(void *arg)
{
    sqlite3 *db = race_open(1);
    int rc;

    (void)arg;
    while (!atomic_load(&stop)) {
        rc = sqlite3_exec(db, "INSERT INTO t(v) VALUES (randomblob(80))", NULL,
                          NULL, NULL);
        if (race_is_corrupt(rc))
            atomic_store(&corrupt, true);
        else if (rc == SQLITE_OK)
            atomic_fetch_add(&written, 1);
    }
    (void)sqlite3_close(db);
    return NULL;
}

/* ----------------------------------------------------------- writers of ours
 */

static const struct pawl__driver *const driver = &pawl__sqlite_driver;

struct race_store {
    pawl_options options;
    struct pawl__clock clock;
    struct pawl__log log;
    struct pawl__env env;
    void *self;
    int64_t worker;
};

static void
race_failed(const char *what, int rc, const pawl_error *err)
{
    if (rc == PAWL_OK)
        return;
    if (rc == PAWL_BUSY) {
        atomic_fetch_add(&busy, 1);
        return;
    }
    fprintf(stderr, "race: %s: %s\n", what, err->message);
    atomic_store(&corrupt, true);
}

static void
race_store_open(struct race_store *s)
{
    pawl_error err;
    int rc;

    memset(s, 0, sizeof *s);
    (void)pawl__options_check(NULL, &s->options, &err);
    s->options.durability = PAWL_PROCESS;
    pawl__clock_init(&s->clock, NULL);
    s->env.options = &s->options;
    s->env.clock = &s->clock;
    s->env.log = &s->log;
    rc = driver->open(folder.store, &s->env, &s->self, &err);
    if (rc == PAWL_OK)
        rc = driver->worker_start(s->self, 1, &s->worker, &err);
    if (rc != PAWL_OK) {
        fprintf(stderr, "race: open: %s\n", err.message);
        exit(99);
    }
}

/* Claim one and ack what was claimed before. */
static void
race_exchange(struct race_store *s, struct pawl__settle *held)
{
    struct pawl__record *claim = NULL;
    struct pawl__exchange x;
    pawl_error err;
    int rc;

    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.worker = s->worker;
    x.want = 1;
    x.claims = &claim;
    x.settles = held;
    x.n_settles = held->job != 0;
    rc = driver->exchange(s->self, &x, &err);
    race_failed("exchange", rc, &err);
    if (rc != PAWL_OK)
        return;
    if (x.n_settles == 1 && held->status == PAWL_OK)
        atomic_fetch_add(&ended, 1);
    else if (x.n_settles == 1)
        atomic_store(&corrupt, true);
    memset(held, 0, sizeof *held);
    if (x.n_claims == 1) {
        held->job = claim->info.id;
        held->token = claim->token;
        pawl__record_free(claim);
    }
}

static void *
race_our_writer(void *arg)
{
    struct race_store s;
    struct pawl__settle held = {0};
    struct pawl__new_job job = {.type = "t", .payload = "race"};
    pawl_error err;
    int rc;

    (void)arg;
    job.payload_bytes = 4;
    race_store_open(&s);
    while (!atomic_load(&stop)) {
        rc = driver->push(s.self, "q", &job, 1, NULL, NULL, &err);
        race_failed("push", rc, &err);
        if (rc == PAWL_OK)
            atomic_fetch_add(&written, 1);
        race_exchange(&s, &held);
    }
    driver->close(s.self, false);
    return NULL;
}

/* --------------------------------------------------------------- the verdict
 */

static bool
race_is_sound(void)
{
    sqlite3 *db = race_open(0);
    sqlite3_stmt *st = NULL;
    bool sound = false;

    if (sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &st, NULL) ==
            SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        sound = strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(db);
    return sound;
}

/* Are all jobs there that were pushed and not acked? */
static bool
race_counts_agree(void)
{
    int64_t n = support_sql_int(
        folder.store, "SELECT count(*) FROM pawl_job WHERE state = 'waiting'");
    long left = atomic_load(&written) - atomic_load(&ended);

    if (n != left)
        fprintf(stderr, "race: %lld jobs are there, %ld should be\n",
                (long long)n, left);
    return n == left;
}

/* Until the time is over, or the file is seen corrupt; how long it took. */
static double
race_run(void *(*writer)(void *), int seconds)
{
    pthread_t threads[RACE_WRITERS + RACE_CHECKPOINTERS];
    int64_t began = support_now_ms(), until = began + seconds * 1000LL;
    int i;

    for (i = 0; i < RACE_WRITERS + RACE_CHECKPOINTERS; i++)
        if (pthread_create(&threads[i], NULL,
                           i < RACE_WRITERS ? writer : race_checkpointer,
                           NULL) != 0)
            exit(99);
    while (!atomic_load(&corrupt) && support_now_ms() < until) {
        (void)poll(NULL, 0, 200); /* the race goes on: a look now and then */
        if (writer == race_plain_writer && !race_is_sound())
            atomic_store(&corrupt, true);
    }
    atomic_store(&stop, true);
    for (i = 0; i < RACE_WRITERS + RACE_CHECKPOINTERS; i++)
        (void)pthread_join(threads[i], NULL);
    return (double)(support_now_ms() - began) / 1000;
}

static int
race_control(int seconds)
{
    double took;

    if (!pawl__vfs_race(sqlite3_libversion_number())) {
        printf("race, control: SQLite %s has no such bug: skipped\n",
               sqlite3_libversion());
        return 77;
    }
    support_sql(folder.store, "PRAGMA journal_mode=WAL; CREATE TABLE t(id "
                              "INTEGER PRIMARY KEY, v); CREATE INDEX t_v ON "
                              "t(v);");
    took = race_run(race_plain_writer, seconds);
    printf("race, control on SQLite %s: %ld writes, %ld checkpoints in %.1f "
           "s: %s\n",
           sqlite3_libversion(), atomic_load(&written),
           atomic_load(&checkpoints), took,
           atomic_load(&corrupt) ? "corrupt, as expected" : "NOT corrupt");
    return atomic_load(&corrupt) ? 0 : 1;
}

static int
race_guarded(int seconds)
{
    struct race_store s;
    double took;
    bool good;

    race_store_open(&s); /* makes the file */
    driver->close(s.self, false);
    took = race_run(race_our_writer, seconds);
    good = !atomic_load(&corrupt) && race_is_sound() && race_counts_agree();
    printf("race, Pawl on SQLite %s: %ld pushed, %ld acked, %ld BUSY, %ld "
           "checkpoints of others in %.1f s: %s\n",
           sqlite3_libversion(), atomic_load(&written), atomic_load(&ended),
           atomic_load(&busy), atomic_load(&checkpoints), took,
           good ? "good" : "BAD");
    return good ? 0 : 1;
}

int
main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"control", no_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0}};
    int option, seconds = 0, rc;
    bool control = false;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'c')
            control = true;
        else if (option == 's')
            seconds = atoi(optarg);
        else
            return 2;
    }
    support_folder_make(&folder);
    if (control)
        rc = race_control(seconds > 0 ? seconds : 60);
    else
        rc = race_guarded(seconds > 0 ? seconds : 1);
    support_folder_remove(&folder);
    return rc;
}
