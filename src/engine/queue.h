/* SPDX-License-Identifier: MIT */
/* queue.h - a named line of jobs in a store, as this process uses it. */
#ifndef PAWL_ENGINE_QUEUE_H
#define PAWL_ENGINE_QUEUE_H

#include "engine/consumer.h"
#include "engine/dispatcher.h"
#include "engine/event.h"

struct pawl_queue {
    pawl_store *store;
    char name[65];
    struct pawl__dispatcher dispatcher; /* fixed while started */
    struct pawl__events events;         /* likewise */
    struct pawl__consumer consumer;     /* its pool, when it has listeners */
    int64_t gauge_at_ms;                /* monotonic; the timer's own */
    struct pawl_queue *next;            /* under the store's mu; only grows */
};

/* NULL when memory is out. */
pawl_queue *pawl__queue_new(pawl_store *store, const char *name);
void pawl__queue_free(pawl_queue *queue);

#endif
