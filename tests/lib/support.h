/* SPDX-License-Identifier: MIT */
/* support.h - what the tests share: a fake clock, a folder that goes away,
 * waiting for an event with a deadline that only a broken test meets. */
#ifndef PAWL_TESTS_SUPPORT_H
#define PAWL_TESTS_SUPPORT_H

#include <check.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "pawl.h"

#define SUPPORT_DEADLINE_MS 30000
#define SUPPORT_EPOCH 1800000000000LL /* where the fake clock starts */

/* Fail with the library's own sentence. */
#define ok(call_) support_ok((call_), &err, #call_, __FILE__, __LINE__)
#define fails(code_, call_) \
    support_fails((code_), (call_), &err, #call_, __FILE__, __LINE__)

void support_ok(int rc, const pawl_error *err, const char *call,
                const char *file, int line);
void support_fails(int code, int rc, const pawl_error *err, const char *call,
                   const char *file, int line);

/* A clock that stands still until it is moved. */
struct support_clock {
    _Atomic int64_t wall, monotonic;
    pawl_clock clock;
};

void support_clock_init(struct support_clock *c);
/* Time passes: both clocks go on. */
void support_clock_pass(struct support_clock *c, int64_t ms);
/* The wall clock is set; no time passes. */
void support_clock_jump(struct support_clock *c, int64_t ms);

/* A new folder, and a path in it; removed by support_folder_remove(). */
struct support_folder {
    char path[256];
    char store[300]; /* path/jobs.db */
};

void support_folder_make(struct support_folder *f);
void support_folder_remove(struct support_folder *f);

/* Wait until *counter is at least n, or fail the test. */
void support_wait(_Atomic long *counter, long n);
/* Real milliseconds. */
int64_t support_now_ms(void);
/* 1, or less with PAWL_TEST_QUICK=1 in the environment: fewer rounds. */
int support_rounds(int rounds);
/* PAWL_TEST_SEED, or a new one: print it. */
uint64_t support_seed(void);

/* Run sql on the file by a connection of our own; fails the test on errors. */
void support_sql(const char *path, const char *sql);
/* The first column of the first row, -1 where there is none. */
int64_t support_sql_int(const char *path, const char *sql);

/* _exit(), after telling gcov in a build that measures coverage. */
void support_exit(int status) __attribute__((noreturn));
/* The same before a death. */
void support_flush_coverage(void);

/* Run a suite's case and say how it went: what main() returns. */
int support_main(const char *name, void (*add)(Suite *));

#endif
