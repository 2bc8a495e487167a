/* SPDX-License-Identifier: MIT */
/* doctor_life.c - workers, by the side file, and jobs.
 *
 * The statements stand here and not in stmt.c: they scan whole tables, which
 * none of the others may. */
#include "sqlite/doctor_part.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

/* --------------------------------------------------------------- side file */

/* As side.c lays it out. Not mapped: it may be cut short under us. */
#define DOCTOR_SIDE_PAGE 4096
#define DOCTOR_SIDE_BYTES ((int64_t)DOCTOR_SIDE_PAGE * (1 + PAWL__SIDE_WORKERS))
#define DOCTOR_SIDE_MAGIC 0x316c776170ULL

struct doctor_side_head {
    uint64_t magic;
    int64_t mark, boot;
    uint32_t low;
};

/* True where it can be believed; mark and boot are set then. */
static bool
doctor_open_side(struct pawl__doctor *d, struct doctor_side_head *head)
{
    memset(head, 0, sizeof *head);
    d->side.slot = -1;
    /* Worker locks are OFD locks: closing this drops none of this process. */
    d->side.fd = open(d->beside[PAWL__DOCTOR_SIDE],
                      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (d->side.fd < 0)
        return false;
    if (pread(d->side.fd, head, sizeof *head, 0) != (ssize_t)sizeof *head ||
        head->magic != DOCTOR_SIDE_MAGIC ||
        d->st_beside[PAWL__DOCTOR_SIDE].st_size < DOCTOR_SIDE_BYTES) {
        (void)close(d->side.fd);
        d->side.fd = -1;
        errno = EINVAL;
        return false;
    }
    d->mark = head->mark;
    d->boot = head->boot;
    return true;
}

static void
doctor_say_no_side(struct pawl__doctor *d, int e, int64_t n_workers)
{
    const char *todo = "End all workers, remove it, and start them again.";

    if (e == ENOENT && n_workers == 0)
        pawl__doctor_say(d, PAWL_FINDING_NOTE, "side-file-missing",
                         "Nothing: the next open makes it.",
                         "%s is not there, and no worker is registered",
                         d->beside[PAWL__DOCTOR_SIDE]);
    else if (e == ENOENT)
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "side-file-missing",
            "Start all workers anew, and let nobody remove it.",
            "%s is not there, and nobody can tell whether those who are "
            "registered as workers live: %lld",
            d->beside[PAWL__DOCTOR_SIDE], (long long)n_workers);
    else if (e == EINVAL)
        pawl__doctor_say(d, PAWL_FINDING_ERROR, "side-file-damaged", todo,
                         "%s is too short or was overwritten",
                         d->beside[PAWL__DOCTOR_SIDE]);
    else if (e != EACCES && e != ELOOP) /* those were told by its stat() */
        pawl__doctor_say(d, PAWL_FINDING_ERROR, "side-file-damaged", todo,
                         "%s: %s", d->beside[PAWL__DOCTOR_SIDE], strerror(e));
}

static void
doctor_check_reserve(struct pawl__doctor *d,
                     const struct doctor_side_head *head)
{
    if (head->low != 0U)
        pawl__doctor_say(d, PAWL_FINDING_WARNING, "reserve-missing",
                         "Make room on the disk; workers take the reserve back "
                         "within a second.",
                         "the reserve for acks was given up to a full disk");
    else if (d->n_alive > 0 && d->st_beside[PAWL__DOCTOR_SIDE].st_size <
                                   DOCTOR_SIDE_BYTES + PAWL__DOCTOR_RESERVE)
        pawl__doctor_say(
            d, PAWL_FINDING_WARNING, "reserve-missing",
            "Make room on the disk and start the workers again.",
            "%s has %lld KiB; the reserve that acks need on a full disk "
            "is not in it",
            d->beside[PAWL__DOCTOR_SIDE],
            (long long)(d->st_beside[PAWL__DOCTOR_SIDE].st_size / 1024));
}

/* ----------------------------------------------------------------- workers */

struct doctor_worker {
    int64_t id, side, boot, n_claims;
    int slot;
    pid_t pid;
    bool here; /* of this host, as far as its name tells */
};

/* The row was read before the lock was looked at: a worker that ended in
 * between has taken it along. */
