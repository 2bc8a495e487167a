/* SPDX-License-Identifier: MIT */
/* load.h - the work that torture programs put on a store: jobs of all kinds,
 * logged (log.h), and a listener for them. */
#ifndef PAWL_TESTS_TORTURE_LOAD_H
#define PAWL_TESTS_TORTURE_LOAD_H

#include "torture/log.h"

/* One generator for each process: xorshift64 (Marsaglia 2003). */
void load_seed(uint64_t seed);
unsigned load_random(unsigned below);

/* Open a store, watched by the log, and its queue "q", whose jobs do not fail
 * of their workers' deaths. On failure nothing is open. */
int load_open(const char *url, const pawl_options *options, pawl_store **store,
              pawl_queue **queue, pawl_error *err);

/* Push once: one, a batch, or several asynchronously; now or in some ms, of
 * some priority, sometimes with a unique key. A taken key is no failure. */
int load_push(pawl_queue *queue, pawl_error *err);

/* Are fewer than n jobs in the queue? */
int load_is_below(pawl_queue *queue, int64_t n, bool *below, pawl_error *err);

/* Works for some microseconds. Some jobs fail at first, some are put off. */
int load_listener(pawl_attempt *attempt, const pawl_job *job, void *user);

/* Run all there is, also what is delayed, and stop. CORRUPT when a job failed
 * or integrity_check finds fault. */
int load_drain(const char *url, const pawl_options *options, pawl_error *err);

#endif
