/* SPDX-License-Identifier: MIT */
/* listen.c - listeners, subscribers, the gauge; synchronous dispatch. */
#include "api/check.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

int
pawl_listen(pawl_queue *queue, const char *type, pawl_listener listener,
            void *user, pawl_error *err)
{
    int rc = pawl__check_queue(queue, err);

    if (rc == PAWL_OK && type != NULL)
        rc = pawl__name_check("type", type, 128, err);
    if (rc == PAWL_OK && listener == NULL)
        rc = pawl__fail(err, PAWL_INVALID, 0, "listener is NULL");
    if (rc == PAWL_OK)
        rc = pawl__check_stopped(queue->store, "pawl_listen", err);
    if (rc != PAWL_OK)
        return rc;
    pawl__lock(&queue->store->mu);
    rc = pawl__dispatcher_add(&queue->dispatcher, type, listener, user, err);
    pawl__unlock(&queue->store->mu);
    return rc;
}

int
pawl_subscribe(pawl_queue *queue, unsigned events, pawl_event_fn fn, void *user,
               pawl_error *err)
{
    struct pawl__subscriber *s, **last;
    int rc = pawl__check_queue(queue, err);

    if (rc == PAWL_OK && fn == NULL)
        rc = pawl__fail(err, PAWL_INVALID, 0, "fn is NULL");
    if (rc == PAWL_OK && (events == 0 || (events & ~(unsigned)PAWL_ON_ALL)))
        rc =
            pawl__fail(err, PAWL_INVALID, 0,
                       "events is %#x: give a mask of pawl_event_kind", events);
    if (rc == PAWL_OK)
        rc = pawl__check_stopped(queue->store, "pawl_subscribe", err);
    if (rc != PAWL_OK)
        return rc;
    s = pawl__calloc(1, sizeof *s);
    if (s == NULL)
        return pawl__fail_nomem(err);
    s->mask = events;
    s->fn = fn;
    s->user = user;
    pawl__lock(&queue->store->mu);
    for (last = &queue->events.first; *last != NULL; last = &(*last)->next)
        ;
    *last = s;
    queue->events.mask |= events;
    pawl__unlock(&queue->store->mu);
    return PAWL_OK;
}

int
pawl_gauge(pawl_store *store, int64_t interval_ms, pawl_gauge_fn fn, void *user,
           pawl_error *err)
{
    int rc = pawl__check_store(store, err);

    if (rc == PAWL_OK)
        rc = pawl__check_range("interval_ms", interval_ms, 0, 86400000, err);
    if (rc == PAWL_OK)
        rc = pawl__check_stopped(store, "pawl_gauge", err);
    if (rc != PAWL_OK)
        return rc;
    pawl__lock(&store->mu);
    store->gauge = fn;
    store->gauge_user = user;
    store->gauge_ms = interval_ms;
    pawl__unlock(&store->mu);
    return PAWL_OK;
}

int
pawl_dispatch(pawl_queue *queue, const pawl_job *job, pawl_error *err)
{
    struct pawl__new_job checked;
    pawl_settings settings;
    pawl_attempt a;
    pawl_job ours;
    pawl_store *s;
    int rc = pawl__check_queue(queue, err);

    if (rc == PAWL_OK)
        rc = pawl__check_ptr(job, "job", err);
    if (rc != PAWL_OK)
        return rc;
    s = queue->store;
    rc = pawl__job_check(job, s->options.max_payload_bytes,
                         pawl__wall_ms(&s->clock), &checked, err);
    if (rc == PAWL_OK)
        rc = pawl__sized_copy(&ours, sizeof ours, job, "job", err);
    if (rc == PAWL_OK)
        rc = s->driver->settings(s->self, queue->name, &settings, err);
    if (rc != PAWL_OK)
        return rc;
    pawl__job_fill(&ours, &settings);
    pawl__attempt_init(&a, queue, &s->clock, NULL, ours.timeout_ms);
    rc = pawl__dispatcher_run(&queue->dispatcher, &a, &ours);
    if (rc != 0 && a.reason[0] != '\0')
        (void)pawl__fail(err, rc, 0, "%s", a.reason);
    else if (rc != 0)
        (void)pawl__fail(err, rc, 0, "listener returned %d", rc);
    pawl__attempt_clear(&a);
    return rc;
}