static void
doctor_say_dead(struct pawl__doctor *d, const struct doctor_worker *w,
                const char *why)
{
    char sql[120];
    int64_t n;

    (void)snprintf(sql, sizeof sql,
                   "SELECT (SELECT count(*) FROM pawl_claim WHERE worker = id) "
                   "FROM pawl_worker WHERE id = %lld",
                   (long long)w->id);
    n = pawl__doctor_int(d, sql, -1);
    if (n < 0)
        return;
    pawl__doctor_say(
        d, n > 0 ? PAWL_FINDING_WARNING : PAWL_FINDING_NOTE, "worker-dead",
        "Start a worker on any queue of the store: it gives the jobs "
        "back within a second.",
        "worker %lld (process %ld) is dead%s and still holds jobs: %lld",
        (long long)w->id, (long)w->pid, why, (long long)n);
}

static void
doctor_alive(struct pawl__doctor *d, const struct doctor_worker *w)
{
    size_t n = strlen(d->pids);

    if (n + 24 < sizeof d->pids)
        (void)snprintf(d->pids + n, sizeof d->pids - n, "%s%ld",
                       n > 0 ? ", " : "", (long)w->pid);
    d->n_alive++;
    if (w->here && pawl__doctor_is_stopped(w->pid))
        pawl__doctor_say(
            d, PAWL_FINDING_WARNING, "worker-stopped",
            "kill -CONT that process, or end it: its jobs are given "
            "back then.",
            "worker %lld (process %ld) is stopped; jobs that it "
            "holds, and nobody else may run: %lld",
            (long long)w->id, (long)w->pid, (long long)w->n_claims);
}

/* The same rules as sweep.c's. */
static void
doctor_worker(struct pawl__doctor *d, const struct doctor_worker *w)
{
    if (d->side.fd < 0)
        return;
    if (w->boot != d->boot)
        doctor_say_dead(d, w, " since the machine was booted");
    else if (w->side == d->mark && pawl__side_held(&d->side, w->slot))
        doctor_alive(d, w);
    else if (w->side == d->mark)
        doctor_say_dead(d, w, "");
    else if (w->pid <= 0 || (kill(w->pid, 0) != 0 && errno == ESRCH))
        doctor_say_dead(d, w, ", its side file too,");
    else
        pawl__doctor_say(
            d, PAWL_FINDING_ERROR, "side-file-replaced",
            "Start that worker again, and let nobody remove the file.",
            "%s was replaced since worker %lld (process %ld) opened it",
            d->beside[PAWL__DOCTOR_SIDE], (long long)w->id, (long)w->pid);
}

/* At most so many as have places; a hostile file may name more. */
static size_t
doctor_read_workers(struct pawl__doctor *d, struct doctor_worker *all)
{
    sqlite3_stmt *st = pawl__doctor_prepare(
        d, "SELECT w.id, w.slot, w.side, w.boot, w.pid, w.host, (SELECT "
           "count(*) FROM pawl_claim c WHERE c.worker = w.id) "
           "FROM pawl_worker w");
    char host[65] = "";
    int step = SQLITE_DONE;
    size_t n = 0;

    if (st == NULL)
        return 0;
    (void)gethostname(host, sizeof host - 1);
    for (; n < PAWL__SIDE_WORKERS && (step = sqlite3_step(st)) == SQLITE_ROW;
         n++) {
        all[n].id = sqlite3_column_int64(st, 0);
        all[n].slot = sqlite3_column_int(st, 1);
        all[n].side = sqlite3_column_int64(st, 2);
        all[n].boot = sqlite3_column_int64(st, 3);
        all[n].pid = (pid_t)sqlite3_column_int(st, 4);
        all[n].here = strcmp(pawl__doctor_text(st, 5), host) == 0;
        all[n].n_claims = sqlite3_column_int64(st, 6);
    }
    if (step != SQLITE_DONE && step != SQLITE_ROW)
        pawl__doctor_db_failed(d);
    (void)sqlite3_finalize(st);
    return n;
}

static void
doctor_check_workers(struct pawl__doctor *d)
{
    struct doctor_worker *all = pawl__calloc(PAWL__SIDE_WORKERS, sizeof *all);
    size_t n, i;

    if (all == NULL) {
        d->nomem = true;
        return;
    }
    n = doctor_read_workers(d, all);
    for (i = 0; i < n; i++)
        doctor_worker(d, &all[i]);
    pawl__free(all);
}

