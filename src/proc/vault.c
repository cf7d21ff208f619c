// SPDX-License-Identifier: Apache-2.0
/*
 * vault: the duty of the process that holds keys.
 *
 * It loads the authorities while it still may, hides its memory, gives up its user, all
 * files and every call that makes a socket, and then answers questions on lines the
 * master hands it. MINT, LEAFKEYS and CHAIN exist here only; no mask that a listener
 * can be given holds them (keyless/wire.c).
 *
 * Many workers ask for the same name: what was minted is kept for an hour, as octets.
 */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/lru.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/read.h"
#include "base/stats.h"
#include "gate/keyserver.h"
#include "gate/settings.h"
#include "keyless/ask_pool.h"
#include "keyless/line.h"
#include "keyless/sealing.h"
#include "net/resolve.h"
#include "pki/leaf.h"
#include "pki/resign.h"
#include "proc/child_priv.h"
#include "tls/profile.h"

enum {
	MINTED_BYTES = 16 << 20,
	MINTED_KEEP_MS = 3600 * 1000,
	/* LEAF_NAMES names of 253 octets with their heads, twice the node's chain. */
	ANSWER_MOST = 45000,
	CHAIN_MOST = 6000, /* the node CA and what is above it */
	FACTS_ARENA = 256 * 1024,
	RENEW_MS = LEAFKEYS_LIFE_S * 1000,
};

struct known_authority {
	struct known_authority *next;
	struct span dir;             /* the settings' */
	struct authority *authority; /* owned */
	/* Its key is on key servers: authority->key is a stand-in. */
	const struct site_keys *keys; /* borrowed; NULL: the key is here */
	struct ask_pool *pool;        /* owned */
	uint8_t ski[KEY_SKI];
	uint8_t op;
};

/* The secret a key server seals with. */
struct known_seal {
	struct known_seal *next;
	struct span name; /* of the key server; the settings' */
	struct seal seal;
};

struct minted {
	struct lru_item item;
	uint64_t until_ms;
	struct span chain; /* behind the key, in the same block */
	uint8_t bytes[];
};

struct vault {
	struct answer_desk desk;
	struct loop loop;
	struct leash leash;
	struct answer_client workers; /* what any worker may ask */
	struct known_authority *authorities;
	struct leafkeys leafkeys;
	struct keys keys;          /* of key servers */
	struct known_seal *seals;  /* owned */
	struct resolver *resolver; /* owned; NULL: no key is elsewhere */
	struct profile *tunnel;    /* the same */
	bool asks_here;            /* a key server is behind a Unix socket */
	struct lru minted;
	struct timer renew;
	struct list lines;
	bool ending; /* stops with the last line */
};

/* A leaf that waits for its signature from elsewhere. */
struct unsigned_leaf {
	struct ask ask;
	struct answer_call *call;
	struct known_authority *by;
	struct span der; /* owned; with the stand-in's signature */
	struct resign parts;
	uint8_t digest[SIGNER_DIGEST_MAX];
};

struct vault_line {
	struct answer_line line;
	struct vault *vault;
	struct list in;
	struct corpse corpse;
};

static struct vault *
vault_of(const struct answer_call *c)
{
	struct answer_desk *desk = CONTAINER_OF(c->door, struct answer_desk, door);
	return CONTAINER_OF(desk, struct vault, desk);
}

static struct known_authority *
find_known(const struct vault *v, struct span dir)
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
	const struct known_authority *k = find_known(v, dir);

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

/* Both parts are bounded: the key by LEAF_FACTS, the chain by ANSWER_MOST. */
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

/* A leaf as facts want it; *mirror: nobody is to trust it. */
static bool
mint(struct vault *v, const struct wire_msg *req, struct span *der, bool *mirror,
	struct err *err)
{
	struct leaf_facts facts = {0};
	struct arena arena;
	const struct authority *a = find_authority(v, req->cert_id);

	if (!a) {
		return err_set(err, ERR_PKI_AUTHORITY, "no such authority: %.*s",
			SPAN_ARG(req->cert_id));
	}
	arena_init(&arena, FACTS_ARENA);
	bool ok = leaf_facts_read(req->payload, &arena, &facts, err) &&
		leaf_mint(a, &facts, leafkeys_get(&v->leafkeys, facts.kind), der, err);
	*mirror = facts.purpose == LEAF_MIRROR;
	arena_fini(&arena);
	return ok;
}

