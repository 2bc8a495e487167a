/* SPDX-License-Identifier: MIT */
/* options.h - lay a caller's sized struct over defaults; check ranges. */
#ifndef PAWL_MODEL_OPTIONS_H
#define PAWL_MODEL_OPTIONS_H

#include "base/clock.h"
#include "model/job.h"

/* Copy the caller's struct over *ours (ours_bytes, zeroed): the smaller of the
 * two sizes. A longer one must be zero beyond ours. what names it in errors.
 * theirs may be NULL where optional. */
int pawl__sized_copy(void *ours, size_t ours_bytes, const void *theirs,
                     const char *what, pawl_error *err);

/* Copy, default and check. */
int pawl__options_check(const pawl_options *theirs, pawl_options *ours,
                        pawl_error *err);
int pawl__filter_check(const pawl_filter *theirs, pawl_filter *ours,
                       pawl_error *err);
/* Strings and payload stay the caller's. now_ms is the wall time. */
int pawl__job_check(const pawl_job *theirs, int64_t max_payload_bytes,
                    int64_t now_ms, struct pawl__new_job *ours,
                    pawl_error *err);
int pawl__name_check(const char *what, const char *name, size_t max,
                     pawl_error *err);

/* The settings of a queue without a row, and after it 0 fields are filled. */
void pawl__settings_default(pawl_settings *settings);

/* One setting, by its column name in the queue row, which is its field name. */
struct pawl__setting {
    const char *name;
    size_t offset;     /* in pawl_settings */
    bool wide;         /* int64_t, else int32_t */
    int64_t unit_ms;   /* 1 or 1000 for spans, 0 for plain numbers */
    int64_t min, max;  /* in its own unit */
    int64_t otherwise; /* the default, in its own unit */
};

#define PAWL__N_SETTINGS 11
extern const struct pawl__setting pawl__settings[PAWL__N_SETTINGS];

int64_t pawl__setting_get(const pawl_settings *s,
                          const struct pawl__setting *f);
void pawl__setting_put(pawl_settings *s, const struct pawl__setting *f,
                       int64_t value);
/* The setting of that name, or NULL. */
const struct pawl__setting *pawl__setting_find(const char *name);
/* Parse "4", "90s", "30d", "default"; INVALID with a sentence. */
int pawl__setting_parse(const struct pawl__setting *f, const char *text,
                        int64_t *value, pawl_error *err);
/* "90s" -> 90000; digits alone are bare_unit_ms each. s m h d w; "ms" too.
 * false: not a span, or over 100 years. */
bool pawl__span_parse(const char *text, int64_t bare_unit_ms, int64_t *ms);

#endif
