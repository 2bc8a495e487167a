/* SPDX-License-Identifier: MIT */
/* rng.c - random numbers: tokens, worker ids, jitter. */
#include "base/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"

#ifdef HAVE_SYS_RANDOM_H
#include <sys/random.h>
#endif

static int
rng_entropy(void *out, size_t bytes)
{
    ssize_t n = -1;
    int fd;

#ifdef HAVE_SYS_RANDOM_H
    n = getrandom(out, bytes, 0);
    if (n == (ssize_t)bytes)
        return 0;
#endif
    fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, out, bytes);
        (void)close(fd);
    }
    return n == (ssize_t)bytes ? 0 : -1;
}

void
pawl__rng_seed(struct pawl__rng *rng)
{
    struct timespec t;

    if (rng_entropy(rng->s, sizeof rng->s) != 0) {
        /* Better than nothing: clocks, process and stack differ. */
        (void)clock_gettime(CLOCK_REALTIME, &t);
        rng->s[0] = (uint64_t)t.tv_sec;
        rng->s[1] = (uint64_t)t.tv_nsec;
        rng->s[2] = (uint64_t)getpid();
        rng->s[3] = (uint64_t)(uintptr_t)&t;
    }
    if ((rng->s[0] | rng->s[1] | rng->s[2] | rng->s[3]) == 0)
        rng->s[0] = 1; /* the one state that it never leaves */
}

static uint64_t
rng_rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t
pawl__rng_next(struct pawl__rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rng_rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rng_rotate(s[3], 45);
    return result;
}

int64_t
pawl__rng_id(struct pawl__rng *rng)
{
    int64_t id;

    do
        id = (int64_t)(pawl__rng_next(rng) >> 1);
    while (id == 0);
    return id;
}

int64_t
pawl__rng_range(struct pawl__rng *rng, int64_t lo, int64_t hi)
{
    uint64_t span = (uint64_t)hi - (uint64_t)lo + 1;

    if (span == 0) /* all of int64_t */
        return (int64_t)pawl__rng_next(rng);
    /* The bias of % is at most span / 2^64: no one can see it here. */
    return (int64_t)((uint64_t)lo + pawl__rng_next(rng) % span);
}
