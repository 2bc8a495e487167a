/* SPDX-License-Identifier: MIT */
/* job.h - the job as the library carries it, and how it may move.
 *
 *            push                     due
 *    (new) -------> waiting <------------------- delayed <--- push later
 *                    |   ^ release, rescue         ^  ^
 *              claim |   | reload                  |  |
 *                    v   |                   retry |  | snooze
 *                  reserved -----------------------+--+
 *                    |-- ack ---> done (kept) or gone
 *                    |-- fail --> failed
 *                    |-- time --> timeout
 *                    '-- cancel, also from waiting and delayed --> cancelled
 *
 * failed, timeout and cancelled go back to waiting by reload or retry. */
#ifndef PAWL_MODEL_JOB_H
#define PAWL_MODEL_JOB_H

#include <stdbool.h>

#include "pawl.h"

/* How an attempt ends. */
enum pawl__outcome {
    PAWL__ACK,     /* success: gone, or done where history is kept */
    PAWL__RETRY,   /* failed, attempts left: attempts+1, delayed */
    PAWL__FAIL,    /* failed, none left: attempts+1, failed */
    PAWL__TIMEOUT, /* ran past its limit, none left: attempts+1, timeout */
    PAWL__SNOOZE,  /* put off: delayed, or waiting when ready_at is past */
    PAWL__RELEASE  /* never started: waiting, untouched */
};

/* A job in one heap block: info's strings and payload point into it. */
struct pawl__record {
    pawl_job_info info;
    int64_t token; /* of the claim that handed it out, else 0 */
};

/* Everything a driver stores of a new job, checked and with the time made
 * absolute; 0 in the fields that default to the queue's settings stays 0. */
struct pawl__new_job {
    const char *type;
    const void *payload;
    size_t payload_bytes;
    int64_t ready_at_ms; /* wall; <= pushed_at_ms: waiting, else delayed */
    int64_t pushed_at_ms;
    int64_t timeout_ms;
    const char *unique_key;     /* or NULL */
    int64_t unique_until_at_ms; /* 0: while the job is live */
    int32_t max_attempts;
    int32_t priority;
    int64_t backoff_floor_ms, backoff_ceiling_ms;
    int32_t backoff_factor_percent, backoff_jitter_percent;
};

/* A deep copy of *from in one block, or NULL. */
struct pawl__record *pawl__record_copy(const struct pawl__record *from);
void pawl__record_free(struct pawl__record *record); /* NULL allowed */

/* Put the queue's settings where the job says nothing. */
void pawl__job_fill(pawl_job *job, const pawl_settings *settings);

/* "failed" -> PAWL_FAILED; 0 when there is no such state. */
int pawl__state_from_name(const char *name);

#endif
