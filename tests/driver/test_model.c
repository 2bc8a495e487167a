/* SPDX-License-Identifier: MIT */
/* test_model.c - both drivers in lock step.
 *
 * Random operations run on the memory driver and on the sqlite driver with
 * one clock; every result is compared, and now and then all jobs. Two drivers
 * that disagree are a bug in one of them. The seed is printed; give it again
 * in PAWL_TEST_SEED. */
#include "harness.h"

#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"

#define MODEL_DRIVERS 2
#define MODEL_HELD 64

static struct harness model[MODEL_DRIVERS];

/* Attempts under way: the same jobs on both sides, each with its own token. */
struct model_held {
    struct pawl__record *record[MODEL_DRIVERS];
};

static struct model_held held[MODEL_HELD];
static size_t n_held;
static struct pawl__rng rng;
static long step_no;

static int64_t
pick(int64_t lo, int64_t hi)
{
    return pawl__rng_range(&rng, lo, hi);
}

static const char *
pick_queue(void)
{
    static const char *const names[] = {"a", "b"};

    return names[pick(0, 1)];
}

static const char *
pick_type(void)
{
    static const char *const names[] = {"x", "y", "z"};

    return names[pick(0, 2)];
}

static int64_t
wall(void)
{
    return atomic_load(&model[0].clock.wall);
}

static void
pass(int64_t ms, bool jump)
{
    int d;

    for (d = 0; d < MODEL_DRIVERS; d++)
        if (jump)
            support_clock_jump(&model[d].clock, ms);
        else
            support_clock_pass(&model[d].clock, ms);
}

static void
same(const char *what, int64_t a, int64_t b)
{
    if (a != b)
        ck_abort_msg("step %ld, %s: memory %lld, sqlite %lld", step_no, what,
                     (long long)a, (long long)b);
}

static void
same_text(const char *what, const char *a, const char *b)
{
    if ((a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0))
        ck_abort_msg("step %ld, %s: memory %s, sqlite %s", step_no, what,
                     a != NULL ? a : "NULL", b != NULL ? b : "NULL");
}

static void
same_record(const struct pawl__record *a, const struct pawl__record *b)
{
    same("id", a->info.id, b->info.id);
    same_text("queue", a->info.queue, b->info.queue);
    same_text("type", a->info.job.type, b->info.job.type);
    same("state", a->info.state, b->info.state);
    same("attempts", a->info.attempts, b->info.attempts);
    same("abandons", a->info.abandons, b->info.abandons);
    same("ready_at", a->info.job.ready_at_ms, b->info.job.ready_at_ms);
    same("priority", a->info.job.priority, b->info.job.priority);
    same("max_attempts", a->info.job.max_attempts, b->info.job.max_attempts);
    same("finished_at", a->info.finished_at_ms, b->info.finished_at_ms);
    same("unique_ms", a->info.job.unique_ms, b->info.job.unique_ms);
    same_text("unique_key", a->info.job.unique_key, b->info.job.unique_key);
    same_text("error", a->info.error, b->info.error);
    same_text("result", a->info.result, b->info.result);
    same("bytes", (int64_t)a->info.job.payload_bytes,
         (int64_t)b->info.job.payload_bytes);
}

/* ------------------------------------------------------------- operations */

static void
model_push(void)
{
    char key[8];
    struct pawl__new_job jobs[3];
    size_t n = (size_t)pick(1, 3), i, at[MODEL_DRIVERS] = {0, 0};
    int64_t ids[MODEL_DRIVERS][3];
    const char *queue = pick_queue();
    int rc[MODEL_DRIVERS], d;
    bool keyed = false;

    (void)snprintf(key, sizeof key, "k%d", (int)pick(0, 5));
    for (i = 0; i < n; i++) {
        jobs[i] = harness_job(&model[0]);
        jobs[i].type = pick_type();
        jobs[i].priority = (int32_t)pick(-1, 1);
        jobs[i].max_attempts = (int32_t)pick(0, 3);
        if (pick(0, 2) == 0)
            jobs[i].ready_at_ms = wall() + pick(1, 3000);
        /* One key a batch: of an undone batch, memory forgets a key whose
         * time was over, where sqlite's rollback remembers it. */
        if (!keyed && pick(0, 2) == 0) {
            keyed = true;
            jobs[i].unique_key = key;
            if (pick(0, 1) == 0)
                jobs[i].unique_until_at_ms = wall() + pick(1, 5000);
        }
    }
    memset(ids, 0, sizeof ids);
    for (d = 0; d < MODEL_DRIVERS; d++)
        rc[d] = model[d].driver->push(model[d].self, queue, jobs, n, ids[d],
                                      &at[d], &model[d].err);
    same("push", rc[0], rc[1]);
    same("push: first id", ids[0][0], ids[1][0]);
    if (rc[0] == PAWL_EXISTS)
        same("push: index", (int64_t)at[0], (int64_t)at[1]);
}

