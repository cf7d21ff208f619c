// SPDX-License-Identifier: Apache-2.0
/*
 * warden: what grows old while everything works: authorities that end, roots that were
 * replaced on disk or have not been for too long.
 *
 * The master looks now and then; it tells log and metrics, and says when a reload would
 * bring something new.
 */
#pragma once

#include "gate/settings.h"

enum { WARDEN_MS = 2 * 1000 }; /* between two looks */

/* All zero to begin. */
struct warden {
	const struct settings *of; /* whose state this is; borrowed, only compared */
	unsigned told;             /* how near the nearest end was when it was told */
	int64_t told_day;          /* the day of that, since 1970 */
	bool told_old;             /* that the roots are too old */
	uint64_t roots_used;       /* stamps of the files of roots: as read, … */
	uint64_t roots_seen;       /* … and as seen at the last look */
};

/* One look, at clock_wall(). True: files of roots have changed and have settled, so a
 * reload is due; said once for each change. */
MUST_USE bool warden_look(struct warden *w, const struct settings *s);
