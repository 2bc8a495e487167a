/* SPDX-License-Identifier: MIT */
/* soak.c - a mixed load for long: nothing is lost, and nothing grows.
 *
 * Producers push all kinds of jobs (immediate, delayed, failing, too slow, in
 * batches, asynchronous, with unique keys) at a bounded rate and backlog;
 * workers run them; one process reads with the SQLite library, and one changes
 * things: cancel, retry, reload, flush, settings. Done jobs are kept for a
 * second. Each second the supervisor notes memory, descriptors and threads of
 * each process, and the sizes of the store's files.
 *
 *   soak [--seconds N] [--processes N] [--rate N] [--folder F]
 *        [--report FILE] [--seed N]
 *
 * --processes: so many producers, and as many workers (2); --rate: jobs a
 * second of each producer (300).
 *
 * Judged always: no process failed or died; each accepted push is in the end
 * acked, flushed, or there to be seen; integrity_check; the log never above
 * 16 MiB. Growth is judged by the median of the second quarter of the samples
 * and that of the last quarter, and only from 10 s on: a shorter run is over
 * before pools and page caches are full. Sanitizers keep freed memory, so
 * their builds do not judge memory. */
#include <dirent.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/store.h"
#include "lib/support.h"
#include "torture/load.h"

#define SOAK_BACKLOG 300
#define SOAK_MAX 32 /* processes */
#define SOAK_COLUMNS (3 * SOAK_MAX + 4)
#define SOAK_JUDGED_S 10 /* shorter runs do not judge growth */
#define SOAK_WAL_KIB (16L << 10)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SOAK_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SOAK_SANITIZED true
#endif
#endif
#ifndef SOAK_SANITIZED
#define SOAK_SANITIZED false
#endif

struct shared {
    _Atomic int over; /* producers, reader and changer: end */
    _Atomic int stop; /* workers: end */
    _Atomic int64_t pushed, exists, acked, flushed;
    _Atomic int64_t settled, cancelled, retried, reloaded;
    _Atomic int64_t reads, rows; /* the reader's; rows of its last look */
    _Atomic int64_t next_number;
};

struct soak_payload {
    int64_t number;
    char rest[600];
};

static struct shared *shared;
static struct support_folder folder;
static pawl_options options = PAWL_OPTIONS_INIT;
static int seconds = 10, pairs = 2, rate = 300;
static const struct pawl__driver *soak_real;
static struct pawl__driver soak_driver;

static void
soak_die(const char *what, const pawl_error *err)
{
    fprintf(stderr, "soak: %s: %s\n", what, err->message);
    support_exit(1);
}

/* ------------------------------------------------------------------- store */

/* What the store accepted is counted where it says so. */
static int
soak_exchange(void *self, struct pawl__exchange *x, pawl_error *err)
{
    int rc = soak_real->exchange(self, x, err);
    size_t i;

    for (i = 0; rc == PAWL_OK && i < x->n_settles; i++) {
        if (x->settles[i].status != PAWL_OK)
            continue;
        atomic_fetch_add(&shared->settled, 1);
        if (x->settles[i].outcome == PAWL__ACK)
            atomic_fetch_add(&shared->acked, 1);
    }
    return rc;
}

static pawl_queue *
soak_open(pawl_store **store)
{
    pawl_queue *queue;
    pawl_error err;

    if (pawl_open(folder.store, &options, store, &err) != PAWL_OK)
        soak_die("open", &err);
    soak_real = (*store)->driver;
    soak_driver = *soak_real;
    soak_driver.exchange = soak_exchange;
    (*store)->driver = &soak_driver;
    if (pawl_queue_open(*store, "q", &queue, &err) != PAWL_OK)
        soak_die("queue", &err);
    return queue;
}

static void
soak_set(pawl_queue *queue, const char *name, const char *value)
{
    pawl_error err;
    int rc = pawl_queue_set(queue, name, value, &err);

    if (rc != PAWL_OK && rc != PAWL_BUSY)
        soak_die(name, &err);
}

