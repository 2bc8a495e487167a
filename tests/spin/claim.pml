/* SPDX-License-Identifier: MIT */
/* claim.pml - a job's life: claim, run, settle, death and rescue, over several
 * processes that share one file.
 *
 * One step here is one SQLite transaction, or one store to the side file with
 * what leads to it. Between any two of them another process may do anything,
 * and this one may die. A death between a transaction and the memory that
 * takes in its result is as one just after: both lose the memory.
 *
 *   here       in the library
 *   exchange   sqlite/claim.c claim_apply(): pawl__settle_all(), then
 *              claim_jobs(), in one transaction; around it engine/consumer.c
 *              consumer_exchange() and consumer_take_claims()
 *   settle     sqlite/settle.c pawl__settle_all(): PAWL__STMT_CLAIM_DELETE by
 *              job and token, then settle_outcome()
 *   claim      claim_reserve(); STMT_UNCLAIMED, state 'waiting'
 *   promote    pawl__promote(), in each claim and sweep
 *   begin      consumer_run_job() up to driver->running(job): the note in the
 *              side file is written before any listener is called
 *   end        consumer_run_job() behind the listener: consumer_add_outcome()
 *              and driver->running(0) in one critical section, so no one can
 *              settle the end before the note is gone
 *   time_out   consumer_time_out_one(): the end is there while the listener,
 *              and its note, stay
 *   check      pawl__consumer_check()
 *   rescue     sqlite/sweep.c sweep_rescue(): sweep_read_claims() with
 *              pawl__side_was_running(), sweep_abandoned(), then the claims
 *              and the worker's row go
 *   leave_late consumer_leave_late(): a decided listener that does not return
 *              leaves the gate; its note stays
 *   is_dead    sweep_is_dead() for one boot and one side file: the slot's lock
 *              is free, or the process that signed the slot is gone and a
 *              child that it forked keeps the lock (CHILDREN)
 *   take, register, clear
 *              pawl__sqlite_worker_start(): pawl__side_take(), worker_add(),
 *              pawl__side_begin()
 *   stop       consumer_release_ring() and what follows; retire is
 *              worker_forget(), let_go is pawl__side_release()
 *   broken     consumer_failed() on PAWL_UNKNOWN: the transaction is done, or
 *              not; ends and ring are dropped, nothing more is settled
 *   People     pawl_cancel(), then pawl_retry(): the one way by which a living
 *              worker gets a stale token
 *   Clock      the wall clock, which steps back and forth
 *   gate       engine/gate.c: with abandons, alone in the process
 *
 * What cannot lead anywhere is left out (a claim that finds nothing, a sweep
 * with nothing to do); that somebody looks when there is something is
 * wake.pml's. Ids of workers are the slots: a row goes with its claims.
 *
 * Checked: a job is claimed by one at a time; only the token drawn last, and
 * not taken back, settles, and once; no acked job is claimed or run; at most
 * MAX_ABANDONS abandons, and then failed; what ran at its worker's death is
 * counted, what did not is not; with two counted at one death neither had an
 * abandon before; a worker claims only while its row is there. Liveness: each
 * job ends acked or failed (one that was cancelled is retried here), and where
 * nothing can go on any more all have (Judge).
 *
 * Two exceptions are stated by the model rather than hidden:
 *  - after a time-out the old listener may still run, and note the job, when a
 *    new claim of it lies unstarted in the same process; a death then counts.
 *  - after cancel and retry a stale attempt may still lie in a ring, and its
 *    listener begin, though another has acked the job.
 *
 * Controls, each of which must fail:
 *   -DNO_TOKEN       settle deletes the claim by job alone (with PEOPLE)
 *   -DNO_SLOT_CHECK  a slot is given to a new worker before its dead one was
 *                    rescued
 *   -DNOTE_LATE      the listener begins before the note is written
 *   -DCLEAR_LATE     the end can be settled before the note is gone
 *   -DNO_LOCK        a sweep takes any other worker for dead (a lease that ran
 *                    out under a clock that jumped)
 *   -DCRASHES=3      no mutation but a limit: as many deaths as there are
 *                    places, each after the worker registered and before it
 *                    swept, leave no place to start in, and so nobody to sweep */

