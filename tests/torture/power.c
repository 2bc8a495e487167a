/* SPDX-License-Identifier: MIT */
/* power.c - pull the plug at every moment.
 *
 * A random piece of work (creation, pushes, claims, settles, changes, sweeps,
 * checkpoints, reopening, an upgrade of the schema, closing) is done on a disk
 * that records (disk.h); after each transaction the tables' content is noted.
 * Then the recording is cut after every call, each time in several ways, the
 * files that are left are opened by the library, and judged:
 *
 *   - they open, and PRAGMA integrity_check is content;
 *   - the tables are as they were after some transaction: a prefix of the
 *     history, whatever the durability;
 *   - that is not older than the last sync of the log, and with durability
 *     power not older than the last call that returned OK and is durable;
 *   - all that is waiting there can be claimed and acked, and new jobs pushed.
 *
 * Controls, which must fail: a disk that lies about syncs of the log, and one
 * without any sync (what synchronous=OFF would be).
 *
 *   power [--states N] [--jobs N] [--seed N] [--process]
 *         [--control log|off] [--quiet] */
#include <getopt.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/mman.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/driver.h"
#include "lib/support.h"
#include "sqlite/shrink.h"
#include "sqlite/checkpoint.h"
#include "sqlite/migrate.h"
#include "torture/disk.h"

#define POWER_MARKS 4000
#define POWER_STEPS 140
#define POWER_HELD 64
#define POWER_CUTS 5 /* ways to cut after each call */
#define POWER_UPGRADE                                \
    "ALTER TABLE pawl_queue ADD COLUMN colour TEXT;" \
    "UPDATE pawl_meta SET value = 2 WHERE key = 'schema_version'"

/* Where the recording stood when a transaction had returned. */
struct mark {
    size_t at; /* calls recorded */
    uint64_t content;
    bool durable;
    bool upgraded; /* by a library that knows the next schema */
};

static struct {
    struct support_folder folder, images;
    struct support_clock clock;
    struct pawl__clock library_clock;
    struct pawl__log log;
    pawl_options options;
    struct pawl__env env;
    uint64_t random;
    void *self;
    sqlite3 *look; /* reads the content beside the library */
    int64_t worker;
    struct pawl__settle held[POWER_HELD]; /* claims not yet settled */
    size_t n_held;
    struct mark marks[POWER_MARKS];
    size_t n_marks;
    size_t upgrade_from; /* calls recorded when the upgrade began */
    char *side;          /* the side file as it was at the end */
    size_t n_side;
} P;

static const struct pawl__driver *const driver = &pawl__sqlite_driver;

/* What all children found. */
struct tally {
    _Atomic long states, refused, corrupt, no_prefix, lost, stuck;
    _Atomic long worst_loss; /* transactions, with durability process */
    _Atomic long told;
};
static struct tally *tally;

static void
power_must(int rc, const pawl_error *err, const char *what)
{
    if (rc == PAWL_OK)
        return;
    fprintf(stderr, "power: %s: %s\n", what, err->message);
    exit(99);
}

/* ---------------------------------------------------------------- content */

static uint64_t
power_hash(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    size_t i;

    for (i = 0; i < n; i++)
        h = (h ^ b[i]) * 1099511628211ULL; /* FNV-1a */
    return h;
}

static uint64_t
power_hash_rows(sqlite3 *db, const char *sql, uint64_t h)
{
    sqlite3_stmt *st = NULL;
    int i, n, step;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        return 0;
    n = sqlite3_column_count(st);
    while ((step = sqlite3_step(st)) == SQLITE_ROW)
        for (i = 0; i < n; i++) {
            h = power_hash(h, sqlite3_column_blob(st, i),
                           (size_t)sqlite3_column_bytes(st, i));
            h = power_hash(h, "|", 1);
        }
    (void)sqlite3_finalize(st);
    return step == SQLITE_DONE ? h : 0;
}

