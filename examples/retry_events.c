/* SPDX-License-Identifier: CC0-1.0 */
/* retry_events.c - a listener that fails, its retries, and the events that
 * tell of them. Free to copy, without conditions. */
#include <pawl.h>
#include <stdio.h>
#include <string.h>

/* "flaky" succeeds at its third attempt, "hopeless" never does. */
static int
call_partner(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)user;
    if (job->payload_bytes == 0)
        return pawl_attempt_abort(attempt, "no payload: no use to try again");
    if (strcmp(job->type, "flaky") == 0 && pawl_attempt_number(attempt) >= 3)
        return 0;
    return pawl_attempt_fail(attempt, "the partner does not answer");
}

static const char *
event_name(int kind)
{
    switch (kind) {
    case PAWL_ON_PUSHED:
        return "pushed";
    case PAWL_ON_STARTED:
        return "started";
    case PAWL_ON_SUCCEEDED:
        return "succeeded";
    case PAWL_ON_RETRY:
        return "will be retried";
    case PAWL_ON_ABORT:
        return "goes to failed";
    default:
        return "something else";
    }
}

/* Called by several threads at once: a line is one call of printf(). */
static void
tell(const pawl_event *event, void *user)
{
    char number[32] = "";

    (void)user;
    if (event->attempt > 0)
        (void)snprintf(number, sizeof number, ", attempt %d", event->attempt);
    printf("job %lld %s%s%s%s\n", (long long)event->job_id,
           event_name(event->kind), number, event->error != NULL ? ": " : "",
           event->error != NULL ? event->error : "");
}

static int
push(pawl_queue *queue, const char *type, const char *text, pawl_error *err)
{
    pawl_job job = PAWL_JOB(type, text, strlen(text));

    job.max_attempts = 3;           /* the default is 1: no retry */
    job.backoff_floor_ms = 50;      /* 50, 100, ... ms; the default is */
    job.backoff_ceiling_ms = 60000; /* 1 s, doubling, at most 10 min */
    return pawl_push(queue, &job, NULL, err);
}

static int
show_failed(const pawl_job_info *info, void *user)
{
    int *n = user;

    printf("failed: job %lld, type %s, attempts %d: %s\n", (long long)info->id,
           info->job.type, (int)info->attempts, info->error);
    ++*n;
    return 0;
}

static int
open_queue(const char *url, pawl_store **store, pawl_queue **queue,
           pawl_error *err)
{
    int rc = pawl_open(url, NULL, store, err);

    if (rc == PAWL_OK)
        rc = pawl_queue_open(*store, "partner", queue, err);
    if (rc == PAWL_OK)
        rc = pawl_listen(*queue, "flaky", call_partner, NULL, err);
    if (rc == PAWL_OK)
        rc = pawl_listen(*queue, "hopeless", call_partner, NULL, err);
    if (rc == PAWL_OK)
        rc = pawl_subscribe(*queue, PAWL_ON_ALL, tell, NULL, err);
    return rc;
}

static int
run(pawl_store *store, pawl_queue *queue, pawl_error *err)
{
    pawl_filter failed = PAWL_FILTER_INIT;
    int64_t n_flushed = 0;
    int n = 0, rc;

    rc = push(queue, "flaky", "hello", err);
    if (rc == PAWL_OK)
        rc = push(queue, "hopeless", "hello", err);
    if (rc == PAWL_OK)
        rc = push(queue, "hopeless", "", err);
    if (rc == PAWL_OK)
        rc = pawl_start(store, err);
    if (rc == PAWL_OK) /* jobs that back off are waited for */
        rc = pawl_drain(store, 30000, err);
    failed.queue = "partner";
    failed.states = PAWL_FAILED;
    if (rc == PAWL_OK)
        rc = pawl_list(store, &failed, show_failed, &n, err);
    /* Here a person would look, mend, and call pawl_reload(). */
    if (rc == PAWL_OK)
        rc = pawl_flush(store, "partner", PAWL_FAILED, &n_flushed, err);
    if (rc == PAWL_OK)
        printf("%d failed, %lld deleted\n", n, (long long)n_flushed);
    return rc;
}

int
main(int argc, char **argv)
{
    pawl_store *store = NULL;
    pawl_queue *queue = NULL;
    pawl_error err;
    int rc;

    if (argc != 2) {
        fprintf(stderr, "usage: retry_events STORE\n");
        return 2;
    }
    rc = open_queue(argv[1], &store, &queue, &err);
    if (rc == PAWL_OK)
        rc = run(store, queue, &err);
    if (rc != PAWL_OK)
        fprintf(stderr, "retry_events: %s\n", err.message);
    pawl_close(store);
    return rc == PAWL_OK ? 0 : 1;
}
