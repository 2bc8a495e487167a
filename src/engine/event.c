/* SPDX-License-Identifier: MIT */
/* event.c - tell subscribers, and count. */
#include "engine/event.h"

#include "base/alloc.h"

int
pawl__event_index(int kind)
{
    int i = 0;

    while (i < PAWL__N_EVENTS - 1 && (kind >> i) != 1)
        i++;
    return i;
}

void
pawl__emit(struct pawl__events *events, const pawl_event *event)
{
    const struct pawl__subscriber *s;

    /* Relaxed: a count that is only read for people. */
    atomic_fetch_add_explicit(&events->n[pawl__event_index(event->kind)], 1,
                              memory_order_relaxed);
    if ((events->mask & (unsigned)event->kind) == 0)
        return;
    for (s = events->first; s != NULL; s = s->next)
        if (s->mask & (unsigned)event->kind)
            s->fn(event, s->user);
}

void
pawl__events_clear(struct pawl__events *events)
{
    struct pawl__subscriber *s;

    while ((s = events->first) != NULL) {
        events->first = s->next;
        pawl__free(s);
    }
}
