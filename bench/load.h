/* SPDX-License-Identifier: MIT */
/* load.h - producers and consumers at once, as fast as they go or at a given
 * pace, on a new store. At most 1,000 jobs are on their way from a push's call
 * to the listener. */
#ifndef PAWL_BENCH_LOAD_H
#define PAWL_BENCH_LOAD_H

#include "hist.h"
#include "race.h"

struct load {
    int producers;
    double seconds;
    double jobs_per_s; /* of all producers together; 0: as fast as they go */
};

struct load_result {
    double jobs_per_s;  /* started while the time ran */
    struct hist wait;   /* from a push's return (or callback) to the listener;
                           0 where that was first */
    struct hist push;   /* from a push's call to its return (or callback) */
    int64_t longest_ns; /* push */
};

/* The result is the caller's, to be freed by free(). */
struct load_result *load_run(struct bench *b, const struct entry *entry,
                             const struct load *load);

/* A race's run(): appends of 4 KiB to a file, each made durable, by one thread
 * for *user seconds (a double). Values: syncs/s, p50, p99, p99.9, longest us.
 */
void load_disk(struct bench *b, const struct entry *entry, void *user,
               double *values);

#endif
