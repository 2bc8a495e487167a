/* SPDX-License-Identifier: MIT */
/* wake.pml - going idle, waking and stopping: src/engine/consumer.c, gate.c
 * and timer.c over src/sqlite/wake.c.
 *
 * One step here is one critical section of the consumer's mutex, one atomic of
 * the timer, one system call, or one transaction. No tick: the sweep once a
 * second, which mends whatever is missed, is left out (but see -DTICK), so
 * what holds here holds within no time, not within a second.
 *
 *   here             in the library
 *   Pool             engine/consumer.c consumer_main() with consumer_must_end,
 *                    consumer_must_fetch, consumer_exchange,
 *                    consumer_take_claims, consumer_wait
 *   run_job          consumer_run_job() with pawl__timer_deadline()
 *   gate_*           engine/gate.c
 *   Timer            engine/timer.c timer_main(): timer_work (time_out is
 *                    pawl__consumer_time_out, then _settle_old), timer_until,
 *                    timer_wait; until_mono is until_mono_ms
 *   driver_wait      sqlite/wake.c pawl__sqlite_wait() and wake_poll()
 *   look             wake_look(); written is wake.written
 *   Pusher           another program: frames into the -wal (inotify), then
 *                    the sync, then the commit shows (PRAGMA data_version).
 *                    It does not ring; who does is only noticed sooner
 *   Local            our own pawl_push(): commit, pawl__consumer_notify(); or,
 *                    where the pool is idle, pawl__consumer_push()
 *   Stopper          engine/store.c store_stop(): pawl__consumer_stop,
 *                    pawl__consumer_wait_end, pawl__timer_stop
 *
 * Time: a deadline comes when the timer that noted it has slept; one that it
 * did not note never comes. So a lost note is a dead lock here. An exchange
 * waits for the write lock as long as it is held. The store refuses nothing.
 *
 * Checked: no state in which all sleep and a job waits, an end is not settled,
 * a deadline is not noticed, or the stop does not end; each job is run once.
 *
 * With -DNO_DEADLINES attempts have none: fewer states, for the gate's sake.
 *
 * Controls, each of which must fail:
 *   -DCHECK_AFTER_ARM_DROPPED  wait() drains on entry, and looks no further
 *   -DFORGETS_WRITTEN          wait() forgets that the log was written when
 *                              it is interrupted, or drains it on entry,
 *                              before that commit shows
 *   -DSTALE_DEADLINE           the noted deadline is not taken back while the
 *                              timer looks
 *   -DNOTE_AFTER_LOOK          watching is not taken back before the look
 *   -DNO_SIGNAL_AT_END         the end of an exchange signals nobody
 *   -DEND_WHILE_FETCHING       a stopping pool ends while a push claims for it
 * With -DTICK wait() also ends by itself, and liveness holds under all of
 * FORGETS_WRITTEN, STALE_DEADLINE: late, by the tick. */

#ifndef PUSHES
#define PUSHES 1 /* by another process */
#endif
#ifndef LOCALS
#define LOCALS 1 /* by our own */
#endif
#ifndef READY
#define READY 0 /* there from the start */
#endif
#define JOBS (READY + PUSHES + LOCALS)
#ifndef POOL
#define POOL 2
#endif

/* until_mono_ms, as far as it matters to an attempt that begins now: FAR is a
 * time after its deadline, NEAR one before it, be it past or to come. */
#define FAR 0
#define NEAR 1

/* the store */
bool writing;      /* the write lock */
byte waiting = READY; /* jobs that a claim would find */
bool fresh;        /* data_version differs from wake.version */
bool written_fd;   /* the inotify descriptor has an event */
bool written;      /* the log was written, and that did not show yet */
byte n_acked;

/* the consumer; each step is one critical section of mu */
bool look_ = true, fetching, stopping;
byte ring, ends, n_idle, n_live = POOL;
bool sleeps[POOL]; /* in cond_wait(work) */
bool runs[POOL], decided[POOL], told[POOL];
bool seen[POOL];   /* its deadline was noted by the timer */
bool due[POOL];    /* and has come */

/* the gate */
byte inside, waiting_alone;
bool alone;
bool at_gate[POOL];

/* the timer */
bool event_fd, watching, timer_stop, timer_ended;
bool until_mono = FAR;
bool all_done;

inline interrupt()
{
    event_fd = true
}

inline signal_one()
{
    if
    :: sleeps[0] -> sleeps[0] = false
#if POOL > 1
    :: sleeps[1] -> sleeps[1] = false
#endif
    :: else
    fi
}

inline broadcast()
{
    sleeps[0] = false;
#if POOL > 1
    sleeps[1] = false
#endif
}

/* consumer_release_ring(): what was not started becomes an end */
inline release_ring()
{
    ends = ends + ring;
    back = back + ring;
    ring = 0
}

byte back;  /* of the ends, those that give a job back */

