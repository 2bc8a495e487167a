/* SPDX-License-Identifier: MIT */
/* progress.c - one line on standard error that is written over while long work
 * runs. Only on a terminal: logs and pipes get nothing of it. */
#include "cli.h"

#include <stdatomic.h>
#include <unistd.h>

/* Errors, which may come from any thread, wipe the line first. */
static atomic_bool progress_shown;

void
cli_progress(const char *what, int64_t n)
{
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r%s", what);
    if (n >= 0)
        fprintf(stderr, " %lld", (long long)n);
    fputs(" ...\033[K", stderr);
    fflush(stderr);
    atomic_store(&progress_shown, true);
}

void
cli_progress_end(void)
{
    if (!atomic_exchange(&progress_shown, false))
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr); /* before standard output, on the same terminal */
}
