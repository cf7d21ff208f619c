// SPDX-License-Identifier: Apache-2.0
/*
 * authority_lint: what a CA certificate that people bring along must be, so that their
 * clients will accept what we issue under it.
 */
#include "base/clock.h"
#include "pki/authority_priv.h"
#include "pki/cert.h"

struct lint {
	const char *fault;
	bool (*is_bad)(const struct cert *c);
};

static bool
is_no_ca(const struct cert *c)
{
	return !c->basic.present || !c->is_ca;
}

static bool
is_not_version_3(const struct cert *c)
{
	return c->version != 3;
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
lacks_ski(const struct cert *c)
{
	return c->ski_key.n == 0;
}

static bool
has_weak_key(const struct cert *c)
{
	if (c->family == KEY_FAMILY_RSA)
		return c->bits < 2048 || c->exponent == 1;
	return c->family != KEY_FAMILY_EC && c->family != KEY_FAMILY_ED25519;
}

static bool
has_weak_signature(const struct cert *c)
{
	return !c->sig || (c->sig->weak && !cert_names_eq(c->issuer, c->subject));
}

static bool
is_over(const struct cert *c)
{
	return c->not_after < clock_wall();
}

static bool
has_other_use(const struct cert *c)
{
	return c->eku.present && !(c->ekus & (CERT_EKU_SERVER | CERT_EKU_ANY));
}

static const struct lint lints[] = {
	{"it is not an authority (basicConstraints CA:TRUE is missing)", is_no_ca},
	{"it is not an X.509 version 3 certificate", is_not_version_3},
	{"its basicConstraints are not critical: Python 3.13 and others refuse it",
		has_soft_basic},
	{"its keyUsage does not allow it to sign certificates", may_not_sign},
	{"it has no subjectKeyIdentifier", lacks_ski},
	{"its key is too weak", has_weak_key},
	{"its signature method is too weak", has_weak_signature},
	{"it has expired", is_over},
	{"its extendedKeyUsage excludes servers", has_other_use},
};

static bool
lint_cert(struct cert *c, const char *what, struct err *err)
{
	if (c->fault[0])
		return err_set(err, ERR_PKI_AUTHORITY, "%s: %s", what, c->fault);
	for (size_t i = 0; i < COUNT_OF(lints); i++) {
		if (lints[i].is_bad(c)) {
			return err_set(
				err, ERR_PKI_AUTHORITY, "%s: %s", what, lints[i].fault);
		}
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
is_issued_by(X509 *x, X509 *issuer)
{
	return X509_check_issued(issuer, x) == X509_V_OK &&
		X509_verify(x, X509_get0_pubkey(issuer)) == 1;
}

bool
authority_lint_pair(const X509 *root, const struct chain *node, struct err *err)
{
	AUTO_CERTS *list = chain_to_x509(node, 0, err);
	if (!list)
		return false;
	int n = sk_X509_num(list);
	for (int i = 0; i < n; i++) {
		X509 *x = sk_X509_value(list, i);
		X509 *issuer = i + 1 < n ? sk_X509_value(list, i + 1)
					 : (X509 *)(uintptr_t)root;
		if (!authority_lint_ca(x, "node.crt", err))
			return false;
		if (!is_issued_by(x, issuer)) {
			return ossl_err(err, ERR_PKI_AUTHORITY,
				"node.crt: certificate %d was not issued by %s", i + 1,
				i + 1 < n ? "the one behind it" : "root.crt");
		}
	}
	return true;
}
