/* SPDX-License-Identifier: MIT */
/* faults.c - everything that can fail, fails in turn.
 *
 * A fixed piece of work (a life: open, push, claim, settle, sweep, change,
 * checkpoint, close) is done once without faults, and the tables' content
 * noted after each step. Then it is done again for n = 1, 2, 3, ... with the
 * nth call failing, once or from then on, until a life meets no fault:
 *
 *   memory   an allocation of the library
 *   sqlite   an allocation of SQLite
 *   io       a call of the VFS: I/O error
 *   full     a call of the VFS that may need room: full disk
 *   short    a read: fewer bytes than asked for
 *   room     no call: the disk has so many bytes left
 *   system   a system call of the library itself
 *
 * After a step that failed: its error has a name and a sentence, the tables
 * are as before it (as before or as after, where it said UNKNOWN), and with
 * the fault gone another connection can write at once, the same handle goes
 * on (a poisoned one after it was opened anew), and the life ends as the one
 * without faults did. Then nothing is left: no memory, no descriptor.
 *
 *   faults [memory|sqlite|io|full|short|room|system] [--step N] [--from N] */
#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "driver/driver.h"
#include "lib/pass_vfs.h"
#include "lib/support.h"
#include "sqlite/shrink.h"
#include "sqlite/checkpoint.h"
#include "torture/system.h"

enum kind { MEMORY, SQLITE, IO, FULL, SHORT, ROOM, SYSTEM, N_KINDS };

static const char *const kind_names[N_KINDS] = {
    "memory", "sqlite", "io", "full", "short", "room", "system"};

/* ------------------------------------------------------------------ faults */

static struct {
    enum kind kind;
    bool armed;
    bool for_ever;
    long nth;  /* calls of the kind until one fails; ROOM: bytes */
    bool met;  /* one failed */
    bool look; /* our own connection is at work: nothing fails */
} fault;

/* Does the call that is being made fail? */
static bool
fault_hits(void)
{
    bool hit;

    if (!fault.armed || fault.look)
        return false;
    fault.nth--;
    hit = fault.nth == 0 || (fault.for_ever && fault.nth < 0);
    fault.met |= hit;
    return hit;
}

static bool
fault_has_room(const struct pass_io *io)
{
    sqlite3_int64 size = 0, grows;

    if (io->call != PASS_WRITE || !fault.armed || fault.look)
        return true;
    (void)io->real->pMethods->xFileSize(io->real, &size);
    grows = io->at + io->n - size;
    if (grows > fault.nth) {
        fault.met = true;
        return false;
    }
    if (grows > 0)
        fault.nth -= grows;
    return true;
}

static int
fault_io_code(const struct pass_io *io)
{
    switch (io->call) {
    case PASS_OPEN:
        return SQLITE_CANTOPEN;
    case PASS_READ:
        return SQLITE_IOERR_READ;
    case PASS_WRITE:
        return SQLITE_IOERR_WRITE;
    case PASS_SYNC:
        return SQLITE_IOERR_FSYNC;
    case PASS_TRUNCATE:
        return SQLITE_IOERR_TRUNCATE;
    case PASS_DELETE:
        return SQLITE_IOERR_DELETE;
    case PASS_ACCESS:
        return SQLITE_IOERR_ACCESS;
    case PASS_SIZE:
        return SQLITE_IOERR_FSTAT;
    case PASS_LOCK:
        return SQLITE_IOERR_LOCK;
    case PASS_SHM_MAP:
        return SQLITE_IOERR_SHMMAP;
    case PASS_SHM_LOCK:
        return SQLITE_IOERR_SHMLOCK;
    }
    return SQLITE_IOERR;
}

