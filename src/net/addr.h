// SPDX-License-Identifier: Apache-2.0
/*
 * addr: an address with a port, as text and as the kernel has it.
 */
#pragma once

#include "base/ip.h"

struct sockaddr;
struct sockaddr_storage;

struct addr {
	struct ip ip;
	uint16_t port; /* host order */
};

enum { ADDR_TEXT = IP_TEXT + 8 };

/* "192.0.2.1:80", "[2001:db8::1]:80"; ":80" and "*:80" are every address ([::]). */
MUST_USE bool addr_parse(struct span s, struct addr *out);
/* Text in the same form into dst; returns dst. */
const char *addr_text(char dst[ADDR_TEXT], const struct addr *a);
MUST_USE bool addr_eq(const struct addr *a, const struct addr *b);

/*
 * Splits "host:port" or "[v6]:port"; host comes without brackets and is not looked at
 * further than to be non-empty (and, in brackets, an IPv6 address). Without a port,
 * *port becomes default_port; when that is 0 the port must be there. 0 is no port.
 */
MUST_USE bool addr_split(
	struct span s, uint16_t default_port, struct span *host, uint16_t *port);

/* Fills *out and returns its length. IP_NONE makes AF_UNSPEC. */
unsigned addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out);
/* False, and *out zero, for anything but AF_INET and AF_INET6. */
MUST_USE bool addr_from_sockaddr(const struct sockaddr *sa, struct addr *out);

/* This end and the other end of a connected socket. */
MUST_USE bool addr_local(int fd, struct addr *out);
MUST_USE bool addr_peer(int fd, struct addr *out);
/* Where a connection redirected by the packet filter was meant to go
 * (SO_ORIGINAL_DST); false when it was not redirected. With TPROXY ask addr_local(). */
MUST_USE bool addr_original(int fd, struct addr *out);
