/* SPDX-License-Identifier: MIT */
/* push.c - pawl push: jobs from the arguments, a file or standard input. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PUSH_BATCH 1000           /* lines in one transaction, at most */
#define PUSH_MAX_BYTES (1L << 20) /* the library's limit of a payload */

struct push {
    pawl_job job;
    const char *payload, *file;
    bool lines;
    int64_t count; /* 0: not given */
    pawl_options options;
};

enum push_option {
    PUSH_DELAY = 256,
    PUSH_AT,
    PUSH_PRIORITY,
    PUSH_MAX_ATTEMPTS,
    PUSH_TIMEOUT,
    PUSH_UNIQUE,
    PUSH_UNIQUE_FOR,
    PUSH_FLOOR,
    PUSH_CEILING,
    PUSH_LINES,
    PUSH_FILE,
    PUSH_COUNT,
    PUSH_DURABILITY
};

static const struct option push_options[] = {
    {"delay", required_argument, NULL, PUSH_DELAY},
    {"at", required_argument, NULL, PUSH_AT},
    {"priority", required_argument, NULL, PUSH_PRIORITY},
    {"max-attempts", required_argument, NULL, PUSH_MAX_ATTEMPTS},
    {"timeout", required_argument, NULL, PUSH_TIMEOUT},
    {"unique", required_argument, NULL, PUSH_UNIQUE},
    {"unique-for", required_argument, NULL, PUSH_UNIQUE_FOR},
    {"backoff-floor", required_argument, NULL, PUSH_FLOOR},
    {"backoff-ceiling", required_argument, NULL, PUSH_CEILING},
    {"lines", no_argument, NULL, PUSH_LINES},
    {"file", required_argument, NULL, PUSH_FILE},
    {"count", required_argument, NULL, PUSH_COUNT},
    {"durability", required_argument, NULL, PUSH_DURABILITY},
    {NULL, 0, NULL, 0}};

/* One option; NULL, or what it takes. */
static const char *
push_option(struct push *p, int option, const char *text)
{
    int64_t n = 0;

    switch (option) {
    case PUSH_DELAY:
        return cli_parse_span(text, &p->job.delay_ms) ? NULL
                                                      : "a span such as 30d";
    case PUSH_AT:
        return cli_parse_time(text, cli_now_ms(), &p->job.ready_at_ms)
                   ? NULL
                   : "a time such as \"2026-12-24 18:00\", +2h or @seconds";
    case PUSH_PRIORITY:
        if (!cli_parse_int(text, -32768, 32767, &n))
            return "-32768 to 32767";
        p->job.priority = (int32_t)n;
        return NULL;
    case PUSH_MAX_ATTEMPTS:
        if (!cli_parse_int(text, 1, 1000, &n))
            return "1 to 1000";
        p->job.max_attempts = (int32_t)n;
        return NULL;
    case PUSH_TIMEOUT:
        return cli_parse_span(text, &p->job.timeout_ms) ? NULL
                                                        : "a span such as 10m";
    case PUSH_UNIQUE:
        p->job.unique_key = text;
        return NULL;
    case PUSH_UNIQUE_FOR:
        return cli_parse_span(text, &p->job.unique_ms) ? NULL
                                                       : "a span such as 1h";
    case PUSH_FLOOR:
        return cli_parse_span(text, &p->job.backoff_floor_ms)
                   ? NULL
                   : "a span such as 1s";
    case PUSH_CEILING:
        return cli_parse_span(text, &p->job.backoff_ceiling_ms)
                   ? NULL
                   : "a span such as 10m";
    case PUSH_LINES:
        p->lines = true;
        return NULL;
    case PUSH_FILE:
        p->file = text;
        return NULL;
    case PUSH_COUNT:
        return cli_parse_int(text, 1, 1000000, &p->count) ? NULL
                                                          : "1 to 1000000";
    default:
        if (strcmp(text, "power") != 0 && strcmp(text, "process") != 0)
            return "power or process";
        p->options.durability =
            strcmp(text, "process") == 0 ? PAWL_PROCESS : PAWL_POWER;
        return NULL;
    }
}