/* One number for all that the tables say; 0: they cannot be read. */
static uint64_t
power_content(sqlite3 *db)
{
    static const char *const tables[] = {
        "SELECT * FROM pawl_job ORDER BY id",
        "SELECT * FROM pawl_claim ORDER BY job",
        "SELECT id, slot, side, boot FROM pawl_worker ORDER BY id",
        ("SELECT name, parallelism, paused, retention_s, max_attempts FROM "
         "pawl_queue ORDER BY name"),
    };
    uint64_t h = 1469598103934665603ULL;
    size_t i;

    for (i = 0; i < 4 && h != 0; i++)
        h = power_hash_rows(db, tables[i], h);
    return h;
}

static sqlite3 *
power_look(const char *path)
{
    sqlite3 *db = NULL;

    /* By another VFS: what it does is not recorded. */
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "unix") !=
        SQLITE_OK) {
        fprintf(stderr, "power: look: %s\n", sqlite3_errmsg(db));
        exit(99);
    }
    (void)sqlite3_wal_autocheckpoint(db, 0);
    return db;
}

static void
power_mark(bool durable)
{
    struct mark *m;

    if (P.n_marks == POWER_MARKS) {
        fprintf(stderr, "power: too many transactions\n");
        exit(99);
    }
    m = &P.marks[P.n_marks++];
    m->at = disk_n();
    m->content = power_content(P.look);
    /* A call that found nothing to change has written, and synced, nothing. */
    m->durable = durable && P.n_marks > 1 && m->content != m[-1].content;
    m->upgraded = P.upgrade_from != 0;
}

/* ------------------------------------------------------------------- steps */

static void
power_open(void)
{
    pawl_error err;

    power_must(driver->open(P.folder.store, &P.env, &P.self, &err), &err,
               "open");
    P.look = power_look(P.folder.store);
    power_mark(false); /* the schema's own commit is told by no promise */
    P.worker = 0;
}

static void
power_close(void)
{
    if (P.worker != 0) {
        driver->worker_stop(P.self);
        power_mark(false);
    }
    (void)sqlite3_close(P.look);
    driver->close(P.self, false);
    P.n_held = 0;
}

static void
power_push(size_t n)
{
    static unsigned char bytes[8000];
    struct pawl__new_job jobs[20];
    pawl_error err;
    char key[24];
    size_t i;
    int rc;

    memset(jobs, 0, sizeof jobs);
    memset(bytes, (int)disk_random(&P.random, 256), sizeof bytes);
    (void)snprintf(key, sizeof key, "key %u", disk_random(&P.random, 6));
    for (i = 0; i < n; i++) {
        jobs[i].type = "t";
        jobs[i].payload = bytes;
        jobs[i].payload_bytes = disk_random(&P.random, 4) == 0
                                    ? disk_random(&P.random, 8000)
                                    : disk_random(&P.random, 100);
        jobs[i].pushed_at_ms = atomic_load(&P.clock.wall);
        jobs[i].ready_at_ms =
            jobs[i].pushed_at_ms + (int64_t)disk_random(&P.random, 3) * 1000;
        jobs[i].priority = (int32_t)disk_random(&P.random, 3);
    }
    if (n == 1 && disk_random(&P.random, 4) == 0)
        jobs[0].unique_key = key;
    rc = driver->push(P.self, "q", jobs, n, NULL, NULL, &err);
    power_must(rc == PAWL_EXISTS ? PAWL_OK : rc, &err, "push");
    power_mark(rc == PAWL_OK);
}

static void
power_hold(const struct pawl__record *r)
{
    struct pawl__settle *s = &P.held[P.n_held++];

    memset(s, 0, sizeof *s);
    s->job = r->info.id;
    s->token = r->token;
}

