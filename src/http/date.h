// SPDX-License-Identifier: Apache-2.0
/*
 * date: HTTP dates (RFC 9110 §5.6.7), read in all three forms and written in one.
 *
 * Names of days and months and "GMT" are taken in any case, because senders differ;
 * everything else is exact: a date that is almost one is none, and what depends on it
 * counts as expired.
 */
#pragma once

#include "base/span.h"

/* Seconds since 1970 UTC. now_s places the two-digit years of RFC 850: a year that
 * would be more than fifty years ahead is in the past. */
MUST_USE bool date_read(struct span s, int64_t now_s, int64_t *out);

enum { DATE_TEXT = 30 };
/* "Sun, 06 Nov 1994 08:49:37 GMT" of a time from 1970 to 9999; returns the span of it
 * in dst. */
struct span date_write(char dst[DATE_TEXT], int64_t wall_s);
