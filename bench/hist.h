/* SPDX-License-Identifier: MIT */
/* hist.h - many spans of time in little memory: a count for each of 64 steps
 * between two powers of two, so that a span is known to 1.6 %. */
#ifndef PAWL_BENCH_HIST_H
#define PAWL_BENCH_HIST_H

#include <stdint.h>

#define HIST_STEPS 64
#define HIST_BUCKETS                                        \
    (38 * HIST_STEPS) /* up to 2^43 ns, more than two hours \
                       */

struct hist { /* {0} is empty; not thread-safe */
    uint64_t n;
    int64_t max;
    uint32_t counts[HIST_BUCKETS];
};

void hist_add(struct hist *h, int64_t ns);
void hist_join(struct hist *to, const struct hist *from);
/* The span that a part (0..1) of all do not exceed, in microseconds; 0 where
 * there is none. */
double hist_us(const struct hist *h, double part);
double hist_max_us(const struct hist *h);

#endif
