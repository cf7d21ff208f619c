// SPDX-License-Identifier: Apache-2.0
/*
 * lex_ip: addresses, networks and ranges.
 *
 * A v4-mapped v6 address is refused: fields hold its v4 address, so such a literal
 * would never match. Short v4 networks (10/8) are taken, a bare 10 is not.
 */
#include <string.h>

#include "base/text.h"
#include "rule/lex_priv.h"

static bool
is_ip_octet(uint8_t c)
{
	return ascii_hex(c) >= 0 || c == ':' || c == '.' || c == '/';
}

static bool
take_chunk(struct lexer *l, size_t *from)
{
	*from = l->at;
	while (l->at < l->end && is_ip_octet(l->text.p[l->at]))
		l->at++;
	if (l->at > *from)
		return true;
	return lex_fail(l, l->at, l->end, "expected an address");
}

static bool
has_colon(struct span s)
{
	return span_chr(s, ':') < s.n;
}

static bool
read_address(struct lexer *l, size_t from, size_t to, struct ip *out)
{
	struct span s = span_slice(l->text, from, to);
	if (!ip_parse(s, out)) {
		lex_fail(l, from, to, "not an address");
		if (span_chr(s, '/') < s.n) {
			return lex_hint(
				l, "a network stands in braces: in {10.0.0.0/8}");
		}
		return false;
	}
	if (out->family == IP_V4 && has_colon(s)) {
		char v4[IP_TEXT];
		lex_fail(l, from, to, "a v4-mapped address never matches");
		return lex_hint(l, "such clients are known by %s", ip_text(v4, out));
	}
	return true;
}

bool
lex_ip(struct lexer *l, struct ip *out)
{
	size_t from;
	return take_chunk(l, &from) && read_address(l, from, l->at, out);
}

/* "10" or "192.168": missing octets are zero. */
static bool
read_short_v4(struct span s, struct ip *out)
{
	uint32_t v = 0;
	unsigned parts = 0;
	struct span part;
	if (s.n == 0 || s.p[s.n - 1] == '.')
		return false;
	for (; span_cut(&s, '.', &part); parts++) {
		uint64_t octet;
		bool padded = part.n > 1 && part.p[0] == '0';
		if (parts == 4 || padded || !text_u64(part, UINT8_MAX, &octet))
			return false;
		v = v << 8 | (uint32_t)octet;
	}
	if (parts == 0)
		return false;
	*out = ip_v4(v << 8 * (4 - parts));
	return true;
}

static void
set_host_bits(struct ip *ip, unsigned bits)
{
	for (size_t i = 0; i < ip_size(ip); i++) {
		unsigned from = (unsigned)i * 8;
		if (from >= bits) {
			ip->bytes[i] = UINT8_MAX;
		} else if (bits - from < 8) {
			ip->bytes[i] |= (uint8_t)(UINT8_MAX >> (bits - from));
		}
	}
}

static bool
has_host_bits(const struct ip *ip, unsigned bits)
{
	struct ip mask = {.family = ip->family};
	set_host_bits(&mask, bits);
	for (size_t i = 0; i < ip_size(ip); i++) {
		if ((ip->bytes[i] & mask.bytes[i]) != 0)
			return true;
	}
	return false;
}

/* a.b.c.d/n between offsets, with the slash at `slash`. */
static bool
read_network(
	struct lexer *l, size_t start, size_t slash, struct ip *from, struct ip *to)
{
	struct span address = span_slice(l->text, start, slash);
	struct span length = span_slice(l->text, slash + 1, l->at);
	uint64_t bits;

	if (!read_short_v4(address, from) && !read_address(l, start, slash, from))
		return false;
	unsigned most = from->family == IP_V4 ? 32 : 128;
	if (!text_u64(length, UINT8_MAX, &bits))
		return lex_fail(l, slash + 1, l->at, "not the length of a network");
	if (bits > most) {
		return lex_fail(l, start, l->at,
			"a network length of %u is too long: at most %u",
			(unsigned)bits, most);
	}
	if (has_host_bits(from, (unsigned)bits)) {
		lex_fail(l, start, slash, "the address has bits outside its network");
		char text[IP_TEXT];
		struct ip mask = {.family = from->family};
		set_host_bits(&mask, (unsigned)bits);
		for (size_t i = 0; i < ip_size(from); i++)
			from->bytes[i] &= (uint8_t)~mask.bytes[i];
		return lex_hint(
			l, "did you mean %s/%u?", ip_text(text, from), (unsigned)bits);
	}
	*to = *from;
	set_host_bits(to, (unsigned)bits);
	return true;
}

bool
lex_ip_range(struct lexer *l, struct ip *from, struct ip *to)
{
	size_t start;
	if (!take_chunk(l, &start))
		return false;
	struct span chunk = span_slice(l->text, start, l->at);
	size_t dots = span_find(chunk, SPAN(".."));
	size_t slash = span_chr(chunk, '/');

	if (dots < chunk.n) {
		if (!read_address(l, start, start + dots, from) ||
			!read_address(l, start + dots + 2, l->at, to))
			return false;
		if (from->family != to->family || ip_cmp(from, to) > 0) {
			return lex_fail(l, start, l->at,
				"both ends of a range are of one family, in order");
		}
		return true;
	}
	if (slash < chunk.n)
		return read_network(l, start, start + slash, from, to);
	struct ip bare;
	if (!ip_parse(chunk, &bare) && read_short_v4(chunk, &bare)) {
		lex_fail(l, start, l->at, "not a whole address");
		return lex_hint(
			l, "a network is written with its length, such as 10/8");
	}
	if (!read_address(l, start, l->at, from))
		return false;
	*to = *from;
	return true;
}
