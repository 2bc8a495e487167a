/* SPDX-License-Identifier: MIT */
/* checkpoint.h - our own checkpoints, never automatic. */
#ifndef PAWL_SQLITE_CHECKPOINT_H
#define PAWL_SQLITE_CHECKPOINT_H

#include "sqlite/store.h"

/* All with write_mu held and no transaction open. */
void pawl__checkpoint_if_due(struct pawl__sqlite *s);
void pawl__checkpoint_locked(struct pawl__sqlite *s);

#endif
