/* SPDX-License-Identifier: MIT */
/* peer.c - see peer.h and wire.h. */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEER_START_MS 10000

static const struct peer_driver *
peer_driver(const struct peer_way *way)
{
    return way->kind == PEER_REDIS ? &peer_redis : &peer_beanstalkd;
}

/* ------------------------------------------------------------------ servers */

bool
peer_is_there(const struct peer_way *way)
{
    static const char *const dirs[] = {"/usr/bin", "/usr/sbin",
                                       "/usr/local/bin"};
    char path[256];
    size_t i;

    for (i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dirs[i],
                       peer_driver(way)->program);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static void
peer_address(struct sockaddr_in *a, int port)
{
    memset(a, 0, sizeof *a);
    a->sin_family = AF_INET;
    a->sin_port = htons((uint16_t)port);
    a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/* A port that nobody has just now. */
static int
peer_free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a;
    socklen_t bytes = sizeof a;

    peer_address(&a, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &bytes) != 0)
        bench_die("no free port: %s", strerror(errno));
    (void)close(fd);
    return ntohs(a.sin_port);
}

static _Noreturn void
peer_run(const struct peer *p)
{
    const struct peer_way *way = p->way;
    const char *program = peer_driver(way)->program;
    char port[16];
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setenv("PATH", "/usr/bin:/usr/sbin:/usr/local/bin", 1);
    if (null >= 0) {
        (void)dup2(null, 0);
        (void)dup2(null, 1);
        (void)dup2(null, 2);
    }
    (void)snprintf(port, sizeof port, "%d", p->port);
    if (way->kind == PEER_REDIS)
        (void)execlp(program, program, "--bind", "127.0.0.1", "--port", port,
                     "--dir", p->dir, "--save", "", "--appendonly", "yes",
                     "--appendfsync", way->durable ? "always" : "everysec",
                     (char *)NULL);
    else
        (void)execlp(program, program, "-l", "127.0.0.1", "-p", port, "-b",
                     p->dir, way->durable ? "-f0" : "-f1000", (char *)NULL);
    _exit(127);
}

static int
peer_connect(const struct peer *p)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in a;

    peer_address(&a, p->port);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one))
        bench_die("no socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

void
peer_start(struct bench *b, const struct peer_way *way, struct peer *p)
{
    int64_t until = bench_now_ns() + PEER_START_MS * 1000000LL;
    int fd;

    memset(p, 0, sizeof *p);
    p->way = way;
    p->port = peer_free_port();
    bench_new_path(b, p->dir);
    if (mkdir(p->dir, 0700) != 0)
        bench_die("%s: %s", p->dir, strerror(errno));
    p->pid = fork();
    if (p->pid < 0)
        bench_die("no process: %s", strerror(errno));
    if (p->pid == 0)
        peer_run(p);
    while ((fd = peer_connect(p)) < 0) {
        if (bench_now_ns() > until)
            bench_die("%s does not start", peer_driver(way)->program);
        bench_pause_ms(5);
    }
    (void)close(fd);
}

void
peer_stop(struct peer *p)
{
    int status;

    (void)kill(p->pid, SIGKILL);
    (void)waitpid(p->pid, &status, 0);
    bench_remove_tree(p->dir);
}

/* -------------------------------------------------------------- connections */

struct wire *
wire_open(const struct peer *p)
{
    struct wire *w = calloc(1, sizeof *w);

    if (w == NULL)
        bench_die("out of memory");
    w->peer = p;
    w->fd = peer_connect(p);
    if (w->fd < 0)
        bench_die("connect: %s", strerror(errno));
    return w;
}

void
wire_close(struct wire *w)
{
    (void)close(w->fd);
    free(w);
}

static void
wire_flush(struct wire *w)
{
    size_t at = 0;
    ssize_t n;

    while (at < w->n_out) {
        n = send(w->fd, w->out + at, w->n_out - at, MSG_NOSIGNAL);
        if (n <= 0)
            bench_die("send: %s", strerror(errno));
        at += (size_t)n;
    }
    w->n_out = 0;
}

void
wire_put(struct wire *w, const void *bytes, size_t n)
{
    if (w->n_out + n > sizeof w->out)
        wire_flush(w);
    memcpy(w->out + w->n_out, bytes, n);
    w->n_out += n;
}

void
wire_print(struct wire *w, const char *format, ...)
{
    char text[256];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    wire_put(w, text, (size_t)n);
}

/* Have at least one byte more to read. */
static void
wire_fill(struct wire *w)
{
    ssize_t n;

    wire_flush(w);
    if (w->at > 0) {
        memmove(w->in, w->in + w->at, w->n - w->at);
        w->n -= w->at;
        w->at = 0;
    }
    if (w->n == sizeof w->in)
        bench_die("the answer is too long");
    n = recv(w->fd, w->in + w->n, sizeof w->in - w->n, 0);
    if (n <= 0)
        bench_die("the server has gone");
    w->n += (size_t)n;
}

const char *
wire_bytes(struct wire *w, size_t n)
{
    const char *from;

    while (w->n - w->at < n + 2)
        wire_fill(w);
    from = w->in + w->at;
    w->at += n + 2;
    return from;
}

const char *
wire_line(struct wire *w)
{
    size_t seen = 0;
    char *end;

    while ((end = memchr(w->in + w->at + seen, '\n', w->n - w->at - seen)) ==
           NULL) {
        seen = w->n - w->at;
        wire_fill(w);
    }
    *end = '\0';
    if (end > w->in + w->at && end[-1] == '\r')
        end[-1] = '\0';
    seen = w->at;
    w->at = (size_t)(end - w->in) + 1;
    return w->in + seen;
}

const char *
wire_expect(struct wire *w, const char *begin)
{
    const char *line = wire_line(w);

    if (strncmp(line, begin, strlen(begin)) != 0)
        bench_die("the server says \"%s\", not \"%s\"", line, begin);
    return line;
}

/* --------------------------------------------------------------------- jobs */

void
peer_push(struct wire *w)
{
    peer_push_many(w, 1);
}

void
peer_push_many(struct wire *w, long n)
{
    const struct peer_driver *d = peer_driver(w->peer->way);
    long i;

    for (i = 0; i < n; i++)
        d->push(w);
    for (i = 0; i < n; i++)
        d->pushed(w);
}

long
peer_consume(struct wire *w)
{
    return peer_driver(w->peer->way)->consume(w, w->peer->way->batch);
}

long
peer_waiting(struct wire *w)
{
    return peer_driver(w->peer->way)->waiting(w);
}
