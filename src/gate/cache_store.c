// SPDX-License-Identifier: Apache-2.0
/*
 * How it lies in memory:
 *
 *	struct shared | buckets | entries | next block of each block | blocks
 *
 * Everything points by index, because nothing else means the same in every process. What
 * is read from there may have been written by a worker that is not itself any more:
 * indexes are checked before they are used, lengths are bounded by what they count.
 */
#include "gate/cache_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "http/header.h"

enum {
	BLOCK = 4096,
	CLAIMS = 4096,      /* a power of two */
	VARIANTS_MOST = 32, /* of one URL */
	LOOKS_MOST = 256,   /* at pinned entries, while room is made */
	BLOCKS_LEAST = 64,
};
#define NONE UINT32_MAX

_Static_assert(CACHE_TEXTS_MOST <= BLOCK, "what is compared lies in one block");

struct entry {
	uint8_t key[CACHE_KEY];
	uint32_t next; /* in its bucket, or free */
	uint32_t older;
	uint32_t newer;
	uint32_t pins;
	uint32_t head; /* first block: vary, url, tags, then the head */
	uint32_t body;
	uint32_t n_vary;
	uint32_t n_url;
	uint32_t n_tags;
	uint32_t n_head;
	uint64_t n_body;
	bool listed; /* in a bucket and in the ages */
	struct cache_facts facts;
};

struct claim {
	uint64_t who; /* a part of the key; 0: nobody */
	uint64_t until_ms;
	bool unshared;
};

struct shared {
	pthread_mutex_t lock;
	bool broken;
	uint32_t n_buckets; /* a power of two */
	uint32_t n_entries;
	uint32_t n_blocks;
	uint32_t free_entry;
	uint32_t free_block;
	uint32_t oldest;
	uint32_t newest;
	uint64_t used_entries;
	uint64_t used_blocks;
	struct claim claims[CLAIMS];
};

struct cache_store {
	unsigned holders;
	size_t bytes; /* as asked for */
	size_t mapped;
	struct shared *m;
	uint32_t *buckets;
	struct entry *entries;
	uint32_t *after; /* the next block of each */
	uint8_t *blocks;
};

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
	return (n + BLOCK - 1) / BLOCK * BLOCK;
}

/* Where each part begins, for so many blocks. */
static size_t
lay_out(struct cache_store *s, uint32_t n_blocks, uint8_t *base)
{
	uint32_t n_entries = n_blocks / 2;
	uint32_t n_buckets = power_above(n_entries);
	size_t buckets = round_up(sizeof(struct shared));
	size_t entries = buckets + round_up(n_buckets * sizeof(uint32_t));
	size_t after = entries + round_up(n_entries * sizeof(struct entry));
	size_t blocks = after + round_up(n_blocks * sizeof(uint32_t));

	s->m = (struct shared *)(void *)base;
	s->buckets = (uint32_t *)(void *)(base + buckets);
	s->entries = (struct entry *)(void *)(base + entries);
	s->after = (uint32_t *)(void *)(base + after);
	s->blocks = base + blocks;
	if (base) {
		s->m->n_entries = n_entries;
		s->m->n_buckets = n_buckets;
		s->m->n_blocks = n_blocks;
	}
	return blocks + (size_t)n_blocks * BLOCK;
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
free_all(struct cache_store *s)
{
	struct shared *m = s->m;

	for (uint32_t i = 0; i < m->n_buckets; i++)
		s->buckets[i] = NONE;
	for (uint32_t i = 0; i < m->n_entries; i++)
		s->entries[i].next = i + 1 < m->n_entries ? i + 1 : NONE;
	for (uint32_t i = 0; i < m->n_blocks; i++)
		s->after[i] = i + 1 < m->n_blocks ? i + 1 : NONE;
	m->free_entry = 0;
	m->free_block = 0;
	m->oldest = NONE;
	m->newest = NONE;
}

static int
open_file(const char *path, size_t n, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && ftruncate(fd, (off_t)n) == 0) /* n is below 1 TiB */
		return fd;
	int number = errno;
	if (fd >= 0)
		(void)close(fd);
	(void)err_errno(err, ERR_GATE_CACHE, number, "%s", path);
	return -1;
}

static uint8_t *
map_bytes(size_t n, const char *path, struct err *err)
{
	int fd = path ? open_file(path, n, err) : -1;

	if (path && fd < 0)
		return NULL;
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		MAP_SHARED | (path ? 0 : MAP_ANONYMOUS), fd, 0);
	int number = errno;
	if (fd >= 0)
		(void)close(fd);
	if (p != MAP_FAILED)
		return p;
	(void)err_errno(err, ERR_GATE_CACHE, number, "%zu octets", n);
	return NULL;
}

