/* SPDX-License-Identifier: MIT */
/* commit.pml - the group commit of src/sqlite/commit.c.
 *
 * One step here is one critical section of commit->mu, one atomic operation
 * on an event, one futex call, or one SQLite transaction. Between any two of
 * them any other thread may do anything.
 *
 *   here              in the library
 *   ev_set, ev_wait   base/thread.c pawl__event_set(), pawl__event_wait(): the
 *                     exchange and the FUTEX_WAKE are two steps, as are the
 *                     compare-and-swap and the FUTEX_WAIT
 *   commit_run        sqlite/commit.c pawl__commit_run()
 *   commit_lead       commit_lead(); the pause before it is no step: it ends
 *                     by its time, whatever others do
 *   commit_batch      commit_batch() with commit_begin, commit_apply,
 *                     commit_end, commit_each
 *   commit_tell       commit_tell()
 *   commit_start      pawl__commit_start()
 *   commit_sync       pawl__commit_sync()
 *   Caller            any blocking operation of the driver
 *   Starter           pawl_push_async(), whose callback pushes again
 *   Timer             engine/timer.c timer_work(): async_pending, sync
 *   Closer            sqlite/open.c pawl__sqlite_close(), all others being
 *                     through: see close_sync
 *
 * write_mu is not modelled: its only other holder is close, after all.
 * Of out of memory nothing is modelled.
 *
 * Checked: no request is told OK before the commit that holds it, nor a
 * refused or poisoned one after being committed; each is told once; one
 * leader; no batch is touched after it was freed; nothing commits once the
 * store is poisoned; nobody waits for ever (no end state but the last).
 *
 * Two configurations: callers alone (CALLERS, TURNS), and with -DASYNCS also
 * the asynchronous pushes, the timer and close.
 *
 * Controls, each of which must fail:
 *   -DWAKE_BEFORE_COMMIT  the leader sets done before it commits
 *   -DLOST_WAKEUP         the leader looks for the next batch and says that it
 *                         leads no more in two critical sections
 *   -DBARE_FUTEX          FUTEX_WAIT does not compare the value
 *   -DCLOSE_SYNCS_ONCE    close waits for what was started before it, and not
 *                         for what the callbacks start meanwhile */

#ifndef TURNS
#define TURNS 2 /* requests of each caller */
#endif
#ifndef CALLERS
#define CALLERS 2
#endif
#define STARTER (CALLERS) /* operations: by process, those of flushes too */
#define TIMER (CALLERS + 1)
#define CLOSER (CALLERS + 2)
#define PROCS (CALLERS + 3)
#define ASYNC PROCS /* and the asynchronous ones behind them */
#define OPS (ASYNC + 3)
#ifndef ASYNC_LEAD
#define ASYNC_LEAD 2 /* COMMIT_ASYNC_LEAD */
#endif
#define ASYNC_LIMIT 3 /* COMMIT_ASYNC_LIMIT */
#define BATCHES 4
#define NONE 15

/* rc of an operation */
#define PENDING 0
#define OK 1
#define REFUSED 2
#define UNKNOWN 3
#define POISONED 4
#define EACH 5 /* of a transaction only */

/* an event */
#define UNSET 0
#define SET 1
#define AWAITED 2

typedef Batch {
    bool live;
    byte ops; /* a set: CALLERS and flushes only */
    byte waiting;
    byte lead, done;
};
Batch batch[BATCHES];

byte gathering = NONE;
bool leading;
byte async_list; /* a set, shifted by ASYNC */
byte n_async, async_started, async_finished;
bool poisoned;

byte rc[OPS];
bool committed[OPS];
byte told[3];       /* of async operations */
byte n_leaders;
byte asleep[PROCS]; /* 0; else in which FUTEX_WAIT */
bool awaits[PROCS]; /* in cond_wait(async_done) */
byte n_through;     /* callers and starter that are through */
bool timer_stop, timer_ended, all_closed;

#define EV_LEAD(b_) (2 * (b_) + 1)
#define EV_DONE(b_) (2 * (b_) + 2)

/* ----------------------------------------------------------------- events */

