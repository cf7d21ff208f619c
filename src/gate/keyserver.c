// SPDX-License-Identifier: Apache-2.0
/* keyserver: the words of its block, and what becomes of them. The worker's part is in
 * keyserver_serve.c. */
#include "gate/keyserver.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "gate/settings.h"
#include "pki/identity.h"
#include "pki/revoke.h"
#include "pki/token_uri.h"
#include "pki/trust.h"

enum { CRL_BYTES = 32 * 1024 * 1024 };

#define CLIENT(field) CONF_AT(struct keyserver_client, field)
static const struct conf_row client_args[] = {
	{"name", CONF_TEXT, CLIENT(match), .required = true,
		.help = "A name in the edge's certificate, or sha256: and its digest."},
};
static const struct conf_row client_words[] = {
	{"keys", CONF_TEXTS, CLIENT(keys),
		.help = "SKIs of the keys it may use; absent: all."},
	{"operations", CONF_TEXTS, CLIENT(operations),
		.help = "What it may ask for; absent: signatures with SHA-224 and "
			"better."},
	{"names", CONF_TEXTS, CLIENT(names),
		.help = "Server names it may sign for: exact, or .example for all "
			"below; "
			"absent: any."},
	{"rate", CONF_INT, CLIENT(per_second), .preset = "0", .max = 1000000,
		.help = "Operations per second and worker; 0: no limit."},
};
static const struct conf_table client_block = {
	.help = "An edge and what it may.",
	.size = sizeof(struct keyserver_client),
	CONF_ARGS_OF(client_args),
	CONF_WORDS_OF(client_words),
};

#define NAME(field) CONF_AT(struct keyserver_name, field)
static const struct conf_row name_args[] = {
	{"name", CONF_TEXT, NAME(name), .required = true,
		.help = "What the edge's client asked for, or the address it came to."},
	{"ski", CONF_TEXT, NAME(ski), .after = "key", .required = true,
		.help = "The key, 40 hex digits."},
};
static const struct conf_table name_line = {
	.help = "The key of requests that name none.",
	.size = sizeof(struct keyserver_name),
	CONF_ARGS_OF(name_args),
	.no_braces = true,
};

#define KEYSERVER(field) CONF_AT(struct keyserver_settings, field)
static const struct conf_row args[] = {
	{"name", CONF_NAME, KEYSERVER(name), .required = true,
		.help = "What listeners call it."},
};
static const struct conf_row words[] = {
	{"keys", CONF_PATH, KEYSERVER(keys),
		.help = "Directory of private keys; only the vault reads it."},
	{"token", CONF_TEXTS, KEYSERVER(tokens),
		.help = "Keys in PKCS#11 tokens: `pkcs11:token=…;object=…` (RFC "
			"7512)."},
	{"passphrase", CONF_PATH, KEYSERVER(passphrase),
		.help = "File with the passphrase of encrypted keys."},
	{"certificate", CONF_PATH, KEYSERVER(certificate), .required = true,
		.help = "PEM of the server's own certificate."},
	{"key", CONF_PATH, KEYSERVER(key),
		.help = "PEM of its private key; absent: in the same file."},
	{"authority", CONF_PATH, KEYSERVER(authority), .required = true,
		.help = "PEM of the authority that the edges' certificates come from."},
	{"crl", CONF_PATH, KEYSERVER(crl), .help = "Revoked edges; read at a reload."},
	{"client", CONF_BLOCKS, KEYSERVER(clients), .block = &client_block,
		.help = "An edge and what it may. Absent: every edge of the authority "
			"may "
			"sign with every key."},
	{"seal-secret", CONF_PATH, KEYSERVER(seal_secret),
		.help = "File of 64 hex digits: seal and unseal are served, and all "
			"key "
			"servers with the same secret open each other's blobs."},
	{"name", CONF_BLOCKS, KEYSERVER(names), .block = &name_line,
		.help = "The key of requests that name none, by server name or "
			"address. "
			"Absent: they get none."},
	{"rsa-decrypt", CONF_FLAG, KEYSERVER(rsa_decrypt), .preset = "off",
		.help = "Allow the raw RSA operation, for edges with RSA key "
			"exchange."},
	{"sha1", CONF_FLAG, KEYSERVER(sha1), .preset = "off",
		.help = "Allow MD5 and SHA-1, for TLS 1.0 and 1.1."},
	{"idle", CONF_DURATION, KEYSERVER(idle_ms), .preset = "30s", .min = 1000,
		.help = "A connection without requests ends after so long."},
};
const struct conf_table keyserver_block = {
	.help = "A key server: what listeners `as keyserver` use.",
	.size = sizeof(struct keyserver_settings),
	CONF_ARGS_OF(args),
	CONF_WORDS_OF(words),
};

