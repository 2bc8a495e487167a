/* SPDX-License-Identifier: MIT */
/* test_cost.c - what calls cost, in counts that do not depend on the machine's
 * mood: statements, transactions, syncs and writes of the log, allocations,
 * wake-ups. The bounds are what was measured when they were written (those of
 * SQLite's own allocations leave room for other versions of it): a change that
 * needs more says why. Times are for bench/. */
#include "driver/harness.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/store.h"
#include "lib/pass_vfs.h"

#define BATCH 128
#define COST_SQLITE 1 /* of harness_drivers */

static struct harness H;

#define err H.err

static struct {
    _Atomic long statements, commits, log_syncs, other_syncs, log_writes;
    _Atomic long sqlite_allocs;
} n;

/* ----------------------------------------------------------------- counting */

static int
count_statement(unsigned what, void *user, void *st, void *text)
{
    const char *sql = text;

    (void)what;
    (void)user;
    (void)st;
    if (strncmp(sql, "--", 2) == 0)
        return 0; /* a trigger's: there must be none, see below */
    atomic_fetch_add(&n.statements, 1);
    if (strcmp(sql, "COMMIT") == 0)
        atomic_fetch_add(&n.commits, 1);
    return 0;
}

static int
count_connection(sqlite3 *db, char **message, const void *api)
{
    (void)message;
    (void)api;
    return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, count_statement, NULL);
}

static void
count_io(const struct pass_io *io, int rc)
{
    (void)rc;
    if (io->call == PASS_SYNC)
        atomic_fetch_add(io->file == PASS_LOG ? &n.log_syncs : &n.other_syncs,
                         1);
    if (io->call == PASS_WRITE && io->file == PASS_LOG)
        atomic_fetch_add(&n.log_writes, 1);
}

static sqlite3_mem_methods real_memory;

static void *
count_malloc(int bytes)
{
    atomic_fetch_add(&n.sqlite_allocs, 1);
    return real_memory.xMalloc(bytes);
}

static void *
count_realloc(void *block, int bytes)
{
    atomic_fetch_add(&n.sqlite_allocs, 1);
    return real_memory.xRealloc(block, bytes);
}

static void
count_everything(void)
{
    static bool counting; /* where tests run in one process */
    sqlite3_mem_methods ours;

    if (counting)
        return;
    counting = true;
    (void)sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
    ours = real_memory;
    ours.xMalloc = count_malloc;
    ours.xRealloc = count_realloc;
    (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
    ck_assert_int_eq(sqlite3_auto_extension((void (*)(void))count_connection),
                     0);
    pass_vfs_register(NULL, count_io);
}

static void
count_from_here(void)
{
    memset(&n, 0, sizeof n);
    (void)pawl__alloc_fail_at(0, 0);
}

static void
at_most(const char *what, long found, long bound)
{
    ck_assert_msg(found <= bound, "%s: %ld, and %ld were enough", what, found,
                  bound);
}

/* ------------------------------------------------------------------- pushes */

static void
open_store(int durability, bool durable_acks)
{
    harness_open(&H, COST_SQLITE);
    H.options.durability = durability;
    H.options.durable_acks = durable_acks;
    harness_work(&H);
    (void)harness_push_n(&H, "q", "t", 10); /* statements come into being */
}

START_TEST(a_push)
{
    open_store(PAWL_POWER, false);
    count_from_here();
    (void)harness_push_n(&H, "q", "t", 1);
    ck_assert_int_ge(n.statements, 3); /* the counting counts */
    ck_assert_int_ge(n.log_writes, 1);
    at_most("statements", n.statements, 3);
    at_most("syncs of the log", n.log_syncs, 1);
    at_most("other syncs", n.other_syncs, 0);
    at_most("writes of the log", n.log_writes, 4);
    at_most("allocations", pawl__alloc_fail_at(0, 0), 1);
    at_most("SQLite's allocations", n.sqlite_allocs, 8);
    harness_close(&H);
}
END_TEST

START_TEST(a_push_without_a_sync)
{
    open_store(PAWL_PROCESS, false);
    count_from_here();
    (void)harness_push_n(&H, "q", "t", 1);
    at_most("syncs", n.log_syncs + n.other_syncs, 0);
    harness_close(&H);
}
END_TEST

START_TEST(a_push_of_many)
{
    open_store(PAWL_POWER, false);
    count_from_here();
    (void)harness_push_n(&H, "q", "t", 1000);
    at_most("statements", n.statements, 1002);
    at_most("transactions", n.commits, 1);
    at_most("syncs of the log", n.log_syncs, 1);
    at_most("allocations", pawl__alloc_fail_at(0, 0), 1);
    at_most("SQLite's allocations", n.sqlite_allocs, 8000);
    harness_close(&H);
}
END_TEST

/* ------------------------------------------------------------------- drains */

/* One turn: ack all that the last one claimed, claim as many. */
static size_t
turn(struct pawl__settle *settles, size_t n_settles)
{
    struct pawl__record *claims[BATCH];
    struct pawl__exchange x;
    const char *type = "t";
    size_t i;

    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.worker = H.worker;
    x.settles = settles;
    x.n_settles = n_settles;
    x.types = &type;
    x.n_types = 1;
    x.want = BATCH;
    x.claims = claims;
    ok(H.driver->exchange(H.self, &x, &err));
    for (i = 0; i < x.n_claims; i++) {
        memset(&settles[i], 0, sizeof settles[i]);
        settles[i].job = claims[i]->info.id;
        settles[i].token = claims[i]->token;
        pawl__record_free(claims[i]);
    }
    return x.n_claims;
}

static void
drain(void)
{
    struct pawl__settle settles[BATCH];
    size_t held = 0;

    (void)harness_push_n(&H, "q", "t", 10 * BATCH);
    held = turn(settles, held);
    held = turn(settles, held); /* statements come into being */
    count_from_here();
    while (held > 0)
        held = turn(settles, held);
}

/* 1,162 jobs are left to be settled then, and 1,034 of them to be claimed. */
START_TEST(a_drain)
{
    open_store(PAWL_POWER, false);
    drain();
    at_most("transactions", n.commits, 10);
    at_most("statements", n.statements, 1400);
    at_most("syncs of the log", n.log_syncs, 0);
    at_most("allocations", pawl__alloc_fail_at(0, 0), 1050);
    at_most("SQLite's allocations", n.sqlite_allocs, 4500);
    harness_close(&H);
}
END_TEST

START_TEST(a_drain_with_durable_acks)
{
    open_store(PAWL_POWER, true);
    drain();
    at_most("transactions", n.commits, 10);
    at_most("syncs of the log", n.log_syncs, 10);
    harness_close(&H);
}
END_TEST

/* --------------------------------------------------------------------- pool */

static int
nothing(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)attempt;
    (void)job;
    (void)user;
    return 0;
}