struct cache_store *
cache_store_new(size_t bytes, const char *path, struct err *err)
{
	struct cache_store *s = mem_alloc(sizeof(*s));
	size_t n = bytes / BLOCK;

	n = n < BLOCKS_LEAST ? BLOCKS_LEAST : n;
	n = n < NONE / 2 ? n : NONE / 2;
	uint32_t n_blocks = (uint32_t)n; /* bounded above */
	s->holders = 1;
	s->bytes = bytes;
	s->mapped = lay_out(s, n_blocks, NULL);
	uint8_t *base = map_bytes(s->mapped, path, err);
	if (base)
		(void)lay_out(s, n_blocks, base);
	if (!base || !init_lock(&s->m->lock, err)) {
		if (base)
			(void)munmap(base, s->mapped);
		mem_free(s);
		return NULL;
	}
	free_all(s);
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
	(void)munmap(s->m, s->mapped);
	mem_free(s);
}

size_t
cache_store_bytes(const struct cache_store *s)
{
	return s->bytes;
}

/* ---- the lock ---- */

static void
unlock(struct cache_store *s)
{
	(void)pthread_mutex_unlock(&s->m->lock);
}

/* False: there is no store any more. */
static bool
lock(struct cache_store *s)
{
	int rc = pthread_mutex_lock(&s->m->lock);

	if (rc == EOWNERDEAD) { /* in the middle of something */
		s->m->broken = true;
		(void)pthread_mutex_consistent(&s->m->lock);
		log_warn("cache.broken", "why=\"a worker died while it had the lock\"");
	}
	if ((rc == 0 || rc == EOWNERDEAD) && !s->m->broken)
		return true;
	if (rc == 0 || rc == EOWNERDEAD)
		unlock(s);
	return false;
}

/* ---- blocks and entries; the lock is held ---- */

static bool
is_block(const struct cache_store *s, uint32_t b)
{
	return b < s->m->n_blocks;
}

static uint8_t *
block_at(struct cache_store *s, uint32_t b)
{
	return s->blocks + (size_t)b * BLOCK;
}

static uint32_t
blocks_for(uint64_t n)
{
	return (uint32_t)((n + BLOCK - 1) / BLOCK); /* of bodies that fit the map */
}

static void
free_chain(struct cache_store *s, uint32_t b, uint64_t n)
{
	for (uint32_t left = blocks_for(n); left > 0 && is_block(s, b); left--) {
		uint32_t next = s->after[b];
		s->after[b] = s->m->free_block;
		s->m->free_block = b;
		s->m->used_blocks--;
		b = next;
	}
}

static uint64_t
head_octets(const struct entry *e)
{
	return (uint64_t)e->n_vary + e->n_url + e->n_tags + e->n_head;
}

static void
free_entry(struct cache_store *s, struct entry *e)
{
	free_chain(s, e->head, head_octets(e));
	free_chain(s, e->body, e->n_body);
	e->next = s->m->free_entry;
	s->m->free_entry = (uint32_t)(e - s->entries); /* below n_entries */
	s->m->used_entries--;
}

static struct entry *
entry_at(struct cache_store *s, uint32_t i)
{
	return i < s->m->n_entries ? &s->entries[i] : NULL;
}

static uint32_t *
bucket_of(struct cache_store *s, const uint8_t *key)
{
	uint32_t h;

	memcpy(&h, key, sizeof(h));
	return &s->buckets[h & (s->m->n_buckets - 1)];
}

static void
leave_ages(struct cache_store *s, struct entry *e)
{
	struct entry *older = entry_at(s, e->older);
	struct entry *newer = entry_at(s, e->newer);

	*(older ? &older->newer : &s->m->oldest) = e->newer;
	*(newer ? &newer->older : &s->m->newest) = e->older;
}

static void
join_ages(struct cache_store *s, struct entry *e)
{
	uint32_t i = (uint32_t)(e - s->entries);
	struct entry *newest = entry_at(s, s->m->newest);

	e->older = s->m->newest;
	e->newer = NONE;
	*(newest ? &newest->newer : &s->m->oldest) = i;
	s->m->newest = i;
}

