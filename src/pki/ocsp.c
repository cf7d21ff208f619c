// SPDX-License-Identifier: Apache-2.0
/*
 * ocsp: what a response proves about one certificate (RFC 6960 §3.2, §4.2).
 */
#include <openssl/sha.h>

#include "base/mem.h"
#include "pki/revoke_priv.h"

enum {
	DAY_S = 86400,
	RESPONSES = 32,
	DELEGATES = 4,
	RSA_LEAST = 2048,
	LONGEST_S = 31 * DAY_S, /* an answer counts no longer, whatever it says */
};

/* BasicOCSPResponse, opened. */
struct basic {
	struct span tbs;
	const struct cert_sigalg *sig;
	struct span signature;
	struct read delegates; /* certificates sent along */
	unsigned responder_tag;
	struct span responder; /* Name element, or SHA-1 of the key */
	struct read responses;
};

/* Extensions nobody here knows must not be critical. */
static bool
has_critical(struct read outer)
{
	struct read list = der_take(&outer, DER_SEQUENCE);

	while (read_more(&list)) {
		struct read x = der_take(&list, DER_SEQUENCE);
		(void)der_take(&x, DER_OID);
		if (der_flag(&x) || x.bad)
			return true;
	}
	return list.bad;
}

static bool
open_data(struct basic *b)
{
	struct read whole = read_from(b->tbs);
	struct read r = der_take(&whole, DER_SEQUENCE);

	if (der_is(&r, DER_EXPLICIT + 0))
		(void)der_take(&r, DER_EXPLICIT + 0); /* version 1 written out */
	struct der id = der_any(&r);
	b->responder_tag = id.tag;
	if (id.tag == DER_EXPLICIT + 1) {
		b->responder = der_take_whole(&id.value, DER_SEQUENCE);
	} else if (id.tag == DER_EXPLICIT + 2) {
		b->responder = der_take(&id.value, DER_OCTETS).left;
	}
	(void)der_time(&r);
	b->responses = der_take(&r, DER_SEQUENCE);
	if (der_is(&r, DER_EXPLICIT + 1) &&
		has_critical(der_take(&r, DER_EXPLICIT + 1)))
		return false;
	return read_done(&r) && b->responder.n > 0;
}

static bool
open_basic(struct span octets, struct basic *b)
{
	struct read whole = read_from(octets);
	struct read r = der_take(&whole, DER_SEQUENCE);
	unsigned unused = 0;

	b->tbs = der_take_whole(&r, DER_SEQUENCE);
	b->sig = cert_sigalg_find(der_take_whole(&r, DER_SEQUENCE));
	b->signature = der_bits(&r, &unused);
	if (der_is(&r, DER_EXPLICIT + 0)) {
		struct read outer = der_take(&r, DER_EXPLICIT + 0);
		b->delegates = der_take(&outer, DER_SEQUENCE);
	}
	return read_done(&r) && read_done(&whole) && unused == 0 && b->sig &&
		!b->sig->weak && open_data(b);
}

static bool
open_response(struct span response, struct basic *b, struct err *err)
{
	static const struct span basic_oid =
		SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x30\x01\x01");
	struct read whole = read_from(response);
	struct read r = der_take(&whole, DER_SEQUENCE);
	uint32_t status = der_count(&r, DER_ENUMERATED, 255);

	if (!r.bad && status != 0) {
		return err_set(
			err, ERR_PKI_OCSP, "the responder answers status %u", status);
	}
	struct read outer = der_take(&r, DER_EXPLICIT + 0);
	struct read bytes = der_take(&outer, DER_SEQUENCE);
	struct span oid = der_take(&bytes, DER_OID).left;
	struct span octets = der_take(&bytes, DER_OCTETS).left;
	if (!read_done(&bytes) || !read_done(&r) || !read_done(&whole) ||
		!span_eq(oid, basic_oid) || !open_basic(octets, b))
		return err_set(err, ERR_PKI_OCSP, "malformed, %zu octets", response.n);
	return true;
}

static bool
is_responder(const struct basic *b, const struct cert *c)
{
	uint8_t hash[SHA_DIGEST_LENGTH];

	if (b->responder_tag == DER_EXPLICIT + 1)
		return cert_names_eq(b->responder, c->subject);
	SHA1(c->key_bits.p, c->key_bits.n, hash);
	return span_eq(b->responder, span_of(hash, sizeof hash));
}

static bool
is_signed_by(const struct basic *b, struct cert *signer)
{
	struct err ignored = {0};
	EVP_PKEY *key = cert_key(signer, &ignored);

	return key && b->sig->family == signer->family &&
		signature_verify(b->sig, key, b->tbs, b->signature);
}

/* RFC 6960 §4.2.2.2: issued by the same authority, for this use. */
static bool
is_delegate(struct cert *d, struct cert *issuer, int64_t when)
{
	unsigned signatures = 0;

	if (d->usage.present && !(d->key_usage & CERT_DIGITAL_SIGNATURE))
		return false;
	if (d->family == KEY_FAMILY_RSA && d->bits < RSA_LEAST)
		return false;
	return (d->ekus & CERT_EKU_OCSP) && !d->fault[0] && !d->has_unknown_critical &&
		cert_names_eq(d->issuer, issuer->subject) && when >= d->not_before &&
		when <= d->not_after && d->sig && !d->sig->weak &&
		signature_check(d, issuer, &signatures);
}

