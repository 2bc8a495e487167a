/* SPDX-License-Identifier: MIT */
/* promise.c - what the tests of the promises share. */
#include "promise.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define err p->err /* what ok() reports */

static void
promise_open_store(struct promise *p)
{
    ok(pawl_open(p->url, &p->options, &p->store, &err));
    ok(pawl_queue_open(p->store, "q", &p->queue, &err));
}

void
promise_open(struct promise *p, bool fake)
{
    memset(p, 0, sizeof *p);
    support_folder_make(&p->folder);
    support_clock_init(&p->clock);
    p->url = p->folder.store;
    p->options.struct_size = sizeof p->options;
    if (fake)
        p->options.clock = &p->clock.clock;
    promise_open_store(p);
}

void
promise_reopen(struct promise *p)
{
    pawl_close(p->store);
    promise_open_store(p);
}

void
promise_close(struct promise *p)
{
    pawl_close(p->store);
    support_folder_remove(&p->folder);
}

int64_t
promise_push(struct promise *p, const char *payload)
{
    pawl_job job = PAWL_JOB("t", payload, strlen(payload));
    int64_t id = 0;

    ok(pawl_push(p->queue, &job, &id, &err));
    return id;
}

pawl_job_info *
promise_get(struct promise *p, int64_t id)
{
    pawl_job_info *info = NULL;
    int rc = pawl_get(p->store, id, &info, &err);

    if (rc != PAWL_NOT_FOUND)
        ok(rc);
    return info;
}

int
promise_state(struct promise *p, int64_t id)
{
    pawl_job_info *info = promise_get(p, id);
    int state = info != NULL ? info->state : 0;

    pawl_job_info_free(info);
    return state;
}

pawl_info
promise_info(struct promise *p)
{
    pawl_info info;

    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    ok(pawl_queue_info(p->queue, &info, &err));
    return info;
}

pid_t
promise_fork(struct promise *p, void (*body)(struct promise *))
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        promise_open_store(p);
        body(p);
        _exit(0);
    }
    return pid;
}

void
promise_kill(pid_t pid)
{
    int status;

    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
}

int
promise_reap(pid_t pid)
{
    int status = 0;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

_Atomic long *
promise_shared(size_t n)
{
    void *memory = mmap(NULL, n * sizeof(_Atomic long), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    return memory;
}
