/* SPDX-License-Identifier: MIT */
/* test_system.c - what the library does where the system says what it
 * rarely says. Linked with --wrap for the calls below. */
#include "driver/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sched.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/thread.h"

static struct harness H;
static unsigned long magic; /* of every file system; 0: the true one */
static _Atomic bool locks_fail;

#define err H.err

int __real_statfs64(const char *path, struct statfs *fs);
int __wrap_statfs64(const char *path, struct statfs *fs);
int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);

static bool inotify_fails;

int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags);

int
__wrap_inotify_init1(int flags)
{
    if (inotify_fails) {
        errno = EMFILE;
        return -1;
    }
    return __real_inotify_init1(flags);
}

int
__wrap_statfs64(const char *path, struct statfs *fs)
{
    int rc = __real_statfs64(path, fs);

    if (rc == 0 && magic != 0)
        fs->f_type = (__fsword_t)magic;
    return rc;
}

int
__wrap_fcntl64(int fd, int command, ...)
{
    va_list list;
    void *arg;

    va_start(list, command);
    arg = va_arg(list, void *);
    va_end(list);
    if (command == F_OFD_GETLK && atomic_load(&locks_fail)) {
        errno = ENOLCK;
        return -1;
    }
    return __real_fcntl64(fd, command, arg);
}

START_TEST(file_systems_of_several_machines_are_refused)
{
    static const unsigned long network[] = {
        0x6969UL, 0xff534d42UL, 0xfe534d42UL, 0x65735546UL, 0x01021997UL};
    size_t i;

    harness_open(&H, 1);
    H.driver->close(H.self, false);
    for (i = 0; i < sizeof network / sizeof network[0]; i++) {
        magic = network[i];
        fails(PAWL_UNSUPPORTED,
              H.driver->open(H.location, &H.env, &H.self, &err));
    }
    H.options.unsafe_file_system = 1;
    ok(H.driver->open(H.location, &H.env, &H.self, &err));
    magic = 0;
    harness_close(&H);
}
END_TEST

START_TEST(a_lock_that_cannot_be_asked_for_is_held)
{
    struct pawl__new_job job;
    struct pawl__sweep found;
    int claimed[2], status;
    char byte;
    pid_t pid;

    harness_open(&H, 1);
    job = harness_job(&H);
    (void)harness_push(&H, "q", &job);
    H.driver->close(H.self, false);
    ck_assert_int_eq(pipe(claimed), 0);
    pid = fork();
    if (pid == 0) {
        ok(H.driver->open(H.location, &H.env, &H.self, &err));
        (void)harness_claim_one(&H, "q");
        (void)!write(claimed[1], "x", 1);
        for (;;)
            (void)pause();
    }
    ck_assert_int_eq(read(claimed[0], &byte, 1), 1);
    ok(H.driver->open(H.location, &H.env, &H.self, &err));
    atomic_store(&locks_fail, true);
    ok(H.driver->sweep(H.self, &found, &err));
    ck_assert_uint_eq(found.n_rescued, 0);
    ck_assert_int_eq(harness_state(&H, 1), PAWL_RESERVED);
    atomic_store(&locks_fail, false);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ok(H.driver->sweep(H.self, &found, &err));
    ck_assert_uint_eq(found.n_rescued, 1);
    free(found.rescued);
    harness_close(&H);
}
END_TEST

static _Atomic bool pushing;

static void *
push_by_another_store(void *arg)
{
    struct pawl__new_job job = harness_job(&H);
    pawl_error e;
    void *other;

    (void)arg;
    ok(H.driver->open(H.location, &H.env, &other, &e));
    atomic_store(&pushing, true);
    ok(H.driver->push(other, "q", &job, 1, NULL, NULL, &e));
    H.driver->close(other, false);
    return NULL;
}

START_TEST(without_inotify_commits_are_noticed_all_the_same)
{
    const int64_t deadline = SUPPORT_DEADLINE_MS;
    struct pawl__thread thread;
    int mask;

    inotify_fails = true;
    harness_open(&H, 1);
    mask = H.driver->wait(H.self, PAWL__NEVER, 1, true); /* up to now */
    ck_assert_int_eq(
        pawl__thread_start(&thread, "test", push_by_another_store, NULL), 0);
    while (!atomic_load(&pushing))
        (void)sched_yield();
    mask = H.driver->wait(H.self, PAWL__NEVER, deadline, true);
    ck_assert_int_eq(mask, PAWL__WAIT_WORK);
    pawl__thread_join(&thread);
    inotify_fails = false;
    harness_close(&H);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("system");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, file_systems_of_several_machines_are_refused);
    tcase_add_test(tc, a_lock_that_cannot_be_asked_for_is_held);
    tcase_add_test(tc, without_inotify_commits_are_noticed_all_the_same);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("system", add);
}
