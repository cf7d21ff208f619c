// SPDX-License-Identifier: Apache-2.0
#include "gate/site.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/read.h"
#include "gate/compile.h"
#include "gate/fetch.h"
#include "gate/settings.h"
#include "pki/cert.h"
#include "pki/identity.h"
#include "pki/token_uri.h"
#include "pki/trust.h"
#include "tls/engine.h"
#include "tls/resume.h"

// NOLINTBEGIN(bugprone-macro-parentheses): a type and a name
#define EACH_ITEM(type, it, first) \
	for (type *it = (type *)(void *)(first); it; it = (type *)(void *)it->item.next)
// NOLINTEND(bugprone-macro-parentheses)

enum { SESSION_LEAST_MS = 5 * 60 * 1000, SESSION_MOST_MS = 48 * 3600 * 1000 };

struct compiling {
	struct settings *s;
	struct gateway *g;
	struct conf_report *report;
	bool ok;
};

static void
complain(struct compiling *c, const struct conf_item *item, const char *word,
	const struct err *err)
{
	(void)conf_complain(c->report, conf_place_of(&c->s->tree, item->node, word),
		err->code, "%s", err->text);
	c->ok = false;
}

static void
complain_text(struct compiling *c, const struct conf_item *item, const char *word,
	const char *text)
{
	struct err err = {0};

	(void)err_set(&err, ERR_POLICY_SITE, "%s", text);
	complain(c, item, word, &err);
}

/* A text of the tree ends in NUL. */
static const char *
cstr(struct span s)
{
	return (const char *)s.p;
}

bool
site_may_decrypt(const struct gateway *g)
{
	return g->client.insecure_rsa_key_exchange ||
		g->client.profile == PROFILE_COMPAT;
}

static struct identity *
load_elsewhere(const struct gateway *g, struct site_certificate *cert, struct err *err)
{
	struct chain chain = {0};
	struct identity *id = NULL;

	cert->where.rsa_decrypt = site_may_decrypt(g);
	if (!chain_load(&chain, cstr(cert->path), err))
		return NULL;
	struct cert *leaf = cert_parse(chain.der[0], err);
	X509 *x = leaf ? cert_x509(leaf, err) : NULL;
	EVP_PKEY *key = x ? remote_key_new(x, &cert->where, err) : NULL;
	if (key)
		id = identity_new(&chain, key, err);
	EVP_PKEY_free(key);
	cert_put(leaf);
	chain_fini(&chain);
	return id;
}

bool
site_is_kept(const struct site_certificate *c)
{
	return c->keeper == SITE_KEPT_BY_VAULT || token_uri_is(c->key);
}

bool
site_key_is_near(const struct site_certificate *c)
{
	return c->keeper == SITE_KEPT_BY_VAULT &&
		!token_uri_is(c->key.n > 0 ? c->key : c->path);
}

static void
load_certificate(struct compiling *c, struct site_certificate *cert, struct err *err)
{
	struct span key = cert->key.n > 0 ? cert->key : cert->path;
	struct token_uri uri;

	if (token_uri_is(key)) {
		bool ok = token_uri_parse(key, &uri, err);

		secret_wipe(&uri, sizeof(uri));
		if (!ok)
			return;
	}
	if (site_is_kept(cert)) {
		c->g->sites.asks_vault = true;
		cert->id = load_elsewhere(c->g, cert, err);
	} else {
		cert->id = identity_load(
			cstr(cert->path), cstr(key), (struct span){0}, err);
	}
}

static void
take_certificate(struct compiling *c, struct site *site, struct site_certificate *cert,
	const struct err *err)
{
	if (!cert->id) {
		complain(c, &cert->item, "chain", err);
		return;
	}
	bool is_rsa = cert->id->kind == KEY_RSA2048 || cert->id->kind == KEY_RSA3072 ||
		cert->id->kind == KEY_RSA4096;
	struct identity **slot = is_rsa ? &site->rsa : &site->ecdsa;
	if (*slot) {
		complain_text(c, &cert->item, "chain",
			"the site has a certificate with such a key already");
	}
	*slot = cert->id;
}

