// SPDX-License-Identifier: Apache-2.0
/*
 * policy: certificate policies along a path (RFC 5280 §6.1.3 (d)–(f), §6.1.4, §6.1.5).
 *
 * We ask for no policy of our own (initial-policy-set is any), so of the policy tree
 * only its leaves matter: whether some remain. They are kept as a set of expected
 * policies; a level is made from the one before. Sets are bounded.
 */
#include "pki/path_priv.h"

enum { POLICIES = 64 };

struct level {
	struct span expected[POLICIES]; /* OID contents */
	size_t n;
	bool any;  /* a node for anyPolicy */
	bool full; /* more than we keep: refuse */
};

struct state {
	struct level level;
	size_t explicit_in; /* certificates until a policy must be there */
	size_t mapping_in;  /* until mappings are no longer followed */
	size_t any_in;      /* until anyPolicy counts for nothing */
	bool broken;
};

static const struct span any_policy = SPAN_INIT("\x55\x1d\x20\x00");

static bool
has(const struct level *l, struct span oid)
{
	for (size_t i = 0; i < l->n; i++) {
		if (span_eq(l->expected[i], oid))
			return true;
	}
	return false;
}

static void
add(struct level *l, struct span oid)
{
	if (has(l, oid))
		return;
	if (l->n == POLICIES) {
		l->full = true;
	} else {
		l->expected[l->n++] = oid;
	}
}

static void
drop(struct level *l, struct span oid)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (!span_eq(l->expected[i], oid))
			l->expected[kept++] = l->expected[i];
	}
	l->n = kept;
}

/* Reads certificatePolicies into a level; false when it is malformed. */
static bool
read_policies(const struct cert *c, struct level *out)
{
	struct read whole = read_from(c->policies.value);
	struct read list = der_take(&whole, DER_SEQUENCE);

	if (!read_more(&list))
		return false;
	while (read_more(&list)) {
		struct read info = der_take(&list, DER_SEQUENCE);
		struct span oid = der_take(&info, DER_OID).left;
		bool twice = has(out, oid) || (out->any && span_eq(oid, any_policy));
		if (info.bad || twice)
			return false;
		if (span_eq(oid, any_policy)) {
			out->any = true;
		} else {
			add(out, oid);
		}
	}
	return read_done(&list) && read_done(&whole);
}

/* RFC 5280 §6.1.3 (d), (e). */
static void
enter_level(struct state *s, const struct cert *c, bool any_counts)
{
	struct level said = {0};
	struct level next = {0};

	if (!c->policies.present) {
		s->level = next;
		return;
	}
	if (!read_policies(c, &said)) {
		s->broken = true;
		return;
	}
	for (size_t i = 0; i < said.n; i++) {
		if (s->level.any || has(&s->level, said.expected[i]))
			add(&next, said.expected[i]);
	}
	if (said.any && any_counts) {
		for (size_t i = 0; i < s->level.n; i++)
			add(&next, s->level.expected[i]);
		next.any = s->level.any;
	}
	next.full = next.full || said.full;
	s->level = next;
}

static bool
is_empty(const struct level *l)
{
	return l->n == 0 && !l->any;
}

/* RFC 5280 §6.1.4 (a), (b). */
static void
follow_mappings(struct state *s, const struct cert *c)
{
	struct read whole = read_from(c->mappings.value);
	struct read list = der_take(&whole, DER_SEQUENCE);
	struct level before = s->level;

	if (!c->mappings.present)
		return;
	while (read_more(&list)) {
		struct read pair = der_take(&list, DER_SEQUENCE);
		struct span theirs = der_take(&pair, DER_OID).left;
		struct span ours = der_take(&pair, DER_OID).left;
		if (!read_done(&pair) || span_eq(theirs, any_policy) ||
			span_eq(ours, any_policy)) {
			s->broken = true;
			return;
		}
		drop(&s->level, theirs);
		if (s->mapping_in > 0 && (has(&before, theirs) || before.any))
			add(&s->level, ours);
	}
	s->broken = s->broken || !read_done(&list);
}

static void
lower(size_t *limit, size_t to)
{
	if (to < *limit)
		*limit = to;
}

static void
count_down(size_t *limit)
{
	if (*limit > 0)
		(*limit)--;
}

/* RFC 5280 §6.1.4 (i), (j); requireExplicitPolicy also applies at the end, §6.1.5 (b).
 */
static void
read_limits(struct state *s, const struct cert *c)
{
	if (c->policy_limits.present) {
		struct read whole = read_from(c->policy_limits.value);
		struct read r = der_take(&whole, DER_SEQUENCE);
		bool any = read_more(&r);
		if (der_is(&r, DER_CHOICE + 0))
			lower(&s->explicit_in, der_count(&r, DER_CHOICE + 0, 65535));
		if (der_is(&r, DER_CHOICE + 1))
			lower(&s->mapping_in, der_count(&r, DER_CHOICE + 1, 65535));
		s->broken = s->broken || !any || !read_done(&r) || !read_done(&whole);
	}
	if (c->inhibit_any.present) {
		struct read r = read_from(c->inhibit_any.value);
		lower(&s->any_in, der_count(&r, DER_INTEGER, 65535));
		s->broken = s->broken || !read_done(&r);
	}
}

void
policy_check(const struct path *p, struct findings *out)
{
	/* §6.1.2 (d)–(f): counts of n + 1 never reach zero by themselves. */
	struct state s = {.level = {.any = true},
		.explicit_in = p->n + 1,
		.mapping_in = p->n + 1,
		.any_in = p->n + 1};

	/* The anchor gives only its key and name; its limits are honoured all the same.
	 */
	read_limits(&s, p->certs[p->n - 1]);
	for (size_t i = p->n - 1; i-- > 0;) {
		const struct cert *c = p->certs[i];
		bool self_issued = i > 0 && cert_names_eq(c->issuer, c->subject);
		enter_level(&s, c, s.any_in > 0 || self_issued);
		if (s.broken || s.level.full) {
			findings_add(
				out, VERDICT_MALFORMED, (int)i, "malformed policies");
			return;
		}
		if (is_empty(&s.level) && s.explicit_in == 0) {
			findings_add(out, VERDICT_CA_VIOLATION, (int)i,
				"no certificate policy is valid here, and one is "
				"required");
			return;
		}
		if (i == 0)
			break;
		follow_mappings(&s, c);
		if (!self_issued) {
			count_down(&s.explicit_in);
			count_down(&s.mapping_in);
			count_down(&s.any_in);
		}
		read_limits(&s, c);
	}
	count_down(&s.explicit_in);
	read_limits(&s, p->certs[0]);
	if (is_empty(&s.level) && s.explicit_in == 0) {
		findings_add(out, VERDICT_CA_VIOLATION, 0,
			"no certificate policy is valid here, and one is required");
	}
}
