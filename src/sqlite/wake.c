/* SPDX-License-Identifier: MIT */
/* wake.c - wait for commits of others, deaths, and due times.
 *
 * One thread sleeps in poll() on four descriptors, and uses no CPU meanwhile:
 *   event_fd  interrupt() from our own process
 *   wal_fd    inotify: somebody wrote to the -wal. Polled only with watch, so
 *             that a busy process does not wake at its own commits.
 *   side_fd   inotify: somebody closed the side file, as the kernel does for
 *             the dead (the lock is dropped a moment later), or rang there
 *             after a commit.
 *   timer_fd  the wall clock's due time; also fires when the clock is set.
 *
 * After an event PRAGMA data_version of the write connection says whether
 * another program committed: commits of our own do not change it. A program
 * that knows nothing of Pawl does not ring, but it writes the log, and does so
 * before its commit shows (the sync comes between). Whether it is through is
 * told by the write lock: while that is taken we look again after a pause.
 * A commit between a claim that found nothing and this call is not missed: a
 * wait with watch asks for a ring, and then looks, before it sleeps. Without
 * inotify it looks from time to time.
 *
 * Locks: only one thread waits. It tries write_mu, and waits for nobody.
 * interrupt() only writes to event_fd. */
#include "sqlite/wake.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "sqlite/conn.h"

#define WAKE_BLIND_NS 20000000L /* how often to look without inotify */
#define WAKE_OWN_NS 1000000L    /* pause while one of ours commits */
#define WAKE_OTHER_NS 50000L    /* pause while another program does */
#define WAKE_OTHER_QUICK 60     /* so many times; then it doubles */
#define WAKE_SLACK_NS 1000UL
#define WAKE_OTHER_LAST_NS 20000000L

/* Beside enum pawl__wait, and only within this file: */
#define WAKE_DUE 256  /* the timer: due, or the clock was set */
#define WAKE_LOOK 512 /* the log was written, or somebody rang */

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
    /* Pauses are short, and by default the kernel makes them 50 us longer. The
     * thread that waits is the store's own. */
    (void)prctl(PR_SET_TIMERSLACK, WAKE_SLACK_NS, 0, 0, 0);
    w->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    w->wal_fd = wake_inotify(s->wal_path, IN_MODIFY);
    w->side_fd = wake_inotify(s->side_path, IN_CLOSE_WRITE | IN_MODIFY);
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

/* Read everything there is to read: was there anything? */
static bool
wake_drain(int fd)
{
    char bytes[4096];
    bool any = false;

    if (fd >= 0)
        while (read(fd, bytes, sizeof bytes) > 0)
            any = true;
    return any;
}

/* Was there a death, or a ring? */
static int
wake_read_side(int fd)
{
    _Alignas(struct inotify_event) char bytes[4096];
    const struct inotify_event *e;
    ssize_t n, at;
    int mask = 0;

    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        for (at = 0; at < n; at += (ssize_t)(sizeof *e + e->len)) {
            e = (const void *)(bytes + at);
            if (e->mask & IN_MODIFY)
                mask |= WAKE_LOOK;
            if (e->mask & ~(uint32_t)IN_MODIFY)
                mask |= PAWL__WAIT_DEATH;
        }
    return mask;
}

/* ------------------------------------------------------------------- looks */

enum wake_look {
    WAKE_SAME,    /* nobody else has committed since the last look */
    WAKE_CHANGED, /* somebody has */
    WAKE_OWN,     /* one of ours holds the connection: look again */
    WAKE_OTHER    /* somebody writes: look again */
};

/* Has data_version changed? Holds write_mu. */
static bool
wake_version(struct pawl__sqlite *s)
{
    pawl_error ignored;
    sqlite3_stmt *st = pawl__stmt(&s->w, PAWL__STMT_DATA_VERSION, &ignored);
    int64_t before = s->wake.version;

    if (st == NULL)
        return false; /* the tick looks again */
    if (sqlite3_step(st) == SQLITE_ROW)
        s->wake.version = sqlite3_column_int64(st, 0);
    pawl__stmt_done(st);
    return s->wake.version != before;
}

