/* SPDX-License-Identifier: MIT */
/* change.c - what people do to jobs: retry, cancel, reload, flush, settings.
 *
 * A reload or flush of many goes in steps of bounded size, so that no writer
 * waits long. A step walks one state of one queue along its index; the cursor
 * remembers where it was.
 *
 * Locks: apply functions run under write_mu in an open transaction. */
#include "sqlite/change.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "sqlite/push.h"
#include "sqlite/row.h"
#include "sqlite/settle.h"

#define CHANGE_STEP 500
#define CHANGE_KEY_BYTES (255 * 4 + 1) /* 255 characters, by the schema */

/* --------------------------------------------------------------- one job */

struct change_op {
    struct pawl__op op;
    int64_t id;
    char *queue; /* OUT, 65 bytes; cancel */
};

struct change_facts {
    int state; /* 0: no such job */
    char queue[PAWL__QUEUE_BYTES];
    char key[CHANGE_KEY_BYTES]; /* "": none, or not held */
};

/* A text of the row; "" where it is NULL. */
static int
change_text(sqlite3_stmt *st, int column, char *out, size_t room,
            pawl_error *err)
{
    const char *text = "";

    if (sqlite3_column_type(st, column) != SQLITE_NULL)
        text = pawl__stmt_text_at(st, column, err);
    (void)snprintf(out, room, "%s", text != NULL ? text : "");
    return text != NULL ? PAWL_OK : err->code;
}

static int
change_read_facts(sqlite3_stmt *st, struct change_facts *f, pawl_error *err)
{
    char state[16];
    int rc = change_text(st, 0, state, sizeof state, err);

    if (rc == PAWL_OK)
        rc = change_text(st, 1, f->queue, sizeof f->queue, err);
    if (rc == PAWL_OK)
        rc = change_text(st, 2, f->key, sizeof f->key, err);
    f->state = sqlite3_column_int(st, 3) != 0 ? (int)PAWL_RESERVED
                                              : pawl__state_from_name(state);
    return rc;
}

static int
change_facts_of(struct pawl__sqlite *s, int64_t id, struct change_facts *f,
                pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_JOB_FACTS, err);
    bool found;
    int rc;

    memset(f, 0, sizeof *f);
    if (st == NULL)
        return err->code;
    (void)sqlite3_bind_int64(st, 1, id);
    rc = pawl__stmt_step(&s->w, st, &found, "look at a job", err);
    if (found)
        rc = change_read_facts(st, f, err);
    pawl__stmt_done(st);
    return rc;
}

/* Back to waiting. EXISTS when another job holds its key. */
static int
change_reopen(struct pawl__sqlite *s, int64_t id, const char *queue,
              const char *key, pawl_error *err)
{
    int64_t holder = 0;
    int rc = PAWL_OK;

    if (key[0] != '\0')
        rc = pawl__key_holder(s, queue, key, &holder, err);
    if (rc != PAWL_OK)
        return rc;
    if (holder != 0 && holder != id)
        return pawl__fail(err, PAWL_EXISTS, 0,
                          "the unique key of job %lld is taken by job %lld",
                          (long long)id, (long long)holder);
    return pawl__stmt_run_ints(&s->w, PAWL__STMT_JOB_REOPEN, id,
                               pawl__wall_ms(s->env.clock), "reload a job",
                               err);
}

static int
change_retry(struct pawl__sqlite *s, struct pawl__op *op)
{
    struct change_op *c = (struct change_op *)op;
    const int may = PAWL_TIMEOUT | PAWL_FAILED | PAWL_CANCELLED | PAWL_DELAYED;
    struct change_facts f;
    int rc = change_facts_of(s, c->id, &f, &op->err);

    if (rc != PAWL_OK)
        return rc;
    if (f.state == 0)
        return pawl__fail(&op->err, PAWL_NOT_FOUND, 0, "there is no job %lld",
                          (long long)c->id);
    if ((f.state & may) == 0)
        return pawl__fail(&op->err, PAWL_NOT_FOUND, 0,
                          "job %lld is %s: only timeout, failed, cancelled and "
                          "delayed jobs can be retried",
                          (long long)c->id, pawl_state_name(f.state));
    return change_reopen(s, c->id, f.queue, f.key, &op->err);
}

