/* SPDX-License-Identifier: MIT */
/* test_vfs.c - the guard against the WAL-reset race: a writer of ours restarts
 * the log only while nobody else checkpoints. */
#include "lib/support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sqlite/sql.h"
#include "sqlite/vfs.h"

static pawl_error err;
static struct support_folder folder;

START_TEST(the_affected_versions_are_known)
{
    static const int affected[] = {3007000, 3040001, 3044005, 3045000,
                                   3046001, 3050006, 3051002};
    static const int clean[] = {3006023, 3044006, 3044009,
                                3050007, 3051003, 3053000};
    size_t i;

    for (i = 0; i < sizeof affected / sizeof affected[0]; i++)
        ck_assert_msg(pawl__vfs_race(affected[i]), "%d", affected[i]);
    for (i = 0; i < sizeof clean / sizeof clean[0]; i++)
        ck_assert_msg(!pawl__vfs_race(clean[i]), "%d", clean[i]);
}
END_TEST

static off_t
log_size(void)
{
    struct stat st;
    char path[400];

    (void)snprintf(path, sizeof path, "%s-wal", folder.store);
    ck_assert_int_eq(stat(path, &st), 0);
    return st.st_size;
}

/* Another process that holds SQLite's checkpoint lock (byte 121 of the -shm,
 * its walformat.html says) until it is killed. */
static pid_t
hold_checkpoint_lock(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int held[2], fd;
    char path[400], byte;
    pid_t pid;

    ck_assert_int_eq(pipe(held), 0);
    pid = fork();
    if (pid == 0) {
        (void)snprintf(path, sizeof path, "%s-shm", folder.store);
        fd = open(path, O_RDWR);
        lock.l_start = 121;
        if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0)
            _exit(1);
        (void)!write(held[1], "x", 1);
        for (;;)
            (void)pause();
    }
    (void)close(held[1]);
    ck_assert_int_eq(read(held[0], &byte, 1), 1);
    (void)close(held[0]);
    return pid;
}

START_TEST(the_log_is_not_restarted_under_a_foreign_checkpoint)
{
    pawl_options options = PAWL_OPTIONS_INIT;
    pawl_job job = PAWL_JOB("t", "x", 1);
    pawl_store *store;
    pawl_queue *queue;
    int status;
    off_t size;
    pid_t pid;

    if (!pawl__vfs_race(sqlite3_libversion_number()))
        return; /* this SQLite needs no guard, and has none */
    support_folder_make(&folder);
    options.durability = PAWL_PROCESS;
    ok(pawl_open(folder.store, &options, &store, &err));
    ok(pawl_queue_open(store, "q", &queue, &err));
    ok(pawl_push(queue, &job, NULL, &err));
    /* All is copied back: the next writer may restart the log. */
    ck_assert_int_eq(
        support_sql_int(folder.store, "PRAGMA wal_checkpoint(FULL)"), 0);
    size = log_size();
    pid = hold_checkpoint_lock();
    ok(pawl_push(queue, &job, NULL, &err));
    ck_assert_int_gt(log_size(), size); /* it appended */
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(
        support_sql_int(folder.store, "PRAGMA wal_checkpoint(FULL)"), 0);
    size = log_size();
    ok(pawl_push(queue, &job, NULL, &err));
    ck_assert_int_eq(log_size(), size); /* it began anew */
    pawl_close(store);
    support_folder_remove(&folder);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("vfs");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, the_affected_versions_are_known);
    tcase_add_test(tc, the_log_is_not_restarted_under_a_foreign_checkpoint);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("vfs", add);
}