void
pawl__doctor_check_life(struct pawl__doctor *d)
{
    int64_t n = pawl__doctor_int(d, "SELECT count(*) FROM pawl_worker", 0);
    struct doctor_side_head head;
    size_t before = pawl__doctor_n_ill(d);

    if (!doctor_open_side(d, &head))
        doctor_say_no_side(d, errno, n);
    doctor_check_workers(d);
    if (d->side.fd >= 0) {
        doctor_check_reserve(d, &head);
        (void)close(d->side.fd);
        d->side.fd = -1;
    }
    if (pawl__doctor_n_ill(d) == before)
        pawl__doctor_say(d, PAWL_FINDING_OK, "workers", "", "%lld live%s%s",
                         (long long)d->n_alive,
                         d->n_alive > 0 ? ": process " : "", d->pids);
}

/* -------------------------------------------------------------------- jobs */

/* Each gives a sentence for each thing that is found, or no row. ?1 is the
 * time, ?2 the number of live workers. Columns are qualified where both sides
 * of a join have them; a claimed job is one with a row in pawl_claim. */
static const struct {
    int severity;
    const char *name, *todo, *sql;
} doctor_jobs[] = {
    {PAWL_FINDING_WARNING, "job-stuck",
     "Look at what its worker does, and end that process if it hangs: the job "
     "is given back then.",
     "SELECT PRINTF('job %lld of queue %s has been reserved for %lld s by "
     "process %s, and its timeout is %lld s', j.id, j.queue, "
     "(?1 - c.claimed_at) / 1000, coalesce(w.pid, 'unknown'), "
     "coalesce(j.timeout_ms, q.timeout_ms, 3600000) / 1000) "
     "FROM pawl_claim c JOIN pawl_job j ON j.id = c.job "
     "LEFT JOIN pawl_queue q ON q.name = j.queue "
     "LEFT JOIN pawl_worker w ON w.id = c.worker "
     "WHERE ?1 - c.claimed_at > "
     "2 * coalesce(j.timeout_ms, q.timeout_ms, 3600000) + 60000 "
     "ORDER BY c.claimed_at LIMIT 3"},
    {PAWL_FINDING_WARNING, "job-poisonous",
     "Mend the listener, which brings its process down, before pawl retry; or "
     "flush them.",
     "SELECT PRINTF('queue %s has failed jobs that brought as many workers "
     "down as they may: %lld, the first is job %lld', j.queue, count(*), "
     "min(j.id)) "
     "FROM pawl_job j LEFT JOIN pawl_queue q ON q.name = j.queue "
     "WHERE j.state = 'failed' AND j.abandons > 0 AND "
     "j.abandons >= coalesce(q.max_abandons, 3) GROUP BY j.queue LIMIT 3"},
    {PAWL_FINDING_WARNING, "job-abandoned",
     "Look at why those workers died (pawl show tells of the job).",
     "SELECT PRINTF('queue %s has jobs that ran when their workers died, up to "
     "%lld times: %lld, the first is job %lld', queue, max(abandons), "
     "count(*), min(id)) FROM pawl_job WHERE abandons > 0 AND "
     "state IN ('waiting', 'delayed') GROUP BY queue LIMIT 3"},
    {PAWL_FINDING_NOTE, "claims-orphaned",
     "Nothing: the next sweep of a worker clears them.",
     "SELECT PRINTF('claims of workers or jobs that are gone: %lld', count(*)) "
     "FROM pawl_claim c WHERE NOT EXISTS "
     "(SELECT 1 FROM pawl_worker w WHERE w.id = c.worker) OR NOT EXISTS "
     "(SELECT 1 FROM pawl_job j WHERE j.id = c.job AND j.state = 'waiting') "
     "HAVING count(*) > 0"},
    {PAWL_FINDING_NOTE, "queue-paused",
     "Set paused=0 by pawl queue when they shall run.",
     "SELECT PRINTF('queue %s is paused; jobs that wait: %lld', q.name, n) "
     "FROM "
     "pawl_queue q JOIN (SELECT queue, count(*) AS n FROM pawl_job WHERE "
     "state = 'waiting' GROUP BY queue) j ON j.queue = q.name "
     "WHERE q.paused = 1 LIMIT 3"},
    {PAWL_FINDING_NOTE, "no-worker", "Start a worker.",
     "SELECT PRINTF('no worker lives; jobs that have been ready for more than "
     "a "
     "minute: %lld', count(*)) FROM pawl_job WHERE ?2 = 0 AND "
     "state = 'waiting' AND ready_at < ?1 - 60000 HAVING count(*) > 0"},
    /* The store does not say which types a worker listens to. What shows it:
     * of that type nobody has any, while the queue's workers are idle or have
     * taken jobs of later turn. */
    {PAWL_FINDING_WARNING, "type-unheard",
     "Start a worker that listens to the type; the store does not record who "
     "listens to what.",
     "SELECT PRINTF('no worker takes type %s in queue %s; jobs that wait: "
     "%lld, for up to %lld s; workers that live: %lld', w.type, w.queue, n, "
     "(?1 - oldest) / 1000, ?2) "
     "FROM (SELECT queue, type, count(*) AS n, min(ready_at) AS oldest, "
     "max(priority) AS top FROM pawl_job j WHERE state = 'waiting' AND "
     "ready_at < ?1 - 60000 AND "
     "NOT EXISTS (SELECT 1 FROM pawl_claim c WHERE c.job = j.id) "
     "GROUP BY queue, type) w "
     "LEFT JOIN pawl_queue q ON q.name = w.queue "
     "WHERE ?2 > 0 AND coalesce(q.paused, 0) = 0 "
     "AND NOT EXISTS (SELECT 1 FROM pawl_claim c JOIN pawl_job j "
     "ON j.id = c.job WHERE j.queue = w.queue AND j.type = w.type) "
     "AND (NOT EXISTS (SELECT 1 FROM pawl_claim c JOIN pawl_job j "
     "ON j.id = c.job WHERE j.queue = w.queue) "
     "OR EXISTS (SELECT 1 FROM pawl_claim c JOIN pawl_job j ON j.id = c.job "
     "WHERE j.queue = w.queue AND c.claimed_at > w.oldest + 60000 AND "
     "j.priority <= w.top AND j.ready_at > w.oldest)) LIMIT 5"},
    {PAWL_FINDING_WARNING, "ids-near-end",
     "Find out who inserted it. Ids go on from the highest; for small ones "
     "push the jobs into a new store.",
     "SELECT PRINTF('the highest id is %lld, and ids end at "
     "4611686018427387903', max(id)) FROM pawl_job "
     "HAVING max(id) > 4503599627370496"},
    {PAWL_FINDING_WARNING, "times-absurd",
     "Set the machine's clock right; correct or cancel those jobs.",
     "SELECT PRINTF('jobs pushed in the future, or due before 1970 or after "
     "2200: %lld, the first is job %lld', count(*), min(id)) "
     "FROM pawl_job WHERE state <> 'deleted' AND (ready_at < 0 OR "
     "ready_at > 7258118400000 OR pushed_at < 0 OR "
     "pushed_at > ?1 + 86400000) HAVING count(*) > 0"},
};

