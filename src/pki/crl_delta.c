// SPDX-License-Identifier: Apache-2.0
/*
 * crl_delta: a whole list and the lists of changes to it (RFC 5280 §5.2.4).
 */
#include "pki/revoke_priv.h"

bool
crl_lists(const struct crl *c, struct span serial)
{
	return serials_has(&c->revoked, serial);
}

bool
crl_lifts(const struct crl *c, struct span serial)
{
	return serials_has(&c->lifted, serial);
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
		span_eq(delta->idp, whole->idp) &&
		cert_names_eq(delta->issuer, whole->issuer);
}

bool
crl_changes(const struct crl *delta, const struct crl *whole)
{
	return is_of(delta, whole) &&
		compare_numbers(whole->number, delta->base) >= 0 &&
		compare_numbers(whole->number, delta->number) < 0;
}

bool
crl_is_later(const struct crl *a, const struct crl *b)
{
	if (a->this_update != b->this_update)
		return a->this_update > b->this_update;
	return compare_numbers(a->number, b->number) > 0;
}

/* Changes that begin at a later list do not say what that list has. */
bool
crl_supersedes(const struct crl *c, const struct crl *old)
{
	return crl_is_delta(c) == crl_is_delta(old) &&
		cert_names_eq(c->issuer, old->issuer) && span_eq(c->idp, old->idp) &&
		compare_numbers(c->base, old->base) <= 0 && !crl_is_later(old, c);
}

bool
crl_replaces(const struct crl *whole, const struct crl *delta)
{
	return is_of(delta, whole) &&
		compare_numbers(whole->number, delta->number) >= 0;
}
