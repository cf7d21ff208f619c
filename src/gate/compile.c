// SPDX-License-Identifier: Apache-2.0
#include "gate/compile.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "fact/catalogue.h"
#include "fact/categories.h"
#include "fact/geo.h"
#include "fact/vocab.h"
#include "gate/act_tls.h"
#include "gate/act_value.h"
#include "gate/fleet.h"
#include "gate/keyserver.h"
#include "gate/lets.h"
#include "pki/authority.h"
#include "pki/cert.h"
#include "pki/ct.h"
#include "pki/revoke.h"
#include "pki/signer.h"
#include "pki/trust.h"
#include "shared/cache_store.h"
#include "tls/ids.h"
#include "tls/once.h"

#define EACH_ITEM(type, it, first) \
	for (type *it = (type *)(void *)(first); it; it = (type *)(void *)it->item.next)

/* A path as written is relative to the file it stands in, as all paths here. */
const char *
compile_path(struct settings *s, struct conf_place at, struct span word)
{
	struct span file = span_str(at.file ? at.file->path : "");
	size_t slash = span_rchr(file, '/');
	if (word.p[0] == '/' || slash == file.n)
		return arena_cstr(&s->tree.arena, word);
	struct span dir = span_first(file, slash + 1);
	return (const char *)arena_format(
		&s->tree.arena, "%.*s%.*s", SPAN_ARG(dir), SPAN_ARG(word))
		.p;
}

static bool
load_list(struct settings *s, const struct list_settings *l, struct conf_report *report)
{
	struct err err = {0};
	const struct list_source source = {
		.name = l->name,
		.path = l->path,
		.format = (enum list_format)l->format,
		.column = l->column,
		.below = l->below,
	};
	if (lists_load(s->rule_lists, &source, &err))
		return true;
	return conf_complain(report, conf_place_of(&s->tree, l->item.node, "file"),
		err.code, "%s", err.text);
}

static bool
load_categories(struct settings *s, const struct categories_settings *c,
	struct conf_report *report)
{
	struct err err = {0};
	if (categories_load(s->categories_of, s->rule_lists,
		    (enum category_kind)c->kind, c->path, &err))
		return true;
	return conf_complain(report, conf_place_of(&s->tree, c->item.node, "directory"),
		err.code, "%s", err.text);
}

static bool
compile_lists(struct settings *s, struct conf_report *report)
{
	bool ok = true;
	s->rule_lists = lists_new();
	EACH_ITEM(struct list_settings, l, s->lists)
	ok = load_list(s, l, report) && ok;
	if (s->categories != NULL)
		s->categories_of = categories_new();
	EACH_ITEM(struct categories_settings, c, s->categories)
	ok = load_categories(s, c, report) && ok;
	scheme_init(&s->scheme, vocab_fields, vocab_count, s->rule_lists);
	return ok;
}

void
compile_warn(const struct conf_node *node, const struct rule_expr *e,
	struct conf_report *report)
{
	const struct rule_error *w;
	for (size_t i = 0; (w = rule_warning(e, i)) != NULL; i++) {
		conf_warn(report,
			conf_place_within(node->expr.at, w->line, w->col, w->width),
			ERR_RULE_ADVICE, "%s [warning]", w->message);
		if (w->hint[0])
			conf_hint(report, "%s", w->hint);
	}
}

/* {rule, NAME, when, do, [dry-run,] ACTION, …} as the tree gives it. */
static bool
compile_rule(
	struct settings *s, struct gateway *g, uint32_t tag, struct conf_report *report)

{
	const struct conf_node *node = g->rules.p[tag];
	bool edge = g->sites.is_edge;
	struct rule_error error = {0};
	size_t action = 4;
	if (node->n < 5 || !span_eq(node->words[2].text, SPAN("when"))) {
		return conf_complain(report, node->words[0].at, ERR_POLICY_RULE,
			"a rule is written: rule NAME when EXPRESSION do ACTION");
	}
	bool dry_run =
		!node->words[4].quoted && span_eq(node->words[4].text, SPAN("dry-run"));
	if (dry_run)
		action++;
	if (!act_read(node, action, &g->acts[tag], report) ||
		!act_tls_compile(s, g, node, &g->acts[tag], report) ||
		!act_value_compile(s, g, node, &g->acts[tag], report))
		return false;
	const struct policy_rule rule = {
		.name = node->words[1].text,
		.text = node->expr.text,
		.options = {.dialect = edge ? RULE_EDGE : RULE_GATEWAY,
			.wide_lists = true,
			.lets = g->lets},
		.action = g->acts[tag].row,
		.tag = tag,
		.dry_run = dry_run,
	};
	if (policy_add(g->policy, &rule, &error)) {
		uint32_t last = (uint32_t)policy_size(g->policy) - 1;
		compile_warn(node, policy_expr(g->policy, last), report);
		return true;
	}
	(void)conf_complain(report,
		conf_place_within(node->expr.at, error.line, error.col, error.width),
		ERR_POLICY_RULE, "%s", error.message);
	if (error.hint[0])
		conf_hint(report, "%s", error.hint);
	return false;
}

