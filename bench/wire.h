/* SPDX-License-Identifier: MIT */
/* wire.h - a server that a user might pick instead, started by us on a free
 * port of the loopback with its data in the benchmark's folder and ended by
 * us; and connections to it, of text lines and counted bytes over TCP. */
#ifndef PAWL_BENCH_WIRE_H
#define PAWL_BENCH_WIRE_H

#include "crew.h"

struct server {
    struct store base; /* path: its folder */
    pid_t pid;
    int port;
    struct crew *crew;
};

/* A connection; each thread has its own. */
struct wire {
    int fd;
    size_t at, n; /* of in: read up to, filled up to */
    size_t n_out; /* of out: to be sent */
    char in[131072];
    char out[65536];
};

/* Make the folder, fork, run exec in the child (it does not return), and wait
 * until the port answers. */
struct server *server_start(const struct setup *setup, struct bench *b,
                            const struct side *side,
                            void (*exec)(const struct server *server,
                                         const char *port));
void server_stop(struct server *server);

struct wire *wire_open(const struct server *server);
void wire_close(struct wire *w);

/* Gather bytes to send; they go when the buffer is full, or an answer is read.
 */
void wire_put(struct wire *w, const void *bytes, size_t n);
void wire_print(struct wire *w, const char *format, ...) BENCH_PRINTF(2, 3);
/* The next line of the answer, without its end; good until the next call. */
const char *wire_line(struct wire *w);
/* n bytes of the answer and the line end behind them; likewise. */
const char *wire_bytes(struct wire *w, size_t n);
/* Exit unless the next line begins with this. Returns the line. */
const char *wire_expect(struct wire *w, const char *begin);

/* A pusher with a connection. */
struct wire_pusher {
    struct pusher base;
    struct wire *wire;
};

struct pusher *wire_pusher_open(struct store *store);
void wire_pusher_close(struct pusher *pusher);
void wire_flush(struct pusher *pusher); /* all pushes were waited for */

#endif
