/* SPDX-License-Identifier: MIT */
/* lines.c - read lines as they come.
 *
 * Not stdio, which cannot say whether more is there already: with a producer
 * that writes a line now and then (tail -f), what has come must go on its way
 * at once and not wait until a batch is full. */
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lines {
    char *data;
    size_t room, n, max;
    int64_t count;
    cli_line_fn each;
    void *user;
};

static int
lines_one(struct lines *l, const char *line, size_t bytes)
{
    l->count++;
    if (bytes <= l->max)
        return l->each(line, bytes, l->user);
    (void)cli_error("line %lld has more than %zu bytes", (long long)l->count,
                    l->max);
    return CLI_USAGE; /* as with any payload that is too big */
}

/* Give out the whole lines; what is left moves to the front. */
static int
lines_give(struct lines *l, bool eof)
{
    char *at = l->data, *end = l->data + l->n, *stop;
    int code = CLI_OK;

    while (code == CLI_OK &&
           (stop = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        code = lines_one(l, at, (size_t)(stop - at));
        at = stop + 1;
    }
    l->n = (size_t)(end - at);
    memmove(l->data, at, l->n);
    /* The last line need have no end; one that is too long gets none. */
    if (code == CLI_OK && l->n > (eof ? 0 : l->max))
        code = lines_one(l, l->data, l->n);
    return code;
}

/* Is there more (or the end) within ms? -1: wait for it. */
static bool
lines_more(int fd, int ms)
{
    struct pollfd p = {fd, POLLIN, 0};

    return poll(&p, 1, ms) > 0;
}

static bool
lines_again(int fd)
{
    if (errno == EAGAIN) /* somebody made it non-blocking */
        (void)lines_more(fd, -1);
    return errno == EAGAIN || errno == EINTR;
}

/* One read. *eof: there is no more. */
static int
lines_read(struct lines *l, int fd, bool *eof)
{
    ssize_t n;

    do
        n = read(fd, l->data + l->n, l->room - l->n);
    while (n < 0 && lines_again(fd));
    if (n < 0)
        return cli_error("standard input: %s", strerror(errno));
    *eof = n == 0;
    l->n += (size_t)n;
    return lines_give(l, *eof);
}

int
cli_read_lines(int fd, size_t max, cli_line_fn each, int (*pause)(void *user),
               void *user)
{
    struct lines l = {NULL, max + 65536, 0, max, 0, each, user};
    bool eof = false;
    int code = CLI_OK;

    l.data = malloc(l.room);
    if (l.data == NULL)
        return cli_error("out of memory");
    while (code == CLI_OK && !eof) {
        code = lines_read(&l, fd, &eof);
        if (code == CLI_OK && !eof && !lines_more(fd, 0))
            code = pause(user);
    }
    free(l.data);
    return code;
}
