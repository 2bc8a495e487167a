/* SPDX-License-Identifier: MIT */
/* bench.c - see bench.h. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

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

void *
bench_alloc(size_t n, size_t bytes)
{
    void *p = calloc(n, bytes);

    if (p == NULL)
        bench_die("out of memory");
    return p;
}

void
bench_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
    if (pthread_create(thread, NULL, run, arg) != 0)
        bench_die("no thread");
}

/* ----------------------------------------------------------------- options */

int
bench_rounds(const struct bench *b, int normal)
{
    if (b->rounds > 0)
        return b->rounds;
    return b->quick && normal > 2 ? 2 : normal;
}

double
bench_seconds(const struct bench *b, double normal)
{
    if (b->seconds > 0)
        return b->seconds;
    return b->quick ? normal / 4 : normal;
}

long
bench_jobs(const struct bench *b, long normal, long quick)
{
    if (b->jobs > 0)
        return b->jobs;
    return b->quick ? quick : normal;
}

/* ------------------------------------------------------------------- clock */

static int64_t
bench_clock_ns(clockid_t clock)
{
    struct timespec ts;

    (void)clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t
bench_now_ns(void)
{
    return bench_clock_ns(CLOCK_MONOTONIC);
}

int64_t
bench_wall_ms(void)
{
    return bench_clock_ns(CLOCK_REALTIME) / 1000000;
}

int64_t
bench_cpu_ns(void)
{
    return bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void
bench_pause_us(int64_t us)
{
    struct timespec ts = {us / 1000000, us % 1000000 * 1000};

    while (nanosleep(&ts, &ts) != 0 && errno == EINTR)
        continue;
}

/* ----------------------------------------------------------------- machine */

int64_t
bench_memory(pid_t pid)
{
    char path[64], line[256];
    long kb = 0;
    FILE *f;

    (void)snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)pid);
    f = fopen(path, "r");
    if (f == NULL)
        return 0;
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "Anonymous:", 10) == 0)
            kb = strtol(line + 10, NULL, 10);
    (void)fclose(f);
    return (int64_t)kb * 1024;
}

int64_t
bench_file_bytes(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

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

/* Those that we may use: see taskset(1). */
static int
bench_cores(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 0;
    return CPU_COUNT(&set);
}

static void
bench_know_machine(struct bench *b)
{
    struct utsname u;
    char cpu[128];

    bench_cpu_name(cpu, sizeof cpu);
    (void)uname(&u);
    (void)snprintf(b->machine, sizeof b->machine,
                   "%s, %d cores, %s %.40s %.20s, %s, SQLite %s, Pawl %s", cpu,
                   bench_cores(), u.sysname, u.release, u.machine,
                   bench_file_system(b->dir), sqlite3_libversion(),
                   pawl_version());
}

static void
bench_json_machine(const struct bench *b, const char *day, double load)
{
    FILE *f = fopen(b->json, "a");

    if (f == NULL)
        bench_die("%s: %s", b->json, strerror(errno));
    (void)fprintf(f, "{\"machine\":\"%s\",\"day\":\"%s\",\"load\":%.2f}\n",
                  b->machine, day, load);
    if (fclose(f) != 0)
        bench_die("%s: %s", b->json, strerror(errno));
}

void
bench_print_machine(const struct bench *b)
{
    time_t now = time(NULL);
    double load[1] = {0};
    char day[32] = "";
    struct tm tm;

    (void)getloadavg(load, 1);
    if (gmtime_r(&now, &tm) != NULL)
        (void)strftime(day, sizeof day, "%Y-%m-%d", &tm);
    printf("%s\n%s, load %.2f before the start\n", b->machine, day, load[0]);
    if (b->json != NULL)
        bench_json_machine(b, day, load[0]);
    if (strcmp(bench_file_system(b->dir), "tmpfs") == 0)
        printf("tmpfs has no disk to wait for: nothing here is durable\n");
    (void)fflush(stdout);
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

static void
bench_interrupted(int signal)
{
    (void)signal;
    exit(1); /* not for a library, but the folder goes with us */
}

void
bench_begin(struct bench *b, const char *dir)
{
    if ((size_t)snprintf(b->dir, sizeof b->dir, "%s/bench-tmp-XXXXXX", dir) >=
        sizeof b->dir - 64)
        bench_die("%s: too long a name", dir);
    if (mkdtemp(b->dir) == NULL)
        bench_die("cannot make a folder in %s: %s", dir, strerror(errno));
    memcpy(bench_made_dir, b->dir, sizeof bench_made_dir);
    (void)atexit(bench_remove_dir);
    (void)signal(SIGINT, bench_interrupted);
    (void)signal(SIGTERM, bench_interrupted);
    bench_know_machine(b);
}

void
bench_in_child(void)
{
    bench_made_dir[0] = '\0';
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
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

void
bench_copy(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t n;

    if (in < 0 || out < 0)
        bench_die("copy %s: %s", from, strerror(errno));
    while ((n = copy_file_range(in, NULL, out, NULL, 1 << 26, 0)) > 0)
        continue;
    if (n < 0 || fsync(out) != 0)
        bench_die("copy %s: %s", from, strerror(errno));
    (void)close(in);
    (void)close(out);
}

/* ---------------------------------------------------------------- payloads */

void
bench_payload(char *payload, size_t bytes, long number)
{
    char digits[24];

    (void)snprintf(digits, sizeof digits, "%016ld", number);
    memset(payload, 'x', bytes);
    memcpy(payload, digits, 16);
}

long
bench_payload_number(const void *payload, size_t bytes, size_t wanted)
{
    char digits[17];

    bench_equal("payload bytes", (int64_t)bytes, (int64_t)wanted);
    memcpy(digits, payload, 16);
    digits[16] = '\0';
    return strtol(digits, NULL, 10);
}
