#!/bin/sh
# SPDX-License-Identifier: MIT
# The soak in short: nothing is lost. Growth is judged from 10 s on.
exec ./tests/torture/soak --seconds 3