static void
refuse_mint(struct answer_call *c, const struct err *why)
{
	log_warn("vault.mint", "code=%s reason=\"%s\"", err_id(why->code), why->text);
	answer_refuse(c, WIRE_CRYPTO);
}

/* The leaf is whole: it is kept and sent. */
static void
reply_leaf(struct answer_call *c, struct span der, bool mirror)
{
	static uint8_t key_bytes[LEAF_FACTS + 4096]; /* one at a time; off the stack */
	static uint8_t chain_bytes[ANSWER_MOST];
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

/* ---- leafs signed elsewhere */

static void
drop_unsigned(struct unsigned_leaf *u)
{
	mem_free((void *)(uintptr_t)u->der.p);
	mem_free(u);
}

static void
signature_came(struct ask *a)
{
	struct unsigned_leaf *u = CONTAINER_OF(a, struct unsigned_leaf, ask);
	EVP_PKEY *issuer = X509_get0_pubkey(u->by->authority->node);
	struct span der = {0};
	struct err err = a->err;

	if (a->ok && resign_join(&u->parts, issuer, a->answer, &der, &err)) {
		reply_leaf(u->call, der, false);
	} else {
		refuse_mint(u->call, &err);
	}
	mem_free((void *)(uintptr_t)der.p);
	drop_unsigned(u);
}

/* Takes der over. */
static void
ask_for_signature(struct answer_call *c, struct known_authority *k, struct span der)
{
	struct unsigned_leaf *u = mem_alloc(sizeof(*u));
	EVP_PKEY *issuer = X509_get0_pubkey(k->authority->node);
	struct err err = {0};

	u->call = c;
	u->by = k;
	u->der = der;
	if (resign_split(der, &u->parts, &err)) {
		u->ask.want = (struct wire_msg){.op = k->op,
			.ski = span_of(k->ski, KEY_SKI),
			.payload = resign_job(&u->parts, issuer, u->digest).input};
		u->ask.done = signature_came;
		if (ask_pool_send(k->pool, &u->ask, &err))
			return;
	}
	refuse_mint(c, &err);
	drop_unsigned(u);
}

static void
run_mint(struct answer_call *c)
{
	static uint8_t key_bytes[LEAF_FACTS + 4096]; /* one at a time; off the stack */
	struct vault *v = vault_of(c);
	struct err err = {0};
	struct span key = key_of(&c->req, key_bytes, sizeof(key_bytes));
	const struct minted *known = key.n > 0 ? find_minted(v, key) : NULL;
	struct known_authority *k = find_known(v, c->req.cert_id);
	struct span der = {0};
	bool mirror = false;

	if (known) {
		answer_reply(c, known->chain);
		return;
	}
	if (key.n == 0 || !mint(v, &c->req, &der, &mirror, &err)) {
		refuse_mint(c, &err);
		return;
	}
	if (k->pool && !mirror) {
		ask_for_signature(c, k, der);
		return;
	}
	reply_leaf(c, der, mirror);
	mem_free((void *)(uintptr_t)der.p);
}

static void
run_leafkeys(struct answer_call *c)
{
	struct vault *v = vault_of(c);
	struct err err = {0};
	uint8_t bytes[LEAFKEYS_WIRE];
	size_t n = 0;
	if (leafkeys_write(&v->leafkeys, bytes, &n, &err)) {
		answer_reply(c, span_of(bytes, n));
	} else {
		answer_refuse(c, WIRE_INTERNAL);
	}
	secret_wipe(bytes, sizeof(bytes));
}

static void
run_chain(struct answer_call *c)
{
	uint8_t bytes[CHAIN_MOST];
	size_t n = 0;
	const struct authority *a = find_authority(vault_of(c), c->req.cert_id);
	if (a && chain_write(&a->chain, bytes, sizeof(bytes), &n)) {
		answer_reply(c, span_of(bytes, n));
	} else {
		answer_refuse(c, WIRE_NO_CERT);
	}
}

/* ---- seal and unseal */

static const struct seal *
find_seal(const struct answer_call *c)
{
	for (const struct known_seal *k = vault_of(c)->seals; k; k = k->next) {
		if (span_eq(k->name, c->req.cert_id))
			return &k->seal;
	}
	return NULL;
}

static void
run_seal(struct answer_call *c)
{
	const struct seal *s = find_seal(c);

	if (s) {
		sealing_seal(c, s);
	} else {
		answer_refuse(c, WIRE_INTERNAL);
	}
}

static void
run_unseal(struct answer_call *c)
{
	const struct seal *s = find_seal(c);

	if (s) {
		sealing_unseal(c, s);
	} else {
		answer_refuse(c, WIRE_INTERNAL);
	}
}

static const struct answer_op ops[] = {
	{.op = WIRE_MINT, .answer_max = ANSWER_MOST, .run = run_mint},
	{.op = WIRE_LEAFKEYS, .answer_max = LEAFKEYS_WIRE, .run = run_leafkeys},
	{.op = WIRE_CHAIN, .answer_max = CHAIN_MOST, .run = run_chain},
	{.op = WIRE_SEAL, .answer_max = SEALING_MOST, .run = run_seal},
	{.op = WIRE_UNSEAL, .answer_max = SEALING_MOST, .run = run_unseal},
};

/* ---- lines of workers */

static void
bury_line(struct corpse *c)
{
	mem_free(CONTAINER_OF(c, struct vault_line, corpse));
}

static void
stop_if_done(struct vault *v)
{
	if (v->ending && list_empty(&v->lines))
		loop_stop(&v->loop);
}

static void
close_line(struct vault_line *vl)
{
	answer_line_close(&vl->line);
	list_leave(&vl->in);
	loop_bury(&vl->vault->loop, &vl->corpse);
}

static void
tell_line_ended(struct answer_line *line)
{
	struct vault_line *vl = CONTAINER_OF(line, struct vault_line, line);
	close_line(vl);
	stop_if_done(vl->vault);
}

static void
open_line(struct vault *v, int fd)
{
	struct vault_line *vl = mem_alloc(sizeof(*vl));
	vl->vault = v;
	vl->corpse.bury = bury_line;
	list_push(&v->lines, &vl->in);
	answer_line_open(&vl->line, &v->desk, &v->workers, fd);
	vl->line.ended = tell_line_ended;
}

/* ---- life */

static void
end_with_last_line(struct vault *v)
{
	v->ending = true;
	stop_if_done(v);
}

static void
tell_word(struct leash *l, const struct leash_message *m)
{
	struct vault *v = CONTAINER_OF(l, struct vault, leash);
	if (m->word == LEASH_PEER && m->fd >= 0) {
		open_line(v, m->fd);
	} else if (m->word == LEASH_DRAIN) {
		end_with_last_line(v);
	} else if (m->word == LEASH_STOP) {
		loop_stop(&v->loop);
	}
}

static void
tell_orphaned(struct leash *l)
{
	end_with_last_line(CONTAINER_OF(l, struct vault, leash));
}

/* Workers notice that their pair is of yesterday when a leaf does not fit it. */
static void
renew_leafkeys(struct timer *t)
{
	struct vault *v = CONTAINER_OF(t, struct vault, renew);
	struct leafkeys fresh = {0};
	struct err err = {0};

	timer_set(&v->loop, t, clock_now() + RENEW_MS);
	if (!leafkeys_make(&fresh, v->leafkeys.number + 1, &err)) {
		log_error("vault.leafkeys", "reason=\"%s\"", err.text);
		return;
	}
	leafkeys_fini(&v->leafkeys);
	v->leafkeys = fresh;
	lru_fini(&v->minted);
	lru_init(&v->minted, MINTED_BYTES, free_minted);
}

static uint8_t
signing_op(const EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "ED25519"))
		return WIRE_ED25519;
	return EVP_PKEY_is_a(key, "RSA") ? WIRE_RSA_SHA256 : WIRE_ECDSA_SHA256;
}