/* The catalogue of applications is read only when some rule asks for one. */
static void
attach_knowledge(struct settings *s, struct gateway *g)
{
	bool asked = policy_reads(g->policy, "app.ids") ||
		policy_reads(g->policy, "app.type.ids");
	if (asked && s->apps == NULL)
		s->apps = catalogue_built_in();
	g->apps = asked ? s->apps : NULL;
	g->geo = s->geo_files;
	g->categories = s->categories_of;
}

enum { MOST_GEO_FILES = 8 };

static bool
compile_geo(struct settings *s, struct conf_report *report)
{
	const char *paths[MOST_GEO_FILES];
	struct err err = {0};
	size_t n = 0;
	for (; n < s->geo.n && n < MOST_GEO_FILES; n++) {
		paths[n] =
			(const char *)s->geo.p[n].p; /* texts of the tree end in NUL */
	}
	if (n == 0)
		return true;
	s->geo_files = geo_open(paths, n, &err);
	if (s->geo_files)
		return true;
	return conf_complain(
		report, conf_place_of(&s->tree, NULL, "geo"), err.code, "%s", err.text);
}

static bool
compile_rules(struct settings *s, struct gateway *g, struct conf_report *report)
{
	const struct lets_scope scope = {.nodes = &g->let_nodes,
		.outer = s->lets,
		.dialect = g->sites.is_edge ? RULE_EDGE : RULE_GATEWAY};
	bool ok = lets_compile(s, &scope, &g->lets, report);
	g->policy = policy_new(&s->scheme);
	g->acts = arena_alloc(&s->tree.arena, (g->rules.n + 1) * sizeof(struct act));
	for (size_t i = 0; i < g->rules.n; i++)
		ok = compile_rule(s, g, (uint32_t)i, report) && ok;
	policy_seal(g->policy);
	attach_knowledge(s, g);
	return ok;
}

static bool
compile_port(struct gateway *g, struct span word)
{
	uint64_t from = 1;
	uint64_t to = 65535;
	size_t dash = span_chr(word, '-');
	if (!span_eq(word, SPAN("any"))) {
		if (!text_u64(span_first(word, dash), 65535, &from) || from == 0)
			return false;
		to = from;
		if (dash < word.n && !text_u64(span_from(word, dash + 1), 65535, &to))
			return false;
	}
	for (uint64_t port = from; port <= to; port++)
		g->ports[port / 64] |= (uint64_t)1 << port % 64;
	return from <= to;
}

static bool
compile_ports(struct settings *s, struct gateway *g, struct conf_report *report)
{
	bool ok = true;
	for (size_t i = 0; i < g->reach.ports.n; i++) {
		if (compile_port(g, g->reach.ports.p[i]))
			continue;
		ok = conf_complain(report,
			conf_place_of(&s->tree, g->item.node, "reach"), ERR_POLICY_RULE,
			"a port is a number, a range such as 8000-8099, or any");
	}
	return ok;
}

enum { MOST_TRUST_FILES = 64 };

static bool
compile_logs(struct settings *s, struct gateway *g, struct conf_report *report)
{
	struct err err = {0};
	if (g->upstream.ct_logs.n == 0)
		return true;
	g->logs = ctlogs_load((const char *)g->upstream.ct_logs.p, &err);
	if (!g->logs) {
		return conf_complain(report,
			conf_place_of(&s->tree, g->item.node, "upstream"), err.code,
			"%s", err.text);
	}
	trust_set_logs(g->trust, g->logs);
	return true;
}

enum { LISTS_BUDGET = 256 * 1024 * 1024 };

