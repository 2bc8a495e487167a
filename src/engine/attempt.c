/* SPDX-License-Identifier: MIT */
/* attempt.c - one run of a job's listeners. */
#include "engine/attempt.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "model/retry.h"

#define ATTEMPT_RESULT_MAX 65536

void
pawl__attempt_init(pawl_attempt *a, pawl_queue *queue,
                   const struct pawl__clock *clock,
                   const struct pawl__record *record, int64_t timeout_ms)
{
    memset(a, 0, offsetof(pawl_attempt, reason));
    a->reason[0] = '\0';
    a->result = NULL;
    a->queue = queue;
    a->clock = clock;
    a->record = record;
    a->number = record != NULL ? record->info.attempts + 1 : 1;
    a->began_ms = pawl__monotonic_ms(clock);
    atomic_init(&a->deadline_ms, pawl__add_sat(a->began_ms, timeout_ms));
    atomic_init(&a->stop_reason, PAWL_STOP_NONE);
    pawl__mutex_init(&a->mu, PAWL__RANK_ATTEMPT);
    a->retry_in_ms = -1;
    a->stop_fd = -1;
}

void
pawl__attempt_clear(pawl_attempt *a)
{
    if (a->stop_fd >= 0)
        (void)close(a->stop_fd);
    pawl__free(a->result);
    pawl__mutex_clear(&a->mu);
}

static void
attempt_raise(int fd)
{
    const uint64_t one = 1;

    if (fd >= 0)
        while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
            ;
}

void
pawl__attempt_tell(pawl_attempt *a, int reason)
{
    int now;

    pawl__lock(&a->mu);
    now = atomic_load_explicit(&a->stop_reason, memory_order_relaxed);
    if (now == PAWL_STOP_NONE || now == PAWL_STOP_SHUTDOWN)
        /* Release: a listener that sees it also sees what led to it. */
        atomic_store_explicit(&a->stop_reason, reason, memory_order_release);
    attempt_raise(a->stop_fd);
    pawl__unlock(&a->mu);
}

bool
pawl__attempt_decide(pawl_attempt *a)
{
    bool first;

    pawl__lock(&a->mu);
    first = !a->decided;
    a->decided = true;
    pawl__unlock(&a->mu);
    return first;
}

static void
attempt_failed(const struct pawl__record *record,
               const struct pawl__clock *clock, enum pawl__outcome last,
               int64_t retry_in_ms, struct pawl__rng *rng,
               struct pawl__settle *settle)
{
    int number = record->info.attempts + 1;

    settle->outcome = last;
    if (number >= record->info.job.max_attempts)
        return;
    settle->outcome = PAWL__RETRY;
    if (retry_in_ms < 0)
        retry_in_ms = pawl__backoff_ms(&record->info.job, number, rng);
    settle->ready_at_ms = pawl__add_sat(pawl__wall_ms(clock), retry_in_ms);
}

static void
attempt_settle_begin(const struct pawl__record *record,
                     struct pawl__settle *settle)
{
    memset(settle, 0, sizeof *settle);
    settle->job = record->info.id;
    settle->token = record->token;
}

void
pawl__attempt_settle(pawl_attempt *a, int rc, struct pawl__rng *rng,
                     struct pawl__settle *settle)
{
    attempt_settle_begin(a->record, settle);
    pawl__lock(&a->mu);
    if (a->snoozed) {
        settle->outcome = PAWL__SNOOZE;
        settle->ready_at_ms =
            pawl__add_sat(pawl__wall_ms(a->clock), a->snooze_ms);
    } else if (rc == 0) {
        settle->outcome = PAWL__ACK;
        settle->text = a->result;
        a->result = NULL;
    } else {
        if (a->reason[0] == '\0')
            (void)snprintf(a->reason, sizeof a->reason, "listener returned %d",
                           rc);
        settle->text = pawl__strdup(a->reason);
        if (a->aborted)
            settle->outcome = PAWL__FAIL;
        else
            attempt_failed(a->record, a->clock, PAWL__FAIL, a->retry_in_ms, rng,
                           settle);
    }
    pawl__unlock(&a->mu);
}

bool
pawl__attempt_is_late(const pawl_attempt *a)
{
    return pawl__monotonic_ms(a->clock) >=
           atomic_load_explicit(&a->deadline_ms, memory_order_relaxed);
}

void
pawl__attempt_settle_timeout(const pawl_attempt *a, struct pawl__rng *rng,
                             struct pawl__settle *settle)
{
    int64_t limit =
        atomic_load_explicit(&a->deadline_ms, memory_order_relaxed) -
        a->began_ms;
    char why[64];

    attempt_settle_begin(a->record, settle);
    (void)snprintf(why, sizeof why, "timed out after %lld ms",
                   (long long)limit);
    settle->text = pawl__strdup(why);
    attempt_failed(a->record, a->clock, PAWL__TIMEOUT, -1, rng, settle);
}

/* ------------------------------------------------------------- public calls */

int
pawl_attempt_number(const pawl_attempt *a)
{
    return a != NULL ? a->number : 0;
}

int64_t
pawl_attempt_job_id(const pawl_attempt *a)
{
    return a != NULL && a->record != NULL ? a->record->info.id : 0;
}

pawl_queue *
pawl_attempt_queue(const pawl_attempt *a)
{
    return a != NULL ? a->queue : NULL;
}

