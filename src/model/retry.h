/* SPDX-License-Identifier: MIT */
/* retry.h - attempt number to the wait before the next (pure). */
#ifndef PAWL_MODEL_RETRY_H
#define PAWL_MODEL_RETRY_H

#include "base/rng.h"
#include "pawl.h"

/* The wait in ms after failed attempt number attempt (1..): floor times
 * factor^(attempt-1), times 1 +- jitter, held to floor..ceiling. job's backoff
 * fields are filled in. */
int64_t pawl__backoff_ms(const pawl_job *job, int attempt,
                         struct pawl__rng *rng);

#endif
