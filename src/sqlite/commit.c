/* SPDX-License-Identifier: MIT */
/* commit.c - leader/follower group commit.
 *
 * A caller appends its operation to the batch that gathers. The first of a
 * batch becomes its leader: it waits until the leader before it is through,
 * closes the batch, runs all of its operations in one BEGIN IMMEDIATE
 * transaction, and wakes the rest. Alone, a caller finds no leader and commits
 * at once: no hand-off. Under load the batch that gathers during one sync is
 * the next transaction. Before it closes its batch a leader waits a moment for
 * those that were in the last one: woken together, they come back together,
 * and without this pause they would fall into two camps that take turns.
 *
 * Invariant: at most one leader runs (leading). It takes write_mu, which is
 * otherwise held only by checkpoints and close. A failed operation undoes only
 * itself: operations of several statements run inside a savepoint (which costs
 * as much as a small push, so a plain one has none); where
 * SQLite gave up the whole transaction, each operation is run again alone.
 *
 * After each COMMIT, before anyone is told, the paths of the database, the
 * -wal and the -shm are compared with what was opened (place.c): when another
 * closed the database behind our back (any close() of the file in this process
 * drops SQLite's locks), a shell that exits deletes our log (guard.c keeps most
 * from it), and commits into it are lost although they return OK. Then, and
 * when COMMIT itself meets an I/O error, the result is PAWL_UNKNOWN and the
 * store is poisoned: a failed fsync is never retried as if it had worked
 * (promise 2). */
#include "sqlite/commit.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/alloc.h"
#include "base/point.h"
#include "sqlite/checkpoint.h"

#define COMMIT_AWAKE_US 200     /* at most; several times such a commit */
#define COMMIT_ASYNC_LEAD 256   /* gathered: the pusher commits them */
#define COMMIT_ASYNC_LIMIT 4096 /* in flight: the pusher waits */

struct pawl__batch {
    struct pawl__op *first, *last;
    size_t n;
    _Atomic size_t n_seen; /* n, for the leader's pause, read without mu */
    size_t waiting;        /* callers that still look at this; guarded by mu */
    bool syncs;            /* an operation asks for it; guarded by mu */
    struct pawl__event lead; /* the leader may begin */
    struct pawl__event done; /* all operations have their rc */
};

int
pawl__store_check(struct pawl__sqlite *s, pawl_error *err)
{
    /* Acquire is not needed: the flag alone decides, and is never unset. */
    if (atomic_load_explicit(&s->poisoned, memory_order_relaxed) == 0)
        return PAWL_OK;
    return pawl__fail(err, PAWL_POISONED, 0,
                      "the store met an I/O error and refuses work: close it, "
                      "look at the disk, and open it again");
}

void
pawl__store_poison(struct pawl__sqlite *s)
{
    atomic_store_explicit(&s->poisoned, 1, memory_order_relaxed);
}

int
pawl__commit_init(struct pawl__commit *commit)
{
    pawl__mutex_init(&commit->mu, PAWL__RANK_COMMIT);
    pawl__cond_init(&commit->async_done);
    return PAWL_OK;
}

void
pawl__commit_clear(struct pawl__commit *commit)
{
    pawl__cond_clear(&commit->async_done);
    pawl__mutex_clear(&commit->mu);
}

/* ------------------------------------------------------- one transaction */

static void
commit_rollback(struct pawl__sqlite *s)
{
    pawl_error ignored;

    s->known_queue[0] = '\0'; /* its row may have been undone */
    if (sqlite3_get_autocommit(s->w.db) == 0)
        (void)pawl__stmt_run_ints(&s->w, PAWL__STMT_ROLLBACK, 0, 0, "roll back",
                                  &ignored);
}

/* Errors after which nothing that the connection says can be trusted. A broken
 * constraint, also PAWL_CORRUPT, is not among them. */
