/* SPDX-License-Identifier: MIT */
/* test_sqlite.c - what the contract of driver.h does not say of SQLite: who is
 * dead, what is synced when, and when the file is not trusted. */
#include "driver/harness.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/point.h"
#include "base/thread.h"
#include "lib/fault_vfs.h"
#include "lib/pass_vfs.h"
#include "sqlite/checkpoint.h"
#include "sqlite/store.h"

#define SQLITE_ONE 1 /* the driver's index */

extern int64_t pawl__side_boot; /* side.c: a boot id for tests */

static struct harness H;

#define err H.err

static const char *
beside(const char *suffix)
{
    static char path[320];

    (void)snprintf(path, sizeof path, "%s%s", H.folder.store, suffix);
    return path;
}

static int64_t
rows(const char *table)
{
    char sql[100];

    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    return support_sql_int(H.folder.store, sql);
}

static struct pawl__sweep
sweep(void)
{
    struct pawl__sweep found;

    ok(H.driver->sweep(H.self, &found, &err));
    return found;
}

static int64_t
abandons(int64_t id)
{
    struct pawl__record *r = NULL;
    int64_t n;

    ok(H.driver->get(H.self, id, &r, &err));
    n = r->info.abandons;
    pawl__record_free(r);
    return n;
}

/* A process that opens the store, claims one job of "q", notes that it runs
 * (or not), and dies when it is told. */
struct other {
    pid_t pid;
    int tell;
};

static struct other
other_claims(bool runs)
{
    struct pawl__record *r;
    int told[2], done[2];
    struct other other;
    char byte;

    ck_assert_int_eq(pipe(told), 0);
    ck_assert_int_eq(pipe(done), 0);
    other.pid = fork();
    if (other.pid == 0) {
        (void)close(told[1]);
        H.worker = 0;
        ok(H.driver->open(H.location, &H.env, &H.self, &err));
        r = harness_claim_one(&H, "q");
        if (runs)
            H.driver->running(H.self, 0, r->info.id);
        (void)!write(done[1], "x", 1);
        (void)!read(told[0], &byte, 1);
        _exit(0);
    }
    (void)close(told[0]);
    (void)close(done[1]);
    ck_assert_int_eq(read(done[0], &byte, 1), 1);
    (void)close(done[0]);
    other.tell = told[1];
    return other;
}

static void
other_dies(struct other other)
{
    int status;

    (void)close(other.tell);
    ck_assert_int_eq(waitpid(other.pid, &status, 0), other.pid);
}

static void
file_only(void)
{
    struct pawl__new_job job;

    harness_open(&H, SQLITE_ONE);
    job = harness_job(&H);
    (void)harness_push(&H, "q", &job);
    H.driver->close(H.self, false);
}

static void
open_again(void)
{
    ok(H.driver->open(H.location, &H.env, &H.self, &err));
}

/* ------------------------------------------------------------- who is dead */

START_TEST(workers_of_another_boot_are_dead_and_count_nothing)
{
    char sql[100];
    struct pawl__sweep found;

    file_only();
    pawl__side_boot = 7;
    other_dies(other_claims(true));
    /* Its pid is that of a process that lives, as pids begin anew too. */
    (void)snprintf(sql, sizeof sql, "UPDATE pawl_worker SET pid = %ld",
                   (long)getpid());
    support_sql(H.folder.store, sql);
    pawl__side_boot = 9;
    open_again();
    found = sweep();
    ck_assert_uint_eq(found.n_rescued, 1);
    ck_assert(!found.rescued[0].was_running);
    free(found.rescued);
    ck_assert_int_eq(harness_state(&H, 1), PAWL_WAITING);
    ck_assert_int_eq(abandons(1), 0);
    ck_assert_int_eq(rows("pawl_worker"), 0);
    pawl__side_boot = 0;
    harness_close(&H);
}
END_TEST

START_TEST(a_live_worker_whose_side_file_was_deleted_is_not_robbed)
{
    struct pawl__sweep found;
    struct other other;

    file_only();
    other = other_claims(true);
    ck_assert_int_eq(unlink(beside("-pawl")), 0);
    open_again(); /* makes a new one, where all locks are free */
    found = sweep();
    ck_assert_uint_eq(found.n_rescued, 0);
    free(found.rescued);
    ck_assert_int_eq(harness_state(&H, 1), PAWL_RESERVED);
    other_dies(other);
    found = sweep();
    ck_assert_uint_eq(found.n_rescued, 1);
    free(found.rescued);
    ck_assert_int_eq(harness_state(&H, 1), PAWL_WAITING);
    ck_assert_int_eq(abandons(1), 0); /* what it ran is not known */
    ck_assert_int_eq(rows("pawl_worker"), 0);
    harness_close(&H);
}
END_TEST

