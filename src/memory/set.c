/* SPDX-License-Identifier: MIT */
/* set.c - a treap: a search tree by order, a heap by random rank, and so of
 * logarithmic depth whatever comes in (Seidel and Aragon, 1996). */
#include "memory/set.h"

#include <stddef.h>

/* Cut a tree in two: below node, and above it. */
static void
set_split(pawl__node_order order, struct pawl__node *tree,
          const struct pawl__node *node, struct pawl__node **below,
          struct pawl__node **above)
{
    while (tree != NULL) {
        if (order(tree, node) < 0) {
            *below = tree;
            below = &tree->right;
            tree = tree->right;
        } else {
            *above = tree;
            above = &tree->left;
            tree = tree->left;
        }
    }
    *below = *above = NULL;
}

void
pawl__set_add(struct pawl__set *set, struct pawl__node *node, uint64_t rank)
{
    struct pawl__node **at = &set->root;

    node->rank = rank;
    while (*at != NULL && (*at)->rank >= rank)
        at = set->order(node, *at) < 0 ? &(*at)->left : &(*at)->right;
    set_split(set->order, *at, node, &node->left, &node->right);
    *at = node;
    set->n++;
}

void
pawl__set_remove(struct pawl__set *set, struct pawl__node *node)
{
    struct pawl__node **at = &set->root;
    struct pawl__node *a = node->left, *b = node->right;

    while (*at != node)
        at = set->order(node, *at) < 0 ? &(*at)->left : &(*at)->right;
    while (a != NULL && b != NULL) { /* join its two subtrees in its place */
        if (a->rank >= b->rank) {
            *at = a;
            at = &a->right;
            a = a->right;
        } else {
            *at = b;
            at = &b->left;
            b = b->left;
        }
    }
    *at = a != NULL ? a : b;
    node->left = node->right = NULL;
    set->n--;
}

struct pawl__node *
pawl__set_first(const struct pawl__set *set)
{
    struct pawl__node *n = set->root;

    while (n != NULL && n->left != NULL)
        n = n->left;
    return n;
}

struct pawl__node *
pawl__set_above(const struct pawl__set *set, const struct pawl__node *probe)
{
    struct pawl__node *n = set->root, *best = NULL;

    while (n != NULL) {
        if (set->order(n, probe) > 0) {
            best = n;
            n = n->left;
        } else {
            n = n->right;
        }
    }
    return best;
}

struct pawl__node *
pawl__set_below(const struct pawl__set *set, const struct pawl__node *probe)
{
    struct pawl__node *n = set->root, *best = NULL;

    while (n != NULL) {
        if (set->order(n, probe) < 0) {
            best = n;
            n = n->right;
        } else {
            n = n->left;
        }
    }
    return best;
}

struct pawl__node *
pawl__set_find(const struct pawl__set *set, const struct pawl__node *probe)
{
    struct pawl__node *n = set->root;
    int c;

    while (n != NULL && (c = set->order(probe, n)) != 0)
        n = c < 0 ? n->left : n->right;
    return n;
}
