/* SPDX-License-Identifier: MIT */
/* info.c - pawl info: counts by queue and state. */
#include "cli.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

struct info_state {
    bool json;
    int64_t n;
    int workers; /* of the store */
};

static void
info_put_json(const char *queue, const pawl_info *in, int64_t n)
{
    printf("%s{\"queue\":", n > 0 ? ",\n" : "");
    cli_put_json(stdout, queue, strlen(queue));
    printf(",\"waiting\":%lld,\"delayed\":%lld,\"reserved\":%lld,"
           "\"timeout\":%lld,\"failed\":%lld,\"done\":%lld,"
           "\"cancelled\":%lld,\"oldest_waiting_at_ms\":%lld,"
           "\"paused\":%s,\"workers\":%d}",
           (long long)in->waiting, (long long)in->delayed,
           (long long)in->reserved, (long long)in->timeout,
           (long long)in->failed, (long long)in->done, (long long)in->cancelled,
           (long long)in->oldest_waiting_at_ms, in->paused ? "true" : "false",
           in->workers);
}

static int
info_row(const char *queue, const pawl_info *in, void *user)
{
    struct info_state *s = user;
    char oldest[CLI_TIME_TEXT] = "-";

    s->workers = in->workers;
    if (in->oldest_waiting_at_ms > 0)
        (void)cli_span_text(cli_now_ms() - in->oldest_waiting_at_ms, oldest);
    if (s->json) {
        info_put_json(queue, in, s->n++);
        return ferror(stdout);
    }
    if (s->n++ == 0)
        printf("%9s %9s %9s %9s %9s %9s %9s %7s  %s\n", "WAITING", "DELAYED",
               "RESERVED", "TIMEOUT", "FAILED", "DONE", "CANCELLED", "OLDEST",
               "QUEUE");
    printf("%9lld %9lld %9lld %9lld %9lld %9lld %9lld %7s  ",
           (long long)in->waiting, (long long)in->delayed,
           (long long)in->reserved, (long long)in->timeout,
           (long long)in->failed, (long long)in->done, (long long)in->cancelled,
           oldest);
    cli_put_text(stdout, queue, strlen(queue), 0);
    printf("%s\n", in->paused ? "  (paused)" : "");
    return ferror(stdout);
}

static int
info_print(pawl_store *store, bool json)
{
    struct info_state s = {json, 0, 0};
    pawl_error err;

    if (json)
        printf("[");
    if (pawl_store_info(store, info_row, &s, &err) != PAWL_OK)
        return cli_fail("info", &err);
    if (json)
        printf("]\n");
    else if (s.n == 0)
        printf("no queues yet\n");
    else
        printf("%d worker%s\n", s.workers, s.workers == 1 ? "" : "s");
    return CLI_OK;
}

static int
info_write(const char *text, size_t bytes, void *user)
{
    (void)user;
    return fwrite(text, 1, bytes, stdout) == bytes ? 0 : 1;
}

/* Again and again, until standard output goes away or a signal ends us. */
static int
info_watch(pawl_store *store, int64_t every_ms)
{
    int code;

    for (;;) {
        if (isatty(STDOUT_FILENO))
            printf("\033[H\033[2J");
        code = info_print(store, false);
        if (code != CLI_OK || cli_finish(CLI_OK) != CLI_OK)
            return code != CLI_OK ? code : CLI_FAILED;
        (void)poll(NULL, 0, (int)every_ms);
    }
}

static const struct option info_options[] = {
    {"json", no_argument, NULL, 'j'},
    {"prometheus", no_argument, NULL, 'p'},
    {"watch", optional_argument, NULL, 'w'},
    {NULL, 0, NULL, 0}};

struct info_how {
    int how; /* 0: a table; an option's letter */
    int64_t every_ms;
};

static int
info_parse(struct info_how *h, int argc, char **argv)
{
    const char *span = NULL;
    int option, n;

    while ((option = getopt_long(argc, argv, "", info_options, NULL)) != -1) {
        if (option == '?')
            return cli_usage_told(&cli_info);
        if (h->how != 0)
            return cli_usage(&cli_info,
                             "give one of --json, --prometheus, --watch");
        h->how = option;
        span = optarg;
    }
    n = argc - optind;
    if (h->how == 'w' && span == NULL && n == 2) {
        span = argv[optind + 1]; /* info STORE --watch 2s */
        n--;
    }
    if (n != 1)
        return cli_usage(&cli_info, "give STORE");
    h->every_ms = 1000;
    if (span != NULL && (!cli_parse_span(span, &h->every_ms) ||
                         h->every_ms < 100 || h->every_ms > 86400000))
        return cli_usage(&cli_info, "--watch takes 100ms to 1d, not %s", span);
    return CLI_OK;
}

static int
info_run(int argc, char **argv)
{
    struct info_how h = {0, 0};
    int code = info_parse(&h, argc, argv);
    pawl_store *store;
    pawl_error err;

    if (code != CLI_OK)
        return code;
    store = cli_open(argv[optind], CLI_MUST_EXIST, NULL, &code);
    if (store == NULL)
        return code;
    if (h.how == 'w')
        code = info_watch(store, h.every_ms);
    else if (h.how != 'p')
        code = info_print(store, h.how == 'j');
    else if (pawl_prometheus(store, info_write, NULL, &err) != PAWL_OK)
        code = cli_fail("info", &err);
    pawl_close(store);
    return cli_finish(code);
}

const struct cli_command cli_info = {
    "info", "STORE [--json | --prometheus | --watch [SPAN]]",
    "Count jobs by queue and state",
    "  --json          an array of objects\n"
    "  --prometheus    Prometheus' text format\n"
    "  --watch [SPAN]  again each second, or each SPAN\n"
    "OLDEST is for how long the longest-waiting job has been ready.\n",
    info_run};
