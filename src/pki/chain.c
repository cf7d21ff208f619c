// SPDX-License-Identifier: Apache-2.0
#include "pki/chain.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/read.h"
#include "pki/der.h"

enum {
	PEM_MAX = 2 * CHAIN_BYTES, /* base64 costs a third; texts between are common */
	WIRE_LENGTH = 3,
};

void
chain_init(struct chain *c)
{
	*c = (struct chain){0};
}

void
chain_fini(struct chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		mem_free((void *)(uintptr_t)c->der[i].p);
	chain_init(c);
}

bool
chain_add(struct chain *c, struct span der, struct err *err)
{
	if (c->n == CHAIN_MAX) {
		return err_set(
			err, ERR_PKI_CHAIN, "more than %d certificates", CHAIN_MAX);
	}
	if (der.n == 0 || der.n > CHAIN_BYTES - c->bytes) {
		return err_set(err, ERR_PKI_CHAIN,
			"a certificate of %zu octets behind %zu", der.n, c->bytes);
	}

	uint8_t *copy = mem_alloc(der.n);
	for (size_t i = 0; i < der.n; i++)
		copy[i] = der.p[i];
	c->der[c->n++] = (struct span){copy, der.n};
	c->bytes += der.n;
	return true;
}

/* Forgets the certificates from index n on. */
static void
cut_to(struct chain *c, size_t n)
{
	while (c->n > n) {
		c->n--;
		c->bytes -= c->der[c->n].n;
		mem_free((void *)(uintptr_t)c->der[c->n].p);
	}
}

bool
chain_add_all(struct chain *c, const struct chain *from, struct err *err)
{
	size_t before = c->n;

	for (size_t i = 0; i < from->n; i++) {
		if (!chain_add(c, from->der[i], err)) {
			cut_to(c, before);
			return false;
		}
	}
	return true;
}

/* True with *done when the text is at its end. */
static bool
add_next_pem(struct chain *c, BIO *bio, bool *done, struct err *err)
{
	char *name = NULL;
	char *header = NULL;
	unsigned char *der = NULL;
	long n = 0;
	bool ok = true;

	if (PEM_read_bio(bio, &name, &header, &der, &n) != 1) {
		unsigned long e = ERR_peek_last_error();
		*done = ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
		if (*done)
			ERR_clear_error();
		return *done || ossl_err(err, ERR_PKI_CHAIN, "PEM text");
	}
	bool is_cert = span_eq(span_str(name), SPAN("CERTIFICATE")) ||
		span_eq(span_str(name), SPAN("X509 CERTIFICATE"));
	if (is_cert)
		ok = n > 0 && chain_add(c, span_of(der, (size_t)n), err);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0); /* it may be a key */
	return ok;
}

static bool
add_pem(struct chain *c, struct span text, struct err *err)
{
	AUTO(BIO) *bio = BIO_new_mem_buf(text.p, (int)text.n);
	bool done = false;

	if (!bio)
		return ossl_err(err, ERR_PKI_CHAIN, "PEM text");
	while (!done) {
		if (!add_next_pem(c, bio, &done, err))
			return false;
	}
	return true;
}

bool
chain_add_text(struct chain *c, struct span text, struct err *err)
{
	size_t before = c->n;

	if (text.n > PEM_MAX)
		return err_set(err, ERR_PKI_CHAIN, "%zu octets of text", text.n);
	if (text.n > 0 && text.p[0] == 0x30)
		return chain_add(c, text, err);
	if (!add_pem(c, text, err)) {
		cut_to(c, before);
		return false;
	}
	return c->n > before || err_set(err, ERR_PKI_CHAIN, "no certificate in it");
}