/* Files are still there to be read: the resolver wants some. */
static bool
reach_key(struct vault *v, struct known_authority *k, struct err *err)
{
	const EVP_PKEY *key = X509_get0_pubkey(k->authority->node);

	if (!key_ski(key, k->ski, err))
		return false;
	k->op = signing_op(key);
	v->asks_here = v->asks_here || site_keys_are_here(k->keys);
	if (!v->resolver)
		v->resolver = resolve_open(&v->loop, &(struct resolve_options){0}, err);
	if (!v->tunnel)
		v->tunnel = ask_pool_profile(err);
	return v->resolver && v->tunnel;
}

/* After the process has become what it will be. */
static void
open_pools(struct vault *v)
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

static bool
load_authorities(struct vault *v, const struct settings *s, struct err *err)
{
	for (const struct conf_item *it = s->gateways; it; it = it->next) {
		const struct gateway *g = (const struct gateway *)(const void *)it;
		char path[1024];
		if (find_authority(v, g->authority))
			continue;
		if (!span_copy(path, sizeof(path), g->authority))
			return err_set(err, ERR_PKI_AUTHORITY, "its path is too long");
		struct known_authority *k = mem_alloc(sizeof(*k));
		k->dir = g->authority;
		k->next = v->authorities;
		if (g->sites.keys.servers)
			k->keys = &g->sites.keys;
		k->authority = k->keys ? authority_load_elsewhere(path, err)
				       : authority_load(path, true, SPAN(""), err);
		if (!k->authority || (k->keys && !reach_key(v, k, err))) {
			authority_free(k->authority);
			mem_free(k);
			return err_within(err, "gateway %.*s", SPAN_ARG(g->name));
		}
		v->authorities = k;
	}
	return true;
}

