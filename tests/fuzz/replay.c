/* SPDX-License-Identifier: MIT */
/* replay.c - run inputs through a target without a fuzzer: the files named, and
 * those of the folders named. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

static long replayed;

static void
replay_file(const char *path)
{
    uint8_t *bytes = malloc(1u << 20);
    FILE *f = fopen(path, "rb");
    uint8_t *exact;
    size_t n, i;

    fuzz_must(f != NULL && bytes != NULL, path);
    n = fread(bytes, 1, 1u << 20, f);
    (void)fclose(f);
    exact = malloc(n + 1); /* so that reads beyond the end are seen */
    for (i = 0; i < n; i++)
        exact[i] = bytes[i];
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    free(bytes);
    replayed++;
}

static void
replay(const char *path)
{
    char inside[1000];
    struct dirent *e;
    struct stat st;
    DIR *dir;

    fuzz_must(stat(path, &st) == 0, path);
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path);
        return;
    }
    dir = opendir(path);
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        (void)snprintf(inside, sizeof inside, "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.')
            replay(inside);
    }
    if (dir != NULL)
        (void)closedir(dir);
}

int
main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%ld inputs\n", replayed);
    return replayed > 0 ? 0 : 1;
}
