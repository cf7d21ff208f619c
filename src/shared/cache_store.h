// SPDX-License-Identifier: Apache-2.0
/*
 * cache_store: stored responses, in memory that all workers share.
 *
 * The master maps it before it forks, so every worker of every generation sees the
 * same, and a reload loses nothing. It is cut into blocks of one size; an entry is a
 * chain of blocks for its head and one for its body. When there is no block left, what
 * was not asked for longest goes. Whoever reads an entry pins it: it may leave the
 * index meanwhile, but not its blocks.
 *
 * One lock guards all of it and is held for a few memory copies at most. If a worker
 * dies while it has it, the store is given up: it finds and takes nothing any more
 * until the program is started anew. What a process that died had pinned or half
 * written is lost room, nothing worse.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "http/cache.h"

enum { CACHE_KEY = 32, CACHE_TEXTS_MOST = 4096 };

struct cache_store;

struct cache_key {
	uint8_t b[CACHE_KEY];
};
/* Of the parts, none of which runs into another. */
void cache_key_make(struct cache_key *key, const struct span *parts, size_t n);

/*
 * path NULL: in memory only; else a file that the kernel may move it to, locked against
 * other programs. What an earlier program left there is used if it was made by the same
 * version, is whole, and the machine has not crashed since; else the file is made anew,
 * with all of its room taken from the disk at once.
 */
struct cache_store *cache_store_new(size_t bytes, const char *path, struct err *err);
/* Another holder in this process: settings that replace each other share one. */
struct cache_store *cache_store_get(struct cache_store *s);
/* NULL does nothing. */
void cache_store_put(struct cache_store *s);
size_t cache_store_bytes(const struct cache_store *s);

/* ---- reading ---- */

struct cache_hit {
	uint32_t entry;
	struct cache_facts facts;
	struct span head; /* cache_head_read() takes it; in the arena */
	uint64_t length;  /* of the body */
};
enum cache_found {
	CACHE_ABSENT,
	CACHE_OTHER_VARIANT, /* the URL is known, but not for such a request */
	CACHE_PRESENT,       /* *hit is pinned: cache_store_let_go() */
};
/* Of several variants that match, the newest. */
enum cache_found cache_store_find(struct cache_store *s, const struct cache_key *key,
	const struct http_fields *request, struct arena *a, struct cache_hit *hit);
void cache_store_let_go(struct cache_store *s, const struct cache_hit *hit);

/* A place in a pinned body. */
struct cache_cursor {
	uint32_t block;
	size_t at;     /* in the block */
	uint64_t left; /* octets wanted yet */
};
/* [from, from + n) of the body, which has so many. */
void cache_store_seek(struct cache_store *s, const struct cache_hit *hit, uint64_t from,
	uint64_t n, struct cache_cursor *out);
/* The next octets, in the shared memory; empty at the end. Moves on behind them. */
struct span cache_store_next(struct cache_store *s, struct cache_cursor *c);

/* ---- writing ---- */

struct cache_fill {
	uint32_t first; /* blocks, ours until the end of the fill */
	uint32_t last;
	uint64_t n;
	bool open;
};
void cache_store_begin(struct cache_fill *f);
/* False when there is no room: the fill has ended. */
MUST_USE bool cache_store_add(
	struct cache_store *s, struct cache_fill *f, struct span octets);
void cache_store_abandon(struct cache_store *s, struct cache_fill *f);

/* What is known of a response besides its body. */
struct cache_texts {
	struct cache_key key;
	struct span url;
	struct span vary; /* cache_vary_make() */
	struct span tags; /* separated by blanks or commas */
	struct span head; /* cache_head_write() */
	struct cache_facts facts;
};
/* The body is whole: it takes the place of what was stored for the same requests. False
 * when it could not be; the fill has ended in any case. */
bool cache_store_commit(
	struct cache_store *s, struct cache_fill *f, const struct cache_texts *texts);
/* A pinned entry gets new fields and facts; its body stays. */
bool cache_store_renew(struct cache_store *s, const struct cache_hit *hit,
	const struct cache_texts *texts);

/* ---- forgetting ---- */

/* All variants of a URL. Returns how many. */
size_t cache_store_forget(struct cache_store *s, const struct cache_key *key);
enum cache_purge {
	CACHE_PURGE_ALL,
	CACHE_PURGE_URL,
	CACHE_PURGE_PREFIX,
	CACHE_PURGE_TAG,
};
/* Those whose URL is this or begins so, or that have this tag. Returns how many. */
size_t cache_store_purge(
	struct cache_store *s, enum cache_purge what, struct span text);

/* ---- one request for many ---- */

enum cache_claim {
	CACHE_CLAIMED, /* it is ours: cache_store_release() */
	CACHE_TAKEN,   /* another one asks for it already */
	CACHE_UNSHARED /* what came last could not be shared: everybody for himself */
};
/* now_ms is clock_now(); a claim that is not released in for_ms counts no more. */
enum cache_claim cache_store_claim(struct cache_store *s, const struct cache_key *key,
	uint64_t now_ms, uint64_t for_ms);
/* unshared_until_ms: 0, or until when nobody shall wait for another. */
void cache_store_release(
	struct cache_store *s, const struct cache_key *key, uint64_t unshared_until_ms);

struct cache_store_sums {
	uint64_t entries;
	uint64_t bytes; /* in blocks that are used */
	uint64_t room;  /* in all blocks */
};
void cache_store_sum(struct cache_store *s, struct cache_store_sums *out);
