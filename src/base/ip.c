// SPDX-License-Identifier: Apache-2.0
#include "base/ip.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct ip
ip_v4(uint32_t host_order)
{
	return (struct ip){IP_V4,
		{(uint8_t)(host_order >> 24), (uint8_t)(host_order >> 16),
			(uint8_t)(host_order >> 8), (uint8_t)host_order}};
}

bool
ip_from_bytes(struct span s, struct ip *out)
{
	struct ip ip = {0};
	if (s.n == 16 && memcmp(s.p, v4_mapped, sizeof(v4_mapped)) == 0)
		s = span_from(s, sizeof(v4_mapped));
	if (s.n != 4 && s.n != 16)
		return false;
	ip.family = s.n == 4 ? IP_V4 : IP_V6;
	memcpy(ip.bytes, s.p, s.n);
	*out = ip;
	return true;
}

/* inet_pton() is strict already: no octal, no short forms, no zones, no brackets. */
bool
ip_parse(struct span s, struct ip *out)
{
	char text[IP_TEXT];
	uint8_t bytes[16];
	if (!span_copy(text, sizeof(text), s))
		return false;
	if (inet_pton(AF_INET, text, bytes) == 1)
		return ip_from_bytes(span_of(bytes, 4), out);
	return inet_pton(AF_INET6, text, bytes) == 1 &&
		ip_from_bytes(span_of(bytes, 16), out);
}

const char *
ip_text(char dst[IP_TEXT], const struct ip *ip)
{
	struct text t = text_to(dst, IP_TEXT);
	if (ip->family == IP_V4) {
		for (size_t i = 0; i < 4; i++) {
			text_put(&t, i > 0 ? SPAN(".") : SPAN(""));
			text_put_uint(&t, ip->bytes[i]);
		}
	} else if (ip->family == IP_NONE ||
		!inet_ntop(AF_INET6, ip->bytes, dst, IP_TEXT)) {
		text_put(&t, SPAN("none"));
	}
	return dst;
}

size_t
ip_size(const struct ip *ip)
{
	return ip->family == IP_V4 ? 4 : ip->family == IP_V6 ? 16 : 0;
}

bool
ip_eq(const struct ip *a, const struct ip *b)
{
	return ip_cmp(a, b) == 0;
}

