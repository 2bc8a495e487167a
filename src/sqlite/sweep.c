/* SPDX-License-Identifier: MIT */
/* sweep.c - workers: register, rescue the dead; promote, prune, shrink.
 *
 * A worker is a row that names a slot of the side file. It is dead when
 *  - the machine was booted since (then nothing is known of what ran), or
 *  - the slot's lock is free, in the side file that the row means, or it is
 *    held only by a child that the worker had forked, or
 *  - the side file was replaced since, and no process has its pid any more
 *    (the only use of a pid: someone deleted the file of a live worker).
 * A held lock means alive, however long ago anything was heard of it.
 *
 * A slot whose worker was not rescued yet is not given to a new one: the row
 * is looked for while the slot's lock is held, so a dead worker's notes of
 * what it ran are never overwritten before they were read.
 *
 * Locks: apply functions run under write_mu in an open transaction. */
#include "sqlite/sweep.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/point.h"
#include "sqlite/checkpoint.h"
#include "sqlite/claim.h"
#include "sqlite/row.h"
#include "sqlite/settle.h"
#include "sqlite/shrink.h"

#define SWEEP_DAY_MS 86400000LL

struct sweep_op {
    struct pawl__op op;
    struct pawl__sweep *out;
    size_t room;
};

struct sweep_worker {
    int64_t id, side, boot;
    int slot;
    int pid;
};

/* One page of the workers' table: there are at most as many as slots, but a
 * hostile file may hold more; those wait for the next sweep. */
struct sweep_workers {
    struct sweep_worker all[PAWL__SIDE_WORKERS];
    size_t n;
};

/* ----------------------------------------------------------------- rescue */

static bool
sweep_is_dead(const struct pawl__sqlite *s, const struct sweep_worker *w)
{
    if (w->boot != s->side.boot)
        return true;
    if (w->side == s->side.mark)
        return w->slot != s->side.slot &&
               (!pawl__side_held(&s->side, w->slot) ||
                pawl__side_is_gone(&s->side, w->slot));
    return w->pid <= 0 || (kill((pid_t)w->pid, 0) != 0 && errno == ESRCH);
}

static int
sweep_read_workers(struct pawl__sqlite *s, struct sweep_workers *ws,
                   pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_WORKERS, err);
    struct sweep_worker *w;
    int step = SQLITE_DONE;

    ws->n = 0;
    if (st == NULL)
        return err->code;
    while (ws->n < PAWL__SIDE_WORKERS &&
           (step = sqlite3_step(st)) == SQLITE_ROW) {
        w = &ws->all[ws->n++];
        w->id = sqlite3_column_int64(st, 0);
        w->slot = sqlite3_column_int(st, 1);
        w->side = sqlite3_column_int64(st, 2);
        w->boot = sqlite3_column_int64(st, 3);
        w->pid = sqlite3_column_int(st, 4);
    }
    if (step != SQLITE_DONE && step != SQLITE_ROW)
        (void)pawl__conn_fail(&s->w, "look for workers", err);
    pawl__stmt_done(st);
    return step == SQLITE_DONE || step == SQLITE_ROW ? PAWL_OK : err->code;
}

static int
sweep_note(struct sweep_op *sw, struct pawl__rescued **slot, pawl_error *err)
{
    struct pawl__sweep *out = sw->out;
    struct pawl__rescued *grown;
    size_t room;

    if (out->n_rescued == sw->room) {
        room = sw->room != 0 ? sw->room * 2 : 32;
        grown = pawl__realloc(out->rescued, room, sizeof *grown);
        if (grown == NULL)
            return pawl__fail_nomem(err);
        out->rescued = grown;
        sw->room = room;
    }
    *slot = &out->rescued[out->n_rescued++];
    memset(*slot, 0, sizeof **slot);
    return PAWL_OK;
}

