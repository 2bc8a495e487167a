/* SPDX-License-Identifier: MIT */
/* work.h - the workloads; each file says what its numbers are, and are not. */
#ifndef PAWL_BENCH_WORK_H
#define PAWL_BENCH_WORK_H

#include "race.h"

void work_limits(struct bench *b);
void work_push(struct bench *b);       /* W1 */
void work_relaxed(struct bench *b);    /* W2 */
void work_many(struct bench *b);       /* W3 */
void work_drain(struct bench *b);      /* W4 */
void work_mix(struct bench *b);        /* W5 */
void work_wake(struct bench *b);       /* W6 */
void work_backlog(struct bench *b);    /* W7 */
void work_room(struct bench *b);       /* W8 */
void work_checkpoint(struct bench *b); /* W9 */
void work_open(struct bench *b);       /* W10 */

#endif
