/* SPDX-License-Identifier: MIT */
/* attempt.h - one run of a job's listeners.
 *
 * Invariant: exactly one of the listeners' result, the deadline and a
 * cancellation decides an attempt (decided, under mu); what comes later
 * changes nothing. */
#ifndef PAWL_ENGINE_ATTEMPT_H
#define PAWL_ENGINE_ATTEMPT_H

#include <stdatomic.h>

#include "base/thread.h"
#include "driver/driver.h"

#define PAWL__REASON_MAX 1000 /* bytes of a reason that are kept */

struct pawl_attempt {
    pawl_queue *queue;
    const struct pawl__clock *clock;
    const struct pawl__record *record; /* NULL: synchronous dispatch */
    int number;
    int64_t began_ms;            /* monotonic */
    _Atomic int64_t deadline_ms; /* monotonic */
    _Atomic int stop_reason;     /* enum pawl_stop_reason */

    struct pawl__mutex mu; /* guards all below */
    bool decided;
    bool aborted; /* no retry */
    bool snoozed;
    int64_t snooze_ms;
    int64_t retry_in_ms; /* -1: by backoff */
    char reason[PAWL__REASON_MAX + 1];
    char *result;
    int stop_fd; /* an eventfd; -1: not made yet */
};

void pawl__attempt_init(pawl_attempt *a, pawl_queue *queue,
                        const struct pawl__clock *clock,
                        const struct pawl__record *record, int64_t timeout_ms);
void pawl__attempt_clear(pawl_attempt *a);

/* Tell the listener to stop; the first reason stays, but a timeout or a
 * cancellation is told after a shutdown. */
void pawl__attempt_tell(pawl_attempt *a, int reason);

/* Become the one who decides; false: another was faster. */
bool pawl__attempt_decide(pawl_attempt *a);

/* After the listeners returned rc: the settle. Reason and result are copied
 * for it; false: memory is out (then the settle is without text). rng is the
 * caller's. */
void pawl__attempt_settle(pawl_attempt *a, int rc, struct pawl__rng *rng,
                          struct pawl__settle *settle);
/* After the deadline: the settle. */
void pawl__attempt_settle_timeout(const pawl_attempt *a, struct pawl__rng *rng,
                                  struct pawl__settle *settle);
/* Has its deadline passed? */
bool pawl__attempt_is_late(const pawl_attempt *a);

#endif
