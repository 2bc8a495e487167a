/* SPDX-License-Identifier: MIT */
/* race.h - several sides in turn, round by round, so that a machine that is
 * busy for a while is busy for all; then min, median and max of each, and how
 * many times better the first is than the others, by their medians. */
#ifndef PAWL_BENCH_RACE_H
#define PAWL_BENCH_RACE_H

#include "side.h"

#define RACE_METRICS_MAX 12
#define RACE_SIDES_MAX 16

struct metric {
    const char *name; /* "jobs/s", "p99 us" */
    bool less_is_better;
};

struct entry { /* who takes part */
    const char *name;
    const struct side *side; /* may be NULL, if run() does not need it */
    struct setup setup;
    const void *with; /* run()'s own */
};

struct race {
    const char *workload; /* "W1" */
    char name[64];        /* of the race, unique in its workload: a key */
    int rounds;
    const struct metric *metrics; /* ends with a name of NULL */
    /* One round of a side: a value for each metric; those not set are left out
     */
    void (*run)(struct bench *b, const struct entry *entry, void *user,
                double *values);
    void *user;
    struct entry entries[RACE_SIDES_MAX];
    int n_entries;
};

/* One more; not when --only says otherwise, or its program is missing, which
 * is said once. The name must outlive the race. */
void race_enter(const struct bench *b, struct race *race, struct entry entry);

/* Run all rounds, print the result, append it to the JSON file. */
void race_run(struct bench *b, const struct race *race);

#endif
