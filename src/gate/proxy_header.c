// SPDX-License-Identifier: Apache-2.0
#include "gate/proxy_header.h"

#include "base/read.h"
#include "base/text.h"

static const struct span signature_v2 = SPAN_INIT("\r\n\r\n\0\r\nQUIT\n");

enum {
	V1_MOST = 107, /* octets of the longest line, CR LF included */
	V2_HEAD = 16,
	COMMAND_LOCAL = 0,
	COMMAND_PROXY = 1,
	FAMILY_V4 = 1,
	FAMILY_V6 = 2,
};

static enum proxy_turn
refuse(struct err *err, const char *why)
{
	(void)err_set(err, ERR_GATE_PROXY_HEADER, "%s", why);
	return PROXY_BAD;
}

static bool
read_port(struct span s, uint16_t *port)
{
	uint64_t v = 0;
	if (s.n > 1 && s.p[0] == '0')
		return false;
	if (!text_u64(s, 65535, &v))
		return false;
	*port = (uint16_t)v;
	return true;
}

static bool
read_v1_addresses(struct span rest, enum ip_family family, struct proxy_header *h)
{
	struct span word[4] = {{0}};
	for (size_t i = 0; i < COUNT_OF(word); i++) {
		if (!span_cut(&rest, ' ', &word[i]))
			return false;
	}
	return rest.n == 0 && ip_parse(word[0], &h->client.ip) &&
		ip_parse(word[1], &h->server.ip) && h->client.ip.family == family &&
		h->server.ip.family == family && read_port(word[2], &h->client.port) &&
		read_port(word[3], &h->server.port);
}

/* "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n" */
static enum proxy_turn
read_v1(struct span s, struct proxy_header *out, struct err *err)
{
	struct proxy_header h = {0};
	size_t end = span_find(span_first(s, V1_MOST), SPAN("\r\n"));
	if (end == span_first(s, V1_MOST).n) {
		return s.n >= V1_MOST ? refuse(err, "the line has no end")
				      : PROXY_WANTS_MORE;
	}
	struct span line = span_slice(s, 6, end);
	bool ok = false;
	if (span_starts(line, SPAN("TCP4 "))) {
		ok = read_v1_addresses(span_from(line, 5), IP_V4, &h);
	} else if (span_starts(line, SPAN("TCP6 "))) {
		ok = read_v1_addresses(span_from(line, 5), IP_V6, &h);
	} else if (span_eq(line, SPAN("UNKNOWN")) ||
		span_starts(line, SPAN("UNKNOWN "))) {
		ok = h.local = true;
	}
	if (!ok)
		return refuse(err, "the line of version 1 is malformed");
	h.used = end + 2;
	*out = h;
	return PROXY_READY;
}

static bool
read_v2_addresses(struct read *r, size_t octets, struct proxy_header *h)
{
	struct span client = read_bytes(r, octets);
	struct span server = read_bytes(r, octets);
	h->client.port = (uint16_t)read_be(r, 2);
	h->server.port = (uint16_t)read_be(r, 2);
	return !r->bad && ip_from_bytes(client, &h->client.ip) &&
		ip_from_bytes(server, &h->server.ip);
}

/* What follows the addresses (type-length-values) is not used. */
static enum proxy_turn
read_v2(struct span s, struct proxy_header *out, struct err *err)
{
	struct proxy_header h = {0};
	if (s.n < V2_HEAD)
		return PROXY_WANTS_MORE;
	struct read r = read_from(span_from(s, signature_v2.n));
	uint32_t command = read_be(&r, 1);
	uint32_t family = read_be(&r, 1) >> 4;
	size_t n = read_be(&r, 2);
	if (command >> 4 != 2 || (command & 15) > COMMAND_PROXY)
		return refuse(err, "version 2 with a command that does not exist");
	if (s.n < V2_HEAD + n)
		return PROXY_WANTS_MORE;
	struct read body = read_from(span_slice(s, V2_HEAD, V2_HEAD + n));
	bool ok = true;
	h.local = (command & 15) == COMMAND_LOCAL;
	if (!h.local && family == FAMILY_V4) {
		ok = read_v2_addresses(&body, 4, &h);
	} else if (!h.local && family == FAMILY_V6) {
		ok = read_v2_addresses(&body, 16, &h);
	} else {
		h.local = true; /* a family without addresses for us */
	}
	if (!ok)
		return refuse(err, "version 2 with too few octets of addresses");
	h.used = V2_HEAD + n;
	*out = h;
	return PROXY_READY;
}

/* Whether s is the beginning of sign, or goes on behind it. */
static bool
may_be(struct span s, struct span sign)
{
	size_t n = s.n < sign.n ? s.n : sign.n;
	return span_eq(span_first(s, n), span_first(sign, n));
}

enum proxy_turn
proxy_header_read(struct span s, struct proxy_header *out, struct err *err)
{
	static const struct span signature_v1 = SPAN_INIT("PROXY ");
	if (may_be(s, signature_v2))
		return s.n < signature_v2.n ? PROXY_WANTS_MORE : read_v2(s, out, err);
	if (may_be(s, signature_v1))
		return s.n < signature_v1.n ? PROXY_WANTS_MORE : read_v1(s, out, err);
	return refuse(err, "the connection does not begin with a PROXY header");
}
