// SPDX-License-Identifier: Apache-2.0
/*
 * crl: reading certificate revocation lists (RFC 5280 §5), of any size up to the bound.
 *
 * A step at a time: a public list has megabytes, and whoever reads it has other
 * sessions to serve. First what is signed is hashed, then its entries are read, then
 * their numbers find their place; after that the octets are needed no more. Whether the
 * signature is good is asked when its authority is met. A list of changes (delta,
 * §5.2.4) is read as what it adds and what it lifts. A list that is indirect is not
 * understood and refused.
 */
#include "base/mem.h"
#include "pki/revoke_priv.h"

enum {
	ENTRY_OCTETS = 36, /* about; of one with a number of 16 */
	ENTRIES_STEP = CRL_STEP / ENTRY_OCTETS,
	REASON_REMOVE = 8,
	REASON_MOST = 10,
};

/* crlReason (§5.3.1). */
static bool
read_reason(struct span value, uint32_t *reason)
{
	struct read r = read_from(value);

	*reason = der_count(&r, DER_ENUMERATED, REASON_MOST);
	return read_done(&r);
}

static bool
read_entry_extension(struct read *exts, uint32_t *reason)
{
	struct read x = der_take(exts, DER_SEQUENCE);
	struct span oid = der_take(&x, DER_OID).left;
	bool critical = der_flag(&x);
	struct span value = der_take(&x, DER_OCTETS).left;

	/* certificateIssuer makes the list indirect; nothing else is critical. */
	if (critical || !read_done(&x))
		return false;
	return !span_eq(oid, SPAN("\x55\x1d\x15")) || read_reason(value, reason);
}

static bool
read_entry(struct read *list, struct span *serial, uint32_t *reason)
{
	struct read e = der_take(list, DER_SEQUENCE);

	*reason = 0;
	*serial = der_integer(&e);
	(void)der_time(&e);
	if (e.bad || serial->n == 0 || serial->n > SERIAL_MAX)
		return false;
	if (!read_more(&e))
		return true;
	struct read exts = der_take(&e, DER_SEQUENCE);
	while (read_more(&exts)) {
		if (!read_entry_extension(&exts, reason))
			return false;
	}
	return read_done(&exts) && read_done(&e);
}

/* ---- extensions */

/* §5.2.3: a non-negative number of at most 20 octets. */
static bool
read_number(struct span value, struct span *out)
{
	struct read r = read_from(value);
	struct span n = der_integer(&r);

	if (!read_done(&r) || n.n == 0 || n.n > 21 || (n.p[0] & 0x80))
		return false;
	*out = n.n > 1 && n.p[0] == 0 ? span_from(n, 1) : n;
	return true;
}

static void
read_freshest_names(struct read names, struct span *out)
{
	while (read_more(&names)) {
		struct der n = der_any(&names);
		bool fits = n.tag == DER_CHOICE + 6 &&
			span_starts(n.value.left, SPAN("http://")) &&
			n.value.left.n <= REVOKE_URL;
		if (fits && out->n == 0)
			*out = n.value.left;
	}
}

/* §5.2.6: points as in a certificate, of which the first http address is taken. */
static bool
read_freshest(struct span value, struct span *out)
{
	struct read whole = read_from(value);
	struct read points = der_take(&whole, DER_SEQUENCE);

	while (read_more(&points)) {
		struct read point = der_take(&points, DER_SEQUENCE);
		if (!der_is(&point, DER_EXPLICIT + 0))
			continue;
		struct read names = der_take(&point, DER_EXPLICIT + 0);
		if (der_is(&names, DER_EXPLICIT + 0))
			names = der_take(&names, DER_EXPLICIT + 0);
		read_freshest_names(names, out);
	}
	return read_done(&points) && read_done(&whole);
}

/* Whether the extension is one whose meaning is known, and well said; else why not. */
static const char *
take_extension(struct crl_reader *r, struct span oid, bool critical, struct span value)
{
	if (span_eq(oid, SPAN("\x55\x1d\x1c"))) {
		bool again = r->idp.n > 0;
		r->idp = value;
		return again || value.n == 0 ? "malformed issuingDistributionPoint"
					     : NULL;
	}
	if (span_eq(oid, SPAN("\x55\x1d\x1b"))) { /* always critical (§5.2.4) */
		return critical && read_number(value, &r->base)
			? NULL
			: "malformed deltaCRLIndicator";
	}
	if (critical) /* a number is not (§5.2.3), nor is what nobody here knows */
		return "a critical extension that nobody here knows";
	if (span_eq(oid, SPAN("\x55\x1d\x14")))
		return read_number(value, &r->number) ? NULL : "malformed cRLNumber";
	if (span_eq(oid, SPAN("\x55\x1d\x2e"))) {
		return read_freshest(value, &r->freshest) ? NULL
							  : "malformed freshestCRL";
	}
	return NULL;
}

