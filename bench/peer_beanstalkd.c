/* SPDX-License-Identifier: MIT */
/* peer_beanstalkd.c - put, reserve and delete, in beanstalkd's protocol. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
beanstalkd_push(struct wire *w)
{
    wire_print(w, "put 0 0 60 %d\r\n", BENCH_PAYLOAD_BYTES);
    wire_put(w, bench_payload(), BENCH_PAYLOAD_BYTES);
    wire_put(w, "\r\n", 2);
}

static void
beanstalkd_pushed(struct wire *w)
{
    (void)wire_expect(w, "INSERTED");
}

/* 0: there was none. */
static unsigned long
beanstalkd_reserved(struct wire *w)
{
    const char *line = wire_line(w);
    unsigned long id;
    size_t bytes;

    if (strcmp(line, "TIMED_OUT") == 0)
        return 0;
    if (sscanf(line, "RESERVED %lu %zu", &id, &bytes) != 2)
        bench_die("the server says \"%s\"", line);
    (void)wire_bytes(w, bytes);
    return id;
}

static long
beanstalkd_consume(struct wire *w, long batch)
{
    unsigned long id, ids[256];
    long i, n = 0;

    if (batch > 256)
        batch = 256;
    for (i = 0; i < batch; i++)
        wire_print(w, "reserve-with-timeout 0\r\n");
    for (i = 0; i < batch; i++) {
        id = beanstalkd_reserved(w);
        if (id != 0)
            ids[n++] = id;
    }
    for (i = 0; i < n; i++)
        wire_print(w, "delete %lu\r\n", ids[i]);
    for (i = 0; i < n; i++)
        (void)wire_expect(w, "DELETED");
    return n;
}

static long
beanstalkd_waiting(struct wire *w)
{
    static const char key[] = "current-jobs-ready: ";
    const char *at, *text;
    char copy[4096];
    size_t bytes;

    wire_print(w, "stats\r\n");
    if (sscanf(wire_expect(w, "OK"), "OK %zu", &bytes) != 1 ||
        bytes >= sizeof copy)
        bench_die("no statistics");
    text = wire_bytes(w, bytes);
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    at = strstr(copy, key);
    if (at == NULL)
        bench_die("no count of jobs in the statistics");
    return strtol(at + sizeof key - 1, NULL, 10);
}

const struct peer_driver peer_beanstalkd = {
    "beanstalkd", beanstalkd_push, beanstalkd_pushed, beanstalkd_consume,
    beanstalkd_waiting};
