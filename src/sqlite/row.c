/* SPDX-License-Identifier: MIT */
/* row.c - from a row of pawl_job to a record: one block with its strings. */
#include "sqlite/row.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "driver/driver.h"

/* As in STMT_ROW. */
enum row_column {
    ROW_ID,
    ROW_QUEUE,
    ROW_TYPE,
    ROW_STATE,
    ROW_PRIORITY,
    ROW_READY_AT,
    ROW_PUSHED_AT,
    ROW_ATTEMPTS,
    ROW_ABANDONS,
    ROW_MAX_ATTEMPTS,
    ROW_TIMEOUT_MS,
    ROW_UNIQUE_KEY,
    ROW_UNIQUE_UNTIL,
    ROW_BACKOFF_FLOOR_MS,
    ROW_BACKOFF_CEILING_MS,
    ROW_BACKOFF_FACTOR_PERCENT,
    ROW_BACKOFF_JITTER_PERCENT,
    ROW_FINISHED_AT,
    ROW_ERROR,
    ROW_RESULT,
    ROW_PAYLOAD,
    ROW_WORKER
};

/* The texts of a row, in the order in which they lie in the block. */
static const enum row_column row_texts[] = {ROW_QUEUE, ROW_TYPE, ROW_UNIQUE_KEY,
                                            ROW_ERROR, ROW_RESULT};
#define ROW_N_TEXTS (sizeof row_texts / sizeof row_texts[0])

/* The room that the texts need. Asking for a text may copy it: false is out of
 * memory, or a row without what it must have. */
static bool
row_measure(sqlite3_stmt *st, size_t *room, pawl_error *err)
{
    int column;
    size_t i;

    *room = 0;
    for (i = 0; i < ROW_N_TEXTS; i++) { /* _text before _bytes: see above */
        column = (int)row_texts[i];
        if (column != ROW_QUEUE && column != ROW_TYPE &&
            sqlite3_column_type(st, column) == SQLITE_NULL)
            continue;
        if (pawl__stmt_text_at(st, column, err) == NULL)
            return false;
        *room += (size_t)sqlite3_column_bytes(st, column) + 1;
    }
    return pawl__stmt_text_at(st, ROW_STATE, err) != NULL;
}

/* Copy the texts behind the payload. */
static void
row_copy_texts(sqlite3_stmt *st, char *at, const char *texts[ROW_N_TEXTS])
{
    const unsigned char *text;
    size_t i, n;

    for (i = 0; i < ROW_N_TEXTS; i++) {
        text = sqlite3_column_text(st, (int)row_texts[i]);
        texts[i] = NULL;
        if (text == NULL)
            continue;
        n = (size_t)sqlite3_column_bytes(st, (int)row_texts[i]);
        memcpy(at, text, n);
        at[n] = '\0';
        texts[i] = at;
        at += n + 1;
    }
}

static void
row_copy_numbers(sqlite3_stmt *st, pawl_job_info *info)
{
    pawl_job *job = &info->job;
    int64_t until = sqlite3_column_int64(st, ROW_UNIQUE_UNTIL);

    info->id = sqlite3_column_int64(st, ROW_ID);
    info->attempts = sqlite3_column_int(st, ROW_ATTEMPTS);
    info->abandons = sqlite3_column_int(st, ROW_ABANDONS);
    info->pushed_at_ms = sqlite3_column_int64(st, ROW_PUSHED_AT);
    info->finished_at_ms = sqlite3_column_int64(st, ROW_FINISHED_AT);
    info->worker = sqlite3_column_int64(st, ROW_WORKER);
    job->priority = sqlite3_column_int(st, ROW_PRIORITY);
    job->ready_at_ms = sqlite3_column_int64(st, ROW_READY_AT);
    job->max_attempts = sqlite3_column_int(st, ROW_MAX_ATTEMPTS);
    job->timeout_ms = sqlite3_column_int64(st, ROW_TIMEOUT_MS);
    if (until > info->pushed_at_ms && info->pushed_at_ms >= 0)
        job->unique_ms = until - info->pushed_at_ms; /* plain SQL may say
                                                        any time */
    job->backoff_floor_ms = sqlite3_column_int64(st, ROW_BACKOFF_FLOOR_MS);
    job->backoff_ceiling_ms = sqlite3_column_int64(st, ROW_BACKOFF_CEILING_MS);
    job->backoff_factor_percent =
        sqlite3_column_int(st, ROW_BACKOFF_FACTOR_PERCENT);
    job->backoff_jitter_percent =
        sqlite3_column_int(st, ROW_BACKOFF_JITTER_PERCENT);
}

