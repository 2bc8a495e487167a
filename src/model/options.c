/* SPDX-License-Identifier: MIT */
/* options.c - lay a caller's sized struct over defaults; check ranges. The
 * ranges are those of pawl.h. */
#include "model/options.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"

#define OPTIONS_SIZE_MAX 4096 /* no release has a larger struct */

static int
options_range(const char *what, int64_t value, int64_t min, int64_t max,
              pawl_error *err)
{
    if (value >= min && value <= max)
        return PAWL_OK;
    return pawl__fail(err, PAWL_INVALID, 0, "%s is %lld: give %lld to %lld",
                      what, (long long)value, (long long)min, (long long)max);
}

int
pawl__sized_copy(void *ours, size_t ours_bytes, const void *theirs,
                 const char *what, pawl_error *err)
{
    const unsigned char *bytes = theirs;
    size_t size, i;

    memset(ours, 0, ours_bytes);
    memcpy(&size, theirs, sizeof size); /* struct_size is the first field */
    /* A struct that begins with a size_t is a multiple of one: else it would
     * end inside a pointer. */
    if (size <= sizeof size || size > OPTIONS_SIZE_MAX ||
        size % sizeof size != 0)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "%s->struct_size is %zu: set it to sizeof *%s", what,
                          size, what);
    for (i = ours_bytes; i < size; i++)
        if (bytes[i] != 0)
            return pawl__fail(err, PAWL_INVALID, 0,
                              "%s has fields that this version does not know: "
                              "use a newer libpawl",
                              what);
    memcpy(ours, theirs, size < ours_bytes ? size : ours_bytes);
    memcpy(ours, &ours_bytes, sizeof ours_bytes);
    return PAWL_OK;
}

int
pawl__name_check(const char *what, const char *name, size_t max,
                 pawl_error *err)
{
    if (name == NULL)
        return pawl__fail(err, PAWL_INVALID, 0, "%s is NULL", what);
    if (!pawl__utf8_name(name, 1, max))
        return pawl__fail(err, PAWL_INVALID, 0,
                          "%s must be 1 to %zu bytes of UTF-8 without control "
                          "characters",
                          what, max);
    return PAWL_OK;
}

/* ---------------------------------------------------------------- options */

int
pawl__options_check(const pawl_options *theirs, pawl_options *o,
                    pawl_error *err)
{
    int rc = PAWL_OK;

    memset(o, 0, sizeof *o);
    if (theirs != NULL)
        rc = pawl__sized_copy(o, sizeof *o, theirs, "options", err);
    if (rc != PAWL_OK)
        return rc;
    o->struct_size = sizeof *o;
    if (o->busy_timeout_ms == 0)
        o->busy_timeout_ms = 5000;
    if (o->max_payload_bytes == 0)
        o->max_payload_bytes = 1 << 20;
    if (o->log_level == 0)
        o->log_level = PAWL_WARN;
    rc = options_range("options->durability", o->durability, PAWL_POWER,
                       PAWL_PROCESS, err);
    if (rc == PAWL_OK)
        rc = options_range("options->busy_timeout_ms", o->busy_timeout_ms, 1,
                           3600000, err);
    if (rc == PAWL_OK)
        rc = options_range("options->max_payload_bytes", o->max_payload_bytes,
                           1, 1 << 30, err);
    if (rc == PAWL_OK)
        rc = options_range("options->log_level", o->log_level, PAWL_ERROR,
                           PAWL_INFO, err);
    if (rc == PAWL_OK && o->clock != NULL &&
        (o->clock->wall_ms == NULL || o->clock->monotonic_ms == NULL))
        rc = pawl__fail(err, PAWL_INVALID, 0,
                        "options->clock needs both functions");
    if (rc == PAWL_OK && o->codec != NULL &&
        (o->codec->encode == NULL || o->codec->decode == NULL))
        rc = pawl__fail(err, PAWL_INVALID, 0,
                        "options->codec needs both functions");
    return rc;
}

int
pawl__filter_check(const pawl_filter *theirs, pawl_filter *f, pawl_error *err)
{
    int rc = PAWL_OK;

    memset(f, 0, sizeof *f);
    if (theirs != NULL)
        rc = pawl__sized_copy(f, sizeof *f, theirs, "filter", err);
    if (rc != PAWL_OK)
        return rc;
    f->struct_size = sizeof *f;
    if (f->limit == 0)
        f->limit = 100;
    if (f->states & ~(unsigned)PAWL_ANY_STATE)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "filter->states has bits that are no pawl_state");
    if (f->states == 0)
        f->states = PAWL_ANY_STATE;
    if (f->queue != NULL)
        rc = pawl__name_check("filter->queue", f->queue, 64, err);
    if (rc == PAWL_OK && f->type != NULL)
        rc = pawl__name_check("filter->type", f->type, 128, err);
    if (rc == PAWL_OK)
        rc = options_range("filter->after_id", f->after_id, 0, INT64_MAX, err);
    if (rc == PAWL_OK)
        rc = options_range("filter->limit", f->limit, 1, 1000000, err);
    return rc;
}

