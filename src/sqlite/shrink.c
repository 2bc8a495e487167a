/* SPDX-License-Identifier: MIT */
/* shrink.c - give free pages back to the disk, once a backlog is gone.
 *
 * A file that Pawl makes has auto_vacuum=INCREMENTAL: SQLite then keeps a map
 * of who points to each page, which costs a bulk push up to a twentieth, and
 * can move pages from the end of the file into free ones. A file that another
 * program made is left as that program wants it.
 *
 * It begins when a quarter of the file is free, and goes on until nothing is,
 * so that a queue whose length goes up and down does not pay each time. Steps
 * are small transactions, a few a sweep: no push waits for long. The file gets
 * shorter at the checkpoint after the last step.
 *
 * Locks: apply functions run under write_mu in an open transaction. */
#include "sqlite/shrink.h"

#include <string.h>

#include "base/point.h"
#include "sqlite/checkpoint.h"
#include "sqlite/commit.h"

#define SHRINK_FROM 256 /* free pages; 1 MiB is not worth it */
#define SHRINK_PART 4   /* and one page in so many is free */
#define SHRINK_STEPS 4  /* of 500 pages (stmt.c) a sweep: 8 MB a second */

#ifdef PAWL_TESTING
int64_t pawl__shrink_from;
#define SHRINK_LEAST (pawl__shrink_from != 0 ? pawl__shrink_from : SHRINK_FROM)
#else
#define SHRINK_LEAST SHRINK_FROM
#endif

struct shrink_op {
    struct pawl__op op;
    int64_t n_free; /* OUT: pages that are still free */
    bool goes_on;   /* OUT: the file is to shrink */
};

static int
shrink_count(struct pawl__sqlite *s, enum pawl__stmt_id id, int64_t *n,
             pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, id, err);
    bool found;
    int rc;

    if (st == NULL)
        return err->code;
    rc = pawl__stmt_step(&s->w, st, &found, "count pages", err);
    *n = found ? sqlite3_column_int64(st, 0) : 0;
    pawl__stmt_done(st);
    return rc;
}

/* SQLite gives a row for each page. */
static int
shrink_step(struct pawl__sqlite *s, pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_SHRINK, err);
    int step, rc = PAWL_OK;

    if (st == NULL)
        return err->code;
    while ((step = sqlite3_step(st)) == SQLITE_ROW)
        continue;
    if (step != SQLITE_DONE)
        rc = pawl__conn_fail(&s->w, "shrink the file", err);
    pawl__stmt_done(st);
    pawl__point("shrink: moved");
    return rc;
}

static int
shrink_apply(struct pawl__sqlite *s, struct pawl__op *op)
{
    struct shrink_op *o = (struct shrink_op *)op;
    int64_t pages = 0;
    int rc = shrink_count(s, PAWL__STMT_FREE_PAGES, &o->n_free, &op->err);

    if (rc == PAWL_OK && !s->shrinking)
        rc = shrink_count(s, PAWL__STMT_PAGES, &pages, &op->err);
    if (rc == PAWL_OK && !s->shrinking)
        s->shrinking =
            o->n_free >= SHRINK_LEAST && o->n_free >= pages / SHRINK_PART;
    if (rc == PAWL_OK && s->shrinking && o->n_free > 0)
        rc = shrink_step(s, &op->err);
    if (rc == PAWL_OK && s->shrinking)
        rc = shrink_count(s, PAWL__STMT_FREE_PAGES, &o->n_free, &op->err);
    o->goes_on = s->shrinking;
    return rc;
}

/* Nothing is free any more: copy the log back, which cuts the file. */
static void
shrink_end(struct pawl__sqlite *s)
{
    pawl_error ignored;

    pawl__lock(&s->write_mu);
    s->shrinking = false;
    if (pawl__store_check(s, &ignored) == PAWL_OK)
        pawl__checkpoint_locked(s);
    pawl__unlock(&s->write_mu);
}

void
pawl__shrink(struct pawl__sqlite *s)
{
    struct shrink_op o;
    int i;

    if (!s->may_shrink)
        return;
    for (i = 0; i < SHRINK_STEPS; i++) {
        memset(&o, 0, sizeof o);
        o.op.apply = shrink_apply;
        o.op.quiet = true;
        if (pawl__commit_run(s, &o.op) != PAWL_OK || !o.goes_on)
            return;
        if (o.n_free == 0) {
            shrink_end(s);
            return;
        }
    }
}
