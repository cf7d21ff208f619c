// SPDX-License-Identifier: Apache-2.0
#include "pki/trust.h"

#include <glob.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "pki/digest.h"
#include "pki/path_priv.h"

enum {
	CACHE_DEFAULT = 4 * 1024 * 1024,
	BUNDLE_MAX = 8 * 1024 * 1024,
	LEARNED_MAX = 1024 * 1024, /* octets of issuers seen elsewhere */
	GOOD_FOR_S = 3600,         /* a good verdict is looked at again */
	BAD_FOR_S = 60,
	SOURCES = 16,
};

static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
	"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
	"/etc/ssl/ca-bundle.pem",             /* openSUSE */
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
};

struct source {
	char *path; /* owned */
	struct timespec changed;
};

struct key_hash_item {
	struct map_item by_hash;
	uint8_t spki[CERT_HASH];
	struct key_hash_item *next;
};

struct learned {
	struct lru_item item; /* by SHA-256 */
	struct cert *cert;    /* held */
};

struct remembered {
	struct lru_item item;
	uint8_t key[CERT_HASH];
	int64_t until;
	struct verdict verdict; /* its path is held */
};

struct trust {
	struct map by_subject;
	struct map by_hash;
	struct anchor **anchors; /* owned, with what they point to */
	size_t n;
	size_t cap;
	struct source sources[SOURCES];
	size_t n_sources;
	struct map own;
	struct map blocked;
	struct key_hash_item *hashes; /* owned, members of both */
	const struct ctlogs *logs;    /* borrowed */
	struct lru learned;
	struct lru verdicts;
	uint64_t epoch; /* rises when what is believed changes */
};

struct trust_options
trust_options_default(void)
{
	return (struct trust_options){
		.use = TRUST_SERVER,
		.revocation = TRUST_REVOCATION_SOFT,
		.rsa_bits = 2048,
		.max_depth = -1,
		.max_path = TRUST_PATH,
		.max_paths = 64,
		.max_signatures = 64,
	};
}

static void
forget_learned(struct lru_item *item)
{
	struct learned *l = CONTAINER_OF(item, struct learned, item);
	cert_put(l->cert);
	mem_free(l);
}

static void
forget_verdict(struct lru_item *item)
{
	struct remembered *r = CONTAINER_OF(item, struct remembered, item);
	verdict_fini(&r->verdict);
	mem_free(r);
}

static struct trust *
new_empty(void)
{
	struct trust *t = mem_alloc(sizeof *t);

	map_init(&t->by_subject);
	map_init(&t->by_hash);
	map_init(&t->own);
	map_init(&t->blocked);
	lru_init(&t->learned, LEARNED_MAX, forget_learned);
	lru_init(&t->verdicts, CACHE_DEFAULT, forget_verdict);
	return t;
}

static bool
add_anchor(struct trust *t, struct cert *c, bool is_public, struct err *err)
{
	struct span hash = span_of(c->sha256, CERT_HASH);

	if (map_get(&t->by_hash, hash))
		return true;
	if (t->n == TRUST_ROOTS)
		return err_set(err, ERR_PKI_ROOTS, "more than %d roots", TRUST_ROOTS);
	struct anchor *a = mem_alloc(sizeof *a);
	a->cert = cert_get(c);
	a->is_public = is_public;
	struct map_item *first = map_get(&t->by_subject, c->subject);
	if (first) {
		struct anchor *same = CONTAINER_OF(first, struct anchor, by_subject);
		a->same_name = same->same_name;
		same->same_name = a;
	} else {
		map_add(&t->by_subject, &a->by_subject, c->subject);
	}
	map_add(&t->by_hash, &a->by_hash, span_of(a->cert->sha256, CERT_HASH));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	t->anchors = (struct anchor **)mem_grow(
		t->anchors, &t->cap, t->n + 1, sizeof *t->anchors);
	t->anchors[t->n++] = a;
	return true;
}

static bool
add_der(struct trust *t, struct span der, bool is_public, struct err *err)
{
	struct cert *c = cert_parse(der, err);
	bool ok = c && add_anchor(t, c, is_public, err);

	cert_put(c);
	return ok;
}

/* Takes one CERTIFICATE block off the front of *text; false at the end. Blocks of other
 * kinds ("TRUSTED CERTIFICATE") are stepped over. */
