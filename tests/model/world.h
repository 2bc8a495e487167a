/* SPDX-License-Identifier: MIT */
/* world.h - a store with several connections on a fake clock, beside its
 * model: each operation is done on both, and what differs is noted.
 *
 * An operation is a value: a kind and a seed, from which its details are drawn.
 * The job that it is about is chosen from what there is when it is done for
 * the first time, and noted by its label, which says which push made it. So
 * any part of a list of operations can be run by itself, and each operation
 * that is left still does the same. */
#ifndef PAWL_TESTS_WORLD_H
#define PAWL_TESTS_WORLD_H

#include <sqlite3.h>

#include "engine/attempt.h"
#include "engine/store.h"
#include "lib/support.h"
#include "model/model.h"

#define WORLD_CONNS 6
#define WORLD_HELD 48
#define WORLD_RUNNING 8

enum world_kind {
    WORLD_PUSH,
    WORLD_PUSH_MANY,
    WORLD_PUSH_ASYNC,
    WORLD_PUSH_BAD,
    WORLD_SQL_PUSH, /* in a transaction of the program's own */
    WORLD_SQL_CHANGE,
    WORLD_CLAIM,
    WORLD_FINISH,
    WORLD_EXTEND,
    WORLD_CHECK,
    WORLD_CANCEL,
    WORLD_RETRY,
    WORLD_RELOAD,
    WORLD_FLUSH,
    WORLD_SET,
    WORLD_SWEEP,
    WORLD_DIE,
    WORLD_REOPEN,
    WORLD_REOPEN_ALL,
    WORLD_CHECKPOINT,
    WORLD_PASS,
    WORLD_JUMP,
    WORLD_N_KINDS
};

struct world_op {
    enum world_kind kind;
    uint32_t seed;
    unsigned skip;   /* bit i: leave out the i-th job of a batch */
    uint64_t target; /* a job's label; 0: not chosen yet */
};

struct world_conn {
    pawl_store *store;
    pawl_queue *queue[MODEL_QUEUES];
    int64_t worker;
    int64_t running[WORLD_RUNNING]; /* as noted in the store */
};

/* An attempt under way, or one that has ended and is kept to end it again. */
struct world_held {
    struct pawl__record *record;
    uint64_t label; /* of its job */
    pawl_attempt attempt;
    int conn; /* who claimed it */
    bool settled;
    int64_t deadline; /* the model's */
};

struct world {
    int driver; /* 0: memory:, 1: a SQLite file */
    bool trace; /* say what is done */
    int n_conns;
    struct world_conn conn[WORLD_CONNS];
    struct world_held *held[WORLD_HELD];
    int n_held;
    int64_t dead[64]; /* workers that nobody rescued yet */
    int n_dead;
    struct support_folder folder;
    struct support_clock clock;
    struct pawl__clock library_clock;
    struct pawl__rng rng; /* of the backoff */
    struct world_op *op;  /* under way */
    uint64_t draw;        /* its random numbers */
    int n_labels;         /* jobs that it made so far */
    sqlite3 *sql;         /* the program's own connection */
    struct model m;
    bool failed;
    char what[64]; /* which comparison failed */
    char why[400];
};

void world_open(struct world *w, int driver, bool planted);
void world_close(struct world *w);
/* Do one operation; false when library and model differ. */
bool world_do(struct world *w, struct world_op *op);
/* Compare all jobs and counts. */
bool world_compare(struct world *w);
const char *world_kind_name(enum world_kind kind);

#endif
