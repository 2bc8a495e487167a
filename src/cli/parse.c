/* SPDX-License-Identifier: MIT */
/* parse.c - spans, times, numbers, states. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PARSE_SPAN_MAX 3155760000000LL /* 100 years, as the library has it */

int64_t
cli_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Digits at *text, moved past; -1 where there is none, or too many. */
static int64_t
parse_digits(const char **text)
{
    int64_t n = 0;

    if (**text < '0' || **text > '9')
        return -1;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        if (n > (INT64_MAX - (**text - '0')) / 10)
            return -1;
        n = n * 10 + (**text - '0');
    }
    return n;
}

bool
cli_parse_span(const char *text, int64_t *ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"", 1000},        {"ms", 1},      {"s", 1000},
                 {"m", 60000},      {"h", 3600000}, {"d", 86400000LL},
                 {"w", 604800000LL}};
    int64_t n = parse_digits(&text);
    size_t i;

    for (i = 0; n >= 0 && i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text, units[i].unit) == 0) {
            if (n > PARSE_SPAN_MAX / units[i].ms)
                return false;
            *ms = n * units[i].ms;
            return true;
        }
    return false;
}

bool
cli_parse_int(const char *text, int64_t min, int64_t max, int64_t *n)
{
    bool negative = *text == '-';
    int64_t value;

    if (negative)
        text++;
    value = parse_digits(&text);
    if (value < 0 || *text != '\0')
        return false;
    *n = negative ? -value : value;
    return *n >= min && *n <= max;
}

/* ".5", ".123": the part of a second, at *text, moved past. */
static bool
parse_fraction(const char **text, int64_t *ms)
{
    int64_t unit = 100;

    *ms = 0;
    if (**text != '.')
        return true;
    for ((*text)++; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
        *ms += unit * (**text - '0'); /* finer than a millisecond: nothing */
    return (*text)[-1] != '.';
}

/* "Z", "+01:00", "-0500": seconds east of UTC; false when it is none. */
static bool
parse_zone(const char *text, int64_t *east_s)
{
    int sign = *text == '-' ? -1 : 1, digits[4], i;

    *east_s = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    if (*text != '+' && *text != '-')
        return false;
    for (text++, i = 0; i < 4; i++, text++) {
        if (i == 2 && *text == ':')
            text++;
        if (*text < '0' || *text > '9')
            return false;
        digits[i] = *text - '0';
    }
    *east_s = sign * (digits[0] * 36000 + digits[1] * 3600 + digits[2] * 600 +
                      digits[3] * 60);
    return *text == '\0' && digits[2] < 6 && digits[0] * 10 + digits[1] < 24;
}

/* Broken-down time and what stands behind it, to milliseconds. */
static bool
parse_finish(struct tm *tm, const char *rest, int64_t *at_ms)
{
    struct tm asked = *tm;
    int64_t ms, east_s = 0;
    time_t t;

    if (!parse_fraction(&rest, &ms) ||
        (*rest != '\0' && !parse_zone(rest, &east_s)))
        return false;
    t = *rest != '\0' ? timegm(tm) : mktime(tm);
    *at_ms = ((int64_t)t - east_s) * 1000 + ms;
    /* They would make March 2 of February 30. */
    return *at_ms >= 0 && tm->tm_mday == asked.tm_mday &&
           tm->tm_mon == asked.tm_mon;
}

/* A calendar time; false when it is none. */
static bool
parse_calendar(const char *text, int64_t *at_ms)
{
    static const char *const forms[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
                                        "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
                                        "%Y-%m-%d"};
    const char *rest;
    struct tm tm;
    size_t i;

    for (i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        memset(&tm, 0, sizeof tm);
        tm.tm_isdst = -1;
        rest = strptime(text, forms[i], &tm);
        if (rest != NULL && parse_finish(&tm, rest, at_ms))
            return true;
    }
    return false;
}

bool
cli_parse_time(const char *text, int64_t now_ms, int64_t *at_ms)
{
    int64_t n;

    if (*text == '+') {
        if (!cli_parse_span(text + 1, &n))
            return false;
        *at_ms = now_ms + n;
        return true;
    }
    if (*text == '@') {
        if (!cli_parse_int(text + 1, 0, 7258118400LL, &n))
            return false;
        *at_ms = n * 1000;
        return true;
    }
    return parse_calendar(text, at_ms);
}

/* The state whose name is the n bytes at text, or 0. */
static unsigned
parse_state(const char *text, size_t n)
{
    const char *name;
    unsigned bit;

    for (bit = 1; bit <= PAWL_CANCELLED; bit <<= 1) {
        name = pawl_state_name((int)bit);
        if (strlen(name) == n && strncmp(text, name, n) == 0)
            return bit;
    }
    return 0;
}

unsigned
cli_parse_states(const char *text)
{
    unsigned mask = 0, bit;
    size_t n;

    for (;; text += n + 1) {
        n = strcspn(text, ",");
        bit = parse_state(text, n);
        mask |= bit;
        if (bit == 0)
            return 0;
        if (text[n] == '\0')
            return mask;
    }
}