inline ev_set(field_, id_)
{
    d_step {
        was = field_;
        field_ = SET
    }
    if
    :: was == AWAITED ->
        d_step {
            i = 0;
            do
            :: i < PROCS ->
                if
                :: asleep[i] == id_ -> asleep[i] = 0
                :: else
                fi;
                i++
            :: else -> break
            od;
            i = 0; was = 0
        }
    :: else -> was = 0
    fi
}

inline ev_wait(field_, id_)
{
    do
    :: atomic { field_ == SET -> break }
    :: atomic { field_ == UNSET -> field_ = AWAITED };
        futex_wait(field_, id_)
    :: atomic { field_ == AWAITED -> skip };
        futex_wait(field_, id_)
    od
}

inline futex_wait(field_, id_)
{
    atomic {
#ifdef BARE_FUTEX
        asleep[me] = id_
#else
        if
        :: field_ == AWAITED -> asleep[me] = id_
        :: else
        fi
#endif
    };
    asleep[me] == 0
}

/* --------------------------------------------------------- one transaction */

/* What becomes of each operation: commit, or UNKNOWN when COMMIT met an I/O
 * error or the log is gone; or, as after a full disk, EACH in a transaction of
 * its own. Only the first caller's may be refused for itself (EXISTS, say): the
 * others stand for the rest. One step: nobody looks at an operation before its
 * batch is done. */
inline commit_batch()
{
    atomic {
        if
        :: poisoned -> how = POISONED
        :: else ->
            if
            :: how = OK
            :: how = UNKNOWN
            :: how = EACH
            fi
        fi;
        i = 0;
        do
        :: i < OPS && ((todo >> i) & 1) ->
            if
            :: how == OK || (how == EACH && !poisoned) ->
                assert(!poisoned);
                rc[i] = OK;
                committed[i] = true
            :: i == 0 && how != POISONED && !poisoned -> rc[i] = REFUSED
            :: how == UNKNOWN -> rc[i] = UNKNOWN /* done, or not */
            :: how == EACH && !poisoned ->
                poisoned = true;
                rc[i] = UNKNOWN
            :: how == POISONED || (how == EACH && poisoned) ->
                rc[i] = POISONED
            fi;
            i++
        :: i < OPS && !((todo >> i) & 1) -> i++
        :: i == OPS -> break
        od;
        poisoned = poisoned || how == UNKNOWN;
        how = 0;
        i = 0
    }
}

/* ---------------------------------------------------------------- the batch */

/* The first asynchronous push's callback makes another: calling_back, so it
 * never leads. */
inline commit_tell()
{
    k = 0;
    do
    :: k < 3 && ((taken >> k) & 1) ->
        atomic {
            assert(rc[ASYNC + k] != PENDING);
            assert(rc[ASYNC + k] != OK || committed[ASYNC + k]);
            told[k]++;
            assert(told[k] == 1);
            rc[ASYNC + k] = PENDING;
            committed[ASYNC + k] = false;
            n_told++
        };
        if
        :: k == 0 ->
            atomic {
                async_list = async_list | 4;
                n_async++;
                async_started++
            }
        :: else
        fi;
        k++
    :: k < 3 && !((taken >> k) & 1) -> k++
    :: k == 3 -> break
    od;
    if
    :: taken != 0 ->
        d_step {
            async_finished = async_finished + n_told;
            i = 0;
            do
            :: i < PROCS -> awaits[i] = false; i++
            :: else -> break
            od;
            i = 0; k = 0; n_told = 0; taken = 0
        }
    :: else -> k = 0
    fi
}

inline commit_lead()
{
    atomic {
        n_leaders++;
        assert(n_leaders == 1);
        assert(batch[b].live && gathering == b);
        gathering = NONE; /* commit_close_batch() */
        taken = async_list;
        async_list = 0;
        n_async = 0;
        todo = batch[b].ops | (taken << ASYNC)
    };
#ifdef WAKE_BEFORE_COMMIT
    ev_set(batch[b].done, EV_DONE(b));
#endif
    commit_batch();
    todo = 0;
    assert(batch[b].live);
#ifndef WAKE_BEFORE_COMMIT
    ev_set(batch[b].done, EV_DONE(b));
#endif
    commit_tell();
    atomic {
        n_leaders--;
        next = gathering;
#ifdef LOST_WAKEUP
    };
    atomic {
#endif
        if
        :: next == NONE -> leading = false
        :: else
        fi
    };
    if
    :: next != NONE ->
        assert(batch[next].live);
        ev_set(batch[next].lead, EV_LEAD(next))
    :: else
    fi;
    next = NONE
}

