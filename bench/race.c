/* SPDX-License-Identifier: MIT */
/* race.c - several sides in turn, and what came of it: see bench.h. */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct race_values { /* of one side: by metric, then by round */
    double v[BENCH_METRICS_MAX][BENCH_ROUNDS_MAX];
    int n; /* rounds */
};

struct race_summary {
    double min, median, max;
};

static int
race_compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static struct race_summary
race_sum_up(const double *values, int n)
{
    double sorted[BENCH_ROUNDS_MAX];
    struct race_summary s = {0, 0, 0};

    if (n == 0)
        return s;
    memcpy(sorted, values, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, race_compare);
    s.min = sorted[0];
    s.median =
        n % 2 != 0 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    s.max = sorted[n - 1];
    return s;
}

static double
race_ratio(const struct bench_metric *m, const struct race_summary *pawl,
           const struct race_summary *other)
{
    double above = m->less_is_better ? other->median : pawl->median;
    double below = m->less_is_better ? pawl->median : other->median;

    return below > 0 ? above / below : 0;
}

/* Digits enough to compare, none to believe in. */
static const char *
race_figure(double value, char *text, size_t bytes)
{
    (void)snprintf(text, bytes, value < 10 ? "%.2f" : "%.0f", value);
    return text;
}

static void
race_print(const char *metric, const struct bench_side *side,
           const struct race_summary *s, double ratio, double wanted)
{
    char a[32], b[32], c[32];

    printf("  %-26s %-24s %10s %10s %10s", metric, side->name,
           race_figure(s->min, a, sizeof a),
           race_figure(s->median, b, sizeof b),
           race_figure(s->max, c, sizeof c));
    if (ratio > 0)
        printf("   %.2f", ratio);
    if (wanted > 0)
        printf(" (wanted %.2f)", wanted);
    printf("\n");
}

/* One line, its members in this order: run.sh reads them by pattern. Nothing
 * in it needs escapes: all names are ours, and the CPU's is cut at quotes. */
static void
race_json(const struct bench *b, const struct bench_race *race, int metric,
          const struct bench_side *side, const struct race_values *values,
          double ratio, double wanted)
{
    const struct bench_metric *m = &race->metrics[metric];
    struct race_summary s = race_sum_up(values->v[metric], values->n);
    FILE *f = fopen(b->json, "a");
    int i;

    if (f == NULL)
        bench_die("%s: %s", b->json, strerror(errno));
    (void)fprintf(f,
                  "{\"workload\":\"%s\",\"metric\":\"%s\",\"side\":\"%s\","
                  "\"median\":%.3f,\"min\":%.3f,\"max\":%.3f,\"ratio\":%.3f,"
                  "\"wanted\":%.2f,\"table\":%s,\"rounds\":[",
                  race->workload, m->name, side->name, s.median, s.min, s.max,
                  ratio, wanted, m->in_table ? "true" : "false");
    for (i = 0; i < values->n; i++)
        (void)fprintf(f, "%s%.3f", i > 0 ? "," : "", values->v[metric][i]);
    (void)fprintf(f, "],\"jobs\":%ld,\"unix_ms\":%lld,\"machine\":\"%s\"}\n",
                  b->n, (long long)bench_wall_ms(), b->machine);
    if (fclose(f) != 0)
        bench_die("%s: %s", b->json, strerror(errno));
}

/* All sides of one metric. */
static void
race_report(const struct bench *b, const struct bench_race *race, int metric,
            const struct race_values *values)
{
    const struct bench_metric *m = &race->metrics[metric];
    struct race_summary pawl = race_sum_up(values[0].v[metric], values[0].n);
    struct race_summary s;
    const char *name = m->name;
    double ratio, wanted;
    int i;

    for (i = 0; race->sides[i].run != NULL; i++) {
        if (values[i].n == 0)
            continue;
        s = race_sum_up(values[i].v[metric], values[i].n);
        ratio = i > 0 && pawl.median > 0 ? race_ratio(m, &pawl, &s) : 0;
        wanted = metric == 0 ? race->sides[i].wanted : 0;
        race_print(name, &race->sides[i], &s, ratio, wanted);
        if (b->json != NULL)
            race_json(b, race, metric, &race->sides[i], &values[i], ratio,
                      wanted);
        name = "";
    }
}

static void
race_round(struct bench *b, const struct bench_race *race, int side,
           struct race_values *values)
{
    double now[BENCH_METRICS_MAX] = {0};
    int i;

    if ((side == 0 && b->sides == BENCH_OTHERS) ||
        (side > 0 && b->sides == BENCH_PAWL))
        return;
    race->sides[side].run(b, &race->sides[side], race->user, now);
    for (i = 0; race->metrics[i].name != NULL; i++)
        values->v[i][values->n] = now[i];
    values->n++;
}

void
bench_add_side(struct bench_race *race, struct bench_side side)
{
    int i = 0;

    while (race->sides[i].run != NULL)
        i++;
    if (i + 1 >= BENCH_SIDES_MAX)
        bench_die("too many sides in a race");
    race->sides[i] = side;
}

void
bench_run(struct bench *b, const struct bench_race *race)
{
    static struct race_values values[BENCH_SIDES_MAX]; /* for a small stack */
    int i, n = 0, round;

    memset(values, 0, sizeof values);
    while (race->sides[n].run != NULL)
        n++;
    printf("\n%s\n", race->workload);
    (void)fflush(stdout);
    /* The first of a round finds what the last one left in the disk's caches:
     * take turns at that too. */
    for (round = 0; round < b->rounds; round++)
        for (i = 0; i < n; i++)
            race_round(b, race, (i + round) % n, &values[(i + round) % n]);
    printf("  %-26s %-24s %10s %10s %10s   ratio\n", "", "", "min", "median",
           "max");
    for (i = 0; race->metrics[i].name != NULL; i++)
        race_report(b, race, i, values);
    (void)fflush(stdout);
}
