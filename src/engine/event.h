/* SPDX-License-Identifier: MIT */
/* event.h - tell subscribers, and count. */
#ifndef PAWL_ENGINE_EVENT_H
#define PAWL_ENGINE_EVENT_H

#include <stdatomic.h>

#include "pawl.h"

struct pawl__subscriber {
    unsigned mask;
    pawl_event_fn fn;
    void *user;
    struct pawl__subscriber *next;
};

#define PAWL__N_EVENTS 8 /* bits of enum pawl_event_kind */

/* A queue's subscribers, fixed once the store was started, and how often each
 * kind of event happened in this process. */
struct pawl__events {
    struct pawl__subscriber *first;
    unsigned mask; /* all that anybody wants */
    _Atomic uint64_t n[PAWL__N_EVENTS];
};

/* 0..PAWL__N_EVENTS-1: the index of a kind in n[]. */
int pawl__event_index(int kind);
/* Count event->kind, and call who wants it. Without locks held. */
void pawl__emit(struct pawl__events *events, const pawl_event *event);
void pawl__events_clear(struct pawl__events *events);

#endif
