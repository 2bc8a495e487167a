/* SPDX-License-Identifier: MIT */
/* rng.h - random numbers: tokens, worker ids, jitter. */
#ifndef PAWL_BASE_RNG_H
#define PAWL_BASE_RNG_H

#include <stdint.h>

/* xoshiro256** by Blackman and Vigna (public domain). Not thread-safe: each
 * user has its own, under its own lock. */
struct pawl__rng {
    uint64_t s[4];
};

void pawl__rng_seed(struct pawl__rng *rng); /* from the system's entropy */
uint64_t pawl__rng_next(struct pawl__rng *rng);
/* 1..INT64_MAX: an id or token. */
int64_t pawl__rng_id(struct pawl__rng *rng);
/* lo..hi, both included; lo <= hi. */
int64_t pawl__rng_range(struct pawl__rng *rng, int64_t lo, int64_t hi);

#endif
