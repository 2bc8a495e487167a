/* SPDX-License-Identifier: MIT */
/* queue.c - a named line of jobs in a store. */
#include "engine/queue.h"

#include <string.h>

#include "base/alloc.h"

pawl_queue *
pawl__queue_new(pawl_store *store, const char *name)
{
    pawl_queue *q = pawl__calloc(1, sizeof *q);

    if (q == NULL)
        return NULL;
    q->store = store;
    memcpy(q->name, name, strlen(name) + 1); /* checked: 64 bytes at most */
    pawl__dispatcher_init(&q->dispatcher);
    pawl__consumer_init(&q->consumer, q);
    return q;
}

void
pawl__queue_free(pawl_queue *q)
{
    pawl__consumer_clear(&q->consumer);
    pawl__events_clear(&q->events);
    pawl__dispatcher_clear(&q->dispatcher);
    pawl__free(q);
}