static void
compile_certificates(struct compiling *c, struct site *site)
{
	struct err err = {0};

	EACH_ITEM(struct site_certificate, cert, site->certificates)
	{
		load_certificate(c, cert, &err);
		take_certificate(c, site, cert, &err);
	}
	EACH_ITEM(struct site_certificate, cert, site->keyless)
	{
		cert->id = load_elsewhere(c->g, cert, &err);
		take_certificate(c, site, cert, &err);
		if (!c->g->sites.keys.servers) {
			complain_text(c, &cert->item, "chain",
				"the edge does not say where its `keys` are");
		}
	}
	if (!site->certificates && !site->keyless) {
		complain_text(
			c, &site->item, "certificate", "a site needs a certificate");
	}
}

static bool
read_origin(struct site_origin *o, struct arena *a, struct err *err)
{
	struct url_host host;
	struct span rest = o->url;

	if (span_starts(rest, SPAN("http://"))) {
		rest = span_from(rest, 7);
	} else if (span_starts(rest, SPAN("https://"))) {
		rest = span_from(rest, 8);
	} else if (span_starts(rest, SPAN("h2c://"))) {
		rest = span_from(rest, 6);
		o->h2 = true;
	} else {
		return err_set(err, ERR_POLICY_SITE,
			"an origin begins with http://, https:// or h2c://");
	}
	o->tls = span_starts(o->url, SPAN("https"));
	if (span_ends(rest, SPAN("/")))
		rest.n--;
	if (!url_host_parse(rest, o->tls ? 443 : 80, a, &host, err))
		return false;
	o->host = host.name;
	o->port = host.port;
	return true;
}

static void
compile_origins(struct compiling *c, struct site *site, size_t *n_origins)
{
	struct err err = {0};
	size_t i = 0;

	EACH_ITEM(struct site_origin, o, site->origins)
	site->n_origins++;
	if (site->n_origins == 0)
		complain_text(c, &site->item, "origin", "a site needs an origin");
	site->at = arena_alloc(&c->s->tree.arena,
		(site->n_origins + 1) * sizeof(struct site_origin *));
	EACH_ITEM(struct site_origin, o, site->origins)
	{
		o->index = (*n_origins)++;
		site->at[i++] = o;
		if (!read_origin(o, &c->s->tree.arena, &err))
			complain(c, &o->item, "url", &err);
	}
}

/* "*.example" is looked up as ".example"; empty when it is no name. In lower[256]. */
static struct span
key_of(struct span name, uint8_t *lower)
{
	bool wildcard = span_starts(name, SPAN("*."));

	if (!url_name_check(wildcard ? span_from(name, 2) : name))
		return (struct span){0};
	struct span key = wildcard ? span_from(name, 1) : name;
	span_lower(lower, key); /* at most 254 octets, being a name */
	return span_of(lower, key.n);
}

static struct site_name *
find_key(const struct gateway *g, struct span key)
{
	struct map_item *it = map_get(&g->sites.names, key);

	return it ? CONTAINER_OF(it, struct site_name, by_name) : NULL;
}

/* What covers a name that is not there itself: the wildcard one label up. */
static struct site_name *
find_wildcard(const struct gateway *g, struct span name)
{
	size_t dot = span_chr(name, '.');

	return dot > 0 && dot < name.n ? find_key(g, span_from(name, dot)) : NULL;
}

/* Not in the tree's arena, which bounds what a file may say: a hundred thousand names
 * may be said. */
static struct site_name *
add_name(struct compiling *c, struct span key, const struct site *site)
{
	struct site_name *n = mem_alloc(sizeof(*n) + key.n);

	if (key.n > 0)
		memcpy(n->text, key.p, key.n); /* allocated above */
	n->key = span_of(n->text, key.n);
	n->site = site;
	n->next = c->g->sites.all;
	c->g->sites.all = n;
	if (key.n > 0)
		map_add(&c->g->sites.names, &n->by_name, n->key);
	return n;
}

static void
compile_name(struct compiling *c, struct site *site, struct span name)
{
	uint8_t lower[256];
	struct span key = key_of(name, lower);

	if (key.n == 0) {
		complain_text(c, &site->item, "name",
			"a site is called by a DNS name, or *.NAME");
	} else if (find_key(c->g, key)) {
		complain_text(
			c, &site->item, "name", "another site has this name already");
	} else {
		(void)add_name(c, key, site);
	}
}

