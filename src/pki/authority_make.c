// SPDX-License-Identifier: Apache-2.0
/*
 * authority_make: the certificates of an authority.
 *
 * Bits and criticality as RFC 5280 §4.2 and the strictest client we know want them
 * (Python 3.13: critical basicConstraints and keyUsage, both key identifiers).
 */
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "pki/authority_priv.h"
#include "pki/cert.h"
#include "pki/leaf_priv.h"

enum { ROOT_DAYS = 3650, NODE_DAYS = 365, COMMON_NAME = 65, BACKDATE_S = 3600 };

static const int ca_usage[] = {5, 6, -1}; /* keyCertSign, cRLSign */

static const char *
name_of(const struct authority_wish *wish)
{
	return wish->name ? wish->name : "sekisho CA";
}

static X509_NAME *
new_name(const struct authority_wish *wish, const char *cn)
{
	AUTO(X509_NAME) *name = X509_NAME_new();

	if (!name ||
		!mint_name_add(
			name, NID_organizationName, span_str(wish->organisation)) ||
		!mint_name_add(name, NID_commonName, span_str(cn)))
		return NULL;
	return KEEP(name);
}

static bool
push_subtree(NAME_CONSTRAINTS *nc, const char *domain)
{
	AUTO(GENERAL_SUBTREE) *tree = GENERAL_SUBTREE_new();
	AUTO(ASN1_IA5STRING) *dns = ASN1_IA5STRING_new();

	if (!tree || !dns || ASN1_STRING_set(dns, domain, -1) != 1)
		return false;
	GENERAL_NAME_set0_value(tree->base, GEN_DNS, KEEP(dns));
	if (!sk_GENERAL_SUBTREE_push(nc->permittedSubtrees, tree))
		return false;
	(void)KEEP(tree); /* nc owns it now */
	return true;
}

/* No address at all may be certified either: RFC 5280 §4.2.1.10 constrains only the
 * kinds of names it mentions. */
static bool
exclude_addresses(NAME_CONSTRAINTS *nc, int octets)
{
	static const uint8_t all[32] = {0};
	AUTO(GENERAL_SUBTREE) *tree = GENERAL_SUBTREE_new();
	AUTO(ASN1_OCTET_STRING) *ip = ASN1_OCTET_STRING_new();

	if (!tree || !ip || ASN1_OCTET_STRING_set(ip, all, 2 * octets) != 1)
		return false;
	GENERAL_NAME_set0_value(tree->base, GEN_IPADD, KEEP(ip));
	if (!sk_GENERAL_SUBTREE_push(nc->excludedSubtrees, tree))
		return false;
	(void)KEEP(tree);
	return true;
}

static bool
add_constraints(X509 *x, const char *const *permitted)
{
	if (!permitted || !permitted[0])
		return true;

	AUTO(NAME_CONSTRAINTS) *nc = NAME_CONSTRAINTS_new();
	if (!nc)
		return false;
	nc->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
	nc->excludedSubtrees = sk_GENERAL_SUBTREE_new_null();
	if (!nc->permittedSubtrees || !nc->excludedSubtrees)
		return false;
	for (size_t i = 0; permitted[i]; i++) {
		if (!push_subtree(nc, permitted[i]))
			return false;
	}
	return exclude_addresses(nc, 4) && exclude_addresses(nc, 16) &&
		mint_add(x, NID_name_constraints, nc, true);
}

/* RFC 5280 §4.2.1.10: a name, without a leading dot. */
static bool
check_permitted(const char *const *permitted, struct err *err)
{
	for (size_t i = 0; permitted && permitted[i]; i++) {
		struct span domain = span_str(permitted[i]);
		if (!leaf_name_ok(domain) || span_starts(domain, SPAN("*."))) {
			return err_set(err, ERR_PKI_AUTHORITY,
				"\"%s\" is no domain to permit (as in \"lab.example\")",
				permitted[i]);
		}
	}
	return true;
}

static X509 *
make_ca(const struct mint_plan *plan, int path_len, const char *const *permitted,
	struct err *err)
{
	if (!check_permitted(permitted, err))
		return NULL;
	AUTO(X509) *x = plan->subject ? mint_begin(plan, err) : NULL;
	if (!x || !mint_add_basic(x, true, path_len) || !mint_add_usage(x, ca_usage) ||
		!add_constraints(x, permitted)) {
		ossl_err(err, ERR_PKI_AUTHORITY, "building a CA certificate");
		return NULL;
	}
	return mint_sign(x, plan->signer, err) ? KEEP(x) : NULL;
}

X509 *
authority_make_root(
	const struct authority_wish *wish, const EVP_PKEY *key, struct err *err)
{
	AUTO(X509_NAME) *name = new_name(wish, name_of(wish));
	int64_t days = wish->root_days ? wish->root_days : ROOT_DAYS;
	int64_t start = clock_wall() - BACKDATE_S;
	struct mint_plan plan = {
		.signer = key,
		.subject_key = key,
		.subject = name,
		.not_before = start,
		.not_after = start + days * AUTHORITY_DAY_S - 1,
	};

	/* No path length: a root may come to cross-sign another, which has nodes. */
	return make_ca(&plan, -1, wish->permitted, err);
}

static const char *
name_of_root(const X509 *root, char dst[256])
{
	struct err ignored = {0};
	struct text t = text_to(dst, 256);
	struct cert *c = cert_from_x509(root, &ignored);

	if (c)
		cert_common_name(c->subject, &t);
	cert_put(c);
	return t.n > 0 ? dst : name_of(&(struct authority_wish){0});
}

/* "sekisho CA node gw1": in a fleet one sees at the client which node it was. */
static bool
name_node(const struct authority_wish *wish, const X509 *root, char cn[COMMON_NAME],
	struct err *err)
{
	char host[65] = "";
	char of_root[256];

	if (!wish->node && gethostname(host, sizeof host - 1) != 0)
		return err_set(err, ERR_PKI_AUTHORITY, "this host has no name");
	struct text t = text_to(cn, COMMON_NAME);
	text_add(&t, "%s node %s",
		wish->name ? wish->name : name_of_root(root, of_root),
		wish->node ? wish->node : host);
	if (t.cut) {
		return err_set(err, ERR_PKI_AUTHORITY,
			"the names of authority and node are over 64 characters "
			"together");
	}
	return true;
}

X509 *
authority_make_node(const struct authority_wish *wish,
	const struct authority_node *from, struct err *err)
{
	char cn[COMMON_NAME];

	if (!name_node(wish, from->root, cn, err))
		return NULL;
	AUTO(X509_NAME) *name = new_name(wish, cn);
	int64_t days = wish->node_days ? wish->node_days : NODE_DAYS;
	int64_t start =
		clock_wall() - BACKDATE_S + (int64_t)wish->from_days * AUTHORITY_DAY_S;
	struct mint_plan plan = {
		.issuer = from->root,
		.signer = from->root_key,
		.subject_key = from->node_key,
		.subject = name,
		.not_before = start,
		.not_after = start + days * AUTHORITY_DAY_S - 1,
	};
	int64_t root_start = mint_get_time(X509_get0_notBefore(from->root));
	int64_t root_end = mint_get_time(X509_get0_notAfter(from->root));
	if (plan.not_before < root_start)
		plan.not_before = root_start;
	if (plan.not_after > root_end)
		plan.not_after = root_end;
	return make_ca(&plan, 0, wish->permitted, err);
}
