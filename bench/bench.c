/* SPDX-License-Identifier: MIT */
/* bench.c - see bench.h. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define BENCH_PROBE_SYNCS 200
#define BENCH_FILL_BATCH 1000

static char bench_made_dir[BENCH_PATH_MAX]; /* to remove at exit */

/* ----------------------------------------------------- sentences and checks */

void
bench_die(const char *format, ...)
{
    va_list args;

    (void)fflush(stdout);
    va_start(args, format);
    (void)fputs("bench: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void
bench_ok(int rc, const char *doing, const pawl_error *err)
{
    if (rc != PAWL_OK)
        bench_die("%s: %s (%s)", doing, err->message, pawl_strerror(rc));
}

void
bench_equal(const char *what, int64_t found, int64_t wanted)
{
    if (found != wanted)
        bench_die("WRONG RESULT: %s: %lld instead of %lld", what,
                  (long long)found, (long long)wanted);
}

/* -------------------------------------------------------------- statistics */

int64_t
bench_now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t
bench_wall_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
bench_cpu_us(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return ((int64_t)u.ru_utime.tv_sec + (int64_t)u.ru_stime.tv_sec) * 1000000 +
           (int64_t)u.ru_utime.tv_usec + (int64_t)u.ru_stime.tv_usec;
}

void
bench_pause_ms(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&ts, &ts) != 0 && errno == EINTR)
        continue;
}

static void
bench_spans_reserve(struct bench_spans *s, size_t n)
{
    size_t room = s->room != 0 ? s->room : 1024;

    while (room < n)
        room *= 2;
    if (room == s->room)
        return;
    s->ns = realloc(s->ns, room * sizeof *s->ns);
    if (s->ns == NULL)
        bench_die("out of memory");
    s->room = room;
}

void
bench_spans_add(struct bench_spans *s, int64_t ns)
{
    bench_spans_reserve(s, s->n + 1);
    s->ns[s->n++] = ns;
}

void
bench_spans_join(struct bench_spans *to, const struct bench_spans *from)
{
    if (from->n == 0)
        return;
    bench_spans_reserve(to, to->n + from->n);
    memcpy(to->ns + to->n, from->ns, from->n * sizeof *from->ns);
    to->n += from->n;
}

static int
bench_compare_ns(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

double
bench_spans_us(struct bench_spans *s, double part)
{
    size_t i;

    if (s->n == 0)
        return 0;
    qsort(s->ns, s->n, sizeof *s->ns, bench_compare_ns);
    i = (size_t)(part * (double)s->n);
    return (double)s->ns[i < s->n ? i : s->n - 1] / 1000.0;
}

void
bench_spans_clear(struct bench_spans *s)
{
    free(s->ns);
    memset(s, 0, sizeof *s);
}

/* ------------------------------------------------------------- the machine */

static const char *
bench_file_system(const char *dir)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } known[] = {{0xef53, "ext2/3/4"},      {0x58465342, "xfs"},
                 {0x9123683e, "btrfs"},     {0x01021994, "tmpfs"},
                 {0x794c7630, "overlayfs"}, {0x2fc12fc1, "zfs"},
                 {0xf2f52010, "f2fs"},      {0x6969, "nfs"}};
    struct statfs fs;
    size_t i;

    if (statfs(dir, &fs) != 0)
        return "unknown";
    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (((unsigned long)fs.f_type & 0xffffffffUL) == known[i].magic)
            return known[i].name;
    return "unknown";
}

static void
bench_cpu_name(char *name, size_t bytes)
{
    char line[256], *colon;
    FILE *f = fopen("/proc/cpuinfo", "r");

    (void)snprintf(name, bytes, "unknown CPU");
    if (f == NULL)
        return;
    while (fgets(line, sizeof line, f) != NULL) {
        colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        colon[strcspn(colon, "\n\"\\")] = '\0';
        (void)snprintf(name, bytes, "%.80s", colon + 2);
        break;
    }
    (void)fclose(f);
}

/* How many appends of 4 KiB a second this disk makes durable one by one: the
 * limit of every queue that syncs once for each push. */
