// SPDX-License-Identifier: Apache-2.0
#include "pki/ocsp_serve.h"

#include <openssl/err.h>
#include <openssl/sha.h>

#include "base/mem.h"
#include "pki/cert.h"
#include "pki/mint_priv.h"
#include "pki/revoke_priv.h"

static const struct span oid_nonce = SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x30\x01\x02");

/* ---- the request ---- */

static bool
read_nonce(struct read value, struct span *nonce)
{
	/* An OCTET STRING within the one that every extension has (RFC 9654 §2.1). */
	*nonce = der_take(&value, DER_OCTETS).left;
	return read_done(&value) && nonce->n >= 1 && nonce->n <= OCSP_SERVE_NONCE;
}

/* Extensions nobody here knows must not be critical. */
static bool
read_extensions(struct read outer, struct span *nonce)
{
	struct read list = der_take(&outer, DER_SEQUENCE);

	while (read_more(&list)) {
		struct read x = der_take(&list, DER_SEQUENCE);
		struct span oid = der_take(&x, DER_OID).left;
		bool critical = der_flag(&x);
		struct read value = der_take(&x, DER_OCTETS);
		if (!read_done(&x))
			return false;
		if (nonce && span_eq(oid, oid_nonce)) {
			if (nonce->n > 0 || !read_nonce(value, nonce))
				return false;
		} else if (critical) {
			return false;
		}
	}
	return read_done(&list) && read_done(&outer);
}

/* CertID, checked to be one; the same octets go into the answer. */
static bool
is_id(struct span whole)
{
	struct read outer = read_from(whole);
	struct read id = der_take(&outer, DER_SEQUENCE);
	struct read algo = der_take(&id, DER_SEQUENCE);

	(void)der_take(&algo, DER_OID);
	if (der_is(&algo, DER_NULL))
		(void)der_take(&algo, DER_NULL);
	struct span name = der_take(&id, DER_OCTETS).left;
	struct span key = der_take(&id, DER_OCTETS).left;
	struct span serial = der_integer(&id);
	return read_done(&algo) && read_done(&id) && name.n > 0 && name.n <= 64 &&
		key.n > 0 && key.n <= 64 && serial.n > 0 && serial.n <= 64;
}

static bool
read_requests(struct read list, struct ocsp_serve_ask *a)
{
	while (read_more(&list)) {
		struct read one = der_take(&list, DER_SEQUENCE);
		struct span id = der_take_whole(&one, DER_SEQUENCE);
		if (der_is(&one, DER_EXPLICIT + 0) &&
			!read_extensions(der_take(&one, DER_EXPLICIT + 0), NULL))
			return false;
		if (!read_done(&one) || !is_id(id) || a->n == OCSP_SERVE_CERTS)
			return false;
		a->ids[a->n++] = id;
	}
	return read_done(&list) && a->n > 0;
}

/* TBSRequest. requestorName is nobody's business. */
static bool
read_tbs(struct read r, struct ocsp_serve_ask *a)
{
	if (der_is(&r, DER_EXPLICIT + 0)) {
		struct read version = der_take(&r, DER_EXPLICIT + 0);
		if (der_count(&version, DER_INTEGER, 0) != 0 || !read_done(&version))
			return false;
	}
	if (der_is(&r, DER_EXPLICIT + 1))
		(void)der_take(&r, DER_EXPLICIT + 1);
	if (!read_requests(der_take(&r, DER_SEQUENCE), a))
		return false;
	if (der_is(&r, DER_EXPLICIT + 2) &&
		!read_extensions(der_take(&r, DER_EXPLICIT + 2), &a->nonce))
		return false;
	return read_done(&r);
}

bool
ocsp_serve_read(struct span der, struct ocsp_serve_ask *out, struct err *err)
{
	struct ocsp_serve_ask a = {0};
	struct read whole = read_from(der);
	struct read r = der_take(&whole, DER_SEQUENCE);

	if (der.n > OCSP_SERVE_MAX)
		return err_set(err, ERR_PKI_OCSP, "%zu octets", der.n);
	bool ok = read_tbs(der_take(&r, DER_SEQUENCE), &a);
	/* A signed request is as good as another: RFC 6960 §4.1.2 lets us not care. */
	if (der_is(&r, DER_EXPLICIT + 0))
		(void)der_take(&r, DER_EXPLICIT + 0);
	if (!ok || !read_done(&r) || !read_done(&whole))
		return err_set(err, ERR_PKI_OCSP, "no request, %zu octets", der.n);
	*out = a;
	return true;
}

