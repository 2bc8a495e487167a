/* SPDX-License-Identifier: MIT */
/* claim.c - one turn of a consumer, in one transaction.
 *
 * Invariant: a job has at most one row in pawl_claim (its primary key), and
 * each claim draws a new token. The job's own row is not written.
 *
 * Cost: the index of waiting jobs is by queue, type, priority, ready_at, so a
 * claim walks only jobs that it may take, plus those in flight, whatever else
 * stands in the queue. Several types are merged here: the best few of each are
 * read from the index alone, and the best of all are fetched.
 *
 * Locks: all run under write_mu in an open transaction. */
#include "sqlite/claim.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/point.h"
#include "base/str.h"
#include "sqlite/push.h"
#include "sqlite/row.h"
#include "sqlite/settle.h"

#define CLAIM_PROMOTE_MAX 512

struct claim_op {
    struct pawl__op op;
    struct pawl__exchange *x;
};

struct claim_candidate {
    int64_t id, priority, ready_at;
};

struct claim_candidates {
    struct claim_candidate *all;
    size_t n, room;
};

/* -------------------------------------------------------------- due jobs */

static int
claim_next_due(struct pawl__sqlite *s, int64_t *at, pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_NEXT_DUE, err);
    bool found;
    int rc;

    if (st == NULL)
        return err->code;
    rc = pawl__stmt_step(&s->w, st, &found, "find the next due job", err);
    *at = found ? sqlite3_column_int64(st, 0) : PAWL__NEVER;
    pawl__stmt_done(st);
    return rc;
}

int
pawl__promote(struct pawl__sqlite *s, const char *queue, int64_t *n,
              bool *others, int64_t *next_at_ms, pawl_error *err)
{
    int64_t now = pawl__wall_ms(s->env.clock);
    const char *q;
    sqlite3_stmt *st;
    int step;
    int rc = claim_next_due(s, next_at_ms, err);

    if (rc != PAWL_OK || *next_at_ms > now)
        return rc;
    st = pawl__stmt(&s->w, PAWL__STMT_PROMOTE, err);
    if (st == NULL)
        return err->code;
    (void)sqlite3_bind_int64(st, 1, now);
    (void)sqlite3_bind_int(st, 2, CLAIM_PROMOTE_MAX);
    while ((step = sqlite3_step(st)) == SQLITE_ROW) {
        q = (const char *)sqlite3_column_text(st, 0);
        if (queue == NULL || q == NULL || strcmp(q, queue) != 0)
            *others = true;
        (*n)++;
    }
    if (step != SQLITE_DONE)
        rc = pawl__conn_fail(&s->w, "make due jobs ready", err);
    pawl__stmt_done(st);
    return rc == PAWL_OK ? claim_next_due(s, next_at_ms, err) : rc;
}

/* -------------------------------------------------------------- one type */

static void
claim_drop(struct pawl__exchange *x)
{
    while (x->n_claims > 0) {
        pawl__record_free(x->claims[--x->n_claims]);
        x->claims[x->n_claims] = NULL;
    }
}

static int
claim_type(struct pawl__sqlite *s, struct pawl__exchange *x, const char *type,
           pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_CLAIM_TYPE, err);
    int step = SQLITE_DONE, rc = PAWL_OK;

    if (st == NULL)
        return err->code;
    pawl__bind_text(st, 1, x->queue);
    pawl__bind_text(st, 2, type);
    (void)sqlite3_bind_int64(st, 3, (int64_t)x->want);
    while (rc == PAWL_OK && x->n_claims < x->want &&
           (step = sqlite3_step(st)) == SQLITE_ROW) {
        rc = pawl__row_read(st, &x->settings, &x->claims[x->n_claims], err);
        if (rc == PAWL_OK)
            x->n_claims++;
    }
    if (rc == PAWL_OK && step != SQLITE_ROW && step != SQLITE_DONE)
        rc = pawl__conn_fail(&s->w, "claim jobs", err);
    pawl__stmt_done(st);
    return rc;
}

/* ---------------------------------------------------------- several types */

