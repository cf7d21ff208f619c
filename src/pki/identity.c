// SPDX-License-Identifier: Apache-2.0
#include "pki/identity.h"

#include <openssl/sha.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "pki/cert.h"

enum {
	BOTH_MAX = 1024 * 1024, /* octets of a file with certificates and key */
	COST_PER_CERT = 3 * 1024
}; /* what an X509 of OpenSSL 3.0 takes besides its DER */

static int64_t
read_time(const ASN1_TIME *t)
{
	struct tm tm = {0};
	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* Issuers are the same for every leaf of an authority: the parse cache keeps one object
 * of each, and OpenSSL takes a tenth of a millisecond to make another. */
static STACK_OF(X509) * share_issuers(const struct chain *chain, struct err *err)
{
	AUTO_CERTS *list = sk_X509_new_null();

	for (size_t i = 1; list && i < chain->n; i++) {
		struct cert *c = cert_parse(chain->der[i], err);
		X509 *x = c ? cert_x509(c, err) : NULL;
		bool ok = x && sk_X509_push(list, x) > 0;
		if (ok)
			must(X509_up_ref(x) == 1);
		cert_put(c);
		if (!ok)
			return NULL;
	}
	return KEEP(list);
}

struct identity *
identity_new(const struct chain *chain, EVP_PKEY *key, struct err *err)
{
	if (chain->n == 0) {
		err_set(err, ERR_PKI_IDENTITY, "no certificate");
		return NULL;
	}
	const uint8_t *p = chain->der[0].p;
	AUTO_CERTS *certs = share_issuers(chain, err);
	AUTO(X509) *leaf = certs ? d2i_X509(NULL, &p, (long)chain->der[0].n) : NULL;
	if (!leaf) {
		ossl_err(err, ERR_PKI_IDENTITY, "a certificate cannot be read");
		return NULL;
	}
	if (X509_check_private_key(leaf, key) != 1) {
		ossl_err(err, ERR_PKI_IDENTITY,
			"the key is not the first certificate's");
		return NULL;
	}
	must(EVP_PKEY_up_ref(key) == 1);

	struct identity *id = mem_alloc(sizeof *id);
	*id = (struct identity){
		.refs = 1,
		.not_before = read_time(X509_get0_notBefore(leaf)),
		.not_after = read_time(X509_get0_notAfter(leaf)),
		.key = key,
		.kind = key_kind_of(key),
		.cost = sizeof *id + chain->bytes + chain->n * COST_PER_CERT,
	};
	SHA256(chain->der[0].p, chain->der[0].n, id->sha256);
	id->leaf = KEEP(leaf);
	id->rest = KEEP(certs);
	return id;
}

/* The first thing forgotten is the key: no word of rights and of forms before that. */
static bool
has_key(const char *path, struct err *err)
{
	struct span text = {0};

	if (!file_read(path, BOTH_MAX, &text, err))
		return false;
	bool has = span_find(text, SPAN("PRIVATE KEY-----")) < text.n;
	secret_wipe((void *)(uintptr_t)text.p, text.n);
	mem_free((void *)(uintptr_t)text.p);
	return has ||
		err_set(err, ERR_PKI_NO_KEY, "%s has no private key, only certificates",
			path);
}

struct identity *
identity_load(const char *certificates, const char *key, struct span passphrase,
	struct err *err)
{
	struct chain chain = {0};

	if (!chain_load(&chain, certificates, err) ||
		(span_eq(span_str(key), span_str(certificates)) &&
			!has_key(key, err))) {
		chain_fini(&chain);
		return NULL;
	}
	AUTO(EVP_PKEY) *pkey = key_load(key, passphrase, err);
	struct identity *id = pkey ? identity_new(&chain, pkey, err) : NULL;
	chain_fini(&chain);
	return id;
}

struct identity *
identity_get(struct identity *id)
{
	id->refs++;
	return id;
}

void
identity_put(struct identity *id)
{
	if (!id || --id->refs > 0)
		return;
	X509_free(id->leaf);
	sk_X509_pop_free(id->rest, X509_free);
	EVP_PKEY_free(id->key);
	mem_free(id);
}

bool
identity_chain(const struct identity *id, struct chain *out, struct err *err)
{
	return chain_from_x509(out, id->leaf, id->rest, err);
}

const char *
identity_serial(const struct identity *id, char dst[IDENTITY_SERIAL])
{
	struct text t = text_to(dst, IDENTITY_SERIAL);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(id->leaf);
	int n = ASN1_STRING_length(serial);

	text_put_hex(&t, span_of(ASN1_STRING_get0_data(serial), n > 0 ? (size_t)n : 0),
		true);
	return dst;
}
