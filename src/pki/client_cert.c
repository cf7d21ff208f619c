// SPDX-License-Identifier: Apache-2.0
#include "pki/client_cert.h"

#include "base/text.h"
#include "pki/ossl.h"

/* What a memory BIO holds, into the arena. */
static struct span
take(BIO *bio, struct arena *a)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);

	return n > 0 ? arena_copy(a, span_of(p, (size_t)n)) : (struct span){0};
}

static struct span
name_rfc2253(const X509_NAME *name, struct arena *a)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());

	if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0)
		return (struct span){0};
	return take(bio, a);
}

static struct span
name_legacy(const X509_NAME *name, struct arena *a)
{
	char *line = X509_NAME_oneline(name, NULL, 0);
	struct span s = line ? arena_copy(a, span_str(line)) : (struct span){0};

	OPENSSL_free(line);
	return s;
}

static struct span
date(const ASN1_TIME *t, struct arena *a)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());

	if (!bio || ASN1_TIME_print(bio, t) != 1)
		return (struct span){0};
	return take(bio, a);
}

static struct span
serial(const X509 *x, struct arena *a)
{
	AUTO(BIGNUM) *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *hex = n ? BN_bn2hex(n) : NULL;
	struct span s = hex ? arena_copy(a, span_str(hex)) : (struct span){0};

	OPENSSL_free(hex);
	return s;
}

static struct span
hex(struct span octets, bool upper, struct arena *a)
{
	char *dst = arena_alloc(a, 2 * octets.n + 1);
	struct text t = text_to(dst, 2 * octets.n + 1);

	text_put_hex(&t, octets, upper);
	return text_span(&t);
}

static size_t
base64_size(size_t n)
{
	return (n + 2) / 3 * 4;
}

/* A Byte Sequence of structured fields (RFC 8941 §3.3.5). */
static void
put_octets(struct text *t, struct span der)
{
	text_put(t, SPAN(":"));
	text_put_base64(t, der);
	text_put(t, SPAN(":"));
}

static void
describe_leaf_field(struct client_cert *out, struct span der, struct arena *a)
{
	size_t n = base64_size(der.n) + 2;

	out->rfc9440_too_large = n > CLIENT_CERT_RFC9440_MAX;
	if (out->rfc9440_too_large)
		return;
	struct text t = text_to(arena_alloc(a, n + 1), n + 1);
	put_octets(&t, der);
	out->text[CLIENT_CERT_RFC9440] = text_span(&t);
}

/* RFC 9440 §2.3: what the client sent behind its leaf, in that order. */
static void
describe_chain_field(
	struct client_cert *out, const struct chain *chain, struct arena *a)
{
	size_t n = 0;

	for (size_t i = 1; i < chain->n; i++)
		n += base64_size(chain->der[i].n) + 4;
	out->chain_too_large = n > CLIENT_CERT_CHAIN_MAX;
	if (out->chain_too_large || n == 0)
		return;
	struct text t = text_to(arena_alloc(a, n + 1), n + 1);
	for (size_t i = 1; i < chain->n; i++) {
		if (i > 1)
			text_put(&t, SPAN(", "));
		put_octets(&t, chain->der[i]);
	}
	out->text[CLIENT_CERT_CHAIN_RFC9440] = text_span(&t);
}

static void
describe_x509(struct client_cert *out, const X509 *x, struct arena *a)
{
	const X509_NAME *subject = X509_get_subject_name(x);
	const X509_NAME *issuer = X509_get_issuer_name(x);

	out->text[CLIENT_CERT_SUBJECT] = name_rfc2253(subject, a);
	out->text[CLIENT_CERT_ISSUER] = name_rfc2253(issuer, a);
	out->text[CLIENT_CERT_SUBJECT_LEGACY] = name_legacy(subject, a);
	out->text[CLIENT_CERT_ISSUER_LEGACY] = name_legacy(issuer, a);
	out->text[CLIENT_CERT_SERIAL] = serial(x, a);
	out->text[CLIENT_CERT_NOT_BEFORE] = date(X509_get0_notBefore(x), a);
	out->text[CLIENT_CERT_NOT_AFTER] = date(X509_get0_notAfter(x), a);
}

static void
describe_digests(
	struct client_cert *out, struct cert *c, const X509 *x, struct arena *a)
{
	uint8_t sha1[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	out->text[CLIENT_CERT_SHA256] = hex(span_of(c->sha256, CERT_HASH), false, a);
	if (X509_digest(x, EVP_sha1(), sha1, &n) == 1)
		out->text[CLIENT_CERT_SHA1] = hex(span_of(sha1, n), false, a);
	out->text[CLIENT_CERT_SKI] = hex(c->ski_key, true, a);
	out->text[CLIENT_CERT_ISSUER_SKI] = hex(c->aki_key, true, a);
}

/* The issuer as the verdict's path has it, else as the client sent it. */
static void
describe_issuer(struct client_cert *out, const struct chain *chain,
	const struct verdict *v, struct arena *a)
{
	struct err err = {0};
	struct cert *issuer = NULL;

	if (v && v->n_path > 1) {
		issuer = cert_get(v->path[1]);
	} else if (chain->n > 1) {
		issuer = cert_parse(chain->der[1], &err);
	}
	const X509 *x = issuer ? cert_x509(issuer, &err) : NULL;
	if (x) {
		out->text[CLIENT_CERT_ISSUER_SERIAL] = serial(x, a);
		if (issuer->ski_key.n > 0) {
			out->text[CLIENT_CERT_ISSUER_SKI] =
				hex(issuer->ski_key, true, a);
		}
	}
	cert_put(issuer);
}

void
client_cert_judge(struct client_cert *c, const struct verdict *v)
{
	const uint32_t revoked = 1u << VERDICT_REVOKED;

	c->revoked = v->class == VERDICT_REVOKED || (v->faults & revoked) != 0;
	c->verified = v->class == VERDICT_GOOD ||
		(v->class == VERDICT_REVOKED && (v->faults & ~revoked) == 0);
}

bool
client_cert_describe(struct client_cert *out, const struct chain *chain,
	const struct verdict *v, struct arena *a, struct err *err)
{
	struct client_cert made = {.presented = chain->n > 0};

	if (chain->n == 0) {
		*out = made;
		return true;
	}
	struct cert *c = cert_parse(chain->der[0], err);
	const X509 *x = c ? cert_x509(c, err) : NULL;
	if (x) {
		describe_x509(&made, x, a);
		describe_digests(&made, c, x, a);
		describe_issuer(&made, chain, v, a);
		describe_leaf_field(&made, chain->der[0], a);
		describe_chain_field(&made, chain, a);
		if (v)
			client_cert_judge(&made, v);
		*out = made;
	}
	cert_put(c);
	return x != NULL;
}
