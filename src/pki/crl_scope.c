// SPDX-License-Identifier: Apache-2.0
/*
 * crl_scope: of whom a list speaks (RFC 5280 §5.2.5), and whether a certificate sends
 * us to it (§4.2.1.13, §6.3.3 (b)).
 *
 * A large authority cuts its list into parts, one address each. A part says its
 * address, the certificate says it too, and both must agree: else the part of others,
 * on which no number of ours can be, would make everybody good.
 */
#include "pki/der.h"
#include "pki/revoke_priv.h"

enum {
	FIELD_POINT = DER_EXPLICIT + 0,
	FIELD_USERS = DER_CHOICE + 1,
	FIELD_AUTHORITIES = DER_CHOICE + 2,
	FIELD_REASONS = DER_CHOICE + 3,
	FIELD_INDIRECT = DER_CHOICE + 4,
	FIELD_ATTRIBUTES = DER_CHOICE + 5,
	POINT_FULL = DER_EXPLICIT + 0,
	POINT_CRL_ISSUER = DER_EXPLICIT + 2,
};

struct scope {
	bool has_point;
	struct read point; /* DistributionPointName */
	bool users;
	bool authorities;
	bool reasons;
	bool indirect;
	bool attributes;
};

/* DER leaves a FALSE out; one that is written all the same is borne. */
static bool
read_flag(struct der field, bool *flag)
{
	*flag = field.value.left.n == 1 && field.value.left.p[0] != 0;
	return field.value.left.n == 1;
}

static bool
read_field(struct scope *s, struct der field)
{
	switch (field.tag) {
	case FIELD_POINT:
		s->has_point = true;
		s->point = field.value;
		return true;
	case FIELD_USERS:
		return read_flag(field, &s->users);
	case FIELD_AUTHORITIES:
		return read_flag(field, &s->authorities);
	case FIELD_REASONS:
		return s->reasons = field.value.left.n > 1;
	case FIELD_INDIRECT:
		return read_flag(field, &s->indirect);
	case FIELD_ATTRIBUTES:
		return read_flag(field, &s->attributes);
	default:
		return false;
	}
}

/* Fields in their order, each once. */
static bool
read_scope(struct span idp, struct scope *s)
{
	struct read whole = read_from(idp);
	struct read r = der_take(&whole, DER_SEQUENCE);
	unsigned last = 0;

	*s = (struct scope){0};
	while (read_more(&r)) {
		struct der field = der_any(&r);
		unsigned number = field.tag & 0x1f;
		if (number < last || !read_field(s, field))
			return false;
		last = number + 1;
	}
	return last > 0 && read_done(&r) && read_done(&whole);
}

bool
crl_scope_ok(struct span idp, const char **fault)
{
	struct scope s;

	*fault = NULL;
	if (idp.n == 0)
		return true;
	if (!read_scope(idp, &s)) {
		*fault = "malformed issuingDistributionPoint";
	} else if (s.indirect) {
		*fault = "an indirect list: it speaks for other authorities";
	} else if (s.attributes) {
		*fault = "a list of attribute certificates";
	} else if (s.users && s.authorities) {
		*fault = "a list of nobody: for users only and for authorities only";
	}
	return *fault == NULL;
}

/* Whether two GeneralNames have a name in common; equal octets are the same name. */
static bool
share_name(struct read a, struct read b)
{
	while (read_more(&a)) {
		struct span name = der_any(&a).whole;
		struct read others = b;
		while (name.n > 0 && read_more(&others)) {
			if (span_eq(name, der_any(&others).whole))
				return true;
		}
	}
	return false;
}

/* One DistributionPoint of a certificate. One with a cRLIssuer sends us to a list that
 * another authority signs; such lists are not understood. */
static bool
is_sent_by(struct read point, const struct scope *s)
{
	if (!der_is(&point, FIELD_POINT))
		return false;
	struct read name = der_take(&point, FIELD_POINT);
	struct read full = name;
	struct read ours = s->point;
	bool some = false;

	(void)der_maybe(&point, DER_CHOICE + 1, &some);
	if (der_is(&point, POINT_CRL_ISSUER) || !read_done(&point))
		return false;
	if (!der_is(&full, POINT_FULL) || !der_is(&ours, POINT_FULL))
		return span_eq(name.left, ours.left); /* relative to the issuer */
	return share_name(der_take(&full, POINT_FULL), der_take(&ours, POINT_FULL));
}

static bool
is_sent_there(const struct cert *c, const struct scope *s)
{
	struct read whole = read_from(c->crl_points.value);
	struct read points = der_take(&whole, DER_SEQUENCE);

	while (read_more(&points)) {
		if (is_sent_by(der_take(&points, DER_SEQUENCE), s))
			return true;
	}
	return false;
}

enum crl_scope
crl_scope(const struct crl *crl, const struct cert *c)
{
	const char *fault = NULL;
	struct scope s;

	if (crl->idp.n == 0)
		return CRL_ITS_WHOLE;
	if (!crl_scope_ok(crl->idp, &fault) || !read_scope(crl->idp, &s) ||
		(s.users && c->is_ca) || (s.authorities && !c->is_ca) ||
		(s.has_point && !is_sent_there(c, &s)))
		return CRL_NOT_ITS;
	return s.reasons ? CRL_SOME : CRL_ITS_WHOLE;
}