/* -------------------------------------------------------------------- job */

static int
options_job_ranges(const pawl_job *j, pawl_error *err)
{
    const struct {
        const char *what;
        int64_t value, min, max;
    } ranges[] = {
        {"job->delay_ms", j->delay_ms, 0, PAWL__SPAN_MAX_MS},
        {"job->ready_at_ms", j->ready_at_ms, 0, PAWL__AT_MAX_MS},
        {"job->timeout_ms", j->timeout_ms, 0, PAWL__SPAN_MAX_MS},
        {"job->unique_ms", j->unique_ms, 0, PAWL__SPAN_MAX_MS},
        {"job->max_attempts", j->max_attempts, 0, 1000},
        {"job->priority", j->priority, -32768, 32767},
        {"job->backoff_floor_ms", j->backoff_floor_ms, 0, PAWL__SPAN_MAX_MS},
        {"job->backoff_ceiling_ms", j->backoff_ceiling_ms, 0,
         PAWL__SPAN_MAX_MS},
        {"job->backoff_factor_percent", j->backoff_factor_percent, 0, 1000},
        {"job->backoff_jitter_percent", j->backoff_jitter_percent, PAWL_NONE,
         100},
    };
    size_t i;
    int rc = PAWL_OK;

    for (i = 0; rc == PAWL_OK && i < sizeof ranges / sizeof ranges[0]; i++)
        rc = options_range(ranges[i].what, ranges[i].value, ranges[i].min,
                           ranges[i].max, err);
    return rc;
}

static int
options_job_rules(const pawl_job *j, int64_t max_payload_bytes, pawl_error *err)
{
    int rc = pawl__name_check("job->type", j->type, 128, err);

    if (rc == PAWL_OK)
        rc = options_job_ranges(j, err);
    if (rc != PAWL_OK)
        return rc;
    if (j->payload == NULL && j->payload_bytes > 0)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "job->payload is NULL but payload_bytes is %zu",
                          j->payload_bytes);
    if (j->payload_bytes > (size_t)max_payload_bytes)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "job->payload_bytes is %zu: the store takes at most "
                          "%lld (max_payload_bytes)",
                          j->payload_bytes, (long long)max_payload_bytes);
    if (j->delay_ms != 0 && j->ready_at_ms != 0)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "job has both delay_ms and ready_at_ms: give one");
    if (j->backoff_factor_percent != 0 && j->backoff_factor_percent < 100)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "job->backoff_factor_percent is %d: give 100 to 1000",
                          j->backoff_factor_percent);
    if (j->backoff_ceiling_ms != 0 &&
        j->backoff_ceiling_ms < j->backoff_floor_ms)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "job->backoff_ceiling_ms is below backoff_floor_ms");
    if (j->unique_ms != 0 && j->unique_key == NULL)
        return pawl__fail(err, PAWL_INVALID, 0,
                          "job->unique_ms needs a unique_key");
    if (j->unique_key != NULL)
        return pawl__name_check("job->unique_key", j->unique_key, 255, err);
    return PAWL_OK;
}

int
pawl__job_check(const pawl_job *theirs, int64_t max_payload_bytes,
                int64_t now_ms, struct pawl__new_job *n, pawl_error *err)
{
    pawl_job j;
    int rc = pawl__sized_copy(&j, sizeof j, theirs, "job", err);

    if (rc == PAWL_OK)
        rc = options_job_rules(&j, max_payload_bytes, err);
    if (rc != PAWL_OK)
        return rc;
    memset(n, 0, sizeof *n);
    n->type = j.type;
    n->payload = j.payload;
    n->payload_bytes = j.payload_bytes;
    n->pushed_at_ms = now_ms;
    n->ready_at_ms = pawl__add_sat(now_ms, j.delay_ms);
    if (j.ready_at_ms > now_ms)
        n->ready_at_ms = j.ready_at_ms;
    n->timeout_ms = j.timeout_ms;
    n->unique_key = j.unique_key;
    if (j.unique_ms != 0)
        n->unique_until_at_ms = pawl__add_sat(now_ms, j.unique_ms);
    n->max_attempts = j.max_attempts;
    n->priority = j.priority;
    n->backoff_floor_ms = j.backoff_floor_ms;
    n->backoff_ceiling_ms = j.backoff_ceiling_ms;
    n->backoff_factor_percent = j.backoff_factor_percent;
    n->backoff_jitter_percent = j.backoff_jitter_percent;
    return PAWL_OK;
}

/* --------------------------------------------------------------- settings */

#define SETTING(name_, wide_, unit_ms_, min_, max_, otherwise_)              \
    {                                                                        \
#name_, offsetof(pawl_settings, name_), wide_, unit_ms_, min_, max_, \
            otherwise_                                                       \
    }

