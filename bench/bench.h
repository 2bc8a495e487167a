/* SPDX-License-Identifier: MIT */
/* bench.h - what all benchmark programs share: a clock, statistics, the line
 * about the machine, a directory on a real disk, races between two sides, and
 * plain SQLite as the usual queue library would use it.
 *
 * Include it first: it asks for the system's extensions.
 *
 * A race runs Pawl and its comparisons in turn, round by round, so that a
 * machine that is busy for a while is busy for all. Every round begins with
 * a new database file and ends with a check that no job was lost or doubled.
 *
 * These are programs for people: a failure prints a sentence and exits. Exit
 * status: 0 the results are right, 1 a result is wrong or the machine failed,
 * 2 the options make no sense. A figure that misses its aim changes nothing. */
#ifndef PAWL_BENCH_H
#define PAWL_BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "pawl.h"

#define BENCH_QUEUE "bench"
#define BENCH_TYPE "noop"
#define BENCH_PAYLOAD_BYTES 100
#define BENCH_METRICS_MAX 8
#define BENCH_ROUNDS_MAX 99
#define BENCH_PATH_MAX 1024

/* ----------------------------------------------------------------- options */

enum bench_sides { BENCH_ALL, BENCH_PAWL, BENCH_OTHERS };

struct bench {
    /* set by the program before bench_begin() */
    const char *name;  /* of the program */
    const char *what;  /* its question, one line */
    const char *extra; /* which of the options "t" and "D" it takes */
    long n;            /* jobs a round, unless -n says otherwise */
    int threads[16];   /* -t; ends with 0 */

    /* set by bench_begin() */
    int rounds;               /* -r */
    enum bench_sides sides;   /* -s */
    int durability;           /* -D; an enum pawl_durability */
    const char *json;         /* -j, or NULL */
    char dir[BENCH_PATH_MAX]; /* ours; removed at exit */
    char machine[512];
    int n_files;
};

/* Read the options, make the directory, print the machine. */
void bench_begin(struct bench *b, int argc, char **argv);

/* In the child after a fork: leave the directory to the parent. */
void bench_in_child(void);

/* A new name for a database in the directory. path has BENCH_PATH_MAX bytes;
 * n_files counts up, so that no round meets the file of another. */
void bench_new_path(struct bench *b, char *path);
/* Remove a folder and all in it. */
void bench_remove_tree(const char *path);
/* Remove a database and all files beside it. */
void bench_remove(const char *path);

/* ----------------------------------------------------- sentences and checks */

#if defined(__GNUC__)
#define BENCH_PRINTF(fmt_, args_) __attribute__((format(printf, fmt_, args_)))
#else
#define BENCH_PRINTF(fmt_, args_)
#endif

/* Print to standard error and exit with 1. */
_Noreturn void bench_die(const char *format, ...) BENCH_PRINTF(1, 2);
/* Exit unless a call to Pawl returned PAWL_OK. */
void bench_ok(int rc, const char *doing, const pawl_error *err);
/* Exit unless the two counts are equal. */
void bench_equal(const char *what, int64_t found, int64_t wanted);

/* -------------------------------------------------------------- statistics */

int64_t bench_now_ns(void);   /* CLOCK_MONOTONIC */
int64_t bench_wall_ms(void);  /* Unix time */
int64_t bench_cpu_us(void);   /* of this process so far, user and system */
void bench_pause_ms(long ms); /* sleep, to leave somebody idle */

/* A growing list of spans. {0} is empty. Not thread-safe. */
struct bench_spans {
    int64_t *ns;
    size_t n, room;
};

void bench_spans_add(struct bench_spans *s, int64_t ns);
void bench_spans_join(struct bench_spans *to, const struct bench_spans *from);
/* The span that a part (0..1) of all do not exceed, in microseconds. Sorts. */
double bench_spans_us(struct bench_spans *s, double part);
void bench_spans_clear(struct bench_spans *s);

/* ------------------------------------------------------------------- races */

struct bench_metric {
    const char *name; /* "jobs/s", "p99, us" */
    bool less_is_better;
    bool in_table; /* a row of its own in the table of `make bench` */
};

#define BENCH_SIDES_MAX 8

/* What takes part in a race. One round of it fills a value for each metric. */
struct bench_side {
    const char *name;
    void (*run)(struct bench *b, const struct bench_side *side, void *user,
                double *values);
    const void *how; /* run's own */
    double wanted;   /* how many times better Pawl shall be at the first
                        metric; 0: nothing is aimed at */
};

struct bench_race {
    char workload[80];
    struct bench_side sides[BENCH_SIDES_MAX]; /* the first is Pawl; ends with
                                                 a run of NULL */
    void *user;
    const struct bench_metric *metrics; /* ends with a name of NULL */
};

/* One side more; exits when there are too many. */
void bench_add_side(struct bench_race *race, struct bench_side side);

/* Run all rounds, print the result, append it to the JSON file. The ratio is
 * of the medians, and above 1 where Pawl is better. */
void bench_run(struct bench *b, const struct bench_race *race);

/* --------------------------------------------------------------------- Pawl */

/* 100 bytes that every payload here is. */
const void *bench_payload(void);
/* Open a store with the durability asked for. */
pawl_store *bench_open(struct bench *b, const char *path);
pawl_queue *bench_queue(pawl_store *store);
/* Make the file with n ready jobs in it, and close it again: n 0 makes the
 * tables only. Both sides begin with such a file. */
void bench_fill(struct bench *b, const char *path, long n);

/* ------------------------------------------------------------- plain SQLite */

/* A connection as usual libraries have it: WAL, a busy timeout, automatic
 * checkpoints. Triggers are off, as on Pawl's own connections: a table without
 * them is what the others have. synchronous: "FULL" or "NORMAL". */
sqlite3 *bench_sql_open(const char *path, const char *synchronous);
void bench_sql_close(sqlite3 *db);
sqlite3_stmt *bench_sql_prepare(sqlite3 *db, const char *sql);
void bench_sql_exec(sqlite3 *db, const char *sql);
/* Step a statement that gives no rows, and reset it. */
void bench_sql_run(sqlite3 *db, sqlite3_stmt *st);
/* The INSERT of one job into pawl_job, and one run of it. */
sqlite3_stmt *bench_sql_insert(sqlite3 *db);
void bench_sql_push(sqlite3 *db, sqlite3_stmt *insert);
/* Open the file, count the jobs in it that are not gone, check them against
 * wanted, check the claims against 0, and let SQLite check the file. Only
 * while no store is open on it in this process. */
void bench_sql_check(const char *path, int64_t wanted);

#endif