START_TEST(a_worker_inherits_no_notes_of_what_ran)
{
    struct pawl__sweep found;

    file_only();
    other_dies(other_claims(true));
    open_again();
    found = sweep();
    ck_assert_uint_eq(found.n_rescued, 1);
    free(found.rescued);
    ck_assert_int_eq(abandons(1), 1);
    ck_assert_int_eq(rows("pawl_worker"), 0);
    H.driver->close(H.self, false);
    other_dies(other_claims(false)); /* the same place in the side file */
    open_again();
    found = sweep();
    ck_assert_uint_eq(found.n_rescued, 1);
    free(found.rescued);
    ck_assert_int_eq(abandons(1), 1);
    harness_close(&H);
}
END_TEST

START_TEST(claims_of_workers_or_jobs_deleted_by_hand_are_cleared)
{
    struct pawl__record *r;
    struct pawl__new_job job;

    harness_open(&H, SQLITE_ONE);
    job = harness_job(&H);
    (void)harness_push(&H, "q", &job);
    r = harness_claim_one(&H, "q");
    support_sql(H.folder.store, "DELETE FROM pawl_worker");
    free(sweep().rescued);
    ck_assert_int_eq(harness_state(&H, 1), PAWL_WAITING);
    ck_assert_int_eq(harness_settle(&H, r, PAWL__ACK, 0, NULL), PAWL_STALE);
    pawl__record_free(r);
    H.driver->worker_stop(H.self);
    harness_work(&H);
    support_sql(H.folder.store, "INSERT INTO pawl_claim "
                                "SELECT 77, id, 1, 1 FROM pawl_worker");
    ck_assert_int_eq(rows("pawl_claim"), 1);
    free(sweep().rescued);
    ck_assert_int_eq(rows("pawl_claim"), 0); /* the worker lives, no job does */
    harness_close(&H);
}
END_TEST

/* ------------------------------------------------------------------- pushes */

static void
push_done(void *user, int code, int64_t id, const pawl_error *why)
{
    (void)user;
    (void)id;
    (void)why;
    ck_assert_int_eq(code, PAWL_OK);
}

static void
push_start(const char *queue, struct pawl__new_job *job)
{
    struct pawl__async async = {queue, job, push_done, NULL};

    ok(H.driver->push_start(H.self, &async, &err));
}

/* Push two of queue with one key; the second is refused, and so both. */
static void
push_pair_refused(const char *queue)
{
    struct pawl__new_job pair[2] = {harness_job(&H), harness_job(&H)};
    int64_t ids[2];
    size_t at = 9;

    pair[0].unique_key = pair[1].unique_key = "twice";
    fails(PAWL_EXISTS, H.driver->push(H.self, queue, pair, 2, ids, &at, &err));
    ck_assert_uint_eq(at, 1);
}

START_TEST(a_batch_that_fails_in_company_leaves_nothing)
{
    struct pawl__new_job job;

    harness_open(&H, SQLITE_ONE);
    job = harness_job(&H);
    push_start("q", &job); /* it travels with the next commit */
    push_pair_refused("q");
    ck_assert_int_eq(rows("pawl_job"), 1);
    harness_close(&H);
}
END_TEST

static bool
queue_is_listed(const char *name)
{
    char **names = NULL;
    bool there = false;
    size_t n = 0, i;

    ok(H.driver->queues(H.self, &names, &n, &err));
    for (i = 0; i < n; i++)
        there = there || strcmp(names[i], name) == 0;
    free(names);
    return there;
}

START_TEST(a_queue_whose_first_push_was_undone_is_listed_by_its_next)
{
    struct pawl__new_job job;

    harness_open(&H, SQLITE_ONE);
    job = harness_job(&H);
    if (_i == 0) {
        push_pair_refused("fresh");
        (void)harness_push(&H, "fresh", &job);
    } else { /* in one transaction, which goes on after the refused pair */
        push_start("fresh", &job);
        push_pair_refused("fresh");
    }
    ck_assert(queue_is_listed("fresh"));
    harness_close(&H);
}
END_TEST

