// SPDX-License-Identifier: Apache-2.0
/*
 * lru: a map with a budget: adding to a full one evicts what was not asked for longest.
 *
 * The budget is in bytes as told by the adder, so that "64 MiB of leafs" is what the
 * operator sets. A member that another holds is the evictor's business (ref-count it).
 */
#pragma once

#include "base/list.h"
#include "base/map.h"

struct lru_item {
	struct map_item by_key;
	struct list by_age;
	size_t cost;
};

struct lru {
	struct map map;
	struct list ages; /* oldest first */
	size_t used;
	size_t budget;
	void (*evicted)(struct lru_item *item); /* frees it; it has left already */
};

void lru_init(struct lru *l, size_t budget, void (*evicted)(struct lru_item *));
/* Evicts every member and frees the table. */
void lru_fini(struct lru *l);
/* Finds, and marks as just used; or NULL. */
struct lru_item *lru_get(struct lru *l, struct span key);
/* Adds, evicting older members until it fits. The key must not be present. An item that
 * alone exceeds the budget evicts all others and stays. */
void lru_add(struct lru *l, struct lru_item *item, struct span key, size_t cost);
/* Takes a member out without the evicted() call. */
void lru_remove(struct lru *l, struct lru_item *item);
