/* SPDX-License-Identifier: MIT */
/* look.c - read jobs, counts and settings.
 *
 * Locks: read_mu for the length of one short read transaction; nothing stays
 * open between two calls, as an open read keeps the log from being restarted.
 * A poisoned store is still readable here: what it shows was committed. */
#include "sqlite/look.h"

#include <string.h>

#include "base/alloc.h"
#include "base/point.h"
#include "base/str.h"
#include "sqlite/row.h"

static struct pawl__conn *
look_begin(struct pawl__sqlite *s)
{
    pawl__lock(&s->read_mu);
    pawl__conn_patience(&s->r);
    return &s->r;
}

static void
look_end(struct pawl__sqlite *s)
{
    pawl__unlock(&s->read_mu);
}

/* All that is read until look_end_moment() is of one moment. */
static int
look_begin_moment(struct pawl__conn *c, pawl_error *err)
{
    return pawl__stmt_run_ints(c, PAWL__STMT_BEGIN_READ, 0, 0, "begin to read",
                               err);
}

static void
look_end_moment(struct pawl__conn *c)
{
    pawl_error ignored;

    (void)pawl__stmt_run_ints(c, PAWL__STMT_COMMIT, 0, 0, "end", &ignored);
}

/* ------------------------------------------------------------------- jobs */

int
pawl__sqlite_get(void *self, int64_t id, struct pawl__record **record,
                 pawl_error *theirs)
{
    pawl_error own, *err = theirs != NULL ? theirs : &own;
    struct pawl__sqlite *s = self;
    struct pawl__conn *c = look_begin(s);
    pawl_settings settings;
    sqlite3_stmt *st;
    const char *queue;
    bool found;
    int rc;

    *record = NULL;
    st = pawl__stmt(c, PAWL__STMT_JOB, err);
    if (st == NULL) {
        look_end(s);
        return err->code;
    }
    (void)sqlite3_bind_int64(st, 1, id);
    rc = pawl__stmt_step(c, st, &found, "get a job", err);
    if (rc == PAWL_OK && !found)
        rc = pawl__fail(err, PAWL_NOT_FOUND, 0, "there is no job %lld",
                        (long long)id);
    if (rc == PAWL_OK) {
        queue = pawl__stmt_text_at(st, 1, err);
        rc = queue != NULL ? pawl__row_settings(c, queue, &settings, err)
                           : err->code;
    }
    if (rc == PAWL_OK)
        rc = pawl__row_read(st, &settings, record, err);
    pawl__stmt_done(st);
    look_end(s);
    return rc;
}

/* Which source holds all that the mask asks for? */
static enum pawl__stmt_id
look_list_source(const pawl_filter *f)
{
    const unsigned finished =
        PAWL_TIMEOUT | PAWL_FAILED | PAWL_DONE | PAWL_CANCELLED;
    bool down = f->newest_first != 0;

    if ((f->states & ~finished) == 0)
        return down ? PAWL__STMT_LIST_FINISHED_DOWN
                    : PAWL__STMT_LIST_FINISHED_UP;
    if (f->states == PAWL_RESERVED)
        return down ? PAWL__STMT_LIST_RESERVED_DOWN
                    : PAWL__STMT_LIST_RESERVED_UP;
    return down ? PAWL__STMT_LIST_DOWN : PAWL__STMT_LIST_UP;
}

static void
look_list_bind(sqlite3_stmt *st, const pawl_filter *f)
{
    int64_t after = f->after_id;

    if (f->newest_first && after == 0)
        after = INT64_MAX;
    pawl__bind_text(st, 1, f->queue);
    pawl__bind_text(st, 2, f->type);
    (void)sqlite3_bind_int64(st, 3, f->states);
    (void)sqlite3_bind_int64(st, 4, after);
    (void)sqlite3_bind_int64(st, 5, f->limit);
}

