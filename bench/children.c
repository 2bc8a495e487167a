/* SPDX-License-Identifier: MIT */
/* children.c - see children.h. */
#include "children.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_LIMIT_S 600 /* nothing takes longer */

void
child_start(struct child *child, void (*run)(int fd, void *user), void *user)
{
    const struct timeval limit = {CHILD_LIMIT_S, 0};
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        bench_die("socketpair: %s", strerror(errno));
    (void)setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)fflush(stdout);
    child->pid = fork();
    if (child->pid < 0)
        bench_die("fork: %s", strerror(errno));
    if (child->pid == 0) {
        (void)close(fds[0]);
        bench_in_child();
        run(fds[1], user);
        _exit(0);
    }
    (void)close(fds[1]);
    child->fd = fds[0];
}

void
child_write(int fd, const void *bytes, size_t n)
{
    if (send(fd, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
        bench_die("the other process is gone");
}

bool
child_hear(int fd, void *bytes, size_t n)
{
    return recv(fd, bytes, n, MSG_WAITALL) == (ssize_t)n;
}

void
child_read(int fd, void *bytes, size_t n)
{
    if (!child_hear(fd, bytes, n))
        bench_die("the other process is gone");
}

void
child_end(struct child *child)
{
    int status;

    (void)close(child->fd);
    if (waitpid(child->pid, &status, 0) != child->pid || status != 0)
        bench_die("WRONG RESULT: the other process did not end well");
}
