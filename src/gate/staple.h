// SPDX-License-Identifier: Apache-2.0
/*
 * staple: the OCSP answers that go out with the certificates of sites (RFC 6066 §8).
 *
 * Fetched ahead and in the background, from the address in the certificate or from a
 * file that somebody else keeps fresh; kept on the shelf that workers share, where the
 * next generation finds them. Only an answer that is good, current and signed as it
 * must be is ever shown; without one the handshake goes without.
 */
#pragma once

#include "base/map.h"
#include "base/span.h"

struct identity;
struct staple;
struct worker;

struct staples {
	struct map by_leaf; /* struct staple, by SHA-256 of the leaf */
	struct staple *all; /* owned */
	unsigned fetching;  /* now */
};

/* One per certificate of all edges that has an answer to show. */
void staple_open_all(struct worker *w);
void staple_close_all(struct worker *w);
/* The answer for this identity, or empty. Valid until the loop turns. */
struct span staple_of(const struct worker *w, const struct identity *id);
