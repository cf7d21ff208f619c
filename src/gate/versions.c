// SPDX-License-Identifier: Apache-2.0
#include "gate/versions.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/read.h"

enum { KEY_MOST = 3 + 256 };

struct memory {
	struct lru_item item;
	enum version_known known;
	uint64_t until_ms;
	uint8_t key[];
};

static struct span
write_key(const struct target *to, uint8_t dst[KEY_MOST])
{
	struct write w = write_to(dst, KEY_MOST);
	write_be(&w, to->tls, 1);
	write_be(&w, to->port, 2);
	write_span(&w, to->host);
	return write_done(&w);
}

static void
forget(struct lru_item *item)
{
	mem_free(CONTAINER_OF(item, struct memory, item));
}

void
versions_init(struct versions *v)
{
	lru_init(&v->lru, VERSIONS_MOST, forget);
}

void
versions_fini(struct versions *v)
{
	lru_fini(&v->lru);
}

static void
drop(struct versions *v, struct lru_item *item)
{
	lru_remove(&v->lru, item);
	forget(item);
}

enum version_known
versions_find(struct versions *v, const struct target *to)
{
	uint8_t key[KEY_MOST];
	struct lru_item *item = lru_get(&v->lru, write_key(to, key));
	if (!item)
		return VERSION_UNKNOWN;
	const struct memory *m = CONTAINER_OF(item, struct memory, item);
	if (clock_now() < m->until_ms)
		return m->known;
	drop(v, item);
	return VERSION_UNKNOWN;
}

void
versions_learn(struct versions *v, const struct target *to, enum version_known known)
{
	uint8_t key[KEY_MOST];
	struct span s = write_key(to, key);
	struct lru_item *old = lru_get(&v->lru, s);
	if (old)
		drop(v, old);
	if (known == VERSION_UNKNOWN || s.n == 0) /* a name too long is none */
		return;
	struct memory *m = mem_alloc(sizeof(*m) + s.n);
	memcpy(m->key, s.p, s.n); /* allocated above */
	m->known = known;
	m->until_ms = clock_now() + VERSIONS_LIFE_MS;
	lru_add(&v->lru, &m->item, span_of(m->key, s.n), 1);
}
