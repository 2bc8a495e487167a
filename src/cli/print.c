/* SPDX-License-Identifier: MIT */
/* print.c - text that is safe on a terminal, JSON, times. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The bytes of the UTF-8 sequence at s (RFC 3629), 0: malformed. */
static size_t
print_sequence(const unsigned char *s, size_t left)
{
    unsigned lo = 0x80, hi = 0xbf;
    size_t n, i;

    if (s[0] < 0x80)
        return 1;
    n = s[0] >= 0xc2 && s[0] <= 0xdf   ? 2
        : s[0] >= 0xe0 && s[0] <= 0xef ? 3
        : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                                       : 0;
    if (n > left)
        return 0;
    lo = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : lo;
    hi = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : hi;
    for (i = 1; i < n; i++, lo = 0x80, hi = 0xbf)
        if (s[i] < lo || s[i] > hi)
            return 0;
    return n;
}

bool
cli_is_utf8(const void *data, size_t bytes)
{
    const unsigned char *s = data;
    size_t at, n;

    for (at = 0; at < bytes; at += n) {
        n = print_sequence(s + at, bytes - at);
        if (n == 0 || s[at] == 0)
            return false;
    }
    return true;
}

/* What a terminal obeys: C0 and C1 controls, DEL; U+2028 and 2029, which break
 * the line; U+200E, 200F, 202A to 202E and 2066 to 2069, with which one text
 * looks like another. */
static bool
print_is_control(const unsigned char *s, size_t n)
{
    if (n == 1)
        return s[0] < 0x20 || s[0] == 0x7f;
    if (n == 2)
        return s[0] == 0xc2 && s[1] < 0xa0;
    if (n != 3 || s[0] != 0xe2)
        return false;
    return (s[1] == 0x80 &&
            (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae))) ||
           (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
}

void
cli_put_text(FILE *out, const void *text, size_t bytes, size_t max)
{
    const unsigned char *s = text;
    size_t at, n, i;

    for (at = 0; at < bytes; at += n) {
        n = print_sequence(s + at, bytes - at);
        if (max != 0 && at + (n != 0 ? n : 1) > max) {
            fputs("...", out);
            return;
        }
        if (n != 0 && !print_is_control(s + at, n)) {
            fwrite(s + at, 1, n, out);
            continue;
        }
        n = n != 0 ? n : 1;
        for (i = 0; i < n; i++)
            fprintf(out, "\\x%02x", s[at + i]);
    }
}

void
cli_put_json(FILE *out, const void *text, size_t bytes)
{
    const unsigned char *s = text;
    size_t at, n;

    fputc('"', out);
    for (at = 0; at < bytes; at += n != 0 ? n : 1) {
        n = print_sequence(s + at, bytes - at);
        if (n == 0)
            fputs("\\ufffd", out);
        else if (s[at] == '"' || s[at] == '\\')
            fprintf(out, "\\%c", s[at]);
        else if (s[at] < 0x20 || s[at] == 0x7f)
            fprintf(out, "\\u%04x", s[at]);
        else
            fwrite(s + at, 1, n, out);
    }
    fputc('"', out);
}

static void
print_base64(FILE *out, const unsigned char *s, size_t bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned long v;
    size_t at, n;

    for (at = 0; at < bytes; at += 3) {
        n = bytes - at > 3 ? 3 : bytes - at;
        v = (unsigned long)s[at] << 16;
        v |= n > 1 ? (unsigned long)s[at + 1] << 8 : 0;
        v |= n > 2 ? (unsigned long)s[at + 2] : 0;
        fputc(digits[v >> 18 & 63], out);
        fputc(digits[v >> 12 & 63], out);
        fputc(n > 1 ? digits[v >> 6 & 63] : '=', out);
        fputc(n > 2 ? digits[v & 63] : '=', out);
    }
}

void
cli_put_json_payload(FILE *out, const void *data, size_t bytes)
{
    if (cli_is_utf8(data, bytes)) {
        fputs("\"payload\":", out);
        cli_put_json(out, data, bytes);
    } else {
        fputs("\"payload_base64\":\"", out);
        print_base64(out, data, bytes);
        fputc('"', out);
    }
}

const char *
cli_time_text(int64_t at_ms, char out[CLI_TIME_TEXT])
{
    time_t t = (time_t)(at_ms / 1000);
    struct tm tm;
    char text[24];

    if (at_ms <= 0 || localtime_r(&t, &tm) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        return "-";
    (void)snprintf(out, CLI_TIME_TEXT, "%s.%03d", text, (int)(at_ms % 1000));
    return out;
}

const char *
cli_span_text(int64_t ms, char out[CLI_TIME_TEXT])
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}};
    size_t i = 0;

    while (i < 3 && ms < units[i].ms)
        i++;
    (void)snprintf(out, CLI_TIME_TEXT, "%lld%s",
                   (long long)(ms > 0 ? ms / units[i].ms : 0), units[i].name);
    return out;
}

bool
cli_colours(void)
{
    const char *no = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0');
}
