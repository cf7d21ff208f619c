// SPDX-License-Identifier: Apache-2.0
/*
 * commons: what all workers remember together of TLS sessions, and through reloads.
 */
#pragma once

#include "base/err.h"

struct settings;

/* Sets s->ids and s->once: those of `before`, or new ones. In the master, before it
 * forks. */
MUST_USE bool commons_open(
	struct settings *s, const struct settings *before, struct err *err);
/* Tickets of another program are about, whose memory is not ours. */
void commons_follow(struct settings *s);
