/* SPDX-License-Identifier: MIT */
/* harness.c - a store of any driver, opened on a fake clock. */
#include "harness.h"

#include <stdio.h>

#define err h->err /* what ok() reports */

const struct pawl__driver *const harness_drivers[HARNESS_N_DRIVERS] = {
    &pawl__memory_driver, &pawl__sqlite_driver};

void
harness_open(struct harness *h, int driver)
{
    memset(h, 0, sizeof *h);
    h->driver = harness_drivers[driver];
    support_clock_init(&h->clock);
    pawl__clock_init(&h->library_clock, &h->clock.clock);
    ok(pawl__options_check(NULL, &h->options, &err));
    h->options.durability = PAWL_PROCESS; /* no test here needs the syncs */
    h->env.options = &h->options;
    h->env.clock = &h->library_clock;
    h->env.log = &h->log;
    support_folder_make(&h->folder);
    h->location = h->driver == &pawl__memory_driver ? "" : h->folder.store;
    ok(h->driver->open(h->location, &h->env, &h->self, &err));
}

void
harness_reopen(struct harness *h)
{
    h->driver->close(h->self, false);
    h->worker = 0;
    ok(h->driver->open(h->location, &h->env, &h->self, &err));
}

void
harness_close(struct harness *h)
{
    h->driver->close(h->self, false);
    support_folder_remove(&h->folder);
}

void
harness_work(struct harness *h)
{
    ok(h->driver->worker_start(h->self, 8, &h->worker, &err));
    ck_assert_int_gt(h->worker, 0);
}

struct pawl__new_job
harness_job(struct harness *h)
{
    struct pawl__new_job job;

    memset(&job, 0, sizeof job);
    job.type = "t";
    job.payload = "p";
    job.payload_bytes = 1;
    job.pushed_at_ms = job.ready_at_ms = atomic_load(&h->clock.wall);
    return job;
}

int64_t
harness_push(struct harness *h, const char *queue,
             const struct pawl__new_job *job)
{
    int64_t id = 0;

    ok(h->driver->push(h->self, queue, job, 1, &id, NULL, &err));
    return id;
}

int64_t
harness_push_n(struct harness *h, const char *queue, const char *type, int n)
{
    struct pawl__new_job *jobs = calloc((size_t)n, sizeof *jobs);
    int64_t *ids = calloc((size_t)n, sizeof *ids), first;
    int i;

    for (i = 0; i < n; i++) {
        jobs[i] = harness_job(h);
        jobs[i].type = type;
    }
    ok(h->driver->push(h->self, queue, jobs, (size_t)n, ids, NULL, &err));
    first = ids[0];
    free(jobs);
    free(ids);
    return first;
}

size_t
harness_claim(struct harness *h, const char *queue, const char *type,
              size_t want, struct pawl__record **records)
{
    struct pawl__exchange x;

    if (h->worker == 0)
        harness_work(h);
    memset(&x, 0, sizeof x);
    x.queue = queue;
    x.worker = h->worker;
    x.types = &type;
    x.n_types = type != NULL;
    x.want = want;
    x.claims = records;
    ok(h->driver->exchange(h->self, &x, &err));
    return x.n_claims;
}

struct pawl__record *
harness_claim_one(struct harness *h, const char *queue)
{
    struct pawl__record *record = NULL;

    ck_assert_uint_eq(harness_claim(h, queue, NULL, 1, &record), 1);
    return record;
}

const char *
harness_claim_ids(struct harness *h, const char *queue, const char *type,
                  size_t want)
{
    static char text[4096];
    struct pawl__record *records[256];
    size_t n, i, at = 0;

    ck_assert_uint_le(want, 256);
    n = harness_claim(h, queue, type, want, records);
    text[0] = '\0';
    for (i = 0; i < n; i++) {
        at +=
            (size_t)snprintf(text + at, sizeof text - at, "%s%lld",
                             i > 0 ? " " : "", (long long)records[i]->info.id);
        pawl__record_free(records[i]);
    }
    return text;
}

int
harness_settle(struct harness *h, const struct pawl__record *record,
               enum pawl__outcome outcome, int64_t ready_at_ms,
               const char *text)
{
    struct pawl__settle settle;
    struct pawl__exchange x;

    memset(&settle, 0, sizeof settle);
    settle.job = record->info.id;
    settle.token = record->token;
    settle.outcome = outcome;
    settle.ready_at_ms = ready_at_ms;
    settle.text = text;
    memset(&x, 0, sizeof x);
    x.queue = record->info.queue;
    x.settles = &settle;
    x.n_settles = 1;
    ok(h->driver->exchange(h->self, &x, &err));
    return settle.status;
}

int
harness_state(struct harness *h, int64_t id)
{
    struct pawl__record *record;
    int state;

    if (h->driver->get(h->self, id, &record, &err) != PAWL_OK)
        return 0;
    state = record->info.state;
    pawl__record_free(record);
    return state;
}

pawl_info
harness_info(struct harness *h, const char *queue)
{
    pawl_info info;

    memset(&info, 0, sizeof info);
    ok(h->driver->info(h->self, queue, &info, &err));
    return info;
}

bool
harness_busy(struct harness *h, const char *queue, const char *type)
{
    struct pawl__interest of = {queue, &type, type != NULL};
    bool busy;

    support_ok(h->driver->busy(h->self, &of, 1, &busy, &err), &err, "busy",
               __FILE__, __LINE__);
    return busy;
}

void
harness_set(struct harness *h, const char *queue, const char *name,
            const char *value)
{
    const struct pawl__setting *field = pawl__setting_find(name);
    int64_t number = 0;

    ck_assert_ptr_nonnull(field);
    ok(pawl__setting_parse(field, value, &number, &err));
    ok(h->driver->set(h->self, queue, field, number,
                      strcmp(value, "default") == 0, &err));
}
