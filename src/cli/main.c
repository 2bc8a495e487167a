/* SPDX-License-Identifier: MIT */
/* main.c - the pawl command: which command, and how it fails. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cli_command *const commands[] = {
    &cli_push,  &cli_work,   &cli_list,   &cli_show,  &cli_info,   &cli_queue,
    &cli_retry, &cli_cancel, &cli_reload, &cli_flush, &cli_doctor,
};
#define N_COMMANDS (sizeof commands / sizeof commands[0])

/* ------------------------------------------------------------------ failing */

/* The arguments may hold anything: what is printed of them is harmless. */
static void main_say(const char *format, va_list args)
    __attribute__((format(printf, 1, 0)));

static void
main_say(const char *format, va_list args)
{
    char text[1024];

    (void)vsnprintf(text, sizeof text, format, args);
    cli_put_text(stderr, text, strlen(text), 0);
    fputc('\n', stderr);
}

/* What to do next, where the library's sentence does not say it. */
static const char *
main_hint(int code)
{
    switch (code) {
    case PAWL_BUSY:
        return "another process holds the store; try again";
    case PAWL_EXISTS:
        return "nothing was pushed or changed; pawl show tells of that job";
    case PAWL_READONLY:
        return "Pawl writes the file and beside it: look at the permissions of "
               "both the file and its folder";
    case PAWL_CORRUPT:
        return "nothing was changed; is it the right file?";
    default:
        return NULL;
    }
}

int
cli_fail(const char *what, const pawl_error *err)
{
    const char *hint = main_hint(err->code);

    cli_progress_end();
    fputs("pawl: ", stderr);
    cli_put_text(stderr, what, strlen(what), 0);
    fputs(": ", stderr);
    cli_put_text(stderr, err->message, strlen(err->message), 0);
    if (hint != NULL)
        fprintf(stderr, "\n      %s", hint);
    fputc('\n', stderr);
    switch (err->code) {
    case PAWL_NOT_FOUND:
        return CLI_NOT_FOUND;
    case PAWL_BUSY:
        return CLI_BUSY;
    case PAWL_INVALID:
        return CLI_USAGE;
    default:
        return CLI_FAILED;
    }
}

int
cli_error(const char *format, ...)
{
    va_list args;

    cli_progress_end();
    flockfile(stderr); /* threads of the library call this too */
    fputs("pawl: ", stderr);
    va_start(args, format);
    main_say(format, args);
    va_end(args);
    funlockfile(stderr);
    return CLI_FAILED;
}

int
cli_usage_told(const struct cli_command *command)
{
    fprintf(stderr, "usage: pawl %s %s\ntry: pawl %s --help\n", command->name,
            command->usage, command->name);
    return CLI_USAGE;
}

int
cli_usage(const struct cli_command *command, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "pawl %s: ", command->name);
    va_start(args, format);
    main_say(format, args);
    va_end(args);
    return cli_usage_told(command);
}

int
cli_help(const struct cli_command *command)
{
    printf("usage: pawl %s %s\n\n%s.\n%s", command->name, command->usage,
           command->summary, command->help);
    return cli_finish(CLI_OK);
}

int
cli_finish(int code)
{
    const char *why = "it did not take all";
    bool full = ferror(stdout) != 0;

    if (fflush(stdout) != 0) {
        why = strerror(errno);
        full = true;
    }
    if (!full)
        return code;
    (void)cli_error("standard output: %s; what the command did in the store "
                    "stays done",
                    why);
    return code != CLI_OK ? code : CLI_FAILED;
}

/* ------------------------------------------------------------------ opening */

pawl_store *
cli_open(const char *url, enum cli_create create, const pawl_options *options,
         int *code)
{
    pawl_options o = PAWL_OPTIONS_INIT;
    pawl_store *store = NULL;
    pawl_error err;

    if (strncmp(url, "memory:", 7) == 0) {
        (void)cli_error("%s: such a store would end with this command; give "
                        "the path of a file",
                        url);
        *code = CLI_USAGE;
        return NULL;
    }
    if (options != NULL)
        o = *options;
    o.must_exist = create == CLI_MUST_EXIST;
    if (pawl_open(url, &o, &store, &err) == PAWL_OK)
        return store;
    *code = cli_fail(url, &err);
    if (err.code == PAWL_NOT_FOUND)
        fputs("      pawl push and pawl work make one\n", stderr);
    return NULL;
}

pawl_queue *
cli_open_queue(pawl_store *store, const char *name, int *code)
{
    pawl_queue *queue = NULL;
    pawl_error err;

    if (pawl_queue_open(store, name, &queue, &err) != PAWL_OK)
        *code = cli_fail(name, &err);
    return queue;
}

/* --------------------------------------------------------------------- main */

static int
main_help(FILE *out)
{
    size_t i;

    fputs("usage: pawl COMMAND STORE [QUEUE ...] [options]\n\n"
          "A durable job queue in a SQLite file.\n\n",
          out);
    for (i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nSTORE is the path of a SQLite file, made where it is missing by "
          "push, work and\n"
          "queue key=value. pawl COMMAND --help tells the options; pawl "
          "--version the version.\n"
          "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 busy.\n",
          out);
    return out == stdout ? cli_finish(CLI_OK) : CLI_USAGE;
}

static const struct cli_command *
main_find(const char *name)
{
    size_t i;

    for (i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    (void)cli_error("there is no command named %s; try: pawl --help", name);
    return NULL;
}

static bool
main_wants_help(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

/* Where a standard descriptor is closed, the next file to be opened would take
 * its number: the store, and what is printed would be written into it. Such a
 * descriptor is taken by one that can only be used the wrong way round. */
static bool
main_take_descriptors(void)
{
    int fd;

    for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

static int
main_run(const struct cli_command *command, int argc, char **argv)
{
    char name[32]; /* what getopt_long() begins its complaints with */

    if (command == NULL)
        return CLI_USAGE;
    if (main_wants_help(argc, argv))
        return cli_help(command);
    (void)snprintf(name, sizeof name, "pawl %s", command->name);
    argv[0] = name;
    return command->run(argc, argv);
}

int
main(int argc, char **argv)
{
    const struct cli_command *command;

    if (!main_take_descriptors())
        return CLI_FAILED;
    /* A reader that goes away is an error of write(), not our death. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* a line is one write */
    if (argc < 2)
        return main_help(stderr);
    if (strcmp(argv[1], "--version") == 0) {
        printf("pawl %s\n", pawl_version());
        return cli_finish(CLI_OK);
    }
    if (strcmp(argv[1], "--help") == 0)
        return main_help(stdout);
    if (strcmp(argv[1], "help") != 0)
        return main_run(main_find(argv[1]), argc - 1, argv + 1);
    if (argc < 3)
        return main_help(stdout);
    command = main_find(argv[2]);
    return command != NULL ? cli_help(command) : CLI_USAGE;
}
