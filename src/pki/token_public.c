// SPDX-License-Identifier: Apache-2.0
/*
 * token_public: the public half of a key in a token.
 *
 * RSA's is among the private key's own attributes; a point is with the public key of
 * the same CKA_ID, or only in a certificate. Either way it is written as a
 * SubjectPublicKeyInfo and read by the one reader there is.
 */
#include <string.h>

#include "base/mem.h"
#include "pki/der_write.h"
#include "pki/token_priv.h"

enum {
	VALUE_MOST = 8192, /* of an attribute: a certificate */
	SPKI_MOST = 4096,
	ID_MOST = 255,
};

struct value {
	uint8_t bytes[VALUE_MOST];
	size_t n;
};

static bool
read_value(const struct token_slot *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
	struct value *out)
{
	CK_ATTRIBUTE a = {type, out->bytes, sizeof(out->bytes)};
	CK_RV rv = s->module->f->C_GetAttributeValue(s->session, object, &a, 1);

	out->n = 0;
	if (rv != CKR_OK || a.ulValueLen == CK_UNAVAILABLE_INFORMATION ||
		a.ulValueLen > sizeof(out->bytes))
		return false;
	out->n = a.ulValueLen;
	return out->n > 0;
}

/* The object of a class that belongs to the same key, by CKA_ID. */
static bool
find_partner(const struct token_slot *s, CK_OBJECT_HANDLE key, CK_OBJECT_CLASS class,
	CK_OBJECT_HANDLE *out)
{
	uint8_t id[ID_MOST];
	CK_ATTRIBUTE has = {CKA_ID, id, sizeof(id)};
	const CK_FUNCTION_LIST *f = s->module->f;
	CK_ULONG n = 0;

	if (f->C_GetAttributeValue(s->session, key, &has, 1) != CKR_OK ||
		has.ulValueLen == 0 || has.ulValueLen > sizeof(id))
		return false;
	CK_ATTRIBUTE want[] = {
		{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, id, has.ulValueLen}};
	if (f->C_FindObjectsInit(s->session, want, 2) != CKR_OK)
		return false;
	CK_RV rv = f->C_FindObjects(s->session, out, 1, &n);
	(void)f->C_FindObjectsFinal(s->session);
	return rv == CKR_OK && n == 1;
}

/* ---- writing, from the end to the beginning ---- */

static EVP_PKEY *
finish(struct der_write *w, size_t end)
{
	der_wrap(w, DER_SEQUENCE, end);

	struct span der = der_written(w);
	const uint8_t *p = der.p;

	return der.n > 0 ? d2i_PUBKEY(NULL, &p, (long)der.n) : NULL;
}

static void
put_bits(struct der_write *w, size_t mark)
{
	der_put_octet(w, 0); /* no unused bits */
	der_wrap(w, DER_BITS, mark);
}

static void
put_number(struct der_write *w, struct span number)
{
	size_t mark = der_mark(w);

	while (number.n > 1 && number.p[0] == 0)
		number = span_from(number, 1);
	der_put(w, number);
	if (number.n > 0 && (number.p[0] & 0x80))
		der_put_octet(w, 0);
	der_wrap(w, DER_INTEGER, mark);
}

static EVP_PKEY *
make_rsa(struct span modulus, struct span exponent)
{
	static const uint8_t algorithm[] = {0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86,
		0xf7, 0x0d, 1, 1, 1, 5, 0}; /* rsaEncryption, NULL */
	uint8_t mem[SPKI_MOST];
	struct der_write w = der_write_to(mem, sizeof(mem));
	size_t end = der_mark(&w);

	put_number(&w, exponent);
	put_number(&w, modulus);
	der_wrap(&w, DER_SEQUENCE, end);
	put_bits(&w, end);
	der_put(&w, span_of(algorithm, sizeof(algorithm)));
	return finish(&w, end);
}

