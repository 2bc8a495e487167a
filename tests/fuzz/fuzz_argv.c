/* SPDX-License-Identifier: MIT */
/* fuzz_argv.c - the command, with any arguments: the input, split at NULs and
 * newlines. Its main() is called by another name. What would run programs,
 * watch for ever or leave the folder is left out. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

int cli_main(int argc, char **argv);

static bool
fuzz_is_harmless(char **argv, int argc)
{
    int i;

    for (i = 0; i < argc; i++)
        if (strchr(argv[i], '/') != NULL || strstr(argv[i], "..") != NULL ||
            strstr(argv[i], "work") != NULL ||
            strncmp(argv[i], "--w", 3) == 0 || strlen(argv[i]) > 200)
            return false;
    return true;
}

/* What it prints goes nowhere; what it reads is empty. */
static void
fuzz_silence(void)
{
    static bool done;

    if (done)
        return;
    done = true;
    fuzz_must(freopen("/dev/null", "r", stdin) != NULL &&
                  freopen("/dev/null", "w", stdout) != NULL,
              "there is a /dev/null");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *at;
    char *argv[20] = {NULL};
    static char name[] = "pawl";
    int argc = 0, err = dup(STDERR_FILENO), nul;

    fuzz_silence();
    fuzz_must(chdir(fuzz_folder()) == 0, "the folder is there");
    argv[argc++] = name;
    for (at = text; at < text + size && argc < 18; at += strlen(at) + 1) {
        at[strcspn(at, "\n")] = '\0';
        argv[argc++] = at;
    }
    nul = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)dup2(nul, STDERR_FILENO);
    optind = 0; /* getopt_long() begins anew */
    if (fuzz_is_harmless(argv + 1, argc - 1))
        (void)cli_main(argc, argv);
    (void)dup2(err, STDERR_FILENO);
    (void)close(err);
    (void)close(nul);
    free(text);
    return 0;
}
