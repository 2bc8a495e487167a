/* SPDX-License-Identifier: MIT */
/* doctor.c - examine a store, and tell what was found.
 *
 * The driver gathers; the caller's function is called here, when nothing is
 * open any more. */
#include "api/check.h"

#include "base/alloc.h"
#include "model/options.h"

static void
doctor_tell(const struct pawl__findings *found, pawl_finding_fn fn, void *user)
{
    pawl_finding f;
    size_t i;

    for (i = 0; i < found->n; i++) {
        f.struct_size = sizeof f;
        f.severity = found->all[i].severity;
        f.name = found->all[i].name;
        f.what = found->all[i].what;
        f.todo = found->all[i].todo;
        if (fn(&f, user) != 0)
            return;
    }
}

static void
doctor_tell_memory(pawl_finding_fn fn, void *user)
{
    const pawl_finding f = {sizeof f, PAWL_FINDING_OK, "memory",
                            "a store in memory has no file to examine", ""};

    (void)fn(&f, user);
}

static int
doctor_examine(const struct pawl__driver *driver, const char *location,
               const pawl_options *options, struct pawl__findings *found,
               pawl_error *err)
{
    struct pawl__clock clock;
    struct pawl__log silent = {NULL, NULL, 0};
    struct pawl__env env;

    pawl__clock_init(&clock, options->clock);
    env.options = options;
    env.clock = &clock;
    env.log = &silent;
    return driver->doctor(location, &env, found, err);
}

int
pawl_doctor(const char *url, const pawl_options *options, pawl_finding_fn fn,
            void *user, pawl_error *err)
{
    struct pawl__findings found = {NULL, 0};
    const struct pawl__driver *driver = NULL;
    const char *location = NULL;
    pawl_options ours;
    int rc = pawl__check_ptr(url, "url", err);

    if (rc == PAWL_OK && fn == NULL)
        rc = pawl__fail(err, PAWL_INVALID, 0, "fn is NULL");
    if (rc == PAWL_OK)
        rc = pawl__options_check(options, &ours, err);
    if (rc == PAWL_OK)
        rc = pawl__driver_find(url, &driver, &location, err);
    if (rc != PAWL_OK)
        return rc;
    if (driver->doctor == NULL) {
        doctor_tell_memory(fn, user);
        return PAWL_OK;
    }
    rc = doctor_examine(driver, location, &ours, &found, err);
    if (rc == PAWL_OK)
        doctor_tell(&found, fn, user);
    pawl__free(found.all);
    return rc;
}
