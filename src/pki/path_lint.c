// SPDX-License-Identifier: Apache-2.0
/*
 * path_lint: what a well-kept authority would not issue, though most verifiers bear it
 * (RFC 5280 §4, CA/Browser Forum BR §7.1). Asked for with `strict`; what we mint
 * passes.
 */
#include "pki/path_priv.h"

struct lint {
	const char *fault;
	bool (*is_bad)(const struct cert *c);
};

static bool
is_self_issued(const struct cert *c)
{
	return span_eq(c->issuer, c->subject);
}

static bool
lacks_aki(const struct cert *c)
{
	return c->aki_key.n == 0 && !is_self_issued(c);
}

static bool
has_odd_root_aki(const struct cert *c)
{
	if (!c->aki.present || !is_self_issued(c))
		return false;
	/* Only the key identifier, and its own: 30 len 80 len octets. */
	return c->aki_key.n == 0 || !span_eq(c->aki_key, c->ski_key) ||
		c->aki.value.n != c->aki_key.n + 4;
}

static bool
lacks_ski(const struct cert *c)
{
	return c->is_ca && c->ski_key.n == 0;
}

static bool
has_soft_basic(const struct cert *c)
{
	return c->is_ca && !c->basic.critical;
}

static bool
has_soft_names(const struct cert *c)
{
	return c->names.present && !c->names.critical;
}

static bool
is_root_with_eku(const struct cert *c)
{
	return c->is_ca && is_self_issued(c) && c->eku.present;
}

static bool
lacks_usage(const struct cert *c)
{
	return c->is_ca && !c->usage.present;
}

static bool
lacks_server_eku(const struct cert *c)
{
	return !c->is_ca && !(c->ekus & CERT_EKU_SERVER);
}

static bool
has_critical_eku(const struct cert *c)
{
	return c->eku.critical;
}

static bool
has_critical_san(const struct cert *c)
{
	return c->san.critical && c->subject.n > 2;
}

/* BR §7.1.4.3: the common name, if any, is one of the names, letter for letter. */
static bool
has_other_cn(const struct cert *c)
{
	char cn[256];
	char name[256];
	struct text want = text_to(cn, sizeof cn);
	struct read it = cert_sans(c);
	struct cert_san san;

	cert_common_name(c->subject, &want);
	if (c->is_ca || want.n == 0)
		return false;
	while (cert_next_san(&it, &san)) {
		struct text t = text_to(name, sizeof name);
		cert_san_text(&san, &t);
		if (span_eq(text_span(&t), text_span(&want)))
			return false;
	}
	return true;
}

static const struct lint lints[] = {
	{"no authorityKeyIdentifier", lacks_aki},
	{"a root's authorityKeyIdentifier that is not its own key's alone",
		has_odd_root_aki},
	{"an authority without subjectKeyIdentifier", lacks_ski},
	{"an authority's basicConstraints are not critical", has_soft_basic},
	{"an authority without keyUsage", lacks_usage},
	{"name constraints that are not critical", has_soft_names},
	{"a root with extendedKeyUsage", is_root_with_eku},
	{"a server's certificate without serverAuth", lacks_server_eku},
	{"a critical extendedKeyUsage", has_critical_eku},
	{"a critical subjectAltName beside a subject", has_critical_san},
	{"a common name that is none of the names", has_other_cn},
};

static void
lint_cert(const struct cert *c, int depth, struct findings *out)
{
	for (size_t k = 0; k < COUNT_OF(lints); k++) {
		if (lints[k].is_bad(c)) {
			findings_add(
				out, VERDICT_MALFORMED, depth, "%s", lints[k].fault);
		}
	}
}

void
path_lint(const struct path *p, struct findings *out)
{
	for (size_t i = 0; i < p->n; i++)
		lint_cert(p->certs[i], (int)i, out);
}
