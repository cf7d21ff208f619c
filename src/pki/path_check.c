// SPDX-License-Identifier: Apache-2.0
/*
 * path_check: every rule for one path (RFC 5280 §6.1, and what the web asks beyond it).
 *
 * All rules run, so that the findings are complete; the gravest is put in words. A
 * number in brackets is the check's in the trust rubric of docs/verifier.md.
 */
#include "base/clock.h"
#include "pki/path_priv.h"

enum { SUBJECT_TEXT = 96 };

struct name_text {
	char s[SUBJECT_TEXT];
};

static struct name_text
subject_of(const struct cert *c)
{
	struct name_text n = {0};
	struct text t = text_to(n.s, sizeof n.s);

	cert_name_text(c->subject, &t);
	if (t.n == 0)
		text_add(&t, "(a certificate without a subject)");
	return n;
}

/* [18] [19] */
static void
check_dates(const struct cert *c, int at, int64_t now, struct findings *out)
{
	char day[CLOCK_TEXT];

	if (now < c->not_before) {
		findings_add(out, VERDICT_NOT_YET, at, "%s is valid from %.10s on",
			subject_of(c).s, clock_text(day, c->not_before * 1000));
	}
	if (now > c->not_after) {
		findings_add(out, VERDICT_EXPIRED, at, "%s ended on %.10s",
			subject_of(c).s, clock_text(day, c->not_after * 1000));
	}
}

static bool
is_weak_key(const struct cert *c, const struct trust_options *o)
{
	switch (c->family) {
	case KEY_FAMILY_RSA:
		return c->bits < o->rsa_bits || c->bits % 8 != 0 || c->exponent < 3 ||
			c->exponent % 2 == 0;
	case KEY_FAMILY_EC:
		return !c->curve ||
			!(span_eq(span_str(c->curve), SPAN("P-256")) ||
				span_eq(span_str(c->curve), SPAN("P-384")) ||
				span_eq(span_str(c->curve), SPAN("P-521")));
	case KEY_FAMILY_ED25519:
		return false;
	case KEY_FAMILY_OTHER:
	case KEY_FAMILY_DSA:
		break;
	}
	return true;
}

/* [30] [31] [32] [33] */
static void
check_keys(struct trust *t, const struct trust_ask *ask, const struct cert *c, int at,
	struct findings *out)
{
	char key[48];
	struct text k = text_to(key, sizeof key);

	if (trust_is_blocked(t, c->spki_sha256)) {
		findings_add(out, VERDICT_BLOCKED, at,
			"the key of %s is on the block list", subject_of(c).s);
	}
	if (trust_is_own(t, c->spki_sha256)) {
		findings_add(out, VERDICT_OWN_AUTHORITY, at,
			"%s is this gateway's own authority", subject_of(c).s);
	}
	if (is_weak_key(c, &ask->options)) {
		cert_key_text(c, &k);
		findings_add(out, VERDICT_WEAK_KEY, at, "the key of %s is %s",
			subject_of(c).s, key);
	}
}

/* [6] [25] [26]; an anchor's own serial number and signature prove nothing anyway. */
static void
check_form(const struct cert *c, int at, bool is_anchor, struct findings *out)
{
	if (c->fault[0]) {
		findings_add(out, VERDICT_MALFORMED, at, "%s: %s", subject_of(c).s,
			c->fault);
	}
	if (c->serial_fault && (!is_anchor || at == 0)) {
		findings_add(out, VERDICT_MALFORMED, at, "%s: %s", subject_of(c).s,
			c->serial_fault);
	}
	if (c->has_unknown_critical) {
		findings_add(out, VERDICT_MALFORMED, at,
			"%s has a critical extension that nobody here knows",
			subject_of(c).s);
	}
	if (c->issuer.n <= 2) {
		findings_add(out, VERDICT_MALFORMED, at, "%s has an empty issuer",
			subject_of(c).s);
	}
	/* A root that names itself as issuer and another key is not what it looks like.
	 */
	if (is_anchor && c->aki.present && c->ski_key.n > 0 &&
		span_eq(c->issuer, c->subject) && !span_eq(c->aki_key, c->ski_key)) {
		findings_add(out, VERDICT_MALFORMED, at,
			"%s: its authorityKeyIdentifier is not its own key's",
			subject_of(c).s);
	}
	if (is_anchor)
		return;
	if (!c->sig) {
		findings_add(out, VERDICT_WEAK_SIGNATURE, at,
			"%s is signed with a method we do not know", subject_of(c).s);
	} else if (c->sig->weak) {
		findings_add(out, VERDICT_WEAK_SIGNATURE, at, "%s is signed with %s",
			subject_of(c).s, c->sig->name);
	}
}

/* [20] [21] [23] */
static void
check_authority(
	const struct cert *c, int at, const struct trust_ask *ask, struct findings *out)
{
	unsigned want =
		ask->options.use == TRUST_CLIENT ? CERT_EKU_CLIENT : CERT_EKU_SERVER;

	if (!c->is_ca) {
		findings_add(out, VERDICT_CA_VIOLATION, at, "%s is no authority",
			subject_of(c).s);
	}
	if (c->version != 3) {
		findings_add(out, VERDICT_CA_VIOLATION, at,
			"%s is a version %u certificate", subject_of(c).s, c->version);
	}
	if (c->usage.present && !(c->key_usage & CERT_KEY_CERT_SIGN)) {
		findings_add(out, VERDICT_CA_VIOLATION, at,
			"%s may not sign certificates", subject_of(c).s);
	}
	if (ask->options.use != TRUST_ANY && c->eku.present &&
		!(c->ekus & (want | CERT_EKU_ANY))) {
		findings_add(out, VERDICT_CA_VIOLATION, at,
			"%s may not issue for this use", subject_of(c).s);
	}
	if (c->subject.n <= 2)
		findings_add(out, VERDICT_MALFORMED, at, "an authority without a name");
}

