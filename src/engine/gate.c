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

static bool
gate_is_open(const struct pawl__gate *gate, bool alone)
{
    if (gate->alone)
        return false;
    return alone ? gate->inside == 0 : gate->waiting_alone == 0;
}

static void
gate_let_in(struct pawl__gate *gate, bool alone)
{
    if (alone)
        gate->alone = true;
    else
        gate->inside++;
}

bool
pawl__gate_try(struct pawl__gate *gate, bool alone)
{
    bool open;

    pawl__lock(&gate->mu);
    open = gate_is_open(gate, alone);
    if (open)
        gate_let_in(gate, alone);
    pawl__unlock(&gate->mu);
    return open;
}

void
pawl__gate_enter(struct pawl__gate *gate, bool alone)
{
    pawl__lock(&gate->mu);
    gate->waiting_alone += alone;
    while (!gate_is_open(gate, alone))
        pawl__cond_wait(&gate->moved, &gate->mu);
    gate->waiting_alone -= alone;
    gate_let_in(gate, alone);
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
