/* SPDX-License-Identifier: MIT */
/* wire.h - a connection to a peer: text lines and counted bytes over TCP. */
#ifndef PAWL_BENCH_WIRE_H
#define PAWL_BENCH_WIRE_H

#include "peer.h"

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

/* What peer.c chooses from. */
struct peer_driver {
    const char *program;
    void (*push)(struct wire *w); /* sends only */
    void (*pushed)(struct wire *w);
    long (*consume)(struct wire *w, long batch);
    long (*waiting)(struct wire *w);
};

extern const struct peer_driver peer_redis, peer_beanstalkd;

#endif