static bool
next_block(struct span *text, struct span *block)
{
	static const struct span begin = SPAN_INIT("-----BEGIN CERTIFICATE-----");
	static const struct span end = SPAN_INIT("-----END CERTIFICATE-----");
	size_t from = span_find(*text, begin);

	if (from == text->n)
		return false;
	*text = span_from(*text, from);
	size_t to = span_find(*text, end);
	if (to == text->n)
		return false;
	*block = span_first(*text, to + end.n);
	*text = span_from(*text, to + end.n);
	return true;
}

static bool
add_text(struct trust *t, struct span text, bool is_public, struct err *err)
{
	struct span block = {0};
	size_t before = t->n;
	size_t unread = 0;

	if (text.n > 0 && text.p[0] == 0x30)
		return add_der(t, text, is_public, err);
	while (next_block(&text, &block)) {
		struct chain one = {0};
		bool ok = chain_add_text(&one, block, err) &&
			add_der(t, one.der[0], is_public, err);
		chain_fini(&one);
		/* One odd root of a system's hundred must not take the others away. */
		unread += !ok;
		if (!ok && !is_public)
			return false;
	}
	if (t->n == before && unread > 0)
		return false;
	return t->n > before || err_set(err, ERR_PKI_ROOTS, "no certificate in it");
}

static void
note_source(struct trust *t, const char *path)
{
	struct stat st;

	if (t->n_sources == SOURCES || stat(path, &st) != 0)
		return;
	t->sources[t->n_sources++] = (struct source){
		.path = mem_cstr(span_str(path)), .changed = st.st_mtim};
}

static bool
add_file(struct trust *t, const char *path, bool is_public, struct err *err)
{
	struct span text = {0};

	if (!file_read(path, BUNDLE_MAX, &text, err))
		return false;
	bool ok = add_text(t, text, is_public, err);
	mem_free((void *)(uintptr_t)text.p);
	note_source(t, path);
	return ok || err_within(err, "%s", path);
}

static void
note_place(struct trust *t, const char *path, enum anchor_place place)
{
	struct chain chain = {0};
	struct err ignored = {0};

	if (!chain_load(&chain, path, &ignored))
		return;
	for (size_t i = 0; i < chain.n; i++) {
		uint8_t hash[CERT_HASH];
		digest_sha256(chain.der[i], hash);
		struct map_item *item = map_get(&t->by_hash, span_of(hash, CERT_HASH));
		if (item)
			CONTAINER_OF(item, struct anchor, by_hash)->place = place;
	}
	chain_fini(&chain);
}

static bool
note_places(struct trust *t, const char *pattern, enum anchor_place place)
{
	glob_t g;

	if (glob(pattern, 0, NULL, &g) != 0)
		return false;
	for (size_t k = 0; k < g.gl_pathc; k++)
		note_place(t, g.gl_pathv[k], place);
	globfree(&g);
	return true;
}

/*
 * Roots an administrator added to the distribution's are private ones: they may certify
 * names that no public authority may. Debian keeps its own beside the bundle, so what
 * is not among them was added; elsewhere the additions have a place of their own.
 */
static void
part_private(struct trust *t)
{
	bool knows_public = note_places(
		t, "/usr/share/ca-certificates/mozilla/*.crt", ANCHOR_SHIPPED);

	(void)note_places(t, "/usr/local/share/ca-certificates/*.crt", ANCHOR_ADDED);
	(void)note_places(t, "/etc/pki/ca-trust/source/anchors/*", ANCHOR_ADDED);
	(void)note_places(t, "/etc/pki/trust/anchors/*", ANCHOR_ADDED);
	for (size_t i = 0; i < t->n; i++) {
		struct anchor *a = t->anchors[i];
		bool added = a->place == ANCHOR_ADDED ||
			(knows_public && a->place != ANCHOR_SHIPPED);
		a->is_public = a->is_public && !added;
	}
}

static bool
add_system(struct trust *t, struct err *err)
{
	struct stat st;

	for (size_t i = 0; i < COUNT_OF(bundles); i++) {
		if (stat(bundles[i], &st) != 0)
			continue;
		if (!add_file(t, bundles[i], true, err))
			return false;
		part_private(t);
		return true;
	}
	return err_set(err, ERR_PKI_ROOTS, "none of the usual bundles is here");
}