static bool
commit_is_fatal(const pawl_error *err)
{
    int primary = err->sys_code & 0xff;

    return err->sys_code != SQLITE_IOERR_NOMEM &&
           (primary == SQLITE_IOERR || primary == SQLITE_CORRUPT ||
            primary == SQLITE_NOTADB);
}

static int
commit_unknown(struct pawl__sqlite *s, int sys_code, const char *what,
               pawl_error *err)
{
    pawl__store_poison(s);
    return pawl__fail(err, PAWL_UNKNOWN, sys_code,
                      "%s: the work may be done or not; close the store, look "
                      "at the disk, open it again and repeat with a unique key",
                      what);
}

/* A file is gone, but we have it open. While all still share the -shm, what
 * the log holds can be copied back, so that nothing of it is lost with it; of
 * two that close at once neither might. */
static int
commit_save_log(struct pawl__sqlite *s, pawl_error *err)
{
    if (pawl__place_shm_is_same(&s->place))
        pawl__checkpoint_locked(s);
    return commit_unknown(s, 0,
                          "the database, its -wal or -shm was moved, deleted "
                          "or replaced by another program",
                          err);
}

static int
commit_end(struct pawl__sqlite *s, bool quiet, pawl_error *err)
{
    int rc;

    pawl__point("commit: applied");
    rc = pawl__stmt_run_ints(&s->w, PAWL__STMT_COMMIT, 0, 0, "commit", err);
    pawl__point("commit: committed");
    if (rc != PAWL_OK && rc != PAWL_FULL && rc != PAWL_BUSY &&
        rc != PAWL_NOMEM) {
        rc = commit_unknown(s, err->sys_code, "the commit met an I/O error",
                            err);
        commit_rollback(s);
        return rc;
    }
    if (rc != PAWL_OK) {
        commit_rollback(s);
        return rc;
    }
    /* Without the -wal our commits go nowhere; without the -shm newcomers do
     * not see our locks. */
    if (!pawl__place_is_same(&s->place))
        return commit_save_log(s, err);
    s->n_commits++;
    if (!quiet)
        pawl__side_ring(&s->side);
    return PAWL_OK;
}

/* Run one operation in the open transaction. A savepoint lets it fail alone;
 * without company, or when it is plain, it needs none. */
static void
commit_apply(struct pawl__sqlite *s, struct pawl__op *op, bool alone)
{
    pawl_error ignored;

    op->err.code = op->err.sys_code = 0;
    alone = alone || op->plain;
    if (!alone)
        op->rc = pawl__stmt_run_ints(&s->w, PAWL__STMT_SAVEPOINT, 0, 0,
                                     "begin an operation", &op->err);
    if (alone || op->rc == PAWL_OK)
        op->rc = op->apply(s, op);
    if (op->rc != PAWL_OK && commit_is_fatal(&op->err))
        pawl__store_poison(s);
    if (alone || sqlite3_get_autocommit(s->w.db) != 0)
        return;
    if (op->rc != PAWL_OK) {
        s->known_queue[0] = '\0';
        (void)pawl__stmt_run_ints(&s->w, PAWL__STMT_SAVEPOINT_UNDO, 0, 0,
                                  "undo", &ignored);
    }
    (void)pawl__stmt_run_ints(&s->w, PAWL__STMT_SAVEPOINT_END, 0, 0, "end",
                              &ignored);
}

static int
commit_begin(struct pawl__sqlite *s, bool durable, pawl_error *err)
{
    int rc = pawl__store_check(s, err);

    if (rc == PAWL_OK && sqlite3_get_autocommit(s->w.db) == 0)
        commit_rollback(s); /* an earlier one failed for lack of memory */
    if (rc == PAWL_OK)
        rc = pawl__conn_synchronous(&s->w, durable ? 2 : 1, err);
    pawl__conn_patience(&s->w);
    s->tx_top = 0;
    if (rc == PAWL_OK)
        rc = pawl__stmt_run_ints(&s->w, PAWL__STMT_BEGIN_WRITE, 0, 0,
                                 "begin to write", err);
    if (rc == PAWL_IO)
        pawl__store_poison(s);
    pawl__point("commit: begun");
    return rc;
}

