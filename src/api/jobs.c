/* SPDX-License-Identifier: MIT */
/* jobs.c - look at jobs and change them. */
#include "api/check.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"

#define JOBS_PAGE 256 /* rows that one transaction of a list reads */

int
pawl_get(pawl_store *store, int64_t id, pawl_job_info **info, pawl_error *err)
{
    struct pawl__record *record = NULL;
    int rc = pawl__check_ptr(info, "info", err);

    if (rc != PAWL_OK)
        return rc;
    *info = NULL;
    rc = pawl__check_store(store, err);
    if (rc == PAWL_OK)
        rc = store->driver->get(store->self, id, &record, err);
    if (rc == PAWL_OK)
        *info = &record->info;
    return rc;
}

void
pawl_job_info_free(pawl_job_info *info)
{
    if (info != NULL)
        pawl__record_free(
            (struct pawl__record *)(void *)((char *)info -
                                            offsetof(struct pawl__record,
                                                     info)));
}

/* Hand one page to fn; true: it wants no more. Frees the page. */
static bool
jobs_hand_out(struct pawl__list *list, pawl_list_fn fn, void *user,
              pawl_filter *filter)
{
    bool ended = false;
    size_t i;

    for (i = 0; i < list->n_records; i++) {
        if (!ended)
            ended = fn(&list->records[i]->info, user) != 0;
        filter->after_id = list->records[i]->info.id;
        pawl__record_free(list->records[i]);
    }
    return ended;
}

int
pawl_list(pawl_store *store, const pawl_filter *filter, pawl_list_fn fn,
          void *user, pawl_error *err)
{
    struct pawl__record *page[JOBS_PAGE];
    struct pawl__list list;
    pawl_filter f;
    int64_t left;
    bool ended = false;
    int rc = pawl__check_store(store, err);

    if (rc == PAWL_OK && fn == NULL)
        rc = pawl__fail(err, PAWL_INVALID, 0, "fn is NULL");
    if (rc == PAWL_OK)
        rc = pawl__filter_check(filter, &f, err);
    if (rc != PAWL_OK)
        return rc;
    for (left = f.limit; rc == PAWL_OK && !ended && left > 0;) {
        f.limit = left < JOBS_PAGE ? left : JOBS_PAGE;
        memset(&list, 0, sizeof list);
        list.filter = &f;
        list.records = page;
        rc = store->driver->list(store->self, &list, err);
        if (rc != PAWL_OK)
            break;
        left -= (int64_t)list.n_records;
        if ((int64_t)list.n_records < f.limit)
            left = 0;
        ended = jobs_hand_out(&list, fn, user, &f);
    }
    return rc;
}

int
pawl_retry(pawl_store *store, int64_t id, pawl_error *err)
{
    int rc = pawl__check_store(store, err);

    if (rc == PAWL_OK)
        rc = store->driver->retry(store->self, id, err);
    if (rc == PAWL_OK)
        pawl__store_notify_all(store);
    return rc;
}

int
pawl_cancel(pawl_store *store, int64_t id, pawl_error *err)
{
    char name[65] = "";
    pawl_queue *q;
    pawl_event e;
    int rc = pawl__check_store(store, err);

    if (rc == PAWL_OK)
        rc = store->driver->cancel(store->self, id, name, err);
    if (rc != PAWL_OK)
        return rc;
    q = pawl__store_find(store, name);
    if (q == NULL)
        return PAWL_OK;
    if (q->consumer.enabled)
        pawl__consumer_cancel(&q->consumer, id);
    memset(&e, 0, sizeof e);
    e.struct_size = sizeof e;
    e.kind = PAWL_ON_CANCELLED;
    e.queue = q;
    e.job_id = id;
    pawl__emit(&q->events, &e);
    return PAWL_OK;
}

static int
jobs_move(pawl_store *store, enum pawl__move_kind kind, const char *queue,
          unsigned states, int64_t *n, pawl_error *err)
{
    struct pawl__move move;
    int rc = PAWL_OK;

    memset(&move, 0, sizeof move);
    move.kind = kind;
    move.queue = queue;
    move.states = states;
    move.more = true;
    while (rc == PAWL_OK && move.more) {
        rc = store->driver->move(store->self, &move, err);
        if (rc == PAWL_OK && n != NULL)
            *n += move.n;
    }
    return rc;
}

static int
jobs_check_move(pawl_store *store, const char *queue, unsigned states,
                unsigned allowed, int64_t *n, pawl_error *err)
{
    int rc = pawl__check_store(store, err);

    if (n != NULL)
        *n = 0;
    if (rc == PAWL_OK && queue != NULL)
        rc = pawl__name_check("queue", queue, 64, err);
    if (rc == PAWL_OK && (states == 0 || (states & ~allowed)))
        rc = pawl__fail(err, PAWL_INVALID, 0,
                        "states is %#x: give some of %#x, a mask of "
                        "pawl_state",
                        states, allowed);
    return rc;
}

int
pawl_reload(pawl_store *store, const char *queue, unsigned states, int64_t *n,
            pawl_error *err)
{
    int rc =
        jobs_check_move(store, queue, states,
                        PAWL_TIMEOUT | PAWL_FAILED | PAWL_CANCELLED, n, err);

    if (rc == PAWL_OK)
        rc = jobs_move(store, PAWL__MOVE_RELOAD, queue, states, n, err);
    if (rc == PAWL_OK)
        pawl__store_notify_all(store);
    return rc;
}

int
pawl_flush(pawl_store *store, const char *queue, unsigned states, int64_t *n,
           pawl_error *err)
{
    int rc = jobs_check_move(store, queue, states,
                             PAWL_ANY_STATE & ~(unsigned)PAWL_RESERVED, n, err);

    return rc == PAWL_OK
               ? jobs_move(store, PAWL__MOVE_FLUSH, queue, states, n, err)
               : rc;
}
