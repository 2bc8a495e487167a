/* SPDX-License-Identifier: MIT */
/* clock.c - wall and monotonic milliseconds. */
#include "base/clock.h"

#include <time.h>

static int64_t
clock_ms(clockid_t id)
{
    struct timespec t;

    (void)clock_gettime(id, &t); /* cannot fail for these two clocks */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t
clock_system_wall(void *user)
{
    (void)user;
    return clock_ms(CLOCK_REALTIME);
}

static int64_t
clock_system_monotonic(void *user)
{
    (void)user;
    return clock_ms(CLOCK_MONOTONIC);
}

void
pawl__clock_init(struct pawl__clock *clock, const pawl_clock *own)
{
    clock->custom = own != NULL;
    if (own != NULL) {
        clock->c = *own;
        return;
    }
    clock->c.wall_ms = clock_system_wall;
    clock->c.monotonic_ms = clock_system_monotonic;
    clock->c.user = NULL;
}

/* A clock may say anything; sums and differences of what it says must not
 * overflow. */
static int64_t
clock_hold(int64_t t, int64_t min, int64_t max)
{
    return t < min ? min : t > max ? max : t;
}

int64_t
pawl__wall_ms(const struct pawl__clock *clock)
{
    return clock_hold(clock->c.wall_ms(clock->c.user), 0, PAWL__AT_MAX_MS);
}

int64_t
pawl__monotonic_ms(const struct pawl__clock *clock)
{
    return clock_hold(clock->c.monotonic_ms(clock->c.user), -INT64_MAX / 4,
                      INT64_MAX / 4);
}

int64_t
pawl__real_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
pawl__add_sat(int64_t a, int64_t b)
{
    if (b > 0 && a > INT64_MAX - b)
        return INT64_MAX;
    if (b < 0 && a < INT64_MIN - b)
        return INT64_MIN;
    return a + b;
}
