/* SPDX-License-Identifier: MIT */
/* kit.c - what the tests of the public header share. */
#include "api/kit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------------ store */

void
kit_begin(struct kit *k, int driver)
{
    const pawl_options none = PAWL_OPTIONS_INIT;

    memset(k, 0, sizeof *k);
    support_folder_make(&k->folder);
    support_clock_init(&k->clock);
    k->options = none;
    k->options.clock = &k->clock.clock;
    k->url = driver == KIT_SQLITE ? k->folder.store : "memory:";
}

void
kit_open(struct kit *k)
{
    pawl_error err;

    ok(pawl_open(k->url, &k->options, &k->store, &err));
    k->queue = kit_queue(k->store, "mail");
}

void
kit_setup(struct kit *k, int driver)
{
    kit_begin(k, driver);
    kit_open(k);
}

void
kit_reopen(struct kit *k)
{
    pawl_close(k->store);
    k->store = NULL;
    kit_open(k);
}

void
kit_end(struct kit *k)
{
    pawl_close(k->store);
    k->store = NULL;
    support_folder_remove(&k->folder);
}

void
kit_pass(struct kit *k, int64_t ms)
{
    support_clock_pass(&k->clock, ms);
    pawl_wake(k->store);
}

TCase *
kit_case(Suite *suite, const char *name)
{
    TCase *tc = tcase_create(name);

    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    return tc;
}

void
kit_add_both(TCase *tc, const TTest *const *tests, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        tcase_add_loop_test(tc, tests[i], 0, KIT_DRIVERS);
}

pawl_queue *
kit_queue(pawl_store *store, const char *name)
{
    pawl_queue *queue = NULL;
    pawl_error err;

    ok(pawl_queue_open(store, name, &queue, &err));
    return queue;
}

int64_t
kit_push(pawl_queue *queue, const char *type, const char *text)
{
    pawl_job job = PAWL_JOB(type, text, strlen(text));

    return kit_push_job(queue, &job);
}

int64_t
kit_push_job(pawl_queue *queue, const pawl_job *job)
{
    pawl_error err;
    int64_t id = 0;

    ok(pawl_push(queue, job, &id, &err));
    ck_assert_int_gt(id, 0);
    return id;
}

pawl_info
kit_info(pawl_queue *queue)
{
    pawl_info info;
    pawl_error err;

    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    ok(pawl_queue_info(queue, &info, &err));
    return info;
}

int64_t
kit_total(pawl_queue *queue)
{
    pawl_info i = kit_info(queue);

    return i.waiting + i.delayed + i.reserved + i.timeout + i.failed + i.done +
           i.cancelled;
}

int
kit_state(pawl_store *store, int64_t id)
{
    pawl_job_info *info = NULL;
    pawl_error err;
    int state, rc = pawl_get(store, id, &info, &err);

    if (rc == PAWL_NOT_FOUND)
        return 0;
    ok(rc);
    state = info->state;
    pawl_job_info_free(info);
    return state;
}

void
kit_wait_state(pawl_store *store, int64_t id, int state)
{
    int64_t until = support_now_ms() + SUPPORT_DEADLINE_MS;
    int now = kit_state(store, id);

    while (now != state) {
        if (support_now_ms() > until)
            ck_abort_msg("job %lld stayed %s, not %s", (long long)id,
                         now != 0 ? pawl_state_name(now) : "gone",
                         state != 0 ? pawl_state_name(state) : "gone");
        (void)poll(NULL, 0, 1); /* a look each ms, not a guess of how long */
        now = kit_state(store, id);
    }
}

void
kit_drain(pawl_store *store)
{
    pawl_error err;

    ok(pawl_drain(store, SUPPORT_DEADLINE_MS, &err));
}

/* ------------------------------------------------------------------ names */

const char *const kit_bad_names[] = {
    "",
    "line\nbreak",
    "tab\t",
    "\x1b[31m",
    "\x7f",
    "\x80",             /* a continuation byte alone */
    "\xff",             /* no UTF-8 at all */
    "cut\xc3",          /* ends in the middle */
    "\xc0\xaf",         /* overlong */
    "\xe0\x80\xaf",     /* overlong */
    "\xed\xa0\x80",     /* a surrogate */
    "\xf4\x90\x80\x80", /* above U+10FFFF */
    "\xc2\x85",         /* a C1 control */
    NULL,
};

