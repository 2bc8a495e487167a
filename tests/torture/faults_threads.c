/* SPDX-License-Identifier: MIT */
/* faults_threads.c - the public calls and the pools, while things fail.
 *
 * As faults.c, but with threads: a store is opened, listened to and started,
 * jobs are pushed in all ways, run, and the store is stopped and closed, while
 * the nth allocation, VFS call or system call fails, once or ten in a row.
 * Which thread meets the fault is not the same each time. Whatever fails has a
 * name; whatever was accepted runs, in that process or in one that follows; no
 * memory and no descriptor is left.
 *
 *   faults_threads [--step N] */
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "lib/pass_vfs.h"
#include "lib/support.h"
#include "torture/check.h"
#include "torture/load.h"
#include "torture/system.h"

enum kind { MEMORY, IO, FULL, SYSTEM, N_KINDS };
static const char *const kind_names[] = {"memory", "io", "full", "system"};

static struct support_folder folder;
static struct log *events;
static enum kind kind;
static atomic_bool armed;
static _Atomic long count, nth, in_row;

static bool
threads_hits(void)
{
    long n;

    if (!atomic_load(&armed))
        return false;
    n = atomic_fetch_add(&count, 1) + 1;
    return n >= atomic_load(&nth) &&
           n < atomic_load(&nth) + atomic_load(&in_row);
}

static bool
threads_system_hits(void)
{
    return kind == SYSTEM && threads_hits();
}

static int
threads_before(const struct pass_io *io)
{
    if (kind == IO && threads_hits())
        return SQLITE_IOERR;
    if (kind == FULL && (io->call == PASS_WRITE || io->call == PASS_SYNC) &&
        threads_hits())
        return SQLITE_FULL;
    return SQLITE_OK;
}

static void
threads_arm(void)
{
    atomic_store(&count, 0);
    atomic_store(&armed, kind != MEMORY);
    if (kind == MEMORY)
        (void)pawl__alloc_fail_at(atomic_load(&nth), atomic_load(&in_row) > 1);
}

/* How many calls there were. */
static long
threads_disarm(void)
{
    atomic_store(&armed, false);
    return kind == MEMORY ? pawl__alloc_fail_at(0, 0) : atomic_load(&count);
}

static void
threads_named(int rc, const pawl_error *err)
{
    if (rc == PAWL_OK || (rc < 0 && rc >= PAWL_MISUSE && err->code == rc &&
                          err->message[0] != '\0'))
        return;
    fprintf(stderr, "faults_threads: %s %ld: %d has no name or sentence\n",
            kind_names[kind], atomic_load(&nth), rc);
    support_exit(1);
}

/* Each call may fail; what then makes no sense is left out. */
static void
threads_life(void)
{
    pawl_store *store;
    pawl_queue *queue;
    pawl_options options = PAWL_OPTIONS_INIT;
    pawl_info info = {.struct_size = sizeof info};
    pawl_error err = {0};
    int rc, i;

    options.busy_timeout_ms = 20;
    rc = load_open(folder.store, &options, &store, &queue, &err);
    threads_named(rc, &err);
    if (rc != PAWL_OK)
        return;
    threads_named(pawl_listen(queue, "t", load_listener, NULL, &err), &err);
    threads_named(rc = pawl_start(store, &err), &err);
    for (i = 0; i < 8; i++)
        threads_named(load_push(queue, &err), &err);
    threads_named(pawl_queue_info(queue, &info, &err), &err);
    threads_named(pawl_cancel(store, 1LL << 60, &err), &err);
    if (rc == PAWL_OK) {
        threads_named(pawl_drain(store, 20, &err), &err);
        threads_named(pawl_stop(store, 2000, &err), &err);
    }
    pawl_close(store);
}

static int
threads_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (dir != NULL && readdir(dir) != NULL)
        n++;
    if (dir != NULL)
        (void)closedir(dir);
    return n;
}

/* The life, in a process of its own. Exits with 10 where the fault was met. */
static void
threads_child(void)
{
    int descriptors = threads_descriptors();
    long blocks = pawl__alloc_live(), n;
    sqlite3_int64 memory = sqlite3_memory_used();

    pass_vfs_register(threads_before, NULL);
    system_faults(threads_system_hits);
    threads_arm();
    threads_life();
    n = threads_disarm();
    log_dying(0);
    if (threads_descriptors() != descriptors || pawl__alloc_live() != blocks ||
        sqlite3_memory_used() > memory + 4096) {
        fprintf(stderr,
                "faults_threads: %s %ld: left: %d descriptors, %ld blocks, "
                "%lld bytes of SQLite\n",
                kind_names[kind], atomic_load(&nth),
                threads_descriptors() - descriptors,
                pawl__alloc_live() - blocks,
                (long long)(sqlite3_memory_used() - memory));
        support_exit(1);
    }
    support_exit(n >= atomic_load(&nth) ? 10 : 0);
}

static int
threads_run(void (*fn)(void))
{
    pid_t pid = fork();
    int status = -1;

    if (pid == 0)
        fn();
    (void)waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static void
threads_drain(void)
{
    pawl_error err;

    if (load_drain(folder.store, NULL, &err) != PAWL_OK) {
        fprintf(stderr, "faults_threads: drain: %s\n", err.message);
        support_exit(1);
    }
    support_exit(0);
}

/* 10: the fault was met; 0: not; else wrong. */
static int
threads_one(void)
{
    struct check v;
    int rc, drained;

    log_reset(events);
    support_folder_make(&folder);
    rc = threads_run(threads_child);
    drained = threads_run(threads_drain);
    if (check_log(events, &v, stderr) != 0 || !check_is_good(&v) ||
        drained != 0 || (rc != 0 && rc != 10)) {
        fprintf(stderr, "faults_threads: %s %ld: BAD (%d, %d)\n",
                kind_names[kind], atomic_load(&nth), rc, drained);
        return 1;
    }
    support_folder_remove(&folder);
    return rc;
}

static int
threads_kind(long step)
{
    long lives = 0;
    int rc = 10, row;

    for (row = 1; row <= 10; row += 9)
        for (rc = 10, atomic_store(&nth, 1), atomic_store(&in_row, row);
             rc == 10; atomic_fetch_add(&nth, step), lives++)
            rc = threads_one();
    printf("faults with threads, %s: %ld lives: %s\n", kind_names[kind], lives,
           rc == 0 ? "good" : "BAD");
    (void)fflush(stdout);
    return rc;
}

int
main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"step", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
    long step = support_rounds(8) == 8 ? 17 : 61;
    int option, rc = 0, k;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option != 's')
            return 2;
        step = atol(optarg);
    }
    events = log_make(1u << 20);
    if (events == NULL)
        return 99;
    log_use(events);
    for (k = 0; rc == 0 && k < N_KINDS; k++) {
        kind = (enum kind)k;
        rc = threads_kind(step);
    }
    return rc;
}