/* A claim ahead is shorter where a job takes longer, here under valgrind say:
 * so the bound leaves room. One job each would be 1,000. */
START_TEST(transactions_of_a_pool)
{
    struct support_folder folder;
    pawl_options options = PAWL_OPTIONS_INIT;
    static pawl_job jobs[1000];
    pawl_store *store;
    pawl_queue *queue;
    int i;

    support_folder_make(&folder);
    options.durability = PAWL_PROCESS;
    ok(pawl_open(folder.store, &options, &store, &err));
    ok(pawl_queue_open(store, "q", &queue, &err));
    for (i = 0; i < 1000; i++)
        jobs[i] = (pawl_job)PAWL_JOB("t", "x", 1);
    ok(pawl_push_many(queue, jobs, 1000, NULL, &err));
    ok(pawl_queue_set(queue, "parallelism", "2", &err));
    ok(pawl_listen(queue, "t", nothing, NULL, &err));
    count_from_here();
    ok(pawl_start(store, &err));
    ok(pawl_drain(store, SUPPORT_DEADLINE_MS, &err));
    at_most("transactions", n.commits, 500);
    pawl_close(store);
    support_folder_remove(&folder);
}
END_TEST

/* --------------------------------------------------------------------- idle */

#define IDLE_MS 60000

static struct {
    struct pawl__driver driver;
    struct support_clock clock;
    int64_t passed_ms;
    _Atomic long waits, over;
} idle;

/* No time passes but here. */
static int
idle_wait(void *self, int64_t until_at_ms, int64_t max_ms, bool watch)
{
    if (idle.passed_ms >= IDLE_MS) {
        atomic_store(&idle.over, 1);
        return pawl__sqlite_driver.wait(self, until_at_ms, max_ms, watch);
    }
    atomic_fetch_add(&idle.waits, 1);
    idle.passed_ms += max_ms;
    support_clock_pass(&idle.clock, max_ms);
    return PAWL__WAIT_TIME;
}

START_TEST(an_idle_minute)
{
    struct support_folder folder;
    pawl_options options = PAWL_OPTIONS_INIT;
    pawl_store *store;
    pawl_queue *queue;

    support_folder_make(&folder);
    support_clock_init(&idle.clock);
    options.clock = &idle.clock.clock;
    options.durability = PAWL_PROCESS;
    ok(pawl_open(folder.store, &options, &store, &err));
    ok(pawl_queue_open(store, "q", &queue, &err));
    ok(pawl_listen(queue, "t", nothing, NULL, &err));
    idle.driver = *store->driver;
    idle.driver.wait = idle_wait;
    store->driver = &idle.driver;
    count_from_here();
    ok(pawl_start(store, &err));
    support_wait(&idle.over, 1);
    at_most("wake-ups", idle.waits, 61);
    at_most("statements", n.statements, 660);
    at_most("writes of the log", n.log_writes, 4);
    pawl_close(store);
    support_folder_remove(&folder);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("counts");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, count_everything, NULL);
    tcase_add_test(tc, a_push);
    tcase_add_test(tc, a_push_without_a_sync);
    tcase_add_test(tc, a_push_of_many);
    tcase_add_test(tc, a_drain);
    tcase_add_test(tc, a_drain_with_durable_acks);
    tcase_add_test(tc, transactions_of_a_pool);
    tcase_add_test(tc, an_idle_minute);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("cost", add);
}
