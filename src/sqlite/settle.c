/* SPDX-License-Identifier: MIT */
/* settle.c - end attempts, and end rows.
 *
 * Invariant: only the holder of the current token changes a job. The claim's
 * row is deleted by job and token; where that finds none, the attempt is stale
 * and nothing else is done.
 *
 * The row of the highest id is never deleted but becomes a mark (see the
 * schema), so that SQLite's "highest plus one" gives no id twice. A mark is
 * cleared when the next one is made.
 *
 * Locks: all run under write_mu in an open transaction. */
#include "sqlite/settle.h"

#include <string.h>

#include "base/point.h"

/* ----------------------------------------------------------- ends of rows */

static int
settle_top(struct pawl__sqlite *s, pawl_error *err)
{
    sqlite3_stmt *st;
    bool found;
    int rc;

    if (s->tx_top != 0)
        return PAWL_OK;
    st = pawl__stmt(&s->w, PAWL__STMT_TOP_ID, err);
    if (st == NULL)
        return err->code;
    rc = pawl__stmt_step(&s->w, st, &found, "find the newest job", err);
    if (found)
        s->tx_top = sqlite3_column_int64(st, 0);
    pawl__stmt_done(st);
    return rc;
}

int
pawl__row_delete(struct pawl__sqlite *s, int64_t id, bool hold, pawl_error *err)
{
    int rc;

    if (hold)
        return pawl__stmt_run_ints(&s->w, PAWL__STMT_JOB_HOLD, id, 0,
                                   "keep a unique key", err);
    rc = settle_top(s, err);
    if (rc != PAWL_OK)
        return rc;
    if (id != s->tx_top)
        return pawl__stmt_run_ints(&s->w, PAWL__STMT_JOB_DELETE, id, 0,
                                   "delete a job", err);
    rc = pawl__stmt_run_ints(&s->w, PAWL__STMT_JOB_MARK, id, 0,
                             "mark the newest job", err);
    if (rc == PAWL_OK)
        rc = pawl__stmt_run_ints(&s->w, PAWL__STMT_MARKS_CLEAR, id, 0,
                                 "clear old marks", err);
    return rc;
}

int
pawl__row_finish(struct pawl__sqlite *s, int64_t id, const char *state,
                 int attempts, const char *error, const char *result,
                 pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_JOB_FINISH, err);

    if (st == NULL)
        return err->code;
    (void)sqlite3_bind_int64(st, 1, id);
    pawl__bind_text(st, 2, state);
    (void)sqlite3_bind_int64(st, 3, pawl__wall_ms(s->env.clock));
    (void)sqlite3_bind_int(st, 4, attempts);
    pawl__bind_text(st, 5, error);
    pawl__bind_text(st, 6, result);
    return pawl__stmt_run(&s->w, st, "finish a job", err);
}

/* -------------------------------------------------------- ends of attempts */

/* The common case in one statement: no history, no key that must be held.
 * *done says whether it was that case. */
static int
settle_ack_fast(struct pawl__sqlite *s, const char *queue, int64_t id,
                int64_t now, bool *done, pawl_error *err)
{
    sqlite3_stmt *st;
    int rc = settle_top(s, err);

    *done = false;
    if (rc != PAWL_OK || id == s->tx_top)
        return rc;
    st = pawl__stmt(&s->w, PAWL__STMT_JOB_ACK, err);
    if (st == NULL)
        return err->code;
    (void)sqlite3_bind_int64(st, 1, id);
    pawl__bind_text(st, 2, queue);
    (void)sqlite3_bind_int64(st, 3, now);
    rc = pawl__stmt_run(&s->w, st, "ack a job", err);
    *done = rc == PAWL_OK && sqlite3_changes(s->w.db) == 1;
    return rc;
}

static int
settle_ack(struct pawl__sqlite *s, const struct pawl__settle *settle,
           pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_JOB_END_FACTS, err);
    bool found, keep = false, hold = false;
    int rc;

    if (st == NULL)
        return err->code;
    (void)sqlite3_bind_int64(st, 1, settle->job);
    (void)sqlite3_bind_int64(st, 2, pawl__wall_ms(s->env.clock));
    rc = pawl__stmt_step(&s->w, st, &found, "look at a job", err);
    if (found) {
        keep = sqlite3_column_int64(st, 1) != 0;
        hold = sqlite3_column_int(st, 2) != 0;
    }
    pawl__stmt_done(st);
    if (rc != PAWL_OK || !found) /* its row was deleted by hand */
        return rc;
    if (keep)
        return pawl__row_finish(s, settle->job, "done", 0, NULL, settle->text,
                                err);
    return pawl__row_delete(s, settle->job, hold, err);
}

