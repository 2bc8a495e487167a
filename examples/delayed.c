/* SPDX-License-Identifier: CC0-1.0 */
/* delayed.c - jobs for later: after a span, at a time, in 30 days. Free to
 * copy, without conditions.
 *
 * A delayed job is a row in the store: this program may end, and the machine
 * may be off, until it is due. */
#define _POSIX_C_SOURCE 200809L
#include <pawl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define N_SOON 3

static struct {
    pthread_mutex_t mu;
    pthread_cond_t ran;
    int n_ran;
} here = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static int64_t
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int
remind(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)user;
    (void)attempt;
    printf("%-10.*s ran %lld ms after it was due\n", (int)job->payload_bytes,
           (const char *)job->payload,
           (long long)(now_ms() - job->ready_at_ms));
    pthread_mutex_lock(&here.mu);
    here.n_ran++;
    pthread_cond_signal(&here.ran);
    pthread_mutex_unlock(&here.mu);
    return 0;
}

static int
push(pawl_queue *queue, const char *text, int64_t delay_ms, int64_t ready_at_ms,
     int64_t *id, pawl_error *err)
{
    pawl_job job = PAWL_JOB("remind", text, strlen(text));

    job.delay_ms = delay_ms;       /* one of these two: */
    job.ready_at_ms = ready_at_ms; /* from now on, or Unix time */
    return pawl_push(queue, &job, id, err);
}

/* A job that is not due does not keep pawl_drain() waiting, so count. */
static void
wait_for_all(void)
{
    pthread_mutex_lock(&here.mu);
    while (here.n_ran < N_SOON)
        pthread_cond_wait(&here.ran, &here.mu);
    pthread_mutex_unlock(&here.mu);
}

static int
show_later(pawl_store *store, int64_t id, pawl_error *err)
{
    pawl_job_info *info;
    int rc = pawl_get(store, id, &info, err);

    if (rc != PAWL_OK)
        return rc;
    printf("job %lld is %s, due in %.1f days; cancelled\n", (long long)id,
           pawl_state_name(info->state),
           (double)(info->job.ready_at_ms - now_ms()) / 86400000.0);
    pawl_job_info_free(info);
    return pawl_cancel(store, id, err);
}

int
main(int argc, char **argv)
{
    pawl_store *store = NULL;
    pawl_queue *queue = NULL;
    pawl_error err;
    int64_t later = 0;
    int rc;

    if (argc != 2) {
        fprintf(stderr, "usage: delayed STORE\n");
        return 2;
    }
    rc = pawl_open(argv[1], NULL, &store, &err);
    if (rc == PAWL_OK)
        rc = pawl_queue_open(store, "reminders", &queue, &err);
    if (rc == PAWL_OK)
        rc = pawl_listen(queue, "remind", remind, NULL, &err);
    if (rc == PAWL_OK)
        rc = pawl_start(store, &err);
    if (rc == PAWL_OK)
        rc = push(queue, "in 0.4 s", 400, 0, NULL, &err);
    if (rc == PAWL_OK)
        rc = push(queue, "at a time", 0, now_ms() + 200, NULL, &err);
    if (rc == PAWL_OK)
        rc = push(queue, "at once", 0, 0, NULL, &err);
    if (rc == PAWL_OK)
        rc =
            push(queue, "in 30 days", 30LL * 24 * 3600 * 1000, 0, &later, &err);
    if (rc == PAWL_OK) {
        wait_for_all();
        rc = show_later(store, later, &err);
    }
    if (rc != PAWL_OK)
        fprintf(stderr, "delayed: %s\n", err.message);
    pawl_close(store);
    return rc == PAWL_OK ? 0 : 1;
}