/* Read what a dead worker held, before its claims go. */
static int
sweep_read_claims(struct pawl__sqlite *s, struct sweep_op *sw,
                  const struct sweep_worker *w, pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_WORKER_CLAIMS, err);
    bool known = w->boot == s->side.boot && w->side == s->side.mark;
    struct pawl__rescued *r = NULL;
    const char *queue;
    int step = SQLITE_DONE, rc = PAWL_OK;

    if (st == NULL)
        return err->code;
    (void)sqlite3_bind_int64(st, 1, w->id);
    while (rc == PAWL_OK && (step = sqlite3_step(st)) == SQLITE_ROW) {
        rc = sweep_note(sw, &r, err);
        if (rc != PAWL_OK)
            break;
        r->job = sqlite3_column_int64(st, 0);
        queue = pawl__stmt_text_at(st, 1, err);
        if (queue == NULL) {
            rc = err->code;
            break;
        }
        (void)snprintf(r->queue, sizeof r->queue, "%s", queue);
        r->was_running =
            known && pawl__side_was_running(&s->side, w->slot, r->job);
        r->failed = r->was_running && sqlite3_column_int64(st, 2) + 1 >=
                                          sqlite3_column_int64(st, 3);
    }
    if (rc == PAWL_OK && step != SQLITE_DONE)
        rc = pawl__conn_fail(&s->w, "look for a dead worker's jobs", err);
    pawl__stmt_done(st);
    return rc;
}

static int
sweep_abandoned(struct pawl__sqlite *s, const struct pawl__rescued *r,
                pawl_error *err)
{
    char why[80];
    sqlite3_stmt *st;
    int64_t n = 0;
    bool found;
    int rc;

    if (!r->was_running)
        return PAWL_OK;
    rc = pawl__stmt_run_ints(&s->w, PAWL__STMT_JOB_ABANDON, r->job, 0,
                             "count an abandon", err);
    if (rc != PAWL_OK || !r->failed)
        return rc;
    st = pawl__stmt(&s->w, PAWL__STMT_JOB_ABANDONS, err);
    if (st == NULL)
        return err->code;
    (void)sqlite3_bind_int64(st, 1, r->job);
    rc = pawl__stmt_step(&s->w, st, &found, "count abandons", err);
    if (found)
        n = sqlite3_column_int64(st, 0);
    pawl__stmt_done(st);
    if (rc != PAWL_OK)
        return rc;
    (void)snprintf(why, sizeof why,
                   "abandoned: its worker died %lld times while running it",
                   (long long)n);
    return pawl__row_finish(s, r->job, "failed", 0, why, NULL, err);
}

static int
sweep_rescue(struct pawl__sqlite *s, struct sweep_op *sw,
             const struct sweep_worker *w, pawl_error *err)
{
    size_t i = sw->out->n_rescued;
    int rc = sweep_read_claims(s, sw, w, err);

    for (; rc == PAWL_OK && i < sw->out->n_rescued; i++)
        rc = sweep_abandoned(s, &sw->out->rescued[i], err);
    pawl__point("rescue: counted");
    if (rc == PAWL_OK)
        rc = pawl__stmt_run_ints(&s->w, PAWL__STMT_WORKER_CLAIMS_DELETE, w->id,
                                 0, "rescue jobs", err);
    pawl__point("rescue: claims deleted");
    if (rc == PAWL_OK)
        rc = pawl__stmt_run_ints(&s->w, PAWL__STMT_WORKER_DELETE, w->id, 0,
                                 "forget a worker", err);
    return rc;
}

static int
sweep_rescue_all(struct pawl__sqlite *s, struct sweep_op *sw, pawl_error *err)
{
    struct sweep_workers *ws = pawl__malloc(sizeof *ws);
    size_t i;
    int rc;

    if (ws == NULL)
        return pawl__fail_nomem(err);
    rc = sweep_read_workers(s, ws, err);
    for (i = 0; rc == PAWL_OK && i < ws->n; i++)
        if (sweep_is_dead(s, &ws->all[i]))
            rc = sweep_rescue(s, sw, &ws->all[i], err);
    pawl__free(ws);
    if (rc == PAWL_OK) /* claims of workers or jobs deleted by hand */
        rc = pawl__stmt_run_ints(&s->w, PAWL__STMT_ORPHANS_DELETE, 0, 0,
                                 "clear orphaned claims", err);
    return rc;
}

/* ------------------------------------------------------------------ history */

struct sweep_prune {
    int64_t id[500];
    bool hold[500];
    size_t n;
};

