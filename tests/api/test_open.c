/* SPDX-License-Identifier: MIT */
/* test_open.c - open and close: URLs, options, what is refused and that
 * nothing is left half-made. */
#include "api/kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct kit k;
static pawl_error err;

/* Open with the given options, which must fail with code and leave no handle,
 * with err and without. */
static void
refused(int code, const char *url, const pawl_options *options)
{
    pawl_store *store = (pawl_store *)&k; /* to see that it is emptied */

    fails(code, pawl_open(url, options, &store, &err));
    ck_assert_ptr_null(store);
    ck_assert_int_eq(pawl_open(url, options, &store, NULL), code);
    ck_assert_ptr_null(store);
}

static const char *
in_folder(const char *name)
{
    static char path[400];

    (void)snprintf(path, sizeof path, "%s/%s", k.folder.path, name);
    return path;
}

START_TEST(opens_and_closes_with_default_options)
{
    pawl_store *store = NULL;

    kit_begin(&k, _i);
    ok(pawl_open(k.url, NULL, &store, &err));
    ck_assert_ptr_nonnull(store);
    pawl_close(store);
    ck_assert_int_eq(pawl_open(k.url, NULL, &store, NULL), PAWL_OK);
    pawl_close(store);
    kit_end(&k);
}
END_TEST

START_TEST(close_takes_null)
{
    pawl_close(NULL);
}
END_TEST

START_TEST(null_arguments_are_refused)
{
    pawl_store *store = NULL;

    kit_begin(&k, _i);
    refused(PAWL_INVALID, NULL, NULL);
    fails(PAWL_INVALID, pawl_open(k.url, NULL, NULL, &err));
    ck_assert_int_eq(pawl_open(NULL, NULL, NULL, NULL), PAWL_INVALID);
    ck_assert_ptr_null(store);
    kit_end(&k);
}
END_TEST

START_TEST(the_version_is_that_of_the_header)
{
    ck_assert_str_eq(pawl_version(), PAWL_VERSION_STRING);
}
END_TEST

START_TEST(every_status_has_a_name_and_so_has_any_number)
{
    int code, other;

    for (code = PAWL_MISUSE; code <= PAWL_OK; code++)
        for (other = PAWL_MISUSE; other < code; other++)
            ck_assert_str_ne(pawl_strerror(code), pawl_strerror(other));
    ck_assert_str_eq(pawl_strerror(1), pawl_strerror(-17));
    ck_assert_str_eq(pawl_strerror(INT32_MIN), pawl_strerror(INT32_MAX));
    ck_assert_str_ne(pawl_strerror(1), pawl_strerror(PAWL_OK));
}
END_TEST

/* ---------------------------------------------------------------- options */

START_TEST(options_out_of_range_are_refused)
{
    const struct {
        int durability;
        int64_t busy, payload;
        int level;
    } bad[] = {
        {-1, 0, 0, 0},        {2, 0, 0, 0},          {0, -1, 0, 0},
        {0, 3600001, 0, 0},   {0, INT64_MIN, 0, 0},  {0, INT64_MAX, 0, 0},
        {0, 0, -1, 0},        {0, 0, 1073741825, 0}, {0, 0, INT64_MAX, 0},
        {0, 0, INT64_MIN, 0}, {0, 0, 0, -1},         {0, 0, 0, 4},
    };
    size_t i;

    kit_begin(&k, _i);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pawl_options o = PAWL_OPTIONS_INIT;

        o.durability = bad[i].durability;
        o.busy_timeout_ms = bad[i].busy;
        o.max_payload_bytes = bad[i].payload;
        o.log_level = bad[i].level;
        refused(PAWL_INVALID, k.url, &o);
    }
    ck_assert_int_ne(access(k.folder.store, F_OK), 0);
    kit_end(&k);
}
END_TEST

START_TEST(options_at_the_ends_of_their_ranges_are_taken)
{
    pawl_store *store = NULL;
    pawl_options o = PAWL_OPTIONS_INIT;

    kit_begin(&k, _i);
    o.durability = PAWL_PROCESS;
    o.durable_acks = 1;
    o.busy_timeout_ms = 3600000;
    o.max_payload_bytes = 1073741824;
    o.log_level = PAWL_INFO;
    ok(pawl_open(k.url, &o, &store, &err));
    pawl_close(store);
    o.busy_timeout_ms = 1;
    o.max_payload_bytes = 1;
    o.log_level = PAWL_ERROR;
    ok(pawl_open(k.url, &o, &store, &err));
    pawl_close(store);
    kit_end(&k);
}
END_TEST

