/* SPDX-License-Identifier: MIT */
/* rig.h - processes that are killed, or that work beside each other. */
#ifndef PAWL_TESTS_RIG_H
#define PAWL_TESTS_RIG_H

#include <sys/types.h>

#include "api/kit.h"

/* A process that runs fn(arg) and ends with what it returns. It dies with its
 * parent. No ck_assert in it: return a number instead. */
pid_t rig_fork(int (*fn)(void *arg), void *arg);
/* Its status as of waitpid(), with a deadline that fails the test. */
int rig_wait(pid_t pid);
/* It must have ended with 0. */
void rig_wait_ok(pid_t pid);
void rig_kill(pid_t pid); /* SIGKILL, and wait */
/* Zeroed memory that later processes share. */
void *rig_shared(size_t bytes);
/* A store of a process on the real clock, or NULL. */
pawl_store *rig_open(const char *url);

#endif