static int
fault_before(const struct pass_io *io)
{
    bool writes = io->call == PASS_WRITE || io->call == PASS_SYNC ||
                  io->call == PASS_SHM_MAP;

    if (fault.kind == IO && fault_hits())
        return fault_io_code(io);
    if (fault.kind == FULL && writes && fault_hits())
        return io->call == PASS_SHM_MAP ? SQLITE_IOERR_SHMSIZE : SQLITE_FULL;
    if (fault.kind == SHORT && io->call == PASS_READ && fault_hits())
        return SQLITE_IOERR_SHORT_READ;
    if (fault.kind == ROOM && !fault_has_room(io))
        return SQLITE_FULL;
    return SQLITE_OK;
}

static bool
fault_system_hits(void)
{
    return fault.kind == SYSTEM && fault_hits();
}

/* SQLite's allocator under ours. */
static sqlite3_mem_methods fault_real;

static void *
fault_malloc(int n)
{
    return fault.kind == SQLITE && fault_hits() ? NULL : fault_real.xMalloc(n);
}

static void *
fault_realloc(void *block, int n)
{
    return fault.kind == SQLITE && fault_hits() ? NULL
                                                : fault_real.xRealloc(block, n);
}

/* Before anything of SQLite is used. */
static void
fault_install(void)
{
    sqlite3_mem_methods ours;

    (void)sqlite3_config(SQLITE_CONFIG_GETMALLOC, &fault_real);
    ours = fault_real;
    ours.xMalloc = fault_malloc;
    ours.xRealloc = fault_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK ||
        sqlite3_initialize() != SQLITE_OK)
        exit(99);
    pass_vfs_register(fault_before, NULL);
    system_faults(fault_system_hits);
}

static void
fault_arm(enum kind kind, long nth, bool for_ever)
{
    fault.kind = kind;
    fault.nth = nth;
    fault.for_ever = for_ever;
    fault.met = false;
    fault.armed = true;
    if (kind == MEMORY)
        (void)pawl__alloc_fail_at(nth, for_ever);
}

static void
fault_disarm(void)
{
    fault.armed = false;
    if (fault.kind == MEMORY)
        fault.met |= pawl__alloc_fail_at(0, 0) >= fault.nth;
}

/* -------------------------------------------------------------------- life */

#define LIFE_HELD 16

static struct {
    struct support_folder folder;
    struct support_clock clock;
    struct pawl__clock library_clock;
    struct pawl__log log;
    pawl_options options;
    struct pawl__env env;
    void *self; /* NULL: not open */
    int64_t worker;
    struct pawl__settle held[LIFE_HELD];
    size_t n_held;
    sqlite3 *look;
    const char *where; /* for messages */
    char what[80];
} L;

static const struct pawl__driver *const driver = &pawl__sqlite_driver;

static void life_wrong(const char *why, const pawl_error *err)
    __attribute__((noreturn));

static void
life_wrong(const char *why, const pawl_error *err)
{
    fault_disarm();
    fprintf(stderr, "faults: %s, at %s: %s (%d, %d: %s)\n", L.what, L.where,
            why, err != NULL ? err->code : 0, err != NULL ? err->sys_code : 0,
            err != NULL ? err->message : "");
    exit(1);
}

static int
life_open(pawl_error *err)
{
    return driver->open(L.folder.store, &L.env, &L.self, err);
}

static int
life_work(pawl_error *err)
{
    return driver->worker_start(L.self, 2, &L.worker, err);
}

static int
life_push_some(size_t n, size_t bytes, const char *key, pawl_error *err)
{
    static char payload[9000];
    struct pawl__new_job jobs[12];
    size_t i;

    memset(jobs, 0, sizeof jobs);
    memset(payload, 'p', sizeof payload);
    for (i = 0; i < n; i++) {
        jobs[i].type = i % 2 == 0 ? "even" : "odd";
        jobs[i].payload = payload;
        jobs[i].payload_bytes = bytes;
        jobs[i].pushed_at_ms = jobs[i].ready_at_ms = atomic_load(&L.clock.wall);
        jobs[i].unique_key = key;
        jobs[i].unique_until_at_ms = key != NULL ? SUPPORT_EPOCH + 60000 : 0;
    }
    return driver->push(L.self, "q", jobs, n, NULL, NULL, err);
}