static void
model_claim(void)
{
    const char *types[2] = {pick_type(), "x"};
    struct pawl__record *r[MODEL_DRIVERS][8];
    struct pawl__exchange x[MODEL_DRIVERS];
    const char *queue = pick_queue();
    size_t want = (size_t)pick(1, 8), n_types = (size_t)pick(0, 1), i;
    int d;

    if (n_held + want > MODEL_HELD)
        return;
    if (n_types == 1 && pick(0, 1) == 0 && strcmp(types[0], "x") != 0)
        n_types = 2;
    for (d = 0; d < MODEL_DRIVERS; d++) {
        memset(&x[d], 0, sizeof x[d]);
        x[d].queue = queue;
        x[d].worker = model[d].worker;
        x[d].types = types;
        x[d].n_types = n_types;
        x[d].want = want;
        x[d].claims = r[d];
        support_ok(
            model[d].driver->exchange(model[d].self, &x[d], &model[d].err),
            &model[d].err, "claim", __FILE__, __LINE__);
    }
    same("claim: n", (int64_t)x[0].n_claims, (int64_t)x[1].n_claims);
    same("claim: next_at", x[0].next_at_ms, x[1].next_at_ms);
    same("claim: others", x[0].promoted_others, x[1].promoted_others);
    same("claim: paused", x[0].settings.paused, x[1].settings.paused);
    for (i = 0; i < x[0].n_claims; i++) {
        same_record(r[0][i], r[1][i]);
        held[n_held].record[0] = r[0][i];
        held[n_held++].record[1] = r[1][i];
    }
}

/* End one attempt, which may be stale by now; sometimes keep it, to be ended
 * a second time. */
static void
model_settle(void)
{
    static const enum pawl__outcome outcomes[] = {
        PAWL__ACK,  PAWL__ACK,     PAWL__RETRY,  PAWL__RETRY,
        PAWL__FAIL, PAWL__TIMEOUT, PAWL__SNOOZE, PAWL__RELEASE};
    enum pawl__outcome outcome = outcomes[pick(0, 7)];
    int64_t ready = wall() + pick(-5, 2000);
    const char *text = pick(0, 1) ? "text" : NULL;
    int status[MODEL_DRIVERS], d;
    size_t i;

    if (n_held == 0)
        return;
    i = (size_t)pick(0, (int64_t)n_held - 1);
    for (d = 0; d < MODEL_DRIVERS; d++)
        status[d] =
            harness_settle(&model[d], held[i].record[d], outcome, ready, text);
    same("settle", status[0], status[1]);
    if (pick(0, 9) == 0)
        return;
    for (d = 0; d < MODEL_DRIVERS; d++)
        pawl__record_free(held[i].record[d]);
    held[i] = held[--n_held];
}

static void
model_by_hand(void)
{
    int64_t id = pick(1, 400);
    char queue[65];
    bool cancel = pick(0, 1) == 0;
    int rc[MODEL_DRIVERS], d;

    for (d = 0; d < MODEL_DRIVERS; d++)
        rc[d] = cancel
                    ? model[d].driver->cancel(model[d].self, id, queue,
                                              &model[d].err)
                    : model[d].driver->retry(model[d].self, id, &model[d].err);
    same(cancel ? "cancel" : "retry", rc[0], rc[1]);
    same_text("sentence", rc[0] ? model[0].err.message : NULL,
              rc[1] ? model[1].err.message : NULL);
}

static void
model_move(void)
{
    const char *queue = pick(0, 1) ? pick_queue() : NULL;
    bool reload = pick(0, 3) != 0;
    unsigned states = reload ? (unsigned)pick(1, 15) << 3 &
                                   (PAWL_TIMEOUT | PAWL_FAILED | PAWL_CANCELLED)
                             : PAWL_FAILED | PAWL_DONE;
    int64_t n[MODEL_DRIVERS] = {0, 0};
    struct pawl__move m;
    int d;

    if (states == 0)
        return;
    for (d = 0; d < MODEL_DRIVERS; d++) {
        memset(&m, 0, sizeof m);
        m.kind = reload ? PAWL__MOVE_RELOAD : PAWL__MOVE_FLUSH;
        m.queue = queue;
        m.states = states;
        do {
            support_ok(model[d].driver->move(model[d].self, &m, &model[d].err),
                       &model[d].err, "move", __FILE__, __LINE__);
            n[d] += m.n;
        } while (m.more);
    }
    same(reload ? "reload" : "flush", n[0], n[1]);
}

static void
model_sweep(void)
{
    struct pawl__sweep sw[MODEL_DRIVERS];
    int d;

    for (d = 0; d < MODEL_DRIVERS; d++) {
        support_ok(model[d].driver->sweep(model[d].self, &sw[d], &model[d].err),
                   &model[d].err, "sweep", __FILE__, __LINE__);
        pawl__free(sw[d].rescued);
    }
    same("sweep: rescued", (int64_t)sw[0].n_rescued, (int64_t)sw[1].n_rescued);
    same("sweep: promoted", sw[0].n_promoted, sw[1].n_promoted);
    same("sweep: next_at", sw[0].next_at_ms, sw[1].next_at_ms);
}

