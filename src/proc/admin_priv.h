// SPDX-License-Identifier: Apache-2.0
/*
 * admin: the local address where /metrics is served, in the scribe.
 */
#pragma once

#include "gate/visit.h"
#include "proc/pages_priv.h"

struct admin {
	struct listener listener;
	struct visit_desk desk;
	const struct pages *pages; /* borrowed */
};

/* Takes fd; -1 leaves it closed. */
void admin_open(struct admin *a, struct loop *loop, int fd, const struct pages *pages);
void admin_close(struct admin *a);