/* Nobody finds it any more; its blocks go when the last reader has. */
static void
unlist(struct cache_store *s, struct entry *e)
{
	uint32_t i = (uint32_t)(e - s->entries);
	uint32_t *slot = bucket_of(s, e->key);
	struct entry *at = entry_at(s, *slot);

	while (at && *slot != i) {
		slot = &at->next;
		at = entry_at(s, *slot);
	}
	if (at)
		*slot = e->next;
	leave_ages(s, e);
	e->listed = false;
	if (e->pins == 0)
		free_entry(s, e);
}

/* Lets the oldest that nobody reads go. */
static bool
evict(struct cache_store *s)
{
	uint32_t i = s->m->oldest;

	for (unsigned looks = 0; looks < LOOKS_MOST; looks++) {
		struct entry *e = entry_at(s, i);
		if (!e)
			return false;
		i = e->newer;
		if (e->pins == 0) {
			unlist(s, e);
			return true;
		}
	}
	return false;
}

static uint32_t
take_block(struct cache_store *s)
{
	while (!is_block(s, s->m->free_block)) {
		if (!evict(s))
			return NONE;
	}
	uint32_t b = s->m->free_block;
	s->m->free_block = s->after[b];
	s->after[b] = NONE;
	s->m->used_blocks++;
	return b;
}

static struct entry *
take_entry(struct cache_store *s)
{
	while (!entry_at(s, s->m->free_entry)) {
		if (!evict(s))
			return NULL;
	}
	struct entry *e = &s->entries[s->m->free_entry];
	s->m->free_entry = e->next;
	s->m->used_entries++;
	*e = (struct entry){.head = NONE, .body = NONE};
	return e;
}

/* ---- chains; the lock is held ---- */

static bool
append(struct cache_store *s, struct cache_fill *f, struct span octets)
{
	while (octets.n > 0) {
		size_t at = (size_t)(f->n % BLOCK);
		if (at == 0) {
			uint32_t b = take_block(s);
			if (b == NONE)
				return false;
			*(f->n == 0 ? &f->first : &s->after[f->last]) = b;
			f->last = b;
		}
		size_t n = octets.n < BLOCK - at ? octets.n : BLOCK - at;
		memcpy(block_at(s, f->last) + at, octets.p, n); /* both bounded above */
		f->n += n;
		octets = span_from(octets, n);
	}
	return true;
}

static void
copy_out(struct cache_store *s, const struct cache_cursor *from, uint8_t *dst)
{
	struct cache_cursor c = *from;

	for (struct span piece = cache_store_next(s, &c); piece.n > 0;
		piece = cache_store_next(s, &c)) {
		memcpy(dst, piece.p, piece.n); /* as many as the cursor had */
		dst += piece.n;
	}
}

/* What is compared lies at the start of the first block. */
static struct span
text_of(struct cache_store *s, const struct entry *e, uint32_t from, uint32_t n)
{
	if (!is_block(s, e->head) || from > BLOCK || n > BLOCK - from)
		return (struct span){0};
	return span_of(block_at(s, e->head) + from, n);
}

static bool
same_key(const struct entry *e, const struct cache_key *key)
{
	return memcmp(e->key, key->b, CACHE_KEY) == 0;
}

/* ---- reading ---- */

static struct entry *
find_entry(struct cache_store *s, const struct cache_key *key,
	const struct http_fields *request, bool *known)
{
	struct entry *best = NULL;
	struct entry *e = entry_at(s, *bucket_of(s, key->b));

	for (; e; e = entry_at(s, e->next)) {
		if (!same_key(e, key))
			continue;
		*known = true;
		if (cache_vary_matches(text_of(s, e, 0, e->n_vary), request) &&
			(!best || e->facts.came_ms > best->facts.came_ms))
			best = e;
	}
	return best;
}

static bool
take_head(struct cache_store *s, struct entry *e, struct arena *a, struct cache_hit *hit)
{
	uint32_t skip = e->n_vary + e->n_url + e->n_tags;
	struct cache_cursor c = {e->head, skip, e->n_head};

	if (skip > BLOCK || arena_room(a) < (size_t)e->n_head + 64)
		return false;
	uint8_t *p = arena_alloc(a, e->n_head);
	copy_out(s, &c, p);
	hit->entry = (uint32_t)(e - s->entries);
	hit->facts = e->facts;
	hit->head = span_of(p, e->n_head);
	hit->length = e->n_body;
	return true;
}

