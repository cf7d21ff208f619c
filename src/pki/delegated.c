// SPDX-License-Identifier: Apache-2.0
#include "pki/delegated.h"

#include <string.h>

#include "base/mem.h"
#include "base/read.h"

enum { BLANKS = 64, SIGNATURE_MOST = 0xffff };

/* RFC 8446 §4.2.3. RSA keys of rsaEncryption sign with PSS (RFC 9345 §4.1.3). */
enum {
	ECDSA_P256 = 0x0403,
	ECDSA_P384 = 0x0503,
	ECDSA_P521 = 0x0603,
	RSA_PSS_SHA256 = 0x0804,
	ED25519 = 0x0807,
};

static const char context[] = "TLS, server delegated credentials"; /* and its NUL */

/* §4.2: id-pe-delegationUsage, whose value is NULL. */
static bool
allows_delegation(struct cert *c, struct err *err)
{
	static const char oid[] = "1.3.6.1.4.1.44363.44";
	const X509 *x = cert_x509(c, err);
	ASN1_OBJECT *name = OBJ_txt2obj(oid, 1);
	int at = x && name ? X509_get_ext_by_OBJ(x, name, -1) : -1;

	ASN1_OBJECT_free(name);
	if (!x)
		return false;
	if (at < 0) {
		return err_set(err, ERR_PKI_DELEGATED,
			"the certificate has no DelegationUsage extension");
	}
	return (c->key_usage & CERT_DIGITAL_SIGNATURE) != 0 ||
		err_set(err, ERR_PKI_DELEGATED,
			"the certificate's keyUsage lacks digitalSignature");
}

static bool
check_times(const struct delegated_wish *w, struct err *err)
{
	int64_t until = w->now + w->valid_s;

	if (w->valid_s == 0 || w->valid_s > DELEGATED_MOST_S)
		return err_set(err, ERR_PKI_DELEGATED, "valid for 7 days at most");
	if (w->now < w->cert->not_before || until > w->cert->not_after) {
		return err_set(err, ERR_PKI_DELEGATED,
			"the certificate is not valid for so long");
	}
	return until - w->cert->not_before <= UINT32_MAX ||
		err_set(err, ERR_PKI_DELEGATED, "the certificate is too old");
}

static uint16_t
scheme_of_key(enum key_kind kind)
{
	switch (kind) {
	case KEY_P256:
		return ECDSA_P256;
	case KEY_P384:
		return ECDSA_P384;
	case KEY_ED25519:
		return ED25519;
	case KEY_OTHER:
	case KEY_RSA2048:
	case KEY_RSA3072:
	case KEY_RSA4096:
		break;
	}
	return 0;
}

/* How the certificate's key signs. */
static bool
choose_algorithm(const struct cert *c, struct delegated *d, struct err *err)
{
	static const struct {
		unsigned bits;
		uint16_t algorithm;
		enum key_hash hash;
	} curves[] = {{256, ECDSA_P256, KEY_SHA256}, {384, ECDSA_P384, KEY_SHA384},
		{521, ECDSA_P521, KEY_SHA512}};

	if (c->family == KEY_FAMILY_RSA) {
		d->algorithm = RSA_PSS_SHA256;
		d->hash = KEY_SHA256;
	} else if (c->family == KEY_FAMILY_ED25519) {
		d->algorithm = ED25519;
		d->hash = KEY_HASH_NONE;
	}
	for (size_t i = 0; c->family == KEY_FAMILY_EC && i < COUNT_OF(curves); i++) {
		if (c->bits == curves[i].bits) {
			d->algorithm = curves[i].algorithm;
			d->hash = curves[i].hash;
		}
	}
	return d->algorithm != 0 ||
		err_set(err, ERR_PKI_DELEGATED, "no key server signs with such a key");
}

/* RFC 9345 §4: blanks, context, zero, certificate, cred, algorithm. */
static void
write_tbs(struct write *w, const struct delegated_wish *wish, struct span spki,
	uint16_t algorithm)
{
	uint8_t blanks[BLANKS];

	memset(blanks, ' ', sizeof(blanks));
	write_span(w, span_of(blanks, sizeof(blanks)));
	write_span(w, span_of(context, sizeof(context)));
	write_span(w, wish->cert->der);
	write_be(w, (uint32_t)(wish->now + wish->valid_s - wish->cert->not_before),
		4); /* check_times() saw that it fits */
	write_be(w, scheme_of_key(key_kind_of(wish->key)), 2);
	size_t mark = write_open(w, 3);
	write_span(w, spki);
	write_close(w, mark, 3);
	write_be(w, algorithm, 2);
}

bool
delegated_begin(
	const struct delegated_wish *wish, struct delegated *out, struct err *err)
{
	struct delegated d = {0};
	struct span spki = {0};

	if (scheme_of_key(key_kind_of(wish->key)) == 0) {
		return err_set(err, ERR_PKI_DELEGATED,
			"a credential's key is P-256, P-384 or Ed25519");
	}
	if (!allows_delegation(wish->cert, err) || !check_times(wish, err) ||
		!choose_algorithm(wish->cert, &d, err) ||
		!key_spki(wish->key, &spki, err))
		return false;
	size_t cred = 4 + 2 + 3 + spki.n;
	size_t room = DELEGATED_LABEL + wish->cert->der.n + cred + 2; /* CERT_MAX */
	uint8_t *bytes = mem_alloc(room);
	struct write w = write_to(bytes, room);
	write_tbs(&w, wish, spki, d.algorithm);
	mem_free((void *)(uintptr_t)spki.p);
	d.tbs = write_done(&w);
	d.cred = span_of(d.tbs.p + d.tbs.n - 2 - cred, cred);
	*out = d;
	return true;
}

bool
delegated_finish(const struct delegated *d, struct span signature, struct span *out,
	struct err *err)
{
	size_t n = d->cred.n + 2 + 2 + signature.n;

	if (signature.n == 0 || signature.n > SIGNATURE_MOST)
		return err_set(err, ERR_PKI_DELEGATED, "there is no signature");
	struct write w = write_to(mem_alloc(n), n);
	write_span(&w, d->cred);
	write_be(&w, d->algorithm, 2);
	write_be(&w, (uint32_t)signature.n, 2);
	write_span(&w, signature);
	*out = write_done(&w);
	return true;
}

void
delegated_fini(struct delegated *d)
{
	mem_free((void *)(uintptr_t)d->tbs.p);
	*d = (struct delegated){0};
}
