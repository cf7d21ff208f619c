// SPDX-License-Identifier: Apache-2.0
/*
 * resolve: names to addresses, without waiting.
 *
 * c-ares asks, A and AAAA side by side; the second answer is waited for 50 ms at most
 * once the first is there (RFC 8305 §3). In front of it are literals, the hosts file as
 * it was at start (no file is read later), and a cache bounded in bytes with negative
 * answers. The same name asked twice at once is one question.
 */
#pragma once

#include "base/err.h"
#include "base/ip.h"
#include "net/loop.h"

enum { RESOLVE_MOST = 16 }; /* addresses kept per name */

struct resolver;

struct resolve_options {
	const char *servers; /* "192.0.2.1:53,[2001:db8::1]:5353"; NULL: resolv.conf */
	const char *hosts_path;  /* NULL: /etc/hosts; "" none */
	size_t cache_bytes;      /* 0: 1 MiB */
	uint32_t ttl_least_s;    /* 0: 1 */
	uint32_t ttl_most_s;     /* 0: 3600 */
	uint32_t ttl_negative_s; /* 0: 10 */
	uint32_t timeout_ms;     /* for the first try at a server; 0: 2000 */
};

/* NULL and *err if c-ares cannot start. Reads resolv.conf and hosts: call it before
 * the process gives up its files. The loop outlives it. */
MUST_USE struct resolver *resolve_open(
	struct loop *loop, const struct resolve_options *o, struct err *err);
/* Questions still open are dropped without done(). */
void resolve_close(struct resolver *r);

/* One question. Set done; the rest is the answer. */
struct resolve {
	void (*done)(struct resolve *q); /* from the loop; q may be used again in it */

	size_t n;                    /* addresses; 0 when it failed */
	struct ip ips[RESOLVE_MOST]; /* IPv6 first and families alternating */
	uint32_t ttl_s;              /* how long this may be kept */
	enum err_code code; /* ERR_NONE, ERR_NET_NAME_UNKNOWN, ERR_NET_NAME_FAILED */
	const char *why;    /* static text behind a failure */
	bool cached;

	/* Private. */
	struct list in;
};

/* Asks for host: a name or a literal, without brackets, at most 253 octets. True: the
 * answer is there already and done() will not be called. False: it will. */
MUST_USE bool resolve_start(struct resolver *r, struct resolve *q, struct span host);
/* done() will not be called. Harmless when nothing is asked. */
void resolve_cancel(struct resolve *q);
/* Forgets all answers (not the hosts file). */
void resolve_flush(struct resolver *r);