/* What the keepers of the browsers' list ask for; taking it back takes months. */
static void
check_hsts(struct compiling *c, struct site *site)
{
	bool whole =
		site->hsts_subdomains && site->hsts_ms >= 365ull * 24 * 3600 * 1000;

	if (site->hsts_preload && !whole) {
		complain_text(c, &site->item, "hsts-preload",
			"preloading needs `hsts` of 365d or more and "
			"`hsts-subdomains`");
	}
}

static void
compile_session_time(struct compiling *c, struct site *site)
{
	uint64_t ms = 0;

	if (site->session_time.n == 0)
		return;
	if (!conf_read_duration(site->session_time, &ms) ||
		(ms != 0 && (ms < SESSION_LEAST_MS || ms > SESSION_MOST_MS))) {
		complain_text(c, &site->item, "session-time",
			"a session lasts 5min to 48h, or 0");
		return;
	}
	/* At most SESSION_MOST_MS. */
	site->session_s = ms == 0 ? TLS_NO_SESSION : (uint32_t)(ms / 1000);
}

/* What we show to the site's origins. */
static void
compile_balance(struct compiling *c, struct site *site)
{
	struct site_balance *b = &site->balance;
	struct span key = b->key.n > 0 ? b->key : b->certificate;
	struct err err = {0};

	if (b->trusted.n > 0) {
		struct conf_place at =
			conf_place_of(&c->s->tree, site->item.node, "origins");
		b->trust = compile_roots(c->s, at, &b->trusted, &err);
		if (!b->trust)
			complain(c, &site->item, "origins", &err);
	}
	if (b->certificate.n == 0)
		return;
	b->identity =
		identity_load(cstr(b->certificate), cstr(key), (struct span){0}, &err);
	if (!b->identity)
		complain(c, &site->item, "origins", &err);
}

static void
compile_site(struct compiling *c, struct site *site, size_t *n_origins)
{
	compile_session_time(c, site);
	check_hsts(c, site);
	compile_certificates(c, site);
	compile_origins(c, site, n_origins);
	compile_balance(c, site);
	compile_name(c, site, site->name);
	for (size_t i = 0; i < site->also.n; i++)
		compile_name(c, site, site->also.p[i]);
	if (!site->is_default)
		return;
	if (c->g->sites.fallback)
		complain_text(c, &site->item, "default", "another site is the default");
	c->g->sites.fallback = add_name(c, (struct span){0}, site);
}

/* The names of the authorities, for the CertificateRequest, and one digest over all. */
static void
describe_authorities(
	struct compiling *c, struct site_clients *clients, const struct chain *all)
{
	struct arena *a = &c->s->tree.arena;
	struct span parts[CHAIN_MAX];
	uint8_t *digest = arena_alloc(a, PROFILE_POLICY);
	struct err err = {0};

	clients->ca_names = arena_alloc(a, (all->n + 1) * sizeof(struct span));
	clients->ca_ders = arena_alloc(a, (all->n + 1) * sizeof(struct span));
	for (size_t i = 0; i < all->n; i++) {
		struct cert *cert = cert_parse(all->der[i], &err);
		if (cert) {
			clients->ca_ders[clients->n_ca_names] =
				arena_copy(a, cert->der);
			clients->ca_names[clients->n_ca_names++] =
				arena_copy(a, cert->subject);
		}
		cert_put(cert);
		parts[i] = all->der[i];
	}
	resume_binding(digest, parts, all->n);
	clients->ca_digest = span_of(digest, PROFILE_POLICY);
}

/* A file of the managed authority, as if the block had named it. */
static void
add_file(struct compiling *c, struct site_clients *clients, struct conf_item **list,
	const char *name)
{
	struct site_path *p = arena_alloc(&c->s->tree.arena, sizeof(*p));

	p->item.node = clients->item.node;
	p->path = arena_format(
		&c->s->tree.arena, "%.*s/%s", SPAN_ARG(clients->managed), name);
	p->item.next = *list;
	*list = &p->item;
}

