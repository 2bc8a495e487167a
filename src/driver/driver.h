/* SPDX-License-Identifier: MIT */
/* driver.h - the table where the engine and the stores of jobs meet.
 *
 * A driver stores jobs. It never calls up, with one exception: the callback of
 * an asynchronous push. All policy is the engine's (which outcome, when the
 * retry comes); all atomicity is the driver's: each call below is one
 * transaction, seen whole or not at all, by every process on the store.
 *
 * Every function may be called from any thread at once, except open and close,
 * and must not call back while it holds a lock. Functions return a pawl_status
 * and fill err; on failure outputs are empty and nothing changed, except after
 * PAWL_UNKNOWN. Time: wall_ms of the store's clock, where the env gives it.
 *
 * What jobs do, for all drivers alike:
 *  - ids rise from 1 in order of push and are never used again.
 *  - A job is waiting when its ready_at was not after pushed_at at the push,
 *    or once a claim or sweep found ready_at <= now. Claims never look at
 *    ready_at of a waiting job again: a clock that steps back holds up none.
 *  - Claim order in a queue: priority falling, ready_at rising, id rising.
 *  - A claim draws a fresh random token; only it settles. The settle of any
 *    other token has status PAWL_STALE and changes nothing else of the job.
 *  - A unique key is held by a job that is waiting, delayed or reserved, and
 *    by a finished one (any other state, also one that is not kept for
 *    history) until unique_until_at_ms. */
#ifndef PAWL_DRIVER_DRIVER_H
#define PAWL_DRIVER_DRIVER_H

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "model/job.h"
#include "model/options.h"

/* What a driver gets at open; outlives the store. */
struct pawl__env {
    const pawl_options *options; /* checked, defaults filled in */
    const struct pawl__clock *clock;
    const struct pawl__log *log; /* never with a lock held */
};

/* The end of one attempt. */
struct pawl__settle {
    int64_t job;
    int64_t token;
    enum pawl__outcome outcome;
    int64_t ready_at_ms; /* RETRY, SNOOZE */
    const char *text;    /* ACK: result; RETRY, FAIL, TIMEOUT: reason; or
                            NULL. SNOOZE, RELEASE: unused */
    int status;          /* OUT: PAWL_OK or PAWL_STALE */
};

/* New jobs of one queue, to be stored all or none. */
struct pawl__push {
    const char *queue;
    const struct pawl__new_job *jobs;
    size_t n;
    int64_t *ids;     /* OUT: room for n, or NULL; on EXISTS ids[0] is the
                         holder */
    size_t failed_at; /* OUT, when rc is not PAWL_OK: the job's index */
    int rc;           /* OUT */
    pawl_error err;   /* OUT, when rc is not PAWL_OK */
};

/* One turn of a consumer: settle what its pool has finished and claim what it
 * needs next, in one transaction. Settles come first. */
struct pawl__exchange {
    const char *queue;
    int64_t worker;               /* from worker_start; 0 when want is 0 */
    struct pawl__settle *settles; /* may be of any queue */
    size_t n_settles;
    /* Stored before all else, in the same transaction and as durable as any
     * push, so that what is pushed can be claimed at once; or NULL. Neither
     * this nor the rest is undone when the other fails. */
    struct pawl__push *push;
    const char *const *types; /* claim only these; n_types 0: all types */
    size_t n_types;
    size_t want;                  /* claim at most so many; 0: none. Nothing
                                     is claimed of a paused queue */
    struct pawl__record **claims; /* room for want; the caller's to free */
    size_t n_claims;              /* OUT */
    int64_t next_at_ms;     /* OUT, when want > 0: when the next delayed job
                               of any queue is due, or PAWL__NEVER */
    bool promoted_others;   /* OUT: jobs of other queues became waiting */
    pawl_settings settings; /* OUT, when want > 0: the queue's, in force */
};

/* A push that is told, not waited for. The driver copies what it needs before
 * push_start returns. done is called once, on any thread, without locks. */
struct pawl__async {
    const char *queue;
    const struct pawl__new_job *job;
    void (*done)(void *user, int code, int64_t id, const pawl_error *err);
    void *user;
};

/* What a dead worker left behind, job by job. */
struct pawl__rescued {
    int64_t job;
    bool was_running; /* counted as an abandon */
    bool failed;      /* that was the last one: it is failed now */
    char queue[65];
};

struct pawl__sweep {
    struct pawl__rescued *rescued; /* OUT: one block, the caller's to free */
    size_t n_rescued;
    int64_t n_promoted; /* OUT: delayed jobs that became waiting */
    int64_t next_at_ms; /* OUT: as in pawl__exchange */
};

/* A queue's name: 64 bytes by pawl.h, but 64 characters by plain SQL. */
#define PAWL__QUEUE_BYTES (64 * 4 + 1)

enum pawl__move_kind { PAWL__MOVE_RELOAD, PAWL__MOVE_FLUSH };

/* One bounded step of a reload or flush. Jobs go by queue, state and the time
 * of their end: of two with one key the first gets it. */
struct pawl__move {
    enum pawl__move_kind kind;
    const char *queue; /* NULL: all */
    unsigned states;   /* flush: never RESERVED; a waiting job that is claimed
                          is reserved, and left alone */
    struct {           /* the driver's own; zeroed before the first step */
        char queue[PAWL__QUEUE_BYTES];
        unsigned state;
        int64_t at_ms, id;
    } cursor;
    int64_t n; /* OUT: jobs moved by this step */
    bool more; /* OUT: call again */
};

struct pawl__list {
    const pawl_filter *filter;     /* checked; limit is this page's */
    struct pawl__record **records; /* room for limit; the caller's to free */
    size_t n_records;              /* OUT */
};

