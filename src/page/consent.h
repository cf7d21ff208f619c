// SPDX-License-Identifier: Apache-2.0
/*
 * consent: who was warned and goes on all the same.
 *
 * The warning page carries a link, the link sets a cookie, and the cookie lets requests
 * pass for a while. Both are sealed (HMAC-SHA-256) for one client address and one host
 * and carry their own end, so nothing is stored and every worker and generation knows
 * them. The cookie is ours: it never reaches the origin.
 */
#pragma once

#include "base/arena.h"
#include "base/ip.h"
#include "http/msg.h"

enum { CONSENT_SECRET = 32, CONSENT_LINK_S = 600, CONSENT_MOST_S = 30 * 86400 };

/* Whom a consent binds. */
struct consent_scope {
	const uint8_t *secret; /* CONSENT_SECRET octets */
	struct ip client;
	struct span host;
	bool tls;
	/* What people were warned of, beyond the host: another thing to be warned of is
	 * another consent, with a cookie of its own. Empty: by a rule. */
	struct span about;
};

/* The path that continues to `to` (a path with query) and is good for CONSENT_LINK_S;
 * the consent then lasts for_s. */
struct span consent_link(struct arena *a, const struct consent_scope *scope,
	uint64_t for_s, struct span to);

/* A request for such a link. */
struct consent_click {
	struct span to;     /* where to go on */
	struct span cookie; /* value of Set-Cookie */
};

/* Whether a request's path is one of our links at all. */
MUST_USE bool consent_is_link(struct span path);
/* False when the seal is wrong or the link is too old. */
MUST_USE bool consent_click(struct arena *a, const struct consent_scope *scope,
	struct span path, struct consent_click *out);

/* Whether the request carries a consent that is still good. */
MUST_USE bool consent_given(
	const struct consent_scope *scope, const struct http_fields *fields);
/* Takes our cookie out of the request, in place. */
void consent_strip(struct http_head *request);
