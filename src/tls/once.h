// SPDX-License-Identifier: Apache-2.0
/*
 * once: whether something is seen for the first time, on this node.
 *
 * For early data (RFC 8446 §8.2): what was recorded lately is refused, and where too
 * much was, everything is, so that a flood cannot make the table forget. One table for
 * all workers, in memory that the master maps before it forks; it outlives reloads.
 * Nothing is locked. What was recorded before the table was there is refused for a
 * while, when told so.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct once;

enum {
	ONCE_SLOTS = 65536,
	/* OpenSSL refuses early data whose ticket age is off by more than ten seconds
	 * (RFC 8446 §8.3): what is older than this cannot come again. */
	ONCE_WINDOW_S = 30,
};

/* slots is a power of two, at least 8. */
struct once *once_new(size_t slots, struct err *err);
/* There was another table until now_s: for a window nothing is taken. Seconds count
 * monotonically, here as below. */
void once_follow(struct once *o, uint64_t now_s);
/* Another holder in this process. */
struct once *once_get(struct once *o);
void once_put(struct once *o); /* NULL does nothing */

/* Records it. False: it was there within the window, or that cannot be known. what is
 * at least 16 octets that nobody can choose. */
MUST_USE bool once_take(struct once *o, struct span what, uint64_t now_s);
