/* SPDX-License-Identifier: MIT */
/* world.c - each operation on the library and on the model. */
#include "model/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"

#define WORLD_FULL 300 /* jobs; from here on a push is a flush */
#define WORLD_BATCH 8
#define WORLD_KEYS 4          /* of each kind */
#define WORLD_NONE UINT64_MAX /* no job has this label */
#define WORLD_DAY 86400000LL
#define WORLD_YEAR (365 * WORLD_DAY)

static const char *const world_queues[MODEL_QUEUES] = {"a", "b"};
static const char *const world_types[] = {"x", "y", "z"};

/* ------------------------------------------------------------------- words */

static void world_say(const struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void world_differ(struct world *w, const char *what, const char *format,
                         ...) __attribute__((format(printf, 3, 4)));

static void
world_say(const struct world *w, const char *format, ...)
{
    va_list args;

    if (!w->trace)
        return;
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
}

/* The first difference counts; what follows may only be its consequence. */
static void
world_differ(struct world *w, const char *what, const char *format, ...)
{
    va_list args;

    if (w->failed)
        return;
    w->failed = true;
    (void)snprintf(w->what, sizeof w->what, "%s", what);
    va_start(args, format);
    (void)vsnprintf(w->why, sizeof w->why, format, args);
    va_end(args);
}

static void
world_same(struct world *w, const char *what, int64_t library, int64_t model)
{
    if (library != model)
        world_differ(w, what, "library %lld, model %lld", (long long)library,
                     (long long)model);
}

static void
world_same_code(struct world *w, const char *what, int rc, int model,
                const pawl_error *err)
{
    if (rc != model)
        world_differ(w, what, "library %d (%s), model %d (%s)", rc,
                     rc != PAWL_OK ? err->message : "", model,
                     pawl_strerror(model));
    else if (rc != PAWL_OK && (err->code != rc || err->message[0] == '\0'))
        world_differ(w, what, "%d without a sentence", rc);
}

const char *
world_kind_name(enum world_kind kind)
{
    static const char *const names[WORLD_N_KINDS] = {
        "push",   "push many", "push async", "bad push",   "SQL push",
        "SQL",    "claim",     "finish",     "extend",     "check",
        "cancel", "retry",     "reload",     "flush",      "set",
        "sweep",  "die",       "reopen",     "reopen all", "checkpoint",
        "pass",   "jump"};

    return names[kind];
}

/* A number of the operation's own (splitmix64, Steele et al. 2014). */
static int64_t
world_draw(struct world *w, int64_t lo, int64_t hi)
{
    uint64_t z = w->draw += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return lo + (int64_t)(z % ((uint64_t)(hi - lo) + 1));
}

static bool
world_one_in(struct world *w, int64_t n)
{
    return world_draw(w, 1, n) == 1;
}

static int
world_draw_conn(struct world *w)
{
    return (int)world_draw(w, 0, w->n_conns - 1);
}

/* An id of a job; of none that there is, now and then. */
static int64_t
world_draw_id(struct world *w)
{
    struct model *m = &w->m;
    int i, at = (int)world_draw(w, 0, MODEL_JOBS);
    bool none = world_one_in(w, 10);

    if (w->op->target == 0)
        w->op->target =
            none || m->n == 0 ? WORLD_NONE : m->job[at % m->n].as.label;
    for (i = 0; i < m->n; i++)
        if (m->job[i].as.label == w->op->target)
            return m->job[i].id;
    return m->last_id + 1;
}

static void
world_set_wall(struct world *w, int64_t wall)
{
    atomic_store(&w->clock.wall, wall);
    w->m.now = wall < 0 ? 0 : wall > MODEL_AT_MAX ? MODEL_AT_MAX : wall;
}

/* ------------------------------------------------------------- open, close */

static void
world_conn_work(struct world *w, struct world_conn *c)
{
    pawl_error err;

    support_ok(c->store->driver->worker_start(c->store->self, WORLD_RUNNING,
                                              &c->worker, &err),
               &err, "worker_start", __FILE__, __LINE__);
    memset(c->running, 0, sizeof c->running);
    (void)w;
}

static void
world_conn_open(struct world *w, struct world_conn *c)
{
    pawl_options options = PAWL_OPTIONS_INIT;
    pawl_error err;
    int q;

    memset(c, 0, sizeof *c);
    options.durability = PAWL_PROCESS; /* nothing here needs the syncs */
    options.busy_timeout_ms = 1;       /* there is one thread */
    options.clock = &w->clock.clock;
    support_ok(pawl_open(w->driver == 0 ? "memory:" : w->folder.store, &options,
                         &c->store, &err),
               &err, "pawl_open", __FILE__, __LINE__);
    for (q = 0; q < MODEL_QUEUES; q++)
        support_ok(
            pawl_queue_open(c->store, world_queues[q], &c->queue[q], &err),
            &err, "pawl_queue_open", __FILE__, __LINE__);
    world_conn_work(w, c);
}

static void
world_sql_open(struct world *w)
{
    if (w->driver != 1)
        return;
    if (sqlite3_open(w->folder.store, &w->sql) != SQLITE_OK)
        ck_abort_msg("open: %s", sqlite3_errmsg(w->sql));
    (void)sqlite3_exec(w->sql, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
}

void
world_open(struct world *w, int driver, bool planted)
{
    int i;

    memset(w, 0, sizeof *w);
    w->driver = driver;
    w->n_conns = driver == 0 ? 1 : WORLD_CONNS;
    support_folder_make(&w->folder);
    support_clock_init(&w->clock);
    pawl__clock_init(&w->library_clock, &w->clock.clock);
    w->rng.s[0] = 1;
    model_init(&w->m);
    w->m.now = SUPPORT_EPOCH;
    w->m.planted = planted;
    for (i = 0; i < w->n_conns; i++)
        world_conn_open(w, &w->conn[i]);
    world_sql_open(w);
}

static void
world_held_free(struct world_held *h)
{
    pawl__attempt_clear(&h->attempt);
    pawl__record_free(h->record);
    free(h);
}

void
world_close(struct world *w)
{
    int i;

    for (i = 0; i < w->n_held; i++)
        world_held_free(w->held[i]);
    for (i = 0; i < w->n_conns; i++)
        pawl_close(w->conn[i].store);
    (void)sqlite3_close(w->sql);
    support_folder_remove(&w->folder);
}

/* -------------------------------------------------------------- comparison */

static const char *
world_key_name(int key)
{
    static const char *const names[WORLD_KEYS] = {"k0", "k1", "k2", "k3"};

    return key < 0 ? NULL : names[key];
}

static void
world_same_job(struct world *w, const char *call, const pawl_job_info *info,
               const struct model_job *j)
{
    const struct model_queue *q = &w->m.queue[j->as.queue];
    const char *key = world_key_name(j->as.key);
    const struct {
        const char *what;
        int64_t library, model;
    } pairs[] = {
        {"id", info->id, j->id},
        {"state", info->state, j->state},
        {"attempts", info->attempts, j->attempts},
        {"abandons", info->abandons, j->abandons},
        {"ready_at", info->job.ready_at_ms, j->ready},
        {"priority", info->job.priority, j->as.priority},
        {"pushed_at", info->pushed_at_ms, j->pushed},
        {"finished_at", info->finished_at_ms, j->ended ? j->finished : 0},
        {"worker", info->worker, j->worker},
        {"max_attempts", info->job.max_attempts,
         j->as.max_attempts != 0 ? j->as.max_attempts : q->max_attempts},
        {"timeout", info->job.timeout_ms,
         j->as.timeout != 0 ? j->as.timeout : q->timeout},
        {"queue", info->queue[0], world_queues[j->as.queue][0]},
        {"type", info->job.type[0], world_types[j->as.type][0]},
        {"key", info->job.unique_key != NULL, key != NULL},
    };
    size_t i;

    for (i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i].library != pairs[i].model)
            world_differ(w, pairs[i].what,
                         "%s, job %lld: library %lld, model "
                         "%lld",
                         call, (long long)j->id, (long long)pairs[i].library,
                         (long long)pairs[i].model);
    if (key != NULL && info->job.unique_key != NULL &&
        strcmp(key, info->job.unique_key) != 0)
        world_differ(w, "key", "job %lld: library %s, model %s",
                     (long long)j->id, info->job.unique_key, key);
}

struct world_walk {
    struct world *w;
    int at; /* in the model's array */
};

static int
world_compare_one(const pawl_job_info *info, void *user)
{
    struct world_walk *walk = user;
    struct model *m = &walk->w->m;

    while (walk->at < m->n && m->job[walk->at].gone)
        walk->at++;
    if (walk->at < m->n)
        world_same_job(walk->w, "list", info, &m->job[walk->at]);
    else
        world_differ(walk->w, "list", "job %lld is not in the model",
                     (long long)info->id);
    walk->at++;
    return walk->w->failed;
}

static void
world_compare_info(struct world *w, struct world_conn *c, int q)
{
    int64_t n[PAWL_CANCELLED + 1] = {0}, oldest = 0;
    const struct model_job *j;
    pawl_info info;
    pawl_error err;

    for (j = w->m.job; j < w->m.job + w->m.n; j++) {
        if (j->as.queue != q || j->gone)
            continue;
        if (j->state == PAWL_WAITING &&
            (n[PAWL_WAITING] == 0 || j->ready < oldest))
            oldest = j->ready;
        n[j->state]++;
    }
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    world_same_code(w, "info", pawl_queue_info(c->queue[q], &info, &err),
                    PAWL_OK, &err);
    world_same(w, "info: waiting", info.waiting, n[PAWL_WAITING]);
    world_same(w, "info: delayed", info.delayed, n[PAWL_DELAYED]);
    world_same(w, "info: reserved", info.reserved, n[PAWL_RESERVED]);
    world_same(w, "info: timeout", info.timeout, n[PAWL_TIMEOUT]);
    world_same(w, "info: failed", info.failed, n[PAWL_FAILED]);
    world_same(w, "info: done", info.done, n[PAWL_DONE]);
    world_same(w, "info: cancelled", info.cancelled, n[PAWL_CANCELLED]);
    world_same(w, "info: oldest", info.oldest_waiting_at_ms, oldest);
    world_same(w, "info: paused", info.paused, w->m.queue[q].paused);
}

bool
world_compare(struct world *w)
{
    struct world_conn *c = &w->conn[w->m.last_id % w->n_conns];
    pawl_filter filter = PAWL_FILTER_INIT;
    struct world_walk walk = {w, 0};
    pawl_error err;
    int q;

    filter.limit = 1000000;
    world_same_code(
        w, "list", pawl_list(c->store, &filter, world_compare_one, &walk, &err),
        PAWL_OK, &err);
    while (!w->failed && walk.at < w->m.n && w->m.job[walk.at].gone)
        walk.at++;
    if (!w->failed && walk.at < w->m.n)
        world_differ(w, "list", "job %lld is not in the library",
                     (long long)w->m.job[walk.at].id);
    for (q = 0; q < MODEL_QUEUES && !w->failed; q++)
        world_compare_info(w, c, q);
    return !w->failed;
}

/* -------------------------------------------------------------------- push */

static void
world_draw_job(struct world *w, int queue, struct model_new *n)
{
    static const int64_t delays[] = {1,    10,        500,
                                     3000, WORLD_DAY, PAWL__SPAN_MAX_MS};

    memset(n, 0, sizeof *n);
    n->label = ((uint64_t)w->op->seed << 8) + (uint64_t)++w->n_labels;
    n->queue = queue;
    n->type = (int)world_draw(w, 0, 2);
    n->priority = (int)world_draw(w, -1, 1);
    if (world_one_in(w, 20))
        n->priority = world_one_in(w, 2) ? 32767 : -32768;
    n->key = -1;
    n->max_attempts = (int)world_draw(w, 0, 3);
    n->jitter = PAWL_NONE;
    if (world_one_in(w, 3))
        n->delay = delays[world_draw(w, 0, 5)];
    else if (world_one_in(w, 6))
        n->ready_at = world_one_in(w, 10)
                          ? (world_one_in(w, 2) ? 1 : PAWL__AT_MAX_MS)
                          : SUPPORT_EPOCH + world_draw(w, -5000, 5000);
    if (world_one_in(w, 4))
        n->timeout = world_draw(w, 1, 3000);
    if (world_one_in(w, 2)) {
        n->floor = world_draw(w, 1, 2000);
        n->ceiling = n->floor + world_draw(w, 0, 3000);
        n->factor = (int)world_draw(w, 100, 1000);
    }
    if (world_one_in(w, 8))
        n->jitter = (int)world_draw(w, 1, 100);
}

static void
world_draw_key(struct world *w, struct model_new *n)
{
    n->key = (int)world_draw(w, 0, WORLD_KEYS - 1);
    if (world_one_in(w, 2))
        n->unique_ms = world_one_in(w, 4) ? WORLD_DAY : world_draw(w, 1, 5000);
}

static pawl_job
world_public_job(const struct model_new *n)
{
    pawl_job job = PAWL_JOB(world_types[n->type], "p", 1);

    job.priority = n->priority;
    job.delay_ms = n->delay;
    job.ready_at_ms = n->ready_at;
    job.unique_key = world_key_name(n->key);
    job.unique_ms = n->unique_ms;
    job.max_attempts = n->max_attempts;
    job.timeout_ms = n->timeout;
    job.backoff_floor_ms = n->floor;
    job.backoff_ceiling_ms = n->ceiling;
    job.backoff_factor_percent = n->factor;
    job.backoff_jitter_percent = n->jitter;
    return job;
}

static void
world_say_job(const struct world *w, const struct model_new *n)
{
    world_say(w, " {%s/%s", world_queues[n->queue], world_types[n->type]);
    if (n->priority != 0)
        world_say(w, " priority=%d", n->priority);
    if (n->delay != 0)
        world_say(w, " delay=%lld", (long long)n->delay);
    if (n->ready_at != 0)
        world_say(w, " ready_at=%lld", (long long)n->ready_at);
    if (n->key >= 0)
        world_say(w, " key=k%d unique_ms=%lld", n->key,
                  (long long)n->unique_ms);
    if (n->max_attempts != 0)
        world_say(w, " max_attempts=%d", n->max_attempts);
    if (n->timeout != 0)
        world_say(w, " timeout=%lld", (long long)n->timeout);
    world_say(w, "}");
}

/* An array that is full is emptied, so that each look stays cheap. */
static bool
world_make_room(struct world *w)
{
    const unsigned all = PAWL_ANY_STATE & ~(unsigned)PAWL_RESERVED;
    pawl_error err;
    int64_t n;

    if (w->m.n < WORLD_FULL)
        return false;
    world_say(w, " (flush all)");
    world_same_code(w, "flush",
                    pawl_flush(w->conn[0].store, NULL, all, &n, &err), PAWL_OK,
                    &err);
    world_same(w, "flush: n", n, model_flush(&w->m, -1, all));
    return true;
}

static void
world_push(struct world *w)
{
    struct world_conn *c = &w->conn[world_draw_conn(w)];
    int queue = (int)world_draw(w, 0, MODEL_QUEUES - 1), rc, model;
    int64_t id = -1, model_id = 0;
    struct model_new n;
    pawl_error err;
    pawl_job job;

    world_draw_job(w, queue, &n);
    if (world_one_in(w, 3))
        world_draw_key(w, &n);
    job = world_public_job(&n);
    world_say_job(w, &n);
    rc = pawl_push(c->queue[queue], &job, &id, &err);
    model = model_push(&w->m, &n, 1, &model_id);
    world_say(w, " -> id %lld", (long long)id);
    world_same_code(w, "push", rc, model, &err);
    world_same(w, "push: id", id, model_id);
}

/* One key a batch: when a batch is undone, it is nobody's promise whether a
 * key that it found to be over is still held. */
static void
world_push_many(struct world *w)
{
    struct world_conn *c = &w->conn[world_draw_conn(w)];
    int queue = (int)world_draw(w, 0, MODEL_QUEUES - 1), i, rc, model;
    int n_drawn = (int)world_draw(w, 0, WORLD_BATCH), n_jobs = 0;
    int keyed = (int)world_draw(w, 0, 2 * WORLD_BATCH);
    int64_t ids[WORLD_BATCH] = {0}, model_ids[WORLD_BATCH] = {0};
    struct model_new n[WORLD_BATCH];
    pawl_job jobs[WORLD_BATCH];
    pawl_error err;

    memset(jobs, 0, sizeof jobs);
    for (i = 0; i < n_drawn; i++) {
        world_draw_job(w, queue, &n[n_jobs]);
        if (i == keyed)
            world_draw_key(w, &n[n_jobs]);
        if (w->op->skip & 1u << i)
            continue;
        jobs[n_jobs] = world_public_job(&n[n_jobs]);
        world_say_job(w, &n[n_jobs++]);
    }
    rc = pawl_push_many(c->queue[queue], jobs, (size_t)n_jobs, ids, &err);
    model = model_push(&w->m, n, n_jobs, model_ids);
    world_same_code(w, "push many", rc, model, &err);
    for (i = 0; i < n_jobs; i++)
        world_same(w, "push many: id", ids[i],
                   model == PAWL_OK ? model_ids[i] : 0);
}

struct world_told {
    int n, code[WORLD_BATCH];
    int64_t id[WORLD_BATCH];
};

static void
world_tell(int code, int64_t id, const pawl_error *err, void *user)
{
    struct world_told *told = user;

    (void)err;
    if (told->n < WORLD_BATCH) {
        told->code[told->n] = code;
        told->id[told->n] = id;
    }
    told->n++;
}

static void
world_push_async(struct world *w)
{
    struct world_conn *c = &w->conn[world_draw_conn(w)];
    int queue = (int)world_draw(w, 0, MODEL_QUEUES - 1), i;
    int n_drawn = (int)world_draw(w, 1, WORLD_BATCH), n_jobs = 0;
    struct model_new n[WORLD_BATCH];
    struct world_told told = {0, {0}, {0}};
    int64_t id;
    pawl_error err;
    pawl_job job;

    for (i = 0; i < n_drawn; i++) {
        world_draw_job(w, queue, &n[n_jobs]);
        if (world_one_in(w, 3))
            world_draw_key(w, &n[n_jobs]);
        if (w->op->skip & 1u << i)
            continue;
        job = world_public_job(&n[n_jobs]);
        world_say_job(w, &n[n_jobs++]);
        world_same_code(
            w, "push async",
            pawl_push_async(c->queue[queue], &job, world_tell, &told, &err),
            PAWL_OK, &err);
    }
    world_same_code(w, "sync", pawl_sync(c->store, &err), PAWL_OK, &err);
    world_same(w, "push async: told", told.n, n_jobs);
    for (i = 0; i < n_jobs; i++) {
        id = 0;
        world_same(w, "push async: code", told.code[i],
                   model_push(&w->m, &n[i], 1, &id));
        world_same(w, "push async: id", told.id[i], id);
    }
}

static void
world_push_bad(struct world *w)
{
    struct world_conn *c = &w->conn[world_draw_conn(w)];
    pawl_job job = PAWL_JOB("x", "p", 1);
    int which = (int)world_draw(w, 0, 7);
    int64_t id = -1;
    pawl_error err;

    world_say(w, " rule %d", which);
    if (which == 0)
        job.type = "";
    else if (which == 1)
        job.priority = 32768;
    else if (which == 2)
        job.delay_ms = -1;
    else if (which == 3)
        job.delay_ms = INT64_MAX;
    else if (which == 4)
        job.ready_at_ms = PAWL__AT_MAX_MS + 1;
    else if (which == 5)
        job.unique_ms = 5;
    else if (which == 6)
        job.max_attempts = 1001;
    else
        job.delay_ms = job.ready_at_ms = 7;
    world_same_code(w, "bad push", pawl_push(c->queue[0], &job, &id, &err),
                    PAWL_INVALID, &err);
    world_same(w, "bad push: id", id, 0);
}

/* --------------------------------------------------------------- plain SQL */

static int
world_sql(struct world *w, const char *sql)
{
    int rc = sqlite3_exec(w->sql, sql, NULL, NULL, NULL);

    if (rc != SQLITE_OK && rc != SQLITE_CONSTRAINT)
        world_differ(w, "SQL", "%s: %s", sql, sqlite3_errmsg(w->sql));
    return rc;
}

static int64_t
world_sql_int(struct world *w, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int64_t value = -1;

    if (sqlite3_prepare_v2(w->sql, sql, -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        value = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    return value;
}

/* One INSERT, in three manners that do not depend on the real time, which the
 * triggers use: ready in 1970, in the year 2200, or delayed by its state. */
static void
world_sql_insert(struct world *w, struct model *m)
{
    int queue = (int)world_draw(w, 0, MODEL_QUEUES - 1);
    int how = (int)world_draw(w, 0, 2);
    int64_t ready = how == 0   ? world_draw(w, 1, 1000)
                    : how == 1 ? PAWL__AT_MAX_MS - world_draw(w, 0, 9)
                               : SUPPORT_EPOCH + world_draw(w, -5000, 5000);
    struct model_new n;
    struct model_job *j;
    char sql[400], key[16] = "NULL";
    bool taken;
    int64_t id = 0;

    world_draw_job(w, queue, &n);
    n.delay = n.timeout = n.floor = n.ceiling = 0;
    n.factor = n.jitter = 0;
    n.ready_at = 0;
    n.key = world_one_in(w, 4) ? (int)world_draw(w, 0, WORLD_KEYS - 1) : -1;
    if (n.max_attempts == 0)
        n.max_attempts = 1;
    if (n.key >= 0)
        (void)snprintf(key, sizeof key, "'k%d'", n.key);
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO pawl_job(queue, type, payload, priority, "
                   "max_attempts, pushed_at, ready_at, unique_key%s) VALUES "
                   "('%s', '%s', 'p', %d, %d, %lld, %lld, %s%s)",
                   how == 2 ? ", state" : "", world_queues[queue],
                   world_types[n.type], n.priority, n.max_attempts,
                   (long long)m->now, (long long)ready, key,
                   how == 2 ? ", 'delayed'" : "");
    world_say(w, "\n      %s", sql);
    j = n.key >= 0 ? model_key_row(m, queue, n.key) : NULL;
    taken = world_sql(w, sql) == SQLITE_CONSTRAINT;
    /* A key whose time is over stops plain SQL until Pawl looks at it. */
    world_same(w, "SQL: key", taken, j != NULL);
    if (taken)
        return;
    (void)model_push(m, &n, 1, &id);
    j = model_find(m, id);
    j->ready = ready;
    j->state = how == 0 ? PAWL_WAITING : PAWL_DELAYED;
}

/* Another writer's transaction holds the store: a push must say so. */
static void
world_push_busy(struct world *w)
{
    pawl_job job = PAWL_JOB("x", "p", 1);
    int64_t id = -1;
    pawl_error err;

    world_say(w, "\n      (a push meanwhile is BUSY)");
    world_same_code(w, "push while busy",
                    pawl_push(w->conn[0].queue[0], &job, &id, &err), PAWL_BUSY,
                    &err);
    world_same(w, "push while busy: id", id, 0);
}

static void
world_sql_push(struct world *w)
{
    static struct model before;
    bool undo = world_one_in(w, 3);
    int n = (int)world_draw(w, 1, 4);

    if (w->sql == NULL)
        return;
    before = w->m;
    (void)world_sql(w, "BEGIN IMMEDIATE");
    while (n-- > 0)
        world_sql_insert(w, &w->m);
    if (world_one_in(w, 40))
        world_push_busy(w);
    (void)world_sql(w, undo ? "ROLLBACK" : "COMMIT");
    world_say(w, "\n      %s", undo ? "ROLLBACK" : "COMMIT");
    if (undo)
        w->m = before;
}

/* The time of an end that a trigger wrote is the real time. */
static void
world_sql_ended(struct world *w, struct model_job *j)
{
    char sql[80];

    (void)snprintf(sql, sizeof sql,
                   "SELECT finished_at FROM pawl_job WHERE id = %lld",
                   (long long)j->id);
    j->finished = world_sql_int(w, sql);
    j->ended = true;
    j->state = PAWL_CANCELLED;
    j->worker = j->token = 0;
    if (j->until == 0)
        j->holds = false;
}

/* What guide.md says that a shell may do. */
static void
world_sql_change(struct world *w)
{
    const int may_retry =
        PAWL_FAILED | PAWL_TIMEOUT | PAWL_CANCELLED | PAWL_DELAYED;
    const int may_cancel = PAWL_WAITING | PAWL_DELAYED | PAWL_RESERVED;
    int64_t id = world_draw_id(w);
    struct model_job *j = model_find(&w->m, id);
    int priority = (int)world_draw(w, -2, 2);
    char sql[160];

    if (w->sql == NULL || j == NULL)
        return;
    switch (world_draw(w, 0, 3)) {
    case 0: /* run it again, now */
        if (!(j->state & may_retry) || j->as.key >= 0)
            return;
        (void)snprintf(sql, sizeof sql,
                       "UPDATE pawl_job SET state = 'waiting' WHERE id = %lld",
                       (long long)id);
        (void)world_sql(w, sql);
        j->state = PAWL_WAITING;
        j->ended = false;
        j->finished = 0;
        break;
    case 1:
        if (!(j->state & may_cancel))
            return;
        (void)snprintf(
            sql, sizeof sql,
            "UPDATE pawl_job SET state = 'cancelled' WHERE id = %lld",
            (long long)id);
        (void)world_sql(w, sql);
        world_sql_ended(w, j);
        break;
    case 2:
        (void)snprintf(sql, sizeof sql, "DELETE FROM pawl_job WHERE id = %lld",
                       (long long)id);
        (void)world_sql(w, sql);
        model_remove(&w->m, j);
        break;
    default:
        (void)snprintf(sql, sizeof sql,
                       "UPDATE pawl_job SET priority = %d WHERE id = %lld",
                       priority, (long long)id);
        (void)world_sql(w, sql);
        j->as.priority = priority;
        break;
    }
    world_say(w, " %s", sql);
}

/* -------------------------------------------------------- attempts' ends */

/* What a listener did, and what the model makes of it. */
struct world_end {
    struct pawl__settle settle;
    enum model_end model;
    int64_t ready;
};

static const enum pawl__outcome world_outcomes[] = {
    [MODEL_ACK] = PAWL__ACK,       [MODEL_RETRY] = PAWL__RETRY,
    [MODEL_FAIL] = PAWL__FAIL,     [MODEL_TIMEOUT] = PAWL__TIMEOUT,
    [MODEL_SNOOZE] = PAWL__SNOOZE, [MODEL_RELEASE] = PAWL__RELEASE};

/* An attempt of a job, the newest of it; NULL: there is none. */
static struct world_held *
world_draw_held(struct world *w)
{
    int at = (int)world_draw(w, 0, WORLD_HELD), i;

    if (w->op->target == 0)
        w->op->target =
            w->n_held == 0 ? WORLD_NONE : w->held[at % w->n_held]->label;
    for (i = w->n_held - 1; i >= 0; i--)
        if (w->held[i]->label == w->op->target)
            return w->held[i];
    return NULL;
}

/* The attempt failed: is there another, and when? With jitter the wait is
 * only known by its bounds. */
static void
world_model_failed(struct world *w, const struct world_held *h,
                   struct world_end *e, enum model_end last, int64_t retry_in)
{
    const pawl_job *job = &h->record->info.job;
    int number = h->record->info.attempts + 1;
    int64_t wait = retry_in, jitter = job->backoff_jitter_percent;

    e->model = last;
    if (number >= job->max_attempts)
        return;
    e->model = MODEL_RETRY;
    if (wait < 0) {
        wait = model_backoff(job->backoff_floor_ms, job->backoff_ceiling_ms,
                             job->backoff_factor_percent, number);
        if (jitter > 0 && e->settle.ready_at_ms >= w->m.now) {
            e->ready = e->settle.ready_at_ms;
            retry_in = e->ready - w->m.now;
            if (retry_in < job->backoff_floor_ms ||
                retry_in > job->backoff_ceiling_ms ||
                retry_in < wait * (100 - jitter) / 100 - 1 ||
                (retry_in > wait * (100 + jitter) / 100 + 1))
                world_differ(w, "backoff", "waits %lld, without jitter %lld",
                             (long long)retry_in, (long long)wait);
            return;
        }
    }
    e->ready = w->m.now + wait;
}

/* The listener's calls, and what comes of them. */
static void
world_listener(struct world *w, struct world_held *h, struct world_end *e)
{
    static const int64_t waits[] = {0, 1, 900, WORLD_DAY, PAWL__SPAN_MAX_MS};
    int how = (int)world_draw(w, 0, 9), rc = 0;
    int64_t wait = waits[world_draw(w, 0, 4)], retry_in = -1;
    enum model_end last = MODEL_FAIL;
    bool failed = true, late = atomic_load(&w->clock.monotonic) >= h->deadline;
    pawl_error err;

    if (how == 4)
        rc = pawl_attempt_fail(&h->attempt, "it failed");
    else if (how == 5)
        rc = pawl_attempt_abort(&h->attempt, "never again");
    else if (how == 6)
        rc = pawl_attempt_retry_in(&h->attempt, retry_in = wait, "later");
    else if (how == 7)
        rc = pawl_attempt_snooze(&h->attempt, wait, &err);
    else if (how == 8)
        rc = 3; /* fails without a word */
    else {
        failed = false;
        if (how == 0)
            rc = pawl_attempt_result(&h->attempt, "result", &err);
    }
    world_same(w, "late", pawl__attempt_is_late(&h->attempt), late);
    if (late)
        pawl__attempt_settle_timeout(&h->attempt, &w->rng, &e->settle);
    else
        pawl__attempt_settle(&h->attempt, rc, &w->rng, &e->settle);
    if (late)
        world_model_failed(w, h, e, MODEL_TIMEOUT, -1);
    else if (how == 7) {
        e->model = MODEL_SNOOZE;
        e->ready = w->m.now + wait;
    } else if (how == 5)
        e->model = MODEL_FAIL;
    else if (failed)
        world_model_failed(w, h, e, last, retry_in);
    else
        e->model = MODEL_ACK;
    world_say(w, "%s %d", late ? " late" : "", how);
}

/* Settle by hand: a job that was never started, or an attempt that has been
 * settled before. */
static void
world_settle_by_hand(struct world *w, struct world_held *h, struct world_end *e)
{
    memset(&e->settle, 0, sizeof e->settle);
    e->settle.job = h->record->info.id;
    e->settle.token = h->record->token;
    e->model = h->settled
                   ? (enum model_end)world_draw(w, MODEL_ACK, MODEL_RELEASE)
                   : MODEL_RELEASE;
    e->settle.outcome = world_outcomes[e->model];
    e->ready = e->settle.ready_at_ms = w->m.now + world_draw(w, -5, 2000);
}

static void
world_end_draw(struct world *w, struct world_held *h, struct world_end *e)
{
    memset(e, 0, sizeof *e);
    world_say(w, " job %lld", (long long)h->record->info.id);
    if (h->settled || world_one_in(w, 8)) {
        world_settle_by_hand(w, h, e);
    } else {
        world_listener(w, h, e);
        world_same(w, "outcome", (int)e->settle.outcome,
                   (int)world_outcomes[e->model]);
        if (e->model == MODEL_RETRY || e->model == MODEL_SNOOZE)
            world_same(w, "ready_at of the end", e->settle.ready_at_ms,
                       e->ready);
    }
    world_say(w, " outcome %d ready %lld", (int)e->model, (long long)e->ready);
}

static void
world_note(struct world *w, int conn, int thread, int64_t job)
{
    struct world_conn *c = &w->conn[conn];

    c->running[thread] = job;
    c->store->driver->running(c->store->self, thread, job);
}

/* It is settled: forget it, or keep it, to be settled again. */
static void
world_ended(struct world *w, struct world_held *h)
{
    int i;

    for (i = 0; i < WORLD_RUNNING; i++)
        if (w->conn[h->conn].running[i] == h->record->info.id)
            world_note(w, h->conn, i, 0);
    h->settled = true;
    if (w->n_held < WORLD_HELD / 2 && world_one_in(w, 6))
        return;
    for (i = 0; i < w->n_held; i++)
        if (w->held[i] == h)
            w->held[i] = w->held[--w->n_held];
    world_held_free(h);
}

/* ------------------------------------------------------------------- claim */

/* Every other job is noted as running, always the same of the same claim. */
static void
world_hold(struct world *w, int conn, struct pawl__record *record,
           uint64_t label)
{
    struct world_held *h = calloc(1, sizeof *h);
    unsigned chance =
        (unsigned)((label ^ w->op->seed) * 0x9e3779b97f4a7c15u >> 48);

    if (h == NULL)
        abort();
    h->record = record;
    h->label = label;
    h->conn = conn;
    pawl__attempt_init(&h->attempt, NULL, &w->library_clock, record,
                       record->info.job.timeout_ms);
    h->deadline =
        atomic_load(&w->clock.monotonic) + record->info.job.timeout_ms;
    w->held[w->n_held++] = h;
    if (chance % 2 == 0)
        world_note(w, conn, (int)(chance / 2 % WORLD_RUNNING), record->info.id);
}

/* Each job that was handed out is the model's next in turn. */
static void
world_claimed(struct world *w, int conn, int queue, unsigned types,
              const struct pawl__exchange *x)
{
    struct model_job *j;
    size_t i;

    for (i = 0; i < x->n_claims; i++) {
        j = w->m.queue[queue].paused ? NULL : model_next(&w->m, queue, types);
        world_say(w, " %lld", (long long)x->claims[i]->info.id);
        if (j == NULL) {
            world_differ(w, "claim", "library job %lld, model none",
                         (long long)x->claims[i]->info.id);
        } else if (j->id != x->claims[i]->info.id) {
            world_differ(w, "claim", "library job %lld, model %lld",
                         (long long)x->claims[i]->info.id, (long long)j->id);
        } else {
            model_claim(j, x->worker, x->claims[i]->token);
            world_same_job(w, "claim", &x->claims[i]->info, j);
        }
        world_hold(w, conn, x->claims[i], j != NULL ? j->as.label : WORLD_NONE);
    }
    if (x->n_claims < x->want && !w->m.queue[queue].paused &&
        (j = model_next(&w->m, queue, types)) != NULL)
        world_differ(w, "claim", "library none, model job %lld",
                     (long long)j->id);
}

/* One exchange of a consumer: perhaps an end, perhaps claims. */
static void
world_exchange(struct world *w, int conn, struct world_held *h, int queue,
               unsigned types, int want)
{
    struct world_conn *c = &w->conn[conn];
    struct pawl__record *records[WORLD_BATCH];
    const char *names[3];
    struct pawl__exchange x;
    struct world_end e;
    bool others = false;
    pawl_error err;
    int t;

    memset(&x, 0, sizeof x);
    x.queue = world_queues[queue];
    if (h != NULL) {
        world_end_draw(w, h, &e);
        x.settles = &e.settle;
        x.n_settles = 1;
    }
    if (want > 0)
        world_say(w, " claim %d of %s types %x:", want, x.queue, types);
    x.worker = want > 0 ? c->worker : 0;
    for (t = 0; t < 3; t++)
        if (types != 7 && (types & 1u << t))
            names[x.n_types++] = world_types[t];
    x.types = names;
    x.want = (size_t)want;
    x.claims = records;
    world_same_code(w, "exchange",
                    c->store->driver->exchange(c->store->self, &x, &err),
                    PAWL_OK, &err);
    if (h != NULL) {
        world_same(w, "settle", e.settle.status,
                   model_settle(&w->m, e.settle.job, e.settle.token, e.model,
                                e.ready));
        pawl__free((void *)(uintptr_t)e.settle.text);
        world_ended(w, h);
    }
    if (want == 0)
        return;
    (void)model_promote(&w->m, queue, &others);
    world_same(w, "claim: next", x.next_at_ms, model_next_due(&w->m));
    world_same(w, "claim: others", x.promoted_others, others);
    world_claimed(w, conn, queue, types, &x);
}

static void
world_claim(struct world *w)
{
    int conn = world_draw_conn(w);
    int queue = (int)world_draw(w, 0, MODEL_QUEUES - 1);
    unsigned types = (unsigned)world_draw(w, 1, 7);
    int want = (int)world_draw(w, 1, WORLD_BATCH);
    struct world_held *h;
    bool ends;

    if (world_one_in(w, 2))
        types = 7; /* all */
    ends = world_one_in(w, 4);
    if (w->op->target == 0 && !ends && w->n_held < WORLD_HELD / 2)
        w->op->target = WORLD_NONE;
    h = world_draw_held(w);
    if (want > WORLD_HELD - w->n_held)
        want = WORLD_HELD - w->n_held;
    world_exchange(w, conn, h, queue, types, want);
}

static void
world_finish(struct world *w)
{
    struct world_held *h = world_draw_held(w);

    if (h != NULL)
        world_exchange(w, world_draw_conn(w), h,
                       (int)world_draw(w, 0, MODEL_QUEUES - 1), 0, 0);
}

static void
world_extend(struct world *w)
{
    struct world_held *h = world_draw_held(w);
    int64_t ms = world_draw(w, 1, 5000), mono;
    bool late;
    pawl_error err;

    if (h == NULL || h->settled)
        return;
    mono = atomic_load(&w->clock.monotonic);
    late = mono >= h->deadline;
    world_say(w, " job %lld by %lld", (long long)h->record->info.id,
              (long long)ms);
    world_same_code(w, "extend", pawl_attempt_extend(&h->attempt, ms, &err),
                    late ? PAWL_STALE : PAWL_OK, &err);
    if (!late)
        h->deadline = mono + ms;
    world_same(w, "should stop", pawl_attempt_should_stop(&h->attempt),
               late ? PAWL_STOP_TIMEOUT : PAWL_STOP_NONE);
    world_same(w, "deadline", pawl_attempt_deadline_at_ms(&h->attempt),
               w->m.now + h->deadline - mono);
}

/* Which tokens are current? */
static void
world_check(struct world *w)
{
    struct world_conn *c = &w->conn[world_draw_conn(w)];
    struct pawl__settle pairs[WORLD_HELD];
    const struct model_job *j;
    bool held[WORLD_HELD];
    pawl_error err;
    int i;

    memset(pairs, 0, sizeof pairs);
    for (i = 0; i < w->n_held; i++) {
        pairs[i].job = w->held[i]->record->info.id;
        pairs[i].token = w->held[i]->record->token;
    }
    world_same_code(w, "check",
                    c->store->driver->check(c->store->self, pairs,
                                            (size_t)w->n_held, held, &err),
                    PAWL_OK, &err);
    for (i = 0; i < w->n_held; i++) {
        j = model_find(&w->m, pairs[i].job);
        world_same(w, "check: held", held[i],
                   j != NULL && j->state == PAWL_RESERVED &&
                       j->token == pairs[i].token);
    }
}

/* ----------------------------------------------------------------- by hand */

static void
world_cancel_or_retry(struct world *w, bool cancel)
{
    struct world_conn *c = &w->conn[world_draw_conn(w)];
    int64_t id = world_draw_id(w);
    pawl_error err;
    int rc = cancel ? pawl_cancel(c->store, id, &err)
                    : pawl_retry(c->store, id, &err);

    world_say(w, " job %lld", (long long)id);
    world_same_code(w, cancel ? "cancel" : "retry", rc,
                    cancel ? model_cancel(&w->m, id) : model_retry(&w->m, id),
                    &err);
}

static void
world_move(struct world *w, bool reload)
{
    struct world_conn *c = &w->conn[world_draw_conn(w)];
    int queue = (int)world_draw(w, -1, MODEL_QUEUES - 1);
    unsigned states = (unsigned)world_draw(w, 1, PAWL_ANY_STATE);
    const char *name = queue < 0 ? NULL : world_queues[queue];
    int64_t n = -1;
    pawl_error err;
    int rc;

    states &= reload ? PAWL_TIMEOUT | PAWL_FAILED | PAWL_CANCELLED
                     : PAWL_ANY_STATE & ~(unsigned)PAWL_RESERVED;
    if (states == 0)
        states = PAWL_FAILED;
    world_say(w, " %s states %x", name != NULL ? name : "all queues", states);
    rc = reload ? pawl_reload(c->store, name, states, &n, &err)
                : pawl_flush(c->store, name, states, &n, &err);
    world_same_code(w, reload ? "reload" : "flush", rc, PAWL_OK, &err);
    world_same(w, reload ? "reload: n" : "flush: n", n,
               reload ? model_reload(&w->m, queue, states)
                      : model_flush(&w->m, queue, states));
}

static void
world_set(struct world *w)
{
    static const struct {
        const char *name, *text, *sql;
        int64_t value;
    } sets[] = {
        {"paused", "1", "1", 1},
        {"paused", "0", "0", 0},
        {"paused", "default", "NULL", 0},
        {"paused", "0", "0", 0},
        {"retention_s", "2s", "2", 2},
        {"retention_s", "-1", "-1", -1},
        {"retention_s", "2d", "172800", 172800},
        {"retention_s", "default", "NULL", 0},
        {"max_attempts", "4", "4", 4},
        {"max_attempts", "default", "NULL", 1},
        {"max_abandons", "1", "1", 1},
        {"max_abandons", "2", "2", 2},
        {"max_abandons", "default", "NULL", 3},
        {"timeout_ms", "500", "500", 500},
        {"timeout_ms", "default", "NULL", 3600000},
    };
    struct world_conn *c = &w->conn[world_draw_conn(w)];
    int queue = (int)world_draw(w, 0, MODEL_QUEUES - 1);
    int i = (int)world_draw(w, 0, 14);
    struct model_queue *q = &w->m.queue[queue];
    pawl_settings s;
    pawl_error err;
    char sql[200];

    world_say(w, " %s.%s = %s", world_queues[queue], sets[i].name,
              sets[i].text);
    if (w->sql != NULL && world_one_in(w, 4)) {
        (void)snprintf(sql, sizeof sql,
                       "INSERT INTO pawl_queue(name, %s) VALUES ('%s', %s) "
                       "ON CONFLICT(name) DO UPDATE SET %s = excluded.%s",
                       sets[i].name, world_queues[queue], sets[i].sql,
                       sets[i].name, sets[i].name);
        (void)world_sql(w, sql);
    } else {
        world_same_code(
            w, "set",
            pawl_queue_set(c->queue[queue], sets[i].name, sets[i].text, &err),
            PAWL_OK, &err);
    }
    if (i < 4)
        q->paused = sets[i].value != 0;
    else if (i < 8)
        q->retention_s = sets[i].value;
    else if (i < 10)
        q->max_attempts = (int)sets[i].value;
    else if (i < 13)
        q->max_abandons = (int)sets[i].value;
    else
        q->timeout = sets[i].value;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    world_same_code(w, "settings",
                    pawl_queue_settings(c->queue[queue], &s, &err), PAWL_OK,
                    &err);
    world_same(w, "settings: paused", s.paused, q->paused);
    world_same(w, "settings: retention_s", s.retention_s, q->retention_s);
    world_same(w, "settings: max_attempts", s.max_attempts, q->max_attempts);
    world_same(w, "settings: max_abandons", s.max_abandons, q->max_abandons);
    world_same(w, "settings: timeout_ms", s.timeout_ms, q->timeout);
}

/* ---------------------------------------------------------- life and death */

/* Find one job among what the library rescued, which is in no order. */
static void
world_same_rescue(struct world *w, const struct pawl__sweep *sw,
                  const struct model_rescued *r)
{
    size_t i;

    for (i = 0; i < sw->n_rescued; i++)
        if (sw->rescued[i].job == r->job) {
            world_same(w, "rescue: was running", sw->rescued[i].was_running,
                       r->was_running);
            world_same(w, "rescue: failed", sw->rescued[i].failed, r->failed);
            return;
        }
    world_differ(w, "rescue", "job %lld was not rescued", (long long)r->job);
}

static void
world_sweep(struct world *w)
{
    struct world_conn *c = &w->conn[world_draw_conn(w)];
    struct model_rescued rescued[MODEL_JOBS];
    struct pawl__sweep sw;
    bool others;
    pawl_error err;
    int n = 0, i;

    world_same_code(w, "sweep",
                    c->store->driver->sweep(c->store->self, &sw, &err), PAWL_OK,
                    &err);
    for (i = 0; i < w->n_dead; i++)
        n += model_rescue(&w->m, w->dead[i], rescued + n);
    w->n_dead = 0;
    world_same(w, "sweep: rescued", (int64_t)sw.n_rescued, n);
    for (i = 0; i < n; i++)
        world_same_rescue(w, &sw, &rescued[i]);
    world_same(w, "sweep: promoted", sw.n_promoted,
               model_promote(&w->m, -1, &others));
    world_same(w, "sweep: next", sw.next_at_ms, model_next_due(&w->m));
    model_prune(&w->m);
    pawl__free(sw.rescued);
}

/* What the dead worker ran at that moment is known by its notes. */
static void
world_dies(struct world *w, const struct world_conn *c)
{
    struct model_job *j;
    int i;

    for (j = w->m.job; j < w->m.job + w->m.n; j++)
        for (i = 0; i < WORLD_RUNNING; i++)
            if (j->state == PAWL_RESERVED && j->worker == c->worker &&
                c->running[i] == j->id)
                j->was_running = true;
    w->dead[w->n_dead++] = c->worker;
}

/* A worker goes without settling; another comes in its place. */
static void
world_die(struct world *w)
{
    int conn = world_draw_conn(w);
    struct world_conn *c = &w->conn[conn];

    if (w->n_dead > 48)
        world_sweep(w);
    world_say(w, " worker of connection %d", conn);
    world_dies(w, c);
    c->store->driver->worker_stop(c->store->self);
    world_conn_work(w, c);
    if (world_one_in(w, 2))
        world_sweep(w);
}

static void
world_reopen(struct world *w, int conn)
{
    struct world_conn *c = &w->conn[conn];

    if (w->driver == 0)
        return; /* it would be empty */
    if (w->n_dead > 48)
        world_sweep(w);
    world_dies(w, c);
    pawl_close(c->store);
    c->store = NULL;
    world_conn_open(w, c);
}

/* Nobody has the file open for a moment. */
static void
world_reopen_all(struct world *w)
{
    int i;

    if (w->driver == 0)
        return;
    if (w->n_dead > 48)
        world_sweep(w);
    (void)sqlite3_close(w->sql);
    for (i = 0; i < w->n_conns; i++) {
        world_dies(w, &w->conn[i]);
        pawl_close(w->conn[i].store);
    }
    for (i = 0; i < w->n_conns; i++)
        world_conn_open(w, &w->conn[i]);
    world_sql_open(w);
}

static void
world_checkpoint(struct world *w)
{
    static const char *const how[] = {
        "PRAGMA wal_checkpoint(PASSIVE)", "PRAGMA wal_checkpoint(FULL)",
        "PRAGMA wal_checkpoint(RESTART)", "PRAGMA wal_checkpoint(TRUNCATE)"};

    if (w->sql != NULL)
        (void)world_sql(w, how[world_draw(w, 0, 3)]);
}

/* -------------------------------------------------------------------- time */

static void
world_pass(struct world *w)
{
    int64_t ms = world_draw(w, 0, 1500);

    if (world_one_in(w, 10))
        ms = world_draw(w, 0, 2 * WORLD_DAY);
    world_say(w, " %lld ms", (long long)ms);
    (void)atomic_fetch_add(&w->clock.monotonic, ms);
    world_set_wall(w, w->m.now + ms);
}

static void
world_jump(struct world *w)
{
    static const int64_t edges[] = {
        INT64_MIN,    INT64_MIN + 1,    -1,       0, 1, MODEL_AT_MAX - 1,
        MODEL_AT_MAX, MODEL_AT_MAX + 1, INT64_MAX};
    int64_t to = w->m.now;

    switch (world_draw(w, 0, 7)) {
    case 0:
        to = edges[world_draw(w, 0, 8)];
        break;
    case 1:
        to += world_draw(w, -10 * WORLD_YEAR, 10 * WORLD_YEAR);
        break;
    case 2:
    case 3:
        to += world_draw(w, -4000, 4000);
        break;
    default: /* home, near to which most jobs are due */
        to = SUPPORT_EPOCH + world_draw(w, -5000, 5000);
        break;
    }
    world_say(w, " to %lld", (long long)to);
    world_set_wall(w, to);
}

/* --------------------------------------------------------------- all of it */

static void
world_run(struct world *w, enum world_kind kind)
{
    switch (kind) {
    case WORLD_PUSH:
        world_push(w);
        break;
    case WORLD_PUSH_MANY:
        world_push_many(w);
        break;
    case WORLD_PUSH_ASYNC:
        world_push_async(w);
        break;
    case WORLD_PUSH_BAD:
        world_push_bad(w);
        break;
    case WORLD_SQL_PUSH:
        world_sql_push(w);
        break;
    case WORLD_SQL_CHANGE:
        world_sql_change(w);
        break;
    case WORLD_CLAIM:
        world_claim(w);
        break;
    case WORLD_FINISH:
        world_finish(w);
        break;
    case WORLD_EXTEND:
        world_extend(w);
        break;
    case WORLD_CHECK:
        world_check(w);
        break;
    case WORLD_CANCEL:
    case WORLD_RETRY:
        world_cancel_or_retry(w, kind == WORLD_CANCEL);
        break;
    case WORLD_RELOAD:
    case WORLD_FLUSH:
        world_move(w, kind == WORLD_RELOAD);
        break;
    case WORLD_SET:
        world_set(w);
        break;
    case WORLD_SWEEP:
        world_sweep(w);
        break;
    case WORLD_DIE:
        world_die(w);
        break;
    case WORLD_REOPEN:
        world_reopen(w, world_draw_conn(w));
        break;
    case WORLD_REOPEN_ALL:
        world_reopen_all(w);
        break;
    case WORLD_CHECKPOINT:
        world_checkpoint(w);
        break;
    case WORLD_PASS:
        world_pass(w);
        break;
    case WORLD_JUMP:
        world_jump(w);
        break;
    case WORLD_N_KINDS:
        break;
    }
}

bool
world_do(struct world *w, struct world_op *op)
{
    w->op = op;
    w->draw = op->seed;
    w->n_labels = 0;
    world_say(w, "  %s", world_kind_name(op->kind));
    if (op->kind > WORLD_SQL_PUSH || !world_make_room(w))
        world_run(w, op->kind);
    world_say(w, "\n");
    return !w->failed;
}