/* ---- who answers ---- */

struct ocsp_serve {
	struct identity *id; /* one reference */
	struct cert *ca;     /* one reference */
	uint8_t name_sha1[SHA_DIGEST_LENGTH];
	uint8_t key_sha1[SHA_DIGEST_LENGTH];
	uint8_t name_sha256[SHA256_DIGEST_LENGTH];
	uint8_t key_sha256[SHA256_DIGEST_LENGTH];
};

/* RFC 6960 §4.2.2.2: the authority itself, or whom it delegated this to directly. */
static bool
may_answer(struct cert *ca, const struct identity *id, struct err *err)
{
	struct cert *who = cert_from_x509(id->leaf, err);
	unsigned signatures = 0;

	if (!who)
		return false;
	bool itself = span_eq(who->der, ca->der);
	bool ok = itself ||
		((who->ekus & CERT_EKU_OCSP) &&
			cert_names_eq(who->issuer, ca->subject) &&
			signature_check(who, ca, &signatures));
	cert_put(who);
	return ok ||
		err_set(err, ERR_PKI_OCSP,
			"the certificate that is to answer was not delegated to");
}

struct ocsp_serve *
ocsp_serve_new(struct span ca_der, struct identity *id, struct err *err)
{
	struct cert *ca = cert_parse(ca_der, err);

	if (!ca)
		return NULL;
	if (!may_answer(ca, id, err)) {
		cert_put(ca);
		return NULL;
	}
	struct ocsp_serve *s = mem_alloc(sizeof *s);
	s->ca = ca;
	s->id = identity_get(id);
	SHA1(ca->subject.p, ca->subject.n, s->name_sha1);
	SHA1(ca->key_bits.p, ca->key_bits.n, s->key_sha1);
	SHA256(ca->subject.p, ca->subject.n, s->name_sha256);
	SHA256(ca->key_bits.p, ca->key_bits.n, s->key_sha256);
	return s;
}

void
ocsp_serve_free(struct ocsp_serve *s)
{
	if (!s)
		return;
	identity_put(s->id);
	cert_put(s->ca);
	mem_free(s);
}

/* Whether the CertID names this authority; *serial is then its certificate's number. */
static bool
is_ours(const struct ocsp_serve *s, struct span whole, struct span *serial)
{
	struct read outer = read_from(whole);
	struct read id = der_take(&outer, DER_SEQUENCE);
	struct read algo = der_take(&id, DER_SEQUENCE);
	struct span oid = der_take(&algo, DER_OID).left;
	struct span name = der_take(&id, DER_OCTETS).left;
	struct span key = der_take(&id, DER_OCTETS).left;

	*serial = der_take(&id, DER_INTEGER).left;
	if (span_eq(oid, SPAN("\x2b\x0e\x03\x02\x1a"))) {
		return span_eq(name, span_of(s->name_sha1, sizeof s->name_sha1)) &&
			span_eq(key, span_of(s->key_sha1, sizeof s->key_sha1));
	}
	return span_eq(oid, SPAN("\x60\x86\x48\x01\x65\x03\x04\x02\x01")) &&
		span_eq(name, span_of(s->name_sha256, sizeof s->name_sha256)) &&
		span_eq(key, span_of(s->key_sha256, sizeof s->key_sha256));
}

bool
ocsp_serve_knows(const struct ocsp_serve *s, const struct ocsp_serve_ask *ask)
{
	struct span serial;
	return is_ours(s, ask->ids[0], &serial);
}

/* ---- the answer ---- */

struct times {
	ASN1_TIME *this_update; /* owned, as all */
	ASN1_TIME *next_update;
};