static int
life_push(pawl_error *err)
{
    return life_push_some(1, 9000, "key", err);
}

static int
life_push_many(pawl_error *err)
{
    return life_push_some(12, 200, NULL, err);
}

static void
life_told(void *user, int code, int64_t id, const pawl_error *err)
{
    pawl_error *kept = user;

    (void)id;
    if (code != PAWL_OK)
        *kept = *err;
    kept->code = code;
}

static int
life_push_async(pawl_error *err)
{
    struct pawl__new_job job = {.type = "even", .payload = "a"};
    struct pawl__async async = {"q", &job, life_told, NULL};
    pawl_error told = {.code = 1};
    int rc;

    job.payload_bytes = 1;
    job.pushed_at_ms = job.ready_at_ms = atomic_load(&L.clock.wall);
    async.user = &told;
    rc = driver->push_start(L.self, &async, err);
    if (rc != PAWL_OK)
        return rc;
    while (told.code == 1) { /* without memory it cannot begin: it waits */
        if (driver->sync(L.self, err) == PAWL_NOMEM && told.code == 1)
            fault_disarm();
    }
    if (told.code != PAWL_OK)
        *err = told;
    return told.code;
}

static int
life_exchange(size_t want, pawl_error *err)
{
    static const enum pawl__outcome outcomes[] = {PAWL__ACK,     PAWL__RETRY,
                                                  PAWL__FAIL,    PAWL__SNOOZE,
                                                  PAWL__TIMEOUT, PAWL__RELEASE};
    struct pawl__record *claims[LIFE_HELD] = {NULL};
    struct pawl__settle settles[LIFE_HELD];
    struct pawl__exchange x;
    size_t i;
    int rc;

    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.worker = L.worker;
    x.want = want;
    x.claims = claims;
    x.settles = settles;
    x.n_settles = L.n_held;
    memcpy(settles, L.held, sizeof settles);
    for (i = 0; i < x.n_settles; i++) {
        settles[i].outcome = outcomes[settles[i].job % 6];
        settles[i].ready_at_ms = atomic_load(&L.clock.wall) + 1000;
        settles[i].text = "a reason";
    }
    rc = driver->exchange(L.self, &x, err);
    if (rc != PAWL_OK)
        return rc;
    L.n_held = 0;
    for (i = 0; i < x.n_claims; i++) {
        memset(&L.held[L.n_held], 0, sizeof L.held[0]);
        L.held[L.n_held].job = claims[i]->info.id;
        L.held[L.n_held++].token = claims[i]->token;
        if (i < 2) /* those are abandoned by a crash */
            driver->running(L.self, (int)i, claims[i]->info.id);
        pawl__record_free(claims[i]);
    }
    return rc;
}

static int
life_claim(pawl_error *err)
{
    return life_exchange(7, err);
}

static int
life_settle_and_claim(pawl_error *err)
{
    return life_exchange(4, err);
}

static int
life_settle(pawl_error *err)
{
    return life_exchange(0, err);
}

static int
life_sweep(pawl_error *err)
{
    struct pawl__sweep sweep;
    int rc = driver->sweep(L.self, &sweep, err);

    pawl__free(sweep.rescued);
    return rc;
}

/* Where a lock cannot be looked at it counts as held, and the worker as alive:
 * until the next sweep. */
static int
life_rescue(pawl_error *err)
{
    int rc = life_sweep(err);

    return rc == PAWL_OK ? life_sweep(err) : rc;
}

static int
life_set(pawl_error *err)
{
    return driver->set(L.self, "q", pawl__setting_find("retention_s"), 100,
                       false, err);
}

static int
life_cancel(pawl_error *err)
{
    char queue[65];

    return driver->cancel(L.self, 13, queue, err);
}

