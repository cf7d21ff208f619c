// SPDX-License-Identifier: Apache-2.0
/*
 * rate: how often something may happen, by the generic cell rate algorithm.
 *
 * One table of bounded size for all workers, in memory that the master maps before it
 * forks; it outlives reloads. A key has one number: the time at which all that happened
 * so far would have been paid for. Nothing is locked: a slot is changed by compare and
 * exchange. When too many keys are about, those that owe least are forgotten first, so
 * a flood of new keys cannot make the worst one forgotten.
 */
#pragma once

#include "base/err.h"

struct rate_table;

struct rate_limit {
	uint64_t count;  /* so many … */
	uint64_t per_us; /* … in such a time */
	uint64_t burst;  /* so many at once, at least 1 */
};

struct rate_answer {
	bool allowed;
	uint64_t left;     /* more that would be allowed now */
	uint64_t again_us; /* until the next one is allowed; 0 when one is */
	uint64_t whole_us; /* until the whole burst is allowed again */
};

enum { RATE_SLOTS = 65536 };

/* slots is a power of two, at least 8. */
struct rate_table *rate_table_new(size_t slots, struct err *err);
/* Another holder in this process. */
struct rate_table *rate_table_get(struct rate_table *t);
void rate_table_put(struct rate_table *t); /* NULL does nothing */

/* It happens once more, unless that is too often. key is a digest nobody can choose;
 * now_us is clock_us(). */
struct rate_answer rate_take(struct rate_table *t, uint64_t key,
	const struct rate_limit *limit, uint64_t now_us);
