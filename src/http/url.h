// SPDX-License-Identifier: Apache-2.0
/*
 * url: request targets and authorities, each with one reading only (RFC 9112 §3.2).
 *
 * Whatever two parsers could understand differently is refused: userinfo, fragments,
 * octets outside visible ASCII, percent signs in hosts, numbers that some resolvers
 * take for addresses ("127.1", "0x7f.1"), zones, empty ports.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"

enum url_form {
	URL_ORIGIN,    /* /path?query */
	URL_ABSOLUTE,  /* http://host/path?query */
	URL_AUTHORITY, /* host:port, with CONNECT only */
	URL_ASTERISK,  /* *, with OPTIONS only */
};

struct url_target {
	enum url_form form;
	struct span scheme;    /* absolute form: as sent */
	struct span authority; /* absolute and authority form: as sent */
	struct span path; /* with query; "/" or "*" when the target leaves it out */
};

/*
 * Splits a request target as sent with this method (enum http_method). The spans point
 * into s, or to constants. The authority is checked. Schemes are http and https (ws and
 * wss never appear in requests).
 */
MUST_USE bool url_target_parse(
	struct span s, unsigned method, struct url_target *out, struct err *err);

struct url_host {
	struct span name; /* lower case, without brackets or a final dot; addresses in
			     canonical text. In the arena. */
	struct ip ip;     /* family IP_NONE when it is a name */
	uint16_t port;    /* as sent, or the default */
	bool has_port;    /* it was sent */
	bool has_end_dot; /* "example.org." was sent */
};

/* Splits host[:port]. default_port 0 means that one must be there. Port 0 is refused.
 */
MUST_USE bool url_host_parse(struct span s, uint16_t default_port, struct arena *a,
	struct url_host *out, struct err *err);
/* The same question without an answer: no arena, nothing kept. */
MUST_USE bool url_host_check(struct span s, struct err *err);
/* A name alone, such as an SNI value: a DNS name, not an address, no port, no dot at
 * the end. Labels of letters, digits, '-' and '_', up to 63; 253 in all. */
MUST_USE bool url_name_check(struct span s);
/* Same host and same port, where each takes default_port when it has none. */
MUST_USE bool url_host_same(struct span a, struct span b, uint16_t default_port);

/* Path and query of a path as in http_head; the query is without '?'. False when there
 * is no '?': *query is then empty. */
bool url_split(struct span target, struct span *path, struct span *query);
/* The next "key=value" of a query, both as sent; a piece without '=' has an empty
 * value. False at the end. */
MUST_USE bool url_query_next(struct span *rest, struct span *key, struct span *value);
/* Undoes %XX (and '+' when plus) into the arena; a bad escape stays as it is. False
 * when the arena has no room. */
MUST_USE bool url_unescape(struct arena *a, struct span s, bool plus, struct span *out);
