// SPDX-License-Identifier: Apache-2.0
/*
 * The hash is SipHash-1-3 (Aumasson and Bernstein, 2012; the short-round variant used
 * for tables): a stranger who cannot learn the key cannot aim at one slot.
 */
#include "base/map.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"

enum { FIRST_SLOTS = 16 };

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void
mix(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static void
absorb(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	mix(s);
	s->v0 ^= word;
}

static const uint64_t *
hash_key(void)
{
	static uint64_t key[2];
	static bool made;
	if (!made) {
		secret_random(key, sizeof(key));
		made = true;
	}
	return key;
}

static uint64_t
load_tail(const uint8_t *p, size_t n)
{
	uint64_t word = 0;
	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)p[i] << (8 * i);
	return word;
}

uint64_t
map_hash(struct span key)
{
	const uint64_t *k = hash_key();
	struct sip s = {k[0] ^ 0x736f6d6570736575, k[1] ^ 0x646f72616e646f6d,
		k[0] ^ 0x6c7967656e657261, k[1] ^ 0x7465646279746573};
	size_t whole = key.n & ~(size_t)7;
	for (size_t i = 0; i < whole; i += 8) {
		uint64_t word;
		memcpy(&word, key.p + i, sizeof(word));
		absorb(&s, word);
	}
	uint64_t tail = key.n > whole ? load_tail(key.p + whole, key.n - whole) : 0;
	absorb(&s, tail | (uint64_t)key.n << 56);
	s.v2 ^= 0xff;
	mix(&s);
	mix(&s);
	mix(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

void
map_init(struct map *m)
{
	*m = (struct map){0};
}

void
map_fini(struct map *m)
{
	mem_free(m->slots);
	*m = (struct map){0};
}

static struct map_item **
slot_of(const struct map *m, uint64_t hash)
{
	return &m->slots[hash & (m->cap - 1)];
}

struct map_item *
map_get(const struct map *m, struct span key)
{
	if (m->n == 0)
		return NULL;
	uint64_t hash = map_hash(key);
	struct map_item *it = *slot_of(m, hash);
	while (it && (it->hash != hash || !span_eq(it->key, key)))
		it = it->next;
	return it;
}

static void
link_in(struct map *m, struct map_item *item)
{
	struct map_item **slot = slot_of(m, item->hash);
	item->next = *slot;
	*slot = item;
}

static void
grow(struct map *m)
{
	struct map old = *m;
	m->cap = old.cap > 0 ? old.cap * 2 : FIRST_SLOTS;
	m->slots = mem_array(m->cap, sizeof(struct map_item *));
	for (size_t i = 0; i < old.cap; i++) {
		struct map_item *it = old.slots[i];
		while (it) {
			struct map_item *next = it->next;
			link_in(m, it);
			it = next;
		}
	}
	mem_free(old.slots);
}

void
map_add(struct map *m, struct map_item *item, struct span key)
{
	if (m->n >= m->cap)
		grow(m);
	item->key = key;
	item->hash = map_hash(key);
	link_in(m, item);
	m->n++;
}

void
map_remove(struct map *m, struct map_item *item)
{
	struct map_item **at = slot_of(m, item->hash);
	while (*at != item) {
		must(*at != NULL);
		at = &(*at)->next;
	}
	*at = item->next;
	item->next = NULL;
	m->n--;
}

struct map_item *
map_next(const struct map *m, const struct map_item *after)
{
	if (after && after->next)
		return after->next;
	size_t i = after ? (size_t)(after->hash & (m->cap - 1)) + 1 : 0;
	while (i < m->cap && !m->slots[i])
		i++;
	return i < m->cap ? m->slots[i] : NULL;
}
