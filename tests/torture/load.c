/* SPDX-License-Identifier: MIT */
/* load.c - the work that torture programs put on a store. */
#include "torture/load.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/support.h"

static uint64_t load_state = 88172645463325252ULL;

void
load_seed(uint64_t seed)
{
    load_state = seed * 0x9e3779b97f4a7c15ULL | 1;
}

unsigned
load_random(unsigned below)
{
    load_state ^= load_state << 13;
    load_state ^= load_state >> 7;
    load_state ^= load_state << 17;
    return (unsigned)(load_state >> 20) % below;
}

/* ------------------------------------------------------------------- open */

static int
load_queue(pawl_store *store, pawl_queue **queue, pawl_error *err)
{
    pawl_settings settings = {.struct_size = sizeof settings};
    int rc = pawl_queue_open(store, "q", queue, err);

    if (rc == PAWL_OK)
        rc = pawl_queue_settings(*queue, &settings, err);
    if (rc == PAWL_OK && settings.max_abandons != 1000)
        rc = pawl_queue_set(*queue, "max_abandons", "1000", err);
    if (rc == PAWL_OK && settings.parallelism != 3)
        rc = pawl_queue_set(*queue, "parallelism", "3", err);
    return rc;
}

int
load_open(const char *url, const pawl_options *options, pawl_store **store,
          pawl_queue **queue, pawl_error *err)
{
    int rc = pawl_open(url, options, store, err);

    if (rc != PAWL_OK)
        return rc;
    log_watch(*store);
    rc = load_queue(*store, queue, err);
    if (rc != PAWL_OK)
        pawl_close(*store);
    return rc;
}

/* ------------------------------------------------------------------ pushes */

static pawl_job
load_job(struct log_payload *p)
{
    struct timespec now;
    pawl_job job = log_job(p, "t");

    job.max_attempts = 3;
    job.backoff_floor_ms = job.backoff_ceiling_ms = 1;
    job.backoff_jitter_percent = PAWL_NONE;
    job.priority = (int32_t)load_random(5) - 2;
    if (load_random(8) == 0) {
        (void)clock_gettime(CLOCK_REALTIME, &now);
        p->ready_at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 +
                         1 + load_random(20);
        job.ready_at_ms = p->ready_at_ms;
    }
    return job;
}

static int
load_push_many(pawl_queue *queue, pawl_error *err)
{
    struct log_payload p[20];
    pawl_job jobs[20];
    size_t n = 2 + load_random(19), i;

    for (i = 0; i < n; i++)
        jobs[i] = load_job(&p[i]);
    return pawl_push_many(queue, jobs, n, NULL, err);
}

static int
load_push_async(pawl_queue *queue, pawl_error *err)
{
    struct log_payload p;
    pawl_job job;
    unsigned n = 1 + load_random(30);
    int rc = PAWL_OK;

    while (rc == PAWL_OK && n-- > 0) {
        job = load_job(&p);
        rc = pawl_push_async(queue, &job, NULL, NULL, err);
    }
    return rc == PAWL_OK ? pawl_sync(pawl_queue_store(queue), err) : rc;
}

static int
load_push_one(pawl_queue *queue, pawl_error *err)
{
    struct log_payload p;
    pawl_job job = load_job(&p);
    char key[16];
    int rc;

    if (load_random(8) == 0) { /* one of few keys: often it is taken */
        (void)snprintf(key, sizeof key, "key %u", load_random(10));
        job.unique_key = key;
    }
    rc = pawl_push(queue, &job, NULL, err);
    return rc == PAWL_EXISTS && job.unique_key != NULL ? PAWL_OK : rc;
}

int
load_push(pawl_queue *queue, pawl_error *err)
{
    switch (load_random(6)) {
    case 0:
        return load_push_many(queue, err);
    case 1:
        return load_push_async(queue, err);
    default:
        return load_push_one(queue, err);
    }
}

int
load_is_below(pawl_queue *queue, int64_t n, bool *below, pawl_error *err)
{
    pawl_info info = {.struct_size = sizeof info};
    int rc = pawl_queue_info(queue, &info, err);

    *below = rc == PAWL_OK && info.waiting + info.delayed + info.reserved < n;
    return rc;
}

/* ---------------------------------------------------------------- listener */

int
load_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct log_payload p;
    volatile unsigned work;
    int rc = 0;

    (void)user;
    log_start(attempt, job);
    memcpy(&p, job->payload, sizeof p);
    for (work = (unsigned)(p.number * 7919) % 60000; work > 0; work--)
        ;
    if (p.number % 17 == 0 && pawl_attempt_number(attempt) == 1)
        rc = pawl_attempt_fail(attempt, "the first attempt fails");
    else if (p.number % 23 == 0 && log_now_ns() / 1000 % 2 == 0)
        rc = pawl_attempt_snooze(attempt, 1, NULL);
    log_end(attempt, job);
    return rc;
}

/* ------------------------------------------------------------------- drain */

static int
load_drain_once(pawl_store *store, pawl_queue *queue, pawl_info *info,
                pawl_error *err)
{
    int rc = pawl_start(store, err);

    if (rc == PAWL_OK)
        rc = pawl_drain(store, 120000, err);
    if (rc == PAWL_OK)
        rc = pawl_stop(store, SUPPORT_DEADLINE_MS, err);
    if (rc == PAWL_OK)
        rc = pawl_queue_info(queue, info, err);
    return rc;
}

static int
load_judge(const char *url, const pawl_info *info, pawl_error *err)
{
    int64_t faults =
        support_sql_int(url, "SELECT count(*) FROM pragma_integrity_check() "
                             "WHERE integrity_check <> 'ok'");

    if (faults == 0 && info->failed + info->timeout + info->cancelled == 0)
        return PAWL_OK;
    (void)snprintf(err->message, sizeof err->message,
                   "%lld failed, %lld timed out, %lld cancelled, %lld faults "
                   "found by integrity_check",
                   (long long)info->failed, (long long)info->timeout,
                   (long long)info->cancelled, (long long)faults);
    return err->code = PAWL_CORRUPT;
}

int
load_drain(const char *url, const pawl_options *options, pawl_error *err)
{
    pawl_info info = {.struct_size = sizeof info};
    pawl_store *store;
    pawl_queue *queue;
    int rc = load_open(url, options, &store, &queue, err);

    if (rc != PAWL_OK)
        return rc;
    rc = pawl_listen(queue, "t", load_listener, NULL, err);
    if (rc == PAWL_OK)
        rc = load_drain_once(store, queue, &info, err);
    while (rc == PAWL_OK && info.waiting + info.delayed + info.reserved > 0) {
        (void)poll(NULL, 0, 1); /* retries and delayed jobs come due in ms */
        rc = load_drain_once(store, queue, &info, err);
    }
    pawl_close(store);
    return rc == PAWL_OK ? load_judge(url, &info, err) : rc;
}