/* What doctor() found; all is one block, the caller's to free. */
struct pawl__finding {
    int severity;     /* an enum pawl_severity */
    const char *name; /* static, as todo is */
    const char *todo;
    char what[480];
};

struct pawl__findings {
    struct pawl__finding *all;
    size_t n;
};

/* Why wait() came back. */
enum pawl__wait {
    PAWL__WAIT_TIME = 0,     /* the time is over */
    PAWL__WAIT_WORK = 1,     /* the store may have changed */
    PAWL__WAIT_DEATH = 2,    /* a worker may have died: sweep */
    PAWL__WAIT_INTERRUPT = 4 /* interrupt() was called */
};

/* Types of a queue; n_types 0: all. */
struct pawl__interest {
    const char *queue;
    const char *const *types;
    size_t n_types;
};

struct pawl__driver {
    const char *scheme; /* "sqlite", "memory" */

    /* location is the URL without "scheme:". *self is the store. */
    int (*open)(const char *location, const struct pawl__env *env, void **self,
                pawl_error *err);
    /* Commits asynchronous pushes, ends its worker, frees. No other call is
     * under way. after_fork: free memory only, touch nothing shared. */
    void (*close)(void *self, bool after_fork);

    /* Store n jobs of one queue, all or none; durable at the store's level
     * when it returns. On EXISTS ids[0] is the holder and *failed_at (may be
     * NULL) the index of the job. Blocks for one group commit. */
    int (*push)(void *self, const char *queue, const struct pawl__new_job *jobs,
                size_t n, int64_t *ids, size_t *failed_at, pawl_error *err);
    /* Take in one push; commits by itself when 256 have gathered. */
    int (*push_start)(void *self, const struct pawl__async *async,
                      pawl_error *err);
    /* Commit all that push_start took in, and wait until their done calls
     * have returned. */
    int (*sync)(void *self, pawl_error *err);
    /* Are there pushes taken in that nobody is committing? Cheap. */
    bool (*async_pending)(void *self);

    int (*exchange)(void *self, struct pawl__exchange *x, pawl_error *err);

    /* Register this process as a worker with n_threads threads (1..480), once
     * per start. *worker is random and never used again. */
    int (*worker_start)(void *self, int n_threads, int64_t *worker,
                        pawl_error *err);
    /* Unregister; claims it still holds are as those of a dead worker. */
    void (*worker_stop)(void *self);
    /* Thread number thread (0..n_threads-1) runs job from now on; 0: none. No
     * system call, no lock: this is called twice for each job. */
    void (*running)(void *self, int thread, int64_t job);

    /* Rescue the claims of dead workers, promote due jobs, prune history. The
     * engine calls it at start, each second, and after WAIT_DEATH. */
    int (*sweep)(void *self, struct pawl__sweep *sweep, pawl_error *err);
    /* Which of these (job, token) pairs are current? held[i] is the answer. */
    int (*check)(void *self, const struct pawl__settle *pairs, size_t n,
                 bool *held, pawl_error *err);

    int (*get)(void *self, int64_t id, struct pawl__record **record,
               pawl_error *err);
    int (*list)(void *self, struct pawl__list *list, pawl_error *err);
    int (*retry)(void *self, int64_t id, pawl_error *err);
    /* queue: room for 65 bytes; OUT: the job's queue. */
    int (*cancel)(void *self, int64_t id, char *queue, pawl_error *err);
    int (*move)(void *self, struct pawl__move *move, pawl_error *err);

    /* struct_size is not looked at. */
    int (*info)(void *self, const char *queue, pawl_info *info,
                pawl_error *err);
    /* Names of all queues, sorted, in one block: *names[i]; the caller frees
     * *names only. */
    int (*queues)(void *self, char ***names, size_t *n, pawl_error *err);
    /* At one moment: is anything of these types waiting, reserved, or delayed
     * though it is due or has attempts or abandons above 0? */
    int (*busy)(void *self, const struct pawl__interest *of, size_t n,
                bool *busy, pawl_error *err);

    int (*settings)(void *self, const char *queue, pawl_settings *settings,
                    pawl_error *err);
    /* value is in range; or_default: back to the default. */
    int (*set)(void *self, const char *queue, const struct pawl__setting *field,
               int64_t value, bool or_default, pawl_error *err);

    /* Wait for a death, the wall time until_at_ms, or max_ms; with watch also
     * for work: a commit by another store or program since the last wait with
     * watch returned, so that a change between an empty claim and this call
     * is not missed. Commits of our own need not count: who makes them knows.
     * Returns a mask of enum pawl__wait. With a custom clock until_at_ms is
     * looked at once, on entry. At most one thread. */
    int (*wait)(void *self, int64_t until_at_ms, int64_t max_ms, bool watch);
    /* Make wait() return now, or at once when it is called next. Any thread,
     * any number of calls are one. */
    void (*interrupt)(void *self);

    /* May be NULL: there is nothing to examine. Examine what lies at location,
     * opened or not, whole or damaged, and change nothing. */
    int (*doctor)(const char *location, const struct pawl__env *env,
                  struct pawl__findings *findings, pawl_error *err);
};

extern const struct pawl__driver pawl__sqlite_driver;
extern const struct pawl__driver pawl__memory_driver;

/* The driver of a URL, and *location, the part behind the scheme. A URL
 * without a known scheme is a path. UNSUPPORTED for schemes that this build
 * lacks. */
int pawl__driver_find(const char *url, const struct pawl__driver **driver,
                      const char **location, pawl_error *err);

#endif