START_TEST(a_key_outlives_an_ack_of_a_job_that_is_not_the_newest)
{
    struct pawl__new_job job;
    struct pawl__record *r;
    int64_t id;

    harness_open(&H, _i);
    job = harness_job(&H);
    job.unique_key = "k";
    job.unique_until_at_ms = job.pushed_at_ms + 60000;
    (void)harness_push(&H, "q", &job);
    job.unique_key = NULL;
    job.type = "other";
    (void)harness_push(&H, "q", &job);
    ck_assert_uint_eq(harness_claim(&H, "q", "t", 1, &r), 1);
    ck_assert_int_eq(harness_settle(&H, r, PAWL__ACK, 0, NULL), PAWL_OK);
    pawl__record_free(r);
    job.unique_key = "k";
    fails(PAWL_EXISTS, H.driver->push(H.self, "q", &job, 1, &id, NULL, &err));
    support_clock_pass(&H.clock, 60000);
    (void)harness_push(&H, "q", &job);
    harness_close(&H);
}
END_TEST

START_TEST(history_that_is_kept_for_ever_stays)
{
    struct pawl__new_job job;
    struct pawl__record *r;

    harness_open(&H, _i);
    harness_set(&H, "q", "retention_s", "-1");
    job = harness_job(&H);
    (void)harness_push(&H, "q", &job);
    (void)harness_push(&H, "q", &job);
    r = harness_claim_one(&H, "q");
    ck_assert_int_eq(harness_settle(&H, r, PAWL__ACK, 0, NULL), PAWL_OK);
    pawl__record_free(r);
    support_clock_pass(&H.clock, 10LL * 365 * 86400000);
    free(sweep().rescued);
    ck_assert_int_eq(harness_state(&H, 1), PAWL_DONE);
    harness_close(&H);
}
END_TEST

/* -------------------------------------------------------------------- syncs */

static long
syncs_since(long *before)
{
    long now = atomic_load(&fault_vfs_n_wal_syncs), n = now - *before;

    *before = now;
    return n;
}

static void
open_durable(bool acks)
{
    harness_open(&H, SQLITE_ONE);
    H.driver->close(H.self, false);
    H.options.durability = PAWL_POWER;
    H.options.durable_acks = acks;
    open_again();
}

START_TEST(an_asynchronous_push_is_synced_whoever_commits_it)
{
    struct pawl__exchange x;
    struct pawl__new_job job;
    long seen = 0;

    fault_vfs_register();
    open_durable(false);
    job = harness_job(&H);
    harness_work(&H);
    (void)harness_push(&H, "q", &job);
    (void)syncs_since(&seen);
    memset(&x, 0, sizeof x);
    x.queue = "q";
    ok(H.driver->exchange(H.self, &x, &err));
    ck_assert_int_eq(syncs_since(&seen), 0); /* no sync of its own */
    push_start("q", &job);
    ok(H.driver->exchange(H.self, &x, &err));
    ck_assert_int_ge(syncs_since(&seen), 1);
    ck_assert_int_eq(rows("pawl_job"), 2);
    harness_close(&H);
}
END_TEST

START_TEST(durable_acks_are_synced_and_others_are_not)
{
    struct pawl__new_job job;
    struct pawl__record *r;
    long seen = 0;

    fault_vfs_register();
    open_durable(_i == 1);
    job = harness_job(&H);
    (void)harness_push(&H, "q", &job);
    (void)harness_push(&H, "q", &job);
    r = harness_claim_one(&H, "q");
    (void)syncs_since(&seen);
    ck_assert_int_eq(harness_settle(&H, r, PAWL__ACK, 0, NULL), PAWL_OK);
    ck_assert_int_eq(syncs_since(&seen) > 0, _i == 1);
    pawl__record_free(r);
    harness_close(&H);
}
END_TEST

START_TEST(a_checkpoint_whose_sync_fails_poisons_the_store)
{
    struct pawl__new_job job;

    fault_vfs_register();
    harness_open(&H, SQLITE_ONE);
    job = harness_job(&H);
    (void)harness_push(&H, "q", &job);
    atomic_store(&fault_vfs_wal_syncs, -1);
    pawl__checkpoint_locked(H.self);
    atomic_store(&fault_vfs_wal_syncs, 0);
    fails(PAWL_POISONED,
          H.driver->push(H.self, "q", &job, 1, NULL, NULL, &err));
    harness_close(&H);
}
END_TEST

