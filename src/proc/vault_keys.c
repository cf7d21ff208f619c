// SPDX-License-Identifier: Apache-2.0
/*
 * vault_keys: the keys that sign for others: what key servers serve to edges elsewhere,
 * and what only our own workers may use (sites, the authority). From files, which are
 * read before they go out of reach, and from PKCS#11 tokens, which are opened after.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/read.h"
#include "base/text.h"
#include "gate/keyserver.h"
#include "gate/settings.h"
#include "keyless/daykey.h"
#include "keyless/sealing.h"
#include "proc/vault_priv.h"

/* ---- seal and unseal */

/* A worker says at which of its key servers the edge asked. */
static struct known_server *
find_served(const struct vault *v, const struct wire_msg *req)
{
	struct known_server *k = v->served;

	while (k && !span_eq(k->name, req->extra))
		k = k->next;
	return k;
}

static const struct seal *
find_seal(const struct answer_call *c)
{
	const struct known_server *k = find_served(vault_of(c), &c->req);

	return k && k->seals ? &k->seal : NULL;
}

void
vault_run_seal(struct answer_call *c)
{
	const struct seal *s = find_seal(c);

	if (s) {
		sealing_seal(c, s);
	} else {
		answer_refuse(c, WIRE_INTERNAL);
	}
}

void
vault_run_unseal(struct answer_call *c)
{
	const struct seal *s = find_seal(c);

	if (s) {
		sealing_unseal(c, s);
	} else {
		answer_refuse(c, WIRE_INTERNAL);
	}
}

/* ---- secrets of session tickets */

enum {
	DAYS_NEAR = 3
}; /* of today, back and ahead: no other day is anybody's business */

/* A worker that a stranger has taken over gets the secrets of these days, and not of
 * all to come. */
static bool
is_near(uint32_t day)
{
	int64_t from_today = (int64_t)day - daykey_today();

	return from_today >= -DAYS_NEAR && from_today <= DAYS_NEAR;
}

static struct keys_entry *
day_key(const struct vault *v)
{
	const struct list *all = &v->days.all;

	return list_empty(all) ? NULL
			       : CONTAINER_OF(list_first(all), struct keys_entry, all);
}

void
vault_run_daykey(struct answer_call *c)
{
	struct keys_entry *e = day_key(vault_of(c));
	struct read r = read_from(c->req.payload);
	uint32_t day = read_be(&r, 4);
	struct daykey_job j;
	uint8_t signature[KEYS_RESULT_MAX];
	uint8_t secret[DAYKEY_SECRET];
	size_t n = 0;

	if (!e || !read_done(&r) || !is_near(day) || !daykey_job(&j, e->type, day) ||
		keys_perform(e, j.op, j.input, signature, &n) != WIRE_OK) {
		answer_refuse(c, WIRE_CRYPTO);
		return;
	}
	daykey_secret(span_of(signature, n), secret);
	answer_reply(c, span_of(secret, sizeof(secret)));
	secret_wipe(signature, n);
	secret_wipe(secret, sizeof(secret));
}

/* ---- stores */

/* Our workers say so for themselves; they never pass on what an edge said there. No
 * word leads to v->ca: a worker that could have digests signed there would be the
 * authority. */
struct keys *
vault_store(struct answer_door *d, const struct wire_msg *req)
{
	struct answer_desk *desk = CONTAINER_OF(d, struct answer_desk, door);
	struct vault *v = CONTAINER_OF(desk, struct vault, desk);

	if (span_eq(req->function, SPAN(SITE_OWN_KEYS)))
		return &v->own;
	struct known_server *k = find_served(v, req);
	return k ? &k->keys : NULL;
}

/* ---- from files */

static bool
read_pin(const struct vault *v, struct vault_token *t, struct err *err)
{
	struct token_uri uri;

	if (!token_uri_parse(t->name, &uri, err))
		return false;
	bool ok = token_read_pin(&uri, t->pin, err);
	if (ok && !t->pin[0])
		memcpy(t->pin, v->pin, sizeof(t->pin)); /* both TOKEN_PIN_MAX */
	secret_wipe(&uri, sizeof(uri));
	return ok;
}