static void
power_exchange(void)
{
    static const enum pawl__outcome outcomes[] = {
        PAWL__ACK,  PAWL__ACK,    PAWL__ACK,    PAWL__RETRY,
        PAWL__FAIL, PAWL__SNOOZE, PAWL__RELEASE};
    struct pawl__record *claims[8];
    struct pawl__settle settles[POWER_HELD];
    struct pawl__exchange x;
    const char *type = "t";
    pawl_error err;
    size_t i;

    if (P.worker == 0) {
        power_must(driver->worker_start(P.self, 2, &P.worker, &err), &err,
                   "worker");
        power_mark(false);
    }
    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.worker = P.worker;
    x.types = &type;
    x.n_types = 1;
    x.want = disk_random(&P.random, 8);
    x.claims = claims;
    x.n_settles = P.n_held;
    x.settles = settles;
    memcpy(settles, P.held, sizeof settles);
    for (i = 0; i < x.n_settles; i++) {
        settles[i].outcome = outcomes[disk_random(&P.random, 7)];
        settles[i].ready_at_ms =
            atomic_load(&P.clock.wall) + disk_random(&P.random, 2000);
        settles[i].text = "why";
    }
    P.n_held = 0;
    power_must(driver->exchange(P.self, &x, &err), &err, "exchange");
    for (i = 0; i < x.n_claims; i++) {
        power_hold(claims[i]);
        pawl__record_free(claims[i]);
    }
    power_mark(false);
}

static void
power_change(void)
{
    const struct pawl__setting *field = pawl__setting_find(
        disk_random(&P.random, 2) ? "retention_s" : "max_attempts");
    struct pawl__move move;
    pawl_error err;
    char queue[65];
    int64_t id = (int64_t)disk_random(&P.random, 200) + 1;

    memset(&move, 0, sizeof move);
    switch (disk_random(&P.random, 4)) {
    case 0:
        power_mark(driver->cancel(P.self, id, queue, &err) == PAWL_OK);
        break;
    case 1:
        power_mark(driver->retry(P.self, id, &err) == PAWL_OK);
        break;
    case 2:
        move.kind =
            disk_random(&P.random, 2) ? PAWL__MOVE_RELOAD : PAWL__MOVE_FLUSH;
        move.states = PAWL_FAILED | PAWL_CANCELLED | PAWL_DONE;
        if (move.kind == PAWL__MOVE_RELOAD)
            move.states = PAWL_FAILED | PAWL_CANCELLED;
        power_must(driver->move(P.self, &move, &err), &err, "move");
        power_mark(true);
        break;
    default:
        power_must(driver->set(P.self, "q", field,
                               disk_random(&P.random, 3) + 1, false, &err),
                   &err, "set");
        power_mark(true);
    }
}

static void
power_sweep(void)
{
    struct pawl__sweep sweep;
    pawl_error err;

    power_must(driver->sweep(P.self, &sweep, &err), &err, "sweep");
    free(sweep.rescued);
    power_mark(false);
}

static void
power_checkpoint(void)
{
    struct pawl__sqlite *s = P.self;

    pawl__lock(&s->write_mu);
    pawl__checkpoint_locked(s);
    pawl__unlock(&s->write_mu);
}

static void
power_step(void)
{
    unsigned what = disk_random(&P.random, 100);

    if (what < 35)
        power_push(1);
    else if (what < 45)
        power_push(2 + disk_random(&P.random, 18));
    else if (what < 75)
        power_exchange();
    else if (what < 83)
        power_change();
    else if (what < 90)
        power_sweep();
    else if (what < 95)
        power_checkpoint();
    else if (what < 98)
        support_clock_pass(&P.clock, 500 + disk_random(&P.random, 90000));
    else {
        power_close();
        power_open();
    }
}

/* Keep the side file as it is: what of it survives is drawn at each cut. */
static void
power_keep_side(void)
{
    char path[400];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s-pawl", P.folder.store);
    f = fopen(path, "rb");
    P.n_side = 64 * 1024;
    P.side = calloc(1, P.n_side);
    if (f == NULL || P.side == NULL ||
        fread(P.side, 1, P.n_side, f) != P.n_side) {
        perror("power: the side file");
        exit(99);
    }
    (void)fclose(f);
}