static double
bench_syncs_per_s(const struct bench *b)
{
    static const char page[4096];
    char path[BENCH_PATH_MAX + 16];
    int64_t began;
    double rate;
    int i, fd;

    (void)snprintf(path, sizeof path, "%s/probe", b->dir);
    fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        bench_die("%s: %s", path, strerror(errno));
    began = bench_now_ns();
    for (i = 0; i < BENCH_PROBE_SYNCS; i++)
        if (write(fd, page, sizeof page) != (ssize_t)sizeof page ||
            fdatasync(fd) != 0)
            bench_die("%s: %s", path, strerror(errno));
    rate = BENCH_PROBE_SYNCS * 1e9 / (double)(bench_now_ns() - began);
    (void)close(fd);
    (void)unlink(path);
    return rate;
}

static void
bench_print_machine(struct bench *b)
{
    struct utsname u;
    char cpu[128], day[32] = "";
    double load[1] = {0};
    time_t now = time(NULL);
    struct tm tm;

    bench_cpu_name(cpu, sizeof cpu);
    (void)uname(&u);
    (void)getloadavg(load, 1);
    if (gmtime_r(&now, &tm) != NULL)
        (void)strftime(day, sizeof day, "%Y-%m-%d", &tm);
    (void)snprintf(b->machine, sizeof b->machine,
                   "%s, %ld cores, %s %.40s %.20s, %s, SQLite %s, Pawl %s, "
                   "%.0f syncs/s",
                   cpu, sysconf(_SC_NPROCESSORS_ONLN), u.sysname, u.release,
                   u.machine, bench_file_system(b->dir), sqlite3_libversion(),
                   pawl_version(), bench_syncs_per_s(b));
    printf("%s: %s\n", b->name, b->what);
    printf("  machine   %s\n", b->machine);
    printf("  settings  %s, load %.2f, %d rounds, %ld jobs a round, %d-byte "
           "payloads, durability %s\n",
           day, load[0], b->rounds, b->n, BENCH_PAYLOAD_BYTES,
           b->durability == PAWL_POWER ? "power" : "process");
    if (b->rounds < 5)
        printf("  fewer than 5 rounds: only a look\n");
    if (strcmp(bench_file_system(b->dir), "tmpfs") == 0)
        printf("  tmpfs has no disk to wait for: nothing here is durable\n");
    (void)fflush(stdout);
}

/* ----------------------------------------------------------------- options */

_Noreturn static void
bench_usage(const struct bench *b, int status)
{
    FILE *to = status == 0 ? stdout : stderr;

    (void)fprintf(to,
                  "usage: %s [options]\n%s\n"
                  "  -r, --rounds N      rounds of each side (5)\n"
                  "  -n, --jobs N        jobs a round (%ld)\n"
                  "  -d, --directory DIR where the databases are made (.)\n"
                  "  -s, --side SIDE     only pawl, or only other\n"
                  "  -j, --json FILE     append the results, a line each\n",
                  b->name, b->what, b->n);
    if (strchr(b->extra, 't') != NULL)
        (void)fprintf(to, "  -t, --threads N,... producers (8)\n");
    if (strchr(b->extra, 'D') != NULL)
        (void)fprintf(to, "  -D, --durability L  power (default), process\n");
    exit(status);
}

/* A whole number in lo..hi, or the end of the program. */
static long
bench_number(const struct bench *b, const char *text, long lo, long hi)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || n < lo || n > hi) {
        (void)fprintf(stderr, "%s: %s is no number from %ld to %ld\n", b->name,
                      text, lo, hi);
        bench_usage(b, 2);
    }
    return n;
}

static void
bench_read_threads(struct bench *b, char *list)
{
    size_t i = 0, room = sizeof b->threads / sizeof b->threads[0] - 1;
    char *save = NULL, *word;

    for (word = strtok_r(list, ",", &save); word != NULL && i < room;
         word = strtok_r(NULL, ",", &save))
        b->threads[i++] = (int)bench_number(b, word, 1, 256);
    b->threads[i] = 0;
    if (i == 0 || word != NULL)
        bench_usage(b, 2);
}

static int
bench_choice(const struct bench *b, const char *text, const char *first,
             const char *second)
{
    if (strcmp(text, first) == 0)
        return 0;
    if (strcmp(text, second) == 0)
        return 1;
    bench_usage(b, 2);
}

