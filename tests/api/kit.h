/* SPDX-License-Identifier: MIT */
/* kit.h - what the tests of the public header share: a store on either driver
 * with a clock that stands still, listeners that keep a record of what they
 * saw or wait at a gate, and a watch on standard output and error. */
#ifndef PAWL_TESTS_KIT_H
#define PAWL_TESTS_KIT_H

#include <pthread.h>

#include "lib/support.h"

#define KIT_DRIVERS 2 /* 0: memory:, 1: a SQLite file */
#define KIT_SQLITE 1
#define KIT_HOUR 3600000LL

struct kit {
    struct support_folder folder;
    struct support_clock clock;
    pawl_options options; /* the fake clock; change before kit_open() */
    const char *url;
    pawl_store *store;
    pawl_queue *queue; /* "mail" */
};

/* A folder, a clock and a URL; nothing is opened yet. */
void kit_begin(struct kit *k, int driver);
void kit_open(struct kit *k);
/* kit_begin() and kit_open() with default options. */
void kit_setup(struct kit *k, int driver);
/* Close and open again; SQLite only, a memory: store would be empty. */
void kit_reopen(struct kit *k);
void kit_end(struct kit *k);
/* Time passes on the fake clock, and the store looks at it. */
void kit_pass(struct kit *k, int64_t ms);

/* A case of the suite with time for slow machines. */
TCase *kit_case(Suite *suite, const char *name);
/* Run each test of an array once for each driver, as _i. */
#define KIT_BOTH(case_, tests_) \
    kit_add_both((case_), (tests_), sizeof(tests_) / sizeof((tests_)[0]))
void kit_add_both(TCase *tc, const TTest *const *tests, size_t n);

pawl_queue *kit_queue(pawl_store *store, const char *name);
/* Push text; fails the test when that fails. */
int64_t kit_push(pawl_queue *queue, const char *type, const char *text);
int64_t kit_push_job(pawl_queue *queue, const pawl_job *job);
pawl_info kit_info(pawl_queue *queue);
/* All jobs of the queue, in any state. */
int64_t kit_total(pawl_queue *queue);
/* An enum pawl_state, or 0 where the job is gone. */
int kit_state(pawl_store *store, int64_t id);
/* Wait until the job is in the state (0: gone), or fail the test. */
void kit_wait_state(pawl_store *store, int64_t id, int state);
void kit_drain(pawl_store *store);

/* Names that no queue, type or key may have; NULL ends the list. */
extern const char *const kit_bad_names[];
/* A name of n bytes; static, overwritten by the next call. */
const char *kit_name(size_t n);

/* ------------------------------------------------------------- listeners */

#define KIT_TAPE_MAX 4096

struct kit_note {
    int64_t id;
    int attempt;
    char type[32];
    char text[64];
};

/* What a listener saw, in order. */
struct kit_tape {
    pthread_mutex_t mu;
    _Atomic long n;
    _Atomic int result; /* what the listener returns */
    struct kit_note at[KIT_TAPE_MAX];
};

void kit_tape_init(struct kit_tape *tape);
/* user is a struct kit_tape. */
int kit_tape_listener(pawl_attempt *attempt, const pawl_job *job, void *user);

/* Listeners enter and stay until the gate is opened. */
struct kit_gate {
    pthread_mutex_t mu;
    pthread_cond_t opened;
    bool is_open;
    _Atomic long n_in, n_out;
};

void kit_gate_init(struct kit_gate *gate);
void kit_gate_open(struct kit_gate *gate);
/* user is a struct kit_gate. */
int kit_gate_listener(pawl_attempt *attempt, const pawl_job *job, void *user);
/* Only for registering: returns 0. */
int kit_no_listener(pawl_attempt *attempt, const pawl_job *job, void *user);

/* ----------------------------------------------------------------- watch */

/* What is written to descriptors 1 and 2 in between. */
struct kit_silence {
    int saved[2];
    int file;
};

void kit_silence_begin(struct kit_silence *silence);
/* Fails the test when anything was written. */
void kit_silence_end(struct kit_silence *silence);

#endif