static int
claim_compare(const void *a, const void *b)
{
    const struct claim_candidate *x = a, *y = b;

    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    if (x->ready_at != y->ready_at)
        return x->ready_at < y->ready_at ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int
claim_add_candidate(struct claim_candidates *c, sqlite3_stmt *st,
                    pawl_error *err)
{
    struct claim_candidate *grown;
    size_t room;

    if (c->n == c->room) {
        room = c->room != 0 ? c->room * 2 : 64;
        grown = pawl__realloc(c->all, room, sizeof *grown);
        if (grown == NULL)
            return pawl__fail_nomem(err);
        c->all = grown;
        c->room = room;
    }
    c->all[c->n].id = sqlite3_column_int64(st, 0);
    c->all[c->n].priority = sqlite3_column_int64(st, 1);
    c->all[c->n].ready_at = sqlite3_column_int64(st, 2);
    c->n++;
    return PAWL_OK;
}

static int
claim_candidates_of(struct pawl__sqlite *s, const struct pawl__exchange *x,
                    const char *type, struct claim_candidates *c,
                    pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_CLAIM_CANDIDATES, err);
    int step = SQLITE_DONE, rc = PAWL_OK;

    if (st == NULL)
        return err->code;
    pawl__bind_text(st, 1, x->queue);
    pawl__bind_text(st, 2, type);
    (void)sqlite3_bind_int64(st, 3, (int64_t)x->want);
    while (rc == PAWL_OK && (step = sqlite3_step(st)) == SQLITE_ROW)
        rc = claim_add_candidate(c, st, err);
    if (rc == PAWL_OK && step != SQLITE_DONE)
        rc = pawl__conn_fail(&s->w, "claim jobs", err);
    pawl__stmt_done(st);
    return rc;
}

/* The next type with waiting jobs after *type, by hopping through the index;
 * *found false: none. */
static int
claim_next_type(struct pawl__sqlite *s, const char *queue,
                struct pawl__str *type, bool *found, pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_TYPE_NEXT, err);
    struct pawl__str next = {0};
    const char *text;
    int rc;

    *found = false;
    if (st == NULL)
        return err->code;
    pawl__bind_text(st, 1, queue);
    pawl__bind_text(st, 2, type->data != NULL ? type->data : "");
    rc = pawl__stmt_step(&s->w, st, found, "look for types", err);
    /* min() gives a row also of nothing. */
    *found = *found && sqlite3_column_type(st, 0) != SQLITE_NULL;
    if (*found) {
        text = pawl__stmt_text_at(st, 0, err);
        if (text == NULL)
            rc = err->code;
        else
            pawl__str_append(&next, text, strlen(text));
        if (next.failed)
            rc = pawl__fail_nomem(err);
    }
    pawl__stmt_done(st); /* until here the old text was bound */
    pawl__str_clear(type);
    *type = next;
    return rc;
}

static int
claim_every_type(struct pawl__sqlite *s, const struct pawl__exchange *x,
                 struct claim_candidates *c, pawl_error *err)
{
    struct pawl__str type = {0};
    bool found = true;
    int rc = PAWL_OK;

    while (rc == PAWL_OK && found) {
        rc = claim_next_type(s, x->queue, &type, &found, err);
        if (rc == PAWL_OK && found)
            rc = claim_candidates_of(s, x, type.data, c, err);
    }
    pawl__str_clear(&type);
    return rc;
}

static int
claim_fetch(struct pawl__sqlite *s, struct pawl__exchange *x, int64_t id,
            pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_JOB, err);
    int step, rc = PAWL_OK;

    if (st == NULL)
        return err->code;
    (void)sqlite3_bind_int64(st, 1, id);
    step = sqlite3_step(st);
    if (step == SQLITE_ROW)
        rc = pawl__row_read(st, &x->settings, &x->claims[x->n_claims], err);
    else
        rc = pawl__conn_fail(&s->w, "claim a job", err);
    if (rc == PAWL_OK)
        x->n_claims++;
    pawl__stmt_done(st);
    return rc;
}

static int
claim_merge(struct pawl__sqlite *s, struct pawl__exchange *x, pawl_error *err)
{
    struct claim_candidates c = {NULL, 0, 0};
    size_t i;
    int rc = PAWL_OK;

    if (x->n_types == 0)
        rc = claim_every_type(s, x, &c, err);
    for (i = 0; rc == PAWL_OK && i < x->n_types; i++)
        rc = claim_candidates_of(s, x, x->types[i], &c, err);
    if (rc == PAWL_OK && c.n > 1)
        qsort(c.all, c.n, sizeof *c.all, claim_compare);
    for (i = 0; rc == PAWL_OK && i < c.n && x->n_claims < x->want; i++)
        rc = claim_fetch(s, x, c.all[i].id, err);
    pawl__free(c.all);
    return rc;
}

