/* SPDX-License-Identifier: MIT */
/* main.c - the benchmark: which workloads, and how much of each. */
#include "work.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct workload {
    const char *id, *name, *what;
    void (*run)(struct bench *b);
} workloads[] = {
    {"W0", "limits", "what the disk and SQLite allow", work_limits},
    {"W1", "push", "durable pushes, one at a time, by several threads",
     work_push},
    {"W2", "relaxed", "the same without a sync for each", work_relaxed},
    {"W3", "many", "pushes in batches, and in flight", work_many},
    {"W4", "drain",
     "a backlog of jobs that do nothing, by threads and "
     "processes",
     work_drain},
    {"W5", "mix", "producers and consumers at 10 %, 50 % and full load",
     work_mix},
    {"W6", "wake", "waking an idle consumer, and what its waiting costs",
     work_wake},
    {"W7", "backlog", "push, claim and settle in front of many rows",
     work_backlog},
    {"W8", "room", "memory and file size of a million jobs", work_room},
    {"W9", "checkpoint", "the longest push under full load", work_checkpoint},
    {"W10", "open", "opening a large store", work_open},
};

#define N_WORKLOADS (sizeof workloads / sizeof workloads[0])

_Noreturn static void
usage(int status)
{
    FILE *to = status == 0 ? stdout : stderr;
    size_t i;

    (void)fprintf(
        to,
        "usage: bench [options] [WORKLOAD...]      default: all of them\n"
        "  -d, --directory DIR  where the databases are made (.)\n"
        "  -q, --quick          small sizes, few rounds: only a look\n"
        "  -l, --long           up to 10 million jobs, a minute of full load\n"
        "  -r, --rounds N       rounds of each side\n"
        "  -s, --seconds N      of a side that is measured by time, a round\n"
        "  -n, --jobs N         of a side that is measured by count, a round\n"
        "  -p, --payload N      bytes (100, and 1024 where that says more)\n"
        "  -o, --only NAME      the sides whose names begin so\n"
        "  -j, --json FILE      append the results, an object a line\n"
        "workloads, by either name:\n");
    for (i = 0; i < N_WORKLOADS; i++)
        (void)fprintf(to, "  %-4s %-11s %s\n", workloads[i].id,
                      workloads[i].name, workloads[i].what);
    exit(status);
}

/* A number in lo..hi, or the end of the program. */
static double
number(const char *text, double lo, double hi)
{
    char *end;
    double n;

    errno = 0;
    n = strtod(text, &end);
    if (errno != 0 || end == text || *end != '\0' || !(n >= lo && n <= hi)) {
        (void)fprintf(stderr, "bench: %s is no number from %g to %g\n", text,
                      lo, hi);
        usage(2);
    }
    return n;
}

static const char *
options(struct bench *b, int argc, char **argv)
{
    static const struct option longs[] = {
        {"directory", required_argument, NULL, 'd'},
        {"quick", no_argument, NULL, 'q'},
        {"long", no_argument, NULL, 'l'},
        {"rounds", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'},
        {"jobs", required_argument, NULL, 'n'},
        {"payload", required_argument, NULL, 'p'},
        {"only", required_argument, NULL, 'o'},
        {"json", required_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    const char *dir = ".";
    int c;

    while ((c = getopt_long(argc, argv, "d:qlr:s:n:p:o:j:h", longs, NULL)) !=
           -1)
        switch (c) {
        case 'd':
            dir = optarg;
            break;
        case 'q':
            b->quick = true;
            break;
        case 'l':
            b->longer = true;
            break;
        case 'r':
            b->rounds = (int)number(optarg, 1, BENCH_ROUNDS_MAX);
            break;
        case 's':
            b->seconds = number(optarg, 0.01, 3600);
            break;
        case 'n':
            b->jobs = (long)number(optarg, 100, 1e8);
            break;
        case 'p':
            b->payload = (size_t)number(optarg, 16, BENCH_PAYLOAD_MAX);
            break;
        case 'o':
            b->only = optarg;
            break;
        case 'j':
            b->json = optarg;
            break;
        default:
            usage(c == 'h' ? 0 : 2);
        }
    return dir;
}

static const struct workload *
find(const char *name)
{
    size_t i;

    for (i = 0; i < N_WORKLOADS; i++)
        if (strcasecmp(name, workloads[i].id) == 0 ||
            strcmp(name, workloads[i].name) == 0)
            return &workloads[i];
    (void)fprintf(stderr, "bench: there is no workload %s\n", name);
    usage(2);
}

static void
run(struct bench *b, const struct workload *w)
{
    printf("\n--- %s: %s\n", w->id, w->what);
    w->run(b);
}

int
main(int argc, char **argv)
{
    struct bench b = {0};
    const char *dir = options(&b, argc, argv);
    size_t i;
    int k;

    for (k = optind; k < argc; k++)
        (void)find(argv[k]);
    bench_begin(&b, dir);
    bench_print_machine(&b);
    for (k = optind; k < argc; k++)
        run(&b, find(argv[k]));
    if (optind == argc)
        for (i = 0; i < N_WORKLOADS; i++)
            run(&b, &workloads[i]);
    return 0;
}
