// SPDX-License-Identifier: Apache-2.0
#include "base/lru.h"

#include "base/must.h"

static struct lru_item *
item_of_key(struct map_item *m)
{
	return m ? CONTAINER_OF(m, struct lru_item, by_key) : NULL;
}

void
lru_init(struct lru *l, size_t budget, void (*evicted)(struct lru_item *))
{
	map_init(&l->map);
	list_init(&l->ages);
	l->used = 0;
	l->budget = budget;
	l->evicted = evicted;
}

static void
evict_oldest(struct lru *l)
{
	struct list *oldest = list_first(&l->ages);
	struct lru_item *item = CONTAINER_OF(oldest, struct lru_item, by_age);
	lru_remove(l, item);
	l->evicted(item);
}

void
lru_fini(struct lru *l)
{
	while (!list_empty(&l->ages))
		evict_oldest(l);
	map_fini(&l->map);
}

struct lru_item *
lru_get(struct lru *l, struct span key)
{
	struct lru_item *item = item_of_key(map_get(&l->map, key));
	if (item) {
		list_leave(&item->by_age);
		list_push(&l->ages, &item->by_age);
	}
	return item;
}

void
lru_add(struct lru *l, struct lru_item *item, struct span key, size_t cost)
{
	while (!list_empty(&l->ages) &&
		(cost > l->budget || l->used > l->budget - cost))
		evict_oldest(l);
	map_add(&l->map, &item->by_key, key);
	list_init(&item->by_age);
	list_push(&l->ages, &item->by_age);
	item->cost = cost;
	l->used += cost;
}

void
lru_remove(struct lru *l, struct lru_item *item)
{
	must(l->used >= item->cost);
	map_remove(&l->map, &item->by_key);
	list_leave(&item->by_age);
	l->used -= item->cost;
}
