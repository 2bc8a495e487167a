/* SPDX-License-Identifier: MIT */
/* change.c - pawl retry, cancel, reload, flush. */
#include "cli.h"

#include <string.h>

/* ------------------------------------------------------------ single jobs */

static const struct option change_no_options[] = {{NULL, 0, NULL, 0}};

/* Every id is tried; the exit code is that of the first that failed. */
static int
change_ids(const struct cli_command *command, int argc, char **argv,
           int (*change)(pawl_store *, int64_t, pawl_error *))
{
    pawl_store *store;
    pawl_error err;
    int64_t id;
    int i, one, code = CLI_OK;

    if (getopt_long(argc, argv, "", change_no_options, NULL) != -1)
        return cli_usage_told(command);
    argc -= optind;
    argv += optind;
    if (argc < 2)
        return cli_usage(command, "give STORE and the ID of a job");
    for (i = 1; i < argc; i++)
        if (!cli_parse_int(argv[i], 1, INT64_MAX, &id))
            return cli_usage(command, "%s is no job id", argv[i]);
    store = cli_open(argv[0], CLI_MUST_EXIST, NULL, &code);
    for (i = 1; store != NULL && i < argc; i++) {
        (void)cli_parse_int(argv[i], 1, INT64_MAX, &id);
        if (change(store, id, &err) != PAWL_OK) {
            one = cli_fail(argv[i], &err);
            code = code == CLI_OK ? one : code;
        }
    }
    pawl_close(store);
    return cli_finish(code);
}

static int
retry_run(int argc, char **argv)
{
    return change_ids(&cli_retry, argc, argv, pawl_retry);
}

static int
cancel_run(int argc, char **argv)
{
    return change_ids(&cli_cancel, argc, argv, pawl_cancel);
}

const struct cli_command cli_retry = {
    "retry", "STORE ID ...",
    "Put timeout, failed, cancelled or delayed jobs back to waiting",
    "The count of attempts stays: each gets at least one more.\n", retry_run};

const struct cli_command cli_cancel = {
    "cancel", "STORE ID ...", "Cancel jobs that wait, are delayed, or run",
    "A running attempt is told within a second; its result changes nothing.\n",
    cancel_run};

/* -------------------------------------------------------------- many jobs */

static const struct option channel_options[] = {
    {"channel", required_argument, NULL, 'c'}, {NULL, 0, NULL, 0}};

static int
change_many(const struct cli_command *command, int argc, char **argv,
            int (*change)(pawl_store *, const char *, unsigned, int64_t *,
                          pawl_error *))
{
    unsigned states = PAWL_TIMEOUT | PAWL_FAILED;
    pawl_store *store;
    pawl_error err;
    int64_t n = 0;
    int option, code = CLI_OK;

    while ((option = getopt_long(argc, argv, "", channel_options, NULL)) !=
           -1) {
        if (option == '?')
            return cli_usage_told(command);
        states = cli_parse_states(optarg);
        if (states == 0)
            return cli_usage(command,
                             "there is no channel %s: take timeout, "
                             "failed or another state",
                             optarg);
    }
    argc -= optind;
    argv += optind;
    if (argc < 1 || argc > 2)
        return cli_usage(command, "give STORE, and at most one QUEUE");
    store = cli_open(argv[0], CLI_MUST_EXIST, NULL, &code);
    if (store == NULL)
        return code;
    cli_progress(command->name, -1);
    if (change(store, argc == 2 ? argv[1] : NULL, states, &n, &err) != PAWL_OK)
        code = cli_fail(command->name, &err);
    cli_progress_end();
    printf("%lld\n", (long long)n);
    pawl_close(store);
    return cli_finish(code);
}

static int
reload_run(int argc, char **argv)
{
    return change_many(&cli_reload, argc, argv, pawl_reload);
}

static int
flush_run(int argc, char **argv)
{
    return change_many(&cli_flush, argc, argv, pawl_flush);
}

const struct cli_command cli_reload = {
    "reload", "STORE [QUEUE] [--channel timeout,failed]",
    "Move jobs back to waiting, and print how many",
    "  --channel C[,C...]   timeout, failed, cancelled; default "
    "timeout,failed\n",
    reload_run};

const struct cli_command cli_flush = {
    "flush", "STORE [QUEUE] [--channel timeout,failed]",
    "Delete jobs, and print how many",
    "  --channel C[,C...]   any state but reserved; default timeout,failed\n",
    flush_run};
