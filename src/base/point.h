/* SPDX-License-Identifier: MIT */
/* point.h - named stop points between the steps of the library's work.
 *
 * Only in test builds, where a hook may kill or hold the process at one of
 * them; elsewhere they are nothing. A name is "module: what has just been
 * done". */
#ifndef PAWL_BASE_POINT_H
#define PAWL_BASE_POINT_H

#ifdef PAWL_TESTING
typedef void (*pawl__point_fn)(const char *name);

/* NULL: no hook. Process-wide; set it before threads start. */
void pawl__point_hook(pawl__point_fn fn);
void pawl__point(const char *name);
#else
#define pawl__point(name_) ((void)0)
#endif

#endif