static int
life_retry(pawl_error *err)
{
    return driver->retry(L.self, 13, err);
}

static int
life_move(enum pawl__move_kind kind, pawl_error *err)
{
    struct pawl__move move;

    memset(&move, 0, sizeof move);
    move.kind = kind;
    move.states = PAWL_FAILED | PAWL_TIMEOUT;
    return driver->move(L.self, &move, err);
}

static int
life_reload(pawl_error *err)
{
    return life_move(PAWL__MOVE_RELOAD, err);
}

static int
life_flush(pawl_error *err)
{
    return life_move(PAWL__MOVE_FLUSH, err);
}

/* Reads, which change nothing. */
static int
life_look(pawl_error *err)
{
    struct pawl__record *records[8] = {NULL}, *one = NULL;
    pawl_filter filter = PAWL_FILTER_INIT;
    struct pawl__list list = {&filter, records, 0};
    pawl_settings settings;
    struct pawl__interest all = {"q", NULL, 0};
    pawl_info info;
    char **names = NULL;
    bool busy;
    size_t n, i;
    int rc;

    filter.limit = 8;
    filter.states = PAWL_ANY_STATE;
    rc = driver->list(L.self, &list, err);
    for (i = 0; i < list.n_records; i++)
        pawl__record_free(records[i]);
    if (rc == PAWL_OK)
        rc = driver->get(L.self, 2, &one, err);
    pawl__record_free(one);
    if (rc == PAWL_OK)
        rc = driver->info(L.self, "q", &info, err);
    if (rc == PAWL_OK)
        rc = driver->queues(L.self, &names, &n, err);
    pawl__free(names);
    if (rc == PAWL_OK)
        rc = driver->busy(L.self, &all, 1, &busy, err);
    if (rc == PAWL_OK)
        rc = driver->settings(L.self, "q", &settings, err);
    return rc;
}

/* A checkpoint tells nobody of its failure: the log stays. */
static int
life_checkpoint(pawl_error *err)
{
    struct pawl__sqlite *s = L.self;

    pawl__lock(&s->write_mu);
    pawl__checkpoint_locked(s);
    pawl__unlock(&s->write_mu);
    return pawl__store_check(s, err);
}

/* Examine the closed store; what it finds is not looked at here. */
static int
life_doctor(pawl_error *err)
{
    struct pawl__findings findings = {NULL, 0};
    int rc = driver->doctor(L.folder.store, &L.env, &findings, err);

    pawl__free(findings.all);
    return rc;
}

static int
life_pass_time(pawl_error *err)
{
    (void)err;
    support_clock_pass(&L.clock, 2000);
    return PAWL_OK;
}

static int
life_close(pawl_error *err)
{
    (void)err;
    if (L.self != NULL)
        driver->close(L.self, false);
    L.self = NULL;
    L.worker = 0;
    L.n_held = 0;
    return PAWL_OK;
}

static void
life_copy(const char *from_suffix, const char *to_suffix)
{
    char from[400], to[400], bytes[65536];
    size_t n;
    FILE *in, *out;

    (void)snprintf(from, sizeof from, "%s%s", L.folder.store, from_suffix);
    (void)snprintf(to, sizeof to, "%s%s", L.folder.store, to_suffix);
    in = fopen(from, "rb");
    out = fopen(to, "wb");
    if (in == NULL || out == NULL)
        life_wrong("cannot copy the store", NULL);
    while ((n = fread(bytes, 1, sizeof bytes, in)) > 0)
        (void)fwrite(bytes, 1, n, out);
    (void)fclose(in);
    (void)fclose(out);
}

/* Put the files back as they were when the store was open: as after kill -9,
 * with a log to recover from. (To open them here drops SQLite's locks; nobody
 * else uses the store.) */
static int
life_crash(pawl_error *err)
{
    life_copy("", ".kept");
    life_copy("-wal", "-wal.kept");
    (void)life_close(err);
    life_copy(".kept", "");
    life_copy("-wal.kept", "-wal");
    return PAWL_OK;
}

