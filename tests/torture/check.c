/* SPDX-License-Identifier: MIT */
/* check.c - the total-queue checker. */
#include "torture/check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model/job.h"

#define CHECK_DETAILS 20 /* violations that are told one by one */
#define CHECK_NEVER INT64_MAX

struct death {
    pid_t pid;
    int64_t at_ns;
};

/* A claim call, by what it returned. */
struct call {
    int64_t number;
    pid_t pid;
    int64_t began_ns, at_ns;
    bool returned;
    struct rank {
        int64_t priority, ready_at, id;
    } last; /* the job it took that ranks last */
    bool took;
};

struct checker {
    const struct log *log;
    struct check *v;
    FILE *detail;
    long told;
    struct log_record *all; /* those with a number, by number and time */
    size_t n_all;
    int64_t *number_of; /* by id */
    int64_t max_id;
    struct death *deaths;
    size_t n_deaths;
    struct call *calls; /* by number; calls[i].number == i + 1 */
    size_t n_calls;
    struct call *order; /* the same by time, those that took something */
    size_t n_order;
    struct call *open; /* those that never returned */
    size_t n_open;
    int64_t *rescues; /* from a death to the next start of each job */
    size_t n_rescues;
};

static void check_tell(struct checker *c, long *count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
check_tell(struct checker *c, long *count, const char *format, ...)
{
    va_list args;

    (*count)++;
    if (c->detail == NULL || c->told++ >= CHECK_DETAILS)
        return;
    va_start(args, format);
    (void)vfprintf(c->detail, format, args);
    va_end(args);
    (void)fputc('\n', c->detail);
}

static int64_t
check_death(const struct checker *c, pid_t pid)
{
    size_t low = 0, high = c->n_deaths, mid;

    while (low < high) { /* the first of that pid: sorted by pid and time */
        mid = (low + high) / 2;
        if (c->deaths[mid].pid < pid)
            low = mid + 1;
        else
            high = mid;
    }
    return low < c->n_deaths && c->deaths[low].pid == pid ? c->deaths[low].at_ns
                                                          : CHECK_NEVER;
}

/* ---------------------------------------------------------------- history */

static const char *const check_kind[] = {
    "nothing", "push",    "pushed", "push unknown", "push refused",
    "claim",   "claimed", "claims", "start",        "end",
    "settle",  "settled", "dying"};

/* All that is known of a job, when something is wrong with it. */
static void
check_history(struct checker *c, const struct log_record *r, size_t n)
{
    int64_t from = r[0].began_ns, death;
    size_t i;

    if (c->detail == NULL || c->told > CHECK_DETAILS)
        return;
    for (i = 0; i < n; i++) {
        death = check_death(c, r[i].pid);
        (void)fprintf(c->detail,
                      "    %10.3f..%10.3f ms  %-12s process %d, token %llx, "
                      "outcome %d, status %d",
                      (double)(r[i].began_ns - from) / 1e6,
                      (double)(r[i].at_ns - from) / 1e6, check_kind[r[i].kind],
                      (int)r[i].pid, (unsigned long long)r[i].token,
                      r[i].outcome, r[i].status);
        if (death != CHECK_NEVER)
            (void)fprintf(c->detail, " (died at %.3f)",
                          (double)(death - from) / 1e6);
        (void)fputc('\n', c->detail);
    }
}

/* ------------------------------------------------------------ preparation */

static int
check_compare_ids(const struct rank *a, const struct rank *b)
{
    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    if (a->ready_at != b->ready_at)
        return a->ready_at < b->ready_at ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static int
check_compare_records(const void *a, const void *b)
{
    const struct log_record *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    if (x->at_ns != y->at_ns)
        return x->at_ns < y->at_ns ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int
check_compare_deaths(const void *a, const void *b)
{
    const struct death *x = a, *y = b;

    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    return x->at_ns < y->at_ns ? -1 : x->at_ns > y->at_ns;
}

static int
check_compare_calls(const void *a, const void *b)
{
    const struct call *x = a, *y = b;

    return x->began_ns < y->began_ns ? -1 : x->began_ns > y->began_ns;
}

static int
check_compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static size_t
check_n(const struct log *log)
{
    size_t n = atomic_load(&log->n);

    return n < log->room ? n : log->room;
}

static void
check_note_call(struct checker *c, const struct log_record *r)
{
    struct call *call;
    int64_t number = r->kind == LOG_CLAIM ? r->call : r->number;
    struct rank rank = {r->priority, r->wall_ms, r->id};

    if (number < 1 || (size_t)number > c->n_calls)
        return;
    call = &c->calls[number - 1];
    call->number = number;
    call->pid = r->pid;
    if (r->kind == LOG_CLAIM_TRY) {
        call->began_ns = r->at_ns;
        if (r->status == 0) /* it only settles */
            call->returned = true;
    } else if (r->kind == LOG_CLAIMED) {
        call->at_ns = r->at_ns;
        call->returned = true;
    } else {
        if (!call->took || check_compare_ids(&call->last, &rank) < 0)
            call->last = rank;
        call->took = true;
    }
}

/* First pass: deaths, calls, and which id is which number. */
static void
check_read(struct checker *c)
{
    const struct log_record *r = c->log->records;
    size_t i, n = check_n(c->log);

    for (i = 0; i < n; i++) {
        switch (atomic_load(&r[i].kind)) {
        case LOG_DYING:
            c->deaths[c->n_deaths].pid = r[i].pid;
            c->deaths[c->n_deaths++].at_ns = r[i].at_ns;
            break;
        case LOG_CLAIM:
            check_note_call(c, &r[i]);
            if (r[i].id > 0 && r[i].id <= c->max_id)
                c->number_of[r[i].id] = r[i].number;
            break;
        case LOG_CLAIM_TRY:
        case LOG_CLAIMED:
            check_note_call(c, &r[i]);
            break;
        default:
            break;
        }
    }
}

static void
check_keep(struct checker *c, const struct log_record *r)
{
    struct log_record *k = &c->all[c->n_all];
    int kind = atomic_load(&r->kind);

    if (kind == LOG_NOTHING || kind == LOG_CLAIM_TRY || kind == LOG_CLAIMED ||
        kind == LOG_DYING)
        return;
    *k = *r;
    if (kind == LOG_SETTLE || kind == LOG_SETTLE_TRY)
        k->number = r->id > 0 && r->id <= c->max_id ? c->number_of[r->id] : 0;
    c->n_all++;
}

static int
check_prepare(struct checker *c)
{
    const struct log_record *r = c->log->records;
    size_t i, n = check_n(c->log);

    for (i = 0; i < n; i++)
        if (r[i].id > c->max_id)
            c->max_id = r[i].id;
    c->n_calls = (size_t)atomic_load(&c->log->next_call);
    c->all = calloc(n + 1, sizeof *c->all);
    c->number_of = calloc((size_t)c->max_id + 1, sizeof *c->number_of);
    c->deaths = calloc(n + 1, sizeof *c->deaths);
    c->calls = calloc(c->n_calls + 1, sizeof *c->calls);
    c->order = calloc(c->n_calls + 1, sizeof *c->order);
    c->open = calloc(c->n_calls + 1, sizeof *c->open);
    c->rescues = calloc(n + 1, sizeof *c->rescues);
    if (c->all == NULL || c->number_of == NULL || c->deaths == NULL ||
        c->calls == NULL || c->order == NULL || c->open == NULL ||
        c->rescues == NULL)
        return -1;
    check_read(c);
    qsort(c->deaths, c->n_deaths, sizeof *c->deaths, check_compare_deaths);
    for (i = 0; i < n; i++)
        check_keep(c, &r[i]);
    for (i = 0; i < c->n_calls; i++)
        if (c->calls[i].took && c->calls[i].returned)
            c->order[c->n_order++] = c->calls[i];
        else if (c->calls[i].number != 0 && !c->calls[i].returned)
            c->open[c->n_open++] = c->calls[i];
    qsort(c->all, c->n_all, sizeof *c->all, check_compare_records);
    qsort(c->order, c->n_order, sizeof *c->order, check_compare_calls);
    return 0;
}

static void
check_clear(struct checker *c)
{
    free(c->all);
    free(c->number_of);
    free(c->deaths);
    free(c->calls);
    free(c->order);
    free(c->open);
    free(c->rescues);
}

/* ---------------------------------------------------------------- one job */

/* The records r[0..n) are of one job, by time. */
static const struct log_record *
check_find(const struct log_record *r, size_t n, int kind, int64_t token)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (r[i].kind == kind && (token == 0 || r[i].token == token))
            return &r[i];
    return NULL;
}

/* The settle of an attempt that was accepted, or whose call failed with an
 * unknown end. */
static const struct log_record *
check_end_of(const struct log_record *r, size_t n, int64_t token)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (r[i].kind == LOG_SETTLE && r[i].token == token &&
            (r[i].status == PAWL_OK || r[i].status == PAWL_UNKNOWN))
            return &r[i];
    return NULL;
}

/* Was the attempt being given back by a call that never returned? */
static bool
check_is_unheard(const struct log_record *r, size_t n, int64_t token,
                 int64_t before_ns)
{
    const struct log_record *tried = check_find(r, n, LOG_SETTLE_TRY, token);

    return tried != NULL && tried->at_ns < before_ns &&
           tried->outcome != PAWL__ACK &&
           check_find(r, n, LOG_SETTLE, token) == NULL;
}

static void
check_pushes(struct checker *c, const struct log_record *r, size_t n)
{
    bool tried = check_find(r, n, LOG_PUSH_TRY, 0) != NULL;
    bool pushed = check_find(r, n, LOG_PUSH_OK, 0) != NULL;
    bool refused = check_find(r, n, LOG_PUSH_NO, 0) != NULL;
    bool ran = check_find(r, n, LOG_START, 0) != NULL;
    bool claimed = check_find(r, n, LOG_CLAIM, 0) != NULL;

    c->v->tried += tried;
    c->v->pushed += pushed;
    c->v->refused += refused;
    c->v->jobs_run += ran;
    if (tried && !pushed && !refused) {
        c->v->unknown++;
        c->v->recovered += ran;
    }
    if (pushed && !ran)
        check_tell(c, &c->v->lost, "lost: job %lld, id %lld",
                   (long long)r[0].number, (long long)r[n - 1].id);
    if ((claimed || ran) && (!tried || refused))
        check_tell(c, &c->v->unexpected, "unexpected: job %lld, id %lld ran",
                   (long long)r[0].number, (long long)r[n - 1].id);
}

static void
check_starts(struct checker *c, const struct log_record *r, size_t n)
{
    const struct log_record *try_ = check_find(r, n, LOG_PUSH_TRY, 0);
    const struct log_record *before = NULL, *end;
    int64_t death;
    size_t i;

    for (i = 0; i < n; i++) {
        if (r[i].kind != LOG_START)
            continue;
        c->v->starts++;
        if (try_ != NULL && r[i].wall_ms < try_->wall_ms)
            check_tell(c, &c->v->early, "early: job %lld by %lld ms",
                       (long long)r[i].number,
                       (long long)(try_->wall_ms - r[i].wall_ms));
        if (before != NULL) {
            end = check_end_of(r, n, before->token);
            death = check_death(c, before->pid);
            if (end != NULL && end->status == PAWL_OK &&
                end->outcome != PAWL__ACK && before->token != r[i].token)
                c->v->again_given_back++;
            else if ((end != NULL && end->status == PAWL_UNKNOWN) ||
                     check_is_unheard(r, n, before->token, r[i].at_ns))
                c->v->again_unknown++;
            else if (death < r[i].at_ns && before->token != r[i].token)
                c->v->again_died++;
            else
                check_tell(c, &c->v->unexplained,
                           "unexplained: job %lld, id %lld ran again in "
                           "process %d, before in %d",
                           (long long)r[i].number, (long long)r[i].id,
                           (int)r[i].pid, (int)before->pid);
        }
        before = &r[i];
    }
}

/* A later claim of the job than claim, or NULL. */
static const struct log_record *
check_next_claim(const struct log_record *claim, const struct log_record *end)
{
    const struct log_record *r;

    for (r = claim + 1; r < end; r++)
        if (r->kind == LOG_CLAIM && r->token != claim->token)
            return r;
    return NULL;
}

static const struct log_record *
check_settle_try(const struct log_record *r, size_t n, int64_t token)
{
    return check_find(r, n, LOG_SETTLE_TRY, token);
}

static void
check_claims(struct checker *c, const struct log_record *r, size_t n)
{
    const struct log_record *next, *tried;
    size_t i;

    for (i = 0; i < n; i++) {
        if (r[i].kind != LOG_CLAIM)
            continue;
        next = check_next_claim(&r[i], r + n);
        if (next == NULL)
            continue;
        tried = check_settle_try(r, n, r[i].token);
        if ((tried == NULL || tried->at_ns > next->at_ns) &&
            check_death(c, r[i].pid) > next->at_ns)
            check_tell(c, &c->v->two_valid,
                       "two valid: job %lld, id %lld claimed by %d while %d "
                       "has it",
                       (long long)r[i].number, (long long)r[i].id,
                       (int)next->pid, (int)r[i].pid);
    }
}

/* Was there, when the settle r began, a later claim than the settle's own? */
static bool
check_is_overtaken(const struct log_record *r, size_t n,
                   const struct log_record *settle)
{
    const struct log_record *own = check_find(r, n, LOG_CLAIM, settle->token);
    size_t i;

    if (own == NULL)
        return false;
    for (i = 0; i < n; i++)
        if (r[i].kind == LOG_CLAIM && r[i].began_ns > own->at_ns &&
            r[i].at_ns < settle->began_ns)
            return true;
    return false;
}

static void
check_settles(struct checker *c, const struct log_record *r, size_t n)
{
    size_t i, k;
    bool twice;

    for (i = 0; i < n; i++) {
        if (r[i].kind != LOG_SETTLE)
            continue;
        c->v->settles += r[i].status == PAWL_OK;
        c->v->stale_refused += r[i].status == PAWL_STALE;
        if (r[i].status != PAWL_OK)
            continue;
        for (twice = false, k = 0; k < i; k++)
            twice |= r[k].kind == LOG_SETTLE && r[k].status == PAWL_OK &&
                     r[k].token == r[i].token;
        if (twice || check_is_overtaken(r, n, &r[i]))
            check_tell(c, &c->v->stale_accepted,
                       "stale accepted: job %lld, id %lld by %d",
                       (long long)r[i].number, (long long)r[i].id,
                       (int)r[i].pid);
        if (r[i].outcome != PAWL__ACK)
            continue;
        for (k = 0; k < n; k++)
            if (r[k].kind == LOG_CLAIM && r[k].began_ns > r[i].at_ns)
                check_tell(c, &c->v->run_after_ack,
                           "run after ack: job %lld, id %lld by %d",
                           (long long)r[k].number, (long long)r[k].id,
                           (int)r[k].pid);
    }
}

/* --------------------------------------------------------------- the order */

/* A claim call that was open when its process died may have taken jobs that
 * nobody heard of: what was there between start and end is not judged. */
static bool
check_is_hidden(const struct checker *c, int64_t from_ns, int64_t to_ns)
{
    size_t i;

    for (i = 0; i < c->n_open; i++)
        if (c->open[i].began_ns < to_ns &&
            check_death(c, c->open[i].pid) > from_ns)
            return true;
    return false;
}

/* The first call that began after a time. */
static size_t
check_first_call(const struct checker *c, int64_t after_ns)
{
    size_t low = 0, high = c->n_order, mid;

    while (low < high) {
        mid = (low + high) / 2;
        if (c->order[mid].began_ns > after_ns)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static void
check_order(struct checker *c, const struct log_record *r, size_t n)
{
    const struct log_record *push = check_find(r, n, LOG_PUSH_OK, 0);
    const struct log_record *try_ = check_find(r, n, LOG_PUSH_TRY, 0);
    const struct log_record *claim = check_find(r, n, LOG_CLAIM, 0);
    struct rank rank;
    size_t i;

    if (push == NULL || try_ == NULL || claim == NULL || try_->wall_ms != 0)
        return; /* a delayed job becomes ready at its own time */
    rank = (struct rank){claim->priority, claim->wall_ms, claim->id};
    for (i = check_first_call(c, push->at_ns);
         i < c->n_order && c->order[i].began_ns < claim->began_ns; i++) {
        if (c->order[i].at_ns >= claim->began_ns ||
            check_compare_ids(&rank, &c->order[i].last) > 0)
            continue;
        if (!check_is_hidden(c, try_->at_ns, claim->began_ns))
            check_tell(c, &c->v->out_of_order,
                       "out of order: job %lld, id %lld waited while id %lld "
                       "was claimed",
                       (long long)claim->number, (long long)claim->id,
                       (long long)c->order[i].last.id);
        return;
    }
}

/* ------------------------------------------------------------- rescue times */

static void
check_rescue(struct checker *c, const struct log_record *r, size_t n)
{
    int64_t death;
    size_t i, k;

    for (i = 0; i < n; i++) {
        if (r[i].kind != LOG_CLAIM)
            continue;
        death = check_death(c, r[i].pid);
        if (death == CHECK_NEVER || death < r[i].at_ns ||
            check_settle_try(r, n, r[i].token) != NULL)
            continue;
        c->v->held_at_death++;
        for (k = i + 1; k < n; k++)
            if (r[k].kind == LOG_START && r[k].pid != r[i].pid &&
                r[k].at_ns > death) {
                c->rescues[c->n_rescues++] = r[k].at_ns - death;
                break;
            }
    }
}

static void
check_rescue_times(struct checker *c)
{
    if (c->n_rescues == 0)
        return;
    qsort(c->rescues, c->n_rescues, sizeof *c->rescues, check_compare_ns);
    c->v->rescue_median_ns = c->rescues[c->n_rescues / 2];
    c->v->rescue_99_ns = c->rescues[c->n_rescues * 99 / 100];
    c->v->rescue_worst_ns = c->rescues[c->n_rescues - 1];
}

/* ---------------------------------------------------------------- all of it
 */

static void
check_job(struct checker *c, const struct log_record *r, size_t n)
{
    long told;

    if (r[0].number <= 0) { /* bytes that nobody pushed */
        if (check_find(r, n, LOG_CLAIM, 0) != NULL ||
            check_find(r, n, LOG_START, 0) != NULL)
            check_tell(c, &c->v->unexpected, "unexpected: id %lld",
                       (long long)r[0].id);
        return;
    }
    told = c->told;
    check_pushes(c, r, n);
    check_starts(c, r, n);
    check_claims(c, r, n);
    check_settles(c, r, n);
    check_order(c, r, n);
    check_rescue(c, r, n);
    if (c->told != told)
        check_history(c, r, n);
}

int
check_log(const struct log *log, struct check *verdict, FILE *detail)
{
    struct checker c;
    size_t i, from;
    int rc;

    memset(verdict, 0, sizeof *verdict);
    memset(&c, 0, sizeof c);
    c.log = log;
    c.v = verdict;
    c.detail = detail;
    rc = check_prepare(&c);
    for (i = from = 0; rc == 0 && i < c.n_all; i++)
        if (i + 1 == c.n_all || c.all[i + 1].number != c.all[from].number) {
            check_job(&c, &c.all[from], i + 1 - from);
            from = i + 1;
        }
    if (rc == 0)
        check_rescue_times(&c);
    verdict->deaths = (long)c.n_deaths;
    check_clear(&c);
    return rc;
}

bool
check_is_good(const struct check *v)
{
    return v->lost == 0 && v->unexpected == 0 && v->unexplained == 0 &&
           v->run_after_ack == 0 && v->stale_accepted == 0 &&
           v->two_valid == 0 && v->early == 0 && v->out_of_order == 0;
}

void
check_sum(struct check *sum, const struct check *one)
{
    sum->tried += one->tried;
    sum->pushed += one->pushed;
    sum->unknown += one->unknown;
    sum->refused += one->refused;
    sum->recovered += one->recovered;
    sum->jobs_run += one->jobs_run;
    sum->starts += one->starts;
    sum->settles += one->settles;
    sum->stale_refused += one->stale_refused;
    sum->deaths += one->deaths;
    sum->held_at_death += one->held_at_death;
    sum->again_died += one->again_died;
    sum->again_given_back += one->again_given_back;
    sum->again_unknown += one->again_unknown;
    sum->lost += one->lost;
    sum->unexpected += one->unexpected;
    sum->unexplained += one->unexplained;
    sum->run_after_ack += one->run_after_ack;
    sum->stale_accepted += one->stale_accepted;
    sum->two_valid += one->two_valid;
    sum->early += one->early;
    sum->out_of_order += one->out_of_order;
    if (one->rescue_worst_ns > sum->rescue_worst_ns)
        sum->rescue_worst_ns = one->rescue_worst_ns;
    if (one->rescue_99_ns > sum->rescue_99_ns)
        sum->rescue_99_ns = one->rescue_99_ns;
    if (one->rescue_median_ns > sum->rescue_median_ns)
        sum->rescue_median_ns = one->rescue_median_ns;
}

void
check_print(const struct check *v, FILE *out)
{
    (void)fprintf(
        out,
        "  pushed %ld (tried %ld, refused %ld, unknown %ld of which %ld were "
        "there), jobs run %ld\n"
        "  runs %ld, again because a process died %ld, given back %ld, "
        "unknown %ld; settles %ld, stale refused %ld\n"
        "  lost %ld, unexpected %ld, unexplained %ld, run after ack %ld, "
        "stale accepted %ld, two valid %ld, early %ld, out of order %ld\n",
        v->pushed, v->tried, v->refused, v->unknown, v->recovered, v->jobs_run,
        v->starts, v->again_died, v->again_given_back, v->again_unknown,
        v->settles, v->stale_refused, v->lost, v->unexpected, v->unexplained,
        v->run_after_ack, v->stale_accepted, v->two_valid, v->early,
        v->out_of_order);
    if (v->held_at_death > 0)
        (void)fprintf(out,
                      "  jobs held at a death %ld, running elsewhere after: "
                      "median %.1f ms, 99th %.1f ms, worst %.1f ms\n",
                      v->held_at_death, (double)v->rescue_median_ns / 1e6,
                      (double)v->rescue_99_ns / 1e6,
                      (double)v->rescue_worst_ns / 1e6);
}
