/* SPDX-License-Identifier: CC0-1.0 */
/* metrics.c - numbers about a store: a gauge that is called by the clock, and
 * the text that Prometheus reads. Free to copy, without conditions.
 *
 * The gauge goes to standard error, the metrics to standard output. */
#define _POSIX_C_SOURCE 200809L
#include <pawl.h>
#include <stdio.h>
#include <time.h>

#define N_JOBS 20

static int
resize(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    const struct timespec a_while = {0, 30000000};

    (void)attempt;
    (void)job;
    (void)user;
    nanosleep(&a_while, NULL);
    return 0;
}

static void
gauge(const char *queue, const pawl_info *info, void *user)
{
    (void)user;
    fprintf(stderr, "%s: %lld waiting, %lld reserved, %lld delayed\n", queue,
            (long long)info->waiting, (long long)info->reserved,
            (long long)info->delayed);
}

/* A server would append to its answer for GET /metrics here. */
static int
write_out(const char *text, size_t bytes, void *user)
{
    return fwrite(text, 1, bytes, user) == bytes ? 0 : 1;
}

/* Once for each push, when it is durable or has failed. Keep it short. */
static void
pushed(int code, int64_t id, const pawl_error *err, void *user)
{
    int *n_failed = user;

    (void)id;
    if (code == PAWL_OK)
        return;
    fprintf(stderr, "push: %s\n", err->message);
    ++*n_failed;
}

static int
run(pawl_store *store, pawl_error *err)
{
    pawl_job job = PAWL_JOB("resize", "picture", 7);
    pawl_queue *queue;
    int n_failed = 0, i, rc;

    rc = pawl_queue_open(store, "pictures", &queue, err);
    if (rc == PAWL_OK)
        rc = pawl_queue_set(queue, "parallelism", "2", err);
    if (rc == PAWL_OK)
        rc = pawl_listen(queue, "resize", resize, NULL, err);
    if (rc == PAWL_OK) /* 0 instead of 100: the queue's length_interval_s */
        rc = pawl_gauge(store, 100, gauge, NULL, err);
    for (i = 0; rc == PAWL_OK && i < N_JOBS; i++)
        rc = pawl_push_async(queue, &job, pushed, &n_failed, err);
    if (rc == PAWL_OK) /* after it all are durable, or were told of */
        rc = pawl_sync(store, err);
    if (rc == PAWL_OK)
        rc = pawl_start(store, err);
    if (rc == PAWL_OK)
        rc = pawl_drain(store, 30000, err);
    if (rc == PAWL_OK)
        rc = pawl_prometheus(store, write_out, stdout, err);
    return rc;
}

int
main(int argc, char **argv)
{
    pawl_store *store = NULL;
    pawl_error err;
    int rc;

    if (argc != 2) {
        fprintf(stderr, "usage: metrics STORE\n");
        return 2;
    }
    rc = pawl_open(argv[1], NULL, &store, &err);
    if (rc == PAWL_OK)
        rc = run(store, &err);
    if (rc != PAWL_OK)
        fprintf(stderr, "metrics: %s\n", err.message);
    pawl_close(store);
    return rc == PAWL_OK ? 0 : 1;
}
