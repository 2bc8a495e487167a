/* SPDX-License-Identifier: MIT */
/* side.c - see side.h. */
#include "side.h"

#include <stdio.h>
#include <unistd.h>

const char *
side_program(const char *name)
{
    static const char *const dirs[] = {"/usr/bin", "/usr/sbin",
                                       "/usr/local/bin"};
    char path[256];
    size_t i;

    for (i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dirs[i], name);
        if (access(path, X_OK) == 0)
            return dirs[i];
    }
    return NULL;
}

void *
side_base(const struct setup *setup, struct bench *b, const struct side *side,
          size_t bytes)
{
    struct store *store = bench_alloc(1, bytes);

    store->bench = b;
    store->side = side;
    store->setup = setup;
    bench_new_path(b, store->path);
    return store;
}

struct pusher *
side_pusher(struct store *store, told_fn told, void *user)
{
    struct pusher *p = store->side->pusher_open(store);

    p->store = store;
    p->told = told;
    p->user = user;
    return p;
}