const char *
kit_name(size_t n)
{
    static char name[600];

    ck_assert_uint_lt(n, sizeof name);
    memset(name, 'n', n);
    name[n] = '\0';
    return name;
}

/* -------------------------------------------------------------- listeners */

void
kit_tape_init(struct kit_tape *tape)
{
    memset(tape, 0, sizeof *tape);
    ck_assert_int_eq(pthread_mutex_init(&tape->mu, NULL), 0);
    atomic_init(&tape->n, 0);
    atomic_init(&tape->result, 0);
}

int
kit_tape_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct kit_tape *tape = user;
    struct kit_note *note;
    long n;

    (void)pthread_mutex_lock(&tape->mu);
    n = atomic_load(&tape->n);
    if (n < KIT_TAPE_MAX) {
        note = &tape->at[n];
        note->id = pawl_attempt_job_id(attempt);
        note->attempt = pawl_attempt_number(attempt);
        (void)snprintf(note->type, sizeof note->type, "%s", job->type);
        (void)snprintf(note->text, sizeof note->text, "%.*s",
                       (int)job->payload_bytes, (const char *)job->payload);
    }
    atomic_store(&tape->n, n + 1);
    (void)pthread_mutex_unlock(&tape->mu);
    return atomic_load(&tape->result);
}

void
kit_gate_init(struct kit_gate *gate)
{
    memset(gate, 0, sizeof *gate);
    ck_assert_int_eq(pthread_mutex_init(&gate->mu, NULL), 0);
    ck_assert_int_eq(pthread_cond_init(&gate->opened, NULL), 0);
    atomic_init(&gate->n_in, 0);
    atomic_init(&gate->n_out, 0);
}

void
kit_gate_open(struct kit_gate *gate)
{
    (void)pthread_mutex_lock(&gate->mu);
    gate->is_open = true;
    (void)pthread_cond_broadcast(&gate->opened);
    (void)pthread_mutex_unlock(&gate->mu);
}

/* A test that never opens its gate fails by its own waits; the deadline here
 * only lets its threads end. */
int
kit_gate_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct kit_gate *gate = user;
    struct timespec until;
    int rc = 0;

    (void)attempt;
    (void)job;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 2 * SUPPORT_DEADLINE_MS / 1000;
    (void)pthread_mutex_lock(&gate->mu);
    atomic_fetch_add(&gate->n_in, 1);
    while (!gate->is_open && rc == 0)
        rc = pthread_cond_timedwait(&gate->opened, &gate->mu, &until);
    (void)pthread_mutex_unlock(&gate->mu);
    atomic_fetch_add(&gate->n_out, 1);
    return 0;
}

int
kit_no_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)attempt;
    (void)job;
    (void)user;
    return 0;
}

/* ------------------------------------------------------------------ watch */

void
kit_silence_begin(struct kit_silence *silence)
{
    char path[] = "/tmp/pawl-silence-XXXXXX";

    (void)fflush(NULL);
    silence->file = mkstemp(path);
    ck_assert_int_ge(silence->file, 0);
    (void)unlink(path);
    silence->saved[0] = dup(STDOUT_FILENO);
    silence->saved[1] = dup(STDERR_FILENO);
    (void)dup2(silence->file, STDOUT_FILENO);
    (void)dup2(silence->file, STDERR_FILENO);
}

void
kit_silence_end(struct kit_silence *silence)
{
    char said[200] = "";
    off_t bytes;

    (void)fflush(NULL);
    bytes = lseek(silence->file, 0, SEEK_END);
    if (bytes > 0 && pread(silence->file, said, sizeof said - 1, 0) < 0)
        said[0] = '\0';
    (void)dup2(silence->saved[0], STDOUT_FILENO);
    (void)dup2(silence->saved[1], STDERR_FILENO);
    (void)close(silence->saved[0]);
    (void)close(silence->saved[1]);
    (void)close(silence->file);
    if (bytes != 0)
        ck_abort_msg("the library printed: %s", said);
}