/* --------------------------------------------------------------- producers */

static pawl_job
produce_job(struct soak_payload *p)
{
    pawl_job job = PAWL_JOB("t", p, sizeof p->number + load_random(600));

    memset(p, 'x', sizeof *p);
    p->number = atomic_fetch_add(&shared->next_number, 1);
    job.max_attempts = 2;
    job.backoff_floor_ms = job.backoff_ceiling_ms = 1 + load_random(20);
    job.backoff_jitter_percent = PAWL_NONE;
    job.priority = (int32_t)load_random(3);
    if (load_random(5) == 0)
        job.delay_ms = 1 + load_random(200);
    if (p->number % 41 == 0)
        job.timeout_ms = 1;
    return job;
}

static int
produce_many(pawl_queue *queue, int64_t *n, pawl_error *err)
{
    static struct soak_payload p[20];
    pawl_job jobs[20];
    size_t count = 1 + load_random(20), i;
    int rc;

    for (i = 0; i < count; i++)
        jobs[i] = produce_job(&p[i]);
    rc = pawl_push_many(queue, jobs, count, NULL, err);
    if (rc == PAWL_OK)
        atomic_fetch_add(&shared->pushed, (int64_t)count);
    *n = (int64_t)count;
    return rc;
}

static void
produce_pushed(int code, int64_t id, const pawl_error *err, void *user)
{
    (void)id;
    (void)user;
    if (code != PAWL_OK)
        soak_die("asynchronous push", err);
    atomic_fetch_add(&shared->pushed, 1);
}

static int
produce_async(pawl_queue *queue, int64_t *n, pawl_error *err)
{
    struct soak_payload p;
    unsigned left = 1 + load_random(20);
    pawl_job job;
    int rc = PAWL_OK;

    for (*n = left; rc == PAWL_OK && left > 0; left--) {
        job = produce_job(&p);
        rc = pawl_push_async(queue, &job, produce_pushed, NULL, err);
    }
    return rc == PAWL_OK ? pawl_sync(pawl_queue_store(queue), err) : rc;
}

static int
produce_one(pawl_queue *queue, int64_t *n, pawl_error *err)
{
    struct soak_payload p;
    pawl_job job = produce_job(&p);
    char key[16];
    int rc;

    if (load_random(4) == 0) { /* one of few keys: often it is taken */
        (void)snprintf(key, sizeof key, "key %u", load_random(30));
        job.unique_key = key;
        job.unique_ms = load_random(2) * 100;
    }
    rc = pawl_push(queue, &job, NULL, err);
    atomic_fetch_add(&shared->pushed, rc == PAWL_OK);
    atomic_fetch_add(&shared->exists, rc == PAWL_EXISTS);
    *n = 1;
    return rc == PAWL_EXISTS && job.unique_key != NULL ? PAWL_OK : rc;
}

static int64_t
produce(pawl_queue *queue)
{
    pawl_error err = {0};
    int64_t n = 0;
    int rc;

    switch (load_random(20)) {
    case 0:
        rc = produce_many(queue, &n, &err);
        break;
    case 1:
        rc = produce_async(queue, &n, &err);
        break;
    default:
        rc = produce_one(queue, &n, &err);
        break;
    }
    if (rc != PAWL_OK)
        soak_die("push", &err);
    return n;
}

static void
produce_main(void)
{
    pawl_store *store;
    pawl_queue *queue = soak_open(&store);
    int64_t began = support_now_ms(), n = 0;
    pawl_error err;
    bool below;

    while (!atomic_load(&shared->over)) {
        if (load_is_below(queue, SOAK_BACKLOG, &below, &err) != PAWL_OK)
            soak_die("info", &err);
        if (below && n * 1000 <= (support_now_ms() - began) * rate)
            n += produce(queue);
        else
            (void)poll(NULL, 0, 1); /* a look each ms */
    }
    pawl_close(store);
}