/* The log was written, and there is no commit: look with the write lock, which
 * whoever writes to the log holds until his commit shows. Holds write_mu. */
static enum wake_look
wake_look_locked(struct pawl__sqlite *s)
{
    pawl_error ignored;
    bool changed;
    int rc;

    pawl__conn_impatience(&s->w);
    rc = pawl__stmt_run_ints(&s->w, PAWL__STMT_BEGIN_WRITE, 0, 0, "look",
                             &ignored);
    if (rc == PAWL_BUSY)
        return WAKE_OTHER;
    changed = wake_version(s);
    if (rc == PAWL_OK)
        (void)pawl__stmt_run_ints(&s->w, PAWL__STMT_ROLLBACK, 0, 0, "end",
                                  &ignored);
    s->wake.written = false;
    return changed ? WAKE_CHANGED : WAKE_SAME;
}

static enum wake_look
wake_look(struct pawl__sqlite *s)
{
    enum wake_look found = WAKE_SAME;

    if (wake_drain(s->wake.wal_fd))
        s->wake.written = true;
    if (!pawl__trylock(&s->write_mu))
        return WAKE_OWN;
    if (wake_version(s))
        found = WAKE_CHANGED;
    else if (s->wake.written && s->wake.n_commits != s->n_commits)
        found = WAKE_OWN; /* it was probably us: be sure when we are through */
    else if (s->wake.written)
        found = wake_look_locked(s);
    s->wake.n_commits = s->n_commits;
    pawl__unlock(&s->write_mu);
    return found;
}

/* How long to sleep after a look, at most ns. n counts the looks. */
static int64_t
wake_pause(const struct pawl__wake *w, enum wake_look found, int n, int64_t ns)
{
    int64_t pause = ns;

    if (found == WAKE_OWN)
        pause = WAKE_OWN_NS;
    else if (found == WAKE_OTHER)
        pause = n < WAKE_OTHER_QUICK ? WAKE_OTHER_NS
                : n < WAKE_OTHER_QUICK + 9
                    ? WAKE_OTHER_NS << (n - WAKE_OTHER_QUICK)
                    : WAKE_OTHER_LAST_NS;
    else if (w->wal_fd < 0)
        pause = WAKE_BLIND_NS;
    return pause < ns ? pause : ns;
}

/* ------------------------------------------------------------------ sleep */

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

/* Sleep until something happens; what did, as a mask. */
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
        (void)wake_drain(w->event_fd);
        mask |= PAWL__WAIT_INTERRUPT;
    }
    if (fds[WAKE_SIDE].revents != 0)
        mask |= wake_read_side(w->side_fd);
    if (fds[WAKE_WAL].revents != 0)
        mask |= WAKE_LOOK;
    if (fds[WAKE_TIMER].revents != 0) {
        (void)wake_drain(w->timer_fd);
        mask |= WAKE_DUE;
    }
    return mask;
}

int
pawl__sqlite_wait(void *self, int64_t until_at_ms, int64_t max_ms, bool watch)
{
    struct pawl__sqlite *s = self;
    int64_t now = pawl__real_us();
    int64_t until = pawl__add_sat(now, max_ms > 0 ? max_ms * 1000 : 0);
    enum wake_look found = WAKE_SAME;
    int mask = 0, n = 0;

    if (pawl__wall_ms(s->env.clock) >= until_at_ms)
        return PAWL__WAIT_TIME;
    if (!s->wake.watching)
        wake_watch(s);
    wake_set_timer(s, until_at_ms);
    do {
        if (watch) {
            pawl__side_await(&s->side);
            found = wake_look(s);
        }
        if (found == WAKE_CHANGED)
            return PAWL__WAIT_WORK;
        mask = wake_poll(&s->wake,
                         wake_pause(&s->wake, found, n++, (until - now) * 1000),
                         watch && found == WAKE_SAME);
        mask &= ~WAKE_LOOK;
        now = pawl__real_us();
    } while (mask == 0 && now < until);
    return mask & ~WAKE_DUE;
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