static _Atomic bool reads_fail;

static int
maybe_refuse(const struct pass_io *io)
{
    return io->call == PASS_READ && atomic_load(&reads_fail) ? SQLITE_IOERR_READ
                                                             : SQLITE_OK;
}

START_TEST(a_read_that_fails_in_a_transaction_poisons_the_store)
{
    struct pawl__new_job job;

    pass_vfs_register(maybe_refuse, NULL);
    harness_open(&H, SQLITE_ONE);
    (void)harness_push_n(&H, "q", "t", 500);
    harness_reopen(&H); /* nothing is in its cache */
    job = harness_job(&H);
    atomic_store(&reads_fail, true);
    ck_assert_int_ne(H.driver->push(H.self, "q", &job, 1, NULL, NULL, &err),
                     PAWL_OK);
    atomic_store(&reads_fail, false);
    fails(PAWL_POISONED,
          H.driver->push(H.self, "q", &job, 1, NULL, NULL, &err));
    harness_reopen(&H);
    (void)harness_push(&H, "q", &job);
    ck_assert_int_eq(rows("pawl_job"), 501);
    harness_close(&H);
}
END_TEST

START_TEST(what_a_failed_transaction_left_is_not_built_upon)
{
    struct pawl__new_job job;
    struct pawl__sqlite *s;

    harness_open(&H, SQLITE_ONE);
    s = H.self;
    job = harness_job(&H);
    ck_assert_int_eq(sqlite3_exec(s->w.db,
                                  "BEGIN IMMEDIATE;"
                                  "INSERT INTO pawl_queue(name) VALUES('left')",
                                  NULL, NULL, NULL),
                     SQLITE_OK); /* as where memory was short for ROLLBACK */
    (void)harness_push(&H, "q", &job);
    ck_assert(!queue_is_listed("left"));
    harness_close(&H);
}
END_TEST

/* ------------------------------------------------------------------ the log */

static _Atomic int others_could_write; /* -1: not asked */

static void
try_to_write(const char *name)
{
    sqlite3 *db = NULL;

    if (strcmp(name, "checkpoint: begun") != 0)
        return;
    ck_assert_int_eq(sqlite3_open(H.folder.store, &db), SQLITE_OK);
    atomic_store(&others_could_write,
                 sqlite3_exec(db, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL,
                              NULL) == SQLITE_OK);
    (void)sqlite3_close(db);
}

START_TEST(nobody_writes_during_our_checkpoint)
{
    struct pawl__new_job job;

    harness_open(&H, SQLITE_ONE);
    job = harness_job(&H);
    (void)harness_push(&H, "q", &job);
    atomic_store(&others_could_write, -1);
    pawl__point_hook(try_to_write);
    pawl__checkpoint_locked(H.self);
    pawl__point_hook(NULL);
    ck_assert_int_eq(atomic_load(&others_could_write), 0);
    harness_close(&H);
}
END_TEST

START_TEST(a_shm_that_was_deleted_ends_the_work)
{
    struct pawl__new_job job;

    harness_open(&H, SQLITE_ONE);
    job = harness_job(&H);
    (void)harness_push(&H, "q", &job);
    ck_assert_int_eq(unlink(beside("-shm")), 0);
    fails(PAWL_UNKNOWN, H.driver->push(H.self, "q", &job, 1, NULL, NULL, &err));
    fails(PAWL_POISONED,
          H.driver->push(H.self, "q", &job, 1, NULL, NULL, &err));
    harness_close(&H);
}
END_TEST

START_TEST(a_log_that_was_deleted_is_saved_first)
{
    struct pawl__new_job job;
    int i;

    harness_open(&H, SQLITE_ONE);
    job = harness_job(&H);
    for (i = 0; i < 20; i++)
        (void)harness_push(&H, "q", &job);
    ck_assert_int_eq(unlink(beside("-wal")), 0);
    fails(PAWL_UNKNOWN, H.driver->push(H.self, "q", &job, 1, NULL, NULL, &err));
    /* As after a crash: nothing is copied back at the close. */
    ck_assert_int_eq(rename(H.folder.store, beside(".kept")), 0);
    ck_assert_int_ge(
        support_sql_int(beside(".kept"), "SELECT count(*) FROM pawl_job"), 20);
    harness_close(&H);
}
END_TEST

