// SPDX-License-Identifier: Apache-2.0
/*
 * crl: reading certificate revocation lists (RFC 5280 §5), of any size up to the bound.
 *
 * Serial numbers are sorted once, so that asking costs a binary search. A list of
 * changes (delta, §5.2.4) is read as what it adds and what it lifts. A list that is
 * indirect is not understood and refused.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "pki/revoke_priv.h"

enum { REASON_REMOVE = 8, REASON_MOST = 10, FRESHEST_MAX = 1024 };

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
	*serial = der_take(&e, DER_INTEGER).left;
	(void)der_time(&e);
	if (!read_more(&e))
		return !e.bad && serial->n > 0;
	struct read exts = der_take(&e, DER_SEQUENCE);
	while (read_more(&exts)) {
		if (!read_entry_extension(&exts, reason))
			return false;
	}
	return read_done(&exts) && read_done(&e);
}

static int
compare_serials(const void *a, const void *b)
{
	const struct span *x = a;
	const struct span *y = b;
	return span_cmp(*x, *y);
}

static void
add_serial(struct crl_serials *to, struct span serial)
{
	to->p = mem_grow(to->p, &to->cap, to->n + 1, sizeof *to->p);
	to->p[to->n++] = serial;
}

static size_t
sort_serials(struct crl_serials *s)
{
	if (s->n > 0)
		qsort(s->p, s->n, sizeof *s->p, compare_serials);
	return s->cap * sizeof *s->p;
}

static bool
has_serial(const struct crl_serials *s, struct span serial)
{
	return s->n > 0 &&
		bsearch(&serial, s->p, s->n, sizeof *s->p, compare_serials) != NULL;
}

static bool
read_entries(struct crl *crl, struct read list)
{
	while (read_more(&list)) {
		struct span serial;
		uint32_t reason;
		if (!read_entry(&list, &serial, &reason))
			return false;
		add_serial(
			reason == REASON_REMOVE ? &crl->lifted : &crl->revoked, serial);
	}
	crl->cost += sort_serials(&crl->revoked) + sort_serials(&crl->lifted);
	return read_done(&list);
}

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
		while (read_more(&names)) {
			struct der n = der_any(&names);
			bool fits = n.tag == DER_CHOICE + 6 &&
				span_starts(n.value.left, SPAN("http://")) &&
				n.value.left.n <= FRESHEST_MAX;
			if (fits && out->n == 0)
				*out = n.value.left;
		}
	}
	return read_done(&points) && read_done(&whole);
}

/* Whether the extension is one whose meaning is known, and well said. */
static bool
take_extension(struct crl *crl, struct span oid, bool critical, struct span value)
{
	if (span_eq(oid, SPAN("\x55\x1d\x1c"))) {
		crl->idp = value;
		return true;
	}
	if (span_eq(oid, SPAN("\x55\x1d\x1b"))) /* always critical (§5.2.4) */
		return critical && read_number(value, &crl->base);
	if (critical) /* a number is not (§5.2.3), nor is what nobody here knows */
		return false;
	if (span_eq(oid, SPAN("\x55\x1d\x14")))
		return read_number(value, &crl->number);
	if (span_eq(oid, SPAN("\x55\x1d\x2e")))
		return read_freshest(value, &crl->freshest);
	return true;
}

static bool
read_extension(struct crl *crl, struct read *list)
{
	struct read x = der_take(list, DER_SEQUENCE);
	struct span oid = der_take(&x, DER_OID).left;
	bool critical = der_flag(&x);
	struct span value = der_take(&x, DER_OCTETS).left;

	return read_done(&x) && take_extension(crl, oid, critical, value);
}

static bool
read_extensions(struct crl *crl, struct read outer, struct err *err)
{
	struct read list = der_take(&outer, DER_SEQUENCE);
	bool ok = true;

	while (ok && read_more(&list))
		ok = read_extension(crl, &list);
	if (!ok || !read_done(&list) || !read_done(&outer)) {
		return err_set(
			err, ERR_PKI_CRL, "an extension that changes its meaning");
	}
	/* §5.3.1: only a list of changes can lift what another one says. */
	if (crl->lifted.n > 0 && !crl_is_delta(crl))
		return err_set(err, ERR_PKI_CRL, "removeFromCRL in a whole list");
	return crl->number.n > 0 ||
		err_set(err, ERR_PKI_CRL, "no CRL number (RFC 5280 §5.2.3)");
}

