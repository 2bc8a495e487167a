/* SPDX-License-Identifier: MIT */
/* work.c - pawl work: run a program for each job.
 *
 * SIGTERM, SIGINT and SIGHUP drain: nothing more is claimed, running programs
 * get the grace time. When that is over, or at a second signal, the programs
 * are ended and their jobs put back, not counted. The signals are blocked in
 * all threads and waited for in the first one, which does nothing else.
 *
 * A store that was given up for good (an I/O error) ends the command with code
 * 1, so that who started it starts it again and it opens the store anew. */
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define WORK_EX_TEMPFAIL 75  /* sysexits.h: try again later */
#define WORK_LAST_MS 10000   /* for programs that were sent SIGKILL to go */
#define WORK_NO_ROOM_MS 1000 /* until a program that found no room again */

struct work {
    char *const *program;
    const char *url, *queue, *threads; /* threads: NULL where not given */
    char **types;
    int n_types;
    bool keep_output, drain;
    int64_t grace_ms;
    int signals, broken_fd; /* broken_fd: readable when the store is given up */
    atomic_bool hurry;      /* end running programs */
    atomic_long done;       /* jobs that ended, for the progress line */
};

/* ------------------------------------------------------------- environment */

static bool
work_is_ours(const char *variable)
{
    static const char *const ours[] = {
        "PAWL_JOB_ID=", "PAWL_JOB_TYPE=", "PAWL_ATTEMPT=", "PAWL_QUEUE="};
    size_t i;

    for (i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strncmp(variable, ours[i], strlen(ours[i])) == 0)
            return true;
    return false;
}

/* Our environment with the job's facts, in one block. NULL: no memory. */
static char **
work_environment(pawl_attempt *attempt, const pawl_job *job)
{
    const char *queue = pawl_queue_name(pawl_attempt_queue(attempt));
    size_t room = strlen(job->type) + strlen(queue) + 128, n = 0, i;
    char **env, *text;

    while (environ[n] != NULL)
        n++;
    env = malloc((n + 5) * sizeof *env + room);
    if (env == NULL)
        return NULL;
    text = (char *)(env + n + 5);
    /* One inside another: where we ourselves run as a job, not that job's. */
    for (i = n = 0; environ[i] != NULL; i++)
        if (!work_is_ours(environ[i]))
            env[n++] = environ[i];
    i = (size_t)snprintf(text, room,
                         "PAWL_JOB_ID=%lld%cPAWL_ATTEMPT=%d%c"
                         "PAWL_JOB_TYPE=%s%cPAWL_QUEUE=%s",
                         (long long)pawl_attempt_job_id(attempt), 0,
                         pawl_attempt_number(attempt), 0, job->type, 0, queue);
    for (room = 0; room < i; room += strlen(text + room) + 1)
        env[n++] = text + room;
    env[n] = NULL;
    return env;
}

/* ---------------------------------------------------------------- one job */

struct work_attempt {
    struct work *work;
    pawl_attempt *attempt;
};

/* Must the program be ended? A shutdown lets it finish. */
static bool
work_must_stop(void *user)
{
    const struct work_attempt *a = user;
    int why = pawl_attempt_should_stop(a->attempt);

    return why == PAWL_STOP_TIMEOUT || why == PAWL_STOP_CANCELLED ||
           atomic_load(&a->work->hurry);
}

/* Trailing white space makes no reason better. */
static void
work_trim(char *text)
{
    size_t n = strlen(text);

    while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL)
        text[--n] = '\0';
}

/* No room for a process is no fault of the job's. */
static int
work_not_started(pawl_attempt *attempt, const char *program, int error)
{
    char why[512];

    (void)snprintf(why, sizeof why, "%s: %s", program, strerror(error));
    if (error != EAGAIN && error != ENOMEM && error != EMFILE &&
        error != ENFILE)
        return pawl_attempt_fail(attempt, why);
    (void)cli_error("%s; job %lld is put back", why,
                    (long long)pawl_attempt_job_id(attempt));
    return pawl_attempt_snooze(attempt, WORK_NO_ROOM_MS, NULL);
}

static int
work_failed(pawl_attempt *attempt, struct cli_child *c)
{
    char why[CLI_TAIL_MAX + 128];
    int n = 0;

    work_trim(c->tail);
    if (c->signal != 0)
        n = snprintf(why, sizeof why, "killed by signal %d (%s)", c->signal,
                     strsignal(c->signal));
    else if (c->tail[0] == '\0')
        n = snprintf(why, sizeof why, "exit code %d", c->exit_code);
    if (c->tail[0] != '\0')
        (void)snprintf(why + n, sizeof why - (size_t)n, "%s%s",
                       n > 0 ? ": " : "", c->tail);
    return pawl_attempt_fail(attempt, why);
}

