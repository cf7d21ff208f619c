// SPDX-License-Identifier: Apache-2.0
/*
 * serials: a set of serial numbers, small in memory and cheap to ask.
 *
 * A public authority's list has a hundred thousand of them. They lie one behind the
 * other, and a table of offsets finds them: about 27 octets for one of 16. Both parts
 * are built a little at a time, so that nobody waits while a list is taken in.
 */
#pragma once

#include "base/span.h"

enum { SERIAL_MAX = 64 }; /* octets; RFC 5280 §4.1.2.2 allows 20 */

/* Zero is an empty one. */
struct serials {
	uint8_t *octets; /* owned; a length, then the number, and so on */
	size_t n_octets;
	size_t cap;
	uint32_t *slots; /* owned; 1 + where it begins, or 0; a power of two of them */
	size_t n_slots;
	size_t n;      /* numbers */
	size_t placed; /* octets of those that have their slot */
};

/* INTEGER contents, at most SERIAL_MAX of them; not after serials_place(). */
void serials_add(struct serials *s, struct span serial);
/* Gives at most n more their slot; true when all have one, and only then can be asked.
 */
MUST_USE bool serials_place(struct serials *s, size_t n);
MUST_USE bool serials_has(const struct serials *s, struct span serial);
/* Octets of memory. */
MUST_USE size_t serials_cost(const struct serials *s);
void serials_fini(struct serials *s);
