/* SPDX-License-Identifier: MIT */
/* side.h - one side of a comparison: Pawl, a limit, or what a user might pick
 * instead. All are used through one table of functions, so that a workload
 * runs the same loop over each.
 *
 * A store lives for one round. side->create() makes the file, or starts the
 * server; connections come with pushers and consumers, so that a child after a
 * fork can have its own. */
#ifndef PAWL_BENCH_SIDE_H
#define PAWL_BENCH_SIDE_H

#include "bench.h"

/* What is asked of a side in a race. */
struct setup {
    int durability;    /* an enum pawl_durability */
    bool durable_acks; /* acks survive power loss, too */
    size_t payload;    /* bytes of each */
    long filled;       /* jobs that wait at the start, numbered from 0 */
    int consumers;     /* threads that take jobs */
    int processes;     /* each with so many consumers; 0: this one only */
    long in_flight;    /* pushes that are told, not waited for; 0: none */
};

/* This push is durable. From any thread. */
typedef void (*told_fn)(void *user, long number);
/* The listener of a job. From any thread. */
typedef void (*work_fn)(void *user, long number);

struct side;

/* The beginning of each side's own store, and of its pushers. */
struct store {
    struct bench *bench;
    const struct side *side;
    const struct setup *setup;
    char path[BENCH_PATH_MAX]; /* a file, or a server's folder */
};

struct pusher {
    struct store *store;
    told_fn told;
    void *user;
};

struct side {
    const void *how;   /* the side's own */
    const char *needs; /* a program that must be installed, or NULL */

    struct store *(*create)(const struct setup *setup, struct bench *b,
                            const struct side *side);
    /* Check that so many jobs wait and nothing is claimed; remove all. */
    void (*destroy)(struct store *store, long left);

    /* One for each thread; but opened and closed by one thread. */
    struct pusher *(*pusher_open)(struct store *store);
    void (*pusher_close)(struct pusher *pusher);
    /* A job of that number; told() may come after it returns, where
     * setup->in_flight says so. */
    void (*push)(struct pusher *pusher, long number);
    /* n of them from the first number on, all or none; told() once. NULL:
     * cannot. */
    void (*push_many)(struct pusher *pusher, long first, long n);
    /* Wait until all is told. */
    void (*flush)(struct pusher *pusher);

    /* Start the consumers. */
    void (*work)(struct store *store, work_fn work, void *user);
    /* Wait until as many jobs as total were worked and acked here, then stop.
     * Pawl knows itself when all is done. Returns when the last ack was. */
    int64_t (*finish)(struct store *store, long total);
};

extern const struct side side_pawl;
/* Hand-written SQLite at its best; thread: as queue libraries use it, a
 * connection for each thread and a statement for each step of a job. */
extern const struct side side_raw, side_raw_bare, side_thread;
extern const struct side side_redis_always, side_redis_everysec;
extern const struct side side_redis_always_128, side_redis_everysec_128;
extern const struct side side_beanstalkd, side_beanstalkd_64;
extern const struct side side_beanstalkd_relaxed;

/* The folder of a program, or NULL where it is not installed. */
const char *side_program(const char *name);

/* The conveniences that workloads use. */
struct pusher *side_pusher(struct store *store, told_fn told, void *user);
void *side_base(const struct setup *setup, struct bench *b,
                const struct side *side, size_t bytes);

#endif
