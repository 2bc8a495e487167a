/* SPDX-License-Identifier: MIT */
/* wake.c - wait for commits of others, deaths, and due times.
 *
 * One thread sleeps in poll() on four descriptors, and uses no CPU meanwhile:
 *   event_fd  interrupt() from our own process
 *   wal_fd    inotify: somebody wrote to the -wal. Polled only with watch, so
 *             that a busy process does not wake at its own commits.
 *   side_fd   inotify: somebody closed the side file, as the kernel does for
 *             the dead. The lock is dropped a moment later.
 *   timer_fd  the wall clock's due time; also fires when the clock is set.
 *
 * The log is written before the commit shows (the sync comes between), so
 * after an event PRAGMA data_version is read again with growing pauses until
 * it has changed. Where a wait with watch finds it changed since the last one,
 * it returns at once: a commit between a claim that found nothing and this
 * call is not missed. Without inotify data_version is polled.
 *
 * Locks: none; only one thread waits. interrupt() only writes to event_fd. */
#include "sqlite/wake.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "sqlite/look.h"

#define WAKE_FALLBACK_POLL_MS 20
#define WAKE_LOOK_FIRST_NS 50000L   /* pause after an event */
#define WAKE_LOOK_QUICK 30          /* so many times; then it doubles */
#define WAKE_LOOK_LAST_NS 20000000L /* longest; then on until max_ms */

static int
wake_inotify(const char *path, uint32_t mask)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (fd >= 0 && inotify_add_watch(fd, path, mask) < 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

int
pawl__wake_init(struct pawl__sqlite *s, pawl_error *err)
{
    struct pawl__wake *w = &s->wake;

    w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->event_fd < 0)
        return pawl__fail(err, PAWL_IO, errno,
                          "make an eventfd: %s; this process may have too many "
                          "open files",
                          strerror(errno));
    return PAWL_OK;
}

/* Not before the first wait: a program that only pushes needs none of them,
 * and to close an inotify descriptor takes the kernel several ms. */
static void
wake_watch(struct pawl__sqlite *s)
{
    struct pawl__wake *w = &s->wake;

    w->watching = true;
    w->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    w->wal_fd = wake_inotify(s->wal_path, IN_MODIFY);
    w->side_fd = wake_inotify(s->side_path, IN_CLOSE_WRITE);
}