/* Delete rows of one state that finished before a time. */
static int
sweep_prune_state(struct pawl__sqlite *s, struct sweep_prune *p,
                  const char *queue, const char *state, int64_t before,
                  pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_PRUNE, err);
    int step = SQLITE_DONE, rc = PAWL_OK;
    size_t i;

    if (st == NULL)
        return err->code;
    pawl__bind_text(st, 1, queue);
    pawl__bind_text(st, 2, state);
    (void)sqlite3_bind_int64(st, 3, before);
    (void)sqlite3_bind_int64(st, 4, pawl__wall_ms(s->env.clock));
    for (p->n = 0; p->n < 500 && (step = sqlite3_step(st)) == SQLITE_ROW;
         p->n++) {
        p->id[p->n] = sqlite3_column_int64(st, 0);
        p->hold[p->n] = sqlite3_column_int(st, 1) != 0;
    }
    if (step != SQLITE_DONE && step != SQLITE_ROW)
        rc = pawl__conn_fail(&s->w, "look for old jobs", err);
    pawl__stmt_done(st);
    for (i = 0; rc == PAWL_OK && i < p->n; i++)
        rc = pawl__row_delete(s, p->id[i], p->hold[i], err);
    return rc;
}

static int
sweep_prune_queue(struct pawl__sqlite *s, struct sweep_prune *p,
                  const char *queue, int64_t retention_s, pawl_error *err)
{
    int64_t now = pawl__wall_ms(s->env.clock);
    int64_t keep = retention_s > 0 ? retention_s * 1000 : 0;
    int64_t day = keep > SWEEP_DAY_MS ? keep : SWEEP_DAY_MS;
    int rc;

    rc = sweep_prune_state(s, p, queue, "deleted", now, err); /* keys held */
    if (rc == PAWL_OK && retention_s >= 0)
        rc = sweep_prune_state(s, p, queue, "done", now - keep, err);
    if (rc == PAWL_OK && retention_s >= 0)
        rc = sweep_prune_state(s, p, queue, "cancelled", now - day, err);
    return rc;
}

static int
sweep_prune_all(struct pawl__sqlite *s, pawl_error *err)
{
    struct sweep_prune *p = pawl__malloc(sizeof *p);
    char name[PAWL__QUEUE_BYTES] = "";
    int64_t retention_s = 0;
    bool found = true;
    int rc = PAWL_OK;

    if (p == NULL)
        return pawl__fail_nomem(err);
    while (rc == PAWL_OK && found) {
        rc = pawl__row_next_queue(&s->w, name, &found, &retention_s, err);
        if (rc == PAWL_OK && found)
            rc = sweep_prune_queue(s, p, name, retention_s, err);
    }
    pawl__free(p);
    return rc;
}

/* ---------------------------------------------------------------- all of it */

static int
sweep_apply(struct pawl__sqlite *s, struct pawl__op *op)
{
    struct sweep_op *sw = (struct sweep_op *)op;
    bool others = false;
    int rc;

    sw->out->n_rescued = 0;
    sw->out->n_promoted = 0;
    rc = sweep_rescue_all(s, sw, &op->err);
    if (rc == PAWL_OK)
        rc = pawl__promote(s, NULL, &sw->out->n_promoted, &others,
                           &sw->out->next_at_ms, &op->err);
    if (rc == PAWL_OK)
        rc = sweep_prune_all(s, &op->err);
    return rc;
}

int
pawl__sqlite_sweep(void *self, struct pawl__sweep *sweep, pawl_error *err)
{
    struct pawl__sqlite *s = self;
    struct sweep_op sw;

    memset(&sw, 0, sizeof sw);
    memset(sweep, 0, sizeof *sweep);
    sweep->next_at_ms = PAWL__NEVER;
    sw.op.apply = sweep_apply;
    sw.op.drains = true;
    sw.out = sweep;
    if (pawl__side_low(&s->side))
        (void)pawl__side_ballast_keep(&s->side);
    if (pawl__commit_run(s, &sw.op) == PAWL_OK) {
        pawl__shrink(s);
        return PAWL_OK;
    }
    pawl__free(sweep->rescued);
    memset(sweep, 0, sizeof *sweep);
    sweep->next_at_ms = PAWL__NEVER;
    if (err != NULL)
        *err = sw.op.err;
    return sw.op.rc;
}

/* ----------------------------------------------------------------- workers */

struct worker_op {
    struct pawl__op op;
    int64_t id;
    int slot;   /* locked by us; start */
    bool taken; /* OUT: the slot's dead worker was not rescued yet */
};

