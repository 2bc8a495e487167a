/* SPDX-License-Identifier: MIT */
/* cli.h - what the commands of pawl share. Built on <pawl.h> alone. */
#ifndef PAWL_CLI_H
#define PAWL_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "pawl.h"

/* What pawl(1) promises of exit codes. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_NOT_FOUND = 3,
    CLI_BUSY = 4
};

struct cli_command {
    const char *name;
    const char *usage;                 /* behind "pawl NAME " */
    const char *summary;               /* one line */
    const char *help;                  /* the options */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct cli_command cli_push, cli_work, cli_list, cli_show,
    cli_info, cli_queue, cli_retry, cli_cancel, cli_reload, cli_flush,
    cli_doctor;

/* "pawl: what: sentence" on standard error; the exit code. */
int cli_fail(const char *what, const pawl_error *err);
/* The same with a sentence of our own; CLI_FAILED. */
int cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "pawl NAME: sentence", and how to get help; CLI_USAGE. */
int cli_usage(const struct cli_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* How to get help, where getopt_long() has said already what is wrong. */
int cli_usage_told(const struct cli_command *command);
/* Print the command's help; CLI_OK. */
int cli_help(const struct cli_command *command);
/* Flush standard output: CLI_FAILED when it could not be written. */
int cli_finish(int code);

/* Open a store: PUSH and WORK may make it. options: NULL for the defaults. On
 * failure NULL, having told why. */
enum cli_create { CLI_MUST_EXIST, CLI_MAY_CREATE };
pawl_store *cli_open(const char *url, enum cli_create create,
                     const pawl_options *options, int *code);
/* Open a queue. On failure NULL, having told why. */
pawl_queue *cli_open_queue(pawl_store *store, const char *name, int *code);

/* ------------------------------------------------------------------- parse */

/* "90s", "15m", "30d", "500ms"; bare digits are seconds. */
bool cli_parse_span(const char *text, int64_t *ms);
/* "2026-12-24[ 18:00[:00[.123]]]" in local time, also with T; in UTC with Z,
 * "+01:00" or "-0500" behind it; "+2h" from now; "@seconds". */
bool cli_parse_time(const char *text, int64_t now_ms, int64_t *at_ms);
/* A whole number in min..max. */
bool cli_parse_int(const char *text, int64_t min, int64_t max, int64_t *n);
/* "failed,timeout" to a mask; 0 when a name is unknown. */
unsigned cli_parse_states(const char *text);
int64_t cli_now_ms(void);

/* ------------------------------------------------------------------- print */

#define CLI_TIME_TEXT 48

/* Is standard output a terminal that may get colours? */
bool cli_colours(void);
/* Text in which whatever a terminal obeys (control characters, bad bytes,
 * changes of the direction of writing) is made harmless: \x1b. At most max
 * bytes of it, 0: all. */
void cli_put_text(FILE *out, const void *text, size_t bytes, size_t max);
/* A JSON string with its quotes. Bad UTF-8 becomes U+FFFD. */
void cli_put_json(FILE *out, const void *text, size_t bytes);
/* "key": payload, as text where it is UTF-8, else base64 in another key. */
void cli_put_json_payload(FILE *out, const void *data, size_t bytes);
/* Local time, "2026-12-24 18:00:00.123"; "-" for 0. */
const char *cli_time_text(int64_t at_ms, char out[CLI_TIME_TEXT]);
/* "12s", "5m", "3h", "2d": the largest whole unit. */
const char *cli_span_text(int64_t ms, char out[CLI_TIME_TEXT]);
bool cli_is_utf8(const void *data, size_t bytes);

/* ---------------------------------------------------------------- progress */

/* A line on standard error that is written over, on a terminal only; n -1: no
 * number. Threads: any. */
void cli_progress(const char *what, int64_t n);
void cli_progress_end(void);

/* -------------------------------------------------------------------- lines */

/* Receives a line without its end. Returns CLI_OK to go on. */
typedef int (*cli_line_fn)(const char *line, size_t bytes, void *user);

/* Read fd to its end: each for a line, pause when no more has come for now.
 * A line of more than max bytes is told and ends it. */
int cli_read_lines(int fd, size_t max, cli_line_fn each,
                   int (*pause)(void *user), void *user);

/* ------------------------------------------------------------------- child */

#define CLI_TAIL_MAX 1000    /* bytes of standard error that are kept */
#define CLI_OUTPUT_MAX 65536 /* bytes of standard output that are kept */

struct cli_child {
    char *const *argv, *const *envp;
    const void *input; /* for its standard input */
    size_t input_bytes;
    int stop_fd; /* readable: ask must_stop; -1: ask now and then */
    bool (*must_stop)(void *user);
    void *user;
    bool keep_output; /* collect standard output; else it goes to ours */

    /* What became of it. */
    int start_errno;             /* not 0: it could not be started */
    int exit_code;               /* 0..255, or -1 when a signal ended it */
    int signal;                  /* 0, or the one that ended it */
    bool stopped;                /* we ended it */
    char tail[CLI_TAIL_MAX + 1]; /* the end of its standard error, as text */
    char *output;                /* its standard output, to be freed; or NULL */
};

/* Run a program, in a process group of its own, and wait for its end. When it
 * must stop, its group gets SIGTERM, and two seconds later SIGKILL. */
void cli_child_run(struct cli_child *child);

/* Can this program be found and run? 0, or an errno. */
int cli_child_find(const char *program);

#endif