/* ----------------------------------------------------------------- workers */

static int
work_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    int64_t number, until;

    (void)user;
    memcpy(&number, job->payload, sizeof number);
    /* Those with a deadline of 1 ms miss it. */
    until = log_now_ns() + (number % 41 == 0 ? 3000000 : number * 7919 % 99999);
    while (log_now_ns() < until)
        ;
    if (number % 10 == 0)
        return pawl_attempt_fail(attempt, "it always fails");
    if (number % 17 == 0 && pawl_attempt_number(attempt) == 1)
        return pawl_attempt_retry_in(attempt, 5, "the first attempt fails");
    if (number % 31 == 0 && log_now_ns() / 1000 % 2 == 0)
        return pawl_attempt_snooze(attempt, 1, NULL);
    if (number % 7 == 0)
        (void)pawl_attempt_result(attempt, "a result to keep", NULL);
    return 0;
}

static void
work_start(pawl_store *store, pawl_queue *queue)
{
    pawl_error err;

    if (pawl_listen(queue, "t", work_listener, NULL, &err) != PAWL_OK ||
        pawl_start(store, &err) != PAWL_OK)
        soak_die("start", &err);
}

static void
work_main(void)
{
    pawl_store *store;
    pawl_queue *queue = soak_open(&store);
    pawl_error err;

    work_start(store, queue);
    while (!atomic_load(&shared->stop))
        (void)poll(NULL, 0, 5); /* a look each 5 ms */
    if (pawl_stop(store, SUPPORT_DEADLINE_MS, &err) != PAWL_OK)
        soak_die("stop", &err);
    pawl_close(store);
}

/* ------------------------------------------------------------------ reader */

static int64_t
read_rows(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int64_t sum = 0;
    int step;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK) {
        fprintf(stderr, "soak: read: %s\n", sqlite3_errmsg(db));
        support_exit(1);
    }
    while ((step = sqlite3_step(st)) == SQLITE_ROW)
        sum += sqlite3_column_int64(st, 0);
    if (step != SQLITE_DONE) {
        fprintf(stderr, "soak: read: %s\n", sqlite3_errmsg(db));
        support_exit(1);
    }
    (void)sqlite3_finalize(st);
    return sum;
}

static void
read_main(void)
{
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(folder.store, &db, SQLITE_OPEN_READWRITE, NULL) !=
        SQLITE_OK)
        support_exit(1);
    (void)sqlite3_busy_timeout(db, SUPPORT_DEADLINE_MS);
    while (!atomic_load(&shared->over)) {
        atomic_store(&shared->rows,
                     read_rows(db, "SELECT count(*), state FROM pawl_jobs "
                                   "GROUP BY state"));
        (void)read_rows(db, "SELECT 1, * FROM pawl_errors LIMIT 50");
        (void)read_rows(db, "SELECT waiting, * FROM pawl_queues");
        atomic_fetch_add(&shared->reads, 1);
        (void)poll(NULL, 0, 50); /* now and then */
    }
    (void)sqlite3_close(db);
}

/* ----------------------------------------------------------------- changer */

struct change_ids {
    int64_t id[10];
    size_t n;
};

static int
change_note(const pawl_job_info *info, void *user)
{
    struct change_ids *ids = user;

    ids->id[ids->n++] = info->id;
    return ids->n == sizeof ids->id / sizeof ids->id[0];
}

/* Do something to some jobs, if they are still what they were. */
static void
change_some(pawl_store *store, unsigned states,
            int (*change)(pawl_store *, int64_t, pawl_error *),
            _Atomic int64_t *count)
{
    pawl_filter filter = PAWL_FILTER_INIT;
    struct change_ids ids = {.n = 0};
    pawl_error err;
    size_t i;
    int rc;

    filter.states = states;
    filter.newest_first = (int)load_random(2);
    filter.limit = 1 + load_random(10);
    if (pawl_list(store, &filter, change_note, &ids, &err) != PAWL_OK)
        soak_die("list", &err);
    for (i = 0; i < ids.n; i++) {
        rc = change(store, ids.id[i], &err);
        if (rc == PAWL_OK)
            atomic_fetch_add(count, 1);
        else if (rc != PAWL_NOT_FOUND && rc != PAWL_EXISTS && rc != PAWL_BUSY)
            soak_die("change", &err);
    }
}

