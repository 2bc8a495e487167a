/* SPDX-License-Identifier: MIT */
/* fuzz.c - what fuzz targets share. */
#include "fuzz/fuzz.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "driver/driver.h"

void
fuzz_must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz: does not hold: %s\n", what);
    abort();
}

char *
fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    fuzz_must(text != NULL, "there is memory");
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* -------------------------------------------------------------------- JSON */

struct json {
    const char *at, *end;
};

static bool json_value(struct json *j, int depth);

static void
json_space(struct json *j)
{
    while (j->at < j->end && strchr(" \t\r\n", *j->at) != NULL && *j->at != 0)
        j->at++;
}

static bool
json_is(struct json *j, char c)
{
    json_space(j);
    if (j->at == j->end || *j->at != c)
        return false;
    j->at++;
    return true;
}

static bool
json_escape(struct json *j)
{
    int i;

    if (j->at == j->end)
        return false;
    if (*j->at != 'u')
        return strchr("\"\\/bfnrt", *j->at++) != NULL;
    j->at++;
    for (i = 0; i < 4; i++, j->at++)
        if (j->at == j->end || !isxdigit((unsigned char)*j->at))
            return false;
    return true;
}

static bool
json_string(struct json *j)
{
    if (!json_is(j, '"'))
        return false;
    while (j->at < j->end && *j->at != '"') {
        if ((unsigned char)*j->at < 0x20)
            return false;
        if (*j->at++ == '\\' && !json_escape(j))
            return false;
    }
    return json_is(j, '"');
}

static bool
json_members(struct json *j, char close, int depth)
{
    if (json_is(j, close))
        return true;
    do {
        if (close == '}' && (!json_string(j) || !json_is(j, ':')))
            return false;
        if (!json_value(j, depth))
            return false;
    } while (json_is(j, ','));
    return json_is(j, close);
}

static bool
json_word(struct json *j)
{
    static const char *const words[] = {"true", "false", "null"};
    char *number_end;
    size_t i, n;

    for (i = 0; i < 3; i++) {
        n = strlen(words[i]);
        if ((size_t)(j->end - j->at) >= n && memcmp(j->at, words[i], n) == 0) {
            j->at += n;
            return true;
        }
    }
    (void)strtod(j->at, &number_end); /* the text ends with NUL */
    if (number_end == j->at || number_end > j->end)
        return false;
    j->at = number_end;
    return true;
}

static bool
json_value(struct json *j, int depth)
{
    if (depth > 100)
        return false;
    json_space(j);
    if (j->at == j->end)
        return false;
    if (*j->at == '"')
        return json_string(j);
    if (json_is(j, '{'))
        return json_members(j, '}', depth + 1);
    if (json_is(j, '['))
        return json_members(j, ']', depth + 1);
    return json_word(j);
}

bool
fuzz_is_json(const char *text, size_t bytes)
{
    struct json j = {text, text + bytes};
    bool good = json_value(&j, 0);

    json_space(&j);
    return good && j.at == j.end;
}

/* ------------------------------------------------------------------- stores */

static const struct pawl__driver *const driver = &pawl__sqlite_driver;
static pawl_options options;
static struct pawl__clock library_clock;
static struct pawl__log log_;
static struct pawl__env env;

static void
fuzz_env(void)
{
    if (env.options != NULL)
        return;
    (void)pawl__options_check(NULL, &options, NULL);
    options.durability = PAWL_PROCESS;
    options.busy_timeout_ms = 1;
    pawl__clock_init(&library_clock, NULL);
    env.options = &options;
    env.clock = &library_clock;
    env.log = &log_;
}

static char fuzz_folder_path[200];

static void
fuzz_folder_remove(void)
{
    char command[240];

    (void)snprintf(command, sizeof command, "rm -rf %s", fuzz_folder_path);
    (void)!system(command);
}

const char *
fuzz_folder(void)
{
    const char *base = getenv("TMPDIR");

    if (fuzz_folder_path[0] == '\0') {
        if (base == NULL)
            base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        (void)snprintf(fuzz_folder_path, sizeof fuzz_folder_path,
                       "%s/pawl-fuzz-XXXXXX", base);
        fuzz_must(mkdtemp(fuzz_folder_path) != NULL, "a folder can be made");
        (void)atexit(fuzz_folder_remove);
    }
    return fuzz_folder_path;
}

void
fuzz_put(const char *path, const uint8_t *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");

    fuzz_must(f != NULL && fwrite(bytes, 1, n, f) == n && fclose(f) == 0,
              "a file can be written");
}

static uint8_t *
fuzz_get(const char *path, size_t *n)
{
    uint8_t *bytes = malloc(4u << 20);
    FILE *f = fopen(path, "rb");

    fuzz_must(f != NULL && bytes != NULL, "the store's file is there");
    *n = fread(bytes, 1, 4u << 20, f);
    (void)fclose(f);
    return bytes;
}

