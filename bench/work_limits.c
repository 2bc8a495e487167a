/* SPDX-License-Identifier: MIT */
/* work_limits.c - W0: how many appends of 4 KiB the disk makes durable one
 * by one. It is the limit of everybody who syncs once a push, and what group
 * commit goes beyond. What SQLite allows stands beside Pawl in W1 to W4, as
 * "raw". */
#include "load.h"
#include "work.h"

void
work_limits(struct bench *b)
{
    static const struct metric metrics[] = {
        {"syncs/s", false}, {"p50 us", true},     {"p99 us", true},
        {"p99.9 us", true}, {"longest us", true}, {NULL, false}};
    double seconds = bench_seconds(b, 2);
    struct race race = {.workload = "W0",
                        .name = "fdatasync",
                        .rounds = bench_rounds(b, 3),
                        .metrics = metrics,
                        .run = load_disk,
                        .user = &seconds};

    race_enter(b, &race, (struct entry){.name = "disk"});
    race_run(b, &race);
}
