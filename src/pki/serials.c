// SPDX-License-Identifier: Apache-2.0
#include "pki/serials.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/must.h"

enum { SLOTS_LEAST = 16 };

void
serials_add(struct serials *s, struct span serial)
{
	must(serial.n <= SERIAL_MAX && !s->slots);
	s->octets = mem_grow(s->octets, &s->cap, s->n_octets + 1 + serial.n, 1);
	s->octets[s->n_octets] = (uint8_t)serial.n; /* at most SERIAL_MAX */
	if (serial.n > 0)
		memcpy(s->octets + s->n_octets + 1, serial.p, serial.n);
	s->n_octets += 1 + serial.n;
	s->n++;
}

static struct span
serial_at(const struct serials *s, size_t at)
{
	return (struct span){s->octets + at + 1, s->octets[at]};
}

/* At most three quarters are used, so a search ends soon. */
static size_t
slots_for(size_t n)
{
	size_t slots = SLOTS_LEAST;

	while (slots / 4 * 3 < n)
		slots *= 2;
	return slots;
}

/* The slot of a serial, or the free one where it belongs. */
static size_t
slot_of(const struct serials *s, struct span serial)
{
	size_t i = map_hash(serial) & (s->n_slots - 1);

	while (s->slots[i] != 0 && !span_eq(serial_at(s, s->slots[i] - 1), serial))
		i = (i + 1) & (s->n_slots - 1);
	return i;
}

/* Twice is once: a list that says one number a million times would fill a million slots
 * in a row, each found behind all those before it. */
static void
place_one(struct serials *s)
{
	struct span serial = serial_at(s, s->placed);

	/* A list has REVOKE_CRL_MAX octets. */
	s->slots[slot_of(s, serial)] = (uint32_t)s->placed + 1;
	s->placed += 1 + serial.n;
}

bool
serials_place(struct serials *s, size_t n)
{
	if (!s->slots) {
		s->octets = mem_resize(s->octets, s->n_octets + 1);
		s->cap = s->n_octets + 1;
		s->n_slots = slots_for(s->n);
		s->slots = mem_array(s->n_slots, sizeof *s->slots);
	}
	for (; n > 0 && s->placed < s->n_octets; n--)
		place_one(s);
	return s->placed == s->n_octets;
}

bool
serials_has(const struct serials *s, struct span serial)
{
	must(s->placed == s->n_octets);
	return s->n > 0 && s->slots[slot_of(s, serial)] != 0;
}

size_t
serials_cost(const struct serials *s)
{
	return s->cap + s->n_slots * sizeof *s->slots;
}

void
serials_fini(struct serials *s)
{
	mem_free(s->octets);
	mem_free(s->slots);
	*s = (struct serials){0};
}