#define MAY_CLAIM (look_ && !stopping)
#ifdef END_WHILE_FETCHING
#define MUST_END (stopping && ring == 0 && ends == 0)
#else
#define MUST_END (stopping && !fetching && ring == 0 && ends == 0)
#endif
#define MUST_FETCH (!fetching && (ends > 0 || MAY_CLAIM) && ring == 0)

/* --------------------------------------------------------------- exchange */

/* In: fetching set, taken and given away, want known. The push, settles and
 * claims are one transaction. We see our own in the -wal too, but data_version
 * does not change by it. ours: a thread of the pool does it. */
inline exchange(pushed, ours)
{
    atomic {
        !writing ->
        n_acked = n_acked + taken - given;
        waiting = waiting + given + pushed;
        got = (want < waiting -> want : waiting);
        waiting = waiting - got;
        if
        :: taken + got + pushed > 0 -> written_fd = true
        :: else
        fi;
        taken = 0
    };
    atomic {
        fetching = false;
        look_ = look_ || (want == 0 && given > 0);
        given = 0;
        if
        :: want > 0 ->
            ring = ring + got;
            look_ = look_ || got == want;
            if
            :: stopping -> release_ring()
            :: else
            fi;
            if
            :: ring + (ends > 0 -> 1 : 0) > 1 + ours -> broadcast()
            :: ring + (ends > 0 -> 1 : 0) == 1 + ours -> signal_one()
            :: else
            fi
        :: else
        fi;
#ifndef NO_SIGNAL_AT_END
        if
        :: stopping -> broadcast()
        :: !stopping && n_idle > 0 && (look_ || ends > 0) -> signal_one()
        :: else
        fi;
#endif
        got = 0;
        want = 0
    }
}

inline take_ends()
{
    fetching = true;
    taken = ends;
    given = back;
    ends = 0;
    back = 0
}

/* ------------------------------------------------------------------- gate */

#define NOBODY_IN (!alone && inside == 0)

inline gate_enter()
{
    if
    :: atomic {
            by_itself -> waiting_alone++;
            at_gate[me] = !NOBODY_IN
        };
        do
        :: atomic {
                !at_gate[me] && NOBODY_IN ->
                waiting_alone--;
                alone = true;
                break
            }
        :: atomic { !at_gate[me] && !NOBODY_IN -> at_gate[me] = true }
        od
    :: !by_itself ->
        do
        :: atomic {
                !at_gate[me] && !alone && waiting_alone == 0 ->
                inside++;
                break
            }
        :: atomic {
                !at_gate[me] && (alone || waiting_alone > 0) ->
                at_gate[me] = true
            }
        od
    fi;
    assert(!alone || inside == 0)
}

inline gate_leave()
{
    atomic {
        if
        :: by_itself -> alone = false; gate_wake = true
        :: else -> inside--; gate_wake = inside == 0 && waiting_alone > 0
        fi
    };
    if
    :: gate_wake ->
        d_step {
            at_gate[0] = false;
#if POOL > 1
            at_gate[1] = false;
#endif
            gate_wake = false
        }
    :: else
    fi
}

/* ----------------------------------------------------------------- one job */

inline run_job()
{
    gate_enter();
    if
    :: atomic {
            stopping ->
            ring++;
            release_ring()
        }
    :: atomic {
            !stopping ->
            runs[me] = true
        };
#ifndef NO_DEADLINES
        /* pawl__timer_deadline(), after mu was given up */
        if
        :: atomic { until_mono == FAR -> interrupt() }
        :: until_mono == NEAR
        fi;
        /* the listener: returns, or stays until it is told to stop */
        if
        :: true
        :: stays = true
        fi;
        !stays || told[me];
#endif
        atomic {
            runs[me] = false;
            seen[me] = false;
            due[me] = false;
            told[me] = false;
            stays = false;
            if
            :: !decided[me] -> ends++
            :: else
            fi;
            decided[me] = false
        }
    fi;
    gate_leave()
}

active [POOL] proctype Pool()
{
    byte me = _pid;
    byte want, taken, given, got;
    bool by_itself, gate_wake, stays;

    do
    :: atomic { MUST_END -> break }
    :: atomic {
            !MUST_END && MUST_FETCH ->
            if
            :: MAY_CLAIM ->
                want = POOL;
                look_ = false
            :: else
            fi;
            take_ends()
        };
        exchange(0, 1)
    :: atomic {
            !MUST_END && !MUST_FETCH && ring > 0 && !stopping ->
            ring--;
            if
            :: by_itself = true /* a job with abandons */
            :: by_itself = false
            fi
        };
        run_job();
        by_itself = false
    :: atomic {
            !MUST_END && !MUST_FETCH && (ring == 0 || stopping) ->
            n_idle++;
            sleeps[me] = true;
            if
            :: !watching -> interrupt() /* pawl__timer_idle() */
            :: else
            fi
        };
        atomic {
            !sleeps[me] ->
            n_idle--
        }
    od;
    atomic {
        n_live--;
        broadcast()
    }
}

/* --------------------------------------------------------------- the driver */

