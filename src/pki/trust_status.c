// SPDX-License-Identifier: Apache-2.0
/*
 * trust_status: in a word or two each, how far a chain goes and where it ends; for
 * logs.
 */
#include "pki/path_priv.h"

static bool
names_itself(const struct cert *c)
{
	return cert_names_eq(c->issuer, c->subject);
}

static struct trust_status
status_of_anchored(const struct verdict *v, const struct anchor *a)
{
	return (struct trust_status){
		.chain = v->proofs & VERDICT_BY_LEARNED ? "completed" : "complete",
		.root = a->is_public ? "trusted (public)" : "trusted (private)",
	};
}

struct trust_status
trust_status(const struct trust *t, const struct verdict *v)
{
	const struct cert *last = v->n_path > 0 ? v->path[v->n_path - 1] : NULL;

	if (!last)
		return (struct trust_status){"unreadable", "unknown"};
	const struct anchor *a = trust_anchor_of(t, last);
	if (a)
		return status_of_anchored(v, a);
	if (names_itself(last)) {
		return (struct trust_status){
			v->n_path == 1 ? "self-signed" : "complete", "untrusted"};
	}
	return (struct trust_status){"incomplete", "unknown"};
}
