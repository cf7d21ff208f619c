// SPDX-License-Identifier: Apache-2.0
/*
 * ip: addresses and prefixes as values, without sockets (RFC 4291, RFC 5952).
 *
 * A v4-mapped v6 address becomes its v4 address on the way in, so one host has one
 * value.
 */
#pragma once

#include "base/span.h"

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip {
	uint8_t family; /* enum ip_family */
	/* network order; v4 uses the first four, the rest are zero */
	uint8_t bytes[16];
};

/* Strict: dotted quad without leading zeros, or any RFC 4291 form; no zone, no
 * brackets. */
MUST_USE bool ip_parse(struct span s, struct ip *out);
struct ip ip_v4(uint32_t host_order);
/* From 4 or 16 octets in network order. */
MUST_USE bool ip_from_bytes(struct span s, struct ip *out);

enum { IP_TEXT = 48 };
/* RFC 5952 text into dst (IP_TEXT bytes); returns dst. */
const char *ip_text(char dst[IP_TEXT], const struct ip *ip);

MUST_USE bool ip_eq(const struct ip *a, const struct ip *b);
/* By family, then by octets. */
MUST_USE int ip_cmp(const struct ip *a, const struct ip *b);
/* Number of octets: 4, 16, or 0. */
MUST_USE size_t ip_size(const struct ip *ip);

struct ip_prefix {
	struct ip ip; /* host bits zero */
	uint8_t bits;
};

/* "10.0.0.0/8", "::1/128" or a bare address; host bits must be zero. */
MUST_USE bool ip_prefix_parse(struct span s, struct ip_prefix *out);
MUST_USE bool ip_in(const struct ip *ip, const struct ip_prefix *prefix);

/* What kind of address it is, for deciding whether a stranger may make us connect to
 * it. IANA special-purpose registries (RFC 6890 and its updates); NAT64 (64:ff9b::/96)
 * and 6to4 addresses count as the v4 address inside. */
enum ip_kind {
	IP_PUBLIC,
	IP_LOOPBACK,
	IP_LINK_LOCAL, /* cloud metadata services live here */
	IP_PRIVATE,    /* RFC 1918, unique local, carrier-grade NAT */
	IP_MULTICAST,
	IP_RESERVED, /* unspecified, broadcast, documentation, benchmarking, future */
};
enum ip_kind ip_kind(const struct ip *ip);
const char *ip_kind_name(enum ip_kind kind);