inline batch_new()
{
    b = 0;
    do
    :: b < BATCHES && batch[b].live -> b++
    :: else -> break
    od;
    assert(b < BATCHES);
    batch[b].live = true;
    batch[b].ops = 0;
    batch[b].waiting = 0;
    batch[b].lead = UNSET;
    batch[b].done = UNSET
}

inline commit_run()
{
    atomic {
        rc[me] = PENDING;
        committed[me] = false;
        b = gathering;
        first = b == NONE;
        now = false;
        if
        :: first ->
            batch_new();
            gathering = b;
            now = !leading;
            leading = true
        :: else
        fi;
        batch[b].ops = batch[b].ops | (1 << me);
        batch[b].waiting++
    };
    if
    :: first && !now -> ev_wait(batch[b].lead, EV_LEAD(b))
    :: else
    fi;
    if
    :: first -> commit_lead()
    :: !first -> ev_wait(batch[b].done, EV_DONE(b))
    fi;
    atomic {
        assert(batch[b].live);
        batch[b].waiting--;
        if
        :: batch[b].waiting == 0 ->
            batch[b].live = false;
            batch[b].ops = 0;
            batch[b].lead = UNSET;
            batch[b].done = UNSET
        :: else
        fi;
        b = NONE;
        first = false;
        now = false;
        assert(rc[me] != PENDING);
        assert(rc[me] != OK || committed[me]);
        assert(rc[me] == OK || rc[me] == UNKNOWN || !committed[me]);
        rc[me] = PENDING;
        committed[me] = false
    }
}

/* ------------------------------------------------------ asynchronous pushes */

inline commit_start(op_)
{
    atomic {
        async_list = async_list | (1 << (op_));
        n_async++;
        async_started++;
        lead = (n_async >= ASYNC_LEAD && !leading) ||
               async_started - async_finished >= ASYNC_LIMIT
    };
    if
    :: lead -> commit_run()
    :: else
    fi;
    lead = false
}

inline commit_sync()
{
    wanted = async_started;
    do
    :: atomic { async_finished >= wanted -> wanted = 0; break }
    :: atomic { async_finished < wanted && async_list == 0 ->
            awaits[me] = true };
        !awaits[me]
    :: atomic { async_finished < wanted && async_list != 0 -> skip };
        commit_run()
    od
}

/* -------------------------------------------------------------- processes */

#define LOCALS             \
    byte b = NONE;         \
    byte next = NONE;      \
    byte was, i, k;        \
    byte todo, taken;      \
    byte how, n_told;          \
    bool first, now

active[CALLERS] proctype Caller()
{
    byte me = _pid;
    byte turn;
    LOCALS;

    do
    :: turn < TURNS -> commit_run(); turn++
    :: else -> break
    od;
    n_through++
}

active proctype Starter()
{
    byte me = STARTER;
#ifdef ASYNCS
    bool lead;
    LOCALS;

    commit_start(0);
    commit_start(1);
#endif
    n_through++
}

active proctype Timer()
{
    byte me = TIMER;
#ifdef ASYNCS
    byte wanted;
    LOCALS;

    do
    :: async_list != 0 && !timer_stop -> commit_sync()
    :: timer_stop -> break
    od;
#endif
    timer_ended = true
}

active proctype Closer()
{
    byte me = CLOSER;
#ifdef ASYNCS
    byte wanted;
    LOCALS;
#endif

    n_through == CALLERS + 1;
    timer_stop = true; /* pawl_stop(); or the timer was never started */
    timer_ended;
#ifdef ASYNCS
    commit_sync();
#ifndef CLOSE_SYNCS_ONCE
    do
    :: async_list != 0 -> commit_sync()
    :: else -> break
    od;
#endif
    assert(told[0] == 1 && told[1] == 1 && told[2] == 1);
#endif
    assert(async_list == 0 && gathering == NONE && !leading);
    all_closed = true
}

ltl ends { <> all_closed }
