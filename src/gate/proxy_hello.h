// SPDX-License-Identifier: Apache-2.0
/*
 * proxy_hello: the PROXY protocol header that a connection to an origin begins with
 * (the protocol's specification, §2.1 and §2.2): who the client is.
 */
#pragma once

#include "net/addr.h"

enum { PROXY_HELLO_MOST = 1024 };

struct proxy_hello {
	struct addr client;
	struct addr server; /* that the client connected to */
	/* Version 2 only; empty: not told. */
	struct span alpn;        /* spoken with the client */
	struct span name;        /* it asked for */
	struct span tls_version; /* "TLSv1.3"; empty: no TLS */
	struct span tls_cipher;
	struct span common_name; /* of its certificate */
	bool has_cert;
	bool verified;
};

/* Both into dst[PROXY_HELLO_MOST]; empty when it does not fit. Addresses of two
 * families are told as unknown. */
struct span proxy_hello_v1(const struct proxy_hello *h, uint8_t *dst);
struct span proxy_hello_v2(const struct proxy_hello *h, uint8_t *dst);

/* For a connection that is our own and speaks of no client; version 1 or 2. */
struct span proxy_hello_own(int version);

/* The first CN of an RFC 4514 name, or empty; also empty when it is written with
 * escapes, which would have to be understood. */
struct span proxy_hello_common_name(struct span subject);