#ifndef JOBS
#define JOBS 2
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef STOPS
#define STOPS 1
#endif
#ifndef BREAKS
#define BREAKS 0 /* transactions with an unknown end */
#endif
#ifndef TIMEOUTS
#define TIMEOUTS 0
#endif
#ifndef CHILDREN
#define CHILDREN 0 /* that keep the lock of a dead worker for ever */
#endif
#ifndef PEOPLE
#define PEOPLE 0 /* cancel and retry */
#endif
#ifndef JUMPS
#define JUMPS 1 /* of the clock, back */
#endif
#ifndef MAX_ATTEMPTS
#define MAX_ATTEMPTS 2
#endif
#ifndef MAX_ABANDONS
#define MAX_ABANDONS 2
#endif
#define WORKERS 2
#define THREADS 2
#define SLOTS 3
#define RING 2
#define ENDS (RING + THREADS)
#define NO_SLOT 7

/* state of a job */
#define NEW 0
#define WAITING 1
#define DELAYED 2
#define CANCELLED 3
#define ACKED 4
#define FAILED 5

/* outcomes */
#define ACK 1
#define RETRY 2
#define RELEASE 3

/* ------------------------------------------------------------ the database */

typedef Job {
    byte state;
    byte attempts, abandons;
    byte token, slot; /* the row of pawl_claim; token 0: none */
    byte drawn;       /* ghost: the last token */
    bool revoked;     /* ghost: it was taken back */
    bool begun;       /* ghost: the listener of this claim began */
    bool runs;        /* ghost: and did not return */
};
Job job[JOBS];
bool row[SLOTS]; /* pawl_worker */

/* ----------------------------------------------------------- the side file */

bool held[SLOTS];           /* the OFD lock */
bool gone[SLOTS];           /* the process that has_signed the slot is not there */
byte note[SLOTS * THREADS]; /* job + 1; 0: none */

/* ------------------------------------------------------------- the world */

bool due = true; /* the clock is behind every ready_at */
byte jumps = JUMPS, crashes = CRASHES, stops = STOPS, breaks = BREAKS;
byte timeouts = TIMEOUTS, children = CHILDREN;

#define END(j_) (job[j_].state >= ACKED)
#if JOBS == 1
#define OVER END(0)
#else
#define OVER (END(0) && END(1))
#endif

#define CLAIMABLE(j_)                                                     \
    (job[j_].token == 0 && (job[j_].state == WAITING ||                   \
                            (job[j_].state == DELAYED && due)))
#define PROMOTABLE(j_) (job[j_].state == DELAYED && due)
#ifdef NO_LOCK
#define DEAD(s_) (row[s_] && (s_) != slot)
#else
#define DEAD(s_) (row[s_] && (!held[s_] || gone[s_]) && (s_) != slot)
#endif
#if JOBS == 1
#define ANY_CLAIMABLE CLAIMABLE(0)
#define ANY_PROMOTABLE PROMOTABLE(0)
#else
#define ANY_CLAIMABLE (CLAIMABLE(0) || CLAIMABLE(1))
#define ANY_PROMOTABLE (PROMOTABLE(0) || PROMOTABLE(1))
#endif

/* ----------------------------------------------------------- transactions */

inline promote()
{
    j = 0;
    do
    :: j < JOBS ->
        if
        :: PROMOTABLE(j) -> job[j].state = WAITING
        :: else
        fi;
        j++
    :: else -> break
    od;
    j = 0
}

inline settle(e_)
{
    j = end_job[e_];
    if
#ifdef NO_TOKEN
    :: job[j].token != 0 ->
#else
    :: job[j].token == end_token[e_] ->
#endif
        assert(end_token[e_] == job[j].drawn && !job[j].revoked);
        assert(job[j].state == WAITING);
        job[j].token = 0;
        job[j].revoked = true; /* a token settles once */
        job[j].begun = false;
        job[j].runs = false;
        if
        :: end_how[e_] == ACK -> job[j].state = ACKED
        :: end_how[e_] == RETRY ->
            job[j].attempts++;
            if
            :: job[j].attempts >= MAX_ATTEMPTS -> job[j].state = FAILED
            :: job[j].attempts < MAX_ATTEMPTS -> job[j].state = DELAYED
            fi
        :: end_how[e_] == RELEASE
        fi
    :: else /* stale: nothing happens */
    fi;
    end_job[e_] = 0;
    end_token[e_] = 0;
    end_how[e_] = 0;
    j = 0
}

