// SPDX-License-Identifier: Apache-2.0
/*
 * client_csr: reading a request that a stranger wrote (RFC 2986), and making one.
 *
 *	CertificationRequest ::= SEQUENCE { info, algorithm, BIT STRING }
 *	info ::= SEQUENCE { INTEGER 0, Name, SubjectPublicKeyInfo, [0] attributes }
 *
 * Our own strict reader walks all of it; OpenSSL sees the key and the Name only, after
 * both were found to be of a form we take.
 */
#include <openssl/pem.h>

#include "base/mem.h"
#include "pki/cert_priv.h"
#include "pki/client_name.h"
#include "pki/mint_priv.h"
#include "pki/path_priv.h"

enum { ATTRIBUTES = 8, EXTENSIONS = 16, EXPONENT_MIN = 65537 };

static const struct span oid_extensions =
	SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e");
static const struct span oid_san = SPAN_INIT("\x55\x1d\x11");

/* The request, opened; spans point into the octets given. */
struct request {
	struct span info; /* whole element: what is signed */
	struct span algo;
	struct span signature;
	struct span name;
	struct span spki; /* whole element */
	struct read attributes;
};

static bool
open_request(struct span der, struct request *q)
{
	struct read whole = read_from(der);
	struct read r = der_take(&whole, DER_SEQUENCE);
	unsigned unused = 0;

	q->info = der_take_whole(&r, DER_SEQUENCE);
	q->algo = der_take_whole(&r, DER_SEQUENCE);
	q->signature = der_bits(&r, &unused);
	if (!read_done(&r) || !read_done(&whole) || unused != 0)
		return false;
	struct read outer = read_from(q->info);
	struct read info = der_take(&outer, DER_SEQUENCE);
	(void)der_count(&info, DER_INTEGER, 0); /* v1 */
	q->name = der_take_whole(&info, DER_SEQUENCE);
	q->spki = der_take_whole(&info, DER_SEQUENCE);
	if (der_is(&info, DER_EXPLICIT + 0))
		q->attributes = der_take(&info, DER_EXPLICIT + 0);
	return read_done(&info);
}

/* ---- the key ---- */

static bool
key_is_ours(const struct cert *c)
{
	switch (c->family) {
	case KEY_FAMILY_RSA:
		return (c->bits == 2048 || c->bits == 3072 || c->bits == 4096) &&
			c->exponent >= EXPONENT_MIN && (c->exponent & 1) == 1;
	case KEY_FAMILY_EC:
		return c->curve &&
			(span_eq(span_str(c->curve), SPAN("P-256")) ||
				span_eq(span_str(c->curve), SPAN("P-384")));
	case KEY_FAMILY_ED25519:
		return true;
	case KEY_FAMILY_OTHER:
	case KEY_FAMILY_DSA:
		break;
	}
	return false;
}

static EVP_PKEY *
read_key(const struct request *q, struct err *err)
{
	struct cert c = {0}; /* only the part about the key is filled in */
	struct read whole = read_from(q->spki);
	const unsigned char *p = q->spki.p;

	if (!cert_read_spki(&c, der_take(&whole, DER_SEQUENCE)) || !key_is_ours(&c)) {
		err_set(err, ERR_PKI_CSR, "its key is of no kind we issue for");
		return NULL;
	}
	/* At most CLIENT_CSR_MAX octets. */
	AUTO(EVP_PKEY) *key = d2i_PUBKEY(NULL, &p, (long)q->spki.n);
	if (!key || key_kind_of(key) == KEY_OTHER) {
		ossl_err(err, ERR_PKI_CSR, "its key is not valid");
		return NULL;
	}
	return KEEP(key);
}

/* Proof of possession: who asks holds the private half. */
static bool
check_signature(const struct request *q, EVP_PKEY *key, struct err *err)
{
	const struct cert_sigalg *sig = cert_sigalg_find(q->algo);

	if (!sig || sig->weak) {
		return err_set(
			err, ERR_PKI_CSR, "it is signed with a method we refuse");
	}
	if (sig->family != key_pkey_family(key) ||
		!signature_verify(sig, key, q->info, q->signature)) {
		return err_set(err, ERR_PKI_CSR,
			"it is not signed by its own key: no proof of possession");
	}
	return true;
}

/* ---- the names ---- */

static bool
read_sans(struct client_csr *csr, struct span value, struct err *err)
{
	struct read whole = read_from(value);
	struct read list = der_take(&whole, DER_SEQUENCE);

	while (read_more(&list)) {
		struct der n = der_any(&list);
		if (csr->n_sans == CLIENT_SANS)
			return err_set(err, ERR_PKI_CSR, "over %d names", CLIENT_SANS);
		if (!client_san_text(n.tag, n.value.left, csr->sans[csr->n_sans])) {
			return err_set(err, ERR_PKI_CSR,
				"a name of a kind or form that we do not certify");
		}
		csr->n_sans++;
	}
	return (read_done(&list) && read_done(&whole)) ||
		err_set(err, ERR_PKI_CSR, "malformed names");
}

