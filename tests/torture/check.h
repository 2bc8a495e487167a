/* SPDX-License-Identifier: MIT */
/* check.h - the total-queue checker: what a log says of the promises.
 *
 * Each job is judged alone, from the calls that name it, by what must hold
 * whatever the order in which concurrent calls took effect:
 *
 *   lost            its push returned OK, and it never ran
 *   unexpected      it ran though nobody tried to push it, or other bytes did
 *   unexplained     it ran again though the attempt before was neither given
 *                   back nor its process dead
 *   run after ack   it was claimed after an ack of it had been accepted
 *   stale accepted  an attempt settled it while a later one was current, or
 *                   one attempt settled it twice
 *   two valid       it was claimed while an attempt that nobody had settled
 *                   was current and its process alive
 *   early           it was started before its time by the wall clock
 *   out of order    a job that ranks behind it was claimed by a call that
 *                   could have had it
 *
 * The names follow Jepsen's total-queue: recovered jobs are those whose push
 * had an unknown end, and that were there. */
#ifndef PAWL_TESTS_TORTURE_CHECK_H
#define PAWL_TESTS_TORTURE_CHECK_H

#include <stdio.h>

#include "torture/log.h"

struct check {
    /* what happened */
    long tried, pushed, unknown, refused, recovered;
    long jobs_run, starts, settles, stale_refused;
    long deaths;
    long held_at_death; /* jobs that a dead process had claimed */
    long again_died, again_given_back, again_unknown; /* runs, by the reason */
    int64_t rescue_median_ns, rescue_worst_ns, rescue_99_ns;
    /* what must not */
    long lost, unexpected, unexplained, run_after_ack, stale_accepted;
    long two_valid, early, out_of_order;
};

/* Judge a log of one drained store; the first violations are told to detail
 * (NULL: nowhere). 0 when it could be judged, -1 without memory. */
int check_log(const struct log *log, struct check *verdict, FILE *detail);
bool check_is_good(const struct check *verdict);
/* Add the counts of one log to those of others. */
void check_sum(struct check *sum, const struct check *one);
void check_print(const struct check *verdict, FILE *out);

#endif
