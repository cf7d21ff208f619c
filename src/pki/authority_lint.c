// SPDX-License-Identifier: Apache-2.0
/*
 * authority_lint: what a CA certificate that people bring along must be, so that their
 * clients will accept what we issue under it. How several of them must belong together
 * is authority_order's; what only shows in use, authority_trial's.
 */
#include "base/clock.h"
#include "pki/authority_priv.h"
#include "pki/cert.h"

/* What is told of the certificate behind the fault; nothing where it is NULL. */
struct lint {
	const char *fault;
	bool (*is_bad)(const struct cert *c);
	void (*tell)(const struct cert *c, struct text *t);
};

static bool
is_not_version_3(const struct cert *c)
{
	return c->version != 3;
}

static bool
is_leaf(const struct cert *c)
{
	return !c->is_ca && (c->san.present || (c->ekus & CERT_EKU_SERVER));
}

static bool
is_no_ca(const struct cert *c)
{
	return !c->basic.present || !c->is_ca;
}

static bool
has_soft_basic(const struct cert *c)
{
	return !c->basic.critical;
}

static bool
may_not_sign(const struct cert *c)
{
	return !c->usage.present || !(c->key_usage & CERT_KEY_CERT_SIGN);
}

static bool
is_nameless(const struct cert *c)
{
	return c->subject.n <= 2; /* an empty SEQUENCE */
}

static bool
has_odd_serial(const struct cert *c)
{
	return c->serial_fault != NULL;
}

static void
tell_serial(const struct cert *c, struct text *t)
{
	text_add(t, "%s", c->serial_fault);
}

static bool
lacks_ski(const struct cert *c)
{
	return c->ski_key.n == 0;
}

static bool
has_critical_ids(const struct cert *c)
{
	return c->ski.critical || c->aki.critical;
}

static bool
has_unknown_critical(const struct cert *c)
{
	return c->has_unknown_critical;
}

static bool
has_weak_key(const struct cert *c)
{
	if (c->family == KEY_FAMILY_RSA)
		return c->bits < 2048 || c->exponent == 1;
	return c->family == KEY_FAMILY_EC && c->bits < 256;
}

static bool
has_foreign_key(const struct cert *c)
{
	return c->family != KEY_FAMILY_RSA && c->family != KEY_FAMILY_EC &&
		c->family != KEY_FAMILY_ED25519;
}

static bool
has_foreign_curve(const struct cert *c)
{
	if (c->family != KEY_FAMILY_EC)
		return false;
	struct span name = span_str(c->curve);
	return !span_eq(name, SPAN("P-256")) && !span_eq(name, SPAN("P-384")) &&
		!span_eq(name, SPAN("P-521"));
}

static bool
has_weak_signature(const struct cert *c)
{
	return !c->sig || (c->sig->weak && !cert_names_eq(c->issuer, c->subject));
}

static void
tell_signature(const struct cert *c, struct text *t)
{
	text_add(t, "%s", c->sig ? c->sig->name : "none that we know");
}

static bool
is_over(const struct cert *c)
{
	return c->not_after < clock_wall();
}

static void
tell_end(const struct cert *c, struct text *t)
{
	char date[CLOCK_TEXT];
	text_add(t, "on %s", clock_text(date, c->not_after * 1000));
}

static bool
has_other_use(const struct cert *c)
{
	return c->eku.present && !(c->ekus & (CERT_EKU_SERVER | CERT_EKU_ANY));
}

/* To add one: what clients would refuse, the gravest first; a row. */
static const struct lint lints[] = {
	{"it is not an X.509 version 3 certificate", is_not_version_3, NULL},
	{"it is a leaf, not an authority (basicConstraints CA:TRUE is missing)",
		is_leaf, NULL},
	{"it is not an authority (basicConstraints CA:TRUE is missing)", is_no_ca,
		NULL},
	{"its basicConstraints are not critical: Python 3.13 and others refuse it",
		has_soft_basic, NULL},
	{"its keyUsage does not allow it to sign certificates", may_not_sign, NULL},
	{"it has no subject, so that nothing can name it as its issuer", is_nameless,
		NULL},
	{"its serial number is one that clients refuse", has_odd_serial, tell_serial},
	{"it has no subjectKeyIdentifier", lacks_ski, NULL},
	{"its key identifiers are critical, and must not be", has_critical_ids, NULL},
	{"it has a critical extension that clients do not know", has_unknown_critical,
		NULL},
	{"its key is of a kind that no TLS client takes", has_foreign_key,
		cert_key_text},
	{"its key is too weak", has_weak_key, cert_key_text},
	{"its key is on a curve that no TLS client takes", has_foreign_curve,
		cert_key_text},
	{"its signature method is too weak", has_weak_signature, tell_signature},
	{"it has expired", is_over, tell_end},
	{"its extendedKeyUsage excludes servers", has_other_use, NULL},
};

static bool
tell_fault(
	const struct cert *c, const char *what, const struct lint *l, struct err *err)
{
	char detail[128];
	struct text t = text_to(detail, sizeof detail);

	if (!l->tell)
		return err_set(err, ERR_PKI_AUTHORITY, "%s: %s", what, l->fault);
	l->tell(c, &t);
	return err_set(err, ERR_PKI_AUTHORITY, "%s: %s (%s)", what, l->fault, detail);
}

static bool
lint_cert(struct cert *c, const char *what, struct err *err)
{
	if (c->fault[0])
		return err_set(err, ERR_PKI_AUTHORITY, "%s: %s", what, c->fault);
	for (size_t i = 0; i < COUNT_OF(lints); i++) {
		if (lints[i].is_bad(c))
			return tell_fault(c, what, &lints[i], err);
	}
	return true;
}

bool
authority_lint_ca(const X509 *x, const char *what, struct err *err)
{
	struct cert *c = cert_from_x509(x, err);
	bool ok = c && lint_cert(c, what, err);

	cert_put(c);
	return ok;
}

static bool
is_self_signed(X509 *x)
{
	return X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0 &&
		X509_verify(x, X509_get0_pubkey(x)) == 1;
}

bool
authority_lint_root(X509 *x, const char *what, struct err *err)
{
	if (!authority_lint_ca(x, what, err))
		return false;
	if (is_self_signed(x))
		return true;
	return ossl_err(err, ERR_PKI_AUTHORITY,
		"%s: it is not self-signed, so it is no root; clients want one", what);
}

bool
authority_lint_begun(const X509 *x, const char *what, struct err *err)
{
	char date[CLOCK_TEXT];
	int64_t from = mint_get_time(X509_get0_notBefore(x));

	return from <= clock_wall() ||
		err_set(err, ERR_PKI_AUTHORITY, "%s: it is not valid before %s", what,
			clock_text(date, from * 1000));
}
