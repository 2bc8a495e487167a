/* SPDX-License-Identifier: MIT */
/* peer_redis.c - core-queue's commands, in the protocol of Redis.
 *
 * A member of the reserved set must be unique, so each payload begins with a
 * number, as the serialized jobs of core-queue have an id in them. */
#include "wire.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_long redis_number;

static void
redis_word(struct wire *w, const char *word)
{
    wire_print(w, "$%zu\r\n%s\r\n", strlen(word), word);
}

static void
redis_bytes(struct wire *w, const void *bytes, size_t n)
{
    wire_print(w, "$%zu\r\n", n);
    wire_put(w, bytes, n);
    wire_put(w, "\r\n", 2);
}

static void
redis_push(struct wire *w)
{
    char payload[BENCH_PAYLOAD_BYTES];

    memcpy(payload, bench_payload(), sizeof payload);
    (void)snprintf(payload, 17, "%016ld", atomic_fetch_add(&redis_number, 1));
    wire_print(w, "*3\r\n");
    redis_word(w, "LPUSH");
    redis_word(w, "waiting");
    redis_bytes(w, payload, sizeof payload);
}

static void
redis_pushed(struct wire *w)
{
    (void)wire_expect(w, ":");
}

/* The due ones among the delayed, as before each pop. */
static void
redis_look_for_due(struct wire *w)
{
    char now[32];

    (void)snprintf(now, sizeof now, "%lld", (long long)bench_wall_ms() / 1000);
    wire_print(w, "*7\r\n");
    redis_word(w, "ZREVRANGEBYSCORE");
    redis_word(w, "delayed");
    redis_word(w, now);
    redis_word(w, "-inf");
    redis_word(w, "LIMIT");
    redis_word(w, "0");
    redis_word(w, "100");
    (void)wire_expect(w, "*0");
}

/* The bytes of one answer; false: there is none. */
static bool
redis_read(struct wire *w, char *payload)
{
    const char *line = wire_expect(w, "$");
    long n = strtol(line + 1, NULL, 10);

    if (n < 0)
        return false;
    bench_equal("payload bytes", n, BENCH_PAYLOAD_BYTES);
    memcpy(payload, wire_bytes(w, (size_t)n), BENCH_PAYLOAD_BYTES);
    return true;
}

static long
redis_consume_one(struct wire *w)
{
    char payload[BENCH_PAYLOAD_BYTES];
    const char *line;

    redis_look_for_due(w);
    wire_print(w, "*3\r\n");
    redis_word(w, "BRPOP");
    redis_word(w, "waiting");
    redis_word(w, "1");
    line = wire_expect(w, "*");
    if (line[1] == '-')
        return 0;
    line = wire_expect(w, "$"); /* the list's name */
    (void)wire_bytes(w, (size_t)strtol(line + 1, NULL, 10));
    (void)redis_read(w, payload);
    wire_print(w, "*4\r\n");
    redis_word(w, "ZADD");
    redis_word(w, "reserved");
    redis_word(w, "3600");
    redis_bytes(w, payload, sizeof payload);
    (void)wire_expect(w, ":1");
    wire_print(w, "*3\r\n");
    redis_word(w, "ZREM");
    redis_word(w, "reserved");
    redis_bytes(w, payload, sizeof payload);
    (void)wire_expect(w, ":1");
    return 1;
}

static long
redis_take(struct wire *w, char (*payloads)[BENCH_PAYLOAD_BYTES], long batch)
{
    char count[32];
    long n, i;

    (void)snprintf(count, sizeof count, "%ld", batch);
    wire_print(w, "*3\r\n");
    redis_word(w, "RPOP");
    redis_word(w, "waiting");
    redis_word(w, count);
    n = strtol(wire_expect(w, "*") + 1, NULL, 10);
    for (i = 0; i < n; i++)
        (void)redis_read(w, payloads[i]);
    return n;
}

/* RPOP of many, then a ZADD and a ZREM for each, sent together. */
static long
redis_consume_batch(struct wire *w, long batch)
{
    char payloads[256][BENCH_PAYLOAD_BYTES];
    long n, i;

    if (batch > 256)
        batch = 256;
    n = redis_take(w, payloads, batch);
    for (i = 0; i < n; i++) {
        wire_print(w, "*4\r\n");
        redis_word(w, "ZADD");
        redis_word(w, "reserved");
        redis_word(w, "3600");
        redis_bytes(w, payloads[i], sizeof payloads[i]);
    }
    for (i = 0; i < n; i++)
        (void)wire_expect(w, ":1");
    for (i = 0; i < n; i++) {
        wire_print(w, "*3\r\n");
        redis_word(w, "ZREM");
        redis_word(w, "reserved");
        redis_bytes(w, payloads[i], sizeof payloads[i]);
    }
    for (i = 0; i < n; i++)
        (void)wire_expect(w, ":1");
    return n < 0 ? 0 : n;
}

static long
redis_consume(struct wire *w, long batch)
{
    return batch > 1 ? redis_consume_batch(w, batch) : redis_consume_one(w);
}

static long
redis_waiting(struct wire *w)
{
    wire_print(w, "*2\r\n");
    redis_word(w, "LLEN");
    redis_word(w, "waiting");
    return strtol(wire_expect(w, ":") + 1, NULL, 10);
}

const struct peer_driver peer_redis = {"redis-server", redis_push, redis_pushed,
                                       redis_consume, redis_waiting};