/* Push some, and let each end in another way. */
static void
fuzz_fill(void *self, int64_t worker)
{
    static const enum pawl__outcome outcomes[] = {PAWL__ACK,    PAWL__RETRY,
                                                  PAWL__FAIL,   PAWL__TIMEOUT,
                                                  PAWL__SNOOZE, PAWL__RELEASE};
    struct pawl__new_job jobs[12];
    struct pawl__record *claims[8];
    struct pawl__settle settles[8];
    struct pawl__exchange x;
    size_t i;

    memset(jobs, 0, sizeof jobs);
    for (i = 0; i < 12; i++) {
        jobs[i].type = i % 2 == 0 ? "even" : "odd";
        jobs[i].payload = "payload";
        jobs[i].payload_bytes = 7;
        jobs[i].pushed_at_ms = 1;
        jobs[i].ready_at_ms = i == 11 ? PAWL__AT_MAX_MS : 1;
        jobs[i].unique_key = i == 10 ? "key" : NULL;
    }
    (void)driver->push(self, "q", jobs, 12, NULL, NULL, NULL);
    memset(&x, 0, sizeof x);
    x.queue = "q";
    x.worker = worker;
    x.want = 8;
    x.claims = claims;
    (void)driver->exchange(self, &x, NULL);
    memset(settles, 0, sizeof settles);
    for (i = 0; i < x.n_claims; i++) {
        settles[i].job = claims[i]->info.id;
        settles[i].token = claims[i]->token;
        settles[i].outcome = outcomes[i % 6];
        settles[i].ready_at_ms = 2;
        settles[i].text = "why";
        pawl__record_free(claims[i]);
    }
    x.n_settles = x.n_claims > 2 ? x.n_claims - 2 : 0;
    x.settles = settles;
    x.want = 1;
    (void)driver->exchange(self, &x, NULL);
    for (i = 0; i < x.n_claims; i++)
        pawl__record_free(claims[i]);
}

const struct fuzz_image *
fuzz_image(void)
{
    static struct fuzz_image image;
    char path[260], wal[270];
    int64_t worker = 0;
    void *self;

    if (image.db != NULL)
        return &image;
    fuzz_env();
    (void)snprintf(path, sizeof path, "%s/image.db", fuzz_folder());
    (void)snprintf(wal, sizeof wal, "%s-wal", path);
    fuzz_must(driver->open(path, &env, &self, NULL) == PAWL_OK &&
                  driver->worker_start(self, 1, &worker, NULL) == PAWL_OK,
              "a store can be made");
    fuzz_fill(self, worker);
    image.wal = fuzz_get(wal, &image.n_wal);
    driver->close(self, false);
    fuzz_must(driver->open(path, &env, &self, NULL) == PAWL_OK,
              "the store opens");
    image.db = fuzz_get(path, &image.n_db);
    driver->close(self, false);
    return &image;
}

static void
fuzz_look(void *self)
{
    struct pawl__record *records[50] = {NULL}, *one = NULL;
    pawl_filter filter;
    struct pawl__list list = {&filter, records, 0};
    struct pawl__interest all = {"q", NULL, 0};
    pawl_settings settings;
    pawl_info info = {.struct_size = sizeof info};
    char **names = NULL;
    size_t n, i;
    bool busy;

    (void)pawl__filter_check(NULL, &filter, NULL);
    filter.limit = 50;
    (void)driver->list(self, &list, NULL);
    for (i = 0; i < list.n_records; i++)
        pawl__record_free(records[i]);
    (void)driver->get(self, 3, &one, NULL);
    pawl__record_free(one);
    (void)driver->info(self, "q", &info, NULL);
    (void)driver->queues(self, &names, &n, NULL);
    pawl__free(names);
    (void)driver->busy(self, &all, 1, &busy, NULL);
    (void)driver->settings(self, "q", &settings, NULL);
}

void
fuzz_use_store(const char *path)
{
    struct pawl__move move;
    struct pawl__sweep sweep;
    pawl_error err = {0};
    int64_t worker = 0;
    char queue[65];
    void *self = NULL;
    int rc, i;

    fuzz_env();
    rc = driver->open(path, &env, &self, &err);
    if (rc != PAWL_OK) {
        fuzz_must(rc < 0 && err.code == rc && err.message[0] != '\0',
                  "a refusal has a name and a sentence");
        return;
    }
    fuzz_look(self);
    (void)driver->worker_start(self, 1, &worker, NULL);
    if (driver->sweep(self, &sweep, NULL) == PAWL_OK)
        pawl__free(sweep.rescued);
    if (worker != 0)
        fuzz_fill(self, worker);
    (void)driver->cancel(self, 4, queue, NULL);
    (void)driver->retry(self, 4, NULL);
    for (i = 0; i < 2; i++) {
        memset(&move, 0, sizeof move);
        move.kind = i == 0 ? PAWL__MOVE_RELOAD : PAWL__MOVE_FLUSH;
        move.states = PAWL_FAILED | PAWL_TIMEOUT;
        (void)driver->move(self, &move, NULL);
    }
    driver->close(self, false);
}
