/* SPDX-License-Identifier: MIT */
/* clock.h - wall and monotonic milliseconds, the system's or a program's. */
#ifndef PAWL_BASE_CLOCK_H
#define PAWL_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "pawl.h"

#define PAWL__NEVER INT64_MAX             /* no such instant */
#define PAWL__SPAN_MAX_MS 3155760000000LL /* 100 years */
#define PAWL__AT_MAX_MS 7258118400000LL   /* the year 2200 */

struct pawl__clock {
    pawl_clock c;
    bool custom; /* the program's own: real waiting says nothing of it */
};

/* own may be NULL: the system's clocks. */
void pawl__clock_init(struct pawl__clock *clock, const pawl_clock *own);
/* Held to 0..PAWL__AT_MAX_MS, and to what leaves room for sums. */
int64_t pawl__wall_ms(const struct pawl__clock *clock);
int64_t pawl__monotonic_ms(const struct pawl__clock *clock);

/* The system's CLOCK_MONOTONIC in microseconds, for measuring real spans. */
int64_t pawl__real_us(void);

/* a + b, held to INT64_MIN..INT64_MAX. */
int64_t pawl__add_sat(int64_t a, int64_t b);

#endif
