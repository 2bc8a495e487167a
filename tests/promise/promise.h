/* SPDX-License-Identifier: MIT */
/* promise.h - what the tests of the promises share. */
#ifndef PAWL_TESTS_PROMISE_H
#define PAWL_TESTS_PROMISE_H

#include "lib/support.h"

struct promise {
    struct support_folder folder;
    struct support_clock clock;
    pawl_options options;
    pawl_store *store;
    pawl_queue *queue; /* "q" */
    const char *url;
    pawl_error err;
};

/* A store on a new file; fake: with the fake clock. */
void promise_open(struct promise *p, bool fake);
void promise_reopen(struct promise *p);
void promise_close(struct promise *p);
/* Push one job of type "t" with this payload; its id. */
int64_t promise_push(struct promise *p, const char *payload);
/* The job as it is, or NULL. The caller frees it. */
pawl_job_info *promise_get(struct promise *p, int64_t id);
int promise_state(struct promise *p, int64_t id);
pawl_info promise_info(struct promise *p);

/* Run body in a child process that opens the store itself. */
pid_t promise_fork(struct promise *p, void (*body)(struct promise *));
/* Kill it with SIGKILL and reap it. */
void promise_kill(pid_t pid);
/* Reap it; its wait status. */
int promise_reap(pid_t pid);
/* Memory that children share: n zeroed counters. */
_Atomic long *promise_shared(size_t n);

#endif