static const char *
read_extension(struct crl_reader *r, struct read *list)
{
	struct read x = der_take(list, DER_SEQUENCE);
	struct span oid = der_take(&x, DER_OID).left;
	bool critical = der_flag(&x);
	struct span value = der_take(&x, DER_OCTETS).left;

	return read_done(&x) ? take_extension(r, oid, critical, value)
			     : "malformed extensions";
}

static bool
read_extensions(struct crl_reader *r, struct read outer, struct err *err)
{
	struct read list = der_take(&outer, DER_SEQUENCE);
	const char *fault = NULL;

	while (!fault && read_more(&list))
		fault = read_extension(r, &list);
	if (!fault && (!read_done(&list) || !read_done(&outer)))
		fault = "malformed extensions";
	/* §5.3.1: only a list of changes can lift what another one says. */
	if (!fault && r->crl->lifted.n > 0 && r->base.n == 0)
		fault = "removeFromCRL in a whole list";
	if (!fault && r->number.n == 0)
		fault = "no CRL number (RFC 5280 §5.2.3)";
	if (!fault && crl_scope_ok(r->idp, &fault))
		return true;
	return err_set(err, ERR_PKI_CRL, "%s", fault);
}

/* ---- the frame */

/* What stands before the entries. */
static bool
read_start(struct crl_reader *r, struct err *err)
{
	struct read whole = read_from(r->tbs);
	struct read tbs = der_take(&whole, DER_SEQUENCE);
	struct crl *crl = r->crl;

	if (der_is(&tbs, DER_INTEGER) && der_count(&tbs, DER_INTEGER, 1) != 1)
		der_refuse(&tbs);
	struct span inner = der_take_whole(&tbs, DER_SEQUENCE);
	r->issuer = der_take_whole(&tbs, DER_SEQUENCE);
	crl->this_update = der_time(&tbs);
	if (der_is(&tbs, DER_UTC_TIME) || der_is(&tbs, DER_GENERAL_TIME))
		crl->next_update = der_time(&tbs);
	if (der_is(&tbs, DER_SEQUENCE))
		r->entries = der_take(&tbs, DER_SEQUENCE);
	if (!der_is(&tbs, DER_EXPLICIT + 0) || !span_eq(inner, r->algo))
		return err_set(err, ERR_PKI_CRL, "malformed list, or one of version 1");
	r->rest = tbs;
	return true;
}

/* Hashed a piece at a time where the method allows it; else its octets are kept. */
static void
begin_hashing(struct crl_reader *r)
{
	const struct cert_sigalg *sig = r->crl->sig;
	const EVP_MD *md = sig && !sig->weak ? signature_md(sig) : NULL;

	if (md) {
		r->md = EVP_MD_CTX_new();
		if (r->md && EVP_DigestInit_ex(r->md, md, NULL) == 1)
			return;
		r->crl->sig = NULL;
	} else if (sig && sig->family == KEY_FAMILY_ED25519) {
		r->crl->message =
			(struct span){(const uint8_t *)mem_cstr(r->tbs), r->tbs.n};
	}
	r->phase = CRL_LISTING;
}

bool
crl_begin(struct crl_reader *r, struct span der, struct err *err)
{
	struct read whole = read_from(der);
	struct read list = der_take(&whole, DER_SEQUENCE);
	unsigned unused = 0;

	*r = (struct crl_reader){.phase = CRL_OVER};
	r->tbs = der_take_whole(&list, DER_SEQUENCE);
	r->algo = der_take_whole(&list, DER_SEQUENCE);
	r->signature = der_bits(&list, &unused);
	if (!read_done(&list) || !read_done(&whole) || unused != 0) {
		return err_set(err, ERR_PKI_CRL, "%zu octets that are no list", der.n);
	}
	r->crl = mem_alloc(sizeof *r->crl);
	list_init(&r->crl->all);
	list_init(&r->crl->kin);
	r->crl->sig = cert_sigalg_find(r->algo);
	r->phase = CRL_HASHING;
	if (read_start(r, err)) {
		begin_hashing(r);
		return true;
	}
	crl_abandon(r);
	return false;
}

void
crl_abandon(struct crl_reader *r)
{
	EVP_MD_CTX_free(r->md);
	crl_free(r->crl);
	*r = (struct crl_reader){.phase = CRL_OVER};
}

/* ---- the steps */

static void
hash_some(struct crl_reader *r)
{
	struct span piece = span_first(span_from(r->tbs, r->hashed), CRL_STEP);
	unsigned n = 0;

	bool ok = EVP_DigestUpdate(r->md, piece.p, piece.n) == 1;
	r->hashed += piece.n;
	if (ok && r->hashed < r->tbs.n)
		return;
	ok = ok && EVP_DigestFinal_ex(r->md, r->crl->digest, &n) == 1;
	r->crl->n_digest = n;
	if (!ok)
		r->crl->sig = NULL; /* then it proves nothing */
	r->phase = CRL_LISTING;
}