static bool
load_seal(struct vault *v, const struct keyserver_settings *k, struct err *err)
{
	if (k->seal_secret.n == 0)
		return true;

	struct known_seal *known = mem_alloc(sizeof(*known));

	known->name = k->name;
	known->next = v->seals;
	v->seals = known;
	return sealing_load(&known->seal, (const char *)k->seal_secret.p, err);
}

/* One store for all key servers: the workers judge who may use which. */
static bool
load_keys(struct vault *v, const struct settings *s, struct err *err)
{
	for (const struct conf_item *it = s->keyservers; it; it = it->next) {
		const struct keyserver_settings *k =
			(const struct keyserver_settings *)(const void *)it;

		if (!keyserver_load_keys(k, &v->keys, err) || !load_seal(v, k, err))
			return err_within(err, "keyserver %.*s", SPAN_ARG(k->name));
	}
	return true;
}

static bool
open_vault(struct vault *v, const struct duty *duty, struct err *err)
{
	sandbox_hide_memory();
	list_init(&v->lines);
	lru_init(&v->minted, MINTED_BYTES, free_minted);
	keys_init(&v->keys);
	if (!loop_init(&v->loop, err) || !load_authorities(v, duty->settings, err) ||
		!load_keys(v, duty->settings, err) ||
		!leafkeys_make(&v->leafkeys, 1, err))
		return false;
	answer_desk_open(&v->desk, &v->loop, &v->keys);
	v->desk.door.ops = ops;
	v->desk.door.n_ops = COUNT_OF(ops);
	v->workers.name = "worker";
	v->workers.mask = wire_mask_public();
	for (size_t i = 0; i < COUNT_OF(ops); i++)
		wire_mask_add(&v->workers.mask, ops[i].op);
	/* No sockets at all, unless an authority's key is elsewhere: then it is not
	 * here. */
	const struct sandbox_calls calls = {
		.connects = v->resolver != NULL, .connects_here = v->asks_here};
	if (!sandbox_become(duty->owner, err) || !sandbox_files(NULL, 0, err) ||
		!sandbox_calls(&calls, err))
		return false;
	open_pools(v);
	return true;
}

static void
close_vault(struct vault *v)
{
	LIST_EACH (l, &v->lines)
		close_line(CONTAINER_OF(l, struct vault_line, in));
	leash_close(&v->leash);
	for (struct known_authority *k = v->authorities; k; k = k->next)
		ask_pool_free(k->pool); /* its asks' calls are orphans by now */
	answer_desk_close(&v->desk);
	if (v->resolver)
		resolve_close(v->resolver);
	profile_put(v->tunnel);
	loop_fini(&v->loop);
	lru_fini(&v->minted);
	leafkeys_fini(&v->leafkeys);
	keys_fini(&v->keys);
	while (v->seals) {
		struct known_seal *k = v->seals;
		v->seals = k->next;
		seal_fini(&k->seal);
		mem_free(k);
	}
	while (v->authorities) {
		struct known_authority *k = v->authorities;
		v->authorities = k->next;
		authority_free(k->authority);
		mem_free(k);
	}
}

int
vault_run(const struct duty *duty)
{
	struct err err = {0};
	struct vault v = {0};

	if (!open_vault(&v, duty, &err)) {
		leash_confess(duty->leash_fd, &err);
		return 1;
	}
	v.leash.came = tell_word;
	v.leash.ended = tell_orphaned;
	leash_open(&v.leash, &v.loop, duty->leash_fd);
	v.renew.fired = renew_leafkeys;
	timer_set(&v.loop, &v.renew, clock_now() + RENEW_MS);
	leash_say(&v.leash, LEASH_READY, -1);
	loop_run(&v.loop);
	close_vault(&v);
	return 0;
}
