// SPDX-License-Identifier: Apache-2.0
#include "pki/identity.h"

#include <openssl/sha.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"

enum {
	COST_PER_CERT = 3 * 1024
}; /* what an X509 of OpenSSL 3.0 takes besides its DER */

static int64_t
read_time(const ASN1_TIME *t)
{
	struct tm tm = {0};
	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

struct identity *
identity_new(const struct chain *chain, EVP_PKEY *key, struct err *err)
{
	AUTO_CERTS *certs = chain_to_x509(chain, 0, err);

	if (!certs)
		return NULL;
	if (sk_X509_num(certs) == 0) {
		err_set(err, ERR_PKI_IDENTITY, "no certificate");
		return NULL;
	}
	AUTO(X509) *leaf = sk_X509_shift(certs);
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

struct identity *
identity_load(const char *certificates, const char *key, struct span passphrase,
	struct err *err)
{
	struct chain chain = {0};

	if (!chain_load(&chain, certificates, err))
		return NULL;
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