/* All that poll() found at once; each found descriptor is drained. */
#define POLL_WAL (watch && written_fd)
#define POLL_TIME (until_mono == NEAR)
#ifdef TICK
#define POLL_TICK true
#else
#define POLL_TICK false
#endif

#ifdef FORGETS_WRITTEN
#define REMEMBER skip
#else
#define REMEMBER written = true
#endif
#define FORGET written = false

/* A second does for every deadline. */
inline time_passes()
{
    i = 0;
    do
    :: i < POOL -> due[i] = due[i] || seen[i] || (POLL_TICK && runs[i]); i++
    :: else -> break
    od;
    i = 0
}

/* One look: data_version, and where the log was written without a change, with
 * the write lock, which the writer holds until his commit shows. */
inline look()
{
    atomic {
        if
        :: written_fd -> written_fd = false; REMEMBER
        :: else
        fi
    };
    atomic {
        if
        :: fresh -> fresh = false; work = true; FORGET
        :: !fresh && written && !writing -> FORGET
        :: else
        fi
    }
}

inline driver_wait()
{
#ifdef CHECK_AFTER_ARM_DROPPED
    written_fd = false;
    goto asleep;
#endif
    do
    :: work -> break
    :: !work ->
        if
        :: watch -> look()
        :: else
        fi;
#ifdef CHECK_AFTER_ARM_DROPPED
asleep:
#endif
        if
        :: work
        :: atomic { !work && event_fd -> event_fd = false; break }
        :: atomic { !work && !event_fd && POLL_TIME -> time_passes(); break }
        :: atomic { !work && !event_fd && POLL_TICK -> time_passes(); break }
        :: atomic { !work && POLL_WAL }
        :: atomic { !work && watch && written && !writing }
        fi
    od
}

/* ---------------------------------------------------------------- the timer */

inline notify()
{
    if
    :: !look_ && !stopping ->
        look_ = true;
        if
        :: n_idle > 0 -> signal_one()
        :: else
        fi
    :: else
    fi
}

active proctype Timer()
{
    byte want, taken, given, got, i;
    bool work, watch, next;

    do
    :: timer_stop -> break
    :: else ->
        if
        :: work -> atomic { notify(); work = false }
        :: else
        fi;
        atomic { /* time_out */
            next = FAR;
            i = 0;
            do
            :: i < POOL ->
                if
                :: runs[i] && !decided[i] && due[i] ->
                    decided[i] = true;
                    told[i] = true;
                    ends++
#ifndef NO_DEADLINES
                :: runs[i] && !decided[i] && !due[i] ->
                    seen[i] = true;
                    next = NEAR
#endif
                :: else
                fi;
                i++
            :: else -> break
            od;
            i = 0
        };
        if /* settle_old; young ends are settled by the next one */
        :: atomic {
                ends > 0 && !fetching ->
                take_ends()
            };
            exchange(0, 0);
            atomic {
                if
                :: ends > 0 -> next = NEAR
                :: else
                fi
            }
        :: atomic { ends > 0 && fetching -> next = NEAR }
        :: atomic { ends == 0 -> skip }
        fi;
        until_mono = next;
        atomic { watch = n_idle > 0 && !stopping }; /* timer_until() */
        watching = watch;
        driver_wait();
#ifndef NOTE_AFTER_LOOK
        watching = false;
#endif
#ifndef STALE_DEADLINE
        until_mono = FAR;
#endif
        watch = false
    od;
    timer_ended = true
}

/* ------------------------------------------------------------- the others */

active proctype Pusher()
{
    byte n;

    do
    :: n < PUSHES ->
        atomic { !writing -> writing = true };
        written_fd = true;
        atomic {
            writing = false;
            waiting++;
            fresh = true
        };
        n++
    :: else -> break
    od
}

active proctype Local()
{
    byte n, want, taken, given, got;

    do
    :: n < LOCALS ->
        if
        :: atomic { /* pawl__consumer_push(): the pool is idle */
                n_idle > 0 && ring == 0 && !fetching && !look_ && !stopping ->
                want = POOL;
                take_ends()
            };
            exchange(1, 0);
            if
            :: atomic { !watching -> interrupt() } /* pawl__timer_idle() */
            :: watching
            fi
        :: atomic {
                !(n_idle > 0 && ring == 0 && !fetching && !look_ &&
                  !stopping) && !writing ->
                waiting++;
                written_fd = true
            };
            atomic { notify() }
        fi;
        n++
    :: else -> break
    od
}

active proctype Stopper()
{
    bool at_once;

    if
    :: at_once = true
    :: true
    fi;
    at_once || n_acked == JOBS;
    atomic {
        stopping = true;
        release_ring();
        told[0] = told[0] || runs[0];
#if POOL > 1
        told[1] = told[1] || runs[1];
#endif
        broadcast()
    };
    n_live == 0;
    timer_stop = true;
    atomic { interrupt() };
    timer_ended;
    assert(ends == 0 && ring == 0 && inside == 0 && !alone);
    all_done = true
}

ltl ends_ { <> all_done }
