/* SPDX-License-Identifier: MIT */
/* alloc.c - every malloc of the library.
 *
 * The fault seam exists in test builds only: one counter for the process, so
 * that a test can fail each allocation in turn. */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#ifdef PAWL_TESTING
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

static _Atomic long alloc_count;
static _Atomic long alloc_live; /* blocks not freed yet */
static _Atomic long alloc_fail; /* fails at this count; 0: never */
static _Atomic int alloc_fail_on;

long
pawl__alloc_fail_at(long n, int for_ever)
{
    long made = atomic_exchange(&alloc_count, 0);

    atomic_store(&alloc_fail_on, for_ever);
    atomic_store(&alloc_fail, n);
    return made;
}

long
pawl__alloc_live(void)
{
    return atomic_load(&alloc_live);
}

static void *
alloc_counted(void *block)
{
    if (block != NULL)
        atomic_fetch_add(&alloc_live, 1);
    return block;
}

static bool
alloc_fails(void)
{
    long now = atomic_fetch_add(&alloc_count, 1) + 1;
    long at = atomic_load(&alloc_fail);

    return at > 0 && (now == at || (now > at && atomic_load(&alloc_fail_on)));
}
#else
#define alloc_fails() 0
#define alloc_counted(block_) (block_)
#endif

void *
pawl__malloc(size_t bytes)
{
    return alloc_fails() ? NULL : alloc_counted(malloc(bytes));
}

void *
pawl__calloc(size_t n, size_t size)
{
    return alloc_fails() ? NULL : alloc_counted(calloc(n, size));
}

void *
pawl__realloc(void *block, size_t n, size_t size)
{
    if (size != 0 && n > (size_t)-1 / size)
        return NULL;
    if (alloc_fails())
        return NULL;
    return block == NULL ? alloc_counted(malloc(n * size))
                         : realloc(block, n * size);
}

char *
pawl__strdup(const char *s)
{
    size_t bytes;
    char *copy;

    if (s == NULL)
        return NULL;
    bytes = strlen(s) + 1;
    copy = pawl__malloc(bytes);
    if (copy != NULL)
        memcpy(copy, s, bytes);
    return copy;
}

void
pawl__free(void *block)
{
#ifdef PAWL_TESTING
    if (block != NULL)
        atomic_fetch_sub(&alloc_live, 1);
#endif
    free(block);
}

void
pawl__free_foreign(void *block)
{
    free(block);
}