static int
worker_add(struct pawl__sqlite *s, struct pawl__op *op)
{
    struct worker_op *w = (struct worker_op *)op;
    char host[65] = "";
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_WORKER_SLOT, &op->err);
    int rc;

    if (st == NULL)
        return op->err.code;
    (void)sqlite3_bind_int(st, 1, w->slot);
    (void)sqlite3_bind_int64(st, 2, s->side.mark);
    rc = pawl__stmt_step(&s->w, st, &w->taken, "look for a place", &op->err);
    pawl__stmt_done(st);
    if (rc != PAWL_OK || w->taken)
        return rc;
    st = pawl__stmt(&s->w, PAWL__STMT_WORKER_ADD, &op->err);
    if (st == NULL)
        return op->err.code;
    (void)gethostname(host, sizeof host - 1);
    w->id = pawl__rng_id(&s->w.rng);
    (void)sqlite3_bind_int64(st, 1, w->id);
    (void)sqlite3_bind_int(st, 2, w->slot);
    (void)sqlite3_bind_int64(st, 3, s->side.mark);
    (void)sqlite3_bind_int64(st, 4, s->side.boot);
    (void)sqlite3_bind_int64(st, 5, (int64_t)getpid());
    pawl__bind_text(st, 6, host);
    (void)sqlite3_bind_int64(st, 7, pawl__wall_ms(s->env.clock));
    return pawl__stmt_run(&s->w, st, "register the worker", &op->err);
}

/* Register in the first slot from *slot on that has no unrescued row. */
static int
worker_try(struct pawl__sqlite *s, struct worker_op *w, pawl_error *err)
{
    int rc;

    memset(&w->op, 0, sizeof w->op);
    w->op.apply = worker_add;
    w->op.drains = true;
    rc = pawl__side_sign(&s->side, w->slot, &w->op.err);
    if (rc == PAWL_OK)
        rc = pawl__commit_run(s, &w->op);
    pawl__point("worker: registered");
    if (rc == PAWL_OK && !w->taken)
        pawl__side_begin(&s->side, w->slot);
    if (rc != PAWL_OK)
        *err = w->op.err;
    if (rc != PAWL_OK || w->taken)
        pawl__side_release(&s->side, w->slot);
    return rc;
}

int
pawl__sqlite_worker_start(void *self, int n_threads, int64_t *worker,
                          pawl_error *err)
{
    struct pawl__sqlite *s = self;
    struct worker_op w;
    pawl_error local;
    int rc = PAWL_OK;

    memset(&w, 0, sizeof w);
    memset(&local, 0, sizeof local);
    *worker = 0;
    if (n_threads < 1 || n_threads > PAWL__SIDE_THREADS || s->side.slot >= 0)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "a worker has 1 to %d threads, once per start",
                          PAWL__SIDE_THREADS);
    if (!pawl__side_ballast_keep(&s->side))
        pawl__log(s->env.log, PAWL_WARN,
                  "the disk has no room for the reserve that acks need when "
                  "it is full");
    for (w.slot = -1, w.taken = true; rc == PAWL_OK && w.taken;) {
        w.slot = pawl__side_take(&s->side, w.slot + 1);
        if (w.slot < 0)
            rc = pawl__fail(&local, PAWL_BUSY, 0,
                            "all %d places for workers are taken",
                            PAWL__SIDE_WORKERS);
        else
            rc = worker_try(s, &w, &local);
    }
    if (rc == PAWL_OK)
        *worker = w.id;
    else if (err != NULL)
        *err = local;
    return rc;
}

static int
worker_forget(struct pawl__sqlite *s, struct pawl__op *op)
{
    return pawl__stmt_run_ints(&s->w, PAWL__STMT_WORKER_RETIRE, s->side.mark,
                               s->side.slot, "forget the worker", &op->err);
}

/* A worker that holds no claims takes its row along; else the next sweep,
 * finding the slot's lock free, rescues what it held. */
void
pawl__sqlite_worker_stop(void *self)
{
    struct pawl__sqlite *s = self;
    struct pawl__op op;

    if (s->side.slot < 0)
        return;
    memset(&op, 0, sizeof op);
    op.apply = worker_forget;
    op.drains = true;
    (void)pawl__commit_run(s, &op);
    pawl__point("worker: forgotten");
    pawl__side_release(&s->side, s->side.slot);
}

void
pawl__sqlite_running(void *self, int thread, int64_t job)
{
    struct pawl__sqlite *s = self;

    pawl__side_running(&s->side, thread, job);
    pawl__point("worker: noted what runs");
}
