// SPDX-License-Identifier: Apache-2.0
/*
 * crl: reading certificate revocation lists (RFC 5280 §5), of any size up to the bound.
 *
 * Serial numbers are sorted once, so that asking costs a binary search. A list that is
 * indirect, or a change to another one, is not understood and refused.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "pki/revoke_priv.h"

static bool
read_entry(struct read *list, struct span *serial)
{
	struct read e = der_take(list, DER_SEQUENCE);

	*serial = der_take(&e, DER_INTEGER).left;
	(void)der_time(&e);
	if (!read_more(&e))
		return !e.bad && serial->n > 0;
	struct read exts = der_take(&e, DER_SEQUENCE);
	while (read_more(&exts)) {
		struct read x = der_take(&exts, DER_SEQUENCE);
		(void)der_take(&x, DER_OID);
		bool critical = der_flag(&x);
		(void)der_take(&x, DER_OCTETS);
		/* certificateIssuer makes the list indirect; nothing else is critical.
		 */
		if (critical || !read_done(&x))
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

static bool
read_entries(struct crl *crl, struct read list)
{
	size_t cap = 0;

	while (read_more(&list)) {
		crl->serials = mem_grow(
			crl->serials, &cap, crl->n_serials + 1, sizeof *crl->serials);
		if (!read_entry(&list, &crl->serials[crl->n_serials]))
			return false;
		crl->n_serials++;
	}
	if (crl->n_serials > 0) {
		qsort(crl->serials, crl->n_serials, sizeof *crl->serials,
			compare_serials);
	}
	crl->cost += cap * sizeof *crl->serials;
	return read_done(&list);
}

struct scope {
	bool has_number;
	bool refused;
};

static void
read_extension(struct crl *crl, struct read *list, struct scope *s)
{
	struct read x = der_take(list, DER_SEQUENCE);
	struct span oid = der_take(&x, DER_OID).left;
	bool critical = der_flag(&x);
	struct span value = der_take(&x, DER_OCTETS).left;

	bool is_idp = span_eq(oid, SPAN("\x55\x1d\x1c"));
	if (is_idp)
		crl->idp = value;
	s->has_number = s->has_number || span_eq(oid, SPAN("\x55\x1d\x14"));
	/* §5.2.3: a number is not critical. What is critical, and is not the issuing
	 * point, is a delta or something nobody here knows. */
	if (!read_done(&x) || (critical && !is_idp))
		s->refused = true;
}

static bool
read_extensions(struct crl *crl, struct read outer, struct err *err)
{
	struct read list = der_take(&outer, DER_SEQUENCE);
	struct scope s = {0};

	while (read_more(&list))
		read_extension(crl, &list, &s);
	if (!read_done(&list) || !read_done(&outer) || s.refused) {
		return err_set(
			err, ERR_PKI_CRL, "an extension that changes its meaning");
	}
	return s.has_number ||
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
	mem_free(c->serials);
	mem_free((void *)(uintptr_t)c->der.p);
	mem_free(c);
}

bool
crl_lists(const struct crl *c, struct span serial)
{
	if (c->n_serials == 0)
		return false;
	return bsearch(&serial, c->serials, c->n_serials, sizeof *c->serials,
		       compare_serials) != NULL;
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
