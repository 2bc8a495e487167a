/* SPDX-License-Identifier: MIT */
/* system.c - system calls of the library that fail on demand. The linker sends
 * the library's calls here (--wrap, see local.mk); SQLite's own go their way.
 */
#include "torture/system.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/types.h>

static bool (*system_hits)(void);

void
system_faults(bool (*hits)(void))
{
    system_hits = hits;
}

static bool
system_fails(int error)
{
    if (system_hits == NULL || !system_hits())
        return false;
    errno = error;
    return true;
}

/* The real call, ours in its place, and what it is for a caller that passed
 * the types of the C library: the same registers. */
#define SYSTEM(type_, name_, parameters_, arguments_, error_, failed_) \
    type_ __real_##name_ parameters_;                                  \
    type_ __wrap_##name_ parameters_;                                  \
    type_ __wrap_##name_ parameters_                                   \
    {                                                                  \
        if (system_fails(error_))                                      \
            return failed_;                                            \
        return __real_##name_ arguments_;                              \
    }

SYSTEM(int, open64, (const char *a, int b, unsigned c), (a, b, c), EMFILE, -1)
SYSTEM(int, fstat64, (int a, void *b), (a, b), EIO, -1)
SYSTEM(int, stat64, (const char *a, void *b), (a, b), EIO, -1)
SYSTEM(int, statx, (int a, const char *b, int c, unsigned d, void *e),
       (a, b, c, d, e), EIO, -1)
SYSTEM(int, statfs64, (const char *a, void *b), (a, b), EIO, -1)
SYSTEM(int, access, (const char *a, int b), (a, b), EACCES, -1)
SYSTEM(char *, realpath, (const char *a, char *b), (a, b), EIO, NULL)
SYSTEM(int, ftruncate64, (int a, int64_t b), (a, b), ENOSPC, -1)
SYSTEM(int, posix_fallocate64, (int a, int64_t b, int64_t c), (a, b, c), ENOSPC,
       ENOSPC)
SYSTEM(void *, mmap64, (void *a, size_t b, int c, int d, int e, int64_t f),
       (a, b, c, d, e, f), ENOMEM, MAP_FAILED)
SYSTEM(int, fcntl64, (int a, int b, void *c), (a, b, c), ENOLCK, -1)
SYSTEM(int, eventfd, (unsigned a, int b), (a, b), EMFILE, -1)
SYSTEM(int, timerfd_create, (int a, int b), (a, b), EMFILE, -1)
SYSTEM(int, inotify_init1, (int a), (a), EMFILE, -1)
SYSTEM(int, inotify_add_watch, (int a, const char *b, uint32_t c), (a, b, c),
       ENOSPC, -1)
SYSTEM(void *, opendir, (const char *a), (a), EMFILE, NULL)
SYSTEM(ssize_t, read, (int a, void *b, size_t c), (a, b, c), EIO, -1)
SYSTEM(ssize_t, pread64, (int a, void *b, size_t c, int64_t d), (a, b, c, d),
       EIO, -1)
SYSTEM(int, pthread_create, (void *a, const void *b, void *c, void *d),
       (a, b, c, d), EAGAIN, EAGAIN)
