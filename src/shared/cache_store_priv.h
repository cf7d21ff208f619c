// SPDX-License-Identifier: Apache-2.0
/*
 * cache_store_priv: how the store lies in memory.
 *
 *	struct cache_shared | buckets | entries | next block of each block | blocks
 *
 * Everything points by index, because nothing else means the same in every process.
 *What is read from there may have been written by a worker that is not itself any more:
 * indexes are checked before they are used, lengths are bounded by what they count.
 */
#pragma once

#include <pthread.h>

#include "shared/cache_store.h"

enum {
	CACHE_BLOCK = 4096,
	CACHE_CLAIMS = 4096, /* a power of two */
};
#define CACHE_NONE UINT32_MAX

struct cache_entry {
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

struct cache_claimed {
	uint64_t who; /* a part of the key; 0: nobody */
	uint64_t until_ms;
	bool unshared;
};

struct cache_shared {
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
	struct cache_claimed claims[CACHE_CLAIMS];
};

struct cache_store {
	unsigned holders;
	size_t bytes; /* as asked for */
	size_t mapped;
	struct cache_shared *m;
	uint32_t *buckets;
	struct cache_entry *entries;
	uint32_t *after; /* the next block of each */
	uint8_t *blocks;
};

/* False: there is no store any more. */
MUST_USE bool cache_store_lock(struct cache_store *s);
void cache_store_unlock(struct cache_store *s);
