/* SPDX-License-Identifier: MIT */
/* model.h - a store of jobs as anybody would write it who need not store
 * anything: one array of jobs in order of id, looked through from end to end.
 *
 * It says what pawl.h, driver.h and doc/design.md say, and shares no code with
 * the library. A call returns what the library should; no call ever fails for
 * another reason than the rules. Time is given by now, held as the library
 * holds it: 0 to the year 2200. */
#ifndef PAWL_TESTS_MODEL_H
#define PAWL_TESTS_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "pawl.h"

#define MODEL_JOBS 512 /* the caller pushes no more */
#define MODEL_QUEUES 2
#define MODEL_NEVER INT64_MAX
#define MODEL_AT_MAX 7258118400000LL
#define MODEL_DAY 86400000LL

struct model_queue {
    bool paused;
    int64_t retention_s;
    int max_attempts, max_abandons;
    int64_t timeout;
};

/* What a push says. 0 is the default, as in pawl_job. */
struct model_new {
    uint64_t label; /* the test's name for it, whatever its id will be */
    int queue, type, priority;
    int64_t delay, ready_at;
    int key; /* -1: none */
    int64_t unique_ms;
    int max_attempts;
    int64_t timeout, floor, ceiling;
    int factor, jitter;
};

struct model_job {
    int64_t id;
    struct model_new as; /* as pushed */
    int state;           /* PAWL_RESERVED while claimed */
    int64_t ready, pushed, finished;
    bool ended; /* finished holds: it may be 0 */
    int attempts, abandons;
    bool holds;    /* its unique key */
    int64_t until; /* of the key */
    bool gone;     /* nobody sees it, but it holds its key yet */
    int64_t worker, token;
    bool was_running; /* when its worker died */
};

struct model {
    struct model_job job[MODEL_JOBS]; /* by rising id */
    int n;
    int64_t last_id;
    struct model_queue queue[MODEL_QUEUES];
    int64_t now;
    bool planted; /* one rule is wrong: the test of the test */
};

/* How an attempt ends; the text is not the model's concern. */
enum model_end {
    MODEL_ACK,
    MODEL_RETRY,
    MODEL_FAIL,
    MODEL_TIMEOUT,
    MODEL_SNOOZE,
    MODEL_RELEASE
};

struct model_rescued {
    int64_t job;
    bool was_running, failed;
};

void model_init(struct model *m);
/* The job, or NULL when there is none that can be seen. */
struct model_job *model_find(struct model *m, int64_t id);
/* How many can be seen. */
int model_count(const struct model *m);

/* Push n jobs, all or none. PAWL_OK: ids[] are theirs. PAWL_EXISTS: ids[0] is
 * the holder, or 0 where that is a job of the same batch. */
int model_push(struct model *m, const struct model_new *jobs, int n,
               int64_t *ids);
/* The wall time at which a push of these would be ready. */
int64_t model_ready(const struct model *m, const struct model_new *job);

/* Delayed jobs that are due become waiting: how many. *others: one was not of
 * this queue. */
int model_promote(struct model *m, int queue, bool *others);
/* When the next delayed job is due. */
int64_t model_next_due(const struct model *m);
/* The next job in turn, types a mask; NULL: none. */
struct model_job *model_next(struct model *m, int queue, unsigned types);
void model_claim(struct model_job *j, int64_t worker, int64_t token);
/* PAWL_OK, or PAWL_STALE when the token is not the job's. */
int model_settle(struct model *m, int64_t id, int64_t token, enum model_end end,
                 int64_t ready);

int model_retry(struct model *m, int64_t id);
int model_cancel(struct model *m, int64_t id);
int model_reload(struct model *m, int queue, unsigned states); /* -1: all */
int model_flush(struct model *m, int queue, unsigned states);

/* A worker dies; was_running is set by the caller where it ran the job. Then
 * its claims are given back: the model of the first half of a sweep. */
int model_rescue(struct model *m, int64_t worker, struct model_rescued *out);
/* History that is over goes: the last part of a sweep. */
void model_prune(struct model *m);

/* What plain SQL may do to a row. */
void model_remove(struct model *m, struct model_job *j);
/* Who holds the key, also past its time; NULL: nobody. */
struct model_job *model_key_row(struct model *m, int queue, int key);

/* The wait after failed attempt number n (1..) without jitter. */
int64_t model_backoff(int64_t floor, int64_t ceiling, int factor, int n);

#endif
