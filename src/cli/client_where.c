// SPDX-License-Identifier: Apache-2.0
#include "cli/client_where.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/client_priv.h"
#include "cli/config.h"
#include "conf/schema.h"
#include "keyless/ask_pool.h"
#include "keyless/keys.h"
#include "net/resolve.h"
#include "tls/profile.h"

enum { TURN_MS = 100 };

#define WHERE(field) CONF_AT(struct client_where_words, field)
static const struct conf_row rows[] = {
	{"token", CONF_TEXT, WHERE(token),
		.help = "The key's name in a PKCS#11 token (RFC 7512)."},
	{"module", CONF_PATH, WHERE(module),
		.help = "The module, for names without module-path."},
	{"pin", CONF_PATH, WHERE(pin),
		.help = "File with the PIN, for names without one."},
	{"public", CONF_PATH, WHERE(public),
		.help = "PEM of the public key; only `client init` needs it."},
	{"keys", CONF_BLOCK, WHERE(keys), .block = &site_keys_block,
		.help = "The key servers that have it."},
};
static const struct conf_table table = {
	.help = "Where the authority's key is.",
	.size = sizeof(struct client_where_words),
	CONF_WORDS_OF(rows),
};

/* ---- the file */

static bool
fill(struct client_where *w, const char *path, struct conf_report *report)
{
	bool ok = conf_tree_read(&w->tree, path, report);

	ok = conf_fill(&w->tree, &table, &w->words, report) && ok;
	return ok &&
		site_compile_key_block(
			&w->words.keys, conf_place_of(&w->tree, NULL, "keys"), report);
}

static bool
read_words(struct client_where *w, const char *path, struct err *err)
{
	struct conf_report *report = mem_alloc(sizeof(*report)); /* large */

	conf_report_init(report);
	conf_tree_init(&w->tree);
	bool ok = fill(w, path, report);
	if (!ok) {
		config_complain(report);
		(void)err_set(err, ERR_PKI_CLIENT_CA, "%s is no good", path);
	}
	mem_free(report);
	if (ok && (w->words.token.n > 0) == (w->words.keys.servers != NULL)) {
		ok = err_set(err, ERR_PKI_CLIENT_CA,
			"%s: it says either `token` or `keys`", path);
	}
	return ok;
}

/* ---- in a token */

static bool
open_token(struct client_where *w, struct err *err)
{
	const struct client_where_words *words = &w->words;
	char pin[TOKEN_PIN_MAX] = "";
	struct token_uri uri;

	w->box = token_box_new(
		words->module.n > 0 ? (const char *)words->module.p : NULL);
	bool ok = token_uri_parse(words->token, &uri, err) &&
		token_read_pin(&uri, pin, err) &&
		(pin[0] || words->pin.n == 0 ||
			token_load_pin((const char *)words->pin.p, pin, err));
	if (ok)
		w->token = token_open(w->box, &uri, span_str(pin), err);
	secret_wipe(pin, sizeof(pin));
	secret_wipe(&uri, sizeof(uri));
	return w->token != NULL;
}

static bool
sign_in_token(struct client_signer *s, const struct key_job *job, uint8_t *dst,
	size_t *n, struct err *err)
{
	struct client_where *w = CONTAINER_OF(s, struct client_where, signer);

	return token_sign(w->token, job, dst, n, err);
}

/* ---- on key servers */

static bool
open_pool(struct client_where *w, struct err *err)
{
	if (!loop_init(&w->loop, err))
		return false;
	w->has_loop = true;
	w->resolver = resolve_open(&w->loop, &(struct resolve_options){0}, err);
	w->profile = w->resolver ? ask_pool_profile(err) : NULL;
	if (w->profile) {
		w->pool = site_open_pool(&w->words.keys,
			&(struct site_pool_place){.loop = &w->loop,
				.resolver = w->resolver,
				.profile = w->profile});
	}
	return w->pool != NULL;
}

static void
came(struct ask *a)
{
	struct client_where *w = CONTAINER_OF(a, struct client_where, ask);

	w->came = true;
	w->n = a->ok && a->answer.n <= sizeof(w->signature) ? a->answer.n : 0;
	if (w->n > 0)
		memcpy(w->signature, a->answer.p, w->n); /* just looked at */
}

/* Whether it is right is found out by who puts it in its place. */
static bool
sign_elsewhere(struct client_signer *s, const struct key_job *job, uint8_t *dst,
	size_t *n, struct err *err)
{
	struct client_where *w = CONTAINER_OF(s, struct client_where, signer);
	uint8_t ski[KEY_SKI];

	if (!w->public || !key_ski(w->public, ski, err))
		return false;
	w->ask = (struct ask){.done = came,
		.want = {.op = keys_op_for(w->public, job),
			.ski = span_of(ski, KEY_SKI),
			.payload = job->input}};
	w->came = false;
	if (!ask_pool_send(w->pool, &w->ask, err))
		return false;
	while (!w->came) /* the pool gives up by itself */
		loop_turn(&w->loop, TURN_MS);
	if (!w->ask.ok) {
		*err = w->ask.err;
		return false;
	}
	memcpy(dst, w->signature, w->n); /* both KEY_SIGNATURE_MAX */
	*n = w->n;
	return true;
}

/* ---- life */

static bool
start(struct client_where *w, const char *path, struct err *err)
{
	if (!read_words(w, path, err))
		return false;
	w->signer.sign = w->words.token.n > 0 ? sign_in_token : sign_elsewhere;
	return w->words.token.n > 0 ? open_token(w, err) : open_pool(w, err);
}

bool
client_where_open(const char *dir, struct client_where **out, struct err *err)
{
	char path[1024];

	*out = NULL;
	if (!client_ca_path(path, dir, "ca.where", err))
		return false;
	if (access(path, F_OK) != 0)
		return true;
	struct client_where *w = mem_alloc(sizeof(*w));
	if (start(w, path, err)) {
		*out = w;
		return true;
	}
	client_where_close(w);
	return false;
}

void
client_where_close(struct client_where *w)
{
	if (!w)
		return;
	token_free(w->token);
	token_box_free(w->box);
	if (w->pool)
		ask_pool_free(w->pool);
	profile_put(w->profile);
	if (w->resolver)
		resolve_close(w->resolver);
	if (w->has_loop)
		loop_fini(&w->loop);
	EVP_PKEY_free(w->public);
	site_uncompile_key_block(&w->words.keys);
	conf_tree_fini(&w->tree);
	mem_free(w);
}

void
client_where_expect(struct client_where *w, EVP_PKEY *public)
{
	EVP_PKEY_up_ref(public);
	EVP_PKEY_free(w->public);
	w->public = public;
}

EVP_PKEY *
client_where_public(struct client_where *w, struct err *err)
{
	if (w->token)
		return token_public(w->token);
	if (w->words.public.n == 0) {
		err_set(err, ERR_PKI_CLIENT_CA, "ca.where: `keys` needs `public`");
		return NULL;
	}
	struct key *key = key_open_public((const char *)w->words.public.p, err);
	if (!key)
		return NULL;
	client_where_expect(w, key_pkey(key));
	key_free(key);
	return w->public;
}