static const char *
bench_options(struct bench *b, int argc, char **argv)
{
    static const struct option longs[] = {
        {"rounds", required_argument, NULL, 'r'},
        {"jobs", required_argument, NULL, 'n'},
        {"directory", required_argument, NULL, 'd'},
        {"side", required_argument, NULL, 's'},
        {"json", required_argument, NULL, 'j'},
        {"threads", required_argument, NULL, 't'},
        {"durability", required_argument, NULL, 'D'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    const char *dir = ".";
    int c;

    while ((c = getopt_long(argc, argv, "r:n:d:s:j:t:D:h", longs, NULL)) !=
           -1) {
        if ((c == 't' || c == 'D') && strchr(b->extra, c) == NULL)
            bench_usage(b, 2);
        switch (c) {
        case 'r':
            b->rounds = (int)bench_number(b, optarg, 1, BENCH_ROUNDS_MAX);
            break;
        case 'n':
            b->n = bench_number(b, optarg, 1, 100000000);
            break;
        case 'd':
            dir = optarg;
            break;
        case 's':
            b->sides = bench_choice(b, optarg, "pawl", "other") == 0
                           ? BENCH_PAWL
                           : BENCH_OTHERS;
            break;
        case 'j':
            b->json = optarg;
            break;
        case 't':
            bench_read_threads(b, optarg);
            break;
        case 'D':
            b->durability = bench_choice(b, optarg, "power", "process") == 0
                                ? PAWL_POWER
                                : PAWL_PROCESS;
            break;
        default:
            bench_usage(b, c == 'h' ? 0 : 2);
        }
    }
    if (optind != argc)
        bench_usage(b, 2);
    return dir;
}

/* --------------------------------------------------------------- the folder */

static int
bench_remove_entry(const char *path, const struct stat *st, int kind,
                   struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

void
bench_remove_tree(const char *path)
{
    (void)nftw(path, bench_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void
bench_remove_dir(void)
{
    if (bench_made_dir[0] != '\0')
        bench_remove_tree(bench_made_dir);
}

void
bench_begin(struct bench *b, int argc, char **argv)
{
    const char *dir;

    b->rounds = 5;
    b->sides = BENCH_ALL;
    b->durability = PAWL_POWER;
    dir = bench_options(b, argc, argv);
    if ((size_t)snprintf(b->dir, sizeof b->dir, "%s/bench-tmp-XXXXXX", dir) >=
        sizeof b->dir - 64)
        bench_die("%s: too long a name", dir);
    if (mkdtemp(b->dir) == NULL)
        bench_die("cannot make a folder in %s: %s", dir, strerror(errno));
    memcpy(bench_made_dir, b->dir, sizeof bench_made_dir);
    (void)atexit(bench_remove_dir);
    bench_print_machine(b);
}

void
bench_in_child(void)
{
    bench_made_dir[0] = '\0';
}

void
bench_new_path(struct bench *b, char *path)
{
    char name[32];

    (void)snprintf(name, sizeof name, "/jobs%d.db", b->n_files++);
    (void)stpcpy(stpcpy(path, b->dir), name); /* 64 bytes are kept for it */
}

void
bench_remove(const char *path)
{
    static const char *const beside[] = {"", "-wal", "-shm", "-journal",
                                         "-pawl"};
    char name[BENCH_PATH_MAX + 16];
    size_t i;

    for (i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, beside[i]);
        (void)unlink(name);
    }
}

/* --------------------------------------------------------------------- Pawl */

const void *
bench_payload(void)
{
    static const char payload[BENCH_PAYLOAD_BYTES + 1] =
        "{\"to\":\"someone@example.org\",\"subject\":\"a payload of one "
        "hundred bytes\",\"n\":123456789012345678901234}";

    return payload;
}

pawl_store *
bench_open(struct bench *b, const char *path)
{
    pawl_options options = PAWL_OPTIONS_INIT;
    pawl_store *store;
    pawl_error err;

    options.durability = b->durability;
    bench_ok(pawl_open(path, &options, &store, &err), "open a store", &err);
    return store;
}

pawl_queue *
bench_queue(pawl_store *store)
{
    pawl_queue *queue;
    pawl_error err;

    bench_ok(pawl_queue_open(store, BENCH_QUEUE, &queue, &err), "open a queue",
             &err);
    return queue;
}

void
bench_fill(struct bench *b, const char *path, long n)
{
    pawl_store *store = bench_open(b, path);
    pawl_queue *queue = bench_queue(store);
    pawl_job jobs[BENCH_FILL_BATCH];
    pawl_job job = PAWL_JOB(BENCH_TYPE, bench_payload(), BENCH_PAYLOAD_BYTES);
    pawl_error err;
    long i, now;

    for (i = 0; i < BENCH_FILL_BATCH; i++)
        jobs[i] = job;
    for (i = 0; i < n; i += now) {
        now = n - i < BENCH_FILL_BATCH ? n - i : BENCH_FILL_BATCH;
        bench_ok(pawl_push_many(queue, jobs, (size_t)now, NULL, &err),
                 "fill the queue", &err);
    }
    pawl_close(store);
}

/* ------------------------------------------------------------- plain SQLite */

_Noreturn static void
bench_sql_die(sqlite3 *db, const char *doing)
{
    bench_die("sqlite: %s: %s", doing, sqlite3_errmsg(db));
}

void
bench_sql_exec(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        bench_sql_die(db, sql);
}

sqlite3 *
bench_sql_open(const char *path, const char *synchronous)
{
    sqlite3 *db;
    char sql[64];

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        bench_sql_die(db, path);
    (void)sqlite3_busy_timeout(db, 60000);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int *)NULL);
    (void)snprintf(sql, sizeof sql, "PRAGMA synchronous=%s", synchronous);
    bench_sql_exec(db, "PRAGMA journal_mode=WAL");
    bench_sql_exec(db, sql);
    bench_sql_exec(db, "PRAGMA temp_store=MEMORY");
    return db;
}

void
bench_sql_close(sqlite3 *db)
{
    sqlite3_stmt *st;

    while ((st = sqlite3_next_stmt(db, NULL)) != NULL)
        (void)sqlite3_finalize(st);
    if (sqlite3_close(db) != SQLITE_OK)
        bench_sql_die(db, "close");
}

sqlite3_stmt *
bench_sql_prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st;

    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) !=
        SQLITE_OK)
        bench_sql_die(db, sql);
    return st;
}

