/* SPDX-License-Identifier: MIT */
/* shrink.h - give free pages back to the disk. */
#ifndef PAWL_SQLITE_SHRINK_H
#define PAWL_SQLITE_SHRINK_H

#include "sqlite/store.h"

/* Called with no lock held, by whoever sweeps: a bounded part of the work, if
 * there is any. Errors are left to the next call. */
void pawl__shrink(struct pawl__sqlite *s);

#ifdef PAWL_TESTING
/* Shrink from so many free pages on; 0: as usual. */
extern int64_t pawl__shrink_from;
#endif

#endif