int64_t
pawl_attempt_deadline_at_ms(const pawl_attempt *a)
{
    int64_t left;

    if (a == NULL)
        return 0;
    left = atomic_load_explicit(&a->deadline_ms, memory_order_relaxed) -
           pawl__monotonic_ms(a->clock);
    return pawl__add_sat(pawl__wall_ms(a->clock), left);
}

static int
attempt_span(const pawl_attempt *a, const char *what, int64_t ms, int64_t min,
             pawl_error *err)
{
    if (a == NULL)
        return pawl__fail(err, PAWL_INVALID, 0, "attempt is NULL");
    if (ms < min || ms > PAWL__SPAN_MAX_MS)
        return pawl__fail(err, PAWL_INVALID, 0, "%s is %lld: give %lld to %lld",
                          what, (long long)ms, (long long)min,
                          PAWL__SPAN_MAX_MS);
    return PAWL_OK;
}

int
pawl_attempt_extend(pawl_attempt *a, int64_t ms, pawl_error *err)
{
    int rc = attempt_span(a, "ms", ms, 1, err);

    if (rc != PAWL_OK)
        return rc;
    pawl__lock(&a->mu);
    if (a->decided || pawl__attempt_is_late(a))
        rc = pawl__fail(err, PAWL_STALE, 0,
                        "the attempt has ended: its deadline passed or the job "
                        "was cancelled");
    else
        atomic_store_explicit(&a->deadline_ms,
                              pawl__add_sat(pawl__monotonic_ms(a->clock), ms),
                              memory_order_relaxed);
    pawl__unlock(&a->mu);
    return rc;
}

int
pawl_attempt_should_stop(const pawl_attempt *a)
{
    int reason;

    if (a == NULL)
        return PAWL_STOP_NONE;
    reason = atomic_load_explicit(&a->stop_reason, memory_order_acquire);
    if (reason != PAWL_STOP_NONE && reason != PAWL_STOP_SHUTDOWN)
        return reason;
    /* It counts from that moment, not from when the store's thread looks. */
    return pawl__attempt_is_late(a) ? (int)PAWL_STOP_TIMEOUT : reason;
}

int
pawl_attempt_stop_fd(pawl_attempt *a)
{
    int fd;

    if (a == NULL)
        return -1;
    pawl__lock(&a->mu);
    if (a->stop_fd < 0) {
        a->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (atomic_load_explicit(&a->stop_reason, memory_order_relaxed) !=
            PAWL_STOP_NONE)
            attempt_raise(a->stop_fd);
    }
    fd = a->stop_fd;
    pawl__unlock(&a->mu);
    return fd;
}

/* Keep the reason, cut where no UTF-8 sequence is torn. */
static void
attempt_keep_reason(pawl_attempt *a, const char *why)
{
    size_t n = why != NULL ? strlen(why) : 0;

    if (n > PAWL__REASON_MAX)
        for (n = PAWL__REASON_MAX;
             n > 0 && ((unsigned char)why[n] & 0xc0) == 0x80; n--)
            ;
    if (n > 0)
        memcpy(a->reason, why, n);
    a->reason[n] = '\0';
}

static int
attempt_fail(pawl_attempt *a, const char *why, bool aborted,
             int64_t retry_in_ms)
{
    if (a == NULL)
        return PAWL_INVALID;
    pawl__lock(&a->mu);
    attempt_keep_reason(a, why);
    a->aborted = aborted;
    a->retry_in_ms = retry_in_ms;
    pawl__unlock(&a->mu);
    return 1;
}

int
pawl_attempt_fail(pawl_attempt *a, const char *why)
{
    return attempt_fail(a, why, false, -1);
}

int
pawl_attempt_abort(pawl_attempt *a, const char *why)
{
    return attempt_fail(a, why, true, -1);
}

int
pawl_attempt_retry_in(pawl_attempt *a, int64_t delay_ms, const char *why)
{
    if (delay_ms < 0 || delay_ms > PAWL__SPAN_MAX_MS)
        return PAWL_INVALID;
    return attempt_fail(a, why, false, delay_ms);
}

int
pawl_attempt_snooze(pawl_attempt *a, int64_t delay_ms, pawl_error *err)
{
    int rc = attempt_span(a, "delay_ms", delay_ms, 0, err);

    if (rc != PAWL_OK)
        return rc;
    pawl__lock(&a->mu);
    a->snoozed = true;
    a->snooze_ms = delay_ms;
    pawl__unlock(&a->mu);
    return PAWL_OK;
}

int
pawl_attempt_result(pawl_attempt *a, const char *text, pawl_error *err)
{
    char *copy;

    if (a == NULL || text == NULL)
        return pawl__fail(err, PAWL_INVALID, 0, "%s is NULL",
                          a == NULL ? "attempt" : "text");
    if (strlen(text) > ATTEMPT_RESULT_MAX)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "the result has %zu bytes: at most %d are kept",
                          strlen(text), ATTEMPT_RESULT_MAX);
    copy = pawl__strdup(text);
    if (copy == NULL)
        return pawl__fail_nomem(err);
    pawl__lock(&a->mu);
    pawl__free(a->result);
    a->result = copy;
    pawl__unlock(&a->mu);
    return PAWL_OK;
}
