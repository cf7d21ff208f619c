// SPDX-License-Identifier: Apache-2.0
/* cache_store: entries and their blocks. */
#include "shared/cache_store_priv.h"

#include <string.h>

#include "http/header.h"

enum {
	VARIANTS_MOST = 32, /* of one URL */
	LOOKS_MOST = 256,   /* at pinned entries, while room is made */
};

_Static_assert((int)CACHE_TEXTS_MOST <= (int)CACHE_BLOCK,
	"what is compared lies in one block");

/* ---- blocks and entries; the lock is held ---- */

/* Once: what was checked is what is used, whoever writes there meanwhile. */
static uint32_t
fetch(const uint32_t *p)
{
	return *(const volatile uint32_t *)p;
}

static bool
is_block(const struct cache_store *s, uint32_t b)
{
	return b < s->n_blocks;
}

static uint8_t *
block_at(struct cache_store *s, uint32_t b)
{
	return s->blocks + (size_t)b * CACHE_BLOCK;
}

uint32_t
cache_blocks_for(uint64_t n)
{
	return (uint32_t)((n + CACHE_BLOCK - 1) /
		CACHE_BLOCK); /* of bodies that fit the map */
}

static void
free_chain(struct cache_store *s, uint32_t b, uint64_t n)
{
	for (uint32_t left = cache_blocks_for(n); left > 0 && is_block(s, b); left--) {
		uint32_t next = fetch(&s->after[b]);
		s->after[b] = s->m->free_block;
		s->m->free_block = b;
		s->m->used_blocks--;
		b = next;
	}
}

uint64_t
cache_head_octets(const struct cache_entry *e)
{
	return (uint64_t)e->n_vary + e->n_url + e->n_tags + e->n_head;
}

static void
free_entry(struct cache_store *s, struct cache_entry *e)
{
	free_chain(s, e->head, cache_head_octets(e));
	free_chain(s, e->body, e->n_body);
	e->next = s->m->free_entry;
	s->m->free_entry = (uint32_t)(e - s->entries); /* below n_entries */
	s->m->used_entries--;
}

static struct cache_entry *
entry_at(struct cache_store *s, uint32_t i)
{
	return i < s->n_entries ? &s->entries[i] : NULL;
}

uint32_t *
cache_bucket_of(struct cache_store *s, const uint8_t *key)
{
	uint32_t h;

	memcpy(&h, key, sizeof(h));
	return &s->buckets[h & (s->n_buckets - 1)];
}

static void
leave_ages(struct cache_store *s, struct cache_entry *e)
{
	struct cache_entry *older = entry_at(s, e->older);
	struct cache_entry *newer = entry_at(s, e->newer);

	*(older ? &older->newer : &s->m->oldest) = e->newer;
	*(newer ? &newer->older : &s->m->newest) = e->older;
}

static void
join_ages(struct cache_store *s, struct cache_entry *e)
{
	uint32_t i = (uint32_t)(e - s->entries);
	struct cache_entry *newest = entry_at(s, s->m->newest);

	e->older = s->m->newest;
	e->newer = CACHE_NONE;
	*(newest ? &newest->newer : &s->m->oldest) = i;
	s->m->newest = i;
}

/* Nobody finds it any more; its blocks go when the last reader has. */
static void
unlist(struct cache_store *s, struct cache_entry *e)
{
	uint32_t i = (uint32_t)(e - s->entries);
	uint32_t *slot = cache_bucket_of(s, e->key);
	struct cache_entry *at = entry_at(s, *slot);

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
		struct cache_entry *e = entry_at(s, i);
		if (!e)
			return false;
		i = e->newer;
		if (e->pins == 0) {
			unlist(s, e);
			return true;
		}
		/* Being read is as good as just asked for, and out of the next one's
		 * way. */
		leave_ages(s, e);
		join_ages(s, e);
	}
	return false;
}

