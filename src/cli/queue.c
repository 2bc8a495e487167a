/* SPDX-License-Identifier: MIT */
/* queue.c - pawl queue: show and set the settings of queues. */
#include "cli.h"

#include <string.h>

static void
queue_print(const char *name, const pawl_settings *s)
{
    cli_put_text(stdout, name, strlen(name), 0);
    printf("\n  parallelism=%d paused=%d length_interval_s=%lld "
           "retention_s=%lld\n",
           s->parallelism, s->paused, (long long)s->length_interval_s,
           (long long)s->retention_s);
    printf("  max_attempts=%d max_abandons=%d timeout_ms=%lld\n",
           s->max_attempts, s->max_abandons, (long long)s->timeout_ms);
    printf("  backoff_floor_ms=%lld backoff_ceiling_ms=%lld "
           "backoff_factor_percent=%d backoff_jitter_percent=%d\n",
           (long long)s->backoff_floor_ms, (long long)s->backoff_ceiling_ms,
           s->backoff_factor_percent, s->backoff_jitter_percent);
}

static int
queue_show(pawl_store *store, const char *name)
{
    pawl_settings s;
    pawl_queue *queue;
    pawl_error err;
    int code = CLI_OK;

    queue = cli_open_queue(store, name, &code);
    if (queue == NULL)
        return code;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    if (pawl_queue_settings(queue, &s, &err) != PAWL_OK)
        return cli_fail(name, &err);
    queue_print(name, &s);
    return CLI_OK;
}

struct queue_all {
    pawl_store *store;
    int code;
};

static int
queue_each(const char *name, const pawl_info *info, void *user)
{
    struct queue_all *all = user;

    (void)info;
    all->code = queue_show(all->store, name);
    return all->code;
}

static int
queue_show_all(pawl_store *store)
{
    struct queue_all all = {store, CLI_OK};
    pawl_error err;

    if (pawl_store_info(store, queue_each, &all, &err) != PAWL_OK)
        return cli_fail("queue", &err);
    return all.code;
}

static int
queue_set(pawl_store *store, const char *name, int n, char **pairs)
{
    pawl_queue *queue;
    pawl_error err;
    char *value;
    int i, code = CLI_OK;

    queue = cli_open_queue(store, name, &code);
    for (i = 0; queue != NULL && code == CLI_OK && i < n; i++) {
        value = strchr(pairs[i], '='); /* checked */
        *value++ = '\0';
        if (pawl_queue_set(queue, pairs[i], value, &err) != PAWL_OK)
            code = cli_fail(name, &err);
    }
    return code == CLI_OK ? queue_show(store, name) : code;
}

static const struct option queue_options[] = {{NULL, 0, NULL, 0}};

static int
queue_run(int argc, char **argv)
{
    pawl_store *store;
    int i, n, code = CLI_OK;

    if (getopt_long(argc, argv, "", queue_options, NULL) != -1)
        return cli_usage_told(&cli_queue);
    n = argc - optind;
    argv += optind;
    if (n < 1)
        return cli_usage(&cli_queue, "give STORE");
    for (i = 2; i < n; i++)
        if (strchr(argv[i], '=') == NULL)
            return cli_usage(&cli_queue, "%s is no key=value", argv[i]);
    store =
        cli_open(argv[0], n > 2 ? CLI_MAY_CREATE : CLI_MUST_EXIST, NULL, &code);
    if (store == NULL)
        return code;
    if (n == 1)
        code = queue_show_all(store);
    else if (n == 2)
        code = queue_show(store, argv[1]);
    else
        code = queue_set(store, argv[1], n - 2, argv + 2);
    pawl_close(store);
    return cli_finish(code);
}

const struct cli_command cli_queue = {
    "queue", "STORE [QUEUE [key=value ...]]",
    "Show or set the settings of queues",
    "Each process follows a change within a second. Values are numbers, spans "
    "such as\n90s, 15m, 30d for the _ms and _s keys, or \"default\".\n"
    "  parallelism=N             threads in each process; 0: one for each CPU\n"
    "  paused=0|1                1: nothing is claimed\n"
    "  retention_s=SPAN          keep done jobs so long; 0: not, -1: for ever\n"
    "  max_attempts=N            for jobs that do not say; default 1\n"
    "  max_abandons=N            worker deaths before a job fails; default 3\n"
    "  timeout_ms=SPAN           of an attempt; default 1h\n"
    "  length_interval_s=SPAN    of the gauge; default 15s\n"
    "  backoff_floor_ms=SPAN  backoff_ceiling_ms=SPAN  "
    "backoff_factor_percent=N\n"
    "  backoff_jitter_percent=N  waits between attempts; 1s, 10m, 200, 50\n",
    queue_run};
