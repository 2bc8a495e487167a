/* SPDX-License-Identifier: MIT */
/* Promise 11: bad input gets a named error and a sentence; nothing is half
 * written. (Bad arguments of every call are in tests/api.) */
#include "promise.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct promise P;

#define err P.err

static void
write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    int i;

    ck_assert_ptr_nonnull(f);
    for (i = 0; i < 100; i++)
        (void)fputs(text, f);
    (void)fclose(f);
}

START_TEST(files_that_are_no_store_are_refused_and_left_alone)
{
    struct support_folder f;
    char link_path[400];
    pawl_store *store;
    struct stat before, after;

    support_folder_make(&f);
    write_file(f.store, "this is not a database, not at all. ");
    ck_assert_int_eq(stat(f.store, &before), 0);
    fails(PAWL_CORRUPT, pawl_open(f.store, NULL, &store, &err));
    ck_assert_ptr_null(store);
    ck_assert_int_eq(stat(f.store, &after), 0);
    ck_assert_int_eq(before.st_size, after.st_size);
    fails(PAWL_INVALID, pawl_open(f.path, NULL, &store, &err));
    (void)snprintf(link_path, sizeof link_path, "%s/below", f.store);
    fails(PAWL_READONLY, pawl_open(link_path, NULL, &store, &err));
    (void)snprintf(link_path, sizeof link_path, "%s/none/x.db", f.path);
    fails(PAWL_READONLY, pawl_open(link_path, NULL, &store, &err));
    fails(PAWL_INVALID, pawl_open("", NULL, &store, &err));
    fails(PAWL_INVALID, pawl_open("memory:x", NULL, &store, &err));
    fails(PAWL_UNSUPPORTED,
          pawl_open("redis://127.0.0.1:1/0", NULL, &store, &err));
    support_folder_remove(&f);
}
END_TEST

START_TEST(a_newer_schema_and_a_second_name_are_refused)
{
    char second[400];
    pawl_store *store;

    promise_open(&P, false);
    (void)snprintf(second, sizeof second, "%s/second.db", P.folder.path);
    ck_assert_int_eq(link(P.url, second), 0);
    fails(PAWL_UNSUPPORTED, pawl_open(second, NULL, &store, &err));
    ck_assert_int_eq(unlink(second), 0);
    support_sql(P.url, "UPDATE pawl_meta SET value = 99");
    fails(PAWL_SCHEMA, pawl_open(P.url, NULL, &store, &err));
    support_sql(P.url, "UPDATE pawl_meta SET value = 0");
    fails(PAWL_CORRUPT, pawl_open(P.url, NULL, &store, &err));
    promise_close(&P);
}
END_TEST

START_TEST(files_are_made_for_their_owner_alone)
{
    struct stat st;
    char path[400];
    mode_t before = umask(0);

    promise_open(&P, false);
    (void)promise_push(&P, "secret");
    (void)umask(before);
    ck_assert_int_eq(stat(P.url, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    (void)snprintf(path, sizeof path, "%s-wal", P.url);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    (void)snprintf(path, sizeof path, "%s-pawl", P.url);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    promise_close(&P);
}
END_TEST

static void
open_at_once(struct promise *p)
{
    (void)promise_push(p, "x");
    pawl_close(p->store);
}

START_TEST(processes_that_open_a_new_file_at_once_all_succeed)
{
    pid_t pids[8];
    int round, i;

    for (round = 0; round < 5; round++) {
        memset(&P, 0, sizeof P);
        support_folder_make(&P.folder);
        P.url = P.folder.store;
        P.options.struct_size = sizeof P.options;
        for (i = 0; i < 8; i++)
            pids[i] = promise_fork(&P, open_at_once);
        for (i = 0; i < 8; i++)
            ck_assert_int_eq(promise_reap(pids[i]), 0);
        ck_assert_int_eq(
            support_sql_int(P.url, "SELECT count(*) FROM pawl_job"), 8);
        support_folder_remove(&P.folder);
    }
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("promise 11");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, files_that_are_no_store_are_refused_and_left_alone);
    tcase_add_test(tc, a_newer_schema_and_a_second_name_are_refused);
    tcase_add_test(tc, files_are_made_for_their_owner_alone);
    tcase_add_test(tc, processes_that_open_a_new_file_at_once_all_succeed);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("promise", add);
}
