/* SPDX-License-Identifier: MIT */
/* small_disk.c - a real disk that is full: a tmpfs of a few MiB.
 *
 * Jobs are pushed until the disk is full, and some more after that; then they
 * are run. Every push that returned OK runs and is acked although nobody makes
 * room, no refused one does, and afterwards pushes work again. Needs root, for
 * mount(2); exit 77 (skipped) without. */
#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/support.h"
#include "torture/check.h"

static struct support_folder folder;
static struct log *events;

static int
small_die(const char *what, const pawl_error *err)
{
    fprintf(stderr, "small_disk: %s: %s\n", what, err->message);
    return 1;
}

static int
small_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)user;
    log_start(attempt, job);
    log_end(attempt, job);
    return 0;
}

/* Push until it is full; how many were accepted. */
static long
small_fill(pawl_queue *queue, int *rc, pawl_error *err)
{
    struct log_payload p;
    pawl_job job;
    long n = -1;

    do {
        job = log_job(&p, "t");
        *rc = pawl_push(queue, &job, NULL, err);
        n++;
    } while (*rc == PAWL_OK);
    return n;
}

static int
small_run(void)
{
    pawl_store *store;
    pawl_queue *queue;
    pawl_error err;
    struct log_payload p;
    pawl_job job;
    long n;
    int rc, i;

    if (pawl_open(folder.store, NULL, &store, &err) != PAWL_OK)
        return small_die("open", &err);
    log_watch(store);
    if (pawl_queue_open(store, "q", &queue, &err) != PAWL_OK ||
        pawl_listen(queue, "none", small_listener, NULL, &err) != PAWL_OK ||
        pawl_start(store, &err) != PAWL_OK ||
        pawl_stop(store, 0, &err) != PAWL_OK) /* the reserve is there now */
        return small_die("start", &err);
    n = small_fill(queue, &rc, &err);
    if (rc != PAWL_FULL)
        return small_die("fill", &err);
    for (i = 0; i < 20; i++) {
        job = log_job(&p, "t");
        if (pawl_push(queue, &job, NULL, &err) != PAWL_FULL)
            return small_die("push on a full disk", &err);
    }
    if (pawl_listen(queue, "t", small_listener, NULL, &err) != PAWL_OK ||
        pawl_start(store, &err) != PAWL_OK ||
        pawl_drain(store, 60000, &err) != PAWL_OK)
        return small_die("drain", &err);
    job = log_job(&p, "t");
    if (pawl_push(queue, &job, NULL, &err) != PAWL_OK ||
        pawl_drain(store, 60000, &err) != PAWL_OK ||
        pawl_stop(store, SUPPORT_DEADLINE_MS, &err) != PAWL_OK)
        return small_die("go on", &err);
    pawl_close(store);
    printf("%ld jobs filled it; ", n);
    return 0;
}

static int
small_disk(int mib)
{
    struct check v;
    char options[40];
    int rc;

    log_reset(events);
    support_folder_make(&folder);
    (void)snprintf(options, sizeof options, "size=%dm", mib);
    if (mount("pawl", folder.path, "tmpfs", 0, options) != 0) {
        printf("small_disk: skipped: mount: %s\n", strerror(errno));
        support_folder_remove(&folder);
        return 77;
    }
    printf("a disk of %d MiB: ", mib);
    rc = small_run();
    if (check_log(events, &v, stderr) != 0 || !check_is_good(&v) ||
        v.jobs_run != v.pushed)
        rc = 1;
    printf("%ld accepted, %ld refused, %ld ran, %ld lost: %s\n", v.pushed,
           v.refused, v.jobs_run, v.lost, rc == 0 ? "good" : "BAD");
    (void)umount(folder.path);
    support_folder_remove(&folder);
    return rc;
}

int
main(int argc, char **argv)
{
    static const int sizes[] = {12, 16, 24};
    size_t i;
    int rc = 0;

    (void)argv;
    if (argc > 1)
        return 2;
    events = log_make(4u << 20);
    if (events == NULL)
        return 99;
    log_use(events);
    for (i = 0; rc == 0 && i < sizeof sizes / sizeof sizes[0]; i++)
        rc = small_disk(sizes[i]);
    return rc;
}