static bool
compile_blocked(struct settings *s, struct gateway *g, struct conf_report *report)
{
	const struct conf_texts *keys = &g->upstream.blocked_keys;

	for (size_t i = 0; i < keys->n; i++) {
		uint8_t hash[CERT_HASH];
		size_t n = 0;
		if (!text_unhex(keys->p[i], hash, sizeof(hash), &n) ||
			n != sizeof(hash)) {
			return conf_complain(report,
				conf_place_of(&s->tree, g->item.node, "upstream"),
				ERR_CONF_VALUE,
				"a blocked key is 64 hex digits (SHA-256 of its "
				"SubjectPublicKeyInfo)");
		}
		trust_block_key(g->trust, hash);
	}
	return true;
}

static bool
read_list(struct gateway *g, const char *path, struct err *err)
{
	struct span text = {0};

	if (!file_read(path, REVOKE_CRL_MAX, &text, err))
		return false;
	bool ok = revoke_add_crl(g->lists, text, err);
	mem_free((void *)(uintptr_t)text.p);
	return ok || err_within(err, "%s", path);
}

static bool
compile_revoked(struct settings *s, struct gateway *g, struct conf_report *report)
{
	const struct conf_texts *files = &g->upstream.crl;
	struct conf_place at = conf_place_of(&s->tree, g->item.node, "upstream");
	struct err err = {0};
	bool ok = true;

	if (files->n > 0)
		g->lists = revoke_new(LISTS_BUDGET);
	for (size_t i = 0; ok && i < files->n; i++)
		ok = read_list(g, compile_path(s, at, files->p[i]), &err);
	return ok || conf_complain(report, at, err.code, "%s", err.text);
}

struct trust *
compile_roots(struct settings *s, struct conf_place at, const struct conf_texts *words,
	struct err *err)
{
	const char *files[MOST_TRUST_FILES + 1] = {0};
	size_t n = 0;
	bool system = false;
	for (size_t i = 0; i < words->n && n < MOST_TRUST_FILES; i++) {
		if (span_eq(words->p[i], SPAN("system"))) {
			system = true;
		} else {
			files[n++] = compile_path(s, at, words->p[i]);
		}
	}
	return trust_new(system, files, err);
}

static bool
compile_trust(struct settings *s, struct gateway *g, struct conf_report *report)
{
	struct err err = {0};
	struct conf_place at = conf_place_of(&s->tree, g->item.node, "upstream");
	g->trust = compile_roots(s, at, &g->upstream.trust, &err);
	if (!g->trust)
		return conf_complain(report, at, err.code, "%s", err.text);
	return compile_logs(s, g, report) && compile_blocked(s, g, report) &&
		compile_revoked(s, g, report);
}

static struct span
name_of(struct settings *s, const struct cert *c)
{
	char line[256];
	struct text t = text_to(line, sizeof(line));
	cert_name_text(c->subject, &t);
	return arena_copy(&s->tree.arena, text_span(&t));
}

static struct span
hex_of(struct settings *s, const uint8_t *p, size_t n)
{
	char line[2 * CERT_HASH + 1];
	struct text t = text_to(line, sizeof(line));
	text_put_hex(&t, span_of(p, n), false);
	return arena_copy(&s->tree.arena, text_span(&t));
}

/* What the page about ourselves says of the authority. */
static bool
describe_authority(struct settings *s, struct gateway *g, const struct authority *a,
	struct err *err)
{
	char date[CLOCK_TEXT];
	struct page_status *st = &g->status;
	st->gateway = g->name;
	st->version = SPAN(SEKISHO_VERSION);
	if (!authority_root_pem(a, &st->root_pem, err) ||
		!authority_root_der(a, &st->root_der, err))
		return false;
	struct cert *root = cert_parse(st->root_der, err);
	if (!root)
		return false;
	st->root_name = name_of(s, root);
	st->root_sha256 = hex_of(s, root->sha256, sizeof(root->sha256));
	st->not_after = arena_copy(
		&s->tree.arena, span_str(clock_text(date, root->not_after * 1000)));
	cert_put(root);
	struct cert *node = a->chain.n > 0 ? cert_parse(a->chain.der[0], err) : NULL;
	if (node)
		st->node_name = name_of(s, node);
	cert_put(node);
	return node || a->chain.n == 0;
}

/* The worker never sees a key, but our own certificates met at an origin are refused.
 */
