// SPDX-License-Identifier: Apache-2.0
#include "gate/mint.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/read.h"
#include "base/stats.h"
#include "gate/settings.h"

/* A finished leaf. Sessions hold references of their own to the identity. */
struct leaf {
	struct lru_item item;
	struct identity *id; /* owned reference */
	int64_t not_after;
	size_t n_key;
	uint8_t key[];
};

/* A question to the vault that some sessions wait for. */
struct mint_job {
	struct map_item by_key;
	struct list waiting_for_keys;
	struct list waits;
	struct mint *m;
	struct ask ask;
	enum key_kind kind;
	bool retried; /* with leaf keys fetched anew */
	struct span authority;
	size_t n_key;
	uint8_t key[]; /* the payload of MINT is its part behind the authority */
};

enum {
	RENEW_BEFORE_S = 3600, /* of a cached leaf */
	KEY_MOST = LEAF_FACTS + 4096,
};

static void
free_leaf(struct leaf *leaf)
{
	identity_put(leaf->id);
	mem_free(leaf);
}

static void
evicted(struct lru_item *item)
{
	free_leaf(CONTAINER_OF(item, struct leaf, item));
}

static void
free_job(struct mint_job *job)
{
	list_leave(&job->waiting_for_keys);
	map_remove(&job->m->jobs, &job->by_key);
	mem_free(job);
}

/* Tells everybody; each gets a reference. id NULL: failed, and err says why. */
static void
finish_job(struct mint_job *job, struct identity *id, const struct err *err)
{
	struct list waits;
	list_init(&waits);
	while (!list_empty(&job->waits)) { /* done() may start other jobs */
		struct list *first = list_first(&job->waits);
		list_leave(first);
		list_push(&waits, first);
	}
	free_job(job);
	while (!list_empty(&waits)) {
		struct mint_wait *wait =
			CONTAINER_OF(list_first(&waits), struct mint_wait, in);
		list_leave(&wait->in);
		if (id) {
			wait->id = identity_get(id);
		} else {
			wait->err = *err;
		}
		wait->done(wait);
	}
}

static void
keep(struct mint_job *job, struct identity *id)
{
	struct leaf *leaf = mem_alloc(sizeof(*leaf) + job->n_key);
	leaf->id = identity_get(id);
	leaf->not_after = id->not_after;
	leaf->n_key = job->n_key;
	memcpy(leaf->key, job->key, job->n_key);
	lru_add(&job->m->cache, &leaf->item, span_of(leaf->key, leaf->n_key),
		sizeof(*leaf) + job->n_key + id->cost);
}

static void fetch_keys(struct mint *m);

static void
send_job(struct mint_job *job)
{
	struct err err = {0};
	job->ask.want = (struct wire_msg){
		.op = WIRE_MINT,
		.cert_id = job->authority,
		.payload = span_of(
			job->key + job->authority.n, job->n_key - job->authority.n),
	};
	if (!ask_send(job->m->vault, &job->ask, &err))
		finish_job(job, NULL, &err);
}

/* The vault signs for the key pair of the day; if that is not ours any more, the new
 * one is fetched and the question asked once more. */
static void
wait_for_keys(struct mint_job *job)
{
	list_push(&job->m->waiting_for_keys, &job->waiting_for_keys);
	fetch_keys(job->m);
}

static struct identity *
make_identity(struct mint_job *job, struct span answer, struct err *err)
{
	struct chain chain = {0};
	struct identity *id = NULL;
	if (chain_read(&chain, answer, err))
		id = identity_new(&chain, leafkeys_get(&job->m->keys, job->kind), err);
	chain_fini(&chain);
	return id;
}

static void
minted(struct ask *ask)
{
	struct mint_job *job = CONTAINER_OF(ask, struct mint_job, ask);
	struct err err = ask->err;
	if (!ask->ok) {
		finish_job(job, NULL, &err);
		return;
	}
	struct identity *id = make_identity(job, ask->answer, &err);
	if (!id && !job->retried) {
		job->retried = true;
		wait_for_keys(job);
		return;
	}
	if (id) {
		stat_add(STAT_LEAFS_MINTED, 1);
		keep(job, id);
	}
	finish_job(job, id, &err);
	identity_put(id);
}