/* Settings of the row's queue; those of the last row mostly serve again. */
static int
look_row_settings(struct pawl__conn *c, sqlite3_stmt *st, char last[65],
                  pawl_settings *settings, pawl_error *err)
{
    const char *queue = pawl__stmt_text_at(st, 1, err);
    int rc;

    if (queue == NULL)
        return err->code;
    if (strcmp(queue, last) == 0)
        return PAWL_OK;
    rc = pawl__row_settings(c, queue, settings, err);
    last[0] = '\0';
    if (strlen(queue) < 65)
        memcpy(last, queue, strlen(queue) + 1);
    return rc;
}

int
pawl__sqlite_list(void *self, struct pawl__list *list, pawl_error *theirs)
{
    pawl_error own, *err = theirs != NULL ? theirs : &own;
    struct pawl__sqlite *s = self;
    struct pawl__conn *c = look_begin(s);
    pawl_settings settings;
    char last[65] = "";
    sqlite3_stmt *st = pawl__stmt(c, look_list_source(list->filter), err);
    int step = SQLITE_DONE, rc = st != NULL ? PAWL_OK : err->code;

    list->n_records = 0;
    pawl__settings_default(&settings);
    if (st != NULL)
        look_list_bind(st, list->filter);
    while (rc == PAWL_OK && (step = sqlite3_step(st)) == SQLITE_ROW) {
        rc = look_row_settings(c, st, last, &settings, err);
        if (rc == PAWL_OK)
            rc = pawl__row_read(st, &settings, &list->records[list->n_records],
                                err);
        if (rc == PAWL_OK)
            list->n_records++;
    }
    if (rc == PAWL_OK && step != SQLITE_DONE)
        rc = pawl__conn_fail(c, "list jobs", err);
    if (st != NULL)
        pawl__stmt_done(st);
    look_end(s);
    while (rc != PAWL_OK && list->n_records > 0)
        pawl__record_free(list->records[--list->n_records]);
    return rc;
}

/* ----------------------------------------------------------------- counts */

/* One or two numbers about a queue. */
static int
look_count(struct pawl__conn *c, enum pawl__stmt_id id, const char *queue,
           int64_t *a, int64_t *b, pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(c, id, err);
    int rc = PAWL_OK;

    if (st == NULL)
        return err->code;
    if (sqlite3_bind_parameter_count(st) > 0)
        pawl__bind_text(st, 1, queue);
    if (sqlite3_step(st) != SQLITE_ROW) {
        rc = pawl__conn_fail(c, "count jobs", err);
    } else {
        *a = sqlite3_column_int64(st, 0);
        if (b != NULL)
            *b = sqlite3_column_int64(st, 1);
    }
    pawl__stmt_done(st);
    return rc;
}

static int
look_count_finished(struct pawl__conn *c, const char *queue, pawl_info *info,
                    pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(c, PAWL__STMT_COUNT_FINISHED, err);
    const char *state;
    int64_t n;
    int step, rc = PAWL_OK;

    if (st == NULL)
        return err->code;
    pawl__bind_text(st, 1, queue);
    while ((step = sqlite3_step(st)) == SQLITE_ROW) {
        state = pawl__stmt_text_at(st, 0, err);
        n = sqlite3_column_int64(st, 1);
        if (state == NULL) {
            rc = err->code;
            break;
        }
        switch (pawl__state_from_name(state)) {
        case PAWL_TIMEOUT:
            info->timeout = n;
            break;
        case PAWL_FAILED:
            info->failed = n;
            break;
        case PAWL_DONE:
            info->done = n;
            break;
        case PAWL_CANCELLED:
            info->cancelled = n;
            break;
        default:
            break;
        }
    }
    if (rc == PAWL_OK && step != SQLITE_DONE)
        rc = pawl__conn_fail(c, "count jobs", err);
    pawl__stmt_done(st);
    return rc;
}

