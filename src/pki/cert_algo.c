// SPDX-License-Identifier: Apache-2.0
/*
 * cert_algo: the tables of signature methods and public keys that certificates name.
 */
#include <openssl/evp.h>

#include "pki/cert_priv.h"

// clang-format off
/* To add a method: its OID's contents, the key's family, the hash, whether it is weak. */
static const struct cert_sigalg sigalgs[] = {
	{"rsa-sha256", "SHA256WithRSA", SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), KEY_FAMILY_RSA, KEY_SHA256, false, false},
	{"rsa-sha384", "SHA384WithRSA", SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), KEY_FAMILY_RSA, KEY_SHA384, false, false},
	{"rsa-sha512", "SHA512WithRSA", SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), KEY_FAMILY_RSA, KEY_SHA512, false, false},
	{"ecdsa-sha256", "ECDSAWithSHA256", SPAN_INIT("\x2a\x86\x48\xce\x3d\x04\x03\x02"), KEY_FAMILY_EC, KEY_SHA256, false, false},
	{"ecdsa-sha384", "ECDSAWithSHA384", SPAN_INIT("\x2a\x86\x48\xce\x3d\x04\x03\x03"), KEY_FAMILY_EC, KEY_SHA384, false, false},
	{"ecdsa-sha512", "ECDSAWithSHA512", SPAN_INIT("\x2a\x86\x48\xce\x3d\x04\x03\x04"), KEY_FAMILY_EC, KEY_SHA512, false, false},
	{"ed25519", "Ed25519", SPAN_INIT("\x2b\x65\x70"), KEY_FAMILY_ED25519, KEY_HASH_NONE, false, false},
	{"rsa-md2", "MD2WithRSA", SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"), KEY_FAMILY_RSA, KEY_HASH_NONE, false, true},
	{"rsa-md4", "MD4WithRSA", SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x03"), KEY_FAMILY_RSA, KEY_HASH_NONE, false, true},
	{"rsa-md5", "MD5WithRSA", SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), KEY_FAMILY_RSA, KEY_HASH_NONE, false, true},
	{"rsa-sha1", "SHA1WithRSA", SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), KEY_FAMILY_RSA, KEY_SHA1, false, true},
	{"rsa-sha224", "SHA224WithRSA", SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"), KEY_FAMILY_RSA, KEY_SHA224, false, true},
	{"ecdsa-sha1", "ECDSAWithSHA1", SPAN_INIT("\x2a\x86\x48\xce\x3d\x04\x01"), KEY_FAMILY_EC, KEY_SHA1, false, true},
	{"ecdsa-sha224", "ECDSAWithSHA224", SPAN_INIT("\x2a\x86\x48\xce\x3d\x04\x03\x01"), KEY_FAMILY_EC, KEY_SHA224, false, true},
	{"dsa-sha1", "DSAWithSHA1", SPAN_INIT("\x2a\x86\x48\xce\x38\x04\x03"), KEY_FAMILY_DSA, KEY_SHA1, false, true},
	{"dsa-sha256", "DSAWithSHA256", SPAN_INIT("\x60\x86\x48\x01\x65\x03\x04\x03\x02"), KEY_FAMILY_DSA, KEY_SHA256, false, true},
};

/* RSASSA-PSS has its hash in the parameters (RFC 4055 §3.1); salt as long as the hash,
 * MGF1 with the same hash: the only forms met in public. */
static const struct {
	struct cert_sigalg alg;
	struct span hash; /* OID contents */
	uint32_t salt;
} pss[] = {
	{{"rsa-pss-sha256", "SHA256WithRSAPSS", SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), KEY_FAMILY_RSA, KEY_SHA256, true, false},
		SPAN_INIT("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), 32},
	{{"rsa-pss-sha384", "SHA384WithRSAPSS", SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), KEY_FAMILY_RSA, KEY_SHA384, true, false},
		SPAN_INIT("\x60\x86\x48\x01\x65\x03\x04\x02\x02"), 48},
	{{"rsa-pss-sha512", "SHA512WithRSAPSS", SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), KEY_FAMILY_RSA, KEY_SHA512, true, false},
		SPAN_INIT("\x60\x86\x48\x01\x65\x03\x04\x02\x03"), 64},
};
// clang-format on

static const struct span oid_mgf1 = SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08");

/* SEQUENCE { OID, NULL or nothing }: the OID, empty when it has other parameters. */
static struct span
read_plain_algorithm(struct read *r)
{
	struct read algo = der_take(r, DER_SEQUENCE);
	struct span oid = der_take(&algo, DER_OID).left;

	if (der_is(&algo, DER_NULL)) {
		struct read null = der_take(&algo, DER_NULL);
		if (null.left.n != 0)
			der_refuse(&algo);
	}
	if (!read_done(&algo))
		der_refuse(r);
	return r->bad ? (struct span){0} : oid;
}

static const struct cert_sigalg *
find_pss(struct read params)
{
	struct read p = der_take(&params, DER_SEQUENCE);
	struct read hash = der_take(&p, DER_EXPLICIT + 0);
	struct read mgf = der_take(&p, DER_EXPLICIT + 1);
	struct read salt = der_take(&p, DER_EXPLICIT + 2);
	struct span hash_oid = read_plain_algorithm(&hash);
	struct read mgf_algo = der_take(&mgf, DER_SEQUENCE);
	struct span mgf_oid = der_take(&mgf_algo, DER_OID).left;
	struct span mgf_hash = read_plain_algorithm(&mgf_algo);
	uint32_t octets = der_count(&salt, DER_INTEGER, 255);

	if (!read_done(&p) || !read_done(&params) || !read_done(&hash) ||
		!read_done(&mgf) || !read_done(&mgf_algo) || !read_done(&salt))
		return NULL;
	if (!span_eq(mgf_oid, oid_mgf1) || !span_eq(mgf_hash, hash_oid))
		return NULL;
	for (size_t i = 0; i < COUNT_OF(pss); i++) {
		if (span_eq(hash_oid, pss[i].hash) && octets == pss[i].salt)
			return &pss[i].alg;
	}
	return NULL;
}

