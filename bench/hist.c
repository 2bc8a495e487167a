/* SPDX-License-Identifier: MIT */
/* hist.c - see hist.h. */
#include "hist.h"

#include <stddef.h>

/* Below 128 ns a bucket is a nanosecond. From there on bucket 64 * s + m
 * holds the spans whose top seven bits, shifted down by s, are m. */
static size_t
hist_bucket(int64_t ns)
{
    uint64_t v = ns > 0 ? (uint64_t)ns : 0;
    unsigned shift = 0;

    while (v >> shift >= 2 * (uint64_t)HIST_STEPS)
        shift++;
    v = shift * (uint64_t)HIST_STEPS + (v >> shift);
    return v < HIST_BUCKETS ? (size_t)v : HIST_BUCKETS - 1;
}

/* The middle of a bucket. */
static double
hist_value(size_t bucket)
{
    unsigned shift;

    if (bucket < 2 * (size_t)HIST_STEPS)
        return (double)bucket;
    shift = (unsigned)(bucket / HIST_STEPS - 1);
    return ((double)(bucket % HIST_STEPS + HIST_STEPS) + 0.5) *
           (double)((uint64_t)1 << shift);
}

void
hist_add(struct hist *h, int64_t ns)
{
    h->counts[hist_bucket(ns)]++;
    h->n++;
    if (ns > h->max)
        h->max = ns;
}

void
hist_join(struct hist *to, const struct hist *from)
{
    size_t i;

    for (i = 0; i < HIST_BUCKETS; i++)
        to->counts[i] += from->counts[i];
    to->n += from->n;
    if (from->max > to->max)
        to->max = from->max;
}

double
hist_us(const struct hist *h, double part)
{
    uint64_t wanted = (uint64_t)(part * (double)h->n), seen = 0;
    size_t i;

    if (h->n == 0)
        return 0;
    for (i = 0; i < HIST_BUCKETS - 1; i++) {
        seen += h->counts[i];
        if (seen > wanted)
            break;
    }
    return (hist_value(i) < (double)h->max ? hist_value(i) : (double)h->max) /
           1000;
}

double
hist_max_us(const struct hist *h)
{
    return (double)h->max / 1000;
}
