/* SPDX-License-Identifier: MIT */
/* commit.h - leader/follower group commit on the one write connection. */
#ifndef PAWL_SQLITE_COMMIT_H
#define PAWL_SQLITE_COMMIT_H

#include "sqlite/store.h"

/* One operation inside a transaction that may hold others. The kinds of
 * operation embed it as their first member. */
struct pawl__op {
    /* Do it on s->w. On failure fill op->err; what it did is then undone. It
     * may be run again: it sets its outputs anew each time. */
    int (*apply)(struct pawl__sqlite *s, struct pawl__op *op);
    bool durable;   /* syncs where the store's durability says so */
    bool plain;     /* a failure leaves nothing that must be undone */
    bool drains;    /* gets the reserve of a full disk (promise 12): it, or what
                       follows from it, empties the store */
    bool quiet;     /* makes no job ready: nobody need be told; may be unset
                       by apply */
    int rc;         /* OUT */
    pawl_error err; /* OUT, when rc != PAWL_OK */
    /* Asynchronous operations only: called after the commit, without locks;
     * frees the operation. */
    void (*done)(struct pawl__sqlite *s, struct pawl__op *op);
    struct pawl__op *next;
};

int pawl__commit_init(struct pawl__commit *commit);
void pawl__commit_clear(struct pawl__commit *commit);

/* Run op in the next transaction and wait for its commit. Returns op->rc. */
int pawl__commit_run(struct pawl__sqlite *s, struct pawl__op *op);
/* Run two in one transaction, one after the other. */
void pawl__commit_run_two(struct pawl__sqlite *s, struct pawl__op *op,
                          struct pawl__op *second);

/* Hand in op, not waiting. Leads a commit itself when many have gathered. */
void pawl__commit_start(struct pawl__sqlite *s, struct pawl__op *op);

/* Commit all that was started; return when their done calls have. */
int pawl__commit_sync(struct pawl__sqlite *s, pawl_error *err);
bool pawl__commit_pending(struct pawl__sqlite *s);

#endif