/* By the issuer's own key, or by a delegate's: then not longer than it lives. */
static bool
is_proven(const struct basic *b, struct cert *issuer, struct ocsp_answer *a)
{
	struct read certs = b->delegates;
	struct err ignored = {0};

	if (is_responder(b, issuer) && is_signed_by(b, issuer))
		return true;
	for (unsigned i = 0; i < DELEGATES && read_more(&certs); i++) {
		struct cert *d =
			cert_parse(der_take_whole(&certs, DER_SEQUENCE), &ignored);
		bool ok = d && is_responder(b, d) &&
			is_delegate(d, issuer, a->this_update) && is_signed_by(b, d);
		if (ok && d->not_after < a->next_update)
			a->next_update = d->not_after;
		cert_put(d);
		if (ok)
			return true;
	}
	return false;
}

static bool
hash_is(struct span algo_oid, struct span data, struct span want)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	if (span_eq(algo_oid, SPAN("\x2b\x0e\x03\x02\x1a"))) {
		SHA1(data.p, data.n, hash);
		return span_eq(want, span_of(hash, SHA_DIGEST_LENGTH));
	}
	if (span_eq(algo_oid, SPAN("\x60\x86\x48\x01\x65\x03\x04\x02\x01"))) {
		SHA256(data.p, data.n, hash);
		return span_eq(want, span_of(hash, SHA256_DIGEST_LENGTH));
	}
	return false;
}

/* CertID: it must mean this certificate of this issuer. */
static bool
is_about(struct read id, const struct cert *c, const struct cert *issuer)
{
	struct read algo = der_take(&id, DER_SEQUENCE);
	struct span oid = der_take(&algo, DER_OID).left;
	struct span name = der_take(&id, DER_OCTETS).left;
	struct span key = der_take(&id, DER_OCTETS).left;
	struct span serial = der_take(&id, DER_INTEGER).left;

	return read_done(&id) && span_eq(serial, c->serial) &&
		hash_is(oid, issuer->subject, name) &&
		hash_is(oid, issuer->key_bits, key);
}

static enum revoke_state
read_status(struct der status)
{
	if (status.tag == DER_CHOICE + 0 && status.value.left.n == 0)
		return REVOKE_GOOD;
	return status.tag == DER_EXPLICIT + 1 ? REVOKE_REVOKED : REVOKE_UNKNOWN;
}

/* The timestamps of logs in the extensions of a SingleResponse (RFC 6962 §3.3). */
static struct span
find_scts(struct read outer)
{
	static const struct span oid =
		SPAN_INIT("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x05");
	struct read list = der_take(&outer, DER_SEQUENCE);

	while (read_more(&list)) {
		struct read x = der_take(&list, DER_SEQUENCE);
		bool it = span_eq(der_take(&x, DER_OID).left, oid);
		(void)der_flag(&x);
		struct read value = der_take(&x, DER_OCTETS);
		if (it && read_done(&x))
			return der_take(&value, DER_OCTETS).left;
	}
	return (struct span){0};
}

/* SingleResponse; true when it is about c. */
static bool
read_single(struct read r, const struct cert *c, const struct cert *issuer,
	struct ocsp_answer *out)
{
	struct ocsp_answer a = {0};

	if (!is_about(der_take(&r, DER_SEQUENCE), c, issuer))
		return false;
	a.state = read_status(der_any(&r));
	a.this_update = der_time(&r);
	a.next_update =
		a.this_update + DAY_S; /* newer information is always available */
	if (der_is(&r, DER_EXPLICIT + 0)) {
		struct read next = der_take(&r, DER_EXPLICIT + 0);
		a.next_update = der_time(&next);
		if (!read_done(&next))
			return false;
	}
	if (a.next_update > a.this_update + LONGEST_S)
		a.next_update = a.this_update + LONGEST_S;
	if (der_is(&r, DER_EXPLICIT + 1)) {
		struct read extensions = der_take(&r, DER_EXPLICIT + 1);
		a.scts = find_scts(extensions);
		if (has_critical(extensions))
			return false;
	}
	if (!read_done(&r))
		return false;
	*out = a;
	return true;
}

static bool
find_single(struct basic *b, const struct cert *c, const struct cert *issuer,
	struct ocsp_answer *out)
{
	for (unsigned i = 0; i < RESPONSES && read_more(&b->responses); i++) {
		if (read_single(der_take(&b->responses, DER_SEQUENCE), c, issuer, out))
			return true;
	}
	return false;
}

/* They are signed themselves, so the answer around them need not be. */
struct span
ocsp_scts(struct span response, const struct cert *c, const struct cert *issuer)
{
	struct basic b = {0};
	struct ocsp_answer a = {0};
	struct err ignored = {0};

	if (response.n == 0 || response.n > REVOKE_OCSP_MAX ||
		!open_response(response, &b, &ignored) ||
		!find_single(&b, c, issuer, &a))
		return (struct span){0};
	return a.scts;
}

bool
ocsp_read(struct span response, struct cert *c, struct cert *issuer,
	struct ocsp_answer *out, struct err *err)
{
	struct basic b = {0};
	struct ocsp_answer a = {0};

	if (response.n > REVOKE_OCSP_MAX)
		return err_set(err, ERR_PKI_OCSP, "%zu octets", response.n);
	if (!open_response(response, &b, err))
		return false;
	if (!find_single(&b, c, issuer, &a))
		return err_set(err, ERR_PKI_OCSP, "it speaks of other certificates");
	if (!is_proven(&b, issuer, &a)) {
		return err_set(err, ERR_PKI_OCSP,
			"it is signed neither by the issuer nor by its delegate");
	}
	*out = a;
	return true;
}

bool
ocsp_is_current(const struct ocsp_answer *a, int64_t now)
{
	return a->this_update <= now + REVOKE_SKEW_S && a->next_update >= now &&
		a->next_update >= a->this_update;
}
