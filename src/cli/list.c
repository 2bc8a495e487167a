/* SPDX-License-Identifier: MIT */
/* list.c - pawl list and pawl show: jobs for people, and as JSON. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static const char *
list_colour(int state)
{
    switch (state) {
    case PAWL_FAILED:
    case PAWL_TIMEOUT:
        return "\033[31m";
    case PAWL_RESERVED:
        return "\033[33m";
    case PAWL_DONE:
        return "\033[32m";
    default:
        return "";
    }
}

static void
list_json_text(const char *key, const char *text)
{
    printf(",\"%s\":", key);
    if (text == NULL)
        printf("null");
    else
        cli_put_json(stdout, text, strlen(text));
}

/* Where 0 stands for the default, PAWL_NONE stands for 0. */
static int
list_jitter(const pawl_job_info *j)
{
    return j->job.backoff_jitter_percent > 0 ? j->job.backoff_jitter_percent
                                             : 0;
}

static void
list_put_json(const pawl_job_info *j)
{
    printf("{\"id\":%lld", (long long)j->id);
    list_json_text("queue", j->queue);
    list_json_text("type", j->job.type);
    list_json_text("state", pawl_state_name(j->state));
    printf(",\"priority\":%d,\"attempts\":%d,\"max_attempts\":%d,"
           "\"abandons\":%d",
           j->job.priority, j->attempts, j->job.max_attempts, j->abandons);
    printf(",\"ready_at_ms\":%lld,\"pushed_at_ms\":%lld,"
           "\"finished_at_ms\":%lld,\"timeout_ms\":%lld,\"worker\":%lld",
           (long long)j->job.ready_at_ms, (long long)j->pushed_at_ms,
           (long long)j->finished_at_ms, (long long)j->job.timeout_ms,
           (long long)j->worker);
    printf(",\"backoff_floor_ms\":%lld,\"backoff_ceiling_ms\":%lld,"
           "\"backoff_factor_percent\":%d,\"backoff_jitter_percent\":%d",
           (long long)j->job.backoff_floor_ms,
           (long long)j->job.backoff_ceiling_ms, j->job.backoff_factor_percent,
           list_jitter(j));
    list_json_text("unique_key", j->job.unique_key);
    list_json_text("error", j->error);
    list_json_text("result", j->result);
    printf(",");
    cli_put_json_payload(stdout, j->job.payload, j->job.payload_bytes);
    printf("}");
}

struct list_state {
    bool json, colours;
    int64_t n, last;
};

static int
list_row(const pawl_job_info *j, void *user)
{
    struct list_state *s = user;
    char at[CLI_TIME_TEXT], attempts[32];

    s->last = j->id;
    if (s->json) {
        printf("%s", s->n++ > 0 ? ",\n" : "");
        list_put_json(j);
        return ferror(stdout);
    }
    if (s->n++ == 0)
        printf("%10s  %-9s  %-9s  %-23s  %s\n", "ID", "STATE", "ATTEMPTS",
               "READY", "QUEUE/TYPE  PAYLOAD  ERROR");
    (void)snprintf(attempts, sizeof attempts, "%d/%d", j->attempts,
                   j->job.max_attempts);
    printf("%10lld  %s%-9s%s  %-9s  %-23s  ", (long long)j->id,
           s->colours ? list_colour(j->state) : "", pawl_state_name(j->state),
           s->colours ? "\033[0m" : "", attempts,
           cli_time_text(j->job.ready_at_ms, at));
    cli_put_text(stdout, j->queue, strlen(j->queue), 0);
    printf("/");
    cli_put_text(stdout, j->job.type, strlen(j->job.type), 0);
    printf("  ");
    cli_put_text(stdout, j->job.payload, j->job.payload_bytes, 40);
    if (j->error != NULL) {
        printf("  ");
        cli_put_text(stdout, j->error, strlen(j->error), 60);
    }
    printf("\n");
    return ferror(stdout);
}

enum list_option {
    LIST_STATE = 256,
    LIST_TYPE,
    LIST_LIMIT,
    LIST_AFTER,
    LIST_NEWEST,
    LIST_JSON
};

static const struct option list_options[] = {
    {"state", required_argument, NULL, LIST_STATE},
    {"type", required_argument, NULL, LIST_TYPE},
    {"limit", required_argument, NULL, LIST_LIMIT},
    {"after", required_argument, NULL, LIST_AFTER},
    {"newest", no_argument, NULL, LIST_NEWEST},
    {"json", no_argument, NULL, LIST_JSON},
    {NULL, 0, NULL, 0}};

/* One option; NULL, or what it takes. */
static const char *
list_option(pawl_filter *f, bool *json, int option, const char *text)
{
    switch (option) {
    case LIST_STATE:
        f->states = cli_parse_states(text);
        return f->states != 0
                   ? NULL
                   : "some of waiting, delayed, reserved, timeout, failed, "
                     "done, cancelled";
    case LIST_TYPE:
        f->type = text;
        return NULL;
    case LIST_LIMIT:
        return cli_parse_int(text, 1, 1000000, &f->limit) ? NULL
                                                          : "1 to 1000000";
    case LIST_AFTER:
        return cli_parse_int(text, 0, INT64_MAX, &f->after_id) ? NULL : "an id";
    case LIST_NEWEST:
        f->newest_first = 1;
        return NULL;
    default:
        *json = true;
        return NULL;
    }
}