static void
change_many(pawl_store *store,
            int (*change)(pawl_store *, const char *, unsigned, int64_t *,
                          pawl_error *),
            _Atomic int64_t *count)
{
    int64_t n = 0;
    pawl_error err;
    int rc = change(store, "q", PAWL_TIMEOUT | PAWL_FAILED | PAWL_CANCELLED, &n,
                    &err);

    atomic_fetch_add(count, n);
    if (rc != PAWL_OK && rc != PAWL_BUSY)
        soak_die("change all", &err);
}

static void
change_setting(pawl_queue *queue)
{
    bool other = load_random(2) == 0;

    switch (load_random(4)) {
    case 0:
        soak_set(queue, "parallelism", other ? "2" : "3");
        break;
    case 1:
        soak_set(queue, "timeout_ms", other ? "30m" : "default");
        break;
    case 2:
        soak_set(queue, "max_attempts", other ? "2" : "3");
        break;
    default:
        soak_set(queue, "paused", "1");
        soak_set(queue, "paused", "0");
        break;
    }
}

static void
change_main(void)
{
    pawl_store *store;
    pawl_queue *queue = soak_open(&store);

    while (!atomic_load(&shared->over)) {
        switch (load_random(16)) {
        case 0:
            change_many(store, pawl_flush, &shared->flushed);
            break;
        case 1:
            change_many(store, pawl_reload, &shared->reloaded);
            break;
        case 2:
            change_setting(queue);
            break;
        case 3:
        case 4:
            change_some(store, PAWL_TIMEOUT | PAWL_FAILED | PAWL_CANCELLED,
                        pawl_retry, &shared->retried);
            break;
        default:
            change_some(store, PAWL_WAITING | PAWL_DELAYED | PAWL_RESERVED,
                        pawl_cancel, &shared->cancelled);
            break;
        }
        (void)poll(NULL, 0, 20); /* now and then */
    }
    soak_set(queue, "paused", "0");
    pawl_close(store);
}

/* ----------------------------------------------------------------- samples */

static struct {
    pid_t pid;
    const char *name;
} processes[SOAK_MAX];
static int n_processes;

static long *samples; /* of SOAK_COLUMNS each: three of each process, then: */
static int n_samples;
enum { COLUMN_DB, COLUMN_WAL, COLUMN_SIDE, COLUMN_ROWS };

static long
sample_count(pid_t pid, const char *what)
{
    char path[64];
    struct dirent *e;
    DIR *dir;
    long n = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    dir = opendir(path);
    while (dir != NULL && (e = readdir(dir)) != NULL)
        n += e->d_name[0] != '.';
    if (dir != NULL)
        (void)closedir(dir);
    return n;
}

