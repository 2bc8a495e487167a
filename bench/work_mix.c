/* SPDX-License-Identifier: MIT */
/* work_mix.c - W5: four producers and four consumers at once: as fast as they
 * go (full), then at half and at a tenth of the rate that this side made.
 * The latency is from a push's return (or callback) to the listener's start,
 * 0 where the listener was first. See load.h.
 *
 * What the number is not: at full load the latency is that of up to 1,000 jobs
 * on their way, and says how the side shares its time, no more. Half of a
 * faster side's rate is more work. */
#include "load.h"
#include "work.h"

#include <stdio.h>
#include <stdlib.h>

#define MIX_PRODUCERS 4
#define MIX_CONSUMERS 4

static const struct metric mix_metrics[] = {{"jobs/s", false},
                                            {"full: p50 us", true},
                                            {"full: p99 us", true},
                                            {"full: p99.9 us", true},
                                            {"half: p50 us", true},
                                            {"half: p99 us", true},
                                            {"half: p99.9 us", true},
                                            {"tenth: p50 us", true},
                                            {"tenth: p99 us", true},
                                            {"tenth: p99.9 us", true},
                                            {"full: push p99.9 us", true},
                                            {NULL, false}};

static void
mix_values(const struct load_result *result, double *values)
{
    values[0] = hist_us(&result->wait, 0.5);
    values[1] = hist_us(&result->wait, 0.99);
    values[2] = hist_us(&result->wait, 0.999);
}

static void
mix_run(struct bench *b, const struct entry *entry, void *user, double *values)
{
    struct load load = {MIX_PRODUCERS, *(const double *)user, 0};
    struct load_result *full = load_run(b, entry, &load), *part;

    values[0] = full->jobs_per_s;
    mix_values(full, values + 1);
    values[10] = hist_us(&full->push, 0.999);
    load.jobs_per_s = full->jobs_per_s * 0.5;
    part = load_run(b, entry, &load);
    mix_values(part, values + 4);
    free(part);
    load.jobs_per_s = full->jobs_per_s * 0.1;
    part = load_run(b, entry, &load);
    mix_values(part, values + 7);
    free(part);
    free(full);
}

static void
mix_race(struct bench *b, int durability)
{
    bool power = durability == PAWL_POWER;
    double seconds = bench_seconds(b, 1);
    struct setup s = {.durability = durability,
                      .payload = b->payload != 0 ? b->payload : 100,
                      .consumers = MIX_CONSUMERS},
                 flight = s, thread = s;
    struct race race = {.workload = "W5",
                        .rounds = bench_rounds(b, 3),
                        .metrics = mix_metrics,
                        .run = mix_run,
                        .user = &seconds};

    (void)snprintf(race.name, sizeof race.name, "4 producers, 4 consumers, %s",
                   power ? "power" : "process");
    flight.in_flight = 128;
    thread.durable_acks = power; /* a connection has one setting for all */
    race_enter(b, &race, (struct entry){"pawl", &side_pawl, s, NULL});
    race_enter(b, &race,
               (struct entry){"pawl, 128 in flight", &side_pawl, flight, NULL});
    race_enter(b, &race, (struct entry){"thread", &side_thread, thread, NULL});
    if (power)
        race_enter(b, &race,
                   (struct entry){"beanstalkd -f0", &side_beanstalkd, s, NULL});
    race_enter(b, &race,
               (struct entry){power ? "core-queue on redis always"
                                    : "core-queue on redis everysec",
                              power ? &side_redis_always : &side_redis_everysec,
                              s, NULL});
    race_run(b, &race);
}

void
work_mix(struct bench *b)
{
    mix_race(b, PAWL_POWER);
    mix_race(b, PAWL_PROCESS);
}
