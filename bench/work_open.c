/* SPDX-License-Identifier: MIT */
/* work_open.c - W10: how long does it take to open a store with many jobs, and
 * until its first job runs? "cold": the file's pages are not in memory. The
 * ratio is to the smallest store, warm: how many times longer it takes. */
#include "table.h"
#include "work.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OPEN_PAYLOAD 100
#define OPEN_LIMIT_MS 60000
#define OPEN_FIRST_LIMIT_S 60

struct open_store {
    char path[BENCH_PATH_MAX];
    char name[48];
    bool cold;
    const struct open_store *warm;
};

struct open_first {
    pthread_mutex_t mu;
    pthread_cond_t came;
    int64_t ns;
};

static const struct metric open_metrics[] = {
    {"open ms", true}, {"first job ms", true}, {NULL, false}};

static int
open_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct open_first *f = user;
    int64_t now = bench_now_ns();

    (void)attempt;
    (void)job;
    (void)pthread_mutex_lock(&f->mu);
    if (f->ns == 0)
        f->ns = now;
    (void)pthread_cond_signal(&f->came);
    (void)pthread_mutex_unlock(&f->mu);
    return 0;
}

static void
open_forget_pages(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)fdatasync(fd);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    (void)close(fd);
}

static void
open_run(struct bench *b, const struct entry *entry, void *user, double *values)
{
    const struct open_store *s = entry->with;
    const char *path = s->warm != NULL ? s->warm->path : s->path;
    struct open_first first = {.mu = PTHREAD_MUTEX_INITIALIZER,
                               .came = PTHREAD_COND_INITIALIZER};
    pawl_store *store;
    pawl_queue *queue;
    pawl_error err;
    int64_t began;

    (void)b;
    (void)user;
    if (s->cold)
        open_forget_pages(path);
    began = bench_now_ns();
    bench_ok(pawl_open(path, NULL, &store, &err), "open", &err);
    bench_ok(pawl_queue_open(store, BENCH_QUEUE, &queue, &err), "queue", &err);
    values[0] = (double)(bench_now_ns() - began) / 1e6;
    bench_ok(pawl_listen(queue, BENCH_TYPE, open_listener, &first, &err),
             "listen", &err);
    bench_ok(pawl_start(store, &err), "start", &err);
    (void)pthread_mutex_lock(&first.mu);
    while (first.ns == 0)
        (void)pthread_cond_wait(&first.came, &first.mu);
    (void)pthread_mutex_unlock(&first.mu);
    values[1] = (double)(first.ns - began) / 1e6;
    bench_ok(pawl_stop(store, OPEN_LIMIT_MS, &err), "stop", &err);
    pawl_close(store);
}

static void
open_make(struct bench *b, struct open_store *pair, const char *size, long n)
{
    pair[0] = (struct open_store){.cold = false};
    pair[1] = (struct open_store){.cold = true, .warm = &pair[0]};
    (void)snprintf(pair[0].name, sizeof pair[0].name, "pawl, %s", size);
    (void)snprintf(pair[1].name, sizeof pair[1].name, "pawl, %s, cold", size);
    bench_new_path(b, pair[0].path);
    table_create(b, pair[0].path, OPEN_PAYLOAD, 0);
    table_fill(pair[0].path, "waiting", BENCH_TYPE, OPEN_PAYLOAD, n);
}

void
work_open(struct bench *b)
{
    struct open_store stores[4]; /* small and large, each warm and cold */
    struct race race = {.workload = "W10",
                        .name = "open",
                        .rounds = bench_rounds(b, 5),
                        .metrics = open_metrics,
                        .run = open_run};
    int i;

    open_make(b, &stores[0], "100 thousand", 100000);
    if (b->longer)
        open_make(b, &stores[2], "10 million", 10000000);
    else
        open_make(b, &stores[2], "1 million", 1000000);
    for (i = 0; i < 4; i++)
        race_enter(b, &race,
                   (struct entry){.name = stores[i].name,
                                  .side = &side_pawl,
                                  .with = &stores[i]});
    race_run(b, &race);
    bench_remove(stores[0].path);
    bench_remove(stores[2].path);
}