void
bench_sql_run(sqlite3 *db, sqlite3_stmt *st)
{
    if (sqlite3_step(st) != SQLITE_DONE)
        bench_sql_die(db, sqlite3_sql(st));
    (void)sqlite3_reset(st);
}

sqlite3_stmt *
bench_sql_insert(sqlite3 *db)
{
    sqlite3_stmt *st = bench_sql_prepare(
        db, "INSERT INTO pawl_job(queue, type, ready_at, pushed_at, payload) "
            "VALUES ('" BENCH_QUEUE "', '" BENCH_TYPE "', ?1, ?1, ?2)");

    if (sqlite3_bind_blob(st, 2, bench_payload(), BENCH_PAYLOAD_BYTES,
                          SQLITE_STATIC) != SQLITE_OK)
        bench_sql_die(db, "bind");
    return st;
}

void
bench_sql_push(sqlite3 *db, sqlite3_stmt *insert)
{
    if (sqlite3_bind_int64(insert, 1, bench_wall_ms()) != SQLITE_OK)
        bench_sql_die(db, "bind");
    bench_sql_run(db, insert);
}

static int64_t
bench_sql_int(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st = bench_sql_prepare(db, sql);
    int64_t value;

    if (sqlite3_step(st) != SQLITE_ROW)
        bench_sql_die(db, sql);
    value = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    return value;
}

void
bench_sql_check(const char *path, int64_t wanted)
{
    sqlite3 *db = bench_sql_open(path, "NORMAL");

    bench_equal("jobs in the table",
                bench_sql_int(db, "SELECT count(*) FROM pawl_job "
                                  "WHERE state <> 'deleted'"),
                wanted);
    bench_equal("jobs still claimed",
                bench_sql_int(db, "SELECT count(*) FROM pawl_claim"), 0);
    bench_equal("faults that SQLite finds in the file",
                bench_sql_int(db, "SELECT count(*) FROM pragma_quick_check "
                                  "WHERE quick_check <> 'ok'"),
                0);
    bench_sql_close(db);
}
