// SPDX-License-Identifier: Apache-2.0
/*
 * map: a hash table of things by byte-string key, intrusive.
 *
 * Keyed hashing (SipHash-1-3 under a random key per process), because keys come from
 * strangers. The thing embeds a map_item; its key must outlive its membership.
 */
#pragma once

#include "base/span.h"

struct map_item {
	struct map_item *next; /* the map's */
	uint64_t hash;
	struct span key; /* borrowed from the thing that embeds this */
};

struct map {
	struct map_item **slots; /* owned */
	size_t n;                /* members */
	size_t cap;              /* slots, a power of two, or 0 */
};

void map_init(struct map *m);
/* Frees the table, not the members. */
void map_fini(struct map *m);
/* The member with this key, or NULL. */
struct map_item *map_get(const struct map *m, struct span key);
/* Sets item->key; the key must not be present yet. */
void map_add(struct map *m, struct map_item *item, struct span key);
void map_remove(struct map *m, struct map_item *item);
/* Walks: start with NULL; NULL at the end. The map must not change meanwhile. */
struct map_item *map_next(const struct map *m, const struct map_item *after);

/* The keyed hash, for other tables. */
MUST_USE uint64_t map_hash(struct span key);