/* params is a curve's identifier as the token has it. */
static EVP_PKEY *
make_ec(struct span params, struct span point)
{
	static const uint8_t oid[] = {
		6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1}; /* id-ecPublicKey */
	uint8_t mem[SPKI_MOST];
	struct der_write w = der_write_to(mem, sizeof(mem));
	size_t end = der_mark(&w);

	der_put(&w, point);
	put_bits(&w, end);
	size_t algorithm = der_mark(&w);
	der_put(&w, params);
	der_put(&w, span_of(oid, sizeof(oid)));
	der_wrap(&w, DER_SEQUENCE, algorithm);
	return finish(&w, end);
}

static EVP_PKEY *
make_ed25519(struct span point)
{
	static const uint8_t algorithm[] = {0x30, 5, 6, 3, 0x2b, 0x65, 0x70};
	uint8_t mem[SPKI_MOST];
	struct der_write w = der_write_to(mem, sizeof(mem));
	size_t end = der_mark(&w);

	der_put(&w, point);
	put_bits(&w, end);
	der_put(&w, span_of(algorithm, sizeof(algorithm)));
	return finish(&w, end);
}

/* ---- reading ---- */

/* Within an OCTET STRING, as the standard wants it; some tokens give it bare. */
static struct span
unwrap_point(const struct value *v)
{
	struct span bare = span_of(v->bytes, v->n);
	size_t n = v->n;

	if (n > 2 && v->bytes[0] == DER_OCTETS && v->bytes[1] == n - 2)
		return span_from(bare, 2);
	if (n > 3 && v->bytes[0] == DER_OCTETS && v->bytes[1] == 0x81 &&
		v->bytes[2] == n - 3)
		return span_from(bare, 3);
	return bare;
}

static EVP_PKEY *
from_certificate(const struct token_slot *s, CK_OBJECT_HANDLE key, struct value *v)
{
	CK_OBJECT_HANDLE object = 0;

	if (!find_partner(s, key, CKO_CERTIFICATE, &object) ||
		!read_value(s, object, CKA_VALUE, v))
		return NULL;

	const uint8_t *p = v->bytes;
	AUTO(X509) *x = d2i_X509(NULL, &p, (long)v->n); /* at most VALUE_MOST */

	return x ? X509_get_pubkey(x) : NULL;
}

static EVP_PKEY *
read_rsa(const struct token_slot *s, CK_OBJECT_HANDLE key, struct value v[2])
{
	if (!read_value(s, key, CKA_MODULUS, &v[0]) ||
		!read_value(s, key, CKA_PUBLIC_EXPONENT, &v[1]))
		return NULL;
	return make_rsa(span_of(v[0].bytes, v[0].n), span_of(v[1].bytes, v[1].n));
}

static EVP_PKEY *
read_point(const struct token_slot *s, CK_OBJECT_HANDLE key, bool is_edwards,
	struct value v[2])
{
	CK_OBJECT_HANDLE object = key;

	if (!find_partner(s, key, CKO_PUBLIC_KEY, &object))
		object = key; /* some give the point there */
	if (!read_value(s, object, CKA_EC_POINT, &v[1]))
		return NULL;
	if (is_edwards)
		return make_ed25519(unwrap_point(&v[1]));
	if (!read_value(s, key, CKA_EC_PARAMS, &v[0]))
		return NULL;
	return make_ec(span_of(v[0].bytes, v[0].n), unwrap_point(&v[1]));
}

EVP_PKEY *
token_read_public(const struct token_slot *s, CK_OBJECT_HANDLE key, struct err *err)
{
	CK_KEY_TYPE type = 0;
	CK_ATTRIBUTE a = {CKA_KEY_TYPE, &type, sizeof(type)};
	struct value *v = mem_array(2, sizeof(*v));
	EVP_PKEY *pub = NULL;

	if (s->module->f->C_GetAttributeValue(s->session, key, &a, 1) != CKR_OK)
		type = CK_UNAVAILABLE_INFORMATION;
	if (type == CKK_RSA)
		pub = read_rsa(s, key, v);
	if (type == CKK_EC || type == CKK_EC_EDWARDS)
		pub = read_point(s, key, type == CKK_EC_EDWARDS, v);
	if (!pub)
		pub = from_certificate(s, key, &v[0]);
	mem_free(v);
	if (!pub) {
		ossl_err(err, ERR_PKI_TOKEN,
			"its public half is not in the token (type 0x%lx)", type);
	}
	return pub;
}
