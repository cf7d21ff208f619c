// SPDX-License-Identifier: Apache-2.0
/*
 * vault_mint: leafs, by authorities whose keys are here, in a token, or on key servers.
 *
 * Many workers ask for the same name: what was minted is kept for an hour, as octets.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/read.h"
#include "base/stats.h"
#include "base/text.h"
#include "gate/settings.h"
#include "keyless/ask_pool.h"
#include "proc/passphrase_priv.h"
#include "proc/vault_priv.h"
#include "tls/profile.h"

enum {
	MINTED_BYTES = 16 << 20,
	MINTED_KEEP_MS = 3600 * 1000,
	FACTS_ARENA = 256 * 1024,
};

struct minted {
	struct lru_item item;
	uint64_t until_ms;
	struct span chain; /* behind the key, in the same block */
	uint8_t bytes[];
};

struct known_authority *
vault_find_authority(const struct vault *v, struct span dir)
{
	for (struct known_authority *k = v->authorities; k; k = k->next) {
		if (span_eq(k->dir, dir))
			return k;
	}
	return NULL;
}

static const struct authority *
find_authority(const struct vault *v, struct span dir)
{
	const struct known_authority *k = vault_find_authority(v, dir);

	return k ? k->authority : NULL;
}

/* ---- what was minted */

static void
free_minted(struct lru_item *item)
{
	mem_free(CONTAINER_OF(item, struct minted, item));
}

static struct minted *
find_minted(struct vault *v, struct span key)
{
	struct lru_item *item = lru_get(&v->minted, key);
	if (!item)
		return NULL;
	struct minted *m = CONTAINER_OF(item, struct minted, item);
	if (m->until_ms > clock_now())
		return m;
	lru_remove(&v->minted, item);
	mem_free(m);
	return NULL;
}

/* Both parts are bounded: the key by LEAF_FACTS, the chain by VAULT_LEAF_MOST. */
static void
keep_minted(struct vault *v, struct span key, struct span chain)
{
	struct minted *m = mem_alloc(sizeof(*m) + key.n + chain.n);
	memcpy(m->bytes, key.p, key.n);
	memcpy(m->bytes + key.n, chain.p, chain.n);
	m->chain = span_of(m->bytes + key.n, chain.n);
	m->until_ms = clock_now() + MINTED_KEEP_MS;
	lru_add(&v->minted, &m->item, span_of(m->bytes, key.n),
		sizeof(*m) + key.n + chain.n);
}

/* Authority and facts. What they are told apart by is the authority's length. */
static struct span
key_of(const struct wire_msg *req, uint8_t *dst, size_t cap)
{
	struct write w = write_to(dst, cap);
	write_be(&w, (uint32_t)req->cert_id.n, 2); /* an item's length has 2 octets */
	write_span(&w, req->cert_id);
	write_span(&w, req->payload);
	return write_done(&w);
}

/* ---- operations */

/* The leaf and what is sent behind it; a mirror's issuer is nobody's business. */
static bool
write_chain(const struct authority *a, bool mirror, struct span leaf, struct write *out)
{
	struct chain chain = {0};
	struct err err = {0};
	size_t n = 0;
	bool ok = chain_add(&chain, leaf, &err) &&
		(mirror || chain_add_all(&chain, &a->chain, &err)) &&
		chain_write(&chain, out->p, out->cap, &n);
	out->n = n;
	chain_fini(&chain);
	return ok;
}

static struct vault_line *
line_of(const struct answer_call *c)
{
	struct answer_line *line = CONTAINER_OF(c->link, struct answer_line, seat.link);
	return CONTAINER_OF(line, struct vault_line, line);
}

