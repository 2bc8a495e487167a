/* SPDX-License-Identifier: MIT */
/* set.h - an ordered set of things that carry their own node (a treap).
 *
 * Expected cost of each call: the logarithm of the set's size. */
#ifndef PAWL_MEMORY_SET_H
#define PAWL_MEMORY_SET_H

#include <stdint.h>

struct pawl__node {
    struct pawl__node *left, *right;
    uint64_t rank; /* random; a parent's is not below its children's */
};

/* Negative, 0, positive: the order. */
typedef int (*pawl__node_order)(const struct pawl__node *a,
                                const struct pawl__node *b);

struct pawl__set {
    struct pawl__node *root;
    pawl__node_order order;
    uint64_t n;
};

/* node must not be in a set, nor an equal one in this. rank is random. */
void pawl__set_add(struct pawl__set *set, struct pawl__node *node,
                   uint64_t rank);
/* node must be in the set. */
void pawl__set_remove(struct pawl__set *set, struct pawl__node *node);
/* The least; NULL when empty. */
struct pawl__node *pawl__set_first(const struct pawl__set *set);
/* The least that is above probe, which need not be in the set. */
struct pawl__node *pawl__set_above(const struct pawl__set *set,
                                   const struct pawl__node *probe);
/* The greatest that is below probe. */
struct pawl__node *pawl__set_below(const struct pawl__set *set,
                                   const struct pawl__node *probe);
/* The one equal to probe, or NULL. */
struct pawl__node *pawl__set_find(const struct pawl__set *set,
                                  const struct pawl__node *probe);

#endif
