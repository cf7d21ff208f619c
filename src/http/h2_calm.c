// SPDX-License-Identifier: Apache-2.0
/*
 * How much nonsense a peer may send: two purses. Frames that carry nothing (SETTINGS,
 * PING, PRIORITY, WINDOW_UPDATE, CONTINUATION, empty DATA, unknown ones) are paid from
 * one, streams begun in vain from the other, whoever resets them: a peer that makes us
 * reset (by breaking rules on an open stream) pays as one that resets itself.
 *
 * Real work refills the first, so that acknowledging a fast download costs nothing;
 * time refills both. An honest browser that cancels a page of 100 resources is far away
 * from either end.
 */
#include "base/clock.h"
#include "http/h2_priv.h"

enum {
	CONTROL_MOST = 2000,
	CONTROL_PER_S = 200,
	RESETS_MOST = 300,
	RESETS_PER_S = 30,
	WORK_LEAST = 256, /* octets of a frame that count as work */
	WORK_PAYS = 2,
};

void
h2_calm_begin(struct h2_calm *calm)
{
	*calm = (struct h2_calm){
		.resets = RESETS_MOST,
		.control = CONTROL_MOST,
		.filled = clock_now(),
	};
}

static int32_t
refill(int32_t purse, uint64_t ms, int32_t per_s, int32_t most)
{
	uint64_t gain = ms > 60000 ? (uint64_t)most : ms * (uint64_t)per_s / 1000;
	int64_t full = (int64_t)purse + (int64_t)gain; /* gain is at most 12000 */

	return full > most ? most : (int32_t)full;
}

/* In steps of 100 ms at least, so that small gains are not rounded away. */
static void
pass_time(struct h2_calm *calm)
{
	uint64_t now = clock_now();
	uint64_t ms = now - calm->filled;

	if (ms < 100)
		return;
	calm->control = refill(calm->control, ms, CONTROL_PER_S, CONTROL_MOST);
	calm->resets = refill(calm->resets, ms, RESETS_PER_S, RESETS_MOST);
	calm->filled = now;
}

void
h2_calm_control(struct h2 *h2)
{
	pass_time(&h2->calm);
	if (h2->calm.control-- <= 0) {
		h2_fail(h2, ERR_H2_FLOOD, H2_ENHANCE_YOUR_CALM,
			"too many frames that carry nothing");
	}
}

void
h2_calm_reset(struct h2 *h2)
{
	pass_time(&h2->calm);
	if (h2->calm.resets-- <= 0) {
		h2_fail(h2, ERR_H2_FLOOD, H2_ENHANCE_YOUR_CALM,
			"too many streams begun in vain");
	}
}

void
h2_calm_work(struct h2 *h2, size_t octets)
{
	if (octets >= WORK_LEAST && h2->calm.control < CONTROL_MOST)
		h2->calm.control += WORK_PAYS;
}
