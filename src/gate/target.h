// SPDX-License-Identifier: Apache-2.0
/*
 * target: where a connection to an origin goes, and all that it must be found by.
 */
#pragma once

#include "base/span.h"
#include "gate/manner.h"

struct gateway;
struct identity; /* pki/identity.h */
struct trust;    /* pki/trust.h */

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
	struct manner manner;
	bool has_revocation;
	int revocation;            /* enum trust_revocation */
	struct identity *identity; /* shown if the origin asks; of the settings */

	/* What a site says; 0: as the gateway says. */
	struct trust *trust; /* of the settings; NULL: the gateway's */
	uint64_t connect_ms;
	uint64_t handshake_ms;
	uint64_t idle_ms;
};

/* What its certificate is verified against. */
struct trust *target_trust(const struct target *to);
/* How long a step may take, and how long a connection is kept. */
uint64_t target_connect_ms(const struct target *to);
uint64_t target_handshake_ms(const struct target *to);
uint64_t target_idle_ms(const struct target *to);