inline settle_all()
{
    i = 0;
    do
    :: i < n_ends -> settle(i); i++
    :: else -> break
    od;
    i = 0;
    n_ends = 0
}

inline claim()
{
    promote();
    j = 0;
    do
    :: j < JOBS && n_ring < RING && CLAIMABLE(j) ->
        assert(row[slot]);
        assert(job[j].state == WAITING && job[j].token == 0);
        job[j].drawn++;
        job[j].revoked = false;
        job[j].begun = false;
        job[j].runs = false;
        job[j].token = job[j].drawn;
        job[j].slot = slot;
        ring_job[n_ring] = j;
        ring_token[n_ring] = job[j].drawn;
        ring_alone[n_ring] = job[j].abandons > 0;
        n_ring++;
        j++
    :: j < JOBS && !(n_ring < RING && CLAIMABLE(j)) -> j++
    :: j == JOBS -> break
    od;
    j = 0
}

inline noted(s_)
{
    was = note[(s_) * THREADS] == j + 1 || note[(s_) * THREADS + 1] == j + 1
}

inline rescue(s_)
{
    n_counted = 0;
    had_before = false;
    j = 0;
    do
    :: j < JOBS ->
        if
        :: job[j].token != 0 && job[j].slot == (s_) ->
            noted(s_);
            assert(was || !job[j].runs);
#if TIMEOUTS == 0 && PEOPLE == 0
            assert(!was || job[j].runs);
#endif
            if
            :: was ->
                n_counted++;
                had_before = had_before || job[j].abandons > 0;
                job[j].abandons++;
                assert(job[j].abandons <= MAX_ABANDONS);
                if
                :: job[j].abandons >= MAX_ABANDONS -> job[j].state = FAILED
                :: else
                fi
            :: else
            fi;
            job[j].token = 0;
            job[j].revoked = true;
            job[j].begun = false;
            job[j].runs = false
        :: else
        fi;
        j++
    :: else -> break
    od;
    assert(n_counted < 2 || !had_before);
    row[s_] = false;
    n_counted = 0;
    had_before = false;
    was = false;
    j = 0
}

inline sweep()
{
    i = 0;
    do
    :: i < SLOTS ->
        if
        :: DEAD(i) -> rescue(i)
        :: else
        fi;
        i++
    :: else -> break
    od;
    i = 0;
    promote()
}

/* -------------------------------------------------------------- in memory */

inline forget()
{
    i = 0;
    do
    :: i < RING ->
        ring_job[i] = 0; ring_token[i] = 0; ring_alone[i] = false; i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < ENDS -> end_job[i] = 0; end_token[i] = 0; end_how[i] = 0; i++
    :: else -> break
    od;
    n_ring = 0;
    n_ends = 0;
    i = 0
}

inline pop()
{
    n_ring--;
    ring_job[0] = ring_job[1];
    ring_token[0] = ring_token[1];
    ring_alone[0] = ring_alone[1];
    ring_job[1] = 0;
    ring_token[1] = 0;
    ring_alone[1] = false
}

inline add_end(job_, token_, how_)
{
    end_job[n_ends] = job_;
    end_token[n_ends] = token_;
    end_how[n_ends] = how_;
    n_ends++
}

inline release_ring()
{
    do
    :: n_ring > 0 -> add_end(ring_job[0], ring_token[0], RELEASE); pop()
    :: else -> break
    od
}

#define CURRENT(j_, t_) (job[j_].token == (t_))
#define BUSY(t_) (run_token[t_] != 0)
#define UNDECIDED(t_) (BUSY(t_) && !run_decided[t_])
#define LATE(t_) (BUSY(t_) && run_decided[t_] && run_inside[t_])
#define GATE_OPEN                                                         \
    (ring_alone[0] -> !run_inside[0] && !run_inside[1]                    \
                    : !(run_inside[0] && run_alone[0]) &&                 \
                          !(run_inside[1] && run_alone[1]))

inline begin(t_)
{
    run_job[t_] = ring_job[0];
    run_token[t_] = ring_token[0];
    run_alone[t_] = ring_alone[0];
    run_decided[t_] = false;
    run_inside[t_] = true;
    pop();
    j = run_job[t_];
#ifndef NOTE_LATE
    note[slot * THREADS + t_] = j + 1;
#endif
    if
    :: CURRENT(j, run_token[t_]) ->
        assert(job[j].state == WAITING);
        assert(!job[j].begun);
        job[j].begun = true;
        job[j].runs = true
    :: else
    fi;
#if PEOPLE == 0
    assert(CURRENT(j, run_token[t_]) && !END(j));
#endif
    j = 0
}