static bool
compile_authority(struct settings *s, struct gateway *g, struct conf_report *report)
{
	struct err err = {0};
	if (!g->authority.n)
		return false; /* the schema has complained */
	struct authority *a = authority_load(
		(const char *)g->authority.p, false, (struct span){0}, &err);
	bool is_here = !g->sites.keys.servers && g->authority_token.n == 0;
	bool ok = a && describe_authority(s, g, a, &err) &&
		(!is_here ||
			authority_key_is_private((const char *)g->authority.p, &err));
	if (ok)
		g->authority_end = authority_end(a);
	if (ok && !authority_signs_lists(a) &&
		span_eq(g->crl_url, SPAN(GATEWAY_CRL_URL)))
		g->crl_url = (struct span){0};
	if (ok && g->trust)
		trust_refuse_own(g->trust, a->id);
	authority_free(a);
	if (ok)
		return true;
	return conf_complain(report, conf_place_of(&s->tree, g->item.node, "authority"),
		err.code, "%s", err.text);
}

/* A session brings its suite along. */
static uint64_t
hash_client(const struct client_settings *c)
{
	return map_hash(span_of(&c->profile, sizeof(c->profile))) ^
		map_hash(span_of(&c->min_version, sizeof(c->min_version))) << 1 ^
		(c->insecure_rsa_key_exchange ? 1 : 0);
}

/* Whatever makes two verdicts about one origin differ belongs in here, and two manners
 * of speaking with clients. */
static void
hash_policy(struct gateway *g)
{
	uint64_t *words = (uint64_t *)(void *)g->policy_hash;
	words[0] = map_hash(g->name);
	words[1] = map_hash(span_of(&g->untrusted, sizeof(g->untrusted)));
	words[2] = hash_client(&g->client) ^
		map_hash(span_of(
			&g->upstream.min_version, sizeof(g->upstream.min_version)))
			<< 2;
	words[3] = g->index ^
		map_hash(span_of(
			&g->upstream.revocation, sizeof(g->upstream.revocation))) ^
		map_hash(span_of(&g->upstream.ct, sizeof(g->upstream.ct))) ^
		(uint64_t)g->upstream.profile << 32;
}

enum { SESSION_LEAST_MS = 5 * 60 * 1000 };

static bool
check_session_time(
	const struct settings *s, const struct gateway *g, struct conf_report *report)
{
	uint64_t ms = g->client.session_ms;

	return ms == 0 || ms >= SESSION_LEAST_MS ||
		conf_complain(report, conf_place_of(&s->tree, g->item.node, "client"),
			ERR_POLICY_SITE, "a session lasts 5min to 48h, or 0");
}

/* What cannot be served is not named. */
static void
compile_crl(struct gateway *g)
{
	if (span_eq(g->crl_url, SPAN("none")))
		g->crl_url = (struct span){0};
}

static bool
compile_gateway(struct settings *s, struct gateway *g, struct conf_report *report)
{
	compile_crl(g);
	bool ok = compile_rules(s, g, report);
	ok = check_session_time(s, g, report) && ok;
	ok = compile_ports(s, g, report) && ok;
	ok = compile_trust(s, g, report) && ok;
	ok = compile_authority(s, g, report) && ok;
	ok = site_compile_keys(s, g, report) && ok;
	ok = page_words_load(&g->pages, &s->tree, g->item.node, &g->style, report) &&
		ok;
	hash_policy(g);
	return ok;
}

static bool
compile_edge(struct settings *s, struct gateway *g, struct conf_report *report)
{
	g->sites.is_edge = true;
	bool ok = compile_rules(s, g, report);
	ok = compile_trust(s, g, report) && ok;
	ok = check_session_time(s, g, report) && ok;
	ok = site_compile(s, g, &s->n_origins, report) && ok;
	g->status.gateway = g->name;
	g->status.version = SPAN(SEKISHO_VERSION);
	hash_policy(g);
	return ok;
}

/* Whom a listener hands its connections to: the front says of which kind. */
static const struct gateway *
used_by(const struct settings *s, const struct listen_settings *l)
{
	bool edge = l->front == FRONT_EDGE || l->front == FRONT_REDIRECT ||
		l->front == FRONT_AUTHORITY;
	EACH_ITEM(struct gateway, g, edge ? s->edges : s->gateways)
	{
		if (span_eq(g->name, l->use))
			return g;
	}
	return NULL;
}

static const char *
front_uses(int front)
{
	if (front == FRONT_KEYSERVER)
		return "keyserver";
	return front == FRONT_PROXY ? "gateway" : "edge";
}