static struct span
write_copy(struct write *w, struct span of)
{
	const uint8_t *at = w->p + w->n;

	write_span(w, of);
	return (struct span){at, of.n};
}

/* What outlives the octets. */
static void
keep_head(struct crl_reader *r)
{
	size_t n = r->issuer.n + r->idp.n + r->signature.n + r->number.n + r->base.n +
		r->freshest.n;
	uint8_t *head = mem_alloc(n);
	struct write w = write_to(head, n);
	struct crl *crl = r->crl;

	crl->head = (struct span){head, n};
	crl->issuer = write_copy(&w, r->issuer);
	crl->idp = write_copy(&w, r->idp);
	crl->signature = write_copy(&w, r->signature);
	crl->number = write_copy(&w, r->number);
	crl->base = write_copy(&w, r->base);
	crl->freshest = write_copy(&w, r->freshest);
}

static bool
list_some(struct crl_reader *r, struct err *err)
{
	struct span serial = {0};
	uint32_t reason = 0;

	for (size_t i = 0; i < ENTRIES_STEP && read_more(&r->entries); i++) {
		if (!read_entry(&r->entries, &serial, &reason))
			return err_set(err, ERR_PKI_CRL, "malformed entry");
		serials_add(
			reason == REASON_REMOVE ? &r->crl->lifted : &r->crl->revoked,
			serial);
	}
	if (read_more(&r->entries))
		return true;
	struct read exts = der_take(&r->rest, DER_EXPLICIT + 0);
	if (r->entries.bad || !read_done(&r->rest))
		return err_set(err, ERR_PKI_CRL, "malformed list");
	if (!read_extensions(r, exts, err))
		return false;
	keep_head(r);
	r->phase = CRL_PLACING;
	return true;
}

static struct crl *
finish(struct crl_reader *r)
{
	struct crl *crl = r->crl;

	crl->cost = sizeof *crl + crl->head.n + crl->message.n +
		serials_cost(&crl->revoked) + serials_cost(&crl->lifted);
	r->crl = NULL;
	crl_abandon(r);
	return crl;
}

enum crl_turn
crl_advance(struct crl_reader *r, struct crl **out, struct err *err)
{
	switch (r->phase) {
	case CRL_HASHING:
		hash_some(r);
		return CRL_MORE;
	case CRL_LISTING:
		if (list_some(r, err))
			return CRL_MORE;
		crl_abandon(r);
		return CRL_FAILED;
	case CRL_PLACING:
		if (!serials_place(&r->crl->revoked, ENTRIES_STEP) ||
			!serials_place(&r->crl->lifted, ENTRIES_STEP))
			return CRL_MORE;
		*out = finish(r);
		return CRL_READ;
	case CRL_OVER:
		break;
	}
	return CRL_FAILED;
}

struct crl *
crl_read(struct span der, struct err *err)
{
	struct crl_reader r;
	struct crl *crl = NULL;
	enum crl_turn turn = crl_begin(&r, der, err) ? CRL_MORE : CRL_FAILED;

	while (turn == CRL_MORE)
		turn = crl_advance(&r, &crl, err);
	return crl;
}

/* ---- a list that was read */

void
crl_free(struct crl *c)
{
	if (!c)
		return;
	list_leave(&c->all);
	list_leave(&c->kin);
	serials_fini(&c->revoked);
	serials_fini(&c->lifted);
	mem_free((void *)(uintptr_t)c->head.p);
	mem_free((void *)(uintptr_t)c->message.p);
	mem_free(c);
}

static bool
is_signed_by(const struct crl *crl, EVP_PKEY *key)
{
	if (crl->message.n > 0)
		return signature_verify(crl->sig, key, crl->message, crl->signature);
	return signature_verify_digest(
		crl->sig, key, span_of(crl->digest, crl->n_digest), crl->signature);
}

bool
crl_is_proven(struct crl *crl, struct cert *issuer)
{
	struct err ignored = {0};

	if (crl->proven &&
		span_eq(span_of(crl->signer, CERT_HASH),
			span_of(issuer->spki_sha256, CERT_HASH)))
		return true;
	if (!crl->sig || crl->sig->weak || crl->sig->family != issuer->family ||
		(issuer->family == KEY_FAMILY_RSA && issuer->bits > SIGNATURE_RSA_MAX))
		return false;
	/* RFC 5280 §6.3.3 (f): where uses are named, this one must be. */
	if (issuer->usage.present && !(issuer->key_usage & CERT_CRL_SIGN))
		return false;
	EVP_PKEY *key = cert_key(issuer, &ignored);
	if (!key || !is_signed_by(crl, key))
		return false;
	crl->proven = true;
	for (size_t i = 0; i < CERT_HASH; i++)
		crl->signer[i] = issuer->spki_sha256[i];
	return true;
}