static int
settle_put_off(struct pawl__sqlite *s, const struct pawl__settle *settle,
               pawl_error *err)
{
    bool counts = settle->outcome == PAWL__RETRY;
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_JOB_PUT_OFF, err);

    if (st == NULL)
        return err->code;
    (void)sqlite3_bind_int64(st, 1, settle->job);
    pawl__bind_text(st, 2,
                    settle->ready_at_ms > pawl__wall_ms(s->env.clock)
                        ? "delayed"
                        : "waiting");
    (void)sqlite3_bind_int64(st, 3, settle->ready_at_ms);
    (void)sqlite3_bind_int(st, 4, counts ? 1 : 0);
    pawl__bind_text(st, 5, counts ? settle->text : NULL);
    return pawl__stmt_run(&s->w, st, "put off a job", err);
}

static int
settle_outcome(struct pawl__sqlite *s, const struct pawl__settle *settle,
               pawl_error *err)
{
    switch (settle->outcome) {
    case PAWL__ACK:
        return settle_ack(s, settle, err);
    case PAWL__RETRY:
    case PAWL__SNOOZE:
        return settle_put_off(s, settle, err);
    case PAWL__FAIL:
        return pawl__row_finish(s, settle->job, "failed", 1, settle->text, NULL,
                                err);
    case PAWL__TIMEOUT:
        return pawl__row_finish(s, settle->job, "timeout", 1, settle->text,
                                NULL, err);
    case PAWL__RELEASE:
        break;
    }
    return PAWL_OK;
}

/* Acks whose claims are gone and whose rows go together: the fixed cost of a
 * statement is a third of such a deletion. */
struct settle_acks {
    const struct pawl__settle *all[PAWL__ACKS_TOGETHER];
    size_t n;
};

static int
settle_ack_one(struct pawl__sqlite *s, const char *queue,
               const struct pawl__settle *settle, pawl_error *err)
{
    bool done = false;
    int rc = settle_ack_fast(s, queue, settle->job, pawl__wall_ms(s->env.clock),
                             &done, err);

    return rc == PAWL_OK && !done ? settle_ack(s, settle, err) : rc;
}

/* All in one statement. *done is false where any was not the common case. */
static int
settle_acks_together(struct pawl__sqlite *s, const char *queue,
                     const struct settle_acks *acks, bool *done,
                     pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_JOBS_ACK, err);
    size_t i;
    int rc;

    if (st == NULL)
        return err->code;
    pawl__bind_text(st, 1, queue);
    (void)sqlite3_bind_int64(st, 2, pawl__wall_ms(s->env.clock));
    for (i = 0; i < acks->n; i++)
        (void)sqlite3_bind_int64(st, 3 + (int)i, acks->all[i]->job);
    rc = pawl__stmt_run(&s->w, st, "ack jobs", err);
    *done = rc == PAWL_OK && sqlite3_changes(s->w.db) == (int)acks->n;
    return rc;
}

/* Delete the rows, or do what else is due. */
static int
settle_acks_end(struct pawl__sqlite *s, const char *queue,
                struct settle_acks *acks, pawl_error *err)
{
    bool done = false;
    size_t i;
    int rc = PAWL_OK;

    if (acks->n == PAWL__ACKS_TOGETHER)
        rc = settle_acks_together(s, queue, acks, &done, err);
    for (i = 0; rc == PAWL_OK && !done && i < acks->n; i++)
        rc = settle_ack_one(s, queue, acks->all[i], err);
    acks->n = 0;
    return rc;
}

/* The claim goes; what becomes of the job, or that it is left to acks. */
static int
settle_one(struct pawl__sqlite *s, struct pawl__settle *settle, bool together,
           struct settle_acks *acks, pawl_error *err)
{
    int rc = pawl__stmt_run_ints(&s->w, PAWL__STMT_CLAIM_DELETE, settle->job,
                                 settle->token, "settle an attempt", err);

    if (rc != PAWL_OK)
        return rc;
    settle->status = sqlite3_changes(s->w.db) == 1 ? PAWL_OK : PAWL_STALE;
    if (settle->status != PAWL_OK)
        return PAWL_OK;
    pawl__point("settle: claim deleted");
    if (!together || settle->outcome != PAWL__ACK)
        return settle_outcome(s, settle, err);
    rc = settle_top(s, err);
    if (rc == PAWL_OK && settle->job == s->tx_top)
        return settle_ack(s, settle, err);
    acks->all[acks->n++] = settle;
    return rc;
}

int
pawl__settle_all(struct pawl__sqlite *s, const char *queue, int64_t retention_s,
                 struct pawl__settle *settles, size_t n, pawl_error *err)
{
    struct settle_acks acks = {.n = 0};
    size_t i;
    int rc = PAWL_OK;

    for (i = 0; rc == PAWL_OK && i < n; i++) {
        rc = settle_one(s, &settles[i], retention_s == 0, &acks, err);
        if (rc == PAWL_OK && acks.n == PAWL__ACKS_TOGETHER)
            rc = settle_acks_end(s, queue, &acks, err);
    }
    return rc == PAWL_OK ? settle_acks_end(s, queue, &acks, err) : rc;
}