/* Where the authority is only known, and not kept, nobody answers OCSP for it. */
static void
load_responder(struct compiling *c, struct site_clients *clients)
{
	struct arena *a = &c->s->tree.arena;
	struct span crt = arena_format(a, "%.*s/ocsp.crt", SPAN_ARG(clients->managed));
	struct span key = arena_format(a, "%.*s/ocsp.key", SPAN_ARG(clients->managed));
	struct err err = {0};

	if (access(cstr(crt), F_OK) != 0 || access(cstr(key), F_OK) != 0)
		return;
	clients->responder = crt;
	clients->ocsp = identity_load(cstr(crt), cstr(key), (struct span){0}, &err);
	if (!clients->ocsp)
		complain(c, &clients->item, "managed", &err);
}

static void
compile_lists(struct compiling *c, struct site_clients *clients)
{
	if (clients->managed.n > 0) {
		add_file(c, clients, &clients->authorities, "ca.crt");
		add_file(c, clients, &clients->crls, "clients.crl");
	}
	if (clients->managed.n > 0)
		load_responder(c, clients);
	EACH_ITEM(struct site_path, p, clients->crl_urls)
	{
		if (!span_starts(p->path, SPAN("http://")) || p->path.n >= FETCH_URL) {
			complain_text(c, &p->item, "url",
				"a list is fetched over http://: it is signed itself");
		}
	}
}

static void
compile_authorities(struct compiling *c, struct site_clients *clients)
{
	struct chain all = {0};
	struct err err = {0};

	EACH_ITEM(struct site_path, p, clients->authorities)
	{
		if (!chain_load(&all, cstr(p->path), &err))
			complain(c, &p->item, "file", &err);
	}
	if (all.n == 0 && clients->certificate != CLIENT_CERT_OFF) {
		complain_text(c, &clients->item, "authority",
			"who signs the certificates of these clients?");
	}
	clients->trust = trust_new_chain(&all, &err);
	if (!clients->trust && all.n > 0)
		complain(c, &clients->item, "authority", &err);
	describe_authorities(c, clients, &all);
	chain_fini(&all);
}

/* The name's own entry; one is made where only a wildcard or the default covers it. */
static struct site_name *
entry_for(struct compiling *c, struct span key)
{
	struct site_name *n = find_key(c->g, key);

	if (n)
		return n;
	n = find_wildcard(c->g, key);
	return n ? add_name(c, key, n->site) : NULL;
}

static void
demand(struct compiling *c, struct site_clients *clients, struct span name)
{
	uint8_t lower[256];
	struct span key = key_of(name, lower);
	struct site_name *n = key.n > 0 ? entry_for(c, key) : NULL;

	if (!n) {
		complain_text(c, &clients->item, "name", "no site has this name");
	} else if (n->clients) {
		complain_text(c, &clients->item, "name",
			"another `clients` block speaks of this name");
	} else {
		n->clients = clients;
	}
}

static void
compile_clients(struct compiling *c, struct site_clients *clients)
{
	clients->index = c->g->sites.n_clients++;
	compile_lists(c, clients);
	compile_authorities(c, clients);
	demand(c, clients, clients->name);
	for (size_t i = 0; i < clients->also.n; i++)
		demand(c, clients, clients->also.p[i]);
}

/* A wildcard's demands hold for the names below it that say nothing themselves. */
static void
inherit(struct gateway *g)
{
	for (struct map_item *it = NULL; (it = map_next(&g->sites.names, it));) {
		struct site_name *n = CONTAINER_OF(it, struct site_name, by_name);
		const struct site_name *above = n->clients || n->key.p[0] == '.'
			? NULL
			: find_wildcard(g, n->key);
		if (above && above->clients)
			n->clients = above->clients;
	}
}

enum { MANNER = 16 };

/* How clients are spoken with: a session brings its suite along, and its time. */
static struct span
describe_manner(const struct gateway *g, const struct site *site, uint8_t out[MANNER])
{
	struct write w = write_to(out, MANNER);

	write_be(&w, (uint32_t)g->client.profile, 4); /* all from small tables */
	write_be(&w, (uint32_t)g->client.min_version, 4);
	write_be(&w, g->client.insecure_rsa_key_exchange, 4);
	write_be(&w, site->session_s, 4);
	return write_done(&w);
}

