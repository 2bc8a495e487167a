/* SPDX-License-Identifier: MIT */
/* work_checkpoint.c - W9: how long does the longest push wait? Four producers
 * and four consumers as fast as they go, with payloads of 1 KiB, so that the
 * log is checkpointed often; each push is one call, durable when it returns.
 * "disk" is the same time of bare appends just before or after: nobody is
 * quicker than the disk's own longest sync. */
#include "load.h"
#include "work.h"

#include <stdlib.h>

static void
checkpoint_run(struct bench *b, const struct entry *entry, void *user,
               double *values)
{
    struct load load = {4, *(const double *)user, 0};
    struct load_result *r;

    if (entry->side == NULL) {
        load_disk(b, entry, user, values);
        return;
    }
    r = load_run(b, entry, &load);
    values[0] = r->jobs_per_s;
    values[1] = hist_us(&r->push, 0.5);
    values[2] = hist_us(&r->push, 0.99);
    values[3] = hist_us(&r->push, 0.999);
    values[4] = (double)r->longest_ns / 1000;
    free(r);
}

void
work_checkpoint(struct bench *b)
{
    static const struct metric metrics[] = {
        {"jobs/s", false},  {"p50 us", true},     {"p99 us", true},
        {"p99.9 us", true}, {"longest us", true}, {NULL, false}};
    double seconds = bench_seconds(b, b->longer ? 60 : 8);
    struct setup s = {.durability = PAWL_POWER,
                      .payload = b->payload != 0 ? b->payload : 1024,
                      .consumers = 4},
                 each = s;
    struct race race = {.workload = "W9",
                        .name = "longest push, full load",
                        .rounds = b->rounds > 0 ? b->rounds : 1,
                        .metrics = metrics,
                        .run = checkpoint_run,
                        .user = &seconds};

    each.durable_acks = true;
    race_enter(b, &race, (struct entry){"pawl", &side_pawl, s, NULL});
    race_enter(b, &race, (struct entry){.name = "disk"});
    race_enter(b, &race, (struct entry){"thread", &side_thread, each, NULL});
    race_enter(b, &race,
               (struct entry){"core-queue on redis always", &side_redis_always,
                              s, NULL});
    race_run(b, &race);
}
