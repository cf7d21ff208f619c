// SPDX-License-Identifier: Apache-2.0
#include "rule/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

void
int_set_add(struct int_set *s, int64_t from, int64_t to)
{
	s->ranges = mem_grow(s->ranges, &s->cap, s->n + 1, sizeof(*s->ranges));
	s->ranges[s->n++] = (struct int_range){from, to};
}

static int
by_int(const void *a, const void *b)
{
	const struct int_range *x = a;
	const struct int_range *y = b;
	return x->from < y->from ? -1 : x->from > y->from;
}

void
int_set_seal(struct int_set *s)
{
	size_t kept = 0;
	if (s->n == 0)
		return;
	qsort(s->ranges, s->n, sizeof(*s->ranges), by_int);
	for (size_t i = 1; i < s->n; i++) {
		struct int_range *last = &s->ranges[kept];
		bool touches =
			last->to == INT64_MAX || s->ranges[i].from <= last->to + 1;
		if (!touches) {
			s->ranges[++kept] = s->ranges[i];
		} else if (s->ranges[i].to > last->to) {
			last->to = s->ranges[i].to;
		}
	}
	s->n = kept + 1;
}

void
int_set_fini(struct int_set *s)
{
	mem_free(s->ranges);
	*s = (struct int_set){0};
}

bool
int_set_has(const struct int_set *s, int64_t v)
{
	size_t low = 0;
	size_t high = s->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (s->ranges[mid].to < v) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low < s->n && s->ranges[low].from <= v;
}

void
ip_set_add(struct ip_set *s, const struct ip *from, const struct ip *to)
{
	s->ranges = mem_grow(s->ranges, &s->cap, s->n + 1, sizeof(*s->ranges));
	s->ranges[s->n++] = (struct ip_range){*from, *to};
}

void
ip_set_add_prefix(struct ip_set *s, const struct ip_prefix *p)
{
	struct ip last = p->ip;
	for (size_t bit = p->bits; bit < ip_size(&last) * 8; bit++)
		last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	ip_set_add(s, &p->ip, &last);
}

static int
by_ip(const void *a, const void *b)
{
	const struct ip_range *x = a;
	const struct ip_range *y = b;
	return ip_cmp(&x->from, &y->from);
}

void
ip_set_seal(struct ip_set *s)
{
	size_t kept = 0;
	if (s->n == 0)
		return;
	qsort(s->ranges, s->n, sizeof(*s->ranges), by_ip);
	for (size_t i = 1; i < s->n; i++) {
		struct ip_range *last = &s->ranges[kept];
		const struct ip_range *r = &s->ranges[i];
		bool overlaps = r->from.family == last->to.family &&
			ip_cmp(&r->from, &last->to) <= 0;
		if (!overlaps) {
			s->ranges[++kept] = *r;
		} else if (ip_cmp(&r->to, &last->to) > 0) {
			last->to = r->to;
		}
	}
	s->n = kept + 1;
}

void
ip_set_fini(struct ip_set *s)
{
	mem_free(s->ranges);
	*s = (struct ip_set){0};
}

bool
ip_set_has(const struct ip_set *s, const struct ip *v)
{
	size_t low = 0;
	size_t high = s->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (ip_cmp(&s->ranges[mid].to, v) < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low < s->n && ip_cmp(&s->ranges[low].from, v) <= 0;
}

enum { ENTRY_HEAD = 3, SLOTS_LEAST = 8 };

static struct span
entry_text(const struct string_set *s, uint32_t place)
{
	const uint8_t *p = s->octets + place - 1;
	return span_of(p + ENTRY_HEAD, (size_t)p[1] << 8 | p[2]);
}

static uint8_t
tag_of(uint64_t hash)
{
	return (uint8_t)(hash >> 56);
}

/* The slot of v, or the empty one where it belongs. */
static size_t
find_slot(const struct string_set *s, struct span v, uint64_t hash)
{
	size_t mask = s->n_slots - 1;
	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		if (s->slots[i] == 0)
			return i;
		if (s->tags[i] == tag_of(hash) &&
			span_eq(entry_text(s, s->slots[i]), v))
			return i;
	}
}