static void
power_record(enum disk_lie lie)
{
    int i;

    P.n_marks = P.n_held = P.upgrade_from = 0;
    P.self = NULL;
    pawl__migrate_next(NULL);
    disk_record(P.folder.store, lie);
    power_open();
    for (i = 0; i < POWER_STEPS; i++) {
        if (i == POWER_STEPS * 2 / 3) {
            power_close();
            P.upgrade_from = disk_n();
            pawl__migrate_next(POWER_UPGRADE);
            power_open();
        }
        power_step();
    }
    power_close();
    P.marks[P.n_marks] = P.marks[P.n_marks - 1];
    disk_stop();
    power_keep_side();
}

/* ------------------------------------------------------------------ judging */

/* The side file after the cut: as it was, torn, empty, garbage, or not there.
 * It is no file of SQLite's and is never synced: anything may be left. */
static void
power_cut_side(const char *path, uint64_t *random)
{
    char side[600];
    size_t i;
    FILE *f;

    (void)snprintf(side, sizeof side, "%s-pawl", path);
    (void)unlink(side);
    if (disk_random(random, 4) == 0)
        return;
    f = fopen(side, "wb");
    if (f == NULL)
        exit(99);
    for (i = 0; i < P.n_side; i += 4096) {
        switch (disk_random(random, 4)) {
        case 0:
            (void)fseek(f, 4096, SEEK_CUR);
            break;
        case 1:
            (void)fwrite(P.marks, 1, 4096, f); /* something else */
            break;
        default:
            (void)fwrite(P.side + i, 1, 4096, f);
        }
        if (disk_random(random, 16) == 0)
            break;
    }
    (void)fclose(f);
}

struct cut {
    size_t n;
    enum disk_loss loss;
    uint64_t random; /* before it was used */
    const char *path;
};

static void
power_tell(const struct cut *cut, _Atomic long *count, const char *what,
           const char *detail)
{
    atomic_fetch_add(count, 1);
    if (atomic_fetch_add(&tally->told, 1) < 10)
        fprintf(stderr, "power: %s after call %zu of %zu (loss %d): %s\n", what,
                cut->n, disk_n(), (int)cut->loss, detail);
}

static bool
power_is_sound(sqlite3 *db)
{
    sqlite3_stmt *st = NULL;
    bool sound = false;

    if (sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL) ==
            SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        sound = strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
    (void)sqlite3_finalize(st);
    return sound;
}

/* Which transactions must be there: the number of the last. */
static size_t
power_least(size_t cut)
{
    size_t i, least = 0, sync = 0;

    for (i = 0; i < cut; i++)
        if (disk_is_log_sync(i))
            sync = i;
    for (i = 0; i < P.n_marks && P.marks[i].at <= cut; i++)
        if (P.marks[i].at <= sync ||
            (P.marks[i].durable && P.options.durability == PAWL_POWER))
            least = i;
    return least;
}

static void
power_judge_content(const struct cut *cut, uint64_t content)
{
    size_t least = power_least(cut->n), i, begun = 0;
    char text[96];

    while (begun < P.n_marks && P.marks[begun].at <= cut->n)
        begun++; /* the next one was under way */
    for (i = begun + 1; i-- > least;)
        if (i < P.n_marks && P.marks[i].content == content) {
            if ((long)(begun - i) > atomic_load(&tally->worst_loss))
                atomic_store(&tally->worst_loss, (long)(begun - i));
            return;
        }
    for (i = 0; i < least; i++)
        if (P.marks[i].content == content) {
            (void)snprintf(text, sizeof text,
                           "the state after transaction %zu, not %zu or later",
                           i, least);
            power_tell(cut, &tally->lost, "lost", text);
            return;
        }
    power_tell(cut, &tally->no_prefix, "no prefix",
               "the tables never were like that");
}

