// SPDX-License-Identifier: Apache-2.0
#include "gate/proxy_hello.h"

#include "base/read.h"
#include "base/text.h"

enum {
	V2_PROXY = 0x21,
	V2_TCP4 = 0x11,
	V2_TCP6 = 0x21,
	V2_UNSPEC = 0x00,

	TLV_ALPN = 0x01,
	TLV_AUTHORITY = 0x02,
	TLV_SSL = 0x20,
	TLV_SSL_VERSION = 0x21,
	TLV_SSL_CN = 0x22,
	TLV_SSL_CIPHER = 0x23,

	CLIENT_SSL = 1,
	CLIENT_CERT_CONN = 2,
};

static bool
same_family(const struct proxy_hello *h)
{
	return h->client.ip.family == h->server.ip.family &&
		h->client.ip.family != IP_NONE;
}

struct span
proxy_hello_v1(const struct proxy_hello *h, uint8_t *dst)
{
	char client[IP_TEXT];
	char server[IP_TEXT];
	struct text t = text_to((char *)dst, PROXY_HELLO_MOST);

	if (!same_family(h)) {
		text_put(&t, SPAN("PROXY UNKNOWN\r\n"));
		return text_span(&t);
	}
	text_add(&t, "PROXY TCP%d %s %s %u %u\r\n",
		h->client.ip.family == IP_V4 ? 4 : 6, ip_text(client, &h->client.ip),
		ip_text(server, &h->server.ip), h->client.port, h->server.port);
	return text_span(&t);
}

static void
put_tlv(struct write *w, uint32_t type, struct span value)
{
	if (value.n == 0)
		return;
	write_be(w, type, 1);
	size_t mark = write_open(w, 2);
	write_span(w, value);
	write_close(w, mark, 2);
}

static struct span
octets_of(const struct ip *ip)
{
	return span_of(ip->bytes, ip->family == IP_V4 ? 4 : 16);
}

static void
put_addresses(struct write *w, const struct proxy_hello *h)
{
	write_span(w, octets_of(&h->client.ip));
	write_span(w, octets_of(&h->server.ip));
	write_be(w, h->client.port, 2);
	write_be(w, h->server.port, 2);
}

static void
put_tls(struct write *w, const struct proxy_hello *h)
{
	if (h->tls_version.n == 0)
		return;
	write_be(w, TLV_SSL, 1);
	size_t mark = write_open(w, 2);
	write_be(w, CLIENT_SSL | (h->has_cert ? CLIENT_CERT_CONN : 0), 1);
	write_be(w, h->verified ? 0 : 1, 4);
	put_tlv(w, TLV_SSL_VERSION, h->tls_version);
	put_tlv(w, TLV_SSL_CIPHER, h->tls_cipher);
	if (h->verified)
		put_tlv(w, TLV_SSL_CN, h->common_name);
	write_close(w, mark, 2);
}

struct span
proxy_hello_v2(const struct proxy_hello *h, uint8_t *dst)
{
	struct write w = write_to(dst, PROXY_HELLO_MOST);
	bool known = same_family(h);
	uint32_t family = h->client.ip.family == IP_V4 ? V2_TCP4 : V2_TCP6;

	write_span(&w, SPAN("\r\n\r\n\0\r\nQUIT\n"));
	write_be(&w, V2_PROXY, 1);
	write_be(&w, known ? family : V2_UNSPEC, 1);
	size_t mark = write_open(&w, 2);
	if (known)
		put_addresses(&w, h);
	put_tlv(&w, TLV_ALPN, h->alpn);
	put_tlv(&w, TLV_AUTHORITY, h->name);
	put_tls(&w, h);
	write_close(&w, mark, 2);
	return write_done(&w);
}

/* In version 2 the command is LOCAL, and nothing follows. */
struct span
proxy_hello_own(int version)
{
	return version == 1 ? SPAN("PROXY UNKNOWN\r\n")
			    : SPAN("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0");
}

struct span
proxy_hello_common_name(struct span subject)
{
	struct span part;

	if (span_chr(subject, '\\') < subject.n || span_chr(subject, '"') < subject.n)
		return (struct span){0};
	while (span_cut(&subject, ',', &part)) {
		part = span_trim(part);
		if (span_starts(part, SPAN("CN=")))
			return span_from(part, 3);
	}
	return (struct span){0};
}