static const struct step {
    const char *name;
    int (*run)(pawl_error *err);
} steps[] = {
    {"open", life_open},
    {"worker", life_work},
    {"push", life_push},
    {"push many", life_push_many},
    {"push async", life_push_async},
    {"set", life_set},
    {"claim", life_claim},
    {"settle and claim", life_settle_and_claim},
    {"look", life_look},
    {"checkpoint", life_checkpoint},
    {"settle", life_settle},
    {"time", life_pass_time},
    {"cancel", life_cancel},
    {"retry", life_retry},
    {"claim again", life_claim},
    {"settle again", life_settle},
    {"reload", life_reload},
    {"sweep", life_sweep},
    {"claim before the crash", life_claim},
    {"crash", life_crash},
    {"doctor", life_doctor},
    {"recover", life_open},
    {"worker anew", life_work},
    {"rescue", life_rescue},
    {"flush", life_flush},
    {"checkpoint again", life_checkpoint},
    {"close", life_close},
};
#define N_STEPS (sizeof steps / sizeof steps[0])

/* ----------------------------------------------------------------- content */

struct content {
    uint64_t jobs, all;
};

static struct content expected[N_STEPS];

static uint64_t
content_rows(const char *sql, uint64_t h)
{
    sqlite3_stmt *st = NULL;
    const unsigned char *bytes;
    int i, k, n;

    if (sqlite3_prepare_v2(L.look, sql, -1, &st, NULL) != SQLITE_OK)
        return 0;
    n = sqlite3_column_count(st);
    while (sqlite3_step(st) == SQLITE_ROW)
        for (i = 0; i < n; i++) {
            bytes = sqlite3_column_blob(st, i);
            for (k = 0; k < sqlite3_column_bytes(st, i); k++)
                h = (h ^ bytes[k]) * 1099511628211ULL; /* FNV-1a */
            h = (h ^ '|') * 1099511628211ULL;
        }
    (void)sqlite3_finalize(st);
    return h;
}

/* All but what is drawn at random: tokens, and ids of workers. */
static struct content
content(void)
{
    struct content c;

    fault.look = true;
    c.jobs = content_rows("SELECT * FROM pawl_job ORDER BY id", 17);
    c.jobs = content_rows("SELECT * FROM pawl_queue ORDER BY name", c.jobs);
    c.all = content_rows("SELECT job FROM pawl_claim ORDER BY job", c.jobs);
    c.all = content_rows("SELECT count(*) FROM pawl_worker", c.all);
    fault.look = false;
    return c;
}

/* Our own connection, on which nothing fails. */
static void
content_open(void)
{
    fault.look = true;
    if (L.look == NULL && (sqlite3_open(L.folder.store, &L.look) != SQLITE_OK ||
                           sqlite3_wal_autocheckpoint(L.look, 0) != SQLITE_OK))
        life_wrong("cannot look at the store", NULL);
    fault.look = false;
}

static void
content_close(void)
{
    fault.look = true;
    (void)sqlite3_close(L.look);
    L.look = NULL;
    fault.look = false;
}

/* Can another connection write at once? */
static bool
content_is_free(void)
{
    bool free_;

    fault.look = true;
    free_ = sqlite3_exec(L.look, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL,
                         NULL) == SQLITE_OK;
    fault.look = false;
    return free_;
}

static bool
content_is_sound(void)
{
    sqlite3_stmt *st = NULL;
    bool sound;

    fault.look = true;
    sound = sqlite3_prepare_v2(L.look, "PRAGMA integrity_check", -1, &st,
                               NULL) == SQLITE_OK &&
            sqlite3_step(st) == SQLITE_ROW &&
            strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
    (void)sqlite3_finalize(st);
    fault.look = false;
    return sound;
}

/* ------------------------------------------------------------ after a fault */