static bool
want_token(struct vault *v, struct span name, struct keys *into, struct err *err)
{
	struct vault_token *t = mem_alloc(sizeof(*t));

	t->name = name;
	t->into = into;
	t->decrypt = into->decrypt;
	t->next = v->wanted;
	v->wanted = t;
	return read_pin(v, t, err) || err_within(err, "%.*s", SPAN_ARG(name));
}

static bool
load_day_key(struct vault *v, const struct fleet_settings *f, struct err *err)
{
	if (f->key.n == 0)
		return true;
	return token_uri_is(f->key)
		? want_token(v, f->key, &v->days, err)
		: keys_add_file(&v->days, (const char *)f->key.p, err);
}

static bool
load_seal(
	struct known_server *known, const struct keyserver_settings *k, struct err *err)
{
	if (k->seal_secret.n == 0)
		return true;
	known->seals = sealing_load(&known->seal, (const char *)k->seal_secret.p, err);
	return known->seals;
}

static bool
load_served(struct vault *v, const struct keyserver_settings *k, struct err *err)
{
	struct known_server *known = mem_alloc(sizeof(*known));

	known->name = k->name;
	known->next = v->served;
	v->served = known;
	keys_init(&known->keys);
	if (!keyserver_load_keys(k, &known->keys, err) || !load_seal(known, k, err))
		return err_within(err, "keyserver %.*s", SPAN_ARG(k->name));
	for (size_t i = 0; i < k->tokens.n; i++) {
		if (!want_token(v, k->tokens.p[i], &known->keys, err))
			return false;
	}
	return true;
}

/* A site's key that is not the worker's. Two sites may share one. */
static bool
load_certificate(struct vault *v, const struct site_certificate *c, struct err *err)
{
	struct span path = c->key.n > 0 ? c->key : c->path;

	if (!site_is_kept(c) || keys_by_ski(&v->own, span_of(c->where.ski, KEY_SKI)))
		return true;
	if (token_uri_is(c->key))
		return want_token(v, c->key, &v->own, err);
	return keys_add_file(&v->own, (const char *)path.p, err);
}

static bool
load_site(struct vault *v, const struct site *site, struct err *err)
{
	for (const struct conf_item *it = site->certificates; it; it = it->next) {
		if (!load_certificate(
			    v, (const struct site_certificate *)(const void *)it, err))
			return err_within(err, "site %.*s", SPAN_ARG(site->name));
	}
	return true;
}

static bool
load_edge(struct vault *v, const struct gateway *g, struct err *err)
{
	v->own.decrypt = site_may_decrypt(g);
	for (const struct conf_item *it = g->sites.sites; it; it = it->next) {
		if (!load_site(v, (const struct site *)(const void *)it, err))
			return false;
	}
	return true;
}

bool
vault_load_keys(struct vault *v, const struct settings *s, struct err *err)
{
	if (s->pkcs11.pin.n > 0 &&
		!token_load_pin((const char *)s->pkcs11.pin.p, v->pin, err))
		return false;
	for (const struct conf_item *it = s->keyservers; it; it = it->next) {
		if (!load_served(v, (const struct keyserver_settings *)(const void *)it,
			    err))
			return false;
	}
	for (const struct conf_item *it = s->edges; it; it = it->next) {
		if (!load_edge(v, (const struct gateway *)(const void *)it, err))
			return false;
	}
	for (const struct known_authority *k = v->authorities; k; k = k->next) {
		if (k->token.n > 0 && !want_token(v, k->token, &v->ca, err))
			return false;
	}
	return load_day_key(v, &s->tickets, err);
}

/* ---- from tokens */

