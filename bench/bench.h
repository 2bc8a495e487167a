/* SPDX-License-Identifier: MIT */
/* bench.h - what all parts of the benchmark share: the options, a clock,
 * sentences, payloads, the line about the machine, and a folder on a real disk.
 *
 * Include it first: it asks for the system's extensions.
 *
 * This is a program for people: a failure prints a sentence and exits. Exit
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

#include "pawl.h"

#define BENCH_QUEUE "bench"
#define BENCH_TYPE "noop"
#define BENCH_PAYLOAD_MAX 65536
#define BENCH_PATH_MAX 1024
#define BENCH_ROUNDS_MAX 99

/* ----------------------------------------------------------------- options */

struct bench {
    int rounds;       /* of each race; 0: what the workload finds enough */
    double seconds;   /* of a timed side in a round; 0: likewise */
    long jobs;        /* of a counted side in a round; 0: likewise */
    size_t payload;   /* bytes; 0: 100, and 1024 where that says more */
    bool quick;       /* small and few: does it run, and roughly how fast */
    bool longer;      /* the largest sizes and a minute of full load */
    const char *only; /* run the sides whose names begin so; NULL: all */
    const char *json; /* append results there; NULL: nowhere */

    char dir[BENCH_PATH_MAX]; /* ours; removed at exit */
    char machine[512];
    int n_files;
};

/* What a workload takes: the first that was asked for, by option or --quick. */
int bench_rounds(const struct bench *b, int normal);
double bench_seconds(const struct bench *b, double normal);
long bench_jobs(const struct bench *b, long normal, long quick);

/* Make the folder in dir, and know the machine. */
void bench_begin(struct bench *b, const char *dir);
void bench_print_machine(const struct bench *b);

/* In the child after a fork: leave the folder to the parent, and end with it.
 */
void bench_in_child(void);

/* A new name in the folder. path has BENCH_PATH_MAX bytes; n_files counts up,
 * so that no round meets the file of another. */
void bench_new_path(struct bench *b, char *path);
/* Remove a folder and all in it. */
void bench_remove_tree(const char *path);
/* Remove a database and all files beside it. */
void bench_remove(const char *path);
/* Copy a file, and make the copy durable. */
void bench_copy(const char *from, const char *to);

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
/* Zeroed memory, or exit. */
void *bench_alloc(size_t n, size_t bytes);
void bench_thread(pthread_t *thread, void *(*run)(void *), void *arg);

/* ------------------------------------------------------- clock and machine */

int64_t bench_now_ns(void);      /* CLOCK_MONOTONIC, one for all processes */
int64_t bench_wall_ms(void);     /* Unix time */
int64_t bench_cpu_ns(void);      /* of this process so far */
void bench_pause_us(int64_t us); /* sleep, to leave somebody idle */
/* Bytes of memory that a process has for itself: not its files' pages. */
int64_t bench_memory(pid_t pid);
/* Bytes of a file; 0: there is none. */
int64_t bench_file_bytes(const char *path);

/* ---------------------------------------------------------------- payloads */

/* A payload that begins with its number in 16 digits, as serialized jobs have
 * an id in them. */
void bench_payload(char *payload, size_t bytes, long number);
/* The number, after a look at the size. */
long bench_payload_number(const void *payload, size_t bytes, size_t wanted);

#endif