/* ------------------------------------------------------------------- input */

/* All of a stream, and no more than shows that it is too much; NULL when it
 * cannot be read. */
static char *
push_read_all(FILE *in, size_t *bytes)
{
    char *data = malloc(PUSH_MAX_BYTES + 1);

    *bytes = 0;
    if (data == NULL)
        return NULL;
    *bytes = fread(data, 1, PUSH_MAX_BYTES + 1, in);
    if (!ferror(in))
        return data;
    free(data);
    return NULL;
}

/* Push it as often as --count says, in one transaction. */
static int
push_copies(pawl_queue *queue, const struct push *p)
{
    size_t n = p->count > 0 ? (size_t)p->count : 1, i;
    pawl_job *jobs = calloc(n, sizeof *jobs);
    int64_t *ids = calloc(n, sizeof *ids);
    int code = CLI_OK;
    pawl_error err;

    for (i = 0; jobs != NULL && i < n; i++)
        jobs[i] = p->job;
    if (jobs == NULL || ids == NULL)
        code = cli_error("out of memory");
    else if (pawl_push_many(queue, jobs, n, ids, &err) != PAWL_OK)
        code = cli_fail(pawl_queue_name(queue), &err);
    for (i = 0; code == CLI_OK && i < n; i++)
        printf("%lld\n", (long long)ids[i]);
    free(jobs);
    free(ids);
    return code;
}

/* The payload is what a stream holds. */
static int
push_stream(pawl_queue *queue, struct push *p, FILE *in, const char *name)
{
    char *data = push_read_all(in, &p->job.payload_bytes);
    int code;

    if (data == NULL)
        return cli_error("%s: %s", name, strerror(errno));
    p->job.payload = data;
    code = push_copies(queue, p);
    free(data);
    return code;
}

static int
push_one(pawl_queue *queue, struct push *p)
{
    FILE *in;
    int code;

    if (p->file == NULL && strcmp(p->payload, "-") == 0)
        return push_stream(queue, p, stdin, "standard input");
    if (p->file == NULL) {
        p->job.payload = p->payload;
        p->job.payload_bytes = strlen(p->payload);
        return push_copies(queue, p);
    }
    in = fopen(p->file, "rbe");
    if (in == NULL)
        return cli_error("%s: %s", p->file, strerror(errno));
    code = push_stream(queue, p, in, p->file);
    (void)fclose(in);
    return code;
}

/* ------------------------------------------------------------------- lines */

struct push_batch {
    pawl_queue *queue;
    const pawl_job *model; /* what all lines share */
    pawl_job jobs[PUSH_BATCH];
    void *lines[PUSH_BATCH]; /* the payloads, ours */
    size_t n;
    int64_t done;
};

static void
push_batch_clear(struct push_batch *b)
{
    while (b->n > 0)
        free(b->lines[--b->n]);
}

/* Push what has gathered. */
static int
push_batch_send(void *user)
{
    struct push_batch *b = user;
    char what[80];
    pawl_error err;
    int rc;

    if (b->n == 0)
        return CLI_OK;
    rc = pawl_push_many(b->queue, b->jobs, b->n, NULL, &err);
    if (rc == PAWL_OK) {
        b->done += (int64_t)b->n;
        push_batch_clear(b);
        cli_progress("jobs pushed:", b->done);
        return CLI_OK;
    }
    (void)snprintf(what, sizeof what, "of the lines from %lld to %lld",
                   (long long)b->done + 1,
                   (long long)b->done + (long long)b->n);
    push_batch_clear(b);
    return cli_fail(what, &err);
}