const struct cert_sigalg *
cert_sigalg_find(struct span algo)
{
	struct read r = read_from(algo);
	struct read inside = der_take(&r, DER_SEQUENCE);
	struct span oid = der_take(&inside, DER_OID).left;

	if (span_eq(oid, pss[0].alg.oid))
		return find_pss(inside);

	struct read again = read_from(algo);
	oid = read_plain_algorithm(&again);
	for (size_t i = 0; oid.n > 0 && i < COUNT_OF(sigalgs); i++) {
		if (span_eq(oid, sigalgs[i].oid))
			return &sigalgs[i];
	}
	return NULL;
}

// clang-format off
static const struct {
	struct span oid;
	const char *name;
	unsigned bits;
} curves[] = {
	{SPAN_INIT("\x2a\x86\x48\xce\x3d\x03\x01\x07"), "P-256", 256},
	{SPAN_INIT("\x2b\x81\x04\x00\x22"), "P-384", 384},
	{SPAN_INIT("\x2b\x81\x04\x00\x23"), "P-521", 521},
	{SPAN_INIT("\x2a\x86\x48\xce\x3d\x03\x01\x01"), "P-192", 192},
	{SPAN_INIT("\x2b\x81\x04\x00\x21"), "P-224", 224},
	{SPAN_INIT("\x2b\x81\x04\x00\x0a"), "secp256k1", 256},
};

static const struct {
	struct span oid;
	enum key_family family;
} families[] = {
	{SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), KEY_FAMILY_RSA},
	{SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), KEY_FAMILY_RSA},
	{SPAN_INIT("\x2a\x86\x48\xce\x3d\x02\x01"), KEY_FAMILY_EC},
	{SPAN_INIT("\x2b\x65\x70"), KEY_FAMILY_ED25519},
	{SPAN_INIT("\x2a\x86\x48\xce\x38\x04\x01"), KEY_FAMILY_DSA},
};
// clang-format on

/* Bits of a positive INTEGER. */
static unsigned
count_bits(struct span i)
{
	size_t at = i.n > 0 && i.p[0] == 0 ? 1 : 0;
	unsigned bits = 0;

	if (at == i.n || (i.p[0] & 0x80) != 0 || i.n > 4096)
		return 0;
	for (unsigned top = i.p[at]; top != 0; top >>= 1)
		bits++;
	return bits + 8 * (unsigned)(i.n - at - 1);
}

/* RFC 8017 §A.1.1. */
static bool
read_rsa(struct cert *c)
{
	struct read r = read_from(c->key_bits);
	struct read seq = der_take(&r, DER_SEQUENCE);
	struct span n = der_integer(&seq);
	struct span e = der_integer(&seq);

	if (!read_done(&seq) || !read_done(&r))
		return false;
	c->bits = count_bits(n);
	unsigned e_bits = count_bits(e);
	for (size_t i = 0; e_bits > 0 && e_bits <= 64 && i < e.n; i++)
		c->exponent = c->exponent << 8 | e.p[i];
	return c->bits > 0 && e_bits > 0;
}

/* RFC 5480 §2.1.1: only named curves; a curve spelt out can be chosen by an attacker.
 */
static bool
read_ec(struct cert *c, struct read params)
{
	struct span oid = der_is(&params, DER_OID) ? der_take(&params, DER_OID).left
						   : (struct span){0};
	size_t octets = 0;

	for (size_t i = 0; i < COUNT_OF(curves); i++) {
		if (!span_eq(oid, curves[i].oid))
			continue;
		c->curve = curves[i].name;
		c->bits = curves[i].bits;
		octets = (curves[i].bits + 7) / 8;
	}
	if (!c->curve)
		return true; /* readable, but of no kind we accept */
	if (!read_done(&params) || c->key_bits.n == 0)
		return false;
	uint8_t form = c->key_bits.p[0];
	return form == 4 ? c->key_bits.n == 1 + 2 * octets
			 : (form == 2 || form == 3) && c->key_bits.n == 1 + octets;
}

bool
cert_read_spki(struct cert *c, struct read spki)
{
	unsigned unused = 0;
	struct read algo = der_take(&spki, DER_SEQUENCE);
	struct span oid = der_take(&algo, DER_OID).left;

	c->key_bits = der_bits(&spki, &unused);
	if (!read_done(&spki) || algo.bad || unused != 0)
		return false;
	for (size_t i = 0; i < COUNT_OF(families); i++) {
		if (span_eq(oid, families[i].oid))
			c->family = families[i].family;
	}
	switch (c->family) {
	case KEY_FAMILY_RSA:
		return read_rsa(c);
	case KEY_FAMILY_EC:
		return read_ec(c, algo);
	case KEY_FAMILY_ED25519:
		c->bits = 256;
		return c->key_bits.n == 32 && read_done(&algo);
	case KEY_FAMILY_DSA:
	case KEY_FAMILY_OTHER:
		break;
	}
	return true;
}