/* ----------------------------------------------------------------- all of it
 */

/* Rows for n claims, from the first on, in one statement: PAWL__CLAIMS_TOGETHER
 * or 1. */
static int
claim_add(struct pawl__sqlite *s, const struct pawl__exchange *x, size_t first,
          size_t n, pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(
        &s->w, n > 1 ? PAWL__STMT_CLAIMS_ADD : PAWL__STMT_CLAIM_ADD, err);
    size_t i;

    if (st == NULL)
        return err->code;
    (void)sqlite3_bind_int64(st, 1, x->worker);
    (void)sqlite3_bind_int64(st, 2, pawl__wall_ms(s->env.clock));
    for (i = 0; i < n; i++) {
        (void)sqlite3_bind_int64(st, 3 + 2 * (int)i,
                                 x->claims[first + i]->info.id);
        (void)sqlite3_bind_int64(st, 4 + 2 * (int)i,
                                 x->claims[first + i]->token);
    }
    return pawl__stmt_run(&s->w, st, "claim a job", err);
}

static int
claim_reserve(struct pawl__sqlite *s, struct pawl__exchange *x, pawl_error *err)
{
    struct pawl__record *r;
    size_t i, n;
    int rc = PAWL_OK;

    for (i = 0; i < x->n_claims; i++) {
        r = x->claims[i];
        r->token = pawl__rng_id(&s->w.rng);
        r->info.worker = x->worker;
        r->info.state = PAWL_RESERVED;
    }
    for (i = 0; rc == PAWL_OK && i < x->n_claims; i += n) {
        n = x->n_claims - i >= PAWL__CLAIMS_TOGETHER ? PAWL__CLAIMS_TOGETHER
                                                     : 1;
        rc = claim_add(s, x, i, n, err);
    }
    return rc;
}

/* Do the ends bring no job back? */
static bool
claim_is_quiet(const struct pawl__exchange *x)
{
    size_t i;

    for (i = 0; i < x->n_settles; i++)
        if (x->settles[i].outcome != PAWL__ACK)
            return false;
    return true;
}

static int
claim_jobs(struct pawl__sqlite *s, struct pawl__exchange *x, bool *quiet,
           pawl_error *err)
{
    int64_t n = 0;
    int rc = pawl__promote(s, x->queue, &n, &x->promoted_others, &x->next_at_ms,
                           err);

    if (n > 0)
        *quiet = false;
    if (rc != PAWL_OK || x->settings.paused)
        return rc;
    pawl__point("claim: promoted");
    if (x->n_types == 1)
        rc = claim_type(s, x, x->types[0], err);
    else
        rc = claim_merge(s, x, err);
    if (rc == PAWL_OK)
        rc = claim_reserve(s, x, err);
    pawl__point("claim: reserved");
    return rc;
}

static int
claim_apply(struct pawl__sqlite *s, struct pawl__op *op)
{
    struct pawl__exchange *x = ((struct claim_op *)op)->x;
    int rc;

    claim_drop(x); /* of a run that was undone */
    op->quiet = claim_is_quiet(x);
    x->promoted_others = false;
    x->next_at_ms = PAWL__NEVER;
    rc = pawl__row_settings(&s->w, x->queue, &x->settings, &op->err);
    if (rc == PAWL_OK)
        rc = pawl__settle_all(s, x->queue, x->settings.retention_s, x->settles,
                              x->n_settles, &op->err);
    if (rc == PAWL_OK && x->want > 0)
        rc = claim_jobs(s, x, &op->quiet, &op->err);
    return rc;
}

int
pawl__sqlite_exchange(void *self, struct pawl__exchange *x, pawl_error *err)
{
    struct pawl__sqlite *s = self;
    struct pawl__push_op p;
    struct claim_op c;

    memset(&c, 0, sizeof c);
    c.op.apply = claim_apply;
    c.op.durable = s->env.options->durable_acks != 0 && x->n_settles > 0;
    c.op.drains = true; /* a job that cannot be claimed is never acked */
    c.x = x;
    x->n_claims = 0;
    if (x->push != NULL) {
        pawl__push_begin(&p, x->push);
        pawl__commit_run_two(s, &p.op, &c.op);
        pawl__push_end(&p, x->push);
    } else {
        (void)pawl__commit_run(s, &c.op);
    }
    if (c.op.rc == PAWL_OK)
        return PAWL_OK;
    claim_drop(x);
    if (err != NULL)
        *err = c.op.err;
    return c.op.rc;
}
