/* SPDX-License-Identifier: MIT */
/* test_set.c - the treap, against a plain array. */
#include "lib/support.h"

#include "base/rng.h"
#include "memory/set.h"

#define SET_N 500

struct item {
    struct pawl__node node; /* first: a node is its item */
    int value;
    bool in;
};

static struct item items[SET_N];

static int
compare(const struct pawl__node *a, const struct pawl__node *b)
{
    int x = ((const struct item *)(const void *)a)->value;
    int y = ((const struct item *)(const void *)b)->value;

    return x < y ? -1 : x > y;
}

static const struct pawl__node *
nearest(int from, int step)
{
    int i;

    for (i = from + step; i >= 0 && i < SET_N; i += step)
        if (items[i].in)
            return &items[i].node;
    return NULL;
}

START_TEST(a_set_agrees_with_an_array)
{
    struct pawl__set set = {NULL, compare, 0};
    struct pawl__rng rng;
    uint64_t n = 0;
    int i, step;

    pawl__rng_seed(&rng);
    for (i = 0; i < SET_N; i++)
        items[i].value = i;
    for (step = 0; step < 20000; step++) {
        i = (int)pawl__rng_range(&rng, 0, SET_N - 1);
        if (items[i].in)
            pawl__set_remove(&set, &items[i].node);
        else
            pawl__set_add(&set, &items[i].node, pawl__rng_next(&rng));
        items[i].in = !items[i].in;
        n += items[i].in ? 1 : (uint64_t)-1;
        ck_assert_uint_eq(set.n, n);
        ck_assert_ptr_eq(pawl__set_first(&set), nearest(-1, 1));
        ck_assert_ptr_eq(pawl__set_above(&set, &items[i].node), nearest(i, 1));
        ck_assert_ptr_eq(pawl__set_below(&set, &items[i].node), nearest(i, -1));
        ck_assert_ptr_eq(pawl__set_find(&set, &items[i].node),
                         items[i].in ? &items[i].node : NULL);
    }
}
END_TEST

static void
add(Suite *suite)
{
    TCase *tc = tcase_create("set");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_set_agrees_with_an_array);
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    return support_main("set", add);
}