/* Other extensions ask for what is ours to say; they are read and not heeded. */
static bool
read_extensions(struct client_csr *csr, struct read list, struct err *err)
{
	unsigned seen = 0;

	for (unsigned n = 0; read_more(&list) && n < EXTENSIONS; n++) {
		struct read x = der_take(&list, DER_SEQUENCE);
		struct span oid = der_take(&x, DER_OID).left;
		(void)der_flag(&x);
		struct span value = der_take(&x, DER_OCTETS).left;
		if (!read_done(&x))
			return err_set(err, ERR_PKI_CSR, "a malformed extension");
		if (!span_eq(oid, oid_san))
			continue;
		if (seen++ > 0)
			return err_set(err, ERR_PKI_CSR, "names twice");
		if (!read_sans(csr, value, err))
			return false;
	}
	return read_done(&list) || err_set(err, ERR_PKI_CSR, "malformed extensions");
}

static bool
read_attributes(struct client_csr *csr, struct read all, struct err *err)
{
	bool seen = false;

	for (unsigned n = 0; read_more(&all) && n < ATTRIBUTES; n++) {
		struct read a = der_take(&all, DER_SEQUENCE);
		struct span oid = der_take(&a, DER_OID).left;
		struct read values = der_take(&a, DER_SET);
		if (!read_done(&a))
			return err_set(err, ERR_PKI_CSR, "a malformed attribute");
		if (!span_eq(oid, oid_extensions))
			continue; /* a challenge password and the like */
		struct read list = der_take(&values, DER_SEQUENCE);
		if (seen || !read_done(&values))
			return err_set(err, ERR_PKI_CSR, "extensions twice");
		seen = true;
		if (!read_extensions(csr, list, err))
			return false;
	}
	return read_done(&all) || err_set(err, ERR_PKI_CSR, "malformed attributes");
}

static bool
read_der(struct span der, struct client_csr *csr, struct err *err)
{
	struct request q = {0};

	if (der.n > CLIENT_CSR_MAX)
		return err_set(err, ERR_PKI_CSR, "%zu octets", der.n);
	if (!open_request(der, &q))
		return err_set(err, ERR_PKI_CSR, "malformed, %zu octets", der.n);
	csr->key = read_key(&q, err);
	if (!csr->key || !check_signature(&q, csr->key, err))
		return false;
	if (!client_name_text(q.name, csr->subject)) {
		return err_set(err, ERR_PKI_CSR,
			"its subject has attributes that we do not certify");
	}
	return read_attributes(csr, q.attributes, err);
}

/* "NEW CERTIFICATE REQUEST" is what older tools write. */
static bool
decode_pem(struct span text, uint8_t **der, long *n, struct err *err)
{
	AUTO(BIO) *bio = BIO_new_mem_buf(text.p, (int)text.n); /* bounded before */
	char *name = NULL;

	bool ok = bio &&
		PEM_bytes_read_bio(der, n, &name, PEM_STRING_X509_REQ, bio,
			ossl_no_passphrase, NULL) == 1;
	OPENSSL_free(name);
	return ok || ossl_err(err, ERR_PKI_CSR, "no request in PEM form");
}

bool
client_csr_read(struct span text, struct client_csr *out, struct err *err)
{
	AUTO_OCTETS *der = NULL;
	long n = 0;

	*out = (struct client_csr){0};
	if (text.n == 0 || text.n > (size_t)2 * CLIENT_CSR_MAX)
		return err_set(err, ERR_PKI_CSR, "%zu octets", text.n);
	if (text.p[0] != DER_SEQUENCE) {
		if (!decode_pem(text, &der, &n, err))
			return false;
		text = span_of(der, (size_t)n); /* of a PEM text: not negative */
	}
	if (read_der(text, out, err))
		return true;
	client_csr_fini(out);
	return false;
}

void
client_csr_fini(struct client_csr *csr)
{
	EVP_PKEY_free(csr->key);
	*csr = (struct client_csr){0};
}

bool
client_csr_make(EVP_PKEY *key, struct span subject, struct span *pem, struct err *err)
{
	AUTO(X509_REQ) *req = X509_REQ_new();
	AUTO(X509_NAME) *name = client_name_parse(subject, err);
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *p = NULL;

	if (!name)
		return false;
	if (!req || !bio || X509_REQ_set_subject_name(req, name) != 1 ||
		X509_REQ_set_pubkey(req, key) != 1 ||
		X509_REQ_sign(req, key, mint_digest(key)) <= 0 ||
		PEM_write_bio_X509_REQ(bio, req) != 1)
		return ossl_err(err, ERR_PKI_CSR, "making a request");
	long n = BIO_get_mem_data(bio, &p);
	*pem = (struct span){
		(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
	return true;
}
