/* SPDX-License-Identifier: CC0-1.0 */
/* digests.c - the SHA-256 digest of many files, a job for each. Free to copy,
 * without conditions.
 *
 *   find . -type f -print0 | digests push jobs.db
 *   digests work jobs.db
 *   digests list jobs.db | tr '\0' '\n'
 *
 * The payload of a job is the name of its file, which may hold any byte but
 * NUL. The digest is the job's result, kept with it as the queue has a
 * retention. work may be killed at any moment and started again, also several
 * times side by side: that is what it is there to show. To show retries too,
 * every 7th job fails at its first attempt. */
#define _POSIX_C_SOURCE 200809L
#include <pawl.h>

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <nettle/version.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define QUEUE "digests"
#define TYPE "sha256"
#define BATCH 500         /* jobs in one transaction */
#define PIECE (64 * 1024) /* bytes of a file at a time */
#define HEX_BYTES (2 * SHA256_DIGEST_SIZE)

struct work {
    atomic_llong n_done, n_rescued;
    long long n_total;
    long long hold_at; /* -1: never */
};

static int
open_queue(const char *url, int must_exist, pawl_store **store,
           pawl_queue **queue, pawl_error *err)
{
    pawl_options options = PAWL_OPTIONS_INIT;
    int rc;

    options.must_exist = must_exist;
    rc = pawl_open(url, &options, store, err);
    return rc == PAWL_OK ? pawl_queue_open(*store, QUEUE, queue, err) : rc;
}

/* -------------------------------------------------------------------- push */

/* Is path the store, or one of the files beside it? To open and close those in
 * this process would drop SQLite's locks on them: see pawl.h. */