/* ---- compiling ---- */

struct compiling {
	struct settings *s;
	struct keyserver_settings *k;
	struct conf_report *report;
};

static bool
complain(const struct compiling *c, const struct conf_item *item, const char *word,
	const struct err *err)
{
	return conf_complain(c->report, conf_place_of(&c->s->tree, item->node, word),
		err->code, "%s", err->text);
}

static int
compare_skis(const void *a, const void *b)
{
	return memcmp(a, b, WIRE_SKI);
}

static bool
compile_skis(const struct compiling *c, struct keyserver_client *client)
{
	struct err err = {0};

	client->skis = arena_alloc(&c->s->tree.arena, client->keys.n * WIRE_SKI + 1);
	for (size_t i = 0; i < client->keys.n; i++) {
		size_t n = 0;

		if (text_unhex(client->keys.p[i], client->skis + i * WIRE_SKI, WIRE_SKI,
			    &n) &&
			n == WIRE_SKI)
			continue;
		(void)err_set(&err, ERR_KEYLESS_SETUP,
			"%.*s is no SKI of 40 hex digits", SPAN_ARG(client->keys.p[i]));
		return complain(c, &client->item, "keys", &err);
	}
	if (client->keys.n > 0)
		qsort(client->skis, client->keys.n, WIRE_SKI, compare_skis);
	return true;
}

struct wire_mask
keyserver_usual_mask(const struct keyserver_settings *k)
{
	static const uint8_t old[] = {
		WIRE_RSA_MD5SHA1, WIRE_RSA_SHA1, WIRE_ECDSA_MD5SHA1, WIRE_ECDSA_SHA1};
	struct wire_mask m = wire_mask_default();

	for (size_t i = 0; k->sha1 && i < COUNT_OF(old); i++)
		wire_mask_add(&m, old[i]);
	if (k->rsa_decrypt)
		wire_mask_add(&m, WIRE_RSA_DECRYPT);
	/* Without a secret: "internal error", as others answer. */
	wire_mask_add(&m, WIRE_SEAL);
	wire_mask_add(&m, WIRE_UNSEAL);
	return m;
}

static bool
compile_mask(const struct compiling *c, struct keyserver_client *client)
{
	struct wire_mask all = wire_mask_public();
	struct err err = {0};

	client->mask = keyserver_usual_mask(c->k);
	if (client->operations.n > 0)
		client->mask = (struct wire_mask){0};
	for (size_t i = 0; i < client->operations.n; i++) {
		uint8_t op = wire_op_by_name(client->operations.p[i]);

		if (op == WIRE_NO_OP || !wire_mask_has(&all, op)) {
			(void)err_set(&err, ERR_KEYLESS_SETUP, "%.*s is no operation",
				SPAN_ARG(client->operations.p[i]));
			return complain(c, &client->item, "operations", &err);
		}
		wire_mask_add(&client->mask, op);
	}
	wire_mask_add(&client->mask, WIRE_PING);
	return true;
}

static bool
compile_client(const struct compiling *c, struct keyserver_client *client)
{
	client->allowed = arena_alloc(
		&c->s->tree.arena, (client->names.n + 1) * sizeof(*client->allowed));
	for (size_t i = 0; i < client->names.n; i++)
		client->allowed[i] = arena_cstr(&c->s->tree.arena, client->names.p[i]);
	c->k->n_clients++;
	return compile_skis(c, client) && compile_mask(c, client);
}

/* A text of the tree ends in NUL. */
static const char *
cstr(struct span s)
{
	return (const char *)s.p;
}

