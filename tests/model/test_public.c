/* SPDX-License-Identifier: MIT */
/* test_public.c - random operations on the library and on a model.
 *
 * The operations are drawn beforehand as a list of values. After each one the
 * results are compared, now and then all jobs. When library and model differ,
 * the list is shrunk to the few operations that are needed, and these are
 * printed in words.
 *
 *   test_public [--ops N] [--seed S] [--driver memory|sqlite] [--plant]
 *
 * --plant: only prove that a wrong rule in the model is found and shrunk; the
 * ordinary run begins with that, too. */
#include <getopt.h>
#include <stdio.h>

#include "model/world.h"

#define PUBLIC_OPS 20000
#define PUBLIC_PLANT_OPS 5000
#define PUBLIC_PLANT_MOST 8 /* what a planted difference must shrink to */
#define PUBLIC_COMPARE 100
#define PUBLIC_SHRINK_MS 60000 /* no longer, though it be less neat */

static const char *const public_drivers[] = {"memory", "sqlite"};

/* How often each kind comes, in thousandths or so. */
static const int public_weights[WORLD_N_KINDS] = {
    [WORLD_PUSH] = 120,     [WORLD_PUSH_MANY] = 40, [WORLD_PUSH_ASYNC] = 30,
    [WORLD_PUSH_BAD] = 10,  [WORLD_SQL_PUSH] = 25,  [WORLD_SQL_CHANGE] = 30,
    [WORLD_CLAIM] = 200,    [WORLD_FINISH] = 270,   [WORLD_EXTEND] = 30,
    [WORLD_CHECK] = 10,     [WORLD_CANCEL] = 25,    [WORLD_RETRY] = 40,
    [WORLD_RELOAD] = 8,     [WORLD_FLUSH] = 6,      [WORLD_SET] = 20,
    [WORLD_SWEEP] = 40,     [WORLD_DIE] = 12,       [WORLD_REOPEN] = 2,
    [WORLD_REOPEN_ALL] = 1, [WORLD_CHECKPOINT] = 4, [WORLD_PASS] = 80,
    [WORLD_JUMP] = 25};

struct public_list {
    struct world_op *op;
    int n;
};

struct public_run {
    int driver;
    bool planted, trace;
    int compare_every;
};

/* -------------------------------------------------------------- operations */

static enum world_kind
public_draw_kind(struct pawl__rng *rng)
{
    int64_t at;
    int total = 0, kind;

    for (kind = 0; kind < WORLD_N_KINDS; kind++)
        total += public_weights[kind];
    at = pawl__rng_range(rng, 0, total - 1);
    for (kind = 0; at >= public_weights[kind]; kind++)
        at -= public_weights[kind];
    return (enum world_kind)kind;
}

static struct public_list
public_draw_list(uint64_t seed, int n)
{
    struct public_list list = {calloc((size_t)n + 1, sizeof *list.op), n};
    struct pawl__rng rng = {{seed, 1, 2, 3}};
    int i;

    if (list.op == NULL)
        abort();
    for (i = 0; i < n; i++) {
        list.op[i].kind = public_draw_kind(&rng);
        list.op[i].seed = (uint32_t)pawl__rng_next(&rng);
    }
    return list;
}

/* Run all; the number of operations done when it failed, 0: all is well. */
static int
public_run(const struct public_list *list, const struct public_run *run,
           char what[64], char why[400])
{
    static struct world w;
    bool well = true;
    int i;

    world_open(&w, run->driver, run->planted);
    w.trace = run->trace;
    for (i = 0; well && i < list->n; i++) {
        well = world_do(&w, &list->op[i]);
        if (well && ((i + 1) % run->compare_every == 0 || i + 1 == list->n))
            well = world_compare(&w);
    }
    memcpy(what, w.what, sizeof w.what);
    memcpy(why, w.why, sizeof w.why);
    world_close(&w);
    return well ? 0 : i;
}

/* ------------------------------------------------------------------ shrink */

/* Does the list without [from, from + n) still fail in the same way? Then cut
 * it to that, and to where it fails. */
static bool
public_cut(struct public_list *list, int from, int n, struct public_run run,
           const char *what)
{
    struct public_list shorter = {
        calloc((size_t)list->n + 1, sizeof *shorter.op), list->n - n};
    char now[64], why[400];
    bool fails;

    if (shorter.op == NULL)
        abort();
    memcpy(shorter.op, list->op, sizeof *list->op * (size_t)from);
    memcpy(shorter.op + from, list->op + from + n,
           sizeof *list->op * (size_t)(shorter.n - from));
    if (shorter.n < 1000)
        run.compare_every = 1;
    shorter.n = public_run(&shorter, &run, now, why);
    fails = shorter.n > 0 && strcmp(now, what) == 0;
    if (fails) {
        memcpy(list->op, shorter.op, sizeof *list->op * (size_t)shorter.n);
        list->n = shorter.n;
    }
    free(shorter.op);
    return fails;
}