enum cache_found
cache_store_find(struct cache_store *s, const struct cache_key *key,
	const struct http_fields *request, struct arena *a, struct cache_hit *hit)
{
	bool known = false;

	if (!lock(s))
		return CACHE_ABSENT;
	struct entry *e = find_entry(s, key, request, &known);
	bool found = e && take_head(s, e, a, hit);
	if (found) {
		e->pins++;
		leave_ages(s, e);
		join_ages(s, e);
	}
	unlock(s);
	if (found)
		return CACHE_PRESENT;
	return known ? CACHE_OTHER_VARIANT : CACHE_ABSENT;
}

void
cache_store_let_go(struct cache_store *s, const struct cache_hit *hit)
{
	if (!lock(s))
		return;
	struct entry *e = entry_at(s, hit->entry);
	if (e && e->pins > 0 && --e->pins == 0 && !e->listed)
		free_entry(s, e);
	unlock(s);
}

void
cache_store_seek(struct cache_store *s, const struct cache_hit *hit, uint64_t from,
	uint64_t n, struct cache_cursor *out)
{
	uint32_t b = s->entries[hit->entry].body;

	for (uint64_t skip = from / BLOCK; skip > 0 && is_block(s, b); skip--)
		b = s->after[b];
	*out = (struct cache_cursor){b, (size_t)(from % BLOCK), n};
}

struct span
cache_store_next(struct cache_store *s, struct cache_cursor *c)
{
	if (c->left > 0 && c->at >= BLOCK && is_block(s, c->block)) {
		c->block = s->after[c->block];
		c->at = 0;
	}
	if (c->left == 0 || !is_block(s, c->block)) {
		c->left = 0;
		return (struct span){0};
	}
	size_t n = c->left < BLOCK - c->at ? (size_t)c->left : BLOCK - c->at;
	struct span piece = span_of(block_at(s, c->block) + c->at, n);
	c->at += n;
	c->left -= n;
	return piece;
}

/* ---- writing ---- */

void
cache_store_begin(struct cache_fill *f)
{
	*f = (struct cache_fill){.first = NONE, .last = NONE, .open = true};
}

void
cache_store_abandon(struct cache_store *s, struct cache_fill *f)
{
	if (!f->open)
		return;
	f->open = false;
	if (!lock(s))
		return;
	free_chain(s, f->first, f->n);
	unlock(s);
}

bool
cache_store_add(struct cache_store *s, struct cache_fill *f, struct span octets)
{
	if (!f->open || !lock(s))
		return false;
	bool ok = append(s, f, octets);
	unlock(s);
	if (!ok)
		cache_store_abandon(s, f);
	return ok;
}

/* False with nothing taken. */
static bool
write_texts(struct cache_store *s, const struct cache_texts *t, struct cache_fill *head)
{
	if (t->vary.n + t->url.n + t->tags.n > CACHE_TEXTS_MOST)
		return false;
	cache_store_begin(head);
	if (append(s, head, t->vary) && append(s, head, t->url) &&
		append(s, head, t->tags) && append(s, head, t->head))
		return true;
	free_chain(s, head->first, head->n);
	return false;
}

static void
set_texts(struct entry *e, const struct cache_texts *t, const struct cache_fill *head)
{
	e->head = head->first;
	e->n_vary = (uint32_t)t->vary.n; /* all bounded by write_texts() and */
	e->n_url = (uint32_t)t->url.n;   /* cache_head_write() */
	e->n_tags = (uint32_t)t->tags.n;
	e->n_head = (uint32_t)t->head.n;
	e->facts = t->facts;
}

/* Drops what the new one replaces, and the least new of too many variants. */
static void
make_way(struct cache_store *s, const struct cache_texts *t)
{
	struct entry *oldest = NULL;
	struct entry *e = entry_at(s, *bucket_of(s, t->key.b));
	unsigned n = 0;

	while (e) {
		struct entry *next = entry_at(s, e->next);
		if (!same_key(e, &t->key)) {
			e = next;
			continue;
		}
		if (span_eq(text_of(s, e, 0, e->n_vary), t->vary)) {
			unlist(s, e);
		} else {
			n++;
			if (!oldest || e->facts.came_ms < oldest->facts.came_ms)
				oldest = e;
		}
		e = next;
	}
	if (n >= VARIANTS_MOST)
		unlist(s, oldest);
}

static bool
commit(struct cache_store *s, struct cache_fill *f, const struct cache_texts *t)
{
	struct cache_fill head;

	if (!write_texts(s, t, &head))
		return false;
	struct entry *e = take_entry(s);
	if (!e) {
		free_chain(s, head.first, head.n);
		return false;
	}
	make_way(s, t);
	memcpy(e->key, t->key.b, CACHE_KEY);
	set_texts(e, t, &head);
	e->body = f->first;
	e->n_body = f->n;
	uint32_t *slot = bucket_of(s, e->key);
	e->next = *slot;
	*slot = (uint32_t)(e - s->entries);
	e->listed = true;
	join_ages(s, e);
	return true;
}

