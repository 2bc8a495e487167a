/* SPDX-License-Identifier: MIT */
/* point.c - named stop points, in test builds. */
#include "base/point.h"

#ifdef PAWL_TESTING
#include <stdatomic.h>
#include <stddef.h>

static _Atomic(pawl__point_fn) point_hook;

void
pawl__point_hook(pawl__point_fn fn)
{
    atomic_store(&point_hook, fn);
}

void
pawl__point(const char *name)
{
    pawl__point_fn fn = atomic_load(&point_hook);

    if (fn != NULL)
        fn(name);
}
#else
typedef int pawl__point_none; /* a source file must not be empty */
#endif