/* Claim and ack everything; push one more. */
static void
power_go_on(const struct cut *cut, void *self)
{
    struct pawl__record *claims[64];
    struct pawl__settle settles[64];
    struct pawl__new_job job = {.type = "t", .pushed_at_ms = 1};
    struct pawl__exchange x;
    struct pawl__sweep sweep;
    pawl_error err;
    int64_t worker;
    size_t i;
    int rc = driver->worker_start(self, 1, &worker, &err);

    if (rc == PAWL_OK) {
        rc = driver->sweep(self, &sweep, &err);
        free(sweep.rescued);
    }
    if (rc == PAWL_OK)
        rc = driver->push(self, "q", &job, 1, NULL, NULL, &err);
    memset(&x, 0, sizeof x);
    do {
        memset(settles, 0, sizeof settles);
        for (i = 0; rc == PAWL_OK && i < x.n_claims; i++) {
            settles[i].job = claims[i]->info.id;
            settles[i].token = claims[i]->token;
            settles[i].outcome = PAWL__ACK;
            pawl__record_free(claims[i]);
        }
        x.n_settles = x.n_claims;
        x.settles = settles;
        x.queue = "q";
        x.worker = worker;
        x.want = 64;
        x.claims = claims;
        if (rc == PAWL_OK)
            rc = driver->exchange(self, &x, &err);
        for (i = 0; rc == PAWL_OK && i < x.n_settles; i++)
            if (settles[i].status != PAWL_OK)
                power_tell(cut, &tally->stuck, "stuck", "an ack was refused");
    } while (rc == PAWL_OK && x.n_claims > 0);
    if (rc != PAWL_OK)
        power_tell(cut, &tally->stuck, "stuck", err.message);
}

static void
power_judge_store(const struct cut *cut, void *self, bool further)
{
    sqlite3 *db = ((struct pawl__sqlite *)self)->r.db;
    uint64_t content = power_content(db);
    bool sound = power_is_sound(db);

    if (!sound || content == 0) {
        power_tell(cut, &tally->corrupt, "corrupt", "integrity_check");
        return;
    }
    power_judge_content(cut, content);
    if (further)
        power_go_on(cut, self);
}

static void
power_judge(struct cut *cut, bool further)
{
    pawl_error err;
    void *self;
    int rc;

    disk_cut(cut->n, cut->loss, &cut->random, cut->path);
    power_cut_side(cut->path, &cut->random);
    /* After the cut the machine boots anew. */
    pawl__side_boot = 1 + (int64_t)disk_random(&cut->random, 1u << 30);
    pawl__migrate_next(
        P.upgrade_from != 0 && cut->n > P.upgrade_from ? POWER_UPGRADE : NULL);
    atomic_fetch_add(&tally->states, 1);
    rc = driver->open(cut->path, &P.env, &self, &err);
    if (rc != PAWL_OK) {
        power_tell(cut, rc == PAWL_CORRUPT ? &tally->corrupt : &tally->refused,
                   rc == PAWL_CORRUPT ? "corrupt" : "refused", err.message);
        return;
    }
    power_judge_store(cut, self, further);
    driver->close(self, false);
}

/* Every call, in several ways; child number part of n_parts. */
static void
power_judge_part(unsigned part, unsigned n_parts, long most)
{
    char path[400];
    struct cut cut;
    uint64_t random = P.random + part * 77777 + 1;
    size_t n;
    int way;

    (void)snprintf(path, sizeof path, "%s/%u.db", P.images.path, part);
    for (n = part; n <= disk_n(); n += n_parts) {
        for (way = 0; way < POWER_CUTS; way++) {
            if (atomic_load(&tally->states) >= most)
                return;
            cut.n = n;
            cut.loss = way == 0   ? DISK_LOSE_ALL
                       : way == 1 ? DISK_LOSE_NONE
                                  : DISK_LOSE_SOME;
            cut.path = path;
            (void)disk_random(&random, 2);
            cut.random = random;
            power_judge(&cut, (n * POWER_CUTS + (unsigned)way) % 16 == 0);
        }
    }
}