static int
change_cancel(struct pawl__sqlite *s, struct pawl__op *op)
{
    struct change_op *c = (struct change_op *)op;
    const int may = PAWL_WAITING | PAWL_DELAYED | PAWL_RESERVED;
    struct change_facts f;
    int rc = change_facts_of(s, c->id, &f, &op->err);

    if (rc != PAWL_OK)
        return rc;
    if (f.state == 0)
        return pawl__fail(&op->err, PAWL_NOT_FOUND, 0, "there is no job %lld",
                          (long long)c->id);
    if ((f.state & may) == 0)
        return pawl__fail(&op->err, PAWL_NOT_FOUND, 0, "job %lld is %s already",
                          (long long)c->id, pawl_state_name(f.state));
    (void)snprintf(c->queue, 65, "%.64s", f.queue);
    rc = pawl__stmt_run_ints(&s->w, PAWL__STMT_CLAIM_DROP, c->id, 0,
                             "cancel an attempt", &op->err);
    if (rc != PAWL_OK)
        return rc;
    return pawl__row_finish(s, c->id, "cancelled", 0, NULL, NULL, &op->err);
}

static int
change_run(struct pawl__sqlite *s, struct pawl__op *op, pawl_error *err)
{
    if (pawl__commit_run(s, op) != PAWL_OK && err != NULL)
        *err = op->err;
    return op->rc;
}

int
pawl__sqlite_retry(void *self, int64_t id, pawl_error *err)
{
    struct change_op c;

    memset(&c, 0, sizeof c);
    c.op.apply = change_retry;
    c.op.durable = true;
    c.id = id;
    return change_run(self, &c.op, err);
}

int
pawl__sqlite_cancel(void *self, int64_t id, char *queue, pawl_error *err)
{
    struct change_op c;

    memset(&c, 0, sizeof c);
    c.op.apply = change_cancel;
    c.op.durable = c.op.drains = true;
    c.id = id;
    c.queue = queue;
    return change_run(self, &c.op, err);
}

/* ------------------------------------------------------------- many jobs */

struct change_rows {
    int64_t id[CHANGE_STEP];
    int64_t at[CHANGE_STEP];
    char key[CHANGE_STEP][CHANGE_KEY_BYTES];
    size_t n;
};

struct change_move {
    struct pawl__op op;
    struct pawl__move *move;
    struct pawl__move before; /* as the step began: it may run again */
    struct change_rows *rows;
};

static enum pawl__stmt_id
change_source(unsigned state)
{
    if (state == PAWL_WAITING)
        return PAWL__STMT_MOVE_WAITING;
    if (state == PAWL_DELAYED)
        return PAWL__STMT_MOVE_DELAYED;
    return PAWL__STMT_MOVE_FINISHED;
}

static int
change_read(struct pawl__sqlite *s, const struct pawl__move *m,
            struct change_rows *rows, pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, change_source(m->cursor.state), err);
    int step = SQLITE_DONE, rc = PAWL_OK;

    rows->n = 0;
    if (st == NULL)
        return err->code;
    pawl__bind_text(st, 1, m->cursor.queue);
    pawl__bind_text(st, 2, pawl_state_name((int)m->cursor.state));
    (void)sqlite3_bind_int64(st, 3, m->cursor.at_ms);
    (void)sqlite3_bind_int64(st, 4, m->cursor.id);
    (void)sqlite3_bind_int64(st, 5, CHANGE_STEP);
    while (rc == PAWL_OK && rows->n < CHANGE_STEP &&
           (step = sqlite3_step(st)) == SQLITE_ROW) {
        rows->id[rows->n] = sqlite3_column_int64(st, 0);
        rows->at[rows->n] = sqlite3_column_int64(st, 1);
        rc = change_text(st, 2, rows->key[rows->n], sizeof rows->key[0], err);
        rows->n++;
    }
    if (rc == PAWL_OK && step != SQLITE_DONE && step != SQLITE_ROW)
        rc = pawl__conn_fail(&s->w, "look for jobs to move", err);
    pawl__stmt_done(st);
    return rc;
}

static int
change_rows_of(struct pawl__sqlite *s, struct pawl__move *m,
               struct change_rows *rows, pawl_error *err)
{
    size_t i;
    int rc = change_read(s, m, rows, err);

    for (i = 0; rc == PAWL_OK && i < rows->n; i++) {
        if (m->kind == PAWL__MOVE_FLUSH)
            rc = pawl__row_delete(s, rows->id[i], false, err);
        else
            rc = change_reopen(s, rows->id[i], m->cursor.queue, rows->key[i],
                               err);
        if (rc == PAWL_OK)
            m->n++;
        else if (rc == PAWL_EXISTS) /* it stays */
            rc = PAWL_OK;
        m->cursor.at_ms = rows->at[i];
        m->cursor.id = rows->id[i];
    }
    return rc;
}