static long
sample_rss_kib(pid_t pid)
{
    char path[64];
    long pages = 0;
    FILE *f;

    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    f = fopen(path, "re");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%*s %ld", &pages) != 1)
        pages = 0;
    (void)fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static long
sample_file_kib(const char *suffix)
{
    char path[400];
    struct stat st;

    (void)snprintf(path, sizeof path, "%s%s", folder.store, suffix);
    return stat(path, &st) == 0 ? (long)(st.st_size / 1024) : 0;
}

static void
sample_take(void)
{
    long *row = &samples[(size_t)n_samples++ * SOAK_COLUMNS];
    long *files = &row[3 * SOAK_MAX];
    int i;

    for (i = 0; i < n_processes; i++) {
        row[3 * i] = sample_rss_kib(processes[i].pid);
        row[3 * i + 1] = sample_count(processes[i].pid, "fd");
        row[3 * i + 2] = sample_count(processes[i].pid, "task");
    }
    files[COLUMN_DB] = sample_file_kib("");
    files[COLUMN_WAL] = sample_file_kib("-wal");
    files[COLUMN_SIDE] = sample_file_kib("-pawl");
    files[COLUMN_ROWS] = (long)atomic_load(&shared->rows);
}

static int
sample_compare(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;

    return x < y ? -1 : x > y;
}

/* The median of a column over the samples from..to. */
static long
sample_median(int column, int from, int to)
{
    long *values, median;
    int i;

    if (to <= from)
        to = from + 1;
    values = calloc((size_t)(to - from), sizeof *values);
    if (values == NULL)
        return 0;
    for (i = from; i < to; i++)
        values[i - from] = samples[i * SOAK_COLUMNS + column];
    qsort(values, (size_t)(to - from), sizeof *values, sample_compare);
    median = values[(to - from) / 2];
    free(values);
    return median;
}

static long
sample_most(int column)
{
    long most = 0;
    int i;

    for (i = 0; i < n_samples; i++)
        if (samples[i * SOAK_COLUMNS + column] > most)
            most = samples[i * SOAK_COLUMNS + column];
    return most;
}

/* -------------------------------------------------------------- supervisor */

static void
soak_fork(const char *name, void (*fn)(void))
{
    unsigned theirs = load_random(1u << 30);
    pid_t pid = fork();

    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        load_seed(theirs);
        fn();
        support_exit(0);
    }
    if (pid < 0) {
        perror("soak: fork");
        exit(99);
    }
    processes[n_processes].pid = pid;
    processes[n_processes++].name = name;
}

/* Has any process ended, though nobody asked it to? */
static bool
soak_has_lost_one(void)
{
    int i, status;

    for (i = 0; i < n_processes; i++)
        if (waitpid(processes[i].pid, &status, WNOHANG) != 0) {
            fprintf(stderr, "soak: a %s ended with status %x\n",
                    processes[i].name, (unsigned)status);
            processes[i].pid = 0;
            return true;
        }
    return false;
}

static int
soak_run(void)
{
    int64_t began = support_now_ms();

    while (n_samples < seconds) {
        (void)poll(NULL, 0, 5);
        if (soak_has_lost_one())
            return 1;
        if (support_now_ms() - began >= (n_samples + 1) * 1000LL)
            sample_take();
    }
    return 0;
}

static int
soak_wait(const char *name)
{
    int i, status, bad = 0;

    for (i = 0; i < n_processes; i++) {
        if (processes[i].pid == 0 ||
            (name != NULL && strcmp(processes[i].name, name) == 0))
            continue;
        (void)waitpid(processes[i].pid, &status, 0);
        processes[i].pid = 0;
        if (status != 0)
            bad |= fprintf(stderr, "soak: a %s ended with status %x\n",
                           processes[i].name, (unsigned)status) > 0;
    }
    return bad;
}

/* First those that give work, then those that do it. */
static int
soak_end(void)
{
    int bad;

    atomic_store(&shared->over, 1);
    bad = soak_wait("worker");
    atomic_store(&shared->stop, 1);
    return bad | soak_wait(NULL);
}

static void
drain_main(void)
{
    pawl_info info = {.struct_size = sizeof info};
    pawl_store *store;
    pawl_queue *queue = soak_open(&store);
    pawl_error err;

    work_start(store, queue);
    do {
        if (pawl_drain(store, 120000, &err) != PAWL_OK ||
            pawl_queue_info(queue, &info, &err) != PAWL_OK)
            soak_die("drain", &err);
        (void)poll(NULL, 0, 1); /* delayed jobs come due in ms */
    } while (info.waiting + info.delayed + info.reserved > 0);
    if (pawl_stop(store, SUPPORT_DEADLINE_MS, &err) != PAWL_OK)
        soak_die("stop", &err);
    pawl_close(store);
}

