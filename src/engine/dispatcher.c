/* SPDX-License-Identifier: MIT */
/* dispatcher.c - from a job's type to its listeners. */
#include "engine/dispatcher.h"

#include <string.h>

#include "base/alloc.h"

void
pawl__dispatcher_init(struct pawl__dispatcher *d)
{
    memset(d, 0, sizeof *d);
    d->last = &d->first;
}

void
pawl__dispatcher_clear(struct pawl__dispatcher *d)
{
    struct pawl__listener *l;

    while ((l = d->first) != NULL) {
        d->first = l->next;
        pawl__free(l->type);
        pawl__free(l);
    }
    pawl__free(d->types);
    pawl__dispatcher_init(d);
}

static bool
dispatcher_knows(const struct pawl__dispatcher *d, const char *type)
{
    size_t i;

    for (i = 0; i < d->n_types; i++)
        if (strcmp(d->types[i], type) == 0)
            return true;
    return false;
}

/* Room for one more type, so that adding the listener cannot fail midway. */
static int
dispatcher_add_type(struct pawl__dispatcher *d, const char *type,
                    pawl_error *err)
{
    const char **grown;

    if (dispatcher_knows(d, type))
        return PAWL_OK;
    grown = pawl__realloc(d->types, d->n_types + 1, sizeof *grown);
    if (grown == NULL)
        return pawl__fail_nomem(err);
    d->types = grown;
    d->types[d->n_types++] = type;
    return PAWL_OK;
}

int
pawl__dispatcher_add(struct pawl__dispatcher *d, const char *type,
                     pawl_listener fn, void *user, pawl_error *err)
{
    struct pawl__listener *l = pawl__calloc(1, sizeof *l);
    int rc = PAWL_OK;

    if (l == NULL)
        return pawl__fail_nomem(err);
    l->type = pawl__strdup(type);
    if (type != NULL)
        rc = l->type != NULL ? dispatcher_add_type(d, l->type, err)
                             : pawl__fail_nomem(err);
    if (rc != PAWL_OK) {
        pawl__free(l->type);
        pawl__free(l);
        return rc;
    }
    l->fn = fn;
    l->user = user;
    d->any = d->any || type == NULL;
    *d->last = l;
    d->last = &l->next;
    return PAWL_OK;
}

size_t
pawl__dispatcher_n_types(const struct pawl__dispatcher *d)
{
    return d->any ? 0 : d->n_types;
}

int
pawl__dispatcher_run(const struct pawl__dispatcher *d, pawl_attempt *attempt,
                     const pawl_job *job)
{
    bool own = dispatcher_knows(d, job->type);
    const struct pawl__listener *l;
    int rc = 0;

    for (l = d->first; rc == 0 && l != NULL; l = l->next)
        if (own ? l->type != NULL && strcmp(l->type, job->type) == 0
                : l->type == NULL)
            rc = l->fn(attempt, job, l->user);
    return rc;
}