START_TEST(options_need_a_size_and_known_fields_only)
{
    struct {
        pawl_options o;
        char later[64];
    } big;
    pawl_store *store = NULL;

    kit_begin(&k, _i);
    memset(&big, 0, sizeof big);
    refused(PAWL_INVALID, k.url, &big.o);
    big.o.struct_size = 1;
    refused(PAWL_INVALID, k.url, &big.o);
    big.o.struct_size = SIZE_MAX;
    refused(PAWL_INVALID, k.url, &big.o);
    big.o.struct_size = sizeof big;
    ok(pawl_open(k.url, &big.o, &store, &err));
    pawl_close(store);
    big.later[63] = 1;
    refused(PAWL_INVALID, k.url, &big.o);
    kit_end(&k);
}
END_TEST

START_TEST(options_of_an_older_program_are_shorter)
{
    pawl_store *store = NULL;
    pawl_options o = PAWL_OPTIONS_INIT;

    kit_begin(&k, _i);
    /* What lies behind the size is not the caller's and must not be read. */
    o.struct_size = offsetof(pawl_options, busy_timeout_ms);
    o.busy_timeout_ms = -5;
    o.log_level = 99;
    ok(pawl_open(k.url, &o, &store, &err));
    pawl_close(store);
    kit_end(&k);
}
END_TEST

START_TEST(half_a_clock_and_half_a_codec_are_refused)
{
    pawl_options o = PAWL_OPTIONS_INIT;
    pawl_clock clock;
    pawl_codec codec;

    kit_begin(&k, _i);
    memset(&clock, 0, sizeof clock);
    memset(&codec, 0, sizeof codec);
    o.clock = &clock;
    refused(PAWL_INVALID, k.url, &o);
    clock.wall_ms = k.clock.clock.wall_ms;
    refused(PAWL_INVALID, k.url, &o);
    o.clock = NULL;
    o.codec = &codec;
    refused(PAWL_INVALID, k.url, &o);
    kit_end(&k);
}
END_TEST

/* ------------------------------------------------------------------- URLs */

START_TEST(memory_stores_do_not_meet)
{
    pawl_store *a = NULL, *b = NULL;

    ok(pawl_open("memory:", NULL, &a, &err));
    ok(pawl_open("memory:", NULL, &b, &err));
    (void)kit_push(kit_queue(a, "mail"), "t", "x");
    ck_assert_int_eq(kit_total(kit_queue(a, "mail")), 1);
    ck_assert_int_eq(kit_total(kit_queue(b, "mail")), 0);
    pawl_close(a);
    pawl_close(b);
}
END_TEST

START_TEST(a_path_and_a_sqlite_url_are_the_same_store)
{
    char url[400];
    pawl_store *store = NULL;
    int64_t id;

    kit_setup(&k, KIT_SQLITE);
    id = kit_push(k.queue, "t", "x");
    (void)snprintf(url, sizeof url, "sqlite:%s", k.folder.store);
    ok(pawl_open(url, NULL, &store, &err));
    ck_assert_int_eq(kit_state(store, id), PAWL_WAITING);
    pawl_close(store);
    kit_end(&k);
}
END_TEST

START_TEST(schemes_that_this_build_lacks_are_named_so)
{
    kit_begin(&k, KIT_SQLITE);
    refused(PAWL_UNSUPPORTED, "redis://localhost:6379/0", NULL);
    refused(PAWL_UNSUPPORTED, "postgres://localhost/x", NULL);
    kit_end(&k);
}
END_TEST

START_TEST(a_url_that_names_no_file_is_refused)
{
    kit_begin(&k, KIT_SQLITE);
    refused(PAWL_INVALID, "", NULL);
    refused(PAWL_INVALID, "sqlite:", NULL);
    refused(PAWL_INVALID, k.folder.path, NULL);
    refused(PAWL_INVALID, in_folder("new/"), NULL);
    refused(PAWL_INVALID, "/dev/null", NULL);
    refused(PAWL_INVALID, in_folder(kit_name(300)), NULL);
    kit_end(&k);
}
END_TEST

START_TEST(a_folder_that_is_not_there_or_takes_no_files_is_named_so)
{
    int fd;

    kit_begin(&k, KIT_SQLITE);
    refused(PAWL_READONLY, in_folder("missing/jobs.db"), NULL);
    fd = open(in_folder("file"), O_CREAT | O_WRONLY, 0600);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    refused(PAWL_READONLY, in_folder("file/jobs.db"), NULL);
    ck_assert_int_lt(pawl_open("/proc/pawl-jobs.db", NULL, &k.store, &err), 0);
    ck_assert_ptr_null(k.store);
    kit_end(&k);
}
END_TEST