static void
commit_all_failed(struct pawl__op *first, int rc, const pawl_error *err)
{
    struct pawl__op *op;

    for (op = first; op != NULL; op = op->next) {
        op->rc = rc;
        op->err = *err;
    }
}

static bool
commit_wants_sync(struct pawl__sqlite *s, const struct pawl__op *first)
{
    const struct pawl__op *op;

    for (op = first; op != NULL; op = op->next)
        if (op->durable)
            return s->env.options->durability == PAWL_POWER;
    return false;
}

/* One operation in a transaction of its own. */
static void
commit_one(struct pawl__sqlite *s, struct pawl__op *op)
{
    memset(&op->err, 0, sizeof op->err);
    op->rc = commit_begin(
        s, op->durable && s->env.options->durability == PAWL_POWER, &op->err);
    if (op->rc != PAWL_OK)
        return;
    commit_apply(s, op, true);
    if (op->rc != PAWL_OK)
        commit_rollback(s);
    else
        op->rc = commit_end(s, op->quiet, &op->err);
}

/* A full disk: give the ballast back and try once more what frees space. The
 * log is appended to first; copying it back may need room too, for rows that
 * are not in the database yet. */
static void
commit_on_reserve(struct pawl__sqlite *s, struct pawl__op *op)
{
    if (op->rc != PAWL_FULL || !op->drains)
        return;
    pawl__side_ballast_drop(&s->side);
    pawl__point("commit: reserve given");
    commit_one(s, op);
    if (op->rc != PAWL_FULL)
        return;
    pawl__checkpoint_locked(s);
    commit_one(s, op);
}

static void
commit_each(struct pawl__sqlite *s, struct pawl__op *first)
{
    struct pawl__op *op;

    for (op = first; op != NULL; op = op->next) {
        commit_one(s, op);
        commit_on_reserve(s, op);
    }
}

/* Run a list of operations, each getting its rc. Holds write_mu. */
static void
commit_batch(struct pawl__sqlite *s, struct pawl__op *first)
{
    bool alone = first->next == NULL, quiet = true;
    struct pawl__op *op;
    pawl_error err;
    int rc;

    memset(&err, 0, sizeof err);
    rc = commit_begin(s, commit_wants_sync(s, first), &err);
    if (rc != PAWL_OK) {
        commit_all_failed(first, rc, &err);
        if (rc == PAWL_FULL)
            commit_each(s, first);
        return;
    }
    for (op = first; op != NULL; op = op->next) {
        commit_apply(s, op, alone);
        if (pawl__store_check(s, &err) != PAWL_OK) { /* this op's error did */
            if (op->rc != PAWL_OK)
                err = op->err;
            commit_rollback(s);
            commit_all_failed(first, err.code, &err);
            return;
        }
        if (alone && op->rc != PAWL_OK) {
            commit_rollback(s);
            commit_on_reserve(s, op);
            return;
        }
        if (sqlite3_get_autocommit(s->w.db) != 0) { /* SQLite gave up all */
            s->known_queue[0] = '\0';
            commit_each(s, first);
            return;
        }
    }
    for (op = first; op != NULL; op = op->next)
        quiet = quiet && op->quiet;
    rc = commit_end(s, quiet, &err);
    if (rc == PAWL_OK)
        return;
    if (rc == PAWL_UNKNOWN || rc == PAWL_POISONED) {
        for (op = first; op != NULL; op = op->next)
            if (op->rc == PAWL_OK) { /* a refused one stays refused */
                op->rc = rc;
                op->err = err;
            }
        return;
    }
    commit_each(s, first);
}

/* -------------------------------------------------------------- the batch */