struct trust *
trust_new(bool system, const char *const *files, struct err *err)
{
	struct trust *t = new_empty();
	bool ok = true;

	/* Own files first: a root that is in both is then a private one. */
	for (size_t i = 0; ok && files && files[i]; i++)
		ok = add_file(t, files[i], false, err);
	if (ok && system)
		ok = add_system(t, err);
	if (ok && t->n == 0)
		ok = err_set(err, ERR_PKI_ROOTS, "no roots were asked for");
	if (ok)
		return t;
	trust_free(t);
	return NULL;
}

static struct trust *
new_from(const struct chain *roots, bool is_public, struct err *err)
{
	struct trust *t = new_empty();

	for (size_t i = 0; i < roots->n; i++) {
		if (!add_der(t, roots->der[i], is_public, err)) {
			trust_free(t);
			return NULL;
		}
	}
	return t;
}

struct trust *
trust_new_chain(const struct chain *roots, struct err *err)
{
	return new_from(roots, false, err);
}

struct trust *
trust_new_public(const struct chain *roots, struct err *err)
{
	return new_from(roots, true, err);
}

void
trust_free(struct trust *t)
{
	if (!t)
		return;
	lru_fini(&t->verdicts);
	lru_fini(&t->learned);
	map_fini(&t->by_subject);
	map_fini(&t->by_hash);
	map_fini(&t->own);
	map_fini(&t->blocked);
	for (size_t i = 0; i < t->n; i++) {
		cert_put(t->anchors[i]->cert);
		mem_free(t->anchors[i]);
	}
	mem_free(t->anchors);
	for (size_t i = 0; i < t->n_sources; i++)
		mem_free(t->sources[i].path);
	while (t->hashes) {
		struct key_hash_item *next = t->hashes->next;
		mem_free(t->hashes);
		t->hashes = next;
	}
	mem_free(t);
}

size_t
trust_count(const struct trust *t)
{
	return t->n;
}

int64_t
trust_age(const struct trust *t)
{
	int64_t newest = 0;

	for (size_t i = 0; i < t->n_sources; i++) {
		if (t->sources[i].changed.tv_sec > newest)
			newest = t->sources[i].changed.tv_sec;
	}
	return newest;
}

bool
trust_stale(const struct trust *t)
{
	for (size_t i = 0; i < t->n_sources; i++) {
		const struct source *s = &t->sources[i];
		struct stat st;
		if (stat(s->path, &st) != 0)
			continue; /* being replaced, or gone: keep what we have */
		if (st.st_mtim.tv_sec != s->changed.tv_sec ||
			st.st_mtim.tv_nsec != s->changed.tv_nsec)
			return true;
	}
	return false;
}

uint64_t
trust_stamp(const struct trust *t)
{
	uint64_t stamp = t->n_sources;

	for (size_t i = 0; i < t->n_sources; i++) {
		struct stat st;
		if (stat(t->sources[i].path, &st) != 0)
			st = (struct stat){.st_mtim = t->sources[i].changed};
		stamp = stamp * 1000003 + (uint64_t)st.st_mtim.tv_sec * 1000000007 +
			(uint64_t)st.st_mtim.tv_nsec;
	}
	return stamp;
}

static void
add_hash(struct trust *t, struct map *m, const uint8_t spki[CERT_HASH])
{
	if (map_get(m, span_of(spki, CERT_HASH)))
		return;
	struct key_hash_item *h = mem_alloc(sizeof *h);
	for (size_t i = 0; i < CERT_HASH; i++)
		h->spki[i] = spki[i];
	h->next = t->hashes;
	t->hashes = h;
	map_add(m, &h->by_hash, span_of(h->spki, CERT_HASH));
	t->epoch++;
}

void
trust_refuse_own(struct trust *t, const uint8_t spki_sha256[CERT_HASH])
{
	add_hash(t, &t->own, spki_sha256);
}

void
trust_block_key(struct trust *t, const uint8_t spki_sha256[CERT_HASH])
{
	add_hash(t, &t->blocked, spki_sha256);
}

bool
trust_is_own(const struct trust *t, const uint8_t spki[CERT_HASH])
{
	return map_get(&t->own, span_of(spki, CERT_HASH)) != NULL;
}