static int
push_batch_line(const char *line, size_t bytes, void *user)
{
    struct push_batch *b = user;
    char *copy = malloc(bytes + 1);

    if (copy == NULL)
        return cli_error("out of memory");
    memcpy(copy, line, bytes);
    b->lines[b->n] = copy;
    b->jobs[b->n] = *b->model;
    b->jobs[b->n].payload = copy;
    b->jobs[b->n++].payload_bytes = bytes;
    return b->n == PUSH_BATCH ? push_batch_send(b) : CLI_OK;
}

static int
push_lines(pawl_queue *queue, const struct push *p)
{
    struct push_batch *b = calloc(1, sizeof *b);
    int code;

    if (b == NULL)
        return cli_error("out of memory");
    b->queue = queue;
    b->model = &p->job;
    code = cli_read_lines(STDIN_FILENO, PUSH_MAX_BYTES, push_batch_line,
                          push_batch_send, b);
    if (code == CLI_OK)
        code = push_batch_send(b);
    push_batch_clear(b);
    cli_progress_end();
    printf("%lld\n", (long long)b->done); /* also how far a failure came */
    free(b);
    return code;
}

/* --------------------------------------------------------------------- run */

static int
push_parse(struct push *p, int argc, char **argv)
{
    int option, n, sources;
    const char *wants;

    while ((option = getopt_long(argc, argv, "", push_options, &n)) != -1) {
        if (option == '?')
            return cli_usage_told(&cli_push);
        wants = push_option(p, option, optarg);
        if (wants != NULL)
            return cli_usage(&cli_push, "--%s takes %s, not %s",
                             push_options[n].name, wants, optarg);
    }
    n = argc - optind;
    if (n < 3 || n > 4)
        return cli_usage(&cli_push, "give STORE, QUEUE and TYPE");
    sources = (n == 4) + (p->file != NULL) + p->lines;
    if (sources > 1)
        return cli_usage(&cli_push,
                         "give one of PAYLOAD, -, --file and --lines");
    if (p->lines && p->count != 0)
        return cli_usage(&cli_push, "--lines pushes each line once: leave "
                                    "--count");
    p->job.type = argv[optind + 2];
    p->payload = n == 4 ? argv[optind + 3] : "";
    return CLI_OK;
}

static int
push_run(int argc, char **argv)
{
    struct push p;
    pawl_store *store;
    pawl_queue *queue;
    int code;

    memset(&p, 0, sizeof p);
    p.job.struct_size = sizeof p.job;
    p.options.struct_size = sizeof p.options;
    code = push_parse(&p, argc, argv);
    if (code != CLI_OK)
        return code;
    store = cli_open(argv[optind], CLI_MAY_CREATE, &p.options, &code);
    if (store == NULL)
        return code;
    queue = cli_open_queue(store, argv[optind + 1], &code);
    if (queue != NULL)
        code = p.lines ? push_lines(queue, &p) : push_one(queue, &p);
    pawl_close(store);
    return cli_finish(code);
}

const struct cli_command cli_push = {
    "push", "STORE QUEUE TYPE [PAYLOAD | - | --file F | --lines] [options]",
    "Push a job, and print its id",
    "  -                    the payload is all of standard input\n"
    "  --file F             the payload is the file F\n"
    "  --lines              a job for each line of standard input, pushed as "
    "they come;\n"
    "                       prints how many\n"
    "  --count N            push it N times\n"
    "  --delay SPAN         run it later: 90s, 15m, 2h, 30d\n"
    "  --at TIME            run it then: \"2026-12-24 18:00\" (local), "
    "2026-12-24T17:00Z,\n"
    "                       +2h, @seconds\n"
    "  --priority N         larger runs sooner; -32768 to 32767, default 0\n"
    "  --max-attempts N     1 to 1000; default: the queue's (1)\n"
    "  --timeout SPAN       of one attempt; default: the queue's (1h)\n"
    "  --unique KEY         at most one job of the queue holds a key\n"
    "  --unique-for SPAN    hold it at least so long\n"
    "  --backoff-floor SPAN, --backoff-ceiling SPAN   wait between attempts\n"
    "  --durability power|process   what a push survives; default power\n",
    push_run};
