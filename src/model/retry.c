/* SPDX-License-Identifier: MIT */
/* retry.c - attempt number to the wait before the next (pure).
 *
 * core-queue's rule, made a function of the attempt alone: 1 s, doubling,
 * times 0.5 to 1.5, never below 1 s or above 10 min. */
#include "model/retry.h"

/* base times percent / 100, held to max; nothing here overflows, as base and
 * max are at most 100 years in ms and percent at most 1000. */
static int64_t
retry_scale(int64_t base, int64_t percent, int64_t max)
{
    int64_t scaled = base * percent / 100;

    return scaled > max ? max : scaled;
}

int64_t
pawl__backoff_ms(const pawl_job *job, int attempt, struct pawl__rng *rng)
{
    int64_t wait = job->backoff_floor_ms;
    int64_t jitter = job->backoff_jitter_percent;
    int i;

    for (i = 1; i < attempt && wait < job->backoff_ceiling_ms; i++) {
        if (job->backoff_factor_percent <= 100)
            break;
        wait = retry_scale(wait, job->backoff_factor_percent,
                           job->backoff_ceiling_ms);
    }
    if (jitter > 0) /* in thousandths; wait is at most 100 years in ms */
        wait = wait *
               pawl__rng_range(rng, 1000 - jitter * 10, 1000 + jitter * 10) /
               1000;
    if (wait > job->backoff_ceiling_ms)
        wait = job->backoff_ceiling_ms;
    return wait < job->backoff_floor_ms ? job->backoff_floor_ms : wait;
}