static int
list_print(pawl_store *store, const pawl_filter *f, bool json)
{
    struct list_state s = {json, cli_colours(), 0, 0};
    int64_t limit = f->limit != 0 ? f->limit : 100;
    pawl_error err;

    if (json)
        printf("[");
    if (pawl_list(store, f, list_row, &s, &err) != PAWL_OK)
        return cli_fail("list", &err);
    if (json)
        printf("]\n");
    else if (s.n == limit)
        fprintf(stderr, "pawl: there may be more: --after %lld\n",
                (long long)s.last);
    return CLI_OK;
}

static int
list_run(int argc, char **argv)
{
    pawl_filter f = PAWL_FILTER_INIT;
    pawl_store *store;
    const char *wants;
    bool json = false;
    int option, n, code = CLI_OK;

    while ((option = getopt_long(argc, argv, "", list_options, &n)) != -1) {
        if (option == '?')
            return cli_usage_told(&cli_list);
        wants = list_option(&f, &json, option, optarg);
        if (wants != NULL)
            return cli_usage(&cli_list, "--%s takes %s, not %s",
                             list_options[n].name, wants, optarg);
    }
    if (argc - optind < 1 || argc - optind > 2)
        return cli_usage(&cli_list, "give STORE, and at most one QUEUE");
    if (argc - optind == 2)
        f.queue = argv[optind + 1];
    store = cli_open(argv[optind], CLI_MUST_EXIST, NULL, &code);
    if (store != NULL)
        code = list_print(store, &f, json);
    pawl_close(store);
    return cli_finish(code);
}

const struct cli_command cli_list = {
    "list", "STORE [QUEUE] [options]", "List jobs",
    "  --state S[,S...]   only these: waiting delayed reserved timeout failed "
    "done cancelled\n"
    "  --type T           only this type\n"
    "  --limit N          at most so many; default 100\n"
    "  --after ID         the page behind this id\n"
    "  --newest           newest first\n"
    "  --json             an array of objects; times in ms since 1970\n",
    list_run};

/* -------------------------------------------------------------------- show */

/* Lines of text stay lines, each behind the margin. */
static void
show_line(const char *key, const char *text)
{
    size_t n;

    for (; text != NULL; text = text[n] == '\n' ? text + n + 1 : NULL) {
        n = strcspn(text, "\n");
        printf("%-13s ", key);
        cli_put_text(stdout, text, n, 0);
        printf("\n");
        key = "";
    }
}

static void
show_text(const pawl_job_info *j)
{
    char at[CLI_TIME_TEXT];

    printf("%-13s %lld\n", "id", (long long)j->id);
    show_line("queue", j->queue);
    show_line("type", j->job.type);
    show_line("state", pawl_state_name(j->state));
    printf("%-13s %d of %d\n", "attempts", j->attempts, j->job.max_attempts);
    printf("%-13s %d\n", "abandons", j->abandons);
    printf("%-13s %d\n", "priority", j->job.priority);
    show_line("ready", cli_time_text(j->job.ready_at_ms, at));
    show_line("pushed", cli_time_text(j->pushed_at_ms, at));
    show_line("finished", cli_time_text(j->finished_at_ms, at));
    printf("%-13s %lld ms\n", "timeout", (long long)j->job.timeout_ms);
    printf("%-13s %lld to %lld ms, times %d %%, jitter %d %%\n", "backoff",
           (long long)j->job.backoff_floor_ms,
           (long long)j->job.backoff_ceiling_ms, j->job.backoff_factor_percent,
           list_jitter(j));
    if (j->worker != 0)
        printf("%-13s %lld\n", "worker", (long long)j->worker);
    show_line("unique key", j->job.unique_key);
    show_line("error", j->error);
    show_line("result", j->result);
    printf("%-13s %zu bytes: ", "payload", j->job.payload_bytes);
    cli_put_text(stdout, j->job.payload, j->job.payload_bytes, 1000);
    printf("\n");
}

static const struct option show_options[] = {
    {"json", no_argument, NULL, 'j'},
    {"payload", no_argument, NULL, 'p'},
    {NULL, 0, NULL, 0}};

static int
show_run(int argc, char **argv)
{
    bool json = false, payload = false;
    pawl_job_info *info = NULL;
    pawl_store *store;
    pawl_error err;
    int64_t id;
    int option, code = CLI_OK;

    while ((option = getopt_long(argc, argv, "", show_options, NULL)) != -1) {
        if (option == '?')
            return cli_usage_told(&cli_show);
        json = json || option == 'j';
        payload = payload || option == 'p';
    }
    if (json && payload)
        return cli_usage(&cli_show, "give one of --json and --payload");
    if (argc - optind != 2)
        return cli_usage(&cli_show, "give STORE and the ID of a job");
    if (!cli_parse_int(argv[optind + 1], 1, INT64_MAX, &id))
        return cli_usage(&cli_show, "%s is no job id", argv[optind + 1]);
    store = cli_open(argv[optind], CLI_MUST_EXIST, NULL, &code);
    if (store == NULL)
        return code;
    if (pawl_get(store, id, &info, &err) != PAWL_OK)
        code = cli_fail("show", &err);
    else if (payload)
        fwrite(info->job.payload, 1, info->job.payload_bytes, stdout);
    else if (json) {
        list_put_json(info);
        printf("\n");
    } else
        show_text(info);
    pawl_job_info_free(info);
    pawl_close(store);
    return cli_finish(code);
}

const struct cli_command cli_show = {
    "show", "STORE ID [--json | --payload]", "Show all of one job",
    "  --json      as an object\n"
    "  --payload   the payload alone, byte for byte\n",
    show_run};