/* ContentInfo { SignedData { version, algorithms, content, [0] certificates … } }. */
static bool
add_cms(struct chain *c, struct read info, struct err *err)
{
	static const struct span signed_data =
		SPAN_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02");
	size_t before = c->n;
	struct span kind = der_take(&info, DER_OID).left;
	struct read outer = der_take(&info, DER_EXPLICIT + 0);
	struct read data = der_take(&outer, DER_SEQUENCE);
	(void)der_take(&data, DER_INTEGER);
	(void)der_take(&data, DER_SET);
	(void)der_take(&data, DER_SEQUENCE);
	struct read certs = der_take(&data, DER_EXPLICIT + 0);

	if (!span_eq(kind, signed_data) || certs.bad)
		return err_set(err, ERR_PKI_CHAIN, "a message without certificates");
	while (read_more(&certs)) {
		struct span der = der_take_whole(&certs, DER_SEQUENCE);
		if (certs.bad || !chain_add(c, der, err))
			break;
	}
	if (read_done(&certs) && c->n > before)
		return true;
	cut_to(c, before);
	return err_set(err, ERR_PKI_CHAIN, "a message of malformed certificates");
}

bool
chain_add_issuers(struct chain *c, struct span body, struct err *err)
{
	struct read whole = read_from(body);
	struct read inner =
		der_is(&whole, DER_SEQUENCE) ? der_take(&whole, DER_SEQUENCE) : whole;

	if (body.n > 0 && body.p[0] == 0x30 && der_is(&inner, DER_OID))
		return add_cms(c, inner, err);
	return chain_add_text(c, body, err);
}

bool
chain_load(struct chain *c, const char *path, struct err *err)
{
	struct span text = {0};

	if (!file_read(path, PEM_MAX, &text, err))
		return false;
	bool ok = chain_add_text(c, text, err);
	mem_free((void *)(uintptr_t)text.p);
	return ok || err_within(err, "%s", path);
}

static bool
add_x509(struct chain *c, const X509 *x, struct err *err)
{
	AUTO_OCTETS *der = NULL;
	int n = i2d_X509(x, &der);

	if (n <= 0)
		return ossl_err(err, ERR_PKI_CHAIN, "encoding a certificate");
	return chain_add(c, span_of(der, (size_t)n), err);
}

bool
chain_from_x509(
	struct chain *c, const X509 *leaf, const STACK_OF(X509) * rest, struct err *err)
{
	size_t before = c->n;
	bool ok = !leaf || add_x509(c, leaf, err);

	for (int i = 0; ok && rest && i < sk_X509_num(rest); i++)
		ok = add_x509(c, sk_X509_value(rest, i), err);
	if (!ok)
		cut_to(c, before);
	return ok;
}

STACK_OF(X509) * chain_to_x509(const struct chain *c, size_t from, struct err *err)
{
	AUTO_CERTS *list = sk_X509_new_null();

	for (size_t i = from; list && i < c->n; i++) {
		const uint8_t *p = c->der[i].p;
		AUTO(X509) *x = d2i_X509(NULL, &p, (long)c->der[i].n);
		if (!x || sk_X509_push(list, x) == 0) {
			ossl_err(err, ERR_PKI_CHAIN, "certificate %zu", i + 1);
			return NULL;
		}
		(void)KEEP(x); /* list owns it now */
	}
	return KEEP(list);
}

size_t
chain_wire_size(const struct chain *c)
{
	return c->bytes + c->n * WIRE_LENGTH;
}

bool
chain_write(const struct chain *c, uint8_t *dst, size_t cap, size_t *n)
{
	struct write w = write_to(dst, cap);

	for (size_t i = 0; i < c->n; i++) {
		write_be(
			&w, (uint32_t)c->der[i].n, WIRE_LENGTH); /* under CHAIN_BYTES */
		write_span(&w, c->der[i]);
	}
	if (w.bad)
		return false;
	*n = w.n;
	return true;
}

bool
chain_read(struct chain *c, struct span wire, struct err *err)
{
	struct read r = read_from(wire);
	size_t before = c->n;

	while (read_more(&r)) {
		struct read der = read_vec(&r, WIRE_LENGTH);
		if (r.bad)
			break;
		if (!chain_add(c, der.left, err)) {
			cut_to(c, before);
			return false;
		}
	}
	if (read_done(&r))
		return true;
	cut_to(c, before);
	return err_set(err, ERR_PKI_CHAIN, "malformed list of %zu octets", wire.n);
}