inline one_that_runs()
{
    if
    :: BUSY(0) -> t = 0
    :: BUSY(1) -> t = 1
    fi
}

/* The listener returned. */
inline end_run(t_)
{
    j = run_job[t_];
    if
    :: CURRENT(j, run_token[t_]) -> job[j].runs = false
    :: else
    fi;
    if
    :: run_decided[t_] || broken
    :: !run_decided[t_] && !broken -> add_end(j, run_token[t_], ACK)
    :: !run_decided[t_] && !broken -> add_end(j, run_token[t_], RETRY)
    fi;
#ifndef CLEAR_LATE
    note[slot * THREADS + t_] = 0;
#endif
    run_job[t_] = 0;
    run_token[t_] = 0;
    run_alone[t_] = false;
    run_decided[t_] = false;
    run_inside[t_] = false;
    j = 0
}

inline die()
{
    forget();
    run_job[0] = 0; run_token[0] = 0; run_alone[0] = false;
    run_job[1] = 0; run_token[1] = 0; run_alone[1] = false;
    run_decided[0] = false;
    run_decided[1] = false;
    run_inside[0] = false;
    run_inside[1] = false;
    if
    :: slot != NO_SLOT -> held[slot] = false
    :: else
    fi;
    slot = NO_SLOT;
    has_signed = false;
    registered = false;
    ready = false;
    stopping = false;
    broken = false;
    retired = false
}

/* -------------------------------------------------------------- processes */

