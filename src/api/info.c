/* SPDX-License-Identifier: MIT */
/* info.c - counts of all queues, and Prometheus' text format 0.0.4. */
#include "api/check.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

int
pawl_store_info(pawl_store *store, pawl_info_fn fn, void *user, pawl_error *err)
{
    char **names = NULL;
    pawl_info info;
    size_t n = 0, i;
    int rc = pawl__check_store(store, err);

    if (rc == PAWL_OK && fn == NULL)
        rc = pawl__fail(err, PAWL_INVALID, 0, "fn is NULL");
    if (rc == PAWL_OK)
        rc = store->driver->queues(store->self, &names, &n, err);
    for (i = 0; rc == PAWL_OK && i < n; i++) {
        memset(&info, 0, sizeof info);
        rc = store->driver->info(store->self, names[i], &info, err);
        info.struct_size = sizeof info;
        if (rc == PAWL_OK && fn(names[i], &info, user) != 0)
            break;
    }
    pawl__free(names);
    return rc;
}

/* ------------------------------------------------------------- Prometheus */

struct info_row {
    char queue[65];
    pawl_info info;
};

struct info_rows {
    struct info_row *all;
    size_t n, room;
    bool failed;
};

static int
info_collect(const char *queue, const pawl_info *info, void *user)
{
    struct info_rows *rows = user;
    struct info_row *grown;
    size_t room;

    if (rows->n == rows->room) {
        room = rows->room != 0 ? rows->room * 2 : 16;
        grown = pawl__realloc(rows->all, room, sizeof *grown);
        if (grown == NULL) {
            rows->failed = true;
            return 1;
        }
        rows->all = grown;
        rows->room = room;
    }
    memset(&rows->all[rows->n], 0, sizeof rows->all[0]);
    (void)snprintf(rows->all[rows->n].queue, sizeof rows->all[0].queue, "%s",
                   queue);
    rows->all[rows->n++].info = *info;
    return 0;
}

/* A label's value: backslash, quote and newline are escaped. */
static void
info_label(struct pawl__str *s, const char *value)
{
    const char *c;

    for (c = value; *c != '\0'; c++) {
        if (*c == '\\' || *c == '"')
            pawl__str_append(s, "\\", 1);
        if (*c == '\n')
            pawl__str_append(s, "\\n", 2);
        else
            pawl__str_append(s, c, 1);
    }
}

static void
info_head(struct pawl__str *s, const char *name, const char *type,
          const char *help)
{
    pawl__str_printf(s, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
info_sample(struct pawl__str *s, const char *name, const char *queue,
            const char *state)
{
    pawl__str_printf(s, "%s{queue=\"", name);
    info_label(s, queue);
    pawl__str_append(s, "\"", 1);
    if (state != NULL)
        pawl__str_printf(s, ",state=\"%s\"", state);
    pawl__str_append(s, "} ", 2);
}

static void
info_jobs(struct pawl__str *s, const struct info_rows *rows)
{
    size_t i, k;

    info_head(s, "pawl_jobs", "gauge", "Jobs in the store by queue and state.");
    for (i = 0; i < rows->n; i++) {
        const pawl_info *in = &rows->all[i].info;
        const struct {
            int state;
            int64_t n;
        } counts[] = {
            {PAWL_WAITING, in->waiting},     {PAWL_DELAYED, in->delayed},
            {PAWL_RESERVED, in->reserved},   {PAWL_TIMEOUT, in->timeout},
            {PAWL_FAILED, in->failed},       {PAWL_DONE, in->done},
            {PAWL_CANCELLED, in->cancelled},
        };

        for (k = 0; k < sizeof counts / sizeof counts[0]; k++) {
            info_sample(s, "pawl_jobs", rows->all[i].queue,
                        pawl_state_name(counts[k].state));
            pawl__str_printf(s, "%lld\n", (long long)counts[k].n);
        }
    }
}

static void
info_age(struct pawl__str *s, const struct info_rows *rows, int64_t now_ms)
{
    int64_t since, age;
    size_t i;

    info_head(s, "pawl_oldest_waiting_age_seconds", "gauge",
              "How long the longest-waiting job has been ready.");
    for (i = 0; i < rows->n; i++) {
        since = rows->all[i].info.oldest_waiting_at_ms;
        age = since > 0 && now_ms > since ? now_ms - since : 0;
        info_sample(s, "pawl_oldest_waiting_age_seconds", rows->all[i].queue,
                    NULL);
        pawl__str_printf(s, "%lld.%03d\n", (long long)(age / 1000),
                         (int)(age % 1000));
    }
    info_head(s, "pawl_queue_paused", "gauge", "1 while the queue is paused.");
    for (i = 0; i < rows->n; i++) {
        info_sample(s, "pawl_queue_paused", rows->all[i].queue, NULL);
        pawl__str_printf(s, "%d\n", rows->all[i].info.paused != 0);
    }
}

static void
info_counters(struct pawl__str *s, pawl_store *store)
{
    static const struct {
        int kind;
        const char *name, *help;
    } counters[] = {
        {PAWL_ON_PUSHED, "pawl_pushed_total", "Jobs pushed by this process."},
        {PAWL_ON_STARTED, "pawl_started_total",
         "Attempts started by this process."},
        {PAWL_ON_SUCCEEDED, "pawl_succeeded_total", "Attempts that succeeded."},
        {PAWL_ON_RETRY, "pawl_retried_total",
         "Attempts that failed and are retried."},
        {PAWL_ON_ABORT, "pawl_failed_total",
         "Jobs that were out of attempts or abandons."},
        {PAWL_ON_TIMED_OUT, "pawl_timed_out_total",
         "Attempts that ran past their limit."},
        {PAWL_ON_RESCUED, "pawl_rescued_total",
         "Jobs taken from workers that died."},
        {PAWL_ON_CANCELLED, "pawl_cancelled_total",
         "Jobs cancelled by this process."},
    };
    pawl_queue *q;
    size_t i;

    for (i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        info_head(s, counters[i].name, "counter", counters[i].help);
        for (PAWL__EACH_QUEUE(store, q)) {
            info_sample(s, counters[i].name, q->name, NULL);
            pawl__str_printf(
                s, "%llu\n",
                (unsigned long long)atomic_load_explicit(
                    &q->events.n[pawl__event_index(counters[i].kind)],
                    memory_order_relaxed));
        }
    }
}

int
pawl_prometheus(pawl_store *store, pawl_write_fn write, void *user,
                pawl_error *err)
{
    struct info_rows rows = {NULL, 0, 0, false};
    struct pawl__str s = {0};
    int rc = pawl__check_store(store, err);

    if (rc == PAWL_OK && write == NULL)
        rc = pawl__fail(err, PAWL_INVALID, 0, "write is NULL");
    if (rc == PAWL_OK)
        rc = pawl_store_info(store, info_collect, &rows, err);
    if (rc == PAWL_OK) {
        info_jobs(&s, &rows);
        info_age(&s, &rows, pawl__wall_ms(&store->clock));
        info_counters(&s, store);
        if (s.failed || rows.failed)
            rc = pawl__fail_nomem(err);
        else
            (void)write(s.data, s.bytes, user);
    }
    pawl__str_clear(&s);
    pawl__free(rows.all);
    return rc;
}