/* A leaf as facts want it; *mirror: nobody is to trust it. */
static bool
mint(struct answer_call *c, struct span *der, bool *mirror, struct err *err)
{
	struct vault *v = vault_of(c);
	struct leaf_facts facts = {0};
	struct arena arena;
	const struct known_authority *k = vault_find_authority(v, c->req.cert_id);

	if (!k) {
		return err_set(err, ERR_PKI_AUTHORITY, "no such authority: %.*s",
			SPAN_ARG(c->req.cert_id));
	}
	arena_init(&arena, FACTS_ARENA);
	bool ok = leaf_facts_read(c->req.payload, &arena, &facts, err) &&
		mint_limits_take(k->limits, &line_of(c)->budget, &facts, err) &&
		leaf_mint(k->authority, &facts, leafkeys_get(&v->leafkeys, facts.kind),
			der, err);
	*mirror = facts.purpose == LEAF_MIRROR;
	arena_fini(&arena);
	return ok;
}

static void
refuse_mint(struct answer_call *c, const struct err *why)
{
	bool limit = why->code == ERR_VAULT_RATE || why->code == ERR_VAULT_NAME;
	if (limit)
		stat_add(STAT_VAULT_REFUSED, 1);
	if (!c->link || !limit || mint_limits_tell(&line_of(c)->budget, why->code)) {
		log_warn("vault.mint", "code=%s reason=\"%s\"", err_id(why->code),
			why->text);
	}
	answer_refuse(c, WIRE_CRYPTO);
}

/* The leaf is whole: it is kept and sent. */
static void
reply_leaf(struct answer_call *c, struct span der, bool mirror)
{
	static uint8_t key_bytes[LEAF_FACTS + 4096]; /* one at a time; off the stack */
	static uint8_t chain_bytes[VAULT_LEAF_MOST];
	struct vault *v = vault_of(c);
	struct write chain = write_to(chain_bytes, sizeof(chain_bytes));
	struct span key = key_of(&c->req, key_bytes, sizeof(key_bytes));
	const struct authority *a = find_authority(v, c->req.cert_id);
	struct err err = {0};

	if (!write_chain(a, mirror, der, &chain)) {
		(void)err_set(&err, ERR_PKI_MINT, "the chain is too long");
		refuse_mint(c, &err);
		return;
	}
	if (!find_minted(v, key)) /* two may have waited for the same signature */
		keep_minted(v, key, span_of(chain.p, chain.n));
	answer_reply(c, span_of(chain.p, chain.n));
}

static void
tell_leaf(struct answer_call *c, struct known_authority *k, struct span der)
{
	(void)k;
	reply_leaf(c, der, false);
	mem_free((void *)(uintptr_t)der.p);
}

static const struct vault_signed leaf_signed = {tell_leaf, refuse_mint};

void
vault_run_mint(struct answer_call *c)
{
	static uint8_t key_bytes[LEAF_FACTS + 4096]; /* one at a time; off the stack */
	struct vault *v = vault_of(c);
	struct err err = {0};
	struct span key = key_of(&c->req, key_bytes, sizeof(key_bytes));
	const struct minted *known = key.n > 0 ? find_minted(v, key) : NULL;
	struct known_authority *k = vault_find_authority(v, c->req.cert_id);
	struct span der = {0};
	bool mirror = false;

	if (known) {
		answer_reply(c, known->chain);
		return;
	}
	if (key.n == 0 || !mint(c, &der, &mirror, &err)) {
		refuse_mint(c, &err);
		return;
	}
	if (!mirror && vault_signs_elsewhere(k)) {
		vault_sign(c, k, der, &leaf_signed);
		return;
	}
	reply_leaf(c, der, mirror);
	mem_free((void *)(uintptr_t)der.p);
}

void
vault_run_chain(struct answer_call *c)
{
	uint8_t bytes[VAULT_CHAIN_MOST];
	size_t n = 0;
	const struct authority *a = find_authority(vault_of(c), c->req.cert_id);
	if (a && chain_write(&a->chain, bytes, sizeof(bytes), &n)) {
		answer_reply(c, span_of(bytes, n));
	} else {
		answer_refuse(c, WIRE_NO_CERT);
	}
}

/* ---- the authorities */

