/* SPDX-License-Identifier: MIT */
/* sqlite.c - the driver's table. Inside src/sqlite err is never NULL: here a
 * caller's NULL is replaced. */
#include "driver/driver.h"

#include "sqlite/change.h"
#include "sqlite/claim.h"
#include "sqlite/commit.h"
#include "sqlite/doctor.h"
#include "sqlite/look.h"
#include "sqlite/open.h"
#include "sqlite/push.h"
#include "sqlite/sweep.h"
#include "sqlite/wake.h"

static int
driver_sync(void *self, pawl_error *err)
{
    return pawl__commit_sync(self, err);
}

static bool
driver_async_pending(void *self)
{
    return pawl__commit_pending(self);
}

const struct pawl__driver pawl__sqlite_driver = {
    .scheme = "sqlite",
    .open = pawl__sqlite_open,
    .close = pawl__sqlite_close,
    .push = pawl__sqlite_push,
    .push_start = pawl__sqlite_push_start,
    .sync = driver_sync,
    .async_pending = driver_async_pending,
    .exchange = pawl__sqlite_exchange,
    .worker_start = pawl__sqlite_worker_start,
    .worker_stop = pawl__sqlite_worker_stop,
    .running = pawl__sqlite_running,
    .sweep = pawl__sqlite_sweep,
    .check = pawl__sqlite_check,
    .get = pawl__sqlite_get,
    .list = pawl__sqlite_list,
    .retry = pawl__sqlite_retry,
    .cancel = pawl__sqlite_cancel,
    .move = pawl__sqlite_move,
    .info = pawl__sqlite_info,
    .queues = pawl__sqlite_queues,
    .busy = pawl__sqlite_busy,
    .settings = pawl__sqlite_settings,
    .set = pawl__sqlite_set,
    .wait = pawl__sqlite_wait,
    .interrupt = pawl__sqlite_interrupt,
    .doctor = pawl__sqlite_doctor,
};
