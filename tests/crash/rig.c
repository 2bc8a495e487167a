/* SPDX-License-Identifier: MIT */
/* rig.c - processes that are killed. */
#include "crash/rig.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t
rig_fork(int (*fn)(void *arg), void *arg)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        support_exit(fn(arg));
    }
    return pid;
}

int
rig_wait(pid_t pid)
{
    int64_t until = support_now_ms() + SUPPORT_DEADLINE_MS;
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) != pid) {
        if (support_now_ms() > until) {
            (void)kill(pid, SIGKILL);
            ck_abort_msg("process %ld did not end", (long)pid);
        }
        (void)poll(NULL, 0, 1);
    }
    return status;
}

void
rig_wait_ok(pid_t pid)
{
    int status = rig_wait(pid);

    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}

void
rig_kill(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert(WIFSIGNALED(rig_wait(pid)));
}

void *
rig_shared(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(p, MAP_FAILED);
    return p;
}

pawl_store *
rig_open(const char *url)
{
    pawl_store *store = NULL;

    return pawl_open(url, NULL, &store, NULL) == PAWL_OK ? store : NULL;
}