/* Once nothing has happened in the folder for a while, only its time is looked
 * at. It still tells of each of the files, also of one that is replaced. */
START_TEST(a_calm_folder_tells_of_files_that_go)
{
    static const char *const file[] = {"", "-wal", "-shm"};
    struct pawl__sqlite *s;
    struct pawl__new_job job;
    char to[330];
    int fd;

    harness_open(&H, SQLITE_ONE);
    s = H.self;
    job = harness_job(&H);
    while (!s->place.calm)
        (void)harness_push(&H, "q", &job);
    (void)harness_push(&H, "q", &job);
    ck_assert(s->place.calm);
    (void)snprintf(to, sizeof to, "%s", beside(".away"));
    ck_assert_int_eq(rename(beside(file[_i / 2]), to), 0);
    if (_i % 2 != 0) {
        fd = open(beside(file[_i / 2]), O_CREAT | O_EXCL | O_RDWR, 0600);
        ck_assert_int_ge(fd, 0);
        (void)close(fd);
    }
    fails(PAWL_UNKNOWN, H.driver->push(H.self, "q", &job, 1, NULL, NULL, &err));
    harness_close(&H);
}
END_TEST

START_TEST(others_can_checkpoint_after_the_log_was_restarted)
{
    struct pawl__new_job job;
    struct stat before, after;

    harness_open(&H, SQLITE_ONE);
    job = harness_job(&H);
    (void)harness_push(&H, "q", &job);
    ck_assert_int_eq(
        support_sql_int(H.folder.store, "PRAGMA wal_checkpoint(FULL)"), 0);
    ck_assert_int_eq(stat(beside("-wal"), &before), 0);
    (void)harness_push(&H, "q", &job);
    ck_assert_int_eq(stat(beside("-wal"), &after), 0);
    ck_assert_int_eq(before.st_size, after.st_size); /* restarted */
    ck_assert_int_eq(
        support_sql_int(H.folder.store, "PRAGMA wal_checkpoint(FULL)"), 0);
    harness_close(&H);
}
END_TEST

/* ----------------------------------------------------------------- the file */

static int
is_on(sqlite3 *db, int what)
{
    int on = -1;

    ck_assert_int_eq(sqlite3_db_config(db, what, -1, &on), SQLITE_OK);
    return on;
}

START_TEST(both_connections_distrust_the_file)
{
    static const int off[] = {
        SQLITE_DBCONFIG_ENABLE_TRIGGER,  SQLITE_DBCONFIG_ENABLE_VIEW,
        SQLITE_DBCONFIG_TRUSTED_SCHEMA,  SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
        SQLITE_DBCONFIG_WRITABLE_SCHEMA, SQLITE_DBCONFIG_DQS_DML};
    struct pawl__sqlite *s;
    size_t i;

    harness_open(&H, SQLITE_ONE);
    s = H.self;
    for (i = 0; i < sizeof off / sizeof off[0]; i++) {
        ck_assert_int_eq(is_on(s->w.db, off[i]), 0);
        ck_assert_int_eq(is_on(s->r.db, off[i]), 0);
    }
    ck_assert_int_eq(is_on(s->w.db, SQLITE_DBCONFIG_DEFENSIVE), 1);
    ck_assert_int_eq(is_on(s->r.db, SQLITE_DBCONFIG_DEFENSIVE), 1);
    harness_close(&H);
}
END_TEST

START_TEST(tables_without_a_version_are_refused)
{
    static const char *const how[] = {
        "DELETE FROM pawl_meta",
        "UPDATE pawl_meta SET value = 0 WHERE key = 'schema_version'",
        "UPDATE pawl_meta SET value = -5 WHERE key = 'schema_version'"};

    harness_open(&H, SQLITE_ONE);
    H.driver->close(H.self, false);
    support_sql(H.folder.store, how[_i]);
    fails(PAWL_CORRUPT, H.driver->open(H.location, &H.env, &H.self, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "says no version"));
    support_folder_remove(&H.folder);
}
END_TEST

