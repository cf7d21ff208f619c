// SPDX-License-Identifier: Apache-2.0
/*
 * proxy_header: who a connection is for, as the balancer in front says before its first
 * byte (the PROXY protocol, versions 1 and 2, of haproxy's doc/proxy-protocol.txt).
 *
 * Believed only from peers that the configuration names, and from those it is required:
 * otherwise anybody could choose the address that rules see.
 */
#pragma once

#include "base/err.h"
#include "net/addr.h"

enum proxy_turn {
	PROXY_WANTS_MORE,
	PROXY_READY,
	PROXY_BAD, /* not a header, or malformed; *err says how */
};

struct proxy_header {
	bool local; /* the balancer's own connection: the addresses stay as they are */
	struct addr client; /* port 0 and IP_NONE when not told (UNKNOWN, AF_UNIX) */
	struct addr server;
	size_t used; /* octets of the header */
};

enum { PROXY_MOST = 16 + 65535 }; /* octets of the longest header (version 2) */

/* Looks at the first bytes of a stream, all that came so far; consumes nothing. */
MUST_USE enum proxy_turn proxy_header_read(
	struct span s, struct proxy_header *out, struct err *err);
