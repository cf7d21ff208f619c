// SPDX-License-Identifier: Apache-2.0
/*
 * key_delegate: a delegated credential (RFC 9345) whose signature comes from a key
 * server, for servers that can show one.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/key_desk.h"
#include "conf/value.h"
#include "keyless/keys.h"
#include "pki/delegated.h"
#include "pki/signer.h"

enum { DAY_S = 86400, PATH_ROOM = 1024 };

struct delegating {
	struct key_desk desk;
	struct cert *cert;     /* owned */
	EVP_PKEY *key;         /* owned; the credential's */
	struct delegated made; /* fini */
	struct span signature; /* owned */
	struct span whole;     /* owned */
	uint32_t valid_s;
	int64_t now;
};

static bool
read_wish(struct delegating *d, const struct cli_call *call, struct err *err)
{
	const char *path = cli_get(call, "certificate");
	const char *kind = cli_get(call, "key");
	const char *valid = cli_get(call, "valid");
	uint64_t ms = DAY_S * UINT64_C(1000);

	if (!path || !cli_get(call, "out"))
		return err_set(err, ERR_USAGE, "--certificate and --out are needed");
	if (valid &&
		(!conf_read_duration(span_str(valid), &ms) ||
			ms / 1000 > DELEGATED_MOST_S)) {
		return err_set(err, ERR_USAGE, "--valid %s is no time up to 7d", valid);
	}
	d->valid_s = (uint32_t)(ms / 1000); /* at most DELEGATED_MOST_S */
	enum key_kind k = kind ? key_kind_find(span_str(kind)) : KEY_P256;
	if (k == KEY_OTHER)
		return err_set(err, ERR_USAGE, "--key %s is no kind of key", kind);
	d->cert = cert_load(path, err);
	d->key = d->cert ? key_new(k, err) : NULL;
	return d->key != NULL;
}

/* The SignatureScheme is how TLS would ask for the same signature. */
static bool
ask(struct delegating *d, const char *sni, struct err *err)
{
	uint8_t ski[KEY_SKI];
	uint8_t digest[SIGNER_DIGEST_MAX];
	EVP_PKEY *public = cert_key(d->cert, err);
	struct wire_msg want = {.op = wire_op_for_scheme(d->made.algorithm),
		.name = span_str(sni),
		.payload = d->made.tbs};

	if (!public || !key_ski(public, ski, err))
		return false;
	want.ski = span_of(ski, KEY_SKI);
	if (d->made.hash != KEY_HASH_NONE) {
		want.payload = span_of(
			digest, signer_digest(d->made.hash, d->made.tbs, digest));
	}
	if (!key_desk_ask(&d->desk, &want, &d->signature, err))
		return false;
	return keys_verify(public, want.op, want.payload, d->signature) ||
		err_set(err, ERR_TLS_REMOTE_LIED, "the signature does not verify");
}

static bool
save(const struct delegating *d, const char *prefix, struct err *err)
{
	char path[PATH_ROOM];

	text_format(path, sizeof(path), "%s.key", prefix);
	if (!key_save(path, d->key, (struct span){0}, err))
		return false;
	text_format(path, sizeof(path), "%s.dc", prefix);
	return file_replace(path, d->whole, 0444, err);
}

static bool
delegate(struct delegating *d, const struct cli_call *call, struct err *err)
{
	if (!read_wish(d, call, err) || !key_desk_open(&d->desk, call, 1, err))
		return false;
	d->now = clock_wall();
	const struct delegated_wish wish = {
		.cert = d->cert, .key = d->key, .now = d->now, .valid_s = d->valid_s};
	return delegated_begin(&wish, &d->made, err) &&
		ask(d, cli_get(call, "sni"), err) &&
		delegated_finish(&d->made, d->signature, &d->whole, err) &&
		save(d, cli_get(call, "out"), err);
}

static void
fini(struct delegating *d)
{
	key_desk_close(&d->desk);
	cert_put(d->cert);
	EVP_PKEY_free(d->key);
	delegated_fini(&d->made);
	mem_free((void *)(uintptr_t)d->signature.p);
	mem_free((void *)(uintptr_t)d->whole.p);
	mem_free(d);
}

static enum cli_exit
run_delegate(const struct cli_call *call)
{
	struct delegating *d = mem_alloc(sizeof(*d));
	struct err err = {0};
	char until[CLOCK_TEXT];

	log_setup(LOG_ERROR, "key");
	bool ok = delegate(d, call, &err);
	if (ok) {
		const char *prefix = cli_get(call, "out");

		text_out("%s.dc   the credential, good until %s\n"
			 "%s.key  its private key\n",
			prefix, clock_text(until, (d->now + d->valid_s) * 1000),
			prefix);
	}
	fini(d);
	return ok ? CLI_GOOD : cli_fail(&err);
}

static const struct cli_option options[] = {
	{"certificate", 'c', "FILE", "whose key signs; with DelegationUsage", false},
	{"out", 0, "PREFIX", "writes PREFIX.dc and PREFIX.key", false},
	{"key", 'k', "KIND", "of the credential: p256, p384, ed25519 [p256]", false},
	{"valid", 'v', "TIME", "at most 7d [24h]", false},
	{"ca", 0, "FILE", "CA of the key server's certificate", false},
	{"cert", 0, "FILE", "our certificate, as an edge", false},
	{"cert-key", 0, "FILE", "… and its key", false},
	{"name", 'n', "NAME", "name in the key server's certificate [HOST]", false},
	{"sni", 0, "NAME", "server name to ask in [none]", false},
	{0},
};

const struct command command_key_delegate = {
	.name = "key delegate",
	.operands = "HOST[:PORT]...",
	.summary = "make a delegated credential with a key server's signature",
	.help = "Makes a key, has the key server sign for it with the certificate's "
		"key, and\n"
		"writes both: the DelegatedCredential of RFC 9345 as it stands in the "
		"TLS\n"
		"extension, and the private key. The edge of this program does not "
		"show them\n"
		"(docs/keyless.md says why); other servers do.\n",
	.examples = "sekisho key delegate keys.internal --certificate shop.crt --out "
		    "shop \\\n"
		    "    --ca ca.crt --cert edge1.crt --cert-key edge1.key\n",
	.options = options,
	.least = 1,
	.most = ASK_POOL_SERVERS,
	.run = run_delegate,
};