static int
is_store(const char *url, const char *path)
{
    static const char *const suffix[] = {"", "-wal", "-shm", "-pawl"};
    const char *file = strncmp(url, "sqlite:", 7) == 0 ? url + 7 : url;
    char name[4096];
    struct stat a, b;
    size_t i;

    if (stat(path, &a) != 0)
        return 0;
    for (i = 0; i < sizeof suffix / sizeof suffix[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", file, suffix[i]);
        if (stat(name, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
            return 1;
    }
    return 0;
}

/* Read up to BATCH names, each ended by NUL, into jobs. */
static size_t
read_names(const char *url, pawl_job *jobs)
{
    char *name = NULL;
    size_t room = 0, n = 0;
    ssize_t bytes;

    while (n < BATCH && (bytes = getdelim(&name, &room, '\0', stdin)) > 0) {
        if (name[bytes - 1] == '\0')
            bytes--;
        if (bytes == 0 || is_store(url, name))
            continue;
        jobs[n++] = (pawl_job)PAWL_JOB(TYPE, name, (size_t)bytes);
        name = NULL; /* the job's now */
        room = 0;
    }
    free(name);
    return n;
}

static void
free_names(pawl_job *jobs, size_t n)
{
    char *name;

    while (n > 0) {
        memcpy(&name, &jobs[--n].payload, sizeof name); /* const no more */
        free(name);
    }
}

static int
push_all(const char *url, pawl_queue *queue, pawl_error *err)
{
    static pawl_job jobs[BATCH];
    long long total = 0;
    size_t n;
    int rc = PAWL_OK;

    while (rc == PAWL_OK && (n = read_names(url, jobs)) > 0) {
        rc = pawl_push_many(queue, jobs, n, NULL, err);
        if (rc == PAWL_OK)
            total += (long long)n;
        free_names(jobs, n);
    }
    printf("%lld\n", total);
    return rc;
}

static int
push(const char *url, pawl_error *err)
{
    static const char *const settings[][2] = {
        {"retention_s", "30d"},      /* keep what is done, to be looked at */
        {"max_attempts", "3"},       /* the default is 1: no retry */
        {"backoff_floor_ms", "100"}, /* wait 0.1 s, then 0.2 s */
    };
    pawl_store *store = NULL;
    pawl_queue *queue = NULL;
    size_t i;
    int rc = open_queue(url, 0, &store, &queue, err);

    for (i = 0; rc == PAWL_OK && i < sizeof settings / sizeof settings[0]; i++)
        rc = pawl_queue_set(queue, settings[i][0], settings[i][1], err);
    if (rc == PAWL_OK)
        rc = push_all(url, queue, err);
    pawl_close(store);
    return rc;
}

/* -------------------------------------------------------------------- work */

static int
fail_errno(pawl_attempt *attempt, const char *doing)
{
    char why[200];

    (void)snprintf(why, sizeof why, "cannot %s the file: %s", doing,
                   strerror(errno));
    return pawl_attempt_fail(attempt, why);
}

/* Read fd in pieces, so that the size of a file does not matter. */
static int
hash_file(pawl_attempt *attempt, int fd, struct sha256_ctx *sha)
{
    unsigned char piece[PIECE];
    ssize_t n;

    sha256_init(sha);
    while ((n = read(fd, piece, sizeof piece)) != 0) {
        if (n < 0 && errno != EINTR)
            return fail_errno(attempt, "read");
        if (n > 0)
            sha256_update(sha, (size_t)n, piece);
        if (pawl_attempt_should_stop(attempt) != PAWL_STOP_NONE)
            return pawl_attempt_fail(attempt, "told to stop");
    }
    return 0;
}

static void
hex_digest(struct sha256_ctx *sha, char hex[HEX_BYTES + 1])
{
    unsigned char digest[SHA256_DIGEST_SIZE];
    size_t i;

#if NETTLE_VERSION_MAJOR >= 4
    sha256_digest(sha, digest);
#else
    sha256_digest(sha, sizeof digest, digest);
#endif
    for (i = 0; i < sizeof digest; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* For a demonstration of kill -9: once hold_at jobs are done no other one ends,
 * and when the store shows them as done we say so. */
static void
count_or_hold(pawl_queue *queue, struct work *work)
{
    const struct timespec a_while = {0, 1000000};
    long long n = atomic_fetch_add(&work->n_done, 1);
    pawl_info info = {0};

    if (work->hold_at < 0 || n < work->hold_at)
        return;
    info.struct_size = sizeof info;
    while (n == work->hold_at &&
           pawl_queue_info(queue, &info, NULL) == PAWL_OK &&
           info.done < work->hold_at)
        (void)nanosleep(&a_while, NULL);
    if (n == work->hold_at) {
        printf("holding\n");
        (void)fflush(stdout);
    }
    for (;;)
        (void)pause();
}

static int
digest_file(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    char hex[HEX_BYTES + 1];
    struct sha256_ctx sha;
    pawl_error err;
    char *name;
    int fd, rc;

    if (pawl_attempt_job_id(attempt) % 7 == 0 &&
        pawl_attempt_number(attempt) == 1)
        return pawl_attempt_fail(attempt, "on purpose: every 7th job fails at "
                                          "its first attempt");
    name = malloc(job->payload_bytes + 1);
    if (name == NULL)
        return pawl_attempt_fail(attempt, "out of memory");
    memcpy(name, job->payload, job->payload_bytes);
    name[job->payload_bytes] = '\0';
    fd = open(name, O_RDONLY | O_CLOEXEC);
    free(name);
    if (fd < 0)
        return fail_errno(attempt, "open");
    rc = hash_file(attempt, fd, &sha);
    (void)close(fd);
    if (rc != 0)
        return rc;
    hex_digest(&sha, hex);
    if (pawl_attempt_result(attempt, hex, &err) != PAWL_OK)
        return pawl_attempt_fail(attempt, err.message);
    count_or_hold(pawl_attempt_queue(attempt), user);
    return 0;
}

static void
rescued(const pawl_event *event, void *user)
{
    struct work *work = user;

    (void)event;
    atomic_fetch_add(&work->n_rescued, 1);
}

static void
draw_progress(const struct work *work)
{
    enum { WIDTH = 40 };
    char bar[WIDTH + 1];
    long long n = atomic_load(&work->n_done);
    int full;

    if (n > work->n_total)
        n = work->n_total;
    full = work->n_total > 0 ? (int)(n * WIDTH / work->n_total) : WIDTH;
    memset(bar, '.', WIDTH);
    memset(bar, '#', (size_t)full);
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %lld of %lld files", bar, n, work->n_total);
}

static int
drain(pawl_store *store, const struct work *work, pawl_error *err)
{
    int terminal = isatty(STDERR_FILENO);
    int rc;

    do {
        rc = pawl_drain(store, 100, err);
        if (terminal)
            draw_progress(work);
    } while (rc == PAWL_BUSY);
    if (terminal)
        fprintf(stderr, "\n");
    return rc;
}

static int
work_on(pawl_store *store, pawl_queue *queue, struct work *work,
        pawl_error *err)
{
    pawl_info info = {0};
    int rc;

    info.struct_size = sizeof info;
    rc = pawl_queue_info(queue, &info, err);
    work->n_total =
        (long long)(info.waiting + info.delayed + info.reserved + info.done);
    atomic_store(&work->n_done, (long long)info.done);
    if (rc == PAWL_OK)
        rc = pawl_listen(queue, TYPE, digest_file, work, err);
    if (rc == PAWL_OK)
        rc = pawl_subscribe(queue, PAWL_ON_RESCUED, rescued, work, err);
    if (rc == PAWL_OK)
        rc = pawl_start(store, err);
    return rc == PAWL_OK ? drain(store, work, err) : rc;
}

static int
work(const char *url, long long hold_at, pawl_error *err)
{
    struct work work = {0};
    pawl_store *store = NULL;
    pawl_queue *queue = NULL;
    int rc = open_queue(url, 1, &store, &queue, err);

    work.hold_at = hold_at;
    if (rc == PAWL_OK)
        rc = work_on(store, queue, &work, err);
    pawl_close(store);
    if (rc == PAWL_OK)
        printf("%lld\n", atomic_load(&work.n_rescued));
    return rc;
}

/* ---------------------------------------------------------- list and report */

/* All jobs in the given states, in pages. *last_id is fn's to set. */
static int
each_job(pawl_store *store, unsigned states, pawl_list_fn fn, void *user,
         int64_t *last_id, pawl_error *err)
{
    pawl_filter filter = PAWL_FILTER_INIT;
    int rc;

    filter.queue = QUEUE;
    filter.states = states;
    filter.limit = 10000;
    *last_id = 0;
    do {
        filter.after_id = *last_id;
        rc = pawl_list(store, &filter, fn, user, err);
    } while (rc == PAWL_OK && *last_id != filter.after_id && !ferror(stdout));
    return rc;
}

/* As sha256sum --zero writes it. */
static int
list_one(const pawl_job_info *info, void *user)
{
    int64_t *last_id = user;

    *last_id = info->id;
    (void)printf("%s  ", info->result != NULL ? info->result : "-");
    (void)fwrite(info->job.payload, 1, info->job.payload_bytes, stdout);
    (void)putchar('\0');
    return ferror(stdout);
}

static int
list(const char *url, pawl_error *err)
{
    pawl_store *store = NULL;
    pawl_queue *queue = NULL;
    int64_t last_id;
    int rc = open_queue(url, 1, &store, &queue, err);

    if (rc == PAWL_OK)
        rc = each_job(store, PAWL_DONE, list_one, &last_id, &last_id, err);
    pawl_close(store);
    return rc;
}

struct report {
    int64_t last_id;
    long long n_jobs, n_done, n_failed, n_left;
    long long n_attempts_failed, n_abandoned;
};

static int
report_one(const pawl_job_info *info, void *user)
{
    struct report *r = user;

    r->last_id = info->id;
    r->n_jobs++;
    r->n_attempts_failed += info->attempts;
    r->n_abandoned += info->abandons;
    if (info->state == PAWL_DONE)
        r->n_done++;
    else if (info->state == PAWL_FAILED || info->state == PAWL_TIMEOUT)
        r->n_failed++;
    else
        r->n_left++;
    return 0;
}

static int
report(const char *url, pawl_error *err)
{
    struct report r = {0};
    pawl_store *store = NULL;
    pawl_queue *queue = NULL;
    int rc = open_queue(url, 1, &store, &queue, err);

    if (rc == PAWL_OK)
        rc = each_job(store, PAWL_ANY_STATE, report_one, &r, &r.last_id, err);
    pawl_close(store);
    if (rc == PAWL_OK)
        printf("jobs=%lld\ndone=%lld\nfailed=%lld\nleft=%lld\n"
               "attempts=%lld\nretried=%lld\nabandoned=%lld\n",
               r.n_jobs, r.n_done, r.n_failed, r.n_left,
               r.n_done + r.n_attempts_failed + r.n_abandoned,
               r.n_attempts_failed - r.n_failed, r.n_abandoned);
    return rc;
}

/* -------------------------------------------------------------------- main */

static int
usage(void)
{
    fprintf(stderr,
            "usage: digests push STORE <NAMES       names end with NUL; prints "
            "how many\n"
            "       digests work STORE [--hold-at N] prints how many jobs of "
            "the dead it took\n"
            "       digests list STORE              as sha256sum --zero does\n"
            "       digests report STORE            counts, as NAME=NUMBER\n");
    return 2;
}

int
main(int argc, char **argv)
{
    pawl_error err = {0, 0, ""};
    int rc;

    if (argc == 3 && strcmp(argv[1], "push") == 0)
        rc = push(argv[2], &err);
    else if (argc == 3 && strcmp(argv[1], "work") == 0)
        rc = work(argv[2], -1, &err);
    else if (argc == 5 && strcmp(argv[1], "work") == 0 &&
             strcmp(argv[3], "--hold-at") == 0)
        rc = work(argv[2], atoll(argv[4]), &err);
    else if (argc == 3 && strcmp(argv[1], "list") == 0)
        rc = list(argv[2], &err);
    else if (argc == 3 && strcmp(argv[1], "report") == 0)
        rc = report(argv[2], &err);
    else
        return usage();
    if (rc == PAWL_OK && fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    fprintf(stderr, "digests: %s\n",
            rc != PAWL_OK ? err.message : "cannot write to standard output");
    return 1;
}