bool
trust_is_blocked(const struct trust *t, const uint8_t spki[CERT_HASH])
{
	return map_get(&t->blocked, span_of(spki, CERT_HASH)) != NULL;
}

void
trust_set_logs(struct trust *t, const struct ctlogs *logs)
{
	t->logs = logs;
	t->epoch++;
}

void
trust_learn(struct trust *t, struct span der)
{
	struct err ignored = {0};
	struct cert *c = cert_parse(der, &ignored);

	if (!c || !c->is_ca || lru_get(&t->learned, span_of(c->sha256, CERT_HASH))) {
		cert_put(c);
		return;
	}
	struct learned *l = mem_alloc(sizeof *l);
	l->cert = c;
	lru_add(&t->learned, &l->item, span_of(c->sha256, CERT_HASH),
		sizeof *l + c->der.n);
	t->epoch++;
}

struct anchor *
trust_anchors(const struct trust *t, struct span subject)
{
	struct map_item *item = map_get(&t->by_subject, subject);
	return item ? CONTAINER_OF(item, struct anchor, by_subject) : NULL;
}

const struct anchor *
trust_anchor_of(const struct trust *t, const struct cert *c)
{
	struct map_item *item = map_get(&t->by_hash, span_of(c->sha256, CERT_HASH));
	return item ? CONTAINER_OF(item, struct anchor, by_hash) : NULL;
}

static void
pool_add(struct path_pool *pool, struct cert *c)
{
	for (size_t i = 0; i < pool->n; i++) {
		if (pool->certs[i] == c) {
			cert_put(c);
			return;
		}
	}
	if (pool->n < PATH_POOL) {
		pool->certs[pool->n++] = c;
	} else {
		cert_put(c);
	}
}

static void
pool_fini(struct path_pool *pool)
{
	for (size_t i = 0; i < pool->n; i++)
		cert_put(pool->certs[i]);
}

/* What the peer sent must be certificates, all of it; what we add may fail to be. */
static bool
fill_pool(const struct trust_ask *ask, struct path_pool *pool, struct verdict *out)
{
	struct err err = {0};

	for (size_t i = 0; i < ask->chain->n; i++) {
		struct cert *c = cert_parse(ask->chain->der[i], &err);
		if (!c) {
			out->class = VERDICT_MALFORMED;
			out->at = (int)i;
			(void)text_format(out->text, sizeof out->text, "%s", err.text);
			return false;
		}
		pool_add(pool, c);
	}
	for (size_t i = 0; ask->extra && i < ask->extra->n; i++) {
		struct cert *c = cert_parse(ask->extra->der[i], &err);
		if (c)
			pool_add(pool, c);
	}
	return true;
}

static void
add_learned(struct trust *t, struct path_pool *pool)
{
	for (struct list *l = t->learned.ages.prev; l != &t->learned.ages;
		l = l->prev) {
		struct lru_item *item = CONTAINER_OF(l, struct lru_item, by_age);
		struct learned *known = CONTAINER_OF(item, struct learned, item);
		pool_add(pool, cert_get(known->cert));
	}
}

static void
make_key(const struct trust *t, const struct trust_ask *ask,
	const struct path_pool *pool, uint8_t key[CERT_HASH])
{
	struct trust_options o = ask->options;
	uint64_t numbers[] = {t->epoch, pool->n, ask->host.n, o.use, o.rsa_bits,
		o.private_names, o.strict, (uint64_t)o.max_depth, o.max_path,
		o.max_paths, o.max_signatures};

	must(digest_begin(DIGEST_SHA256));
	digest_add(DIGEST_SHA256, span_of(numbers, sizeof numbers));
	digest_add(DIGEST_SHA256, ask->host);
	for (size_t i = 0; i < pool->n; i++)
		digest_add(DIGEST_SHA256, span_of(pool->certs[i]->sha256, CERT_HASH));
	(void)digest_end(DIGEST_SHA256, key);
}

static void
copy_verdict(struct verdict *to, const struct verdict *from)
{
	*to = *from;
	for (size_t i = 0; i < to->n_path; i++)
		(void)cert_get(to->path[i]);
}