static void
bind(const struct gateway *g, struct site_name *n)
{
	static const struct span nobody = {0};
	const struct site_clients *c = n->clients;
	uint8_t asks = c ? (uint8_t)c->certificate : 0; /* one of three */
	uint8_t manner[MANNER];
	const struct span parts[] = {SPAN("sekisho edge"), g->name, n->site->name,
		span_of(&asks, 1), c ? c->name : nobody, c ? c->ca_digest : nobody,
		describe_manner(g, n->site, manner)};

	resume_binding(n->binding, parts, COUNT_OF(parts));
}

static bool
check_key_block(const struct site_keys *k, struct err *err)
{
	if (k->certificate.n == 0 || k->authority.n == 0) {
		return err_set(err, ERR_POLICY_SITE,
			"key servers need a certificate and an authority");
	}
	EACH_ITEM(const struct site_key_server, server, k->servers)
	{
		if (span_starts(server->address.host, SPAN("/")) &&
			server->name.n == 0) {
			return err_set(err, ERR_POLICY_SITE,
				"behind a Unix socket: say what it is `called`");
		}
	}
	return true;
}

static bool
load_key_block(struct site_keys *k, struct err *err)
{
	const char *files[] = {cstr(k->authority), NULL};
	struct span key = k->key.n > 0 ? k->key : k->certificate;

	k->id = identity_load(cstr(k->certificate), cstr(key), (struct span){0}, err);
	k->trust = k->id ? trust_new(false, files, err) : NULL;
	return k->trust != NULL;
}

bool
site_compile_key_block(
	struct site_keys *k, struct conf_place at, struct conf_report *report)
{
	struct err err = {0};

	if (!k->servers || (check_key_block(k, &err) && load_key_block(k, &err)))
		return true;
	return conf_complain(report, at, err.code, "%s", err.text);
}

void
site_uncompile_key_block(struct site_keys *k)
{
	identity_put(k->id);
	trust_free(k->trust);
}

bool
site_compile_keys(struct settings *s, struct gateway *g, struct conf_report *report)
{
	const char *word = g->sites.is_edge ? "keys" : "authority-keys";

	return site_compile_key_block(
		&g->sites.keys, conf_place_of(&s->tree, g->item.node, word), report);
}

void
site_uncompile_keys(struct gateway *g)
{
	site_uncompile_key_block(&g->sites.keys);
}

bool
site_compile(struct settings *s, struct gateway *g, size_t *n_origins,
	struct conf_report *report)
{
	struct compiling c = {.s = s, .g = g, .report = report, .ok = true};

	g->sites.is_edge = true;
	map_init(&g->sites.names);
	c.ok = site_compile_keys(s, g, report);
	EACH_ITEM(struct site, site, g->sites.sites)
	compile_site(&c, site, n_origins);
	EACH_ITEM(struct site_clients, clients, g->sites.clients)
	compile_clients(&c, clients);
	inherit(g);
	for (struct map_item *it = NULL; (it = map_next(&g->sites.names, it));)
		bind(g, CONTAINER_OF(it, struct site_name, by_name));
	if (g->sites.fallback)
		bind(g, g->sites.fallback);
	if (g->sites.unknown == SITE_UNKNOWN_REJECT) {
		g->sites.fallback = NULL;
	} else if (!g->sites.fallback) {
		complain_text(&c, &g->item, "unknown-name", "no site says `default`");
	}
	return c.ok;
}

void
site_uncompile(struct gateway *g)
{
	EACH_ITEM(struct site, site, g->sites.sites)
	{
		EACH_ITEM(struct site_certificate, cert, site->certificates)
		identity_put(cert->id);
		EACH_ITEM(struct site_certificate, cert, site->keyless)
		identity_put(cert->id);
		identity_put(site->balance.identity);
		trust_free(site->balance.trust);
	}
	site_uncompile_keys(g);
	EACH_ITEM(struct site_clients, clients, g->sites.clients)
	{
		trust_free(clients->trust);
		identity_put(clients->ocsp);
	}
	while (g->sites.all) {
		struct site_name *n = g->sites.all;
		g->sites.all = n->next;
		mem_free(n);
	}
	map_fini(&g->sites.names);
}

const struct site_name *
site_find(const struct gateway *g, struct span name)
{
	bool is_name = name.n > 0 && name.p[0] != '.';
	const struct site_name *n = is_name ? find_key(g, name) : NULL;

	if (!n && is_name)
		n = find_wildcard(g, name);
	return n ? n : g->sites.fallback;
}