static int
look_counts(struct pawl__conn *c, const char *queue, pawl_info *info,
            pawl_error *err)
{
    pawl_settings settings;
    int64_t workers = 0;
    int rc;

    rc = look_count(c, PAWL__STMT_COUNT_WAITING, queue, &info->waiting,
                    &info->oldest_waiting_at_ms, err);
    if (rc == PAWL_OK)
        rc = look_count(c, PAWL__STMT_COUNT_DELAYED, queue, &info->delayed,
                        NULL, err);
    if (rc == PAWL_OK)
        rc = look_count(c, PAWL__STMT_COUNT_RESERVED, queue, &info->reserved,
                        NULL, err);
    if (rc == PAWL_OK)
        rc = look_count_finished(c, queue, info, err);
    if (rc == PAWL_OK)
        rc = look_count(c, PAWL__STMT_N_WORKERS, queue, &workers, NULL, err);
    if (rc == PAWL_OK)
        rc = pawl__row_settings(c, queue, &settings, err);
    if (rc != PAWL_OK)
        return rc;
    info->workers = (int32_t)workers;
    info->paused = settings.paused;
    return PAWL_OK;
}

int
pawl__sqlite_info(void *self, const char *queue, pawl_info *info,
                  pawl_error *theirs)
{
    pawl_error own, *err = theirs != NULL ? theirs : &own;
    struct pawl__sqlite *s = self;
    struct pawl__conn *c = look_begin(s);
    size_t size = info->struct_size;
    int rc;

    memset(info, 0, sizeof *info);
    info->struct_size = size;
    rc = look_begin_moment(c, err);
    if (rc == PAWL_OK) {
        rc = look_counts(c, queue, info, err);
        look_end_moment(c);
    }
    look_end(s);
    return rc;
}

/* The names of a statement's rows as one block: pointers, then texts. */
static int
look_pack(struct pawl__str *texts, size_t n, char ***names, pawl_error *err)
{
    char **block, *at;
    size_t i;

    block = pawl__malloc((n + 1) * sizeof *block + texts->bytes + 1);
    if (block == NULL || texts->failed) {
        pawl__free(block);
        return pawl__fail_nomem(err);
    }
    at = (char *)(block + n + 1);
    if (texts->bytes > 0)
        memcpy(at, texts->data, texts->bytes);
    for (i = 0; i < n; i++, at += strlen(at) + 1)
        block[i] = at;
    block[n] = NULL;
    *names = block;
    return PAWL_OK;
}

int
pawl__sqlite_queues(void *self, char ***names, size_t *n, pawl_error *theirs)
{
    pawl_error own, *err = theirs != NULL ? theirs : &own;
    struct pawl__sqlite *s = self;
    struct pawl__conn *c = look_begin(s);
    struct pawl__str texts = {0};
    sqlite3_stmt *st = pawl__stmt(c, PAWL__STMT_QUEUES, err);
    const char *name;
    int step, rc = PAWL_OK;

    *names = NULL;
    *n = 0;
    if (st == NULL) {
        look_end(s);
        return err->code;
    }
    while ((step = sqlite3_step(st)) == SQLITE_ROW) {
        name = pawl__stmt_text_at(st, 0, err);
        if (name == NULL) {
            rc = err->code;
            break;
        }
        pawl__str_append(&texts, name, strlen(name) + 1);
        (*n)++;
    }
    if (rc == PAWL_OK && step != SQLITE_DONE)
        rc = pawl__conn_fail(c, "list queues", err);
    pawl__stmt_done(st);
    look_end(s);
    if (rc == PAWL_OK)
        rc = look_pack(&texts, *n, names, err);
    if (rc != PAWL_OK)
        *n = 0;
    pawl__str_clear(&texts);
    return rc;
}

/* Does the statement find a row? type NULL where it takes none. */
static int
look_any(struct pawl__sqlite *s, enum pawl__stmt_id id, const char *queue,
         const char *type, bool *any, pawl_error *err)
{
    struct pawl__conn *c = &s->r;
    sqlite3_stmt *st = pawl__stmt(c, id, err);
    bool found;
    int rc;

    if (st == NULL)
        return err->code;
    pawl__bind_text(st, 1, queue);
    if (sqlite3_bind_parameter_count(st) > 1)
        pawl__bind_text(st, 2, type);
    if (sqlite3_bind_parameter_count(st) > 2)
        (void)sqlite3_bind_int64(st, 3, pawl__wall_ms(s->env.clock));
    rc = pawl__stmt_step(c, st, &found, "look for work", err);
    *any = *any || found;
    pawl__stmt_done(st);
    return rc;
}

