/* SPDX-License-Identifier: MIT */
/* fuzz_options.c - structs of any size with any bytes in them. */
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "driver/driver.h"
#include "fuzz/fuzz.h"
#include "model/retry.h"

static void
fuzz_job(const uint8_t *data, size_t size)
{
    static const char *const texts[] = {NULL, "", "type", "a\nb", "\xff\xfe"};
    unsigned char room[sizeof(pawl_job) + 64] = {0};
    struct pawl__new_job n;
    pawl_settings settings;
    struct pawl__rng rng;
    pawl_job *job = (pawl_job *)(void *)room;
    int64_t wait;

    memcpy(room, data, size < sizeof room ? size : sizeof room);
    if (job->struct_size > sizeof room)
        job->struct_size %= sizeof room + 1;
    job->type = texts[(uintptr_t)job->type % 5];
    job->unique_key = texts[(uintptr_t)job->unique_key % 5];
    job->payload = (uintptr_t)job->payload % 2 ? room : NULL;
    if (pawl__job_check(job, 1000, 1800000000000LL, &n, NULL) != PAWL_OK)
        return;
    fuzz_must(n.ready_at_ms >= 0 && n.payload_bytes <= 1000 &&
                  n.priority >= -32768 && n.priority <= 32767,
              "an accepted job is in its ranges");
    if (job->struct_size < sizeof *job)
        return;
    pawl__settings_default(&settings);
    pawl__job_fill(job, &settings);
    pawl__rng_seed(&rng);
    wait = pawl__backoff_ms(job, 1 + (int)(size % 2000), &rng);
    fuzz_must(wait >= 0 && wait <= PAWL__SPAN_MAX_MS, "a wait is in its range");
}

static void
fuzz_others(const uint8_t *data, size_t size)
{
    unsigned char room[512] = {0};
    pawl_options options;
    pawl_filter filter;
    size_t declared;

    memcpy(room, data, size < sizeof room ? size : sizeof room);
    memcpy(&declared, room, sizeof declared);
    declared %= sizeof room;
    memcpy(room, &declared, sizeof declared);
    ((pawl_options *)(void *)room)->clock = NULL;
    ((pawl_options *)(void *)room)->codec = NULL;
    (void)pawl__options_check((const pawl_options *)(void *)room, &options,
                              NULL);
    ((pawl_filter *)(void *)room)->queue = NULL;
    ((pawl_filter *)(void *)room)->type = "t";
    (void)pawl__filter_check((const pawl_filter *)(void *)room, &filter, NULL);
}

static void
fuzz_setting(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *value = strchr(text, '=');
    const struct pawl__setting *field;
    int64_t n = 0;

    if (value != NULL) {
        *value++ = '\0';
        field = pawl__setting_find(text);
        if (field != NULL)
            (void)pawl__setting_parse(field, value, &n, NULL);
    }
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_job(data, size);
    fuzz_others(data, size);
    fuzz_setting(data, size);
    return 0;
}
