/* SPDX-License-Identifier: MIT */
/* gate.h - who runs alone.
 *
 * A job whose worker died while running it may have killed it: it runs alone
 * in its process, so that it can take no innocent neighbour along (promise 7).
 * Others go through together. One that wants to be alone is let in before
 * others that come later. */
#ifndef PAWL_ENGINE_GATE_H
#define PAWL_ENGINE_GATE_H

#include "base/thread.h"

struct pawl__gate {
    struct pawl__mutex mu;
    struct pawl__cond moved;
    int inside;        /* running together */
    int waiting_alone; /* want to be alone */
    bool alone;        /* one is */
};

void pawl__gate_init(struct pawl__gate *gate);
void pawl__gate_clear(struct pawl__gate *gate);
/* Enter, if that needs no waiting. */
bool pawl__gate_try(struct pawl__gate *gate, bool alone);
void pawl__gate_enter(struct pawl__gate *gate, bool alone);
void pawl__gate_leave(struct pawl__gate *gate, bool alone);

#endif