void
pawl__doctor_check_jobs(struct pawl__doctor *d)
{
    int64_t now = pawl__wall_ms(d->env->clock);
    size_t i, before = pawl__doctor_n_ill(d);
    sqlite3_stmt *st;
    int step;

    for (i = 0; i < sizeof doctor_jobs / sizeof doctor_jobs[0]; i++) {
        st = pawl__doctor_prepare(d, doctor_jobs[i].sql);
        if (st == NULL)
            return;
        if (sqlite3_bind_parameter_count(st) >= 1)
            (void)sqlite3_bind_int64(st, 1, now);
        if (sqlite3_bind_parameter_count(st) >= 2)
            (void)sqlite3_bind_int64(st, 2, d->n_alive);
        while ((step = sqlite3_step(st)) == SQLITE_ROW)
            pawl__doctor_say(d, doctor_jobs[i].severity, doctor_jobs[i].name,
                             doctor_jobs[i].todo, "%s",
                             pawl__doctor_text(st, 0));
        if (step != SQLITE_DONE)
            pawl__doctor_db_failed(d);
        (void)sqlite3_finalize(st);
    }
    if (pawl__doctor_n_ill(d) == before && !d->failed)
        pawl__doctor_say(
            d, PAWL_FINDING_OK, "jobs", "",
            "none is stuck, abandoned or passed over; jobs there: %lld",
            (long long)pawl__doctor_int(d,
                                        "SELECT count(*) FROM pawl_job "
                                        "WHERE state <> 'deleted'",
                                        0));
}
