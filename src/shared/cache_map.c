// SPDX-License-Identifier: Apache-2.0
/* cache_map: the memory of the store, its lock, and who asks for what just now. */
#include "shared/cache_store_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sha256.h"

enum { BLOCKS_LEAST = 64 };

/* ---- the map ---- */

void
cache_key_make(struct cache_key *key, const struct span *parts, size_t n)
{
	struct sha256 h;

	sha256_init(&h);
	for (size_t i = 0; i < n; i++) {
		uint64_t length = parts[i].n;
		sha256_add(&h, span_of(&length, sizeof(length)));
		sha256_add(&h, parts[i]);
	}
	sha256_done(&h, key->b);
}

static uint32_t
power_above(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static size_t
round_up(size_t n)
{
	return (n + CACHE_BLOCK - 1) / CACHE_BLOCK * CACHE_BLOCK;
}

static struct cache_layout
lay_out(uint32_t n_blocks)
{
	struct cache_layout l = {.n_blocks = n_blocks, .n_entries = n_blocks / 2};
	l.n_buckets = power_above(l.n_entries);
	l.buckets = round_up(sizeof(struct cache_shared));
	l.entries = l.buckets + round_up(l.n_buckets * sizeof(uint32_t));
	l.after = l.entries + round_up(l.n_entries * sizeof(struct cache_entry));
	l.blocks = l.after + round_up(l.n_blocks * sizeof(uint32_t));
	l.end = l.blocks + (size_t)n_blocks * CACHE_BLOCK;
	return l;
}

static void
place(struct cache_store *s, const struct cache_layout *l, uint8_t *base)
{
	s->n_buckets = l->n_buckets;
	s->n_entries = l->n_entries;
	s->n_blocks = l->n_blocks;
	s->m = (struct cache_shared *)(void *)base;
	s->buckets = (uint32_t *)(void *)(base + l->buckets);
	s->entries = (struct cache_entry *)(void *)(base + l->entries);
	s->after = (uint32_t *)(void *)(base + l->after);
	s->blocks = base + l->blocks;
}

static bool
init_lock(pthread_mutex_t *lock, struct err *err)
{
	pthread_mutexattr_t attr;
	int rc = pthread_mutexattr_init(&attr);

	if (rc == 0)
		rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (rc == 0)
		rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (rc == 0)
		rc = pthread_mutex_init(lock, &attr);
	return rc == 0 || err_errno(err, ERR_GATE_CACHE, rc, "its lock");
}

static void
free_all(struct cache_store *s, const struct cache_layout *l)
{
	struct cache_shared *m = s->m;

	memset(m, 0, sizeof(*m));
	m->n_entries = l->n_entries;
	m->n_buckets = l->n_buckets;
	m->n_blocks = l->n_blocks;
	for (uint32_t i = 0; i < m->n_buckets; i++)
		s->buckets[i] = CACHE_NONE;
	for (uint32_t i = 0; i < m->n_entries; i++)
		s->entries[i].next = i + 1 < m->n_entries ? i + 1 : CACHE_NONE;
	for (uint32_t i = 0; i < m->n_blocks; i++)
		s->after[i] = i + 1 < m->n_blocks ? i + 1 : CACHE_NONE;
	m->free_entry = 0;
	m->free_block = 0;
	m->oldest = CACHE_NONE;
	m->newest = CACHE_NONE;
}

static uint8_t *
map_bytes(size_t n, int fd, struct err *err)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		MAP_SHARED | (fd >= 0 ? 0 : MAP_ANONYMOUS), fd, 0);

	if (p != MAP_FAILED)
		return p;
	(void)err_errno(err, ERR_GATE_CACHE, errno, "%zu octets", n);
	return NULL;
}

static void
close_store(struct cache_store *s)
{
	if (s->m)
		(void)munmap(s->m, s->mapped);
	if (s->fd >= 0)
		(void)close(s->fd);
	mem_free(s);
}

/* What an earlier program left is used, if it can be. */
static bool
open_store(struct cache_store *s, const struct cache_layout *layout, const char *path,
	struct err *err)
{
	bool found = false;