/* Ports are told apart by their address, so a path gets one that none has. */
static void
bind_path(struct listen_settings *l)
{
	uint8_t digest[SIGNER_DIGEST_MAX];

	l->path = (const char *)l->address.host.p; /* a text of the tree */
	(void)signer_digest(KEY_SHA256, l->address.host, digest);
	memcpy(l->bind.ip.bytes, digest, sizeof(l->bind.ip.bytes)); /* 16 of 32 */
}

static bool
compile_listen(
	struct settings *s, struct listen_settings *l, struct conf_report *report)
{
	struct conf_place at = conf_place_of(&s->tree, l->item.node, "address");
	l->bind = (struct addr){.ip = l->address.ip, .port = l->address.port};
	if (l->front == FRONT_KEYSERVER && span_starts(l->address.host, SPAN("/"))) {
		bind_path(l);
	} else if (l->address.ip.family == IP_NONE && l->address.host.n > 0) {
		return conf_complain(report, at, ERR_POLICY_LISTEN,
			"a port is opened on an address, not a name");
	}
	if (l->address.ip.family == IP_NONE && !l->path)
		l->bind.ip.family = IP_V6; /* [::] takes both */
	if (l->front == FRONT_KEYSERVER) {
		l->keyserver = keyserver_find(s, l->use);
	} else {
		l->gateway = used_by(s, l);
	}
	if (l->gateway || l->keyserver)
		return true;
	return conf_complain(report, conf_place_of(&s->tree, l->item.node, "gateway"),
		ERR_POLICY_LISTEN, "there is no %s of this name", front_uses(l->front));
}

static void
join_servers(struct settings *s)
{
	const struct conf_texts *list = &s->resolver.servers;
	size_t need = 1;
	for (size_t i = 0; i < list->n; i++)
		need += list->p[i].n + 1;
	if (list->n == 0)
		return;
	s->servers = mem_alloc(need);
	struct text t = text_to(s->servers, need);
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			text_put(&t, SPAN(","));
		text_put(&t, list->p[i]);
	}
}

bool
settings_compile(struct settings *s, struct conf_report *report)
{
	bool ok = compile_lists(s, report);
	/* Used by edges too, so written as theirs are where there are any. */
	const struct lets_scope top = {.nodes = &s->let_nodes,
		.dialect = s->edges != NULL ? RULE_EDGE : RULE_GATEWAY};
	ok = lets_compile(s, &top, &s->lets, report) && ok;
	ok = compile_geo(s, report) && ok;
	EACH_ITEM(struct gateway, g, s->gateways)
	{
		g->index = s->n_gateways++;
		ok = compile_gateway(s, g, report) && ok;
	}
	EACH_ITEM(struct gateway, g, s->edges)
	{
		g->index = s->n_gateways++;
		ok = compile_edge(s, g, report) && ok;
	}
	EACH_ITEM(struct keyserver_settings, k, s->keyservers)
	ok = keyserver_compile(s, k, report) && ok;
	ok = fleet_compile(s, report) && ok;
	EACH_ITEM(struct listen_settings, l, s->listens)
	ok = compile_listen(s, l, report) && ok;
	join_servers(s);
	return ok;
}

void
settings_uncompile(struct settings *s)
{
	EACH_ITEM(struct gateway, g, s->gateways)
	{
		policy_free(g->policy);
		act_tls_free(g);
		act_value_free(g);
		mem_free((void *)(uintptr_t)g->status.root_pem.p);
		mem_free((void *)(uintptr_t)g->status.root_der.p);
		trust_free(g->trust);
		ctlogs_free(g->logs);
		revoke_free(g->lists);
		site_uncompile_keys(g);
	}
	EACH_ITEM(struct gateway, g, s->edges)
	{
		policy_free(g->policy);
		act_tls_free(g);
		act_value_free(g);
		trust_free(g->trust);
		ctlogs_free(g->logs);
		revoke_free(g->lists);
		site_uncompile(g);
	}
	EACH_ITEM(struct keyserver_settings, k, s->keyservers)
	keyserver_uncompile(k);
	fleet_uncompile(s);
	scheme_fini(&s->scheme);
	lists_free(s->rule_lists);
	catalogue_free(s->apps);
	categories_free(s->categories_of);
	geo_close(s->geo_files);
	cache_store_put(s->cache_store);
	rate_table_put(s->rates);
	ids_put(s->ids);
	once_put(s->once);
	mem_free(s->servers);
}
