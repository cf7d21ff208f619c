// SPDX-License-Identifier: Apache-2.0
/*
 * authority_trial: a leaf on trial, before any client sees one.
 *
 * What an authority may certify is spread over many extensions (name constraints,
 * policies, path lengths, uses), and clients differ in which they look at. So one leaf
 * is made as for a client, and two verifiers look at it: ours, and OpenSSL as strict as
 * Python 3.13 has it.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "pki/authority_priv.h"
#include "pki/cert.h"
#include "pki/der.h"
#include "pki/leaf.h"
#include "pki/trust.h"

enum { NAME = 256, TRIES = 16 };

/* The next DNS subtree that a certificate permits; false at the end. */
static bool
next_permitted(struct read *list, struct span *domain)
{
	while (read_more(list)) {
		struct read tree = der_take(list, DER_SEQUENCE);
		struct der base = der_any(&tree);
		if (base.tag == DER_CHOICE + 2 && !list->bad) {
			*domain = base.value.left;
			return true;
		}
	}
	return false;
}

static struct read
open_permitted(const struct cert *c)
{
	bool present = false;
	struct read whole = read_from(c->names.value);
	struct read inside = der_take(&whole, DER_SEQUENCE);

	return read_from(der_maybe(&inside, DER_EXPLICIT + 0, &present));
}

static const char *
openssl_says(const struct authority *a, X509 *leaf)
{
	AUTO(X509_STORE) *store = X509_STORE_new();
	AUTO(X509_STORE_CTX) *ask = X509_STORE_CTX_new();
	struct err ignored = {0};
	AUTO_CERTS *rest = chain_to_x509(&a->chain, 0, &ignored);

	if (!store || !ask || !rest || X509_STORE_add_cert(store, a->root) != 1 ||
		X509_STORE_CTX_init(ask, store, leaf, rest) != 1)
		return "no memory";
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ask);
	X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_X509_STRICT);
	X509_VERIFY_PARAM_set_auth_level(p, 2);
	X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set_time(p, (time_t)clock_wall());
	if (X509_verify_cert(ask) == 1)
		return NULL;
	return X509_verify_cert_error_string(X509_STORE_CTX_get_error(ask));
}

static bool
we_say(const struct authority *a, struct span leaf, struct span host, struct err *err)
{
	struct chain chain = {0};
	struct chain root = {0};
	struct trust *t = NULL;
	struct verdict v = {0};
	bool ok = chain_from_x509(&root, a->root, NULL, err) &&
		chain_add(&chain, leaf, err) && chain_add_all(&chain, &a->chain, err);

	if (ok)
		t = trust_new_chain(&root, err);
	if (t) {
		struct trust_ask ask = {
			.chain = &chain, .host = host, .now = clock_wall()};
		ask.options = trust_options_default();
		ask.options.revocation = TRUST_REVOCATION_OFF;
		trust_check(t, &ask, &v);
	}
	ok = t &&
		(v.class == VERDICT_GOOD ||
			err_set(err, ERR_PKI_AUTHORITY, "%s", v.text));
	verdict_fini(&v);
	trust_free(t);
	chain_fini(&chain);
	chain_fini(&root);
	return ok;
}

static bool
try_name(const struct authority *a, struct span name, EVP_PKEY *key, struct err *err)
{
	const struct leaf_facts facts = {
		.kind = KEY_P256, .names = &name, .n_names = 1};
	struct span der = {0};

	if (!leaf_mint(a, &facts, key, &der, err))
		return false;
	bool ok = we_say(a, der, name, err);
	const uint8_t *p = der.p;
	AUTO(X509) *leaf = ok ? d2i_X509(NULL, &p, (long)der.n) : NULL;
	const char *fault = leaf ? openssl_says(a, leaf) : NULL;
	mem_free((void *)(uintptr_t)der.p);
	return ok &&
		(!fault || err_set(err, ERR_PKI_AUTHORITY, "OpenSSL says: %s", fault));
}

static bool
try_below(const struct authority *a, struct span domain, EVP_PKEY *key, struct err *err)
{
	char name[NAME];
	struct text t = text_to(name, sizeof name);

	if (domain.n > 0 && domain.p[0] == '.')
		domain = span_from(domain, 1);
	text_add(&t, "trial.");
	text_put(&t, domain.n > 0 ? domain : SPAN("example"));
	return !t.cut && try_name(a, text_span(&t), key, err);
}

/* One name that some constraint permits is enough. */
static bool
try_permitted(
	const struct authority *a, const struct cert *c, EVP_PKEY *key, struct err *err)
{
	struct read list = open_permitted(c);
	struct span domain;
	bool any = false;

	for (int i = 0; i < TRIES && next_permitted(&list, &domain); i++) {
		any = true;
		if (try_below(a, domain, key, err))
			return true;
	}
	return !any && try_below(a, (struct span){0}, key, err);
}

/* The lowest authority that constrains names knows best which are left. */
static struct cert *
find_constrained(const struct authority *a, struct err *err)
{
	for (size_t i = 0; i < a->chain.n; i++) {
		struct cert *c = cert_parse(a->chain.der[i], err);
		if (!c || c->names.present)
			return c;
		cert_put(c);
	}
	return cert_from_x509(a->root, err);
}

bool
authority_trial(const struct authority *a, struct err *err)
{
	struct cert *c = find_constrained(a, err);
	AUTO(EVP_PKEY) *key = c ? key_new(KEY_P256, err) : NULL;
	bool ok = key && try_permitted(a, c, key, err);

	cert_put(c);
	return ok || err_within(err, "clients would refuse its leafs");
}