static bool
load_crl(struct keyserver_settings *k, struct err *err)
{
	struct span text = {0};

	if (k->crl.n == 0)
		return true;
	if (!file_read(cstr(k->crl), REVOKE_CRL_MAX, &text, err))
		return false;
	k->revoke = revoke_new(CRL_BYTES);
	bool ok = revoke_add_crl(k->revoke, text, err);
	mem_free((void *)(uintptr_t)text.p);
	return ok;
}

/* Whether they are there is found out by the vault. */
static bool
check_tokens(const struct compiling *c)
{
	struct token_uri uri;
	struct err err = {0};
	bool ok = true;

	for (size_t i = 0; i < c->k->tokens.n && ok; i++)
		ok = token_uri_parse(c->k->tokens.p[i], &uri, &err);
	secret_wipe(&uri, sizeof(uri));
	if (ok && c->k->tokens.n == 0 && c->k->keys.n == 0) {
		ok = err_set(
			&err, ERR_KEYLESS_SETUP, "it has neither keys nor a token");
	}
	return ok || complain(c, &c->k->item, "token", &err);
}

bool
keyserver_compile(
	struct settings *s, struct keyserver_settings *k, struct conf_report *report)
{
	struct compiling c = {.s = s, .k = k, .report = report};
	struct span key = k->key.n > 0 ? k->key : k->certificate;
	struct err err = {0};
	bool ok = true;

	for (struct conf_item *it = k->clients; it; it = it->next)
		ok = compile_client(&c, (struct keyserver_client *)(void *)it) && ok;
	if (k->certificate.n == 0 || k->authority.n == 0)
		return false; /* complained about already */
	if (!check_tokens(&c))
		return false;
	k->id = identity_load(cstr(k->certificate), cstr(key), (struct span){0}, &err);
	if (!k->id)
		return complain(&c, &k->item, "certificate", &err);
	k->trust =
		trust_new(false, (const char *const[]){cstr(k->authority), NULL}, &err);
	if (!k->trust)
		return complain(&c, &k->item, "authority", &err);
	if (!load_crl(k, &err))
		return complain(&c, &k->item, "crl", &err);
	return ok;
}

void
keyserver_uncompile(struct keyserver_settings *k)
{
	identity_put(k->id);
	trust_free(k->trust);
	revoke_free(k->revoke);
}

bool
keyserver_load_keys(
	const struct keyserver_settings *k, struct keys *keys, struct err *err)
{
	struct span text = {0};

	keys->decrypt = k->rsa_decrypt;
	if (k->passphrase.n > 0) {
		if (!file_is_private(cstr(k->passphrase), err) ||
			!file_read(cstr(k->passphrase), 4096, &text, err))
			return false;
		keys->passphrase = mem_cstr(span_trim(text));
		secret_wipe((void *)(uintptr_t)text.p, text.n);
		mem_free((void *)(uintptr_t)text.p);
	}
	bool ok = k->keys.n == 0 || keys_add_dir(keys, cstr(k->keys), err);
	keys_seal_dir(keys);
	return ok;
}

bool
keyserver_load_names(
	const struct keyserver_settings *k, struct keys *keys, struct err *err)
{
	for (const struct conf_item *it = k->names; it; it = it->next) {
		const struct keyserver_name *n =
			(const struct keyserver_name *)(const void *)it;
		uint8_t ski[WIRE_SKI];
		size_t got = 0;

		if (!text_unhex(n->ski, ski, sizeof(ski), &got) ||
			!keys_name(keys, n->name, span_of(ski, got), err)) {
			return err_set(err, ERR_KEYLESS_SETUP,
				"the name %.*s is given twice, or there is no such key",
				SPAN_ARG(n->name));
		}
	}
	return true;
}

const struct keyserver_settings *
keyserver_find(const struct settings *s, struct span name)
{
	for (const struct conf_item *it = s->keyservers; it; it = it->next) {
		const struct keyserver_settings *k =
			(const struct keyserver_settings *)(const void *)it;

		if (span_eq(k->name, name))
			return k;
	}
	return NULL;
}