static int
work_ended(struct work *w, pawl_attempt *attempt, const pawl_job *job,
           struct cli_child *c)
{
    if (c->start_errno != 0)
        return work_not_started(attempt, w->program[0], c->start_errno);
    if (c->exit_code == 0) {
        if (c->output != NULL)
            (void)pawl_attempt_result(attempt, c->output, NULL);
        return 0;
    }
    if (c->exit_code == WORK_EX_TEMPFAIL)
        return pawl_attempt_snooze(attempt, job->backoff_floor_ms, NULL);
    /* Stopped because of a time-out or cancel, what we say counts no more. */
    if (c->stopped && atomic_load(&w->hurry))
        return pawl_attempt_snooze(attempt, 0, NULL);
    return work_failed(attempt, c);
}

static int
work_listener(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    struct work *w = user;
    struct work_attempt a = {w, attempt};
    char **env = work_environment(attempt, job);
    struct cli_child child;
    int rc;

    memset(&child, 0, sizeof child);
    child.argv = w->program;
    child.envp = env;
    child.input = job->payload;
    child.input_bytes = job->payload_bytes;
    child.stop_fd = pawl_attempt_stop_fd(attempt);
    child.must_stop = work_must_stop;
    child.user = &a;
    child.keep_output = w->keep_output;
    if (env != NULL)
        cli_child_run(&child);
    else
        child.start_errno = ENOMEM;
    rc = work_ended(w, attempt, job, &child);
    free(child.output);
    free(env);
    atomic_fetch_add(&w->done, 1);
    return rc;
}

/* ----------------------------------------------------------------- the wait */

/* The library's warnings. Its errors are final: time to go. */
static void
work_log(int level, const char *message, void *user)
{
    const struct work *w = user;
    uint64_t one = 1;

    (void)cli_error("%s", message);
    if (level == PAWL_ERROR)
        (void)!write(w->broken_fd, &one, sizeof one);
}

static bool
work_block_signals(struct work *w)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    w->broken_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->signals >= 0 && w->broken_fd >= 0 &&
        pthread_sigmask(SIG_BLOCK, &set, NULL) == 0)
        return true;
    (void)cli_error("wait for signals: %s", strerror(errno));
    return false;
}

/* Has a signal come, or the store been given up? Waits for ms, -1: for ever. */
static bool
work_told_to_end(struct work *w, int ms, bool *broken)
{
    struct signalfd_siginfo info;
    struct pollfd p[2] = {{w->signals, POLLIN, 0}, {w->broken_fd, POLLIN, 0}};

    if (poll(p, *broken ? 1 : 2, ms) <= 0)
        return false;
    if (!*broken && p[1].revents != 0)
        return *broken = true;
    return read(w->signals, &info, sizeof info) > 0;
}

/* Until a signal, or, with --drain, until nothing is left. */
static int
work_until_end(pawl_store *store, struct work *w, bool *broken)
{
    pawl_error err;
    int rc;

    if (!w->drain) {
        while (!work_told_to_end(w, -1, broken))
            ;
        return *broken ? CLI_FAILED : CLI_OK;
    }
    do {
        rc = pawl_drain(store, 200, &err);
        cli_progress("jobs done:", atomic_load(&w->done));
    } while (rc == PAWL_BUSY && !work_told_to_end(w, 0, broken));
    cli_progress_end();
    if (*broken)
        return CLI_FAILED;
    return rc == PAWL_OK || rc == PAWL_BUSY ? CLI_OK : cli_fail("work", &err);
}

static int64_t
work_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Let programs finish; after a second signal, or the grace time, end them. */
static int
work_stop(pawl_store *store, struct work *w, bool *broken)
{
    int64_t until = work_now_ms() + w->grace_ms;
    pawl_error err;
    int rc;

    while ((rc = pawl_stop(store, 100, &err)) == PAWL_BUSY) {
        if (!atomic_load(&w->hurry)) {
            if (!work_told_to_end(w, 0, broken) && work_now_ms() < until)
                continue;
            atomic_store(&w->hurry, true);
            until = work_now_ms() + WORK_LAST_MS;
        } else if (work_now_ms() >= until) {
            (void)cli_error("programs do not end; their jobs will be rescued "
                            "by the next worker");
            return CLI_BUSY;
        }
    }
    return rc == PAWL_OK ? CLI_OK : cli_fail("stop", &err);
}

/* --------------------------------------------------------------------- run */

static int
work_listen(pawl_queue *queue, struct work *w)
{
    pawl_error err;
    int i, rc = PAWL_OK;

    if (w->threads != NULL)
        rc = pawl_queue_set(queue, "parallelism", w->threads, &err);
    if (rc == PAWL_OK && w->n_types == 0)
        rc = pawl_listen(queue, NULL, work_listener, w, &err);
    for (i = 0; rc == PAWL_OK && i < w->n_types; i++)
        rc = pawl_listen(queue, w->types[i], work_listener, w, &err);
    if (rc == PAWL_OK)
        rc = pawl_start(pawl_queue_store(queue), &err);
    return rc == PAWL_OK ? CLI_OK : cli_fail(w->queue, &err);
}

