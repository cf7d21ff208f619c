// SPDX-License-Identifier: Apache-2.0
/*
 * proxy: which proxy the environment names for a host, as most clients understand it.
 */
#pragma once

#include "base/err.h"

enum { PROXY_NAME = 256, PROXY_AUTH = 512, PROXY_SHOWN = 320 };

struct proxy {
	char host[PROXY_NAME]; /* without brackets; "" when there is no proxy */
	uint16_t port;
	char auth[PROXY_AUTH];   /* credentials in base64 for Basic, or "": a secret */
	char shown[PROXY_SHOWN]; /* with "***@" for credentials: for people */
	const char *from;        /* the variable it stands in */
};

/*
 * HTTPS_PROXY or ALL_PROXY, in lower case first, unless NO_PROXY names the host.
 * True with an empty host when there is none; ERR_USAGE for a proxy we cannot speak to
 * (TLS to the proxy, SOCKS) or read.
 */
MUST_USE bool proxy_for(struct span host, struct proxy *out, struct err *err);

/* Reads "http://user:password@host:port"; the scheme may be missing. */
MUST_USE bool proxy_parse(struct span url, struct proxy *out, struct err *err);
/* Whether a list such as "localhost,.corp.example,10.0.0.0/8" names the host. */
MUST_USE bool proxy_excepts(struct span list, struct span host);