START_TEST(must_exist_does_not_create)
{
    pawl_options o = PAWL_OPTIONS_INIT;
    pawl_store *store = NULL;

    kit_begin(&k, KIT_SQLITE);
    o.must_exist = 1;
    refused(PAWL_NOT_FOUND, k.url, &o);
    ck_assert_int_ne(access(k.folder.store, F_OK), 0);
    ok(pawl_open(k.url, NULL, &store, &err));
    pawl_close(store);
    ok(pawl_open(k.url, &o, &store, &err));
    pawl_close(store);
    kit_end(&k);
}
END_TEST

START_TEST(new_files_are_the_owners_alone)
{
    const char *const names[] = {"jobs.db", "jobs.db-wal", "jobs.db-pawl"};
    struct stat st;
    size_t i;
    mode_t before = umask(0);

    kit_setup(&k, KIT_SQLITE);
    (void)umask(before);
    (void)kit_push(k.queue, "t", "x");
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_int_eq(stat(in_folder(names[i]), &st), 0);
        ck_assert_int_eq(st.st_mode & 0777, 0600);
    }
    kit_end(&k);
}
END_TEST

/* ------------------------------------------------------------------ files */

static void
write_file(const char *path, const void *data, size_t n)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, n), (ssize_t)n);
    (void)close(fd);
}

START_TEST(a_file_that_is_no_database_is_left_as_it_is)
{
    char data[8192], after[8192];
    int fd;

    kit_begin(&k, KIT_SQLITE);
    memset(data, 'z', sizeof data);
    write_file(k.folder.store, data, sizeof data);
    refused(PAWL_CORRUPT, k.url, NULL);
    fd = open(k.folder.store, O_RDONLY);
    ck_assert_int_eq(read(fd, after, sizeof after), sizeof after);
    ck_assert_int_eq(read(fd, after, 1), 0);
    (void)close(fd);
    ck_assert_mem_eq(data, after, sizeof data);
    kit_end(&k);
}
END_TEST

START_TEST(an_empty_file_becomes_a_store)
{
    kit_begin(&k, KIT_SQLITE);
    write_file(k.folder.store, "", 0);
    kit_open(&k);
    (void)kit_push(k.queue, "t", "x");
    kit_end(&k);
}
END_TEST

START_TEST(a_programs_own_database_keeps_what_is_its_own)
{
    kit_begin(&k, KIT_SQLITE);
    support_sql(k.folder.store,
                "PRAGMA journal_mode=WAL; PRAGMA user_version=7;"
                "PRAGMA application_id=1234; CREATE TABLE app(x);"
                "INSERT INTO app VALUES (42);");
    kit_open(&k);
    (void)kit_push(k.queue, "t", "x");
    pawl_close(k.store);
    k.store = NULL;
    ck_assert_int_eq(support_sql_int(k.folder.store, "SELECT x FROM app"), 42);
    ck_assert_int_eq(support_sql_int(k.folder.store, "PRAGMA user_version"), 7);
    ck_assert_int_eq(support_sql_int(k.folder.store, "PRAGMA application_id"),
                     1234);
    kit_end(&k);
}
END_TEST

START_TEST(a_database_is_switched_to_wal_only_when_that_is_allowed)
{
    pawl_options o = PAWL_OPTIONS_INIT;
    pawl_store *store = NULL;

    kit_begin(&k, KIT_SQLITE);
    support_sql(k.folder.store, "CREATE TABLE app(x);");
    refused(PAWL_UNSUPPORTED, k.url, NULL);
    ck_assert_int_eq(
        support_sql_int(k.folder.store, "SELECT count(*) FROM sqlite_schema"),
        1);
    o.switch_to_wal = 1;
    ok(pawl_open(k.url, &o, &store, &err));
    pawl_close(store);
    kit_end(&k);
}
END_TEST

START_TEST(a_newer_schema_is_refused_and_untouched)
{
    kit_setup(&k, KIT_SQLITE);
    (void)kit_push(k.queue, "t", "x");
    pawl_close(k.store);
    k.store = NULL;
    support_sql(k.folder.store,
                "UPDATE pawl_meta SET value = 99 "
                "WHERE key IN ('schema_version', 'min_writer')");
    refused(PAWL_SCHEMA, k.url, NULL);
    ck_assert_int_eq(
        support_sql_int(k.folder.store,
                        "SELECT value FROM pawl_meta WHERE key='min_writer'"),
        99);
    ck_assert_int_eq(
        support_sql_int(k.folder.store, "SELECT count(*) FROM pawl_job"), 1);
    kit_end(&k);
}
END_TEST

