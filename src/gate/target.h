// SPDX-License-Identifier: Apache-2.0
/*
 * target: where a connection to an origin goes, and all that it must be found by.
 */
#pragma once

#include "base/span.h"

struct gateway;
struct identity; /* pki/identity.h */

/* Spans are borrowed from the session or exchange that wants to go there. */
struct target {
	const struct gateway *g;
	struct span host; /* lower case; a name or an address */
	uint16_t port;
	bool tls;
	struct span sni;   /* what origins are told; usually the host */
	struct span hello; /* said before anything else: PROXY; not shared then */
	struct span alpn;  /* wire form, as offered; empty: none */

	/* What rules say; all zero: as the gateway says. */
	uint16_t min_version; /* as on the wire */
	bool has_revocation;
	int revocation;            /* enum trust_revocation */
	struct identity *identity; /* shown if the origin asks; of the settings */
};
