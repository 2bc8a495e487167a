/* SPDX-License-Identifier: MIT */
/* children.h - processes that take part in a round: forked before anything of
 * the store is open here, started together, each with a result of its own. */
#ifndef PAWL_BENCH_CHILDREN_H
#define PAWL_BENCH_CHILDREN_H

#include "side.h"

#define CHILDREN_MAX 16

struct child {
    pid_t pid;
    int fd; /* a socket: bytes to it, bytes from it */
};

/* Fork; run(fd, user) is the child's life. */
void child_start(struct child *child, void (*run)(int fd, void *user),
                 void *user);
/* Exactly so many bytes, or exit. */
void child_write(int fd, const void *bytes, size_t n);
void child_read(int fd, void *bytes, size_t n);
/* Like child_read(); false: the other side has closed. */
bool child_hear(int fd, void *bytes, size_t n);
/* Close the socket and wait for its end, which must be a good one. */
void child_end(struct child *child);

#endif