static bool
is_self_issued(const struct cert *c)
{
	return cert_names_eq(c->issuer, c->subject);
}

/* [21]; RFC 5280 §4.2.1.9: self-issued intermediates do not count. */
static void
check_lengths(const struct path *p, const struct trust_ask *ask, struct findings *out)
{
	int below = 0; /* intermediates between the authority and the leaf */

	for (size_t i = 1; i < p->n; i++) {
		const struct cert *c = p->certs[i];
		if (c->path_len >= 0 && below > c->path_len) {
			findings_add(out, VERDICT_CA_VIOLATION, (int)i,
				"%s allows %d authorities below it, there are %d",
				subject_of(c).s, c->path_len, below);
		}
		if (!is_self_issued(c))
			below++;
	}
	/* The last one counted is the anchor, unless that names itself as its issuer.
	 */
	if (p->n > 1 && !is_self_issued(p->certs[p->n - 1]))
		below--;
	if (ask->options.max_depth >= 0 && below > ask->options.max_depth) {
		findings_add(out, VERDICT_TOO_COMPLEX, 0,
			"%d intermediates, %d are allowed", below,
			ask->options.max_depth);
	}
}

/* [10] to [17], [34] */
static void
check_name(const struct trust_ask *ask, const struct path *p, struct findings *out)
{
	const struct cert *c = p->certs[0];
	char names[120];
	struct text list = text_to(names, sizeof names);

	if (ask->host.n == 0)
		return;
	if (!names_match(c, ask->host, suffixes_system())) {
		names_list(c, &list);
		findings_add(out, VERDICT_WRONG_NAME, 0, "it is for %s", names);
		return;
	}
	if (p->anchor && p->anchor->is_public && !ask->options.private_names &&
		names_is_private(ask->host)) {
		findings_add(out, VERDICT_CA_VIOLATION, 0,
			"no public authority may issue for this private name");
	}
}

/* [23] [21], and what an end entity may not be. */
static void
check_use(const struct trust_ask *ask, const struct cert *c, bool is_anchor,
	struct findings *out)
{
	unsigned want =
		ask->options.use == TRUST_CLIENT ? CERT_EKU_CLIENT : CERT_EKU_SERVER;
	unsigned handshake = CERT_DIGITAL_SIGNATURE | CERT_KEY_ENCIPHERMENT | 1u << 4;

	/* anyExtendedKeyUsage names no use: code signing would be one too. */
	if (ask->options.use != TRUST_ANY && c->eku.present && !(c->ekus & want)) {
		findings_add(out, VERDICT_WRONG_USE, 0,
			"its extendedKeyUsage excludes %s",
			want == CERT_EKU_CLIENT ? "clients" : "servers");
	}
	if (c->usage.present && !(c->key_usage & handshake) && !is_anchor) {
		findings_add(out, VERDICT_WRONG_USE, 0,
			"its keyUsage allows no handshake to be signed");
	}
}

static void
check_end(const struct cert *c, struct findings *out)
{
	if (c->is_ca) {
		findings_add(out, VERDICT_WRONG_USE, 0,
			"an authority's certificate as a server's");
	} else if (c->usage.present && (c->key_usage & CERT_KEY_CERT_SIGN)) {
		findings_add(out, VERDICT_MALFORMED, 0,
			"it may sign certificates and is no authority");
	}
	if (!c->is_ca && c->names.present) {
		findings_add(out, VERDICT_MALFORMED, 0,
			"name constraints in a server's certificate");
	}
	if (c->subject.n <= 2 && c->san.present && !c->san.critical) {
		findings_add(out, VERDICT_MALFORMED, 0,
			"no subject, and subjectAltName is not critical");
	}
}

static void
check_each(struct trust *t, const struct trust_ask *ask, const struct path *p, size_t i,
	struct findings *out)
{
	const struct cert *c = p->certs[i];
	bool is_anchor = p->anchor && i + 1 == p->n;

	check_dates(c, (int)i, ask->now, out);
	check_keys(t, ask, c, (int)i, out);
	check_form(c, (int)i, is_anchor, out);
	if (i > 0) {
		check_authority(c, (int)i, ask, out);
	} else {
		check_use(ask, c, is_anchor, out);
	}
	if (i == 0 && !is_anchor) /* an anchor is named as trusted itself */
		check_end(c, out);
}

void
path_check_leaf(struct trust *t, const struct trust_ask *ask, const struct path *p,
	struct findings *out)
{
	for (size_t i = 0; i < p->n; i++)
		check_each(t, ask, p, i, out);
	check_name(ask, p, out);
}

void
path_check(struct trust *t, const struct trust_ask *ask, const struct path *p,
	struct findings *out)
{
	uint32_t work = PATH_NAMES_WORK;

	path_check_leaf(t, ask, p, out);
	check_lengths(p, ask, out);
	for (size_t i = 1; i < p->n; i++)
		constraints_check(p, i, &work, out);
	if (p->n > 1)
		policy_check(p, out);
	if (ask->options.strict)
		path_lint(p, out);
}

bool
path_is_hopeless(const struct cert *c, const struct trust_ask *ask)
{
	struct findings f = {0};

	check_dates(c, 0, ask->now, &f);
	check_authority(c, 0, ask, &f);
	check_form(c, 0, true, &f);
	return f.mask != 0 || is_weak_key(c, &ask->options);
}