int
pawl__row_read(sqlite3_stmt *st, const pawl_settings *settings,
               struct pawl__record **out, pawl_error *err)
{
    struct pawl__record *rec;
    const char *texts[ROW_N_TEXTS], *state;
    const void *payload;
    size_t room, bytes;
    char *at;

    *out = NULL;
    if (!row_measure(st, &room, err))
        return err->code;
    payload = sqlite3_column_blob(st, ROW_PAYLOAD);
    bytes = (size_t)sqlite3_column_bytes(st, ROW_PAYLOAD);
    rec = pawl__malloc(sizeof *rec + bytes + 1 + room);
    if (rec == NULL || (payload == NULL && bytes > 0)) {
        pawl__free(rec);
        return pawl__fail_nomem(err);
    }
    memset(rec, 0, sizeof *rec);
    at = (char *)(rec + 1); /* the payload first: it is the best aligned */
    if (bytes > 0)
        memcpy(at, payload, bytes);
    at[bytes] = '\0';
    rec->info.job.payload = at;
    rec->info.job.payload_bytes = bytes;
    row_copy_texts(st, at + bytes + 1, texts);
    rec->info.struct_size = sizeof rec->info;
    rec->info.job.struct_size = sizeof rec->info.job;
    rec->info.queue = texts[0];
    rec->info.job.type = texts[1];
    rec->info.job.unique_key = texts[2];
    rec->info.error = texts[3];
    rec->info.result = texts[4];
    row_copy_numbers(st, &rec->info);
    state = (const char *)sqlite3_column_text(st, ROW_STATE);
    rec->info.state = rec->info.worker != 0 ? (int)PAWL_RESERVED
                                            : pawl__state_from_name(state);
    pawl__job_fill(&rec->info.job, settings);
    *out = rec;
    return PAWL_OK;
}

int
pawl__row_settings(struct pawl__conn *c, const char *queue,
                   pawl_settings *settings, pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(c, PAWL__STMT_SETTINGS, err);
    bool found;
    int i, rc;

    pawl__settings_default(settings);
    if (st == NULL)
        return err->code;
    pawl__bind_text(st, 1, queue);
    rc = pawl__stmt_step(c, st, &found, "read the queue's settings", err);
    if (found)
        for (i = 0; i < PAWL__N_SETTINGS; i++)
            if (sqlite3_column_type(st, i) != SQLITE_NULL)
                pawl__setting_put(settings, &pawl__settings[i],
                                  sqlite3_column_int64(st, i));
    pawl__stmt_done(st);
    return rc;
}

int
pawl__row_next_queue(struct pawl__conn *c, char *name, bool *found,
                     int64_t *retention_s, pawl_error *err)
{
    sqlite3_stmt *st = pawl__stmt(c, PAWL__STMT_QUEUE_NEXT, err);
    const char *next;
    int rc;

    *found = false;
    if (st == NULL)
        return err->code;
    pawl__bind_text(st, 1, name);
    rc = pawl__stmt_step(c, st, found, "look for queues", err);
    if (*found) {
        *retention_s = sqlite3_column_int64(st, 1);
        next = pawl__stmt_text_at(st, 0, err);
        if (next != NULL)
            (void)snprintf(name, PAWL__QUEUE_BYTES, "%s", next);
        else
            rc = err->code;
    }
    pawl__stmt_done(st);
    return rc;
}
