/* SPDX-License-Identifier: MIT */
/* log.h - what processes did, written down outside of the store.
 *
 * A log lies in memory shared with child processes, and outlives those that
 * are killed. log_watch() puts itself between an opened store and its driver
 * and records each push (tried, and what it returned), claim and settle;
 * listeners record starts and ends themselves. check.h judges the whole.
 *
 * A job's payload is a struct log_payload: its number is what the log knows
 * it by, as ids come from the store that is under test. */
#ifndef PAWL_TESTS_TORTURE_LOG_H
#define PAWL_TESTS_TORTURE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pawl.h"

#define LOG_MAGIC 0x5061776c4a6f6221LL

struct log_payload {
    int64_t magic, number;
    int64_t ready_at_ms; /* not to be started before; 0: at once */
    int64_t priority;
};

enum log_kind {
    LOG_NOTHING, /* a record whose writer was killed while writing it */
    LOG_PUSH_TRY,
    LOG_PUSH_OK,
    LOG_PUSH_UNKNOWN,
    LOG_PUSH_NO, /* any other result */
    LOG_CLAIM_TRY,
    LOG_CLAIM,   /* one for each claimed job */
    LOG_CLAIMED, /* the claim call returned */
    LOG_START,
    LOG_END,
    LOG_SETTLE_TRY,
    LOG_SETTLE, /* what became of it: status, or the failed call's code */
    LOG_DYING   /* the process is about to be killed, or to kill itself */
};

struct log_record {
    _Atomic int kind; /* written last */
    int status;
    pid_t pid;
    int outcome;    /* SETTLE_TRY, SETTLE: enum pawl__outcome */
    int64_t number; /* the job's; CLAIM_TRY, CLAIMED: the call's */
    int64_t id, token;
    int64_t began_ns; /* before the call (CLOCK_MONOTONIC) */
    int64_t at_ns;    /* after it */
    int64_t wall_ms;  /* START: when; PUSH_TRY: not before */
    int64_t priority; /* PUSH_TRY, CLAIM; CLAIM: place in its call */
    int64_t call;     /* CLAIM: which call */
};

struct log {
    size_t room;
    _Atomic size_t n;
    _Atomic int64_t next_number; /* of the next job; from 1 */
    _Atomic int64_t next_call;
    _Atomic int64_t pushed, ended; /* jobs: for keeping the backlog short */
    struct log_record records[];
};

/* A log of that many records in shared memory; NULL: no memory. */
struct log *log_make(size_t room);
void log_free(struct log *log);
void log_reset(struct log *log);

/* The one log that all of the below write to, in this process and those it
 * forks. */
void log_use(struct log *log);

int64_t log_now_ns(void);
/* Add a record; its kind goes in last. */
void log_add(enum log_kind kind, const struct log_record *what);
/* This process, or pid, is killed now. */
void log_dying(pid_t pid);

/* Record what store does from now on; before any other call on it. */
void log_watch(pawl_store *store);

/* Fill a job to push: a fresh number; type and options are the caller's. The
 * payload is at *payload, which the job borrows. */
pawl_job log_job(struct log_payload *payload, const char *type);

/* To be called by a listener first and last. */
void log_start(const pawl_attempt *attempt, const pawl_job *job);
void log_end(const pawl_attempt *attempt, const pawl_job *job);

#endif