static int
power_judge_all(unsigned jobs, long most)
{
    unsigned i;
    int status, rc = 0;
    pid_t pid;

    for (i = 0; i < jobs; i++) {
        pid = fork();
        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            power_judge_part(i, jobs, most);
            support_exit(0);
        }
    }
    while (wait(&status) > 0)
        if (status != 0)
            rc = 1;
    return rc;
}

/* --------------------------------------------------------------------- main */

static int
power_report(long recordings, size_t calls, const char *control, int rc)
{
    long bad = atomic_load(&tally->refused) + atomic_load(&tally->corrupt) +
               atomic_load(&tally->no_prefix) + atomic_load(&tally->lost) +
               atomic_load(&tally->stuck);

    printf("power cuts, durability %s%s%s: %ld states of %ld recordings (%zu "
           "calls): lost %ld, corrupt %ld, no prefix %ld, refused %ld, stuck "
           "%ld; most transactions forgotten %ld: %s\n",
           P.options.durability == PAWL_POWER ? "power" : "process",
           control != NULL ? ", control " : "", control != NULL ? control : "",
           atomic_load(&tally->states), recordings, calls,
           atomic_load(&tally->lost), atomic_load(&tally->corrupt),
           atomic_load(&tally->no_prefix), atomic_load(&tally->refused),
           atomic_load(&tally->stuck), atomic_load(&tally->worst_loss),
           rc != 0           ? "BROKEN"
           : control != NULL ? (bad > 0 ? "fails, as it must" : "BAD")
                             : (bad == 0 ? "good" : "BAD"));
    return rc != 0 || (control != NULL) != (bad > 0);
}

static int
power_run(long states, unsigned jobs, enum disk_lie lie, const char *control)
{
    long recordings = 0;
    size_t calls = 0;
    int rc = 0;

    while (rc == 0 && atomic_load(&tally->states) < states) {
        support_folder_make(&P.folder);
        support_folder_make(&P.images);
        power_record(lie);
        recordings++;
        calls += disk_n();
        rc = power_judge_all(jobs, states);
        free(P.side);
        support_folder_remove(&P.folder);
        support_folder_remove(&P.images);
    }
    return power_report(recordings, calls, control, rc);
}

static void
power_prepare(uint64_t seed, int durability)
{
    pawl_error err;

    P.random = seed * 2 + 1;
    support_clock_init(&P.clock);
    pawl__clock_init(&P.library_clock, &P.clock.clock);
    power_must(pawl__options_check(NULL, &P.options, &err), &err, "options");
    P.options.durability = durability;
    P.env.options = &P.options;
    P.env.clock = &P.library_clock;
    P.env.log = &P.log;
    disk_register();
    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tally == MAP_FAILED)
        exit(99);
}

int
main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"states", required_argument, NULL, 'n'},
        {"jobs", required_argument, NULL, 'j'},
        {"seed", required_argument, NULL, 's'},
        {"process", no_argument, NULL, 'p'},
        {"control", required_argument, NULL, 'c'},
        {NULL, 0, NULL, 0}};
    long states = support_rounds(1500);
    uint64_t seed = support_seed();
    int option, durability = PAWL_POWER;
    enum disk_lie lie = DISK_HONEST;
    const char *control = NULL;
    unsigned jobs = 2;

    pawl__shrink_from = 1;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'n')
            states = atol(optarg);
        else if (option == 'j')
            jobs = (unsigned)atoi(optarg);
        else if (option == 's')
            seed = strtoull(optarg, NULL, 10);
        else if (option == 'p')
            durability = PAWL_PROCESS;
        else if (option == 'c')
            control = optarg;
        else
            return 2;
    }
    if (control != NULL)
        lie = strcmp(control, "log") == 0 ? DISK_LOG_SYNC_LOST : DISK_NO_SYNC;
    printf("seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    power_prepare(seed, durability);
    return power_run(states, jobs, lie, control);
}