static int
count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (dir != NULL && readdir(dir) != NULL)
        n++;
    if (dir != NULL)
        (void)closedir(dir);
    return n;
}

static void
mend_check_error(int rc, const pawl_error *err)
{
    if (err->code != rc || err->message[0] == '\0' || rc > 0 ||
        rc < PAWL_MISUSE)
        life_wrong("the error has no name or no sentence", err);
}

/* With a lasting fault: what is tried meanwhile fails by name, or works. */
static void
mend_try_meanwhile(void)
{
    pawl_error err = {0};
    int rc;

    (void)life_close(&err);
    rc = life_open(&err);
    if (rc != PAWL_OK)
        mend_check_error(rc, &err);
    (void)life_close(&err);
}

/* The store is poisoned: as before or as after the step, but for claims. */
static void
mend_poisoned(size_t i, int rc)
{
    struct content now;

    if (fault.for_ever)
        mend_try_meanwhile();
    fault_disarm();
    now = content();
    if (now.jobs != expected[i - 1].jobs &&
        !((rc == PAWL_UNKNOWN || steps[i].run == life_rescue) &&
          now.jobs == expected[i].jobs))
        life_wrong("the jobs are neither as before nor as after", NULL);
}

static bool
mend_is_as_before(size_t i, const struct content *now)
{
    if (now->all == expected[i - 1].all)
        return true;
    /* A worker that could not begin may leave a row, as one that died; and a
     * rescue is two sweeps. */
    return (steps[i].run == life_work && now->jobs == expected[i - 1].jobs) ||
           (steps[i].run == life_rescue && now->all == expected[i].all);
}

/* All as before; then the same step works on the same handle. */
static void
mend_same(size_t i, const pawl_error *failed)
{
    struct content now;
    pawl_error err = {0};

    if (L.look != NULL) {
        if (!content_is_free())
            life_wrong("a lock was left", failed);
        now = content();
        if (!mend_is_as_before(i, &now))
            life_wrong("the store is not as before", failed);
    }
    if (steps[i].run(&err) != PAWL_OK)
        life_wrong("with the fault gone it still fails", &err);
}

/* Step i failed. True: the handle is poisoned, and this life is over. */
static bool
mend(size_t i, int rc, const pawl_error *err)
{
    pawl_error ignored;

    mend_check_error(rc, err);
    if (L.self != NULL && pawl__store_check(L.self, &ignored) != PAWL_OK) {
        mend_poisoned(i, rc);
        return true;
    }
    if (rc == PAWL_UNKNOWN || rc == PAWL_POISONED)
        life_wrong("not poisoned after an unknown end", err);
    if (L.self == NULL && fault.for_ever)
        mend_try_meanwhile();
    fault_disarm();
    mend_same(i, err);
    return false;
}

/* ---------------------------------------------------------------- one life */

/* Open anew, and run all that is there: nothing that was accepted is lost. */
static void
life_drain(void)
{
    pawl_error err = {0};
    int i;

    L.where = "draining";
    (void)life_close(&err);
    if (life_open(&err) != PAWL_OK || life_work(&err) != PAWL_OK ||
        life_sweep(&err) != PAWL_OK)
        life_wrong("the store does not open with the fault gone", &err);
    content_open();
    if (!content_is_sound())
        life_wrong("the file is damaged", NULL);
    for (i = 0; i < 20; i++) {
        if (life_claim(&err) != PAWL_OK || life_settle(&err) != PAWL_OK)
            life_wrong("cannot drain", &err);
        (void)life_pass_time(&err);
        (void)life_sweep(&err);
    }
    content_close();
    (void)life_close(&err);
}

static void
life_begin(void)
{
    support_folder_make(&L.folder);
    atomic_store(&L.clock.wall, SUPPORT_EPOCH);
    atomic_store(&L.clock.monotonic, 1000000);
}