START_TEST(the_side_file_is_for_whom_the_database_is_for)
{
    struct stat st;
    mode_t old = umask(077);

    harness_open(&H, SQLITE_ONE);
    H.driver->close(H.self, false);
    ck_assert_int_eq(unlink(beside("-pawl")), 0);
    ck_assert_int_eq(chmod(H.folder.store, 0664), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(chown(H.folder.store, 12345, 23456), 0);
    open_again();
    ck_assert_int_eq(stat(beside("-pawl"), &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0664);
    if (geteuid() == 0) {
        ck_assert_int_eq(st.st_uid, 12345);
        ck_assert_int_eq(st.st_gid, 23456);
    }
    (void)umask(old);
    harness_close(&H);
}
END_TEST

START_TEST(the_reserve_is_kept_again_by_a_sweep)
{
    struct pawl__sqlite *s;

    harness_open(&H, SQLITE_ONE);
    harness_work(&H);
    s = H.self;
    pawl__side_ballast_drop(&s->side);
    ck_assert(pawl__side_low(&s->side));
    free(sweep().rescued);
    ck_assert(!pawl__side_low(&s->side));
    harness_close(&H);
}
END_TEST

/* ------------------------------------------------------------- shrinking */

static int64_t
file_bytes(void)
{
    struct stat st;

    ck_assert_int_eq(stat(H.folder.store, &st), 0);
    return st.st_size;
}

static void
sweep_once(void)
{
    struct pawl__sweep sweep;

    ok(H.driver->sweep(H.self, &sweep, &err));
    free(sweep.rescued);
}

/* Push n jobs of 4,000 bytes, and copy the log back. */
static void
push_large(size_t n)
{
    static char bytes[4000];
    struct pawl__new_job *jobs = calloc(n, sizeof *jobs);
    struct pawl__sqlite *s = H.self;
    size_t i;

    ck_assert_ptr_nonnull(jobs);
    for (i = 0; i < n; i++) {
        jobs[i] = harness_job(&H);
        jobs[i].payload = bytes;
        jobs[i].payload_bytes = sizeof bytes;
    }
    ok(H.driver->push(H.self, "q", jobs, n, NULL, NULL, &err));
    pawl__lock(&s->write_mu);
    pawl__checkpoint_locked(s);
    pawl__unlock(&s->write_mu);
    free(jobs);
}

static void
flush_all(void)
{
    struct pawl__move move = {.kind = PAWL__MOVE_FLUSH, .states = PAWL_WAITING};

    do
        ok(H.driver->move(H.self, &move, &err));
    while (move.more);
}

START_TEST(the_file_shrinks_once_a_backlog_is_gone)
{
    int64_t small, large, before;
    int n = 0;

    harness_open(&H, SQLITE_ONE);
    push_large(1);
    small = file_bytes();
    push_large(2500);
    large = file_bytes();
    ck_assert_int_gt(large, 10000000);
    flush_all();
    sweep_once(); /* a part: nobody waits for long */
    ck_assert_int_gt(file_bytes(), small + 1000000);
    do {
        before = file_bytes();
        sweep_once();
        ck_assert_int_lt(++n, 10);
    } while (before != file_bytes() || before == large);
    ck_assert_int_le(file_bytes() * 10, small * 11);
    push_large(1);
    harness_reopen(&H);
    ck_assert_int_eq(harness_info(&H, "q").waiting, 1);
    harness_close(&H);
}
END_TEST

START_TEST(a_file_with_a_little_free_room_stays)
{
    int64_t large;

    harness_open(&H, SQLITE_ONE);
    push_large(200); /* less than what is worth it */
    flush_all();
    large = file_bytes();
    sweep_once();
    ck_assert_int_eq(file_bytes(), large);
    harness_close(&H);
}
END_TEST

START_TEST(a_file_of_another_program_is_not_shrunk)
{
    sqlite3 *db;

    harness_open(&H, SQLITE_ONE);
    harness_close(&H);
    support_folder_make(&H.folder);
    ck_assert_int_eq(sqlite3_open(H.folder.store, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db,
                                  "PRAGMA journal_mode=WAL;"
                                  "CREATE TABLE theirs(x)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    (void)sqlite3_close(db);
    H.location = H.folder.store;
    ok(H.driver->open(H.location, &H.env, &H.self, &err));
    push_large(2500);
    flush_all();
    sweep_once();
    sweep_once();
    ck_assert_int_gt(file_bytes(), 10000000);
    harness_close(&H);
}
END_TEST

START_TEST(pushes_leave_the_rest_of_a_full_disk_to_acks)
{
    struct rlimit limit, old;
    struct pawl__new_job job;
    struct pawl__record *r;
    struct pawl__sqlite *s;

    harness_open(&H, SQLITE_ONE);
    s = H.self;
    job = harness_job(&H);
    (void)harness_push(&H, "q", &job);
    r = harness_claim_one(&H, "q");
    /* No room for the reserve, but some for the database. */
    pawl__side_ballast_drop(&s->side);
    (void)signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;
    limit.rlim_cur = (rlim_t)2 << 20;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    fails(PAWL_FULL, H.driver->push(H.self, "q", &job, 1, NULL, NULL, &err));
    ck_assert_int_eq(harness_settle(&H, r, PAWL__ACK, 0, NULL), PAWL_OK);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)harness_push(&H, "q", &job); /* there is room again */
    pawl__record_free(r);
    harness_close(&H);
}
END_TEST

/* -------------------------------------------------------------------- wait */

START_TEST(commits_of_our_own_do_not_end_a_watching_wait)
{
    struct pawl__new_job job;

    harness_open(&H, SQLITE_ONE);
    job = harness_job(&H);
    (void)H.driver->wait(H.self, PAWL__NEVER, 0, true);
    (void)harness_push(&H, "q", &job);
    ck_assert_int_eq(H.driver->wait(H.self, PAWL__NEVER, 1, true),
                     PAWL__WAIT_TIME);
    harness_close(&H);
}
END_TEST

static _Atomic bool syncing, may_sync;
static _Atomic(uintptr_t) stranger;

/* Holds another program at the sync of its commit: the log is written, and the
 * commit does not show. */
static int
hold_stranger(const struct pass_io *io)
{
    if (io->call != PASS_SYNC || io->file != PASS_LOG ||
        atomic_load(&stranger) != (uintptr_t)pthread_self())
        return SQLITE_OK;
    atomic_store(&syncing, true);
    while (!atomic_load(&may_sync))
        (void)sched_yield();
    return SQLITE_OK;
}

static void *
insert_by_a_stranger(void *arg)
{
    sqlite3 *db;

    atomic_store(&stranger, (uintptr_t)pthread_self());
    ck_assert_int_eq(sqlite3_open(arg, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db,
                                  "PRAGMA synchronous=FULL; INSERT INTO "
                                  "pawl_job(queue, type) VALUES ('q', 't')",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    atomic_store(&stranger, 0);
    (void)sqlite3_close(db);
    return NULL;
}

START_TEST(a_commit_that_does_not_show_yet_is_not_forgotten)
{
    struct pawl__thread thread;

    pass_vfs_register(hold_stranger, NULL);
    harness_open(&H, SQLITE_ONE);
    (void)H.driver->wait(H.self, PAWL__NEVER, 0, true);
    ck_assert_int_eq(pawl__thread_start(&thread, "stranger",
                                        insert_by_a_stranger,
                                        (void *)(uintptr_t)H.location),
                     0);
    while (!atomic_load(&syncing))
        (void)sched_yield();
    H.driver->interrupt(H.self);
    ck_assert_int_eq(
        H.driver->wait(H.self, PAWL__NEVER, SUPPORT_DEADLINE_MS, true),
        PAWL__WAIT_INTERRUPT);
    /* The second wait begins before the commit shows, and finds no event. */
    ck_assert_int_eq(H.driver->wait(H.self, PAWL__NEVER, 1, true),
                     PAWL__WAIT_TIME);
    ck_assert(((struct pawl__sqlite *)H.self)->wake.written);
    atomic_store(&may_sync, true);
    ck_assert_int_eq(
        H.driver->wait(H.self, PAWL__NEVER, SUPPORT_DEADLINE_MS, true),
        PAWL__WAIT_WORK);
    pawl__thread_join(&thread);
    harness_close(&H);
}
END_TEST

/* ------------------------------------------------------- who is known to be
 * gone */

/* As another worker signs its slot: side.c, struct side_worker. */
struct signature {
    int64_t pid, space, began;
};

static bool
is_gone(struct signature is)
{
    struct pawl__sqlite *s = H.self;
    const off_t at = 4096 * (1 + 7) + 8 * PAWL__SIDE_THREADS;

    ck_assert_int_eq(posix_fallocate(s->side.fd, 4096 * (1 + 7), 4096), 0);
    ck_assert_int_eq(pwrite(s->side.fd, &is, sizeof is, at), sizeof is);
    return pawl__side_is_gone(&s->side, 7);
}

/* Our own, as the library signs. */
static struct signature
own_signature(void)
{
    struct pawl__sqlite *s = H.self;
    struct signature is = {0, 0, 0};
    const off_t at = 4096 * (1 + s->side.slot) + 8 * PAWL__SIDE_THREADS;

    ck_assert_int_eq(pread(s->side.fd, &is, sizeof is, at), sizeof is);
    return is;
}

/* A process that has ended, and waits for us or does not. */
static pid_t
ended_process(bool waits)
{
    siginfo_t info;
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    ck_assert_int_eq(
        waitid(P_PID, (id_t)pid, &info, WEXITED | (waits ? WNOWAIT : 0)), 0);
    return pid;
}

START_TEST(only_a_process_that_is_known_to_be_gone_is_gone)
{
    struct signature is, other;
    pid_t zombie;

    harness_open(&H, SQLITE_ONE);
    harness_work(&H);
    is = own_signature();
    ck_assert_int_eq(is.pid, getpid());
    ck_assert(!is_gone(is));
    other = is;
    other.began++; /* our pid was another's before */
    ck_assert(is_gone(other));
    other = is;
    other.pid = ended_process(false);
    ck_assert(is_gone(other));
    other.space++; /* a pid of another namespace says nothing */
    ck_assert(!is_gone(other));
    other = is;
    other.pid = zombie = ended_process(true);
    ck_assert(is_gone(other));
    ck_assert_int_eq(waitpid(zombie, NULL, 0), zombie);
    other.began = 0; /* not known */
    ck_assert(!is_gone(other));
    other = is;
    other.space = 0;
    ck_assert(!is_gone(other));
    other.pid = 0;
    ck_assert(!is_gone(other));
    harness_close(&H);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("sqlite");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, workers_of_another_boot_are_dead_and_count_nothing);
    tcase_add_test(tc, a_live_worker_whose_side_file_was_deleted_is_not_robbed);
    tcase_add_test(tc, commits_of_our_own_do_not_end_a_watching_wait);
    tcase_add_test(tc, a_commit_that_does_not_show_yet_is_not_forgotten);
    tcase_add_test(tc, only_a_process_that_is_known_to_be_gone_is_gone);
    tcase_add_test(tc, a_worker_inherits_no_notes_of_what_ran);
    tcase_add_test(tc, claims_of_workers_or_jobs_deleted_by_hand_are_cleared);
    tcase_add_test(tc, a_batch_that_fails_in_company_leaves_nothing);
    tcase_add_loop_test(
        tc, a_queue_whose_first_push_was_undone_is_listed_by_its_next, 0, 2);
    tcase_add_loop_test(
        tc, a_key_outlives_an_ack_of_a_job_that_is_not_the_newest, 0, 2);
    tcase_add_loop_test(tc, history_that_is_kept_for_ever_stays, 0, 2);
    tcase_add_test(tc, an_asynchronous_push_is_synced_whoever_commits_it);
    tcase_add_loop_test(tc, durable_acks_are_synced_and_others_are_not, 0, 2);
    tcase_add_test(tc, a_checkpoint_whose_sync_fails_poisons_the_store);
    tcase_add_test(tc, a_read_that_fails_in_a_transaction_poisons_the_store);
    tcase_add_test(tc, what_a_failed_transaction_left_is_not_built_upon);
    tcase_add_test(tc, pushes_leave_the_rest_of_a_full_disk_to_acks);
    tcase_add_test(tc, nobody_writes_during_our_checkpoint);
    tcase_add_test(tc, a_shm_that_was_deleted_ends_the_work);
    tcase_add_test(tc, a_log_that_was_deleted_is_saved_first);
    tcase_add_loop_test(tc, a_calm_folder_tells_of_files_that_go, 0, 6);
    tcase_add_test(tc, others_can_checkpoint_after_the_log_was_restarted);
    tcase_add_test(tc, both_connections_distrust_the_file);
    tcase_add_loop_test(tc, tables_without_a_version_are_refused, 0, 3);
    tcase_add_test(tc, the_side_file_is_for_whom_the_database_is_for);
    tcase_add_test(tc, the_reserve_is_kept_again_by_a_sweep);
    tcase_add_test(tc, the_file_shrinks_once_a_backlog_is_gone);
    tcase_add_test(tc, a_file_with_a_little_free_room_stays);
    tcase_add_test(tc, a_file_of_another_program_is_not_shrunk);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("sqlite", add);
}
