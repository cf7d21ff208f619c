// SPDX-License-Identifier: Apache-2.0
#include "net/answers_priv.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct entry {
	struct lru_item item;
	struct answer answer; /* its ips lie behind this struct, then the name */
};

static void
free_entry(struct lru_item *item)
{
	mem_free(CONTAINER_OF(item, struct entry, item));
}

void
answers_init(struct answers *a, size_t budget)
{
	lru_init(&a->lru, budget, free_entry);
}

void
answers_fini(struct answers *a)
{
	lru_fini(&a->lru);
}

static struct entry *
find_entry(struct answers *a, struct span name)
{
	struct lru_item *item = lru_get(&a->lru, name);
	return item ? CONTAINER_OF(item, struct entry, item) : NULL;
}

static void
drop_entry(struct answers *a, struct entry *e)
{
	lru_remove(&a->lru, &e->item);
	mem_free(e);
}

bool
answers_find(struct answers *a, struct span name, struct answer *out)
{
	struct entry *e = find_entry(a, name);
	if (!e)
		return false;
	if (e->answer.expires_ms <= clock_now()) {
		drop_entry(a, e);
		return false;
	}
	*out = e->answer;
	return true;
}

/* One block: the entry, its addresses, its name. n and name.n are bounded by the
 * resolver (RESOLVE_MOST, 253). */
void
answers_keep(struct answers *a, struct span name, const struct answer *answer)
{
	struct entry *old = find_entry(a, name);
	if (old)
		drop_entry(a, old);

	size_t ips_size = answer->n * sizeof(struct ip);
	size_t size = sizeof(struct entry) + ips_size + name.n;
	struct entry *e = mem_alloc(size);
	uint8_t *ips = (uint8_t *)(e + 1);
	uint8_t *key = ips + ips_size;

	e->answer = *answer;
	e->answer.ips = (const struct ip *)(void *)ips;
	if (answer->n > 0)
		memcpy(ips, answer->ips, ips_size);
	memcpy(key, name.p, name.n);
	lru_add(&a->lru, &e->item, span_of(key, name.n), size);
}

void
answers_flush(struct answers *a)
{
	size_t budget = a->lru.budget;
	lru_fini(&a->lru);
	lru_init(&a->lru, budget, free_entry);
}