static struct pawl__batch *
commit_batch_new(void)
{
    struct pawl__batch *b = pawl__calloc(1, sizeof *b);

    if (b != NULL) {
        pawl__event_init(&b->lead);
        pawl__event_init(&b->done);
    }
    return b;
}

static void
commit_batch_free(struct pawl__batch *b)
{
    pawl__event_clear(&b->lead);
    pawl__event_clear(&b->done);
    pawl__free(b);
}

/* Wait a moment for the callers of the last transaction: no longer than a
 * quarter of what that took. */
static void
commit_pause(struct pawl__batch *b, size_t last_n, int64_t last_us)
{
    int64_t until;

    if (last_n < 2 ||
        atomic_load_explicit(&b->n_seen, memory_order_relaxed) >= last_n)
        return;
    until = pawl__real_us() + last_us / 4;
    while (atomic_load_explicit(&b->n_seen, memory_order_relaxed) < last_n &&
           pawl__real_us() < until)
        (void)sched_yield();
}

/* Take the asynchronous pushes too. Returns the list's head. */
static struct pawl__op *
commit_close_batch(struct pawl__commit *c, struct pawl__batch *b,
                   struct pawl__op **async)
{
    c->gathering = NULL;
    c->syncing = b->syncs;
    *async = c->async_first;
    c->async_first = c->async_last = NULL;
    c->n_async = 0;
    b->last->next = *async;
    return b->first;
}

/* Call back, in order of their start. */
static void
commit_tell(struct pawl__sqlite *s, struct pawl__op *op)
{
    struct pawl__commit *c = &s->commit;
    struct pawl__op *next;
    uint64_t n = 0;

    if (op == NULL)
        return;
    /* Only compared with a thread's own mark: no order is needed. */
    atomic_store_explicit(&c->leader, (uintptr_t)pthread_self(),
                          memory_order_relaxed);
    for (; op != NULL; op = next, n++) {
        next = op->next;
        op->done(s, op);
    }
    atomic_store_explicit(&c->leader, 0, memory_order_relaxed);
    pawl__lock(&c->mu);
    c->async_finished += n;
    pawl__cond_broadcast(&c->async_done);
    pawl__unlock(&c->mu);
}

static void
commit_lead(struct pawl__sqlite *s, struct pawl__batch *b)
{
    struct pawl__commit *c = &s->commit;
    struct pawl__batch *next;
    struct pawl__op *first, *async;
    int64_t began;
    size_t n;

    commit_pause(b, c->last_n, c->last_us); /* ours while we lead */
    pawl__lock(&c->mu);
    first = commit_close_batch(c, b, &async);
    n = b->n;
    pawl__unlock(&c->mu);
    began = pawl__real_us();
    pawl__lock(&s->write_mu);
    commit_batch(s, first);
    c->last_us = pawl__real_us() - began;
    c->last_n = n;
    b->last->next = NULL;
    pawl__event_set(&b->done);
    pawl__point("commit: told");
    pawl__checkpoint_if_due(s);
    pawl__unlock(&s->write_mu);
    commit_tell(s, async);
    pawl__lock(&c->mu);
    next = c->gathering;
    if (next == NULL)
        c->leading = false;
    pawl__unlock(&c->mu);
    if (next != NULL)
        pawl__event_set(&next->lead);
}

/* How long a caller of this batch waits awake: to sleep and be woken takes
 * longer than a transaction that syncs nothing. Holds mu. */
static int64_t
commit_awake_us(const struct pawl__commit *c, const struct pawl__batch *b)
{
    return b->syncs || (c->leading && c->syncing) ? 0 : COMMIT_AWAKE_US;
}

