/* SPDX-License-Identifier: MIT */
/* queue.c - queues and their settings. */
#include "api/check.h"

#include <string.h>

int
pawl_queue_open(pawl_store *store, const char *name, pawl_queue **queue,
                pawl_error *err)
{
    int rc = pawl__check_ptr(queue, "queue", err);

    if (rc != PAWL_OK)
        return rc;
    *queue = NULL;
    rc = pawl__check_store(store, err);
    if (rc == PAWL_OK)
        rc = pawl__name_check("queue name", name, 64, err);
    return rc == PAWL_OK ? pawl__store_queue(store, name, queue, err) : rc;
}

const char *
pawl_queue_name(const pawl_queue *queue)
{
    return queue != NULL ? queue->name : NULL;
}

pawl_store *
pawl_queue_store(const pawl_queue *queue)
{
    return queue != NULL ? queue->store : NULL;
}

/* Copy our struct into the caller's, which may be of another release. */
static void
queue_copy_out(void *theirs, size_t their_size, const void *ours,
               size_t our_size)
{
    size_t n = their_size < our_size ? their_size : our_size;

    memset(theirs, 0, their_size);
    memcpy(theirs, ours, n);
    memcpy(theirs, &their_size, sizeof their_size);
}

static int
queue_check_size(size_t size, const char *what, pawl_error *err)
{
    if (size > sizeof size && size <= 4096)
        return PAWL_OK;
    return pawl__fail(err, PAWL_INVALID, 0,
                      "%s->struct_size is %zu: set it to sizeof *%s", what,
                      size, what);
}

int
pawl_queue_settings(pawl_queue *queue, pawl_settings *settings, pawl_error *err)
{
    pawl_settings ours;
    int rc = pawl__check_queue(queue, err);

    if (rc == PAWL_OK)
        rc = pawl__check_ptr(settings, "settings", err);
    if (rc == PAWL_OK)
        rc = queue_check_size(settings->struct_size, "settings", err);
    if (rc == PAWL_OK)
        rc = queue->store->driver->settings(queue->store->self, queue->name,
                                            &ours, err);
    if (rc == PAWL_OK)
        queue_copy_out(settings, settings->struct_size, &ours, sizeof ours);
    return rc;
}

/* Floor and ceiling must stay in order, whichever is set. */
static int
queue_check_backoff(pawl_queue *queue, const struct pawl__setting *field,
                    int64_t value, pawl_error *err)
{
    pawl_settings s;
    int rc = queue->store->driver->settings(queue->store->self, queue->name, &s,
                                            err);

    if (rc != PAWL_OK)
        return rc;
    pawl__setting_put(&s, field, value);
    if (s.backoff_ceiling_ms >= s.backoff_floor_ms)
        return PAWL_OK;
    return pawl__fail(err, PAWL_INVALID, 0,
                      "backoff_ceiling_ms (%lld) would be below "
                      "backoff_floor_ms (%lld): set the other one first",
                      (long long)s.backoff_ceiling_ms,
                      (long long)s.backoff_floor_ms);
}

int
pawl_queue_set(pawl_queue *queue, const char *name, const char *value,
               pawl_error *err)
{
    const struct pawl__setting *field;
    int64_t number = 0;
    int rc = pawl__check_queue(queue, err);

    if (rc == PAWL_OK)
        rc = pawl__check_ptr(name, "name", err);
    if (rc == PAWL_OK)
        rc = pawl__check_ptr(value, "value", err);
    if (rc != PAWL_OK)
        return rc;
    field = pawl__setting_find(name);
    if (field == NULL)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "there is no setting named %.64s: see "
                          "pawl_settings for their names",
                          name);
    rc = pawl__setting_parse(field, value, &number, err);
    if (rc == PAWL_OK)
        rc = queue_check_backoff(queue, field, number, err);
    if (rc == PAWL_OK)
        rc = queue->store->driver->set(queue->store->self, queue->name, field,
                                       number, strcmp(value, "default") == 0,
                                       err);
    if (rc == PAWL_OK && queue->consumer.enabled)
        pawl__consumer_notify(&queue->consumer);
    return rc;
}

/* ------------------------------------------------------------------- info */

int
pawl_queue_info(pawl_queue *queue, pawl_info *info, pawl_error *err)
{
    pawl_info ours;
    int rc = pawl__check_queue(queue, err);

    if (rc == PAWL_OK)
        rc = pawl__check_ptr(info, "info", err);
    if (rc == PAWL_OK)
        rc = queue_check_size(info->struct_size, "info", err);
    if (rc != PAWL_OK)
        return rc;
    memset(&ours, 0, sizeof ours);
    rc =
        queue->store->driver->info(queue->store->self, queue->name, &ours, err);
    if (rc == PAWL_OK)
        queue_copy_out(info, info->struct_size, &ours, sizeof ours);
    return rc;
}
