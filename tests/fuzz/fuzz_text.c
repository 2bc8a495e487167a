/* SPDX-License-Identifier: MIT */
/* fuzz_text.c - what the command reads and prints: spans, times, numbers,
 * states, text for a terminal, and JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "fuzz/fuzz.h"

static void
fuzz_parse(const char *text)
{
    int64_t n = 0;

    if (cli_parse_span(text, &n))
        fuzz_must(n >= 0, "a span is not negative");
    n = 0;
    if (cli_parse_time(text, 1800000000000LL, &n))
        fuzz_must(n >= 0, "a time is not before 1970");
    if (cli_parse_int(text, -5, 1000, &n))
        fuzz_must(n >= -5 && n <= 1000, "a number is in its range");
    (void)cli_parse_states(text);
}

static void
fuzz_print(const uint8_t *data, size_t size)
{
    char *out = NULL;
    size_t n = 0, i;
    FILE *f = open_memstream(&out, &n);

    cli_put_text(f, data, size, 200);
    (void)fclose(f);
    for (i = 0; i < n; i++)
        fuzz_must((unsigned char)out[i] >= 0x20 && out[i] != 0x7f,
                  "nothing that a terminal obeys is printed");
    free(out);
    f = open_memstream(&out, &n);
    cli_put_json(f, data, size);
    (void)fclose(f);
    fuzz_must(fuzz_is_json(out, n) && cli_is_utf8(out, n), "it is JSON");
    free(out);
    f = open_memstream(&out, &n);
    fputc('{', f);
    cli_put_json_payload(f, data, size);
    fputc('}', f);
    (void)fclose(f);
    fuzz_must(cli_is_utf8(out, n), "a payload is in UTF-8");
    free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);

    fuzz_parse(text);
    fuzz_print(data, size);
    free(text);
    return 0;
}