static int
work_all(struct work *w)
{
    pawl_options options = PAWL_OPTIONS_INIT;
    pawl_store *store;
    pawl_queue *queue;
    bool broken = false;
    int code = CLI_OK, stopped;

    if (!work_block_signals(w))
        return CLI_FAILED;
    options.log = work_log;
    options.log_user = w;
    store = cli_open(w->url, CLI_MAY_CREATE, &options, &code);
    if (store == NULL)
        return code;
    queue = cli_open_queue(store, w->queue, &code);
    if (queue != NULL)
        code = work_listen(queue, w);
    if (code == CLI_OK) {
        code = work_until_end(store, w, &broken);
        stopped = work_stop(store, w, &broken);
        if (stopped == CLI_BUSY)
            return stopped; /* as we are: close would wait for the programs */
        code = code == CLI_OK ? stopped : code;
    }
    pawl_close(store);
    return code;
}

/* Where "--" stands: getopt_long would take the program's options for ours. */
static int
work_program_at(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0)
            return i;
    return argc;
}

enum work_option { WORK_THREADS = 256, WORK_DRAIN, WORK_GRACE, WORK_KEEP };

static const struct option work_options[] = {
    {"threads", required_argument, NULL, WORK_THREADS},
    {"drain", no_argument, NULL, WORK_DRAIN},
    {"grace", required_argument, NULL, WORK_GRACE},
    {"keep-output", no_argument, NULL, WORK_KEEP},
    {NULL, 0, NULL, 0}};

static int
work_parse(struct work *w, int argc, char **argv)
{
    int option;
    int64_t n;

    while ((option = getopt_long(argc, argv, "", work_options, NULL)) != -1)
        switch (option) {
        case WORK_THREADS:
            if (!cli_parse_int(optarg, 1, 256, &n))
                return cli_usage(&cli_work, "--threads takes 1 to 256, not %s",
                                 optarg);
            w->threads = optarg;
            break;
        case WORK_DRAIN:
            w->drain = true;
            break;
        case WORK_GRACE:
            if (!cli_parse_span(optarg, &w->grace_ms) || w->grace_ms > 86400000)
                return cli_usage(
                    &cli_work, "--grace takes a span up to 1d, not %s", optarg);
            break;
        case WORK_KEEP:
            w->keep_output = true;
            break;
        default:
            return cli_usage_told(&cli_work);
        }
    if (argc - optind < 2)
        return cli_usage(&cli_work, "give STORE and QUEUE");
    return CLI_OK;
}

static int
work_run(int argc, char **argv)
{
    int at = work_program_at(argc, argv), rc;
    struct work w;

    memset(&w, 0, sizeof w);
    w.grace_ms = 30000;
    if (at + 1 >= argc)
        return cli_usage(&cli_work, "give -- and the PROGRAM to run");
    w.program = argv + at + 1;
    argv[at] = NULL;
    rc = work_parse(&w, at, argv);
    if (rc != CLI_OK)
        return rc;
    w.url = argv[optind];
    w.queue = argv[optind + 1];
    w.types = argv + optind + 2;
    w.n_types = at - optind - 2;
    rc = cli_child_find(w.program[0]);
    if (rc != 0) /* rather than to fail each job with it */
        return cli_error("%s: %s; no job was touched", w.program[0],
                         strerror(rc));
    return cli_finish(work_all(&w));
}

const struct cli_command cli_work = {
    "work", "STORE QUEUE [TYPE ...] [options] -- PROGRAM [ARG ...]",
    "Run a program for each job, until SIGTERM, SIGINT or SIGHUP",
    "The payload is on its standard input; PAWL_JOB_ID, PAWL_JOB_TYPE,\n"
    "PAWL_ATTEMPT and PAWL_QUEUE are in its environment. Exit code 0: done;\n"
    "75: put back for the least backoff, not counted; any other, or a signal: "
    "a\n"
    "failed attempt, with the end of its standard error as the reason. "
    "Without\n"
    "TYPE all types are taken. At a time-out or cancel the program's group "
    "gets\n"
    "SIGTERM, and SIGKILL 2 s later.\n"
    "  --threads N      programs at once; sets the queue's parallelism, for "
    "all\n"
    "                   processes and from then on\n"
    "  --drain          end when nothing is left to run\n"
    "  --grace SPAN     at a signal let running programs finish for so long;\n"
    "                   default 30s. A second signal ends them at once\n"
    "  --keep-output    keep standard output (64 KiB) as the job's result\n",
    work_run};