static void
keys_came(struct ask *ask)
{
	struct mint *m = CONTAINER_OF(ask, struct mint, keys_ask);
	struct leafkeys keys = {0};
	struct err err = ask->err;
	struct list jobs;
	m->asking_keys = false;
	bool ok = ask->ok && leafkeys_read(ask->answer, &keys, &err);
	if (ok) {
		leafkeys_fini(&m->keys);
		m->keys = keys;
		m->has_keys = true;
	}
	list_init(&jobs);
	while (!list_empty(&m->waiting_for_keys)) {
		struct list *first = list_first(&m->waiting_for_keys);
		list_leave(first);
		list_push(&jobs, first);
	}
	while (!list_empty(&jobs)) {
		struct mint_job *job = CONTAINER_OF(
			list_first(&jobs), struct mint_job, waiting_for_keys);
		list_leave(&job->waiting_for_keys);
		if (ok) {
			send_job(job);
		} else {
			finish_job(job, NULL, &err);
		}
	}
}

static void
fetch_keys(struct mint *m)
{
	struct err err = {0};
	if (m->asking_keys)
		return;
	m->asking_keys = true;
	m->keys_ask = (struct ask){.want.op = WIRE_LEAFKEYS, .done = keys_came};
	if (ask_send(m->vault, &m->keys_ask, &err))
		return;
	m->keys_ask.ok = false;
	m->keys_ask.err = err;
	keys_came(&m->keys_ask);
}

void
mint_init(struct mint *m, struct ask_link *vault, size_t cache_bytes)
{
	*m = (struct mint){.vault = vault};
	lru_init(&m->cache, cache_bytes, evicted);
	map_init(&m->jobs);
	list_init(&m->waiting_for_keys);
}

/* Sessions have gone before; what they asked for may still be on its way. */
void
mint_fini(struct mint *m)
{
	struct map_item *it;
	while ((it = map_next(&m->jobs, NULL)) != NULL) {
		struct mint_job *job = CONTAINER_OF(it, struct mint_job, by_key);
		must(list_empty(&job->waits));
		ask_cancel(&job->ask);
		free_job(job);
	}
	if (m->asking_keys)
		ask_cancel(&m->keys_ask);
	map_fini(&m->jobs);
	lru_fini(&m->cache);
	leafkeys_fini(&m->keys);
}

/* A leaf that ends soon is forgotten: the next one lasts. */
static struct leaf *
find_leaf(struct mint *m, struct span key)
{
	struct lru_item *item = lru_get(&m->cache, key);
	if (!item)
		return NULL;
	struct leaf *leaf = CONTAINER_OF(item, struct leaf, item);
	if (leaf->not_after > clock_wall() + RENEW_BEFORE_S)
		return leaf;
	lru_remove(&m->cache, item);
	free_leaf(leaf);
	return NULL;
}

static struct mint_job *
new_job(struct mint *m, const struct gateway *g, enum key_kind kind, struct span key)
{
	struct mint_job *job = mem_alloc(sizeof(*job) + key.n);
	job->m = m;
	job->kind = kind;
	job->ask.done = minted;
	job->n_key = key.n;
	memcpy(job->key, key.p, key.n);
	job->authority = span_of(job->key, g->authority.n);
	list_init(&job->waits);
	list_init(&job->waiting_for_keys);
	map_add(&m->jobs, &job->by_key, span_of(job->key, job->n_key));
	return job;
}

bool
mint_start(struct mint *m, const struct gateway *g, const struct leaf_facts *f,
	struct mint_wait *wait)
{
	static uint8_t key[KEY_MOST]; /* one at a time, and large for the stack */
	struct write w = write_to(key, sizeof(key));
	size_t n = 0;
	list_init(&wait->in);
	write_span(&w, g->authority);
	if (w.bad || !leaf_facts_write(f, key + w.n, sizeof(key) - w.n, &n)) {
		(void)err_set(&wait->err, ERR_GATE_MINT,
			"the origin's names do not fit a leaf");
		return false;
	}
	struct span octets = span_of(key, w.n + n);
	struct leaf *leaf = find_leaf(m, octets);
	if (leaf) {
		wait->id = identity_get(leaf->id);
		return true;
	}
	struct map_item *under_way = map_get(&m->jobs, octets);
	if (under_way) {
		list_push(&CONTAINER_OF(under_way, struct mint_job, by_key)->waits,
			&wait->in);
		return false;
	}
	struct mint_job *job = new_job(m, g, f->kind, octets);
	list_push(&job->waits, &wait->in);
	if (m->has_keys) {
		send_job(job);
	} else {
		wait_for_keys(job);
	}
	return false;
}

void
mint_cancel(struct mint_wait *wait)
{
	if (wait->in.next)
		list_leave(&wait->in);
	identity_put(wait->id);
	wait->id = NULL;
}
