/* SPDX-License-Identifier: MIT */
/* alloc.h - every malloc of the library goes through here. */
#ifndef PAWL_BASE_ALLOC_H
#define PAWL_BASE_ALLOC_H

#include <stddef.h>

/* bytes > 0; NULL when out of memory. Freed by pawl__free(). */
void *pawl__malloc(size_t bytes);
/* n * size zeroed bytes, NULL also when the product overflows. */
void *pawl__calloc(size_t n, size_t size);
/* Room for n * size bytes; on NULL the old block is untouched. */
void *pawl__realloc(void *block, size_t n, size_t size);
/* A copy of s, or NULL when s is NULL or memory is out. */
char *pawl__strdup(const char *s);
void pawl__free(void *block); /* NULL allowed */
/* A block that a program's codec made with malloc(). */
void pawl__free_foreign(void *block);

#ifdef PAWL_TESTING
/* The fault seam: the nth allocation from now on fails (1 is the next); once,
 * or with for_ever all later ones too. n = 0 disarms. Process-wide; only in
 * test builds. Returns how many allocations were made since the last call. */
long pawl__alloc_fail_at(long n, int for_ever);
/* Blocks that were allocated and not freed yet. */
long pawl__alloc_live(void);
#endif

#endif
