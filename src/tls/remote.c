// SPDX-License-Identifier: Apache-2.0
/*
 * remote: see remote.h. Here are the keys, the asks, and the pause; remote_provider.c
 * is what OpenSSL sees.
 *
 * The provider lives in a library context of its own. Loaded beside OpenSSL's own, its
 * EC could be fetched first and every other EC key of the process would become ours.
 */
#include "tls/remote.h"

#include <openssl/async.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <string.h>

#include "pki/key.h"
#include "tls/remote_priv.h"

enum { RSA_BITS_MIN = 2048 };

/* OpenSSL keeps its registries per process, and so this is one. Made with the first
 * key. */
static struct {
	OSSL_LIB_CTX *lib;
	OSSL_PROVIDER *provider;
	bool has_fibres; /* their number was bounded */
} elsewhere;

/* Between a fibre that is about to pause and the engine's callback, which runs at once.
 */
static struct remote_ask *asking;

static void
let_wait(struct remote_owner *o, struct remote_ask *ask)
{
	(void)o;
	(void)ask;
}

struct remote_owner remote_nobody = {.asked = let_wait};

/* ---- asks ---- */

struct remote_ask *
remote_asking(void)
{
	return asking;
}

bool
remote_wait(struct remote_ask *ask)
{
	ASYNC_JOB *job = ASYNC_get_current_job();
	ASYNC_callback_fn callback = NULL;
	void *ssl = NULL; /* libssl's own argument, whatever we gave it */

	if (!job ||
		!ASYNC_WAIT_CTX_get_callback(
			ASYNC_get_wait_ctx(job), &callback, &ssl) ||
		!callback)
		return false; /* a key elsewhere outside a handshake */
	asking = ask;
	int told = callback(ssl);
	asking = NULL;
	/* A loop, because a wake-up is not an answer. */
	while (told == 1 && ask->state == REMOTE_WAITING) {
		if (ASYNC_pause_job() != 1)
			return false;
	}
	return ask->state == REMOTE_ANSWERED;
}

bool
remote_is_answered(const struct remote_ask *ask)
{
	return ask->state != REMOTE_WAITING;
}

enum err_code
remote_outcome(const struct remote_ask *ask)
{
	switch (ask->state) {
	case REMOTE_REFUSED:
		return ERR_TLS_REMOTE;
	case REMOTE_LIED:
		return ERR_TLS_REMOTE_LIED;
	case REMOTE_WAITING:
	case REMOTE_ANSWERED:
		break;
	}
	return ERR_NONE;
}

static const EVP_MD *
hash_of(enum remote_op op)
{
	switch (op & 7) { /* the key protocol numbers hashes in the low three bits */
	case 3:
		return EVP_sha1();
	case 4:
		return EVP_sha224();
	case 5:
		return EVP_sha256();
	case 6:
		return EVP_sha384();
	default:
		return EVP_sha512();
	}
}

static bool
verify_message(const struct remote_ask *ask, struct span sig)
{
	AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();

	return md && EVP_DigestVerifyInit(md, NULL, NULL, NULL, ask->public) == 1 &&
		EVP_DigestVerify(md, sig.p, sig.n, ask->input.p, ask->input.n) == 1;
}