static bool
read_tbs(struct crl *crl, struct span algo, struct err *err)
{
	struct read whole = read_from(crl->tbs);
	struct read r = der_take(&whole, DER_SEQUENCE);
	bool ok = true;

	if (der_is(&r, DER_INTEGER) && der_count(&r, DER_INTEGER, 1) != 1)
		der_refuse(&r);
	struct span inner = der_take_whole(&r, DER_SEQUENCE);
	crl->issuer = der_take_whole(&r, DER_SEQUENCE);
	crl->this_update = der_time(&r);
	if (der_is(&r, DER_UTC_TIME) || der_is(&r, DER_GENERAL_TIME))
		crl->next_update = der_time(&r);
	if (der_is(&r, DER_SEQUENCE))
		ok = read_entries(crl, der_take(&r, DER_SEQUENCE));
	if (!ok || !der_is(&r, DER_EXPLICIT + 0) || !span_eq(inner, algo))
		return err_set(err, ERR_PKI_CRL, "malformed list, or one of version 1");
	struct read exts = der_take(&r, DER_EXPLICIT + 0);
	if (!read_done(&r))
		return err_set(err, ERR_PKI_CRL, "malformed list");
	return read_extensions(crl, exts, err);
}

static bool
read_crl(struct crl *crl, struct err *err)
{
	struct read whole = read_from(crl->der);
	struct read r = der_take(&whole, DER_SEQUENCE);
	unsigned unused = 0;

	crl->tbs = der_take_whole(&r, DER_SEQUENCE);
	struct span algo = der_take_whole(&r, DER_SEQUENCE);
	crl->signature = der_bits(&r, &unused);
	if (!read_done(&r) || !read_done(&whole) || unused != 0) {
		return err_set(
			err, ERR_PKI_CRL, "%zu octets that are no list", crl->der.n);
	}
	crl->sig = cert_sigalg_find(algo);
	return read_tbs(crl, algo, err);
}

struct crl *
crl_read(struct span der, struct err *err)
{
	struct crl *crl = mem_alloc(sizeof *crl);
	uint8_t *copy = mem_alloc(der.n);

	for (size_t i = 0; i < der.n; i++)
		copy[i] = der.p[i];
	list_init(&crl->all);
	crl->der = (struct span){copy, der.n};
	crl->cost = sizeof *crl + der.n;
	if (read_crl(crl, err))
		return crl;
	crl_free(crl);
	return NULL;
}

void
crl_free(struct crl *c)
{
	if (!c)
		return;
	list_leave(&c->all);
	mem_free(c->revoked.p);
	mem_free(c->lifted.p);
	mem_free((void *)(uintptr_t)c->der.p);
	mem_free(c);
}

bool
crl_lists(const struct crl *c, struct span serial)
{
	return has_serial(&c->revoked, serial);
}

bool
crl_lifts(const struct crl *c, struct span serial)
{
	return has_serial(&c->lifted, serial);
}

bool
crl_is_delta(const struct crl *c)
{
	return c->base.n > 0;
}

/* Numbers have no leading zeros: the longer is the greater. */
static int
compare_numbers(struct span a, struct span b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return span_cmp(a, b);
}

static bool
is_of(const struct crl *delta, const struct crl *whole)
{
	return crl_is_delta(delta) && !crl_is_delta(whole) && delta->proven &&
		whole->proven &&
		span_eq(span_of(delta->signer, CERT_HASH),
			span_of(whole->signer, CERT_HASH)) &&
		span_eq(delta->idp, whole->idp);
}

bool
crl_changes(const struct crl *delta, const struct crl *whole)
{
	return is_of(delta, whole) &&
		compare_numbers(whole->number, delta->base) >= 0 &&
		compare_numbers(whole->number, delta->number) < 0;
}

bool
crl_replaces(const struct crl *whole, const struct crl *delta)
{
	return is_of(delta, whole) &&
		compare_numbers(whole->number, delta->number) >= 0;
}

/* Whether one of the names of a list's distribution point is the certificate's. */
static bool
has_point(struct read point, struct span url)
{
	struct read names = der_take(&point, DER_EXPLICIT + 0);

	while (read_more(&names)) {
		struct der n = der_any(&names);
		if (n.tag == DER_CHOICE + 6 && span_eq(n.value.left, url))
			return true;
	}
	return false;
}

/* One field of the scope; whether a list with it can speak of c. */
static bool
allows(const struct der *field, const struct cert *c)
{
	bool set = field->value.left.n == 1 && field->value.left.p[0] != 0;

	if (field->tag == DER_CHOICE + 1)
		return !set || !c->is_ca; /* user certificates only */
	if (field->tag == DER_CHOICE + 2)
		return !set || c->is_ca; /* authorities only */
	/* Some reasons only, indirect, attributes: no list of ours. */
	return !set && field->tag != DER_CHOICE + 3;
}

bool
crl_covers(const struct crl *crl, const struct cert *c)
{
	struct read whole = read_from(crl->idp);
	struct read r = der_take(&whole, DER_SEQUENCE);

	if (crl->idp.n == 0)
		return true;
	if (der_is(&r, DER_EXPLICIT + 0) &&
		!has_point(der_take(&r, DER_EXPLICIT + 0), c->crl))
		return false;
	while (read_more(&r)) {
		struct der field = der_any(&r);
		if (!allows(&field, c))
			return false;
	}
	return read_done(&r) && read_done(&whole);
}
