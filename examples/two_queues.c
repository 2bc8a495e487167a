/* SPDX-License-Identifier: CC0-1.0 */
/* two_queues.c - two queues in one store, each with its own parallelism. Free
 * to copy, without conditions.
 *
 * "mail" may run four jobs at once, "disk" one: slow work in one queue does
 * not hold up the other. A listener pushes into the other queue. */
#define _POSIX_C_SOURCE 200809L
#include <pawl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define N_MAILS 12

struct gauge {
    atomic_int now, most, runs;
};

struct app {
    pawl_queue *mail, *disk;
    struct gauge mails, writes;
};

/* Work a while, noting how many do so at the same time. */
static void
work(struct gauge *g)
{
    const struct timespec a_while = {0, 20000000};
    int now = atomic_fetch_add(&g->now, 1) + 1;
    int most = atomic_load(&g->most);

    while (now > most && !atomic_compare_exchange_weak(&g->most, &most, now))
        ;
    nanosleep(&a_while, NULL);
    atomic_fetch_add(&g->runs, 1);
    atomic_fetch_sub(&g->now, 1);
}

static int
send_mail(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct app *app = user;
    pawl_job archive = PAWL_JOB("archive", job->payload, job->payload_bytes);
    pawl_error err;

    work(&app->mails);
    if (pawl_push(app->disk, &archive, NULL, &err) != PAWL_OK)
        return pawl_attempt_fail(attempt, err.message);
    return 0;
}

static int
write_archive(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct app *app = user;

    (void)attempt;
    (void)job;
    work(&app->writes);
    return 0;
}

static int
set_up(const char *url, pawl_store **store, struct app *app, pawl_error *err)
{
    int rc = pawl_open(url, NULL, store, err);

    if (rc == PAWL_OK)
        rc = pawl_queue_open(*store, "mail", &app->mail, err);
    if (rc == PAWL_OK)
        rc = pawl_queue_open(*store, "disk", &app->disk, err);
    /* Settings are rows in the store: every process follows them. */
    if (rc == PAWL_OK)
        rc = pawl_queue_set(app->mail, "parallelism", "4", err);
    if (rc == PAWL_OK)
        rc = pawl_queue_set(app->disk, "parallelism", "1", err);
    if (rc == PAWL_OK)
        rc = pawl_listen(app->mail, "welcome", send_mail, app, err);
    if (rc == PAWL_OK)
        rc = pawl_listen(app->disk, "archive", write_archive, app, err);
    return rc;
}

/* All or none, in one transaction. */
static int
push_mails(struct app *app, pawl_error *err)
{
    pawl_job jobs[N_MAILS];
    int i;

    for (i = 0; i < N_MAILS; i++)
        jobs[i] = (pawl_job)PAWL_JOB("welcome", "hello", 5);
    return pawl_push_many(app->mail, jobs, N_MAILS, NULL, err);
}

int
main(int argc, char **argv)
{
    struct app app = {0};
    pawl_store *store = NULL;
    pawl_error err;
    int rc;

    if (argc != 2) {
        fprintf(stderr, "usage: two_queues STORE\n");
        return 2;
    }
    rc = set_up(argv[1], &store, &app, &err);
    if (rc == PAWL_OK)
        rc = push_mails(&app, &err);
    if (rc == PAWL_OK)
        rc = pawl_start(store, &err);
    if (rc == PAWL_OK)
        rc = pawl_drain(store, 30000, &err);
    if (rc != PAWL_OK)
        fprintf(stderr, "two_queues: %s\n", err.message);
    pawl_close(store);
    if (rc != PAWL_OK)
        return 1;
    printf("mail: %d jobs, at most %d at once\n", atomic_load(&app.mails.runs),
           atomic_load(&app.mails.most));
    printf("disk: %d jobs, at most %d at once\n", atomic_load(&app.writes.runs),
           atomic_load(&app.writes.most));
    return 0;
}
