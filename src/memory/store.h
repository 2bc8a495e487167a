/* SPDX-License-Identifier: MIT */
/* store.h - a store in RAM: what it holds. */
#ifndef PAWL_MEMORY_STORE_H
#define PAWL_MEMORY_STORE_H

#include "base/thread.h"
#include "driver/driver.h"
#include "memory/set.h"

#define PAWL__MEMORY_THREADS 480

/* Jobs of one type that wait in a queue, unclaimed. */
struct pawl__mtype {
    char name[129];
    struct pawl__set waiting; /* by priority, ready_at, id */
    struct pawl__mtype *next;
};

struct pawl__mqueue {
    char name[65];
    int64_t value[PAWL__N_SETTINGS];
    bool given[PAWL__N_SETTINGS]; /* else the default holds */
    struct pawl__mtype *types;
    struct pawl__set finished; /* by state, finished_at, id */
    struct pawl__mqueue *next; /* by name */
};

/* A job is in the set of all jobs, in the one set of its state, and, while it
 * holds a unique key, in the set of keys. */
struct pawl__mjob {
    struct pawl__node by_id, by_state, by_key;
    struct pawl__record *record; /* as stored: unset options are 0 */
    struct pawl__mqueue *queue;
    struct pawl__mtype *type;
    int64_t unique_until; /* of the key that it holds */
    bool has_key;         /* it is in the set of keys */
    bool hidden;          /* gone, but its key is held yet */
    bool was_running;     /* when its worker stopped */
};

struct pawl__masync {
    struct pawl__mqueue *queue;
    struct pawl__new_job job;
    void (*done)(void *user, int code, int64_t id, const pawl_error *err);
    void *user;
    struct pawl__masync *next;
};

struct pawl__memory {
    struct pawl__env env;
    struct pawl__mutex mu; /* guards all below */
    struct pawl__cond changed;
    struct pawl__rng rng;
    struct pawl__mqueue *queues;
    struct pawl__set jobs;     /* by id */
    struct pawl__set delayed;  /* by ready_at, id */
    struct pawl__set reserved; /* by id */
    struct pawl__set keys;     /* by queue, key */
    int64_t last_id;
    uint64_t version, seen; /* of all changes; at the last watching wait */
    bool interrupted;
    int64_t worker; /* 0: none is registered */
    struct pawl__masync *async_first, *async_last;
    size_t n_async;
    bool telling; /* a thread commits asynchronous pushes and calls back */
    _Atomic int64_t running[PAWL__MEMORY_THREADS];
};

/* Which set holds jobs of the state that this job has. */
struct pawl__set *pawl__mset(struct pawl__memory *m, struct pawl__mjob *j);
/* From a node back to its job. */
struct pawl__mjob *pawl__mjob_of_id(const struct pawl__node *n);
struct pawl__mjob *pawl__mjob_of_state(const struct pawl__node *n);

/* All under mu: */
void pawl__mstore_init_sets(struct pawl__memory *m);
void pawl__mqueue_init_sets(struct pawl__mqueue *q);
/* NULL when memory is out. */
struct pawl__mqueue *pawl__mqueue_get(struct pawl__memory *m, const char *name);
struct pawl__mqueue *pawl__mqueue_find(struct pawl__memory *m,
                                       const char *name);
void pawl__mqueue_settings(const struct pawl__mqueue *q, pawl_settings *s);
struct pawl__mjob *pawl__mjob_find(struct pawl__memory *m, int64_t id);
/* Make and place a new job: its id, or NULL. */
struct pawl__mjob *pawl__mjob_new(struct pawl__memory *m,
                                  struct pawl__mqueue *q,
                                  const struct pawl__new_job *from);
/* Take it out of all sets and free it. */
void pawl__mjob_free(struct pawl__memory *m, struct pawl__mjob *j);
/* Out of the set of its state; change the state; into the new set. */
void pawl__mjob_lift(struct pawl__memory *m, struct pawl__mjob *j);
void pawl__mjob_place(struct pawl__memory *m, struct pawl__mjob *j, int state);
/* It ends: with a state that is kept, or gone (state 0). */
void pawl__mjob_finish(struct pawl__memory *m, struct pawl__mjob *j, int state);
/* Who holds the key now, or NULL; lets go of one whose time is over. */
struct pawl__mjob *pawl__mkey_holder(struct pawl__memory *m,
                                     struct pawl__mqueue *q, const char *key);
/* Replace a text of the record (error or result); NULL keeps it. False: memory
 * is out, and nothing changed. */
bool pawl__mjob_text(struct pawl__mjob *j, const char *error,
                     const char *result);
/* A copy as a driver hands it out, defaults filled in; NULL: no memory. */
struct pawl__record *pawl__mjob_copy(const struct pawl__mjob *j);

#endif