proctype Worker()
{
    byte slot = NO_SLOT;
    bool has_signed, registered, ready, stopping, broken, retired;
    byte ring_job[RING], ring_token[RING];
    bool ring_alone[RING];
    byte run_job[THREADS], run_token[THREADS];
    bool run_alone[THREADS], run_decided[THREADS], run_inside[THREADS];
    byte end_job[ENDS], end_token[ENDS], end_how[ENDS];
    byte n_ring, n_ends, i, j, t, from, n_counted;
    bool was, had_before;

end:
    do
    /* take: not where all places are rows of others, which fails */
    :: atomic {
            slot == NO_SLOT &&
                ((!held[0] && !row[0]) || (!held[1] && !row[1]) ||
                 (!held[2] && !row[2])) ->
            do
            :: from < SLOTS && held[from] -> from++
            :: from < SLOTS && !held[from] ->
                slot = from;
                held[slot] = true;
                from = 0;
                break
            :: from >= SLOTS -> from = 0; break
            od
        }
    /* sign */
    :: atomic { slot != NO_SLOT && !has_signed -> has_signed = true; gone[slot] = false }
    /* register, or try the next */
    :: atomic {
            has_signed && !registered ->
            if
#ifndef NO_SLOT_CHECK
            :: row[slot] ->
                held[slot] = false;
                from = slot + 1;
                has_signed = false;
                slot = NO_SLOT
#endif
            :: else ->
                row[slot] = true;
                registered = true;
                from = 0
            fi
        }
    /* clear the notes */
    :: atomic {
            registered && !ready ->
            note[slot * THREADS] = 0;
            note[slot * THREADS + 1] = 0;
            ready = true
        }
    /* exchange */
    :: atomic {
            ready && !broken &&
                (n_ends > 0 || (!stopping && n_ring < RING && ANY_CLAIMABLE)) ->
            settle_all();
            if
            :: !stopping -> claim()
            :: else
            fi;
            if
            :: true
            :: breaks > 0 -> broken = true; breaks-- /* done, they say not */
            fi
        }
    :: atomic { ready && !broken && n_ends > 0 && breaks > 0 ->
            broken = true; breaks-- /* not done */ }
    :: atomic {
            broken && (!stopping || n_ends > 0 || n_ring > 0) ->
            stopping = true;
            forget()
        }
    /* begin */
    :: atomic {
            ready && !stopping && !broken && n_ring > 0 && GATE_OPEN &&
                !(BUSY(0) && BUSY(1)) ->
            t = (BUSY(0) -> 1 : 0);
            begin(t);
            t = 0
        }
#ifdef NOTE_LATE
    :: atomic { ready && BUSY(0) && note[slot * THREADS] == 0 ->
            note[slot * THREADS] = run_job[0] + 1 }
    :: atomic { ready && BUSY(1) && note[slot * THREADS + 1] == 0 ->
            note[slot * THREADS + 1] = run_job[1] + 1 }
#endif
#ifdef CLEAR_LATE
    :: atomic { ready && !BUSY(0) && note[slot * THREADS] != 0 ->
            note[slot * THREADS] = 0 }
    :: atomic { ready && !BUSY(1) && note[slot * THREADS + 1] != 0 ->
            note[slot * THREADS + 1] = 0 }
#endif
    /* end */
    :: atomic {
            ready && (BUSY(0) || BUSY(1)) && n_ends < ENDS ->
            one_that_runs();
            end_run(t);
            t = 0
        }
#if TIMEOUTS > 0
    /* time_out */
    :: atomic {
            ready && !broken && n_ends < ENDS && timeouts > 0 &&
                (UNDECIDED(0) || UNDECIDED(1)) ->
            if
            :: UNDECIDED(0) -> t = 0
            :: UNDECIDED(1) -> t = 1
            fi;
            timeouts--;
            run_decided[t] = true;
            add_end(run_job[t], run_token[t], RETRY);
            t = 0
        }
    /* leave_late */
    :: atomic {
            ready && n_ends == 0 && (LATE(0) || LATE(1)) ->
            if
            :: LATE(0) -> t = 0
            :: LATE(1) -> t = 1
            fi;
            run_inside[t] = false;
            t = 0
        }
#endif
#if PEOPLE > 0
    /* check */
    :: atomic { ready && BUSY(0) && !run_decided[0] &&
                !CURRENT(run_job[0], run_token[0]) ->
            run_decided[0] = true;
            run_inside[0] = false }
    :: atomic { ready && BUSY(1) && !run_decided[1] &&
                !CURRENT(run_job[1], run_token[1]) ->
            run_decided[1] = true;
            run_inside[1] = false }
#endif
    /* sweep */
    :: atomic { ready && !broken && !retired &&
                (DEAD(0) || DEAD(1) || DEAD(2) || ANY_PROMOTABLE) ->
            sweep() }
    /* stop */
    :: atomic { ready && !stopping && stops > 0 ->
            stops--;
            stopping = true;
            release_ring() }
    /* retire; a poisoned store cannot */
    :: atomic {
            ready && stopping && !retired && !BUSY(0) && !BUSY(1) &&
                n_ends == 0 ->
            retired = true;
            i = 0;
            do
            :: i < JOBS && !(job[i].token != 0 && job[i].slot == slot) -> i++
            :: else -> break
            od;
            if
            :: i == JOBS && !broken -> row[slot] = false
            :: else
            fi;
            i = 0
        }
    /* let_go, and come again */
    :: atomic { retired -> die() }
    /* die at any moment */
    :: atomic {
            slot != NO_SLOT && crashes > 0 ->
            crashes--;
            if
            :: has_signed -> gone[slot] = true
            :: else
            fi;
            from = slot;
            die();
            if
            :: children > 0 ->
                children--;
                held[from] = true
            :: true
            fi;
            from = 0
        }
    od
}

proctype Producer()
{
    byte n;

    do
    :: atomic { n < JOBS -> job[n].state = WAITING; n++ }
    :: n == JOBS -> break
    od
}

proctype Clock()
{
end:
    do
    :: atomic { due && jumps > 0 -> due = false; jumps-- }
    :: atomic { !due -> due = true }
    od
}

#if PEOPLE > 0
proctype People()
{
    byte n;

    do
    :: n < PEOPLE ->
        if
        :: atomic {
                job[0].state == WAITING || job[0].state == DELAYED ->
                job[0].token = 0;
                job[0].revoked = true;
                job[0].begun = false;
                job[0].runs = false;
                job[0].state = CANCELLED
            };
            job[0].state = WAITING
        :: END(0)
        fi;
        n++
    :: else -> break
    od
}
#endif

/* Where nothing can go on, all is over. */
proctype Judge()
{
    timeout;
    assert(OVER)
}

init {
    atomic {
        run Judge();
        run Producer();
        run Worker();
        run Worker();
        run Clock();
#if PEOPLE > 0
        run People()
#endif
    }
}

ltl ends_ { <> (OVER) }