static bool
set_padding(EVP_PKEY_CTX *c, enum remote_op op)
{
	if (op < REMOTE_ECDSA_SHA1)
		return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1;
	if (op < REMOTE_PSS_SHA256)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool
verify_digest(const struct remote_ask *ask, struct span sig)
{
	AUTO(EVP_PKEY_CTX) *c = EVP_PKEY_CTX_new(ask->public, NULL);

	return c && EVP_PKEY_verify_init(c) == 1 && set_padding(c, ask->op) &&
		EVP_PKEY_CTX_set_signature_md(c, hash_of(ask->op)) == 1 &&
		EVP_PKEY_verify(c, sig.p, sig.n, ask->input.p, ask->input.n) == 1;
}

static bool
is_true(const struct remote_ask *ask, struct span answer)
{
	switch (ask->op) {
	case REMOTE_RSA_DECRYPT: /* any number may be the right one */
		return answer.n == ask->cap;
	case REMOTE_ED25519:
		return verify_message(ask, answer);
	case REMOTE_RSA_SHA1:
	case REMOTE_RSA_SHA224:
	case REMOTE_RSA_SHA256:
	case REMOTE_RSA_SHA384:
	case REMOTE_RSA_SHA512:
	case REMOTE_ECDSA_SHA1:
	case REMOTE_ECDSA_SHA224:
	case REMOTE_ECDSA_SHA256:
	case REMOTE_ECDSA_SHA384:
	case REMOTE_ECDSA_SHA512:
	case REMOTE_PSS_SHA256:
	case REMOTE_PSS_SHA384:
	case REMOTE_PSS_SHA512:
		break;
	}
	return verify_digest(ask, answer);
}

static void
take_answer(struct remote_ask *ask, struct span answer, bool believed)
{
	if (ask->state != REMOTE_WAITING)
		return;
	if (answer.n == 0 || answer.n > ask->cap ||
		(!believed && !is_true(ask, answer))) {
		ask->state = REMOTE_LIED;
		return;
	}
	memcpy(ask->answer, answer.p, answer.n); /* at most cap */
	ask->n = answer.n;
	ask->state = REMOTE_ANSWERED;
}

void
remote_answer(struct remote_ask *ask, struct span answer)
{
	take_answer(ask, answer, false);
}

void
remote_answer_near(struct remote_ask *ask, struct span answer)
{
	take_answer(ask, answer, EVP_PKEY_is_a(ask->public, "EC") == 1);
}

void
remote_refuse(struct remote_ask *ask)
{
	if (ask->state == REMOTE_WAITING)
		ask->state = REMOTE_REFUSED;
}

/* ---- keys ---- */

static bool
start(struct err *err)
{
	if (elsewhere.provider)
		return true;
	elsewhere.lib = OSSL_LIB_CTX_new();
	if (elsewhere.lib &&
		OSSL_PROVIDER_add_builtin(
			elsewhere.lib, "sekisho-remote", remote_provider_init)) {
		elsewhere.provider =
			OSSL_PROVIDER_load(elsewhere.lib, "sekisho-remote");
	}
	if (!elsewhere.provider) {
		return ossl_err(
			err, ERR_TLS_IDENTITY, "no provider for keys elsewhere");
	}
	return true;
}

static bool
is_servable(const EVP_PKEY *pub)
{
	char group[32] = "";
	size_t n = 0;

	if (EVP_PKEY_is_a(pub, "RSA")) {
		return EVP_PKEY_get_bits(pub) >= RSA_BITS_MIN &&
			EVP_PKEY_get_size(pub) <= REMOTE_ANSWER_MAX;
	}
	if (EVP_PKEY_is_a(pub, "ED25519"))
		return true;
	return EVP_PKEY_is_a(pub, "EC") &&
		EVP_PKEY_get_group_name(pub, group, sizeof(group), &n) == 1 &&
		(strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0 ||
			strcmp(group, "secp521r1") == 0);
}

/* The public half as parameters, and the handle beside: what the provider imports. */
static EVP_PKEY *
import(EVP_PKEY *pub, struct remote_key *key)
{
	OSSL_PARAM handle[] = {
		// NOLINTNEXTLINE(bugprone-sizeof-expression): the pointer is the value
		OSSL_PARAM_octet_ptr(REMOTE_HANDLE, (void *)&key, sizeof(key)),
		OSSL_PARAM_END,
	};
	OSSL_PARAM *have = NULL;
	EVP_PKEY *made = NULL;

	if (EVP_PKEY_todata(pub, EVP_PKEY_PUBLIC_KEY, &have) != 1)
		return NULL;
	OSSL_PARAM *all = OSSL_PARAM_merge(have, handle);
	const char *type = EVP_PKEY_get0_type_name(pub);
	AUTO(EVP_PKEY_CTX) *c = EVP_PKEY_CTX_new_from_name(elsewhere.lib, type, NULL);
	if (all && c && EVP_PKEY_fromdata_init(c) == 1)
		(void)EVP_PKEY_fromdata(c, &made, EVP_PKEY_KEYPAIR, all);
	OPENSSL_free(all);
	OSSL_PARAM_free(have);
	return made;
}

EVP_PKEY *
remote_key_new(X509 *leaf, struct remote_key *key, struct err *err)
{
	EVP_PKEY *pub = X509_get0_pubkey(leaf);

	if (!start(err))
		return NULL;
	if (!pub || !is_servable(pub)) {
		err_set(err, ERR_TLS_IDENTITY,
			"no key server signs with a %s of %d bits",
			pub ? EVP_PKEY_get0_type_name(pub) : "key we cannot read",
			pub ? EVP_PKEY_get_bits(pub) : 0);
		return NULL;
	}
	if (!key_ski(pub, key->ski, err))
		return NULL;
	EVP_PKEY *made = import(pub, key);
	if (!made)
		ossl_err(err, ERR_TLS_IDENTITY, "key elsewhere");
	return made;
}

bool
remote_is(const EVP_PKEY *key)
{
	return elsewhere.provider && EVP_PKEY_get0_provider(key) == elsewhere.provider;
}

bool
remote_setup(size_t max_waiting, struct err *err)
{
	if (elsewhere.has_fibres)
		return true;
	if (!ASYNC_is_capable() || ASYNC_init_thread(max_waiting, 0) != 1)
		return ossl_err(err, ERR_TLS_IDENTITY, "no fibres for keys elsewhere");
	elsewhere.has_fibres = true;
	return true;
}

void
remote_end(void)
{
	ASYNC_cleanup_thread();
	if (elsewhere.provider)
		OSSL_PROVIDER_unload(elsewhere.provider);
	OSSL_LIB_CTX_free(elsewhere.lib);
	elsewhere.provider = NULL;
	elsewhere.lib = NULL;
	elsewhere.has_fibres = false;
}