static uint32_t
take_block(struct cache_store *s)
{
	uint32_t b = fetch(&s->m->free_block);

	while (!is_block(s, b)) {
		if (!evict(s))
			return CACHE_NONE;
		b = fetch(&s->m->free_block);
	}
	s->m->free_block = s->after[b];
	s->after[b] = CACHE_NONE;
	s->m->used_blocks++;
	return b;
}

static struct cache_entry *
take_entry(struct cache_store *s)
{
	struct cache_entry *e = entry_at(s, fetch(&s->m->free_entry));

	while (!e) {
		if (!evict(s))
			return NULL;
		e = entry_at(s, fetch(&s->m->free_entry));
	}
	s->m->free_entry = e->next;
	s->m->used_entries++;
	*e = (struct cache_entry){.head = CACHE_NONE, .body = CACHE_NONE};
	return e;
}

/* ---- chains; the lock is held ---- */

static bool
append(struct cache_store *s, struct cache_fill *f, struct span octets)
{
	while (octets.n > 0) {
		size_t at = (size_t)(f->n % CACHE_BLOCK);
		if (at == 0) {
			uint32_t b = take_block(s);
			if (b == CACHE_NONE)
				return false;
			*(f->n == 0 ? &f->first : &s->after[f->last]) = b;
			f->last = b;
		}
		size_t n = octets.n < CACHE_BLOCK - at ? octets.n : CACHE_BLOCK - at;
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
text_of(struct cache_store *s, const struct cache_entry *e, uint32_t from, uint32_t n)
{
	if (!is_block(s, e->head) || from > CACHE_BLOCK || n > CACHE_BLOCK - from)
		return (struct span){0};
	return span_of(block_at(s, e->head) + from, n);
}

static bool
same_key(const struct cache_entry *e, const struct cache_key *key)
{
	return memcmp(e->key, key->b, CACHE_KEY) == 0;
}

/* ---- reading ---- */

static struct cache_entry *
find_entry(struct cache_store *s, const struct cache_key *key,
	const struct http_fields *request, bool *known)
{
	struct cache_entry *best = NULL;
	struct cache_entry *e = entry_at(s, *cache_bucket_of(s, key->b));

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
take_head(struct cache_store *s, struct cache_entry *e, struct arena *a,
	struct cache_hit *hit)
{
	uint32_t skip = e->n_vary + e->n_url + e->n_tags;
	uint32_t n = fetch(&e->n_head);
	struct cache_cursor c = {fetch(&e->head), skip, n};

	if (skip > CACHE_BLOCK || arena_room(a) < (size_t)n + 64)
		return false;
	uint8_t *p = arena_alloc(a, n);
	copy_out(s, &c, p);
	hit->entry = (uint32_t)(e - s->entries);
	hit->facts = e->facts;
	hit->head = span_of(p, n);
	hit->length = e->n_body;
	return true;
}

enum cache_found
cache_store_find(struct cache_store *s, const struct cache_key *key,
	const struct http_fields *request, struct arena *a, struct cache_hit *hit)
{
	bool known = false;

	if (!cache_store_lock(s))
		return CACHE_ABSENT;
	struct cache_entry *e = find_entry(s, key, request, &known);
	bool found = e && take_head(s, e, a, hit);
	if (found) {
		e->pins++;
		leave_ages(s, e);
		join_ages(s, e);
	}
	cache_store_unlock(s);
	if (found)
		return CACHE_PRESENT;
	return known ? CACHE_OTHER_VARIANT : CACHE_ABSENT;
}

void
cache_store_let_go(struct cache_store *s, const struct cache_hit *hit)
{
	if (!cache_store_lock(s))
		return;
	struct cache_entry *e = entry_at(s, hit->entry);
	if (e && e->pins > 0 && --e->pins == 0 && !e->listed)
		free_entry(s, e);
	cache_store_unlock(s);
}

void
cache_store_seek(struct cache_store *s, const struct cache_hit *hit, uint64_t from,
	uint64_t n, struct cache_cursor *out)
{
	uint32_t b = fetch(&s->entries[hit->entry].body);

	for (uint64_t skip = from / CACHE_BLOCK; skip > 0 && is_block(s, b); skip--)
		b = fetch(&s->after[b]);
	*out = (struct cache_cursor){b, (size_t)(from % CACHE_BLOCK), n};
}

struct span
cache_store_next(struct cache_store *s, struct cache_cursor *c)
{
	if (c->left > 0 && c->at >= CACHE_BLOCK && is_block(s, c->block)) {
		c->block = fetch(&s->after[c->block]);
		c->at = 0;
	}
	if (c->left == 0 || !is_block(s, c->block)) {
		c->left = 0;
		return (struct span){0};
	}
	size_t n =
		c->left < CACHE_BLOCK - c->at ? (size_t)c->left : CACHE_BLOCK - c->at;
	struct span piece = span_of(block_at(s, c->block) + c->at, n);
	c->at += n;
	c->left -= n;
	return piece;
}

/* ---- writing ---- */

void
cache_store_begin(struct cache_fill *f)
{
	*f = (struct cache_fill){.first = CACHE_NONE, .last = CACHE_NONE, .open = true};
}

void
cache_store_abandon(struct cache_store *s, struct cache_fill *f)
{
	if (!f->open)
		return;
	f->open = false;
	if (!cache_store_lock(s))
		return;
	free_chain(s, f->first, f->n);
	cache_store_unlock(s);
}

bool
cache_store_add(struct cache_store *s, struct cache_fill *f, struct span octets)
{
	if (!f->open || !cache_store_lock(s))
		return false;
	bool ok = append(s, f, octets);
	cache_store_unlock(s);
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
set_texts(struct cache_entry *e, const struct cache_texts *t,
	const struct cache_fill *head)
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
	struct cache_entry *oldest = NULL;
	struct cache_entry *e = entry_at(s, *cache_bucket_of(s, t->key.b));
	unsigned n = 0;

	while (e) {
		struct cache_entry *next = entry_at(s, e->next);
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
	struct cache_entry *e = take_entry(s);
	if (!e) {
		free_chain(s, head.first, head.n);
		return false;
	}
	make_way(s, t);
	memcpy(e->key, t->key.b, CACHE_KEY);
	set_texts(e, t, &head);
	e->body = f->first;
	e->n_body = f->n;
	uint32_t *slot = cache_bucket_of(s, e->key);
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
	if (!f->open || !cache_store_lock(s))
		return false;
	bool ok = commit(s, f, texts);
	cache_store_unlock(s);
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

	if (!cache_store_lock(s))
		return false;
	struct cache_entry *e = entry_at(s, hit->entry);
	bool ok = e && e->pins > 0 && e->listed && write_texts(s, texts, &head);
	if (ok) {
		free_chain(s, e->head, cache_head_octets(e));
		set_texts(e, texts, &head);
	}
	cache_store_unlock(s);
	return ok;
}

/* ---- forgetting ---- */

size_t
cache_store_forget(struct cache_store *s, const struct cache_key *key)
{
	size_t n = 0;

	if (!cache_store_lock(s))
		return 0;
	for (struct cache_entry *e = entry_at(s, *cache_bucket_of(s, key->b)); e;) {
		struct cache_entry *next = entry_at(s, e->next);
		if (same_key(e, key)) {
			unlist(s, e);
			n++;
		}
		e = next;
	}
	cache_store_unlock(s);
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
is_meant(struct cache_store *s, const struct cache_entry *e, enum cache_purge what,
	struct span text)
{
	struct span url = text_of(s, e, e->n_vary, e->n_url);

	switch (what) {
	case CACHE_PURGE_ALL:
		break;
	case CACHE_PURGE_URL:
		return span_eq(url, text);
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

	if (!cache_store_lock(s))
		return 0;
	for (struct cache_entry *e = entry_at(s, s->m->oldest); e;) {
		struct cache_entry *next = entry_at(s, e->newer);
		if (is_meant(s, e, what, text)) {
			unlist(s, e);
			n++;
		}
		e = next;
	}
	cache_store_unlock(s);
	return n;
}
