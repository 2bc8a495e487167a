/* SPDX-License-Identifier: MIT */
/* dispatcher.h - from a job's type to its listeners. No threads. */
#ifndef PAWL_ENGINE_DISPATCHER_H
#define PAWL_ENGINE_DISPATCHER_H

#include <stdbool.h>

#include "base/error.h"

struct pawl__listener {
    char *type; /* NULL: types without a listener of their own */
    pawl_listener fn;
    void *user;
    struct pawl__listener *next;
};

/* In order of registration; fixed once the store was started. */
struct pawl__dispatcher {
    struct pawl__listener *first, **last;
    const char **types; /* distinct; n_types 0: all, when first is set */
    size_t n_types;
    bool any;
};

void pawl__dispatcher_init(struct pawl__dispatcher *d);
void pawl__dispatcher_clear(struct pawl__dispatcher *d);
int pawl__dispatcher_add(struct pawl__dispatcher *d, const char *type,
                         pawl_listener fn, void *user, pawl_error *err);
/* Call the job's listeners in turn: 0, or the first failure. */
int pawl__dispatcher_run(const struct pawl__dispatcher *d,
                         pawl_attempt *attempt, const pawl_job *job);
/* How many types a claim names; 0: all. */
size_t pawl__dispatcher_n_types(const struct pawl__dispatcher *d);

#endif