/* All steps, until one leaves the store poisoned. */
static bool
life_steps(bool reference)
{
    pawl_error err;
    size_t i;
    int rc;

    for (i = 0; i < N_STEPS; i++) {
        L.where = steps[i].name;
        if (steps[i].run == life_close || steps[i].run == life_crash)
            content_close();
        memset(&err, 0, sizeof err);
        rc = steps[i].run(&err);
        if (rc != PAWL_OK && reference)
            life_wrong("the reference failed", &err);
        if (rc != PAWL_OK && mend(i, rc, &err))
            return false;
        if (steps[i].run == life_open)
            content_open();
        if (reference && L.look != NULL)
            expected[i] = content();
    }
    return true;
}

/* One life; did it meet its fault? */
static bool
life(enum kind kind, long nth, bool for_ever, bool reference)
{
    int descriptors = count_descriptors();
    sqlite3_int64 memory = sqlite3_memory_used();
    long blocks = pawl__alloc_live();
    struct content last;
    bool whole, met;

    life_begin();
    if (!reference)
        fault_arm(kind, nth, for_ever);
    whole = life_steps(reference);
    fault_disarm();
    met = fault.met;
    content_open();
    last = content();
    if (whole && !(kind == SYSTEM && for_ever) &&
        last.jobs != expected[N_STEPS - 2].jobs)
        life_wrong("the life did not end as without faults", NULL);
    content_close();
    if (!whole || nth % 8 == 0)
        life_drain();
    L.where = "the end";
    if (count_descriptors() != descriptors)
        life_wrong("descriptors are left", NULL);
    if (sqlite3_memory_used() != memory)
        life_wrong("SQLite's memory is left", NULL);
    if (pawl__alloc_live() != blocks)
        life_wrong("our memory is left", NULL);
    support_folder_remove(&L.folder);
    return met;
}

/* --------------------------------------------------------------------- main */

static long
faults_of(enum kind kind, long first, long step, long last)
{
    long nth, n = 0;
    bool met = true;
    int for_ever;

    for (for_ever = 0; for_ever < 2; for_ever++) {
        if (kind == ROOM && for_ever == 1)
            break;
        for (nth = first, met = true; kind == ROOM ? nth <= last : met;
             nth += step, n++) {
            (void)snprintf(L.what, sizeof L.what, "%s %ld%s", kind_names[kind],
                           nth, for_ever ? " and from then on" : "");
            met = life(kind, nth, for_ever == 1, false);
        }
    }
    return n;
}

static void
faults_prepare(void)
{
    pawl_error err = {0};

    fault_install();
    support_clock_init(&L.clock);
    pawl__clock_init(&L.library_clock, &L.clock.clock);
    if (pawl__options_check(NULL, &L.options, &err) != PAWL_OK)
        exit(99);
    L.options.busy_timeout_ms = 1;
    L.env.options = &L.options;
    L.env.clock = &L.library_clock;
    L.env.log = &L.log;
    (void)snprintf(L.what, sizeof L.what, "without faults");
    (void)life(IO, 0, false, true);
    (void)life(IO, 0, false, true); /* the first leaves SQLite's caches */
}

int
main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"step", required_argument, NULL, 's'},
        {"from", required_argument, NULL, 'f'},
        {NULL, 0, NULL, 0}};
    long step = 1, from = 1;
    int option, kind;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 's')
            step = atol(optarg);
        else if (option == 'f')
            from = atol(optarg);
        else
            return 2;
    }
    pawl__shrink_from = 1;
    faults_prepare();
    for (kind = 0; kind < N_KINDS; kind++) {
        if (optind < argc && strcmp(argv[optind], kind_names[kind]) != 0)
            continue;
        printf("faults, %s: %ld lives\n", kind_names[kind],
               faults_of((enum kind)kind, kind == ROOM ? 0 : from,
                         kind == ROOM ? 512 * step : step, 512 * 1024));
        (void)fflush(stdout);
    }
    return 0;
}
