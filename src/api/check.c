/* SPDX-License-Identifier: MIT */
/* check.c - what every public call asks first. */
#include "api/check.h"

#include <unistd.h>

int
pawl__check_ptr(const void *pointer, const char *name, pawl_error *err)
{
    if (pointer != NULL)
        return PAWL_OK;
    return pawl__fail(err, PAWL_INVALID, 0, "%s is NULL", name);
}

int
pawl__check_store(pawl_store *store, pawl_error *err)
{
    if (store == NULL)
        return pawl__check_ptr(store, "store", err);
    if (store->pid != getpid())
        return pawl__fail(err, PAWL_FORKED, 0,
                          "the store was opened before fork(): open it again "
                          "in the child");
    return PAWL_OK;
}

int
pawl__check_queue(pawl_queue *queue, pawl_error *err)
{
    if (queue == NULL)
        return pawl__check_ptr(queue, "queue", err);
    return pawl__check_store(queue->store, err);
}

int
pawl__check_range(const char *name, int64_t value, int64_t min, int64_t max,
                  pawl_error *err)
{
    if (value >= min && value <= max)
        return PAWL_OK;
    return pawl__fail(err, PAWL_INVALID, 0, "%s is %lld: give %lld to %lld",
                      name, (long long)value, (long long)min, (long long)max);
}

int
pawl__check_stopped(pawl_store *store, const char *call, pawl_error *err)
{
    if (atomic_load(&store->phase) == PAWL__STOPPED)
        return PAWL_OK;
    return pawl__fail(err, PAWL_MISUSE, 0,
                      "%s comes before pawl_start: stop the store first", call);
}

int
pawl__check_outside(pawl_store *store, const char *call, pawl_error *err)
{
    if (!pawl__store_is_inside(store))
        return PAWL_OK;
    return pawl__fail(err, PAWL_MISUSE, 0,
                      "%s would wait for the listener that calls it: let "
                      "another thread do it",
                      call);
}