static bool
add_status(OCSP_BASICRESP *basic, OCSP_CERTID *id, const struct client_status_row *row,
	const struct times *t)
{
	AUTO(ASN1_TIME) *revoked_at = NULL;
	int status = V_OCSP_CERTSTATUS_UNKNOWN;

	if (row && row->state == CLIENT_GOOD)
		status = V_OCSP_CERTSTATUS_GOOD;
	if (row && row->state == CLIENT_REVOKED) {
		status = V_OCSP_CERTSTATUS_REVOKED;
		revoked_at = ASN1_TIME_new();
		if (!revoked_at || !mint_set_time(revoked_at, row->revoked_at))
			return false;
	}
	/* No reason is written for "unspecified". */
	int reason =
		row && row->reason > 0 ? row->reason : OCSP_REVOKED_STATUS_NOSTATUS;
	return OCSP_basic_add1_status(basic, id, status, reason, revoked_at,
		       t->this_update, t->next_update) != NULL;
}

static bool
add_one(const struct ocsp_serve *s, OCSP_BASICRESP *basic, struct span whole,
	const struct client_status *status, const struct times *t)
{
	const unsigned char *p = whole.p;
	AUTO(OCSP_CERTID) *id = d2i_OCSP_CERTID(NULL, &p, (long)whole.n);
	struct client_status_row row;
	struct span serial;
	bool found =
		is_ours(s, whole, &serial) && client_status_find(status, serial, &row);

	return id && add_status(basic, id, found ? &row : NULL, t);
}

static bool
add_all(const struct ocsp_serve *s, OCSP_BASICRESP *basic,
	const struct ocsp_serve_ask *ask, const struct client_status *status,
	int64_t now)
{
	AUTO(ASN1_TIME) *this_update = ASN1_TIME_new();
	AUTO(ASN1_TIME) *next_update = ASN1_TIME_new();
	const struct times t = {this_update, next_update};

	if (!this_update || !next_update || !mint_set_time(this_update, now) ||
		!mint_set_time(next_update, now + OCSP_SERVE_LIFE_S))
		return false;
	for (size_t i = 0; i < ask->n; i++) {
		if (!add_one(s, basic, ask->ids[i], status, &t))
			return false;
	}
	/* OpenSSL writes the octets; it wants them writable and only reads them. */
	return ask->nonce.n == 0 ||
		OCSP_basic_add1_nonce(basic, (unsigned char *)(uintptr_t)ask->nonce.p,
			(int)ask->nonce.n) == 1;
}

static bool
encode(OCSP_BASICRESP *basic, struct span *der)
{
	AUTO(OCSP_RESPONSE) *response =
		OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	AUTO_OCTETS *p = NULL;
	int n = response ? i2d_OCSP_RESPONSE(response, &p) : -1;

	if (n <= 0)
		return false;
	*der = (struct span){
		(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
	return true;
}

enum ocsp_serve_status
ocsp_serve_answer(struct ocsp_serve *s, const struct ocsp_serve_ask *ask,
	const struct client_status *status, int64_t now, struct span *der)
{
	AUTO(OCSP_BASICRESP) *basic = OCSP_BASICRESP_new();

	if (!ocsp_serve_knows(s, ask))
		return OCSP_SERVE_UNAUTHORIZED;
	/* By key: shorter, and unambiguous where two have one name (RFC 5019 §2.2.1).
	 */
	bool ok = basic && add_all(s, basic, ask, status, now) &&
		OCSP_basic_sign(basic, s->id->leaf, s->id->key, mint_digest(s->id->key),
			NULL, OCSP_RESPID_KEY) == 1 &&
		encode(basic, der);
	ERR_clear_error();
	return ok ? OCSP_SERVE_DONE : OCSP_SERVE_INTERNAL;
}

struct span
ocsp_serve_error(enum ocsp_serve_status status, uint8_t dst[OCSP_SERVE_ERROR])
{
	const uint8_t octets[OCSP_SERVE_ERROR] = {
		DER_SEQUENCE, 3, DER_ENUMERATED, 1, (uint8_t)status};

	for (size_t i = 0; i < OCSP_SERVE_ERROR; i++)
		dst[i] = octets[i];
	return span_of(dst, OCSP_SERVE_ERROR);
}
