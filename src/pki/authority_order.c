// SPDX-License-Identifier: Apache-2.0
/*
 * authority_order: whether the certificates of an authority belong together: each
 * issued by the next, the last by the root, and no path longer than those above allow.
 */
#include "pki/authority_priv.h"
#include "pki/cert.h"

static bool
has_issued(X509 *issuer, X509 *x)
{
	return X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(x)) ==
		0;
}

static const char *
name_of(const X509 *x, char *dst, size_t cap)
{
	struct err ignored = {0};
	struct text t = text_to(dst, cap);
	struct cert *c = cert_from_x509(x, &ignored);

	if (c)
		cert_name_text(c->subject, &t);
	cert_put(c);
	return dst;
}

/* Whether another order would do: each has its issuer somewhere in the list. */
static bool
is_shuffled(const STACK_OF(X509) * list, X509 *root)
{
	int n = sk_X509_num(list);

	for (int i = 0; i < n; i++) {
		bool found = has_issued(root, sk_X509_value(list, i));
		for (int k = 0; k < n && !found; k++) {
			found = k != i &&
				has_issued(
					sk_X509_value(list, k), sk_X509_value(list, i));
		}
		if (!found)
			return false;
	}
	return n > 1;
}

/* Of x and the one above it, which has the right name. */
static bool
check_link(X509 *x, X509 *issuer, const char *which, struct err *err)
{
	int why = X509_check_issued(issuer, x);

	if (why == X509_V_ERR_AKID_SKID_MISMATCH ||
		why == X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH) {
		return ossl_err(err, ERR_PKI_AUTHORITY,
			"%s: its authorityKeyIdentifier names another key than its "
			"issuer's",
			which);
	}
	if (X509_verify(x, X509_get0_pubkey(issuer)) != 1) {
		return ossl_err(err, ERR_PKI_AUTHORITY,
			"%s: it was not issued by the key above it, though by that "
			"name: its signature is another's",
			which);
	}
	if (X509_cmp(x, issuer) != 0 && !X509_get0_authority_key_id(x)) {
		return ossl_err(err, ERR_PKI_AUTHORITY,
			"%s: it has no authorityKeyIdentifier: Python 3.13 and others "
			"refuse it",
			which);
	}
	return true;
}

/* RFC 5280 §4.2.1.9: how many authorities may follow; the self-issued do not count. */
static bool
check_length(X509 *x, long below, const char *which, struct err *err)
{
	long most = X509_get_pathlen(x);

	if (most < 0 || below <= most)
		return true;
	return err_set(err, ERR_PKI_AUTHORITY,
		"%s: its path length allows %ld authorities below it, and there are "
		"%ld",
		which, most, below);
}

static bool
check_one(const STACK_OF(X509) * list, int i, X509 *root, struct err *err)
{
	char which[64] = "node.crt";
	char mine[128];
	char theirs[128];
	X509 *x = sk_X509_value(list, i);
	X509 *issuer = i + 1 < sk_X509_num(list) ? sk_X509_value(list, i + 1) : root;

	if (sk_X509_num(list) > 1) {
		(void)text_format(
			which, sizeof which, "node.crt, certificate %d", i + 1);
	}
	if (!authority_lint_ca(x, which, err))
		return false;
	if (has_issued(issuer, x))
		return check_link(x, issuer, which, err);
	if (is_shuffled(list, root)) {
		return err_set(err, ERR_PKI_AUTHORITY,
			"the certificates are in the wrong order: the issuing one "
			"comes "
			"first, then the one above it, and so on");
	}
	return err_set(err, ERR_PKI_AUTHORITY, "%s: \"%s\" was not issued by \"%s\"",
		which, name_of(x, mine, sizeof mine),
		name_of(issuer, theirs, sizeof theirs));
}

bool
authority_lint_pair(X509 *root, const struct chain *node, struct err *err)
{
	AUTO_CERTS *list = chain_to_x509(node, 0, err);
	int n = list ? sk_X509_num(list) : 0;
	long below = 0;

	for (int i = 0; i < n; i++) {
		X509 *x = sk_X509_value(list, i);
		if (!check_one(list, i, root, err) ||
			!check_length(x, below, "node.crt", err))
			return false;
		below += !has_issued(x, x);
	}
	return list && check_length(root, below, "the root", err);
}