/* The first state of the mask above the given one; 0: none. */
static unsigned
change_next_state(unsigned mask, unsigned state)
{
    unsigned bit;

    for (bit = state == 0 ? 1 : state << 1; bit <= PAWL_CANCELLED; bit <<= 1)
        if (mask & bit)
            return bit;
    return 0;
}

static int
change_next_queue(struct pawl__sqlite *s, struct pawl__move *m, bool *found,
                  pawl_error *err)
{
    int64_t unused;

    if (m->queue != NULL) {
        *found = m->cursor.queue[0] == '\0';
        (void)snprintf(m->cursor.queue, sizeof m->cursor.queue, "%s", m->queue);
        return PAWL_OK;
    }
    return pawl__row_next_queue(&s->w, m->cursor.queue, found, &unused, err);
}

/* Move the cursor to the next state, or the first of the next queue. */
static int
change_advance(struct pawl__sqlite *s, struct pawl__move *m, bool *more,
               pawl_error *err)
{
    int rc = PAWL_OK;

    *more = true;
    m->cursor.at_ms = INT64_MIN;
    m->cursor.id = 0;
    if (m->cursor.queue[0] != '\0')
        m->cursor.state = change_next_state(m->states, m->cursor.state);
    if (m->cursor.queue[0] == '\0' || m->cursor.state == 0) {
        rc = change_next_queue(s, m, more, err);
        m->cursor.state = change_next_state(m->states, 0);
    }
    return rc;
}

static int
change_move(struct pawl__sqlite *s, struct pawl__op *op)
{
    struct change_move *c = (struct change_move *)op;
    struct pawl__move *m = c->move;
    bool more = true;
    int rc = PAWL_OK;

    *m = c->before;
    m->n = 0;
    c->rows->n = 0;
    if (m->cursor.state == 0)
        rc = change_advance(s, m, &more, &op->err);
    while (rc == PAWL_OK && more) {
        rc = change_rows_of(s, m, c->rows, &op->err);
        if (rc != PAWL_OK || c->rows->n > 0)
            break;
        rc = change_advance(s, m, &more, &op->err);
    }
    m->more = more;
    return rc;
}

int
pawl__sqlite_move(void *self, struct pawl__move *move, pawl_error *err)
{
    struct change_move c;

    memset(&c, 0, sizeof c);
    c.op.apply = change_move;
    c.op.durable = true;
    c.op.drains = move->kind == PAWL__MOVE_FLUSH;
    c.move = move;
    c.before = *move;
    c.rows = pawl__malloc(sizeof *c.rows);
    if (c.rows == NULL)
        return pawl__fail_nomem(err);
    (void)change_run(self, &c.op, err);
    pawl__free(c.rows);
    if (c.op.rc != PAWL_OK) {
        *move = c.before;
        move->n = 0;
    }
    return c.op.rc;
}

/* --------------------------------------------------------------- settings */

struct change_set {
    struct pawl__op op;
    const char *queue;
    const struct pawl__setting *field;
    int64_t value;
    bool or_default;
};

/* The column's name is one of our own table, so it may stand in the text. */
static int
change_set(struct pawl__sqlite *s, struct pawl__op *op)
{
    struct change_set *c = (struct change_set *)op;
    const char *name = c->field->name;
    sqlite3_stmt *st = NULL;
    char sql[200];
    int rc = PAWL_OK;

    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO pawl_queue(name, %s) VALUES (?1, ?2) "
                   "ON CONFLICT(name) DO UPDATE SET %s = ?2",
                   name, name);
    if (sqlite3_prepare_v2(s->w.db, sql, -1, &st, NULL) != SQLITE_OK)
        return pawl__conn_fail(&s->w, "set a setting", &op->err);
    pawl__bind_text(st, 1, c->queue);
    if (!c->or_default)
        (void)sqlite3_bind_int64(st, 2, c->value);
    if (sqlite3_step(st) != SQLITE_DONE)
        rc = pawl__conn_fail(&s->w, "set a setting", &op->err);
    (void)sqlite3_finalize(st);
    return rc;
}

int
pawl__sqlite_set(void *self, const char *queue,
                 const struct pawl__setting *field, int64_t value,
                 bool or_default, pawl_error *err)
{
    struct change_set c;

    memset(&c, 0, sizeof c);
    c.op.apply = change_set;
    c.op.durable = true;
    c.queue = queue;
    c.field = field;
    c.value = value;
    c.or_default = or_default;
    return change_run(self, &c.op, err);
}
