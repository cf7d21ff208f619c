// SPDX-License-Identifier: Apache-2.0
#include "net/addr.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"

enum {
	/* Also IP6T_SO_ORIGINAL_DST; their headers clash with netinet. */
	ORIGINAL_DST = 80,
};

static bool
parse_port(struct span s, uint16_t *out)
{
	uint64_t port = 0;
	if (s.n > 5 || !text_u64(s, UINT16_MAX, &port) || port == 0)
		return false;
	*out = (uint16_t)port; /* at most UINT16_MAX */
	return true;
}

/* "[v6]" at the front of *rest, which is moved behind it. */
static bool
split_brackets(struct span *rest, struct span *host)
{
	struct ip ip;
	size_t end = span_chr(*rest, ']');
	*host = span_slice(*rest, 1, end);
	*rest = span_from(*rest, end + 1);
	return span_chr(*host, ':') < host->n && ip_parse(*host, &ip);
}

bool
addr_split(struct span s, uint16_t default_port, struct span *host, uint16_t *port)
{
	struct span name;
	uint16_t number = default_port;

	if (s.n > 0 && s.p[0] == '[') {
		if (!split_brackets(&s, &name))
			return false;
	} else {
		size_t colon = span_chr(s, ':');
		name = span_first(s, colon);
		s = span_from(s, colon);
	}
	if (name.n == 0 || (s.n == 0 && default_port == 0))
		return false;
	if (s.n > 0 && (s.p[0] != ':' || !parse_port(span_from(s, 1), &number)))
		return false;
	*host = name;
	*port = number;
	return true;
}

static bool
parse_any(struct span s, struct addr *out)
{
	static const uint8_t zero[16];
	uint16_t port = 0;
	size_t stars = s.n > 0 && s.p[0] == '*' ? 1 : 0;

	s = span_from(s, stars);
	if (s.n == 0 || s.p[0] != ':' || !parse_port(span_from(s, 1), &port))
		return false;
	out->port = port;
	return ip_from_bytes(span_of(zero, sizeof(zero)), &out->ip);
}

bool
addr_parse(struct span s, struct addr *out)
{
	struct addr a = {0};
	struct span host;

	if (s.n > 0 && (s.p[0] == ':' || s.p[0] == '*')) {
		if (!parse_any(s, &a))
			return false;
	} else if (!addr_split(s, 0, &host, &a.port) || !ip_parse(host, &a.ip)) {
		return false;
	}
	*out = a;
	return true;
}

const char *
addr_text(char dst[ADDR_TEXT], const struct addr *a)
{
	char ip[IP_TEXT];
	ip_text(ip, &a->ip);
	text_format(dst, ADDR_TEXT, a->ip.family == IP_V6 ? "[%s]:%u" : "%s:%u", ip,
		(unsigned)a->port);
	return dst;
}

bool
addr_eq(const struct addr *a, const struct addr *b)
{
	return a->port == b->port && ip_eq(&a->ip, &b->ip);
}

unsigned
addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out)
{
	*out = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	if (a->ip.family == IP_V4) {
		struct sockaddr_in in = {
			.sin_family = AF_INET, .sin_port = htons(a->port)};
		memcpy(&in.sin_addr, a->ip.bytes, sizeof(in.sin_addr));
		memcpy(out, &in, sizeof(in));
		return sizeof(in);
	}
	if (a->ip.family == IP_V6) {
		struct sockaddr_in6 in6 = {
			.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
		memcpy(&in6.sin6_addr, a->ip.bytes, sizeof(in6.sin6_addr));
		memcpy(out, &in6, sizeof(in6));
		return sizeof(in6);
	}
	return sizeof(sa_family_t);
}

bool
addr_from_sockaddr(const struct sockaddr *sa, struct addr *out)
{
	*out = (struct addr){0};
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof(in));
		out->port = ntohs(in.sin_port);
		return ip_from_bytes(
			span_of(&in.sin_addr, sizeof(in.sin_addr)), &out->ip);
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof(in6));
		out->port = ntohs(in6.sin6_port);
		return ip_from_bytes(
			span_of(&in6.sin6_addr, sizeof(in6.sin6_addr)), &out->ip);
	}
	return false;
}

bool
addr_local(int fd, struct addr *out)
{
	struct sockaddr_storage sa = {0};
	socklen_t n = sizeof(sa);
	*out = (struct addr){0};
	return getsockname(fd, (struct sockaddr *)&sa, &n) == 0 &&
		addr_from_sockaddr((struct sockaddr *)&sa, out);
}

bool
addr_peer(int fd, struct addr *out)
{
	struct sockaddr_storage sa = {0};
	socklen_t n = sizeof(sa);
	*out = (struct addr){0};
	return getpeername(fd, (struct sockaddr *)&sa, &n) == 0 &&
		addr_from_sockaddr((struct sockaddr *)&sa, out);
}

bool
addr_original(int fd, struct addr *out)
{
	struct sockaddr_storage sa = {0};
	socklen_t n = sizeof(sa);
	*out = (struct addr){0};
	if (getsockopt(fd, SOL_IP, ORIGINAL_DST, &sa, &n) == 0)
		return addr_from_sockaddr((struct sockaddr *)&sa, out);
	n = sizeof(sa);
	return getsockopt(fd, SOL_IPV6, ORIGINAL_DST, &sa, &n) == 0 &&
		addr_from_sockaddr((struct sockaddr *)&sa, out);
}