int
ip_cmp(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* Whether a and b agree in their first n bits. */
static bool
same_bits(const uint8_t *a, const uint8_t *b, size_t n)
{
	if (memcmp(a, b, n / 8) != 0)
		return false;
	uint8_t mask = (uint8_t)(0xff00 >> n % 8);
	return n % 8 == 0 || ((a[n / 8] ^ b[n / 8]) & mask) == 0;
}

static bool
host_bits_are_zero(const struct ip_prefix *p)
{
	for (size_t bit = p->bits; bit < ip_size(&p->ip) * 8; bit++) {
		if (p->ip.bytes[bit / 8] & 0x80 >> bit % 8)
			return false;
	}
	return true;
}

bool
ip_prefix_parse(struct span s, struct ip_prefix *out)
{
	struct ip_prefix p = {0};
	size_t slash = span_chr(s, '/');
	if (!ip_parse(span_first(s, slash), &p.ip))
		return false;
	uint64_t bits = ip_size(&p.ip) * 8;
	struct span digits = span_from(s, slash + 1);
	if (slash < s.n &&
		(digits.n > 3 || (digits.n > 1 && digits.p[0] == '0') ||
			!text_u64(digits, bits, &bits)))
		return false;
	p.bits = (uint8_t)bits;
	if (!host_bits_are_zero(&p))
		return false;
	*out = p;
	return true;
}

bool
ip_in(const struct ip *ip, const struct ip_prefix *prefix)
{
	return ip->family == prefix->ip.family &&
		same_bits(ip->bytes, prefix->ip.bytes, prefix->bits);
}

struct special {
	uint8_t bytes[16];
	uint8_t bits;
	enum ip_kind kind;
};

/* IANA IPv4 and IPv6 Special-Purpose Address Registries; the first match counts. */
// clang-format off
static const struct special special_v4[] = {
	{{0},                8, IP_RESERVED},   /* "this network" */
	{{10},               8, IP_PRIVATE},    /* RFC 1918 */
	{{100, 64},         10, IP_PRIVATE},    /* RFC 6598, carrier-grade NAT */
	{{127},              8, IP_LOOPBACK},
	{{169, 254},        16, IP_LINK_LOCAL}, /* RFC 3927 */
	{{172, 16},         12, IP_PRIVATE},
	{{192, 0, 0},       24, IP_RESERVED},   /* RFC 6890 */
	{{192, 0, 2},       24, IP_RESERVED},   /* TEST-NET-1 */
	{{192, 88, 99},     24, IP_RESERVED},   /* 6to4 relay anycast */
	{{192, 168},        16, IP_PRIVATE},
	{{198, 18},         15, IP_RESERVED},   /* benchmarking */
	{{198, 51, 100},    24, IP_RESERVED},   /* TEST-NET-2 */
	{{203, 0, 113},     24, IP_RESERVED},   /* TEST-NET-3 */
	{{224},              4, IP_MULTICAST},
	{{240},              4, IP_RESERVED},
};
static const struct special special_v6[] = {
	{{[15] = 1},       128, IP_LOOPBACK},
	{{0},               96, IP_RESERVED},   /* unspecified, v4-compatible */
	{{0, 0x64, 0xff, 0x9b, 0, 1}, 48, IP_PRIVATE}, /* RFC 8215 local NAT64 */
	{{1},               64, IP_RESERVED},   /* discard, RFC 6666 */
	{{0x20, 1, 0},      23, IP_RESERVED},   /* Teredo, ORCHID and kin */
	{{0x20, 1, 0x0d, 0xb8}, 32, IP_RESERVED}, /* documentation */
	{{0x3f, 0xff},      20, IP_RESERVED},   /* documentation, RFC 9637 */
	{{0x5f},            16, IP_RESERVED},   /* SRv6, RFC 9602 */
	{{0xfc},             7, IP_PRIVATE},    /* unique local */
	{{0xfe, 0x80},      10, IP_LINK_LOCAL},
	{{0xfe, 0xc0},      10, IP_PRIVATE},    /* site local, withdrawn */
	{{0xff},             8, IP_MULTICAST},
};
// clang-format on

static enum ip_kind
look_up(const struct special *rows, size_t n, const struct ip *ip)
{
	for (size_t i = 0; i < n; i++) {
		if (same_bits(ip->bytes, rows[i].bytes, rows[i].bits))
			return rows[i].kind;
	}
	return IP_PUBLIC;
}

/* The v4 address that a translator would send this one to. */
static bool
embedded_v4(const struct ip *ip, struct ip *v4)
{
	static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
	if (memcmp(ip->bytes, nat64, sizeof(nat64)) == 0)
		return ip_from_bytes(span_of(ip->bytes + 12, 4), v4);
	if (ip->bytes[0] == 0x20 && ip->bytes[1] == 0x02) /* 6to4 */
		return ip_from_bytes(span_of(ip->bytes + 2, 4), v4);
	return false;
}

enum ip_kind
ip_kind(const struct ip *ip)
{
	struct ip v4;
	if (ip->family == IP_V4)
		return look_up(special_v4, COUNT_OF(special_v4), ip);
	if (ip->family != IP_V6)
		return IP_RESERVED;
	if (embedded_v4(ip, &v4))
		return look_up(special_v4, COUNT_OF(special_v4), &v4);
	return look_up(special_v6, COUNT_OF(special_v6), ip);
}

const char *
ip_kind_name(enum ip_kind kind)
{
	static const char *const names[] = {
		[IP_PUBLIC] = "public",
		[IP_LOOPBACK] = "loopback",
		[IP_LINK_LOCAL] = "link-local",
		[IP_PRIVATE] = "private",
		[IP_MULTICAST] = "multicast",
		[IP_RESERVED] = "reserved",
	};
	return names[kind];
}
