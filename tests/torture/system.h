/* SPDX-License-Identifier: MIT */
/* system.h - system calls of the library that fail on demand. */
#ifndef PAWL_TESTS_TORTURE_SYSTEM_H
#define PAWL_TESTS_TORTURE_SYSTEM_H

#include <stdbool.h>

/* hits is asked at each call; true: it fails. NULL: none fails. */
void system_faults(bool (*hits)(void));

#endif
