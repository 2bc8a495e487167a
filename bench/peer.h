/* SPDX-License-Identifier: MIT */
/* peer.h - servers that a user might pick instead: Redis and beanstalkd, each
 * started by us on a free port of the loopback, with its data in the
 * benchmark's directory, and ended by us.
 *
 * The commands for Redis are those of core-queue, the Go package that Pawl
 * re-imagines: LPUSH; then for each job a look at the delayed ones, BRPOP and
 * ZADD to the reserved, and ZREM for the ack. In batches of 128 commands at a
 * time they are what Redis can do at its best. */
#ifndef PAWL_BENCH_PEER_H
#define PAWL_BENCH_PEER_H

#include "bench.h"

enum peer_kind { PEER_BEANSTALKD, PEER_REDIS };

/* How a server is run. */
struct peer_way {
    enum peer_kind kind;
    bool durable; /* beanstalkd -f0, appendfsync always; else a sync now and
                     then: -f1000, everysec */
    long batch;   /* jobs that a consumer takes at a time */
};

struct peer {
    const struct peer_way *way;
    pid_t pid;
    int port;
    char dir[BENCH_PATH_MAX];
};

/* Is its server installed? */
bool peer_is_there(const struct peer_way *way);
void peer_start(struct bench *b, const struct peer_way *way, struct peer *p);
void peer_stop(struct peer *p);

/* A connection; each thread has its own. */
struct wire {
    const struct peer *peer;
    int fd;
    size_t at, n; /* of in: read up to, filled up to */
    size_t n_out; /* of out: to be sent */
    char in[65536];
    char out[65536];
};

struct wire *wire_open(const struct peer *p);
void wire_close(struct wire *w);

/* One payload of the benchmark, stored when it returns. */
void peer_push(struct wire *w);
/* n of them, sent together. */
void peer_push_many(struct wire *w, long n);
/* Take, and ack, up to way->batch jobs: how many; 0 when there are none. */
long peer_consume(struct wire *w);
/* How many jobs wait. */
long peer_waiting(struct wire *w);

#endif
