/* SPDX-License-Identifier: MIT */
/* race.c - see race.h. */
#include "race.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct race_values { /* of one side: by metric, then by round */
    double v[RACE_METRICS_MAX][BENCH_ROUNDS_MAX];
};

struct race_summary {
    double min, median, max;
};

void
race_enter(const struct bench *b, struct race *race, struct entry entry)
{
    static const char *missing[4];
    const char *needs = entry.side != NULL ? entry.side->needs : NULL;
    size_t i;

    if (b->only != NULL && strncmp(entry.name, b->only, strlen(b->only)) != 0)
        return;
    if (needs == NULL || side_program(needs) != NULL) {
        if (race->n_entries == RACE_SIDES_MAX)
            bench_die("too many sides in a race");
        race->entries[race->n_entries++] = entry;
        return;
    }
    for (i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        if (missing[i] == needs)
            return;
        if (missing[i] == NULL)
            break;
    }
    if (i < sizeof missing / sizeof missing[0])
        missing[i] = needs;
    printf("skipped: %s is not installed\n", needs);
}

/* -------------------------------------------------------------- summing up */

static int
race_compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* False: the side does not have this metric. */
static bool
race_sum_up(const double *values, int n, struct race_summary *s)
{
    double sorted[BENCH_ROUNDS_MAX];

    if (n == 0 || isnan(values[0]))
        return false;
    memcpy(sorted, values, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, race_compare);
    s->min = sorted[0];
    s->median =
        n % 2 != 0 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    s->max = sorted[n - 1];
    return true;
}

static double
race_ratio(const struct metric *m, const struct race_summary *first,
           const struct race_summary *other)
{
    double above = m->less_is_better ? other->median : first->median;
    double below = m->less_is_better ? first->median : other->median;

    return below > 0 ? above / below : 0;
}

/* ---------------------------------------------------------------- reporting */

/* Digits enough to compare, none to believe in. */
static const char *
race_figure(double value, char *text, size_t bytes)
{
    (void)snprintf(text, bytes,
                   value < 0.1    ? "%.4f"
                   : value < 10   ? "%.2f"
                   : value < 1000 ? "%.1f"
                                  : "%.0f",
                   value);
    return text;
}

static void
race_print(const char *metric, const char *side, const struct race_summary *s,
           double ratio)
{
    char a[32], b[32], c[32];

    printf("  %-22s %-26s %10s %10s %10s", metric, side,
           race_figure(s->min, a, sizeof a),
           race_figure(s->median, b, sizeof b),
           race_figure(s->max, c, sizeof c));
    if (ratio > 0)
        printf(" %8.2f", ratio);
    printf("\n");
}

/* One line, its members in this order: the scripts read them by pattern.
 * Nothing in it needs escapes: all names are ours. */
static void
race_json(const struct bench *b, const struct race *race, int metric,
          const struct entry *entry, const struct race_summary *s, double ratio,
          const double *values)
{
    const struct metric *m = &race->metrics[metric];
    FILE *f = fopen(b->json, "a");
    int i;

    if (f == NULL)
        bench_die("%s: %s", b->json, strerror(errno));
    (void)fprintf(f,
                  "{\"workload\":\"%s\",\"race\":\"%s\",\"metric\":\"%s\","
                  "\"side\":\"%s\",\"median\":%.4f,\"min\":%.4f,\"max\":%.4f,"
                  "\"ratio\":%.3f,\"less_is_better\":%s,\"rounds\":[",
                  race->workload, race->name, m->name, entry->name, s->median,
                  s->min, s->max, ratio, m->less_is_better ? "true" : "false");
    for (i = 0; i < race->rounds; i++)
        (void)fprintf(f, "%s%.4f", i > 0 ? "," : "", values[i]);
    (void)fprintf(f, "]}\n");
    if (fclose(f) != 0)
        bench_die("%s: %s", b->json, strerror(errno));
}

/* All sides of one metric. */
static void
race_report(const struct bench *b, const struct race *race, int metric,
            const struct race_values *values)
{
    const struct metric *m = &race->metrics[metric];
    struct race_summary first = {0, 0, 0}, s;
    const char *name = m->name;
    bool have_first = false;
    double ratio;
    int i;

    for (i = 0; i < race->n_entries; i++) {
        if (!race_sum_up(values[i].v[metric], race->rounds, &s))
            continue;
        ratio = have_first ? race_ratio(m, &first, &s) : 0;
        if (i == 0) {
            first = s;
            have_first = true;
        }
        race_print(name, race->entries[i].name, &s, ratio);
        if (b->json != NULL)
            race_json(b, race, metric, &race->entries[i], &s, ratio,
                      values[i].v[metric]);
        name = "";
    }
}

static void
race_round(struct bench *b, const struct race *race, int side, int round,
           struct race_values *values)
{
    double now[RACE_METRICS_MAX];
    int i;

    for (i = 0; i < RACE_METRICS_MAX; i++)
        now[i] = NAN;
    race->run(b, &race->entries[side], race->user, now);
    for (i = 0; i < RACE_METRICS_MAX; i++)
        values->v[i][round] = now[i];
}

void
race_run(struct bench *b, const struct race *race)
{
    static struct race_values values[RACE_SIDES_MAX]; /* for a small stack */
    int i, n = race->n_entries, round;

    if (n == 0)
        return;
    printf("\n%s, %s (%d round%s)\n", race->workload, race->name, race->rounds,
           race->rounds == 1 ? "" : "s");
    (void)fflush(stdout);
    /* The first of a round finds what the last one left in the disk's caches:
     * take turns at that too. */
    for (round = 0; round < race->rounds; round++)
        for (i = 0; i < n; i++)
            race_round(b, race, (i + round) % n, round,
                       &values[(i + round) % n]);
    printf("  %-22s %-26s %10s %10s %10s %8s\n", "", "", "min", "median", "max",
           n > 1 ? "ratio" : "");
    for (i = 0; race->metrics[i].name != NULL; i++)
        race_report(b, race, i, values);
    (void)fflush(stdout);
}