	s->fd = path ? cache_file_open(path, layout->end, &found, err) : -1;
	if (path && s->fd < 0)
		return false;
	uint8_t *base = map_bytes(layout->end, s->fd, err);
	if (!base)
		return false;
	place(s, layout, base);
	found = found && cache_file_recover(s, layout);
	if (!found)
		free_all(s, layout);
	if (path) {
		log_info("cache.file", "path=%s entries=%llu", path,
			(unsigned long long)s->m->used_entries);
	}
	return init_lock(&s->m->lock, err);
}

struct cache_store *
cache_store_new(size_t bytes, const char *path, struct err *err)
{
	struct cache_store *s = mem_alloc(sizeof(*s));
	size_t n = bytes / CACHE_BLOCK;

	n = n < BLOCKS_LEAST ? BLOCKS_LEAST : n;
	n = n < CACHE_NONE / 2 ? n : CACHE_NONE / 2;
	struct cache_layout layout = lay_out((uint32_t)n); /* bounded above */
	s->holders = 1;
	s->owner = getpid();
	s->bytes = bytes;
	s->mapped = layout.end;
	if (!open_store(s, &layout, path, err)) {
		close_store(s);
		return NULL;
	}
	if (path)
		cache_file_begin(s);
	return s;
}

struct cache_store *
cache_store_get(struct cache_store *s)
{
	s->holders++;
	return s;
}

void
cache_store_put(struct cache_store *s)
{
	if (!s || --s->holders > 0)
		return;
	if (s->fd >= 0 && s->owner == getpid())
		cache_file_end(s);
	close_store(s);
}

size_t
cache_store_bytes(const struct cache_store *s)
{
	return s->bytes;
}

/* ---- the lock ---- */

void
cache_store_unlock(struct cache_store *s)
{
	s->m->busy = false;
	(void)pthread_mutex_unlock(&s->m->lock);
}

bool
cache_store_lock(struct cache_store *s)
{
	int rc = pthread_mutex_lock(&s->m->lock);

	if (rc == EOWNERDEAD) { /* in the middle of something */
		s->m->broken = true;
		(void)pthread_mutex_consistent(&s->m->lock);
		log_warn("cache.broken", "why=\"a worker died while it had the lock\"");
	}
	if (rc != 0 && rc != EOWNERDEAD)
		return false;
	if (s->m->broken) {
		(void)pthread_mutex_unlock(&s->m->lock);
		return false;
	}
	s->m->busy = true;
	return true;
}

/* ---- one request for many ---- */

static uint64_t
name_of(const struct cache_key *key)
{
	uint64_t who;

	memcpy(&who, key->b, sizeof(who));
	return who | 1;
}

static struct cache_claimed *
claim_of(struct cache_store *s, uint64_t who)
{
	return &s->m->claims[who / 2 % CACHE_CLAIMS];
}

enum cache_claim
cache_store_claim(struct cache_store *s, const struct cache_key *key, uint64_t now_ms,
	uint64_t for_ms)
{
	uint64_t who = name_of(key);
	enum cache_claim result = CACHE_CLAIMED;

	if (!cache_store_lock(s))
		return CACHE_UNSHARED;
	struct cache_claimed *c = claim_of(s, who);
	if (c->who != 0 && c->until_ms > now_ms) /* of another key: nobody waits */
		result = c->who == who && !c->unshared ? CACHE_TAKEN : CACHE_UNSHARED;
	if (result == CACHE_CLAIMED)
		*c = (struct cache_claimed){who, now_ms + for_ms, false};
	cache_store_unlock(s);
	return result;
}

void
cache_store_release(
	struct cache_store *s, const struct cache_key *key, uint64_t unshared_until_ms)
{
	uint64_t who = name_of(key);

	if (!cache_store_lock(s))
		return;
	struct cache_claimed *c = claim_of(s, who);
	if (c->who == who) {
		*c = (struct cache_claimed){
			unshared_until_ms ? who : 0, unshared_until_ms, true};
	}
	cache_store_unlock(s);
}

void
cache_store_sum(struct cache_store *s, struct cache_store_sums *out)
{
	*out = (struct cache_store_sums){0};
	if (!cache_store_lock(s))
		return;
	out->entries = s->m->used_entries;
	out->bytes = s->m->used_blocks * CACHE_BLOCK;
	out->room = (uint64_t)s->n_blocks * CACHE_BLOCK;
	cache_store_unlock(s);
}
