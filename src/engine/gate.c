/* SPDX-License-Identifier: MIT */
/* gate.c - who runs alone. */
#include "engine/gate.h"

void
pawl__gate_init(struct pawl__gate *gate)
{
    pawl__mutex_init(&gate->mu, PAWL__RANK_GATE);
    pawl__cond_init(&gate->moved);
    gate->inside = gate->waiting_alone = 0;
    gate->alone = false;
}

void
pawl__gate_clear(struct pawl__gate *gate)
{
    pawl__cond_clear(&gate->moved);
    pawl__mutex_clear(&gate->mu);
}

void
pawl__gate_enter(struct pawl__gate *gate, bool alone)
{
    pawl__lock(&gate->mu);
    if (alone) {
        gate->waiting_alone++;
        while (gate->alone || gate->inside > 0)
            pawl__cond_wait(&gate->moved, &gate->mu);
        gate->waiting_alone--;
        gate->alone = true;
    } else {
        while (gate->alone || gate->waiting_alone > 0)
            pawl__cond_wait(&gate->moved, &gate->mu);
        gate->inside++;
    }
    pawl__unlock(&gate->mu);
}

void
pawl__gate_leave(struct pawl__gate *gate, bool alone)
{
    bool wake;

    pawl__lock(&gate->mu);
    if (alone)
        gate->alone = false;
    else
        gate->inside--;
    wake = alone || (gate->inside == 0 && gate->waiting_alone > 0);
    pawl__unlock(&gate->mu);
    if (wake)
        pawl__cond_broadcast(&gate->moved);
}