static bool
open_token(struct vault *v, const struct vault_token *t, struct err *err)
{
	struct token_uri uri;
	uint8_t ski[KEY_SKI];

	if (!token_uri_parse(t->name, &uri, err))
		return false;
	struct token *token = token_open(v->box, &uri, span_str(t->pin), err);
	secret_wipe(&uri, sizeof(uri));
	if (!token || !key_ski(token_public(token), ski, err))
		return err_within(err, "%.*s", SPAN_ARG(t->name));
	if (keys_by_ski(t->into, span_of(ski, KEY_SKI))) { /* two names, one key */
		token_free(token);
		return true;
	}
	t->into->decrypt = t->decrypt;
	return keys_add_token(t->into, token, err);
}

/* What was asked for and what the certificate says may be two keys. */
static bool
check_certificates(const struct vault *v, const struct site *site, struct err *err)
{
	for (const struct conf_item *it = site->certificates; it; it = it->next) {
		const struct site_certificate *c =
			(const struct site_certificate *)(const void *)it;

		if (site_is_kept(c) &&
			!keys_by_ski(&v->own, span_of(c->where.ski, KEY_SKI))) {
			return err_set(err, ERR_PKI_IDENTITY,
				"site %.*s: the key is not that of %.*s",
				SPAN_ARG(site->name), SPAN_ARG(c->path));
		}
	}
	return true;
}

static bool
check_sites(const struct vault *v, const struct settings *s, struct err *err)
{
	for (const struct conf_item *e = s->edges; e; e = e->next) {
		const struct gateway *g = (const struct gateway *)(const void *)e;

		for (const struct conf_item *it = g->sites.sites; it; it = it->next) {
			if (!check_certificates(
				    v, (const struct site *)(const void *)it, err))
				return false;
		}
	}
	return true;
}

/* Found out at the start, not by the first client that comes back. */
static bool
check_day_key(const struct vault *v, const struct fleet_settings *f, struct err *err)
{
	const struct keys_entry *e = day_key(v);
	struct daykey_job j;

	return f->key.n == 0 || (e && daykey_job(&j, e->type, 0)) ||
		err_set(err, ERR_KEYLESS_TICKETS,
			"tickets: no two signatures of such a key are alike");
}

static bool
check_authorities(const struct vault *v, struct err *err)
{
	for (const struct known_authority *k = v->authorities; k; k = k->next) {
		if (k->token.n > 0 && !keys_by_ski(&v->ca, span_of(k->ski, KEY_SKI))) {
			return err_set(err, ERR_PKI_AUTHORITY,
				"%.*s: the key is not that of node.crt",
				SPAN_ARG(k->dir));
		}
	}
	return true;
}

static bool
load_names(struct vault *v, const struct settings *s, struct err *err)
{
	for (struct known_server *known = v->served; known; known = known->next) {
		const struct keyserver_settings *k = keyserver_find(s, known->name);

		if (!keyserver_load_names(k, &known->keys, err))
			return err_within(err, "keyserver %.*s", SPAN_ARG(k->name));
	}
	return true;
}

static void
forget_wanted(struct vault *v)
{
	while (v->wanted) {
		struct vault_token *t = v->wanted;

		v->wanted = t->next;
		secret_wipe(t, sizeof(*t));
		mem_free(t);
	}
	secret_wipe(v->pin, sizeof(v->pin));
}

bool
vault_open_tokens(struct vault *v, const struct settings *s, struct err *err)
{
	bool ok = true;

	if (v->wanted)
		v->box = token_box_new((const char *)s->pkcs11.module.p);
	for (struct vault_token *t = v->wanted; t && ok; t = t->next)
		ok = open_token(v, t, err);
	forget_wanted(v);
	return ok && load_names(v, s, err) && check_sites(v, s, err) &&
		check_authorities(v, err) && check_day_key(v, &s->tickets, err);
}

void
vault_keys_init(struct vault *v)
{
	keys_init(&v->own);
	keys_init(&v->ca);
	keys_init(&v->days);
}

void
vault_keys_fini(struct vault *v)
{
	forget_wanted(v);
	keys_fini(&v->own);
	keys_fini(&v->ca);
	keys_fini(&v->days);
	while (v->served) {
		struct known_server *k = v->served;

		v->served = k->next;
		keys_fini(&k->keys);
		seal_fini(&k->seal);
		mem_free(k);
	}
	token_box_free(v->box);
}
