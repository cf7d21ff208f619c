// SPDX-License-Identifier: Apache-2.0
/*
 * clock: what time it is.
 *
 * Durations and deadlines are monotonic milliseconds; wall time appears in certificates
 * and events only. Tests set both by hand.
 */
#pragma once

#include "base/span.h"

/* Monotonic milliseconds since an arbitrary start, as of the last clock_tick(). */
uint64_t clock_now(void);
/* Reads the system's clock anew; the loop does it once a turn. Returns clock_now(). */
uint64_t clock_tick(void);
/* Monotonic microseconds, read now: for measuring stages. */
uint64_t clock_us(void);
/* Seconds, milliseconds since 1970 UTC, read now. */
int64_t clock_wall(void);
int64_t clock_wall_ms(void);

/* Freezes both clocks at these values until called again; for tests. */
void clock_fake(uint64_t now_ms, int64_t wall_ms);
/* Back to the system's clocks. */
void clock_real(void);

enum { CLOCK_TEXT = 32 };
/* "2026-11-20T18:04:05.123Z" of wall milliseconds; returns dst (CLOCK_TEXT bytes). */
const char *clock_text(char dst[CLOCK_TEXT], int64_t wall_ms);
/* Reads the same form, with or without fraction; RFC 3339 in UTC only. Milliseconds. */
MUST_USE bool clock_parse(struct span s, int64_t *wall_ms);
