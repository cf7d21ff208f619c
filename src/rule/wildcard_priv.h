// SPDX-License-Identifier: Apache-2.0
/*
 * wildcard: patterns whose only sign is `*`.
 *
 * The whole value must match; each star takes as little as it can. Matching is linear
 * in the value for each literal piece, without back-tracking over stars.
 */
#pragma once

#include "base/arena.h"

enum { WILDCARD_STARS_MAX = 64, WILDCARD_CAPTURES = 8 };

struct wildcard {
	struct span *pieces; /* between the stars: stars + 1 of them, may be empty */
	size_t stars;
	bool strict; /* letters' case matters */
};

/* Lies in the arena. On failure *why says what is wrong with the pattern. */
MUST_USE bool wildcard_parse(struct arena *a, struct span pattern, bool strict,
	struct wildcard **out, const char **why);
/* captures may be NULL; else what the first eight stars took. */
MUST_USE bool wildcard_matches(const struct wildcard *w, struct span s,
	struct span captures[WILDCARD_CAPTURES]);