/* Hashes are not kept: that is four octets a name less. */
static void
grow_slots(struct string_set *s)
{
	struct string_set bigger = *s;
	bigger.n_slots = s->n_slots == 0 ? SLOTS_LEAST : s->n_slots * 2;
	bigger.slots = mem_array(bigger.n_slots, sizeof(*bigger.slots));
	bigger.tags = mem_array(bigger.n_slots, sizeof(*bigger.tags));
	for (size_t i = 0; i < s->n_slots; i++) {
		if (s->slots[i] == 0)
			continue;
		uint64_t hash = map_hash(entry_text(s, s->slots[i]));
		size_t at = hash & (bigger.n_slots - 1);
		while (bigger.slots[at] != 0)
			at = (at + 1) & (bigger.n_slots - 1);
		bigger.slots[at] = s->slots[i];
		bigger.tags[at] = tag_of(hash);
	}
	mem_free(s->slots);
	mem_free(s->tags);
	*s = bigger;
}

bool
string_set_add(struct string_set *s, struct span v, unsigned marks)
{
	if (v.n > UINT16_MAX || s->used + ENTRY_HEAD + v.n >= UINT32_MAX)
		return false;
	if (s->n + 1 > s->n_slots / 4 * 3)
		grow_slots(s);
	uint64_t hash = map_hash(v);
	size_t slot = find_slot(s, v, hash);
	if (s->slots[slot] != 0) {
		s->octets[s->slots[slot] - 1] |= (uint8_t)marks;
		return true;
	}
	size_t need = s->used + ENTRY_HEAD + v.n;
	s->octets = mem_grow(s->octets, &s->cap, need, 1);
	uint8_t *p = s->octets + s->used;
	p[0] = (uint8_t)marks;
	p[1] = (uint8_t)(v.n >> 8);
	p[2] = (uint8_t)v.n;
	if (v.n > 0)
		memcpy(p + ENTRY_HEAD, v.p, v.n);
	s->slots[slot] = (uint32_t)(s->used + 1);
	s->tags[slot] = tag_of(hash);
	s->used = need;
	s->n++;
	return true;
}

void
string_set_seal(struct string_set *s)
{
	if (s->used == 0 || s->used == s->cap)
		return;
	s->octets = mem_resize(s->octets, s->used);
	s->cap = s->used;
}

void
string_set_fini(struct string_set *s)
{
	mem_free(s->octets);
	mem_free(s->slots);
	mem_free(s->tags);
	*s = (struct string_set){0};
}

unsigned
string_set_marks(const struct string_set *s, struct span v)
{
	if (s->n == 0)
		return 0;
	uint32_t place = s->slots[find_slot(s, v, map_hash(v))];
	return place == 0 ? 0 : s->octets[place - 1];
}

bool
string_set_has(const struct string_set *s, struct span v)
{
	return (string_set_marks(s, v) & SET_EXACT) != 0;
}

/* Whether a name above this one has one of the marks. */
static bool
parent_has(const struct string_set *s, struct span name, unsigned marks)
{
	while (s->n > 0) {
		size_t dot = span_chr(name, '.');
		if (dot == name.n)
			return false;
		name = span_from(name, dot + 1);
		if ((string_set_marks(s, name) & marks) != 0)
			return true;
	}
	return false;
}

bool
string_set_covers(const struct string_set *s, struct span name)
{
	return string_set_has(s, name) || parent_has(s, name, SET_BELOW);
}

bool
string_set_covers_any(const struct string_set *s, struct span name)
{
	return string_set_has(s, name) || parent_has(s, name, SET_EXACT | SET_BELOW);
}