/* The worker dies in the middle of some of its attempts. */
static void
model_crash(void)
{
    size_t i, running = n_held > 4 ? 4 : n_held;
    int d;

    for (d = 0; d < MODEL_DRIVERS; d++) {
        for (i = 0; i < running; i++)
            model[d].driver->running(model[d].self, (int)i,
                                     held[i].record[d]->info.id);
        model[d].driver->worker_stop(model[d].self);
    }
    model_sweep();
    for (d = 0; d < MODEL_DRIVERS; d++)
        harness_work(&model[d]);
}

static void
model_set(void)
{
    static const char *const sets[][2] = {
        {"paused", "1"},       {"paused", "0"},
        {"paused", "default"}, {"retention_s", "2"},
        {"retention_s", "-1"}, {"retention_s", "0"},
        {"max_attempts", "4"}, {"max_abandons", "2"},
        {"max_abandons", "1"}, {"max_attempts", "default"}};
    const char *queue = pick_queue();
    int64_t which = pick(0, 9);
    int d;

    for (d = 0; d < MODEL_DRIVERS; d++)
        harness_set(&model[d], queue, sets[which][0], sets[which][1]);
}

/* -------------------------------------------------------------- comparison */

static void
model_compare_lists(void)
{
    struct pawl__record *r[MODEL_DRIVERS][256];
    struct pawl__list list[MODEL_DRIVERS];
    pawl_filter f = PAWL_FILTER_INIT;
    size_t i;
    int d;

    f.states = pick(0, 1) ? PAWL_ANY_STATE : (unsigned)pick(1, 127);
    f.newest_first = (int)pick(0, 1);
    f.queue = pick(0, 2) == 0 ? pick_queue() : NULL;
    f.type = pick(0, 2) == 0 ? pick_type() : NULL;
    f.limit = 256;
    for (d = 0; d < MODEL_DRIVERS; d++) {
        memset(&list[d], 0, sizeof list[d]);
        list[d].filter = &f;
        list[d].records = r[d];
        support_ok(
            model[d].driver->list(model[d].self, &list[d], &model[d].err),
            &model[d].err, "list", __FILE__, __LINE__);
    }
    same("list: n", (int64_t)list[0].n_records, (int64_t)list[1].n_records);
    for (i = 0; i < list[0].n_records; i++) {
        same_record(r[0][i], r[1][i]);
        pawl__record_free(r[0][i]);
        pawl__record_free(r[1][i]);
    }
}

static void
model_compare_info(void)
{
    const char *queue = pick_queue(), *type = pick_type();
    pawl_info a = harness_info(&model[0], queue);
    pawl_info b = harness_info(&model[1], queue);
    bool busy[MODEL_DRIVERS];
    int d;

    same("info: waiting", a.waiting, b.waiting);
    same("info: delayed", a.delayed, b.delayed);
    same("info: reserved", a.reserved, b.reserved);
    same("info: timeout", a.timeout, b.timeout);
    same("info: failed", a.failed, b.failed);
    same("info: done", a.done, b.done);
    same("info: cancelled", a.cancelled, b.cancelled);
    same("info: oldest", a.oldest_waiting_at_ms, b.oldest_waiting_at_ms);
    same("info: paused", a.paused, b.paused);
    for (d = 0; d < MODEL_DRIVERS; d++)
        busy[d] = harness_busy(&model[d], queue, type);
    same("busy", busy[0], busy[1]);
}

static void
model_step(void)
{
    int64_t what = pick(0, 99);

    if (what < 30)
        model_push();
    else if (what < 50)
        model_claim();
    else if (what < 75)
        model_settle();
    else if (what < 80)
        model_by_hand();
    else if (what < 81)
        model_move();
    else if (what < 85)
        model_sweep();
    else if (what < 86)
        model_crash();
    else if (what < 88)
        model_set();
    else if (what < 90)
        pass(pick(-4000, 4000), true);
    else
        pass(pick(0, 1500), false);
    if (step_no % 7 == 0)
        model_compare_info();
    if (step_no % 13 == 0)
        model_compare_lists();
}

START_TEST(both_drivers_agree_on_random_operations)
{
    const char *given = getenv("PAWL_TEST_SEED");
    uint64_t seed;
    int d;

    pawl__rng_seed(&rng);
    seed =
        given != NULL ? strtoull(given, NULL, 10) : pawl__rng_next(&rng) >> 1;
    printf("PAWL_TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    memset(&rng, 0, sizeof rng);
    rng.s[0] = seed;
    rng.s[1] = 1;
    for (d = 0; d < MODEL_DRIVERS; d++) {
        harness_open(&model[d], d);
        harness_work(&model[d]);
    }
    for (step_no = 1; step_no <= support_rounds(20000); step_no++)
        model_step();
    while (n_held > 0)
        for (d = 0, n_held--; d < MODEL_DRIVERS; d++)
            pawl__record_free(held[n_held].record[d]);
    for (d = 0; d < MODEL_DRIVERS; d++)
        harness_close(&model[d]);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("model");

    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, both_drivers_agree_on_random_operations);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("model", add);
}