START_TEST(a_meta_table_that_says_no_version_is_refused)
{
    kit_setup(&k, KIT_SQLITE);
    pawl_close(k.store);
    k.store = NULL;
    support_sql(k.folder.store, "DELETE FROM pawl_meta");
    refused(PAWL_CORRUPT, k.url, NULL);
    kit_end(&k);
}
END_TEST

START_TEST(tables_that_were_tampered_with_are_refused)
{
    static const char *const how[] = {
        "ALTER TABLE pawl_job ADD COLUMN extra TEXT",
        "DROP TABLE pawl_claim",
        "DROP INDEX pawl_job_unique",
        "DROP TRIGGER pawl_job_ended",
        "CREATE TABLE pawl_surprise(x)",
        "CREATE TRIGGER pawl_x AFTER INSERT ON pawl_job BEGIN "
        "DELETE FROM pawl_job; END",
        "DROP TABLE pawl_claim; CREATE VIEW pawl_claim AS SELECT 1 AS job, "
        "1 AS worker, 1 AS token, 1 AS claimed_at",
        "DROP TABLE pawl_meta; CREATE VIEW pawl_meta(key, value) AS "
        "VALUES ('schema_version', 1), ('min_writer', 1)",
    };

    kit_setup(&k, KIT_SQLITE);
    pawl_close(k.store);
    k.store = NULL;
    support_sql(k.folder.store, how[_i]);
    refused(PAWL_CORRUPT, k.url, NULL);
    kit_end(&k);
}
END_TEST

START_TEST(a_refused_open_prints_nothing)
{
    struct kit_silence silence;

    kit_begin(&k, KIT_SQLITE);
    write_file(k.folder.store, "not a database at all, but long enough?", 39);
    kit_silence_begin(&silence);
    refused(PAWL_CORRUPT, k.url, NULL);
    refused(PAWL_INVALID, k.folder.path, NULL);
    refused(PAWL_UNSUPPORTED, "redis://x", NULL);
    kit_silence_end(&silence);
    kit_end(&k);
}
END_TEST

START_TEST(opening_leaves_no_descriptor_behind)
{
    pawl_store *store = NULL;
    int i, before, after;

    kit_begin(&k, _i);
    ok(pawl_open(k.url, NULL, &store, &err)); /* first: what SQLite keeps */
    pawl_close(store);
    before = dup(STDOUT_FILENO);
    (void)close(before);
    for (i = 0; i < 20; i++) {
        ok(pawl_open(k.url, NULL, &store, &err));
        pawl_close(store);
        refused(PAWL_READONLY, in_folder("missing/jobs.db"), NULL);
    }
    after = dup(STDOUT_FILENO);
    (void)close(after);
    ck_assert_int_eq(before, after);
    kit_end(&k);
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = kit_case(suite, "open");
    const TTest *both[] = {
        opens_and_closes_with_default_options,
        null_arguments_are_refused,
        options_out_of_range_are_refused,
        options_at_the_ends_of_their_ranges_are_taken,
        options_need_a_size_and_known_fields_only,
        options_of_an_older_program_are_shorter,
        half_a_clock_and_half_a_codec_are_refused,
        opening_leaves_no_descriptor_behind,
    };

    KIT_BOTH(tc, both);
    tcase_add_test(tc, close_takes_null);
    tcase_add_test(tc, the_version_is_that_of_the_header);
    tcase_add_test(tc, every_status_has_a_name_and_so_has_any_number);
    tcase_add_test(tc, memory_stores_do_not_meet);
    tcase_add_test(tc, a_path_and_a_sqlite_url_are_the_same_store);
    tcase_add_test(tc, schemes_that_this_build_lacks_are_named_so);
    tcase_add_test(tc, a_url_that_names_no_file_is_refused);
    tcase_add_test(tc,
                   a_folder_that_is_not_there_or_takes_no_files_is_named_so);
    tcase_add_test(tc, must_exist_does_not_create);
    tcase_add_test(tc, new_files_are_the_owners_alone);
    tcase_add_test(tc, a_file_that_is_no_database_is_left_as_it_is);
    tcase_add_test(tc, an_empty_file_becomes_a_store);
    tcase_add_test(tc, a_programs_own_database_keeps_what_is_its_own);
    tcase_add_test(tc, a_database_is_switched_to_wal_only_when_that_is_allowed);
    tcase_add_test(tc, a_newer_schema_is_refused_and_untouched);
    tcase_add_test(tc, a_meta_table_that_says_no_version_is_refused);
    tcase_add_loop_test(tc, tables_that_were_tampered_with_are_refused, 0, 8);
    tcase_add_test(tc, a_refused_open_prints_nothing);
}

int
main(void)
{
    return support_main("open", add);
}