bool
cache_store_commit(
	struct cache_store *s, struct cache_fill *f, const struct cache_texts *texts)
{
	if (!f->open || !lock(s))
		return false;
	bool ok = commit(s, f, texts);
	unlock(s);
	if (ok) {
		f->open = false;
	} else {
		cache_store_abandon(s, f);
	}
	return ok;
}

bool
cache_store_renew(struct cache_store *s, const struct cache_hit *hit,
	const struct cache_texts *texts)
{
	struct cache_fill head;

	if (!lock(s))
		return false;
	struct entry *e = entry_at(s, hit->entry);
	bool ok = e && e->pins > 0 && e->listed && write_texts(s, texts, &head);
	if (ok) {
		free_chain(s, e->head, head_octets(e));
		set_texts(e, texts, &head);
	}
	unlock(s);
	return ok;
}

/* ---- forgetting ---- */

size_t
cache_store_forget(struct cache_store *s, const struct cache_key *key)
{
	size_t n = 0;

	if (!lock(s))
		return 0;
	for (struct entry *e = entry_at(s, *bucket_of(s, key->b)); e;) {
		struct entry *next = entry_at(s, e->next);
		if (same_key(e, key)) {
			unlist(s, e);
			n++;
		}
		e = next;
	}
	unlock(s);
	return n;
}

static bool
has_tag(struct span tags, struct span tag)
{
	struct span list;

	while (header_item(&tags, &list)) {
		struct span one;
		while (span_cut(&list, ' ', &one)) {
			if (span_eq(span_trim(one), tag))
				return true;
		}
	}
	return false;
}

static bool
is_meant(struct cache_store *s, const struct entry *e, enum cache_purge what,
	struct span text)
{
	struct span url = text_of(s, e, e->n_vary, e->n_url);

	switch (what) {
	case CACHE_PURGE_ALL:
		break;
	case CACHE_PURGE_PREFIX:
		return span_starts(url, text);
	case CACHE_PURGE_TAG:
		return has_tag(text_of(s, e, e->n_vary + e->n_url, e->n_tags), text);
	}
	return true;
}

size_t
cache_store_purge(struct cache_store *s, enum cache_purge what, struct span text)
{
	size_t n = 0;

	if (!lock(s))
		return 0;
	for (struct entry *e = entry_at(s, s->m->oldest); e;) {
		struct entry *next = entry_at(s, e->newer);
		if (is_meant(s, e, what, text)) {
			unlist(s, e);
			n++;
		}
		e = next;
	}
	unlock(s);
	return n;
}

/* ---- one request for many ---- */

static uint64_t
name_of(const struct cache_key *key)
{
	uint64_t who;

	memcpy(&who, key->b, sizeof(who));
	return who | 1;
}

static struct claim *
claim_of(struct cache_store *s, uint64_t who)
{
	return &s->m->claims[who / 2 % CLAIMS];
}

enum cache_claim
cache_store_claim(struct cache_store *s, const struct cache_key *key, uint64_t now_ms,
	uint64_t for_ms)
{
	uint64_t who = name_of(key);
	enum cache_claim result = CACHE_CLAIMED;

	if (!lock(s))
		return CACHE_UNSHARED;
	struct claim *c = claim_of(s, who);
	if (c->who != 0 && c->until_ms > now_ms) /* of another key: nobody waits */
		result = c->who == who && !c->unshared ? CACHE_TAKEN : CACHE_UNSHARED;
	if (result == CACHE_CLAIMED)
		*c = (struct claim){who, now_ms + for_ms, false};
	unlock(s);
	return result;
}

void
cache_store_release(struct cache_store *s, const struct cache_key *key,
	uint64_t unshared_until_ms)
{
	uint64_t who = name_of(key);

	if (!lock(s))
		return;
	struct claim *c = claim_of(s, who);
	if (c->who == who) {
		*c = (struct claim){
			unshared_until_ms ? who : 0, unshared_until_ms, true};
	}
	unlock(s);
}

void
cache_store_sum(struct cache_store *s, struct cache_store_sums *out)
{
	*out = (struct cache_store_sums){0};
	if (!lock(s))
		return;
	out->entries = s->m->used_entries;
	out->bytes = s->m->used_blocks * BLOCK;
	out->room = (uint64_t)s->m->n_blocks * BLOCK;
	unlock(s);
}
