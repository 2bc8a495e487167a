/* SPDX-License-Identifier: MIT */
/* test_doctor.c - pawl_doctor(): its arguments, a store that is open or held
 * by others while it looks, memory that is out. The illnesses themselves are
 * made in tests/cli/test-doctor.sh. */
#include "api/kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/alloc.h"

static struct kit k;
static pawl_error err;

/* What was found: "name=severity;" each. */
static struct {
    char names[2000];
    int worst, n, result;
} found;

static int
note(const pawl_finding *f, void *user)
{
    size_t n = strlen(found.names);

    ck_assert_ptr_eq(user, &found);
    ck_assert_uint_eq(f->struct_size, sizeof *f);
    ck_assert_int_ge(f->severity, PAWL_FINDING_OK);
    ck_assert_int_le(f->severity, PAWL_FINDING_ERROR);
    ck_assert_uint_gt(strlen(f->name), 0);
    ck_assert_uint_gt(strlen(f->what), 0);
    ck_assert_ptr_nonnull(f->todo);
    (void)snprintf(found.names + n, sizeof found.names - n, "%s=%d;", f->name,
                   f->severity);
    if (f->severity > found.worst)
        found.worst = f->severity;
    found.n++;
    return found.result;
}

static int
examine(const pawl_options *options, pawl_error *e)
{
    memset(&found, 0, sizeof found);
    return pawl_doctor(k.url, options, note, &found, e);
}

static void
has(const char *finding)
{
    if (strstr(found.names, finding) == NULL)
        ck_abort_msg("no %s in %s", finding, found.names);
}

START_TEST(bad_arguments_are_refused)
{
    pawl_options o = PAWL_OPTIONS_INIT;

    fails(PAWL_INVALID, pawl_doctor(NULL, NULL, note, &found, &err));
    fails(PAWL_INVALID, pawl_doctor("memory:", NULL, NULL, NULL, &err));
    fails(PAWL_INVALID, pawl_doctor("", NULL, note, &found, &err));
    fails(PAWL_INVALID, pawl_doctor("/", NULL, note, &found, &err));
    fails(PAWL_UNSUPPORTED, pawl_doctor("redis://h", NULL, note, &found, &err));
    o.struct_size = 1;
    fails(PAWL_INVALID, pawl_doctor("memory:", &o, note, &found, &err));
    o.struct_size = sizeof o;
    o.busy_timeout_ms = -1;
    fails(PAWL_INVALID, pawl_doctor("memory:", &o, note, &found, &err));
    ck_assert_int_eq(pawl_doctor(NULL, NULL, NULL, NULL, NULL), PAWL_INVALID);
    ck_assert_int_eq(found.n, 0);
}
END_TEST

START_TEST(a_store_that_is_not_there_is_not_made)
{
    kit_begin(&k, KIT_SQLITE);
    fails(PAWL_NOT_FOUND, examine(NULL, &err));
    ck_assert_int_eq(examine(NULL, NULL), PAWL_NOT_FOUND);
    ck_assert_int_eq(found.n, 0);
    ck_assert_int_ne(access(k.url, F_OK), 0);
    kit_end(&k);
}
END_TEST

START_TEST(a_store_in_memory_has_nothing_to_examine)
{
    kit_begin(&k, 0);
    ok(examine(NULL, &err));
    ck_assert_str_eq(found.names, "memory=0;");
    kit_end(&k);
}
END_TEST

START_TEST(the_caller_may_end_it)
{
    kit_setup(&k, KIT_SQLITE);
    memset(&found, 0, sizeof found);
    found.result = 1;
    ok(pawl_doctor(k.url, NULL, note, &found, &err));
    ck_assert_int_eq(found.n, 1);
    kit_end(&k);
}
END_TEST

/* In a child: exit code 1 where another process holds a lock on the database,
 * as SQLite does while it is open in WAL mode. */
static int
look_for_lock(void)
{
    struct flock lock;
    int fd = open(k.url, O_RDWR);

    memset(&lock, 0, sizeof lock);
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x40000000;
    lock.l_len = 512;
    if (fd < 0 || fcntl(fd, F_GETLK, &lock) != 0)
        return 2;
    return lock.l_type == F_UNLCK ? 0 : 1;
}

