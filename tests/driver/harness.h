/* SPDX-License-Identifier: MIT */
/* harness.h - a store of any driver, opened on a fake clock, and short words
 * for what tests do with it. */
#ifndef PAWL_TESTS_HARNESS_H
#define PAWL_TESTS_HARNESS_H

#include "driver/driver.h"
#include "lib/support.h"

#define HARNESS_N_DRIVERS 2
extern const struct pawl__driver *const harness_drivers[HARNESS_N_DRIVERS];

struct harness {
    const struct pawl__driver *driver;
    void *self;
    int64_t worker; /* 0 until harness_work() */
    struct support_clock clock;
    struct pawl__clock library_clock;
    struct pawl__log log;
    pawl_options options;
    struct pawl__env env;
    struct support_folder folder;
    const char *location;
    pawl_error err;
};

void harness_open(struct harness *h, int driver);
void harness_reopen(struct harness *h); /* sqlite: the same file */
void harness_close(struct harness *h);
void harness_work(struct harness *h); /* register a worker */

/* A job of type "t" that is ready now, payload "p". */
struct pawl__new_job harness_job(struct harness *h);
int64_t harness_push(struct harness *h, const char *queue,
                     const struct pawl__new_job *job);
/* n plain jobs of a type; the first id. */
int64_t harness_push_n(struct harness *h, const char *queue, const char *type,
                       int n);

/* Claim up to want (of type, NULL: all); how many. The records are the
 * caller's. */
size_t harness_claim(struct harness *h, const char *queue, const char *type,
                     size_t want, struct pawl__record **records);
/* Claim exactly one; fails the test when there is none. */
struct pawl__record *harness_claim_one(struct harness *h, const char *queue);
/* The ids of a claim, as "3 1 2". */
const char *harness_claim_ids(struct harness *h, const char *queue,
                              const char *type, size_t want);
/* Settle one attempt: its status. */
int harness_settle(struct harness *h, const struct pawl__record *record,
                   enum pawl__outcome outcome, int64_t ready_at_ms,
                   const char *text);
/* The job's state, 0 when there is none. */
int harness_state(struct harness *h, int64_t id);
pawl_info harness_info(struct harness *h, const char *queue);
/* Is there work of the type (NULL: of any) in the queue? */
bool harness_busy(struct harness *h, const char *queue, const char *type);
void harness_set(struct harness *h, const char *queue, const char *name,
                 const char *value);

#endif
