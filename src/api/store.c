/* SPDX-License-Identifier: MIT */
/* store.c - open, close, start, stop. */
#include "api/check.h"

const char *
pawl_version(void)
{
    return PAWL_VERSION_STRING;
}

int
pawl_open(const char *url, const pawl_options *options, pawl_store **store,
          pawl_error *err)
{
    int rc = pawl__check_ptr(store, "store", err);

    if (rc != PAWL_OK)
        return rc;
    *store = NULL;
    rc = pawl__check_ptr(url, "url", err);
    return rc == PAWL_OK ? pawl__store_open(url, options, store, err) : rc;
}

void
pawl_close(pawl_store *store)
{
    if (store != NULL)
        pawl__store_close(store);
}

int
pawl_start(pawl_store *store, pawl_error *err)
{
    int rc = pawl__check_store(store, err);

    if (rc == PAWL_OK)
        rc = pawl__check_outside(store, "pawl_start", err);
    return rc == PAWL_OK ? pawl__store_start(store, err) : rc;
}

int
pawl_stop(pawl_store *store, int64_t grace_ms, pawl_error *err)
{
    int rc = pawl__check_store(store, err);

    if (rc == PAWL_OK)
        rc = pawl__check_range("grace_ms", grace_ms, 0, 86400000, err);
    return rc == PAWL_OK ? pawl__store_stop(store, grace_ms, err) : rc;
}

int
pawl_drain(pawl_store *store, int64_t timeout_ms, pawl_error *err)
{
    int rc = pawl__check_store(store, err);

    if (rc == PAWL_OK)
        rc = pawl__check_range("timeout_ms", timeout_ms, 0, PAWL__SPAN_MAX_MS,
                               err);
    if (rc == PAWL_OK)
        rc = pawl__check_outside(store, "pawl_drain", err);
    return rc == PAWL_OK ? pawl__store_drain(store, timeout_ms, err) : rc;
}

void
pawl_wake(pawl_store *store)
{
    if (pawl__check_store(store, NULL) == PAWL_OK)
        pawl__timer_poke(store);
}