void
pawl__wake_clear(struct pawl__wake *w)
{
    const int fds[] = {w->event_fd, w->wal_fd, w->side_fd, w->timer_fd};
    size_t i;

    for (i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

/* Read everything there is to read. */
static void
wake_drain(int fd)
{
    char bytes[4096];

    if (fd >= 0)
        while (read(fd, bytes, sizeof bytes) > 0)
            ;
}

/* Has anybody committed since the last look? An error counts as a change: the
 * claim that follows will meet it and tell. */
static bool
wake_changed(struct pawl__sqlite *s)
{
    pawl_error err;
    int64_t version = 0;
    bool changed;

    memset(&err, 0, sizeof err);
    if (pawl__look_version(s, &version, &err) != PAWL_OK)
        return false; /* busy, or poisoned: the tick looks again */
    changed = version != s->wake.version;
    s->wake.version = version;
    return changed;
}

static void
wake_set_timer(struct pawl__sqlite *s, int64_t until_at_ms)
{
    struct itimerspec it;
    int64_t at = until_at_ms;

    if (s->wake.timer_fd < 0)
        return;
    if (s->env.clock->custom || at > PAWL__AT_MAX_MS)
        at = PAWL__AT_MAX_MS; /* still tells when the clock is set */
    if (at < 1)
        at = 1;
    memset(&it, 0, sizeof it);
    it.it_value.tv_sec = (time_t)(at / 1000);
    it.it_value.tv_nsec = (long)(at % 1000) * 1000000L;
    (void)timerfd_settime(s->wake.timer_fd,
                          TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &it,
                          NULL);
}

enum wake_source { WAKE_EVENT, WAKE_SIDE, WAKE_TIMER, WAKE_WAL, WAKE_N };

/* Sleep until something happens; what did, as a mask of enum pawl__wait. WORK
 * means only that the log was written. */
static int
wake_poll(struct pawl__wake *w, int64_t max_ns, bool watch)
{
    struct pollfd fds[WAKE_N];
    struct timespec ts;
    int n, mask = 0;

    memset(fds, 0, sizeof fds);
    fds[WAKE_EVENT].fd = w->event_fd;
    fds[WAKE_SIDE].fd = w->side_fd; /* poll() skips negative ones */
    fds[WAKE_TIMER].fd = w->timer_fd;
    fds[WAKE_WAL].fd = watch ? w->wal_fd : -1;
    for (n = 0; n < WAKE_N; n++)
        fds[n].events = POLLIN;
    ts.tv_sec = (time_t)(max_ns / 1000000000);
    ts.tv_nsec = (long)(max_ns % 1000000000);
    n = ppoll(fds, WAKE_N, &ts, NULL);
    if (n <= 0)
        return 0;
    if (fds[WAKE_EVENT].revents != 0) {
        wake_drain(w->event_fd);
        mask |= PAWL__WAIT_INTERRUPT;
    }
    if (fds[WAKE_SIDE].revents != 0) {
        wake_drain(w->side_fd);
        mask |= PAWL__WAIT_DEATH;
    }
    if (fds[WAKE_WAL].revents != 0) {
        wake_drain(w->wal_fd);
        mask |= PAWL__WAIT_WORK;
    }
    if (fds[WAKE_TIMER].revents != 0) {
        wake_drain(w->timer_fd);
        mask |= 1 << 8; /* due, or the clock was set: end the wait */
    }
    return mask;
}

/* The log was written: look until the commit shows, something else happens, or
 * the time is over. */
static int
wake_look(struct pawl__sqlite *s, int64_t until_us)
{
    int64_t pause_ns = WAKE_LOOK_FIRST_NS;
    int mask, n;

    for (n = 1; pawl__real_us() < until_us; n++) {
        if (wake_changed(s))
            return PAWL__WAIT_WORK;
        mask = wake_poll(&s->wake, pause_ns, false);
        if (mask != 0)
            return mask;
        if (n >= WAKE_LOOK_QUICK && pause_ns < WAKE_LOOK_LAST_NS)
            pause_ns *= 2;
    }
    return 0;
}

int
pawl__sqlite_wait(void *self, int64_t until_at_ms, int64_t max_ms, bool watch)
{
    struct pawl__sqlite *s = self;
    int64_t now = pawl__real_us();
    int64_t until = pawl__add_sat(now, max_ms > 0 ? max_ms * 1000 : 0);
    int64_t slice;
    int mask;

    if (pawl__wall_ms(s->env.clock) >= until_at_ms)
        return PAWL__WAIT_TIME;
    if (!s->wake.watching)
        wake_watch(s);
    wake_set_timer(s, until_at_ms);
    if (watch) {
        wake_drain(s->wake.wal_fd);
        if (wake_changed(s))
            return PAWL__WAIT_WORK;
    }
    for (; now < until; now = pawl__real_us()) {
        slice = (until - now) * 1000;
        if (watch && s->wake.wal_fd < 0 &&
            slice > WAKE_FALLBACK_POLL_MS * 1000000LL)
            slice = WAKE_FALLBACK_POLL_MS * 1000000LL;
        mask = wake_poll(&s->wake, slice, watch);
        if (mask == PAWL__WAIT_WORK)
            mask = wake_look(s, until);
        else if (mask == 0 && watch && s->wake.wal_fd < 0 && wake_changed(s))
            mask = PAWL__WAIT_WORK;
        if (mask != 0)
            return mask & ~(1 << 8);
    }
    return PAWL__WAIT_TIME;
}

void
pawl__sqlite_interrupt(void *self)
{
    struct pawl__sqlite *s = self;
    const uint64_t one = 1;
    ssize_t n;

    do
        n = write(s->wake.event_fd, &one, sizeof one);
    while (n < 0 && errno == EINTR); /* EAGAIN: it is set already */
}