/* In the order of the columns of pawl_queue. */
const struct pawl__setting pawl__settings[PAWL__N_SETTINGS] = {
    SETTING(parallelism, false, 0, 0, 256, 0),
    SETTING(paused, false, 0, 0, 1, 0),
    SETTING(length_interval_s, true, 1000, 1, 86400, 15),
    SETTING(retention_s, true, 1000, -1, PAWL__SPAN_MAX_MS / 1000, 0),
    SETTING(max_attempts, false, 0, 1, 1000, 1),
    SETTING(max_abandons, false, 0, 1, 1000, 3),
    SETTING(timeout_ms, true, 1, 1, PAWL__SPAN_MAX_MS, 3600000),
    SETTING(backoff_floor_ms, true, 1, 1, PAWL__SPAN_MAX_MS, 1000),
    SETTING(backoff_ceiling_ms, true, 1, 1, PAWL__SPAN_MAX_MS, 600000),
    SETTING(backoff_factor_percent, false, 0, 100, 1000, 200),
    SETTING(backoff_jitter_percent, false, 0, PAWL_NONE, 100, 50),
};

int64_t
pawl__setting_get(const pawl_settings *s, const struct pawl__setting *f)
{
    const char *at = (const char *)s + f->offset;
    int64_t wide;
    int32_t narrow;

    if (f->wide) {
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
    memcpy(&narrow, at, sizeof narrow);
    return narrow;
}

void
pawl__setting_put(pawl_settings *s, const struct pawl__setting *f,
                  int64_t value)
{
    char *at = (char *)s + f->offset;
    int32_t narrow;

    /* A row may hold anything that plain SQL put there past its CHECKs. */
    if (value < f->min)
        value = f->min;
    if (value > f->max)
        value = f->max;
    narrow = (int32_t)value;
    if (f->wide)
        memcpy(at, &value, sizeof value);
    else
        memcpy(at, &narrow, sizeof narrow);
}

void
pawl__settings_default(pawl_settings *settings)
{
    int i;

    memset(settings, 0, sizeof *settings);
    settings->struct_size = sizeof *settings;
    for (i = 0; i < PAWL__N_SETTINGS; i++)
        pawl__setting_put(settings, &pawl__settings[i],
                          pawl__settings[i].otherwise);
}

const struct pawl__setting *
pawl__setting_find(const char *name)
{
    int i;

    for (i = 0; i < PAWL__N_SETTINGS; i++)
        if (strcmp(pawl__settings[i].name, name) == 0)
            return &pawl__settings[i];
    return NULL;
}

/* Decimal digits at *text, moving it past them; -1 where there is none or the
 * number is over 100 years in ms. */
static int64_t
options_digits(const char **text)
{
    const char *t = *text;
    int64_t n = 0;

    if (*t < '0' || *t > '9')
        return -1;
    for (; *t >= '0' && *t <= '9'; t++) {
        n = n * 10 + (*t - '0');
        if (n > PAWL__SPAN_MAX_MS)
            return -1;
    }
    *text = t;
    return n;
}

bool
pawl__span_parse(const char *text, int64_t bare_unit_ms, int64_t *ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1},      {"s", 1000},       {"m", 60000},
                 {"h", 3600000}, {"d", 86400000LL}, {"w", 604800000LL}};
    int64_t n = options_digits(&text), unit = *text == '\0' ? bare_unit_ms : 0;
    size_t i;

    for (i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text, units[i].unit) == 0)
            unit = units[i].ms;
    if (n < 0 || unit == 0 || n > PAWL__SPAN_MAX_MS / unit)
        return false;
    *ms = n * unit;
    return true;
}

int
pawl__setting_parse(const struct pawl__setting *f, const char *text,
                    int64_t *value, pawl_error *err)
{
    const char *t = text;
    int64_t ms;

    if (strcmp(text, "default") == 0) {
        *value = f->otherwise;
        return PAWL_OK;
    }
    if (strcmp(text, "-1") == 0) {
        *value = -1;
    } else if (f->unit_ms != 0) {
        if (!pawl__span_parse(text, f->unit_ms, &ms))
            return pawl__fail(err, PAWL_INVALID, 0,
                              "%s takes a number or a span such as 90s, 15m, "
                              "2h, 30d, or \"default\"",
                              f->name);
        if (ms % f->unit_ms != 0)
            return pawl__fail(err, PAWL_INVALID, 0, "%s takes whole seconds",
                              f->name);
        *value = ms / f->unit_ms;
    } else {
        *value = options_digits(&t);
        if (*value < 0 || *t != '\0')
            return pawl__fail(err, PAWL_INVALID, 0,
                              "%s takes a whole number, or \"default\"",
                              f->name);
    }
    return options_range(f->name, *value, f->min, f->max, err);
}