/* Files are still there to be read: the resolver wants some. */
static bool
reach_key(struct vault *v, struct known_authority *k, struct err *err)
{
	const EVP_PKEY *key = X509_get0_pubkey(k->authority->node);

	if (!key_ski(key, k->ski, err))
		return false;
	if (!k->keys)
		return true;
	v->asks_here = v->asks_here || site_keys_are_here(k->keys);
	if (!v->resolver)
		v->resolver = resolve_open(&v->loop, &(struct resolve_options){0}, err);
	if (!v->tunnel)
		v->tunnel = ask_pool_profile(err);
	return v->resolver && v->tunnel;
}

/* After the process has become what it will be. */
void
vault_open_pools(struct vault *v)
{
	for (struct known_authority *k = v->authorities; k; k = k->next) {
		if (k->keys) {
			k->pool = site_open_pool(k->keys,
				&(struct site_pool_place){.loop = &v->loop,
					.resolver = v->resolver,
					.profile = v->tunnel});
		}
	}
}

static struct authority *
load_here(const struct known_authority *k, const char *path, struct err *err)
{
	struct span secret = {0};

	if (!passphrase_read(k->passphrase, &secret, err))
		return NULL;
	struct authority *a = authority_load(path, true, span_trim(secret), err);
	passphrase_forget(&secret);
	return a;
}

static struct authority *
read_authority(const struct known_authority *k, struct err *err)
{
	char path[1024];

	if (!span_copy(path, sizeof(path), k->dir)) {
		(void)err_set(err, ERR_PKI_AUTHORITY, "its path is too long");
		return NULL;
	}
	if (k->keys || k->token.n > 0)
		return authority_load_elsewhere(path, err);
	return load_here(k, path, err);
}

static bool
load_authority(struct vault *v, const struct gateway *g, struct err *err)
{
	struct known_authority *k = mem_alloc(sizeof(*k));

	k->dir = g->authority;
	k->next = v->authorities;
	k->token = g->authority_token;
	k->limits = &g->mint;
	k->passphrase = g->authority_passphrase;
	if (g->sites.keys.servers)
		k->keys = &g->sites.keys;
	k->authority = read_authority(k, err);
	bool is_here = !k->keys && k->token.n == 0;
	if (!k->authority || (!is_here && !reach_key(v, k, err))) {
		authority_free(k->authority);
		mem_free(k);
		return err_within(err, "gateway %.*s", SPAN_ARG(g->name));
	}
	if (g->crl_url.n > 0)
		k->authority->crl_url = mem_cstr(g->crl_url);
	v->authorities = k;
	return true;
}

/* The vault cannot tell for which gateway a worker asks, so all that share an authority
 * have its limits. */
static bool
meet_authority(struct vault *v, const struct gateway *g, struct err *err)
{
	const struct known_authority *k = vault_find_authority(v, g->authority);

	if (!k)
		return load_authority(v, g, err);
	return mint_limits_eq(k->limits, &g->mint) ||
		err_set(err, ERR_PKI_AUTHORITY,
			"gateway %.*s: `mint` differs from that of another gateway "
			"with "
			"the same authority",
			SPAN_ARG(g->name));
}

bool
vault_load_authorities(struct vault *v, const struct settings *s, struct err *err)
{
	for (const struct conf_item *it = s->gateways; it; it = it->next) {
		if (!meet_authority(v, (const struct gateway *)(const void *)it, err))
			return false;
	}
	return true;
}

void
vault_mint_init(struct vault *v)
{
	lru_init(&v->minted, MINTED_BYTES, free_minted);
}

void
vault_forget_minted(struct vault *v)
{
	lru_fini(&v->minted);
	vault_mint_init(v);
}

void
vault_mint_fini(struct vault *v)
{
	lru_fini(&v->minted);
	while (v->authorities) {
		struct known_authority *k = v->authorities;
		v->authorities = k->next;
		authority_free(k->authority);
		mem_free((void *)(uintptr_t)k->crl.p);
		mem_free(k);
	}
}