/* Leave out single jobs of batches. */
static void
public_thin(struct public_list *list, const struct public_run *run,
            const char *what, int64_t until)
{
    unsigned bit;
    int i;

    for (i = 0; i < list->n && i < 100; i++)
        for (bit = 1; bit < 1u << 8 && support_now_ms() < until; bit <<= 1) {
            list->op[i].skip |= bit;
            if (!public_cut(list, 0, 0, *run, what) && i < list->n)
                list->op[i].skip &= ~bit;
        }
}

/* Leave out half, then quarters, ... then one by one, while it still fails.
 * What is needed last stands last, so cuts are tried from the front. */
static void
public_shrink(struct public_list *list, const struct public_run *run,
              const char *what, int64_t until)
{
    int size = list->n / 2, at;
    bool cut;

    while (size > 0) {
        cut = false;
        for (at = 0; at + size <= list->n && support_now_ms() < until;) {
            if (public_cut(list, at, size, *run, what))
                cut = true;
            else
                at += size;
        }
        if (!cut || size > 1)
            size /= 2;
        if (support_now_ms() >= until)
            break;
    }
}

/* --------------------------------------------------------------------- main */

/* Shrink and print; how many operations are left. */
static int
public_report(struct public_list *list, struct public_run run, int failed_at,
              const char *what, const char *why)
{
    char last_what[64], last_why[400];
    int64_t until = support_now_ms() + PUBLIC_SHRINK_MS;

    printf("%s: after %d operations they differ: %s: %s\n",
           public_drivers[run.driver], failed_at, what, why);
    fflush(stdout);
    list->n = failed_at;
    (void)public_cut(list, 0, 0, run, what);
    public_shrink(list, &run, what, until);
    public_thin(list, &run, what, until);
    printf("%s: these are enough:\n", public_drivers[run.driver]);
    run.trace = true;
    run.compare_every = 1;
    (void)public_run(list, &run, last_what, last_why);
    printf("  => %s: %s\n", last_what, last_why);
    fflush(stdout);
    return list->n;
}

/* Random operations on one driver: 0, or how many show the difference. */
static int
public_try(int driver, uint64_t seed, int ops, bool planted)
{
    struct public_list list = public_draw_list(seed, ops);
    struct public_run run = {driver, planted, false, PUBLIC_COMPARE};
    char what[64], why[400];
    int64_t began = support_now_ms();
    int n = public_run(&list, &run, what, why);

    if (n != 0)
        n = public_report(&list, run, n, what, why);
    else
        printf("%s: %d operations, %lld ms\n", public_drivers[driver], ops,
               (long long)(support_now_ms() - began));
    fflush(stdout);
    free(list.op);
    return n;
}

/* A wrong rule must be found, and shrunk to a handful. */
static int
public_plant(int driver, uint64_t seed)
{
    int n;

    printf("a wrong rule in the model, which must be found:\n");
    n = public_try(driver, seed, PUBLIC_PLANT_OPS, true);
    if (n == 0 || n > PUBLIC_PLANT_MOST) {
        printf("it was %s\n", n == 0 ? "not found" : "not shrunk");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"ops", required_argument, NULL, 'o'},
        {"seed", required_argument, NULL, 's'},
        {"driver", required_argument, NULL, 'd'},
        {"plant", no_argument, NULL, 'p'},
        {NULL, 0, NULL, 0}};
    uint64_t seed = support_seed();
    int ops = support_rounds(PUBLIC_OPS), only = -1, d, c;
    bool plant = false;
    int rc;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (c == 'o')
            ops = atoi(optarg);
        else if (c == 's')
            seed = strtoull(optarg, NULL, 10);
        else if (c == 'd')
            only = strcmp(optarg, "memory") != 0;
        else if (c == 'p')
            plant = true;
        else
            return 2;
    printf("PAWL_TEST_SEED=%llu\n", (unsigned long long)seed);
    rc = public_plant(only == 1, seed);
    for (d = 0; !plant && d < 2; d++)
        if ((only < 0 || only == d) && public_try(d, seed, ops, false) != 0)
            rc = EXIT_FAILURE;
    return rc;
}