static int
soak_drain(void)
{
    soak_fork("drain", drain_main);
    return soak_wait(NULL);
}

/* ------------------------------------------------------------------- judge */

/* One line of the table: is the end more than allowed above the middle, or,
 * where it must stay equal, below? */
static int
judge_line(FILE *out, const char *name, int column, long allowed, bool judged,
           bool equal)
{
    long middle = sample_median(column, n_samples / 4, n_samples / 2);
    long end = sample_median(column, 3 * n_samples / 4, n_samples);
    bool bad =
        judged && (end > middle + allowed || (equal && end < middle - allowed));

    (void)fprintf(out, "  %-24s %9ld %9ld %9ld %9ld %s\n", name,
                  samples[column], middle, end, middle + allowed,
                  bad      ? "BAD"
                  : judged ? "good"
                           : "not judged");
    return bad;
}

/* A line that is only shown. */
static void
show_line(FILE *out, const char *name, int column)
{
    (void)fprintf(out, "  %-24s %9ld %9ld %9ld\n", name, samples[column],
                  sample_median(column, n_samples / 4, n_samples / 2),
                  sample_median(column, 3 * n_samples / 4, n_samples));
}

static long
judge_tenth(int column, long more)
{
    return sample_median(column, n_samples / 4, n_samples / 2) / 10 + more;
}

static int
judge_processes(FILE *out, bool judged)
{
    char name[40];
    int i, bad = 0;

    for (i = 0; i < 2 * pairs + 2; i++) {
        (void)snprintf(name, sizeof name, "%s, KiB", processes[i].name);
        bad |= judge_line(out, name, 3 * i, judge_tenth(3 * i, 512),
                          judged && !SOAK_SANITIZED, false);
        bad |= judge_line(out, "  descriptors", 3 * i + 1, 2, judged, true);
        bad |= judge_line(out, "  threads", 3 * i + 2, 2, judged, true);
    }
    return bad;
}

static int
judge_growth(FILE *out)
{
    bool judged = seconds >= SOAK_JUDGED_S;
    int files = 3 * SOAK_MAX, bad;
    long wal = sample_most(files + COLUMN_WAL);

    (void)fprintf(out, "  %-24s %9s %9s %9s %9s\n", "", "start", "middle",
                  "end", "limit");
    bad = judge_processes(out, judged);
    bad |= judge_line(out, "database, KiB", files + COLUMN_DB,
                      judge_tenth(files + COLUMN_DB, 256), judged, false);
    bad |= judge_line(out, "side file, KiB", files + COLUMN_SIDE, 0, judged,
                      false);
    show_line(out, "log, KiB", files + COLUMN_WAL);
    show_line(out, "jobs in the store", files + COLUMN_ROWS);
    (void)fprintf(out, "  log at most %ld KiB, limit %ld: %s\n", wal,
                  SOAK_WAL_KIB, wal <= SOAK_WAL_KIB ? "good" : "BAD");
    return bad || wal > SOAK_WAL_KIB;
}

/* Every accepted push is accounted for. */
static int
judge_jobs(FILE *out)
{
    int64_t there = support_sql_int(
        folder.store, "SELECT count(*) FROM pawl_job WHERE state IN "
                      "('failed', 'timeout', 'cancelled')");
    int64_t open = support_sql_int(
        folder.store, "SELECT count(*) FROM pawl_job WHERE state IN "
                      "('waiting', 'delayed')");
    int64_t faults = support_sql_int(
        folder.store, "SELECT count(*) FROM pragma_integrity_check() WHERE "
                      "integrity_check <> 'ok'");
    int64_t pushed = atomic_load(&shared->pushed);
    int64_t acked = atomic_load(&shared->acked);
    int64_t flushed = atomic_load(&shared->flushed);
    int64_t lost = pushed - acked - flushed - there;
    bool bad = lost != 0 || open != 0 || faults != 0 || pushed == 0;

    (void)fprintf(
        out,
        "  pushed %lld (key taken %lld) = acked %lld + flushed %lld + there "
        "%lld + lost %lld; still open %lld; integrity_check: %lld faults: %s\n"
        "  settles %lld, cancelled %lld, retried %lld, reloaded %lld; %lld "
        "reads\n",
        (long long)pushed, (long long)atomic_load(&shared->exists),
        (long long)acked, (long long)flushed, (long long)there, (long long)lost,
        (long long)open, (long long)faults, bad ? "BAD" : "good",
        (long long)atomic_load(&shared->settled),
        (long long)atomic_load(&shared->cancelled),
        (long long)atomic_load(&shared->retried),
        (long long)atomic_load(&shared->reloaded),
        (long long)atomic_load(&shared->reads));
    return bad;
}