static bool
recall(struct trust *t, const uint8_t key[CERT_HASH], int64_t now, struct verdict *out)
{
	struct lru_item *item = lru_get(&t->verdicts, span_of(key, CERT_HASH));

	if (!item)
		return false;
	struct remembered *r = CONTAINER_OF(item, struct remembered, item);
	/* A clock that went back also makes it worthless. */
	if (now <= r->until && now >= r->until - GOOD_FOR_S) {
		copy_verdict(out, &r->verdict);
		out->cached = true;
		out->paths = 0;
		out->signatures = 0;
		return true;
	}
	lru_remove(&t->verdicts, item);
	forget_verdict(item);
	return false;
}

static void
remember(struct trust *t, const uint8_t key[CERT_HASH], int64_t now,
	const struct verdict *v)
{
	struct remembered *r = mem_alloc(sizeof *r);
	size_t cost = sizeof *r;

	for (size_t i = 0; i < CERT_HASH; i++)
		r->key[i] = key[i];
	r->until = now + (v->class == VERDICT_GOOD ? GOOD_FOR_S : BAD_FOR_S);
	copy_verdict(&r->verdict, v);
	for (size_t i = 0; i < v->n_path; i++) {
		cost += sizeof *v->path[i] + v->path[i]->der.n;
		if (v->class == VERDICT_GOOD && v->path[i]->not_after < r->until)
			r->until = v->path[i]->not_after;
	}
	lru_add(&t->verdicts, &r->item, span_of(r->key, CERT_HASH), cost);
}

static void
search_or_recall(struct trust *t, const struct trust_ask *ask, struct path_pool *pool,
	struct verdict *out)
{
	uint8_t key[CERT_HASH];

	make_key(t, ask, pool, key);
	if (t->verdicts.budget > 0 && recall(t, key, ask->now, out))
		return;
	pool->n_told = pool->n;
	add_learned(t, pool);
	path_search(t, ask, pool, out);
	ct_look(t->logs, ask->now, out);
	if (t->verdicts.budget > 0)
		remember(t, key, ask->now, out);
}

/* Only public roots promise to show what they issue. */
static bool
wants_ct(const struct trust *t, const struct trust_ask *ask, const struct verdict *v)
{
	const struct anchor *a =
		v->n_path > 0 ? trust_anchor_of(t, v->path[v->n_path - 1]) : NULL;

	switch (ask->options.ct) {
	case TRUST_CT_REPORT:
		break;
	case TRUST_CT_PUBLIC:
		return a && a->is_public;
	case TRUST_CT_ALL:
		return true;
	}
	return false;
}

static bool
is_told(const struct path_pool *pool, size_t n, const struct cert *c)
{
	for (size_t i = 0; i < n; i++) {
		if (span_eq(span_of(pool->certs[i]->sha256, CERT_HASH),
			    span_of(c->sha256, CERT_HASH)))
			return true;
	}
	return false;
}

/* Whether the path goes over an issuer that neither the peer sent nor the store has. */
static bool
goes_over_learned(const struct trust *t, const struct path_pool *pool, size_t n_told,
	const struct verdict *v)
{
	for (size_t i = 1; i < v->n_path; i++) {
		if (!trust_anchor_of(t, v->path[i]) &&
			!is_told(pool, n_told, v->path[i]))
			return true;
	}
	return false;
}

void
trust_check(struct trust *t, const struct trust_ask *ask, struct verdict *out)
{
	struct path_pool pool = {0};

	*out = (struct verdict){.at = -1, .revocation = "not asked", .ct = ""};
	if (ask->chain->n == 0) {
		out->class = VERDICT_MALFORMED;
		(void)text_format(
			out->text, sizeof out->text, "no certificate was sent");
	} else if (fill_pool(ask, &pool, out)) {
		size_t n_told = pool.n;
		search_or_recall(t, ask, &pool, out);
		if (goes_over_learned(t, &pool, n_told, out))
			out->proofs |= VERDICT_BY_LEARNED;
		revoke_judge(ask, out);
		ct_judge(t->logs, ask, wants_ct(t, ask, out), out);
	}
	if (out->class != VERDICT_GOOD)
		out->faults |= 1u << out->class;
	pool_fini(&pool);
}

void
trust_cache_limit(struct trust *t, size_t bytes)
{
	lru_fini(&t->verdicts);
	lru_init(&t->verdicts, bytes, forget_verdict);
}
