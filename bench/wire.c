/* SPDX-License-Identifier: MIT */
/* wire.c - see wire.h. */
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

#define SERVER_START_MS 10000

/* ------------------------------------------------------------------ servers */

static void
server_address(struct sockaddr_in *a, int port)
{
    memset(a, 0, sizeof *a);
    a->sin_family = AF_INET;
    a->sin_port = htons((uint16_t)port);
    a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/* A port that nobody has just now. */
static int
server_free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a;
    socklen_t bytes = sizeof a;

    server_address(&a, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &bytes) != 0)
        bench_die("no free port: %s", strerror(errno));
    (void)close(fd);
    return ntohs(a.sin_port);
}

/* -1: nobody answers. */
static int
server_connect(const struct server *s)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in a;

    server_address(&a, s->port);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one))
        bench_die("no socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

_Noreturn static void
server_child(const struct server *s,
             void (*exec)(const struct server *server, const char *port))
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    char port[16];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setenv("PATH", side_program(s->base.side->needs), 1);
    if (null >= 0) {
        (void)dup2(null, 0);
        (void)dup2(null, 1);
        (void)dup2(null, 2);
    }
    (void)snprintf(port, sizeof port, "%d", s->port);
    exec(s, port);
    _exit(127);
}

static void
server_await(const struct server *s)
{
    int64_t until = bench_now_ns() + SERVER_START_MS * 1000000LL;
    int fd;

    while ((fd = server_connect(s)) < 0) {
        if (bench_now_ns() > until)
            bench_die("%s does not start", s->base.side->needs);
        bench_pause_us(2000);
    }
    (void)close(fd);
}

struct server *
server_start(const struct setup *setup, struct bench *b,
             const struct side *side,
             void (*exec)(const struct server *server, const char *port))
{
    struct server *s = side_base(setup, b, side, sizeof *s);

    s->port = server_free_port();
    if (mkdir(s->base.path, 0700) != 0)
        bench_die("%s: %s", s->base.path, strerror(errno));
    (void)fflush(stdout);
    s->pid = fork();
    if (s->pid < 0)
        bench_die("no process: %s", strerror(errno));
    if (s->pid == 0)
        server_child(s, exec);
    server_await(s);
    return s;
}

void
server_stop(struct server *s)
{
    int status;

    (void)kill(s->pid, SIGKILL);
    (void)waitpid(s->pid, &status, 0);
    bench_remove_tree(s->base.path);
    free(s);
}

/* -------------------------------------------------------------- connections */

struct wire *
wire_open(const struct server *server)
{
    struct wire *w = bench_alloc(1, sizeof *w);

    w->fd = server_connect(server);
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
wire_send(struct wire *w)
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
        wire_send(w);
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

    wire_send(w);
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

/* ------------------------------------------------------------------ pushers */

struct pusher *
wire_pusher_open(struct store *store)
{
    struct wire_pusher *p = bench_alloc(1, sizeof *p);

    p->wire = wire_open((struct server *)store);
    return &p->base;
}

void
wire_pusher_close(struct pusher *pusher)
{
    wire_close(((struct wire_pusher *)pusher)->wire);
    free(pusher);
}

void
wire_flush(struct pusher *pusher)
{
    (void)pusher;
}