static int
judge_all(FILE *out, int rc)
{
    (void)fprintf(out, "soak: %d s, %d producers, %d workers, SQLite %s\n",
                  n_samples, pairs, pairs, sqlite3_libversion());
    if (n_samples > 0)
        rc |= judge_growth(out);
    rc |= judge_jobs(out);
    (void)fprintf(out, "soak: %s%s\n", rc == 0 ? "good" : "BAD",
                  seconds >= SOAK_JUDGED_S ? ""
                                           : " (too short to judge growth)");
    return rc != 0;
}

/* -------------------------------------------------------------------- main */

static void
soak_settings(void)
{
    pawl_store *store;
    pawl_queue *queue = soak_open(&store);

    soak_set(queue, "retention_s", "1");
    soak_set(queue, "parallelism", "2");
    pawl_close(store);
}

static int
soak_all(const char *report)
{
    FILE *out = NULL;
    int i, rc;

    support_folder_make(&folder);
    soak_settings();
    for (i = 0; i < pairs; i++)
        soak_fork("producer", produce_main);
    for (i = 0; i < pairs; i++)
        soak_fork("worker", work_main);
    soak_fork("reader", read_main);
    soak_fork("changer", change_main);
    rc = soak_run();
    rc |= soak_end();
    rc |= soak_drain();
    if (report != NULL && (out = fopen(report, "we")) != NULL) {
        (void)judge_all(out, rc);
        rc |= fclose(out) != 0;
    }
    rc = judge_all(stdout, rc);
    if (report != NULL && out == NULL) {
        perror(report);
        rc = 1;
    }
    if (rc == 0)
        support_folder_remove(&folder);
    else
        fprintf(stderr, "soak: the store is kept in %s\n", folder.path);
    return rc;
}

static int
soak_prepare(uint64_t seed)
{
    if (seconds < 1 || pairs < 1 || 2 * pairs + 3 > SOAK_MAX || rate < 1)
        return 2;
    printf("seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    load_seed(seed);
    options.durability = PAWL_PROCESS;
    samples = calloc((size_t)seconds + 1, SOAK_COLUMNS * sizeof *samples);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (samples != NULL && shared != MAP_FAILED)
        return 0;
    perror("soak: memory");
    return 99;
}

int
main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"seconds", required_argument, NULL, 's'},
        {"processes", required_argument, NULL, 'p'},
        {"rate", required_argument, NULL, 'r'},
        {"folder", required_argument, NULL, 'f'},
        {"report", required_argument, NULL, 'o'},
        {"seed", required_argument, NULL, 'S'},
        {NULL, 0, NULL, 0}};
    const char *report = NULL;
    uint64_t seed = support_seed();
    int option, rc;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 's')
            seconds = atoi(optarg);
        else if (option == 'p')
            pairs = atoi(optarg);
        else if (option == 'r')
            rate = atoi(optarg);
        else if (option == 'f')
            (void)setenv("TMPDIR", optarg, 1);
        else if (option == 'o')
            report = optarg;
        else if (option == 'S')
            seed = strtoull(optarg, NULL, 10);
        else
            return 2;
    }
    rc = soak_prepare(seed);
    if (rc == 0)
        rc = soak_all(report);
    free(samples);
    return rc;
}