/* Run a list of operations in one transaction. */
static void
commit_run(struct pawl__sqlite *s, struct pawl__op *op, struct pawl__op *end)
{
    struct pawl__commit *c = &s->commit;
    struct pawl__batch *b;
    bool first, now = false, last;
    int64_t awake_us;
    pawl_error err;

    end->next = NULL;
    pawl__lock(&c->mu);
    b = c->gathering;
    first = b == NULL;
    if (first) {
        b = commit_batch_new();
        if (b == NULL) {
            pawl__unlock(&c->mu);
            commit_all_failed(op, pawl__fail_nomem(&err), &err);
            return;
        }
        c->gathering = b;
        b->first = op;
        now = !c->leading;
        c->leading = true;
    } else {
        b->last->next = op;
    }
    b->last = end;
    b->n++;
    b->waiting++;
    b->syncs = b->syncs || commit_wants_sync(s, op);
    awake_us = commit_awake_us(c, b);
    atomic_store_explicit(&b->n_seen, b->n, memory_order_relaxed);
    pawl__unlock(&c->mu);
    if (first && !now)
        pawl__event_wait(&b->lead, awake_us);
    if (first)
        commit_lead(s, b);
    else
        pawl__event_wait(&b->done, awake_us);
    pawl__lock(&c->mu);
    last = --b->waiting == 0;
    pawl__unlock(&c->mu);
    if (last)
        commit_batch_free(b);
}

int
pawl__commit_run(struct pawl__sqlite *s, struct pawl__op *op)
{
    commit_run(s, op, op);
    return op->rc;
}

void
pawl__commit_run_two(struct pawl__sqlite *s, struct pawl__op *op,
                     struct pawl__op *second)
{
    op->next = second;
    commit_run(s, op, second);
}

/* ----------------------------------------------------- asynchronous pushes */

static int
commit_nothing(struct pawl__sqlite *s, struct pawl__op *op)
{
    (void)s;
    (void)op;
    return PAWL_OK;
}

static int
commit_flush(struct pawl__sqlite *s, pawl_error *err)
{
    struct pawl__op op;
    int rc;

    memset(&op, 0, sizeof op);
    op.apply = commit_nothing;
    op.durable = true;
    rc = pawl__commit_run(s, &op);
    if (rc != PAWL_OK && err != NULL)
        *err = op.err;
    return rc;
}

void
pawl__commit_start(struct pawl__sqlite *s, struct pawl__op *op)
{
    struct pawl__commit *c = &s->commit;
    bool lead, calling_back;

    op->next = NULL;
    calling_back = atomic_load_explicit(&c->leader, memory_order_relaxed) ==
                   (uintptr_t)pthread_self();
    pawl__lock(&c->mu);
    if (c->async_last != NULL)
        c->async_last->next = op;
    else
        c->async_first = op;
    c->async_last = op;
    c->n_async++;
    c->async_started++;
    lead = !calling_back &&
           ((c->n_async >= COMMIT_ASYNC_LEAD && !c->leading) ||
            c->async_started - c->async_finished >= COMMIT_ASYNC_LIMIT);
    pawl__unlock(&c->mu);
    if (lead)
        (void)commit_flush(s, NULL);
}

bool
pawl__commit_pending(struct pawl__sqlite *s)
{
    bool pending;

    pawl__lock(&s->commit.mu);
    pending = s->commit.async_first != NULL;
    pawl__unlock(&s->commit.mu);
    return pending;
}

int
pawl__commit_sync(struct pawl__sqlite *s, pawl_error *err)
{
    struct pawl__commit *c = &s->commit;
    uint64_t wanted;
    int rc = PAWL_OK;

    pawl__lock(&c->mu);
    wanted = c->async_started;
    while (rc == PAWL_OK && c->async_finished < wanted) {
        if (c->async_first == NULL) { /* a leader has them */
            pawl__cond_wait(&c->async_done, &c->mu);
            continue;
        }
        pawl__unlock(&c->mu);
        rc = commit_flush(s, err);
        pawl__lock(&c->mu);
        if (c->async_finished >= wanted)
            rc = PAWL_OK; /* all were told, if only of a failure */
    }
    pawl__unlock(&c->mu);
    return rc;
}
