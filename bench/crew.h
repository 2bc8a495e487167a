/* SPDX-License-Identifier: MIT */
/* crew.h - consumer threads for the sides that have none of their own. */
#ifndef PAWL_BENCH_CREW_H
#define PAWL_BENCH_CREW_H

#include "side.h"

struct crew;

/* How one thread takes jobs. */
struct crew_way {
    void *(*open)(struct store *store);
    void (*close)(void *taker);
    /* Take some jobs, call crew_work() for each, ack them or those of the time
     * before. How many were worked; 0 when there was none for idle_us. */
    long (*take)(void *taker, struct crew *crew);
    void (*settle)(void *taker); /* ack what is left; may be NULL */
    int64_t idle_us;             /* sleep when there is none */
};

/* In the listener's place. */
void crew_work(struct crew *crew, long number);

/* Start as many threads as the setup says. */
struct crew *crew_start(struct store *store, const struct crew_way *way,
                        work_fn work, void *user);
/* Let them work until total jobs are done, and end. When the last ack was. */
int64_t crew_finish(struct crew *crew, long total);

#endif
