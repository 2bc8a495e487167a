/* SPDX-License-Identifier: MIT */
/* doctor.h - examine a SQLite store, opened or not, whole or damaged. */
#ifndef PAWL_SQLITE_DOCTOR_H
#define PAWL_SQLITE_DOCTOR_H

#include "driver/driver.h"

/* As in driver.h. */
int pawl__sqlite_doctor(const char *location, const struct pawl__env *env,
                        struct pawl__findings *findings, pawl_error *err);

#endif