static void
file_is_locked(void)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0)
        _exit(look_for_lock());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(WEXITSTATUS(status), 1);
}

START_TEST(a_store_that_this_process_works_on_keeps_its_locks)
{
    struct kit_gate gate;

    kit_gate_init(&gate);
    kit_setup(&k, KIT_SQLITE);
    ok(pawl_listen(k.queue, "t", kit_gate_listener, &gate, &err));
    ok(pawl_start(k.store, &err));
    (void)kit_push(k.queue, "t", "x");
    support_wait(&gate.n_in, 1);
    file_is_locked();
    ok(examine(&k.options, &err));
    has("locks-not-seen=1;");
    has("workers=0;");
    has("jobs=0;");
    has("integrity=0;");
    ck_assert_int_le(found.worst, PAWL_FINDING_NOTE);
    file_is_locked();
    kit_gate_open(&gate);
    kit_drain(k.store);
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

START_TEST(time_is_that_of_the_clock_it_is_given)
{
    kit_setup(&k, KIT_SQLITE);
    ok(pawl_listen(k.queue, "other", kit_no_listener, NULL, &err));
    ok(pawl_start(k.store, &err));
    (void)kit_push(k.queue, "unheard", "x");
    kit_pass(&k, 60000);
    ok(examine(&k.options, &err));
    has("jobs=0;");
    kit_pass(&k, 1);
    ok(examine(&k.options, &err));
    has("type-unheard=2;");
    ok(pawl_stop(k.store, SUPPORT_DEADLINE_MS, &err));
    kit_end(&k);
}
END_TEST

/* A process that has the whole file to itself. */
static void
hold_all(const char *path, int told)
{
    sqlite3 *db = NULL;

    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db,
                     "PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE;"
                     "CREATE TABLE t(x)",
                     NULL, NULL, NULL) != SQLITE_OK)
        _exit(1);
    (void)!write(told, "x", 1);
    for (;;)
        (void)pause();
}

START_TEST(a_file_that_another_process_has_for_itself_is_told)
{
    int ends[2], status;
    char c = 0;
    pid_t pid;

    kit_setup(&k, KIT_SQLITE);
    pawl_close(k.store);
    k.store = NULL;
    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    if (pid == 0)
        hold_all(k.url, ends[1]);
    (void)close(ends[1]);
    ck_assert_int_eq(read(ends[0], &c, 1), 1);
    k.options.busy_timeout_ms = 1;
    ok(examine(&k.options, &err));
    has("write-lock-held=2;");
    has("cannot-read=3;");
    (void)kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    (void)close(ends[0]);
    ok(examine(&k.options, &err));
    ck_assert_int_le(found.worst, PAWL_FINDING_NOTE);
    kit_end(&k);
}
END_TEST

START_TEST(each_failed_allocation_is_told)
{
    long n;
    int rc = PAWL_NOMEM;

    kit_setup(&k, KIT_SQLITE);
    pawl_close(k.store);
    k.store = NULL;
    for (n = 1; rc != PAWL_OK; n++) {
        ck_assert_int_lt(n, 100);
        (void)pawl__alloc_fail_at(n, 0);
        rc = examine(NULL, &err);
        (void)pawl__alloc_fail_at(0, 0);
        if (rc != PAWL_OK) {
            ck_assert_int_eq(rc, PAWL_NOMEM);
            ck_assert_int_eq(found.n, 0);
        }
    }
    ck_assert_int_gt(n, 2);
    kit_end(&k);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "doctor");

    tcase_add_test(tc, bad_arguments_are_refused);
    tcase_add_test(tc, a_store_that_is_not_there_is_not_made);
    tcase_add_test(tc, a_store_in_memory_has_nothing_to_examine);
    tcase_add_test(tc, the_caller_may_end_it);
    tcase_add_test(tc, a_store_that_this_process_works_on_keeps_its_locks);
    tcase_add_test(tc, time_is_that_of_the_clock_it_is_given);
    tcase_add_test(tc, a_file_that_another_process_has_for_itself_is_told);
    tcase_add_test(tc, each_failed_allocation_is_told);
}

int
main(void)
{
    return support_main("doctor", add);
}