/* Is there work of one type, or, type NULL, of any? */
static int
look_work(struct pawl__sqlite *s, const char *queue, const char *type,
          bool *any, pawl_error *err)
{
    int rc = look_any(s,
                      type == NULL ? PAWL__STMT_BUSY_WAITING
                                   : PAWL__STMT_BUSY_WAITING_TYPE,
                      queue, type, any, err);

    pawl__point("look: waiting");
    if (rc == PAWL_OK && !*any)
        rc = look_any(s, PAWL__STMT_BUSY_DELAYED, queue, type, any, err);
    return rc;
}

static int
look_interest(struct pawl__sqlite *s, const struct pawl__interest *of,
              bool *any, pawl_error *err)
{
    size_t i;
    int rc = PAWL_OK;

    if (of->n_types == 0)
        return look_work(s, of->queue, NULL, any, err);
    for (i = 0; rc == PAWL_OK && !*any && i < of->n_types; i++)
        rc = look_work(s, of->queue, of->types[i], any, err);
    return rc;
}

int
pawl__sqlite_busy(void *self, const struct pawl__interest *of, size_t n,
                  bool *busy, pawl_error *theirs)
{
    pawl_error own, *err = theirs != NULL ? theirs : &own;
    struct pawl__sqlite *s = self;
    struct pawl__conn *c = look_begin(s);
    size_t i;
    int rc;

    *busy = false;
    rc = look_begin_moment(c, err);
    if (rc == PAWL_OK) {
        for (i = 0; rc == PAWL_OK && !*busy && i < n; i++)
            rc = look_interest(s, &of[i], busy, err);
        look_end_moment(c);
    }
    look_end(s);
    return rc;
}

int
pawl__sqlite_check(void *self, const struct pawl__settle *pairs, size_t n,
                   bool *held, pawl_error *theirs)
{
    pawl_error own, *err = theirs != NULL ? theirs : &own;
    struct pawl__sqlite *s = self;
    struct pawl__conn *c = look_begin(s);
    sqlite3_stmt *st;
    size_t i;
    int rc = PAWL_OK;

    for (i = 0; rc == PAWL_OK && i < n; i++) {
        held[i] = false;
        st = pawl__stmt(c, PAWL__STMT_CLAIM_HELD, err);
        if (st == NULL) {
            rc = err->code;
            break;
        }
        (void)sqlite3_bind_int64(st, 1, pairs[i].job);
        (void)sqlite3_bind_int64(st, 2, pairs[i].token);
        rc = pawl__stmt_step(c, st, &held[i], "check attempts", err);
        pawl__stmt_done(st);
    }
    look_end(s);
    return rc;
}

int
pawl__sqlite_settings(void *self, const char *queue, pawl_settings *settings,
                      pawl_error *theirs)
{
    pawl_error own, *err = theirs != NULL ? theirs : &own;
    struct pawl__sqlite *s = self;
    struct pawl__conn *c = look_begin(s);
    int rc = pawl__row_settings(c, queue, settings, err);

    look_end(s);
    return rc;
}

int
pawl__look_version(struct pawl__sqlite *s, int64_t *version, pawl_error *err)
{
    struct pawl__conn *c = look_begin(s);
    sqlite3_stmt *st = pawl__stmt(c, PAWL__STMT_DATA_VERSION, err);
    int rc = PAWL_OK;

    if (st == NULL) {
        rc = err->code;
    } else {
        if (sqlite3_step(st) == SQLITE_ROW)
            *version = sqlite3_column_int64(st, 0);
        else
            rc = pawl__conn_fail(c, "look for changes", err);
        pawl__stmt_done(st);
    }
    look_end(s);
    return rc;
}
