// SPDX-License-Identifier: Apache-2.0
/*
 * renewal: the node CA that waits takes the place of the one that nears its end.
 *
 * The master looks now and then. It reads no key itself: a process made for that does,
 * checks, moves the files, and ends. What is in use changes by a reload, as everything
 * does.
 */
#pragma once

#include "gate/settings.h"

enum { RENEWAL_MOST_S = 10 };

/* All zero to begin. */
struct renewal {
	uint64_t again_ms; /* after a failure: not before */
	unsigned most_s;   /* that the process may take; 0: RENEWAL_MOST_S */
};

/* One look, at clock_wall(). True: a node CA was put to use, so a reload is due. */
MUST_USE bool renewal_look(struct renewal *r, const struct settings *s);
