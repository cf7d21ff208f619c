// SPDX-License-Identifier: Apache-2.0
/*
 * cache_store_priv: how the store lies in memory.
 *
 *	struct cache_shared | buckets | entries | next block of each block | blocks
 *
 * Everything points by index, because nothing else means the same in every process.
 * What is read from there may have been written by a worker that is not itself any
 * more: indexes are read once and checked before they are used, by bounds that each
 * process keeps for itself; lengths are bounded by what they count, and what is true or
 * false is an octet, because any of those is one.
 */
#pragma once

#include <pthread.h>

#include "shared/cache_store.h"

enum {
	CACHE_BLOCK = 4096,
	CACHE_CLAIMS = 4096, /* a power of two */
	CACHE_BOOT = 40,     /* octets of a boot's name */
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
	uint8_t listed; /* in a bucket and in the ages */
	struct cache_facts facts;
};

struct cache_claimed {
	uint64_t who; /* a part of the key; 0: nobody */
	uint64_t until_ms;
	uint8_t unshared;
};

/* What a file begins with, so that the next program knows what it finds. */
struct cache_mark {
	char magic[16];
	uint32_t entry_size; /* of these structures, as they were compiled */
	uint32_t shared_size;
	char boot[CACHE_BOOT]; /* the machine's, under which it was written */
	uint8_t clean;         /* all of it is on the disk, and nobody has it */
};

struct cache_shared {
	struct cache_mark mark;
	pthread_mutex_t lock;
	uint8_t busy; /* somebody has the lock, or died with it */
	uint8_t broken;
	uint32_t n_buckets; /* these three for the next program alone */
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
	pid_t owner;  /* who opened it, and says at its end that it is whole */
	int fd;       /* of its file, locked against other programs; -1: none */
	size_t bytes; /* as asked for */
	size_t mapped;
	uint32_t n_buckets; /* a power of two */
	uint32_t n_entries;
	uint32_t n_blocks;
	struct cache_shared *m;
	uint32_t *buckets;
	struct cache_entry *entries;
	uint32_t *after; /* the next block of each */
	uint8_t *blocks;
};

/* Where each part begins, in octets from the map's beginning. */
struct cache_layout {
	uint32_t n_blocks;
	uint32_t n_entries;
	uint32_t n_buckets;
	size_t buckets;
	size_t entries;
	size_t after;
	size_t blocks;
	size_t end;
};

/* ---- cache_file.c ---- */

/* Opens the file of that many octets and locks it. *found: it was there already, ours
 * alone and of that size; else it is a new one. -1 on failure. */
int cache_file_open(const char *path, size_t n, bool *found, struct err *err);
/* Marks a map as begun: from now on it is only good for this boot. */
void cache_file_begin(struct cache_store *s);
/* All is written: the next program may use it after the machine's next start too. */
void cache_file_end(struct cache_store *s);
/*
 * Whether what lies in a mapped file can be used: made by the same program under this
 * boot, or ended in order; nobody died in the middle of a change; and every chain is
 * whole and used once. Then lists, buckets and what is free are made anew from it.
 * What lies there is believed in nothing: workers wrote it.
 */
MUST_USE bool cache_file_recover(
	struct cache_store *s, const struct cache_layout *layout);

/* Where an entry of this key begins to be looked for. */
uint32_t *cache_bucket_of(struct cache_store *s, const uint8_t *key);
/* Blocks that so many octets need. */
uint32_t cache_blocks_for(uint64_t n);
/* Octets of an entry before its body. */
uint64_t cache_head_octets(const struct cache_entry *e);

/* False: there is no store any more. */
MUST_USE bool cache_store_lock(struct cache_store *s);
void cache_store_unlock(struct cache_store *s);
