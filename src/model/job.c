/* SPDX-License-Identifier: MIT */
/* job.c - the job as the library carries it. */
#include "model/job.h"

#include <string.h>

#include "base/alloc.h"

static const struct {
    int state;
    const char *name;
} job_states[] = {
    {PAWL_WAITING, "waiting"},     {PAWL_DELAYED, "delayed"},
    {PAWL_RESERVED, "reserved"},   {PAWL_TIMEOUT, "timeout"},
    {PAWL_FAILED, "failed"},       {PAWL_DONE, "done"},
    {PAWL_CANCELLED, "cancelled"},
};
#define JOB_N_STATES (sizeof job_states / sizeof job_states[0])

const char *
pawl_state_name(int state)
{
    size_t i;

    for (i = 0; i < JOB_N_STATES; i++)
        if (job_states[i].state == state)
            return job_states[i].name;
    return "unknown";
}

int
pawl__state_from_name(const char *name)
{
    size_t i;

    for (i = 0; i < JOB_N_STATES; i++)
        if (strcmp(job_states[i].name, name) == 0)
            return job_states[i].state;
    return 0;
}

/* Where a copy of a text goes; NULL stays NULL. */
static const char *
job_copy_text(char **at, const char *text)
{
    char *copy = *at;
    size_t bytes;

    if (text == NULL)
        return NULL;
    bytes = strlen(text) + 1;
    memcpy(copy, text, bytes);
    *at += bytes;
    return copy;
}

static size_t
job_text_room(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

struct pawl__record *
pawl__record_copy(const struct pawl__record *from)
{
    const pawl_job_info *in = &from->info;
    struct pawl__record *r;
    char *at;

    r = pawl__malloc(sizeof *r + in->job.payload_bytes + 1 +
                     job_text_room(in->queue) + job_text_room(in->job.type) +
                     job_text_room(in->job.unique_key) +
                     job_text_room(in->error) + job_text_room(in->result));
    if (r == NULL)
        return NULL;
    *r = *from;
    at = (char *)(r + 1); /* the payload first: it is the best aligned */
    if (in->job.payload_bytes > 0)
        memcpy(at, in->job.payload, in->job.payload_bytes);
    at[in->job.payload_bytes] = '\0';
    r->info.job.payload = at;
    at += in->job.payload_bytes + 1;
    r->info.queue = job_copy_text(&at, in->queue);
    r->info.job.type = job_copy_text(&at, in->job.type);
    r->info.job.unique_key = job_copy_text(&at, in->job.unique_key);
    r->info.error = job_copy_text(&at, in->error);
    r->info.result = job_copy_text(&at, in->result);
    return r;
}

void
pawl__record_free(struct pawl__record *record)
{
    pawl__free(record);
}

void
pawl__job_fill(pawl_job *job, const pawl_settings *s)
{
    if (job->max_attempts == 0)
        job->max_attempts = s->max_attempts;
    if (job->timeout_ms == 0)
        job->timeout_ms = s->timeout_ms;
    if (job->backoff_floor_ms == 0)
        job->backoff_floor_ms = s->backoff_floor_ms;
    if (job->backoff_ceiling_ms == 0)
        job->backoff_ceiling_ms = s->backoff_ceiling_ms;
    if (job->backoff_ceiling_ms < job->backoff_floor_ms)
        job->backoff_ceiling_ms = job->backoff_floor_ms;
    if (job->backoff_factor_percent == 0)
        job->backoff_factor_percent = s->backoff_factor_percent;
    if (job->backoff_jitter_percent == 0)
        job->backoff_jitter_percent = s->backoff_jitter_percent;
}
