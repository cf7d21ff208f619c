// SPDX-License-Identifier: Apache-2.0
#include "gate/proxy_hello.h"

#include "gate/proxy_header.h"
#include "tests/test.h"

static const struct proxy_hello plain = {
	.client = {.ip = {.family = IP_V4, .bytes = {192, 0, 2, 1}}, .port = 4711},
	.server = {.ip = {.family = IP_V4, .bytes = {192, 0, 2, 2}}, .port = 443},
};

static void
what_we_write_we_can_read(void)
{
	uint8_t text[PROXY_HELLO_MOST];
	struct span both[2];
	struct err err = {0};

	both[0] = proxy_hello_v1(&plain, text);
	CHECK_SPAN(both[0], "PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n");
	for (int i = 0; i < 2; i++) {
		struct proxy_header h;
		both[i] = i == 0 ? proxy_hello_v1(&plain, text)
				 : proxy_hello_v2(&plain, text);
		CHECK_INT(proxy_header_read(both[i], &h, &err), PROXY_READY);
		CHECK_INT(h.used, both[i].n);
		CHECK(ip_eq(&h.client.ip, &plain.client.ip) && h.client.port == 4711);
		CHECK(ip_eq(&h.server.ip, &plain.server.ip) && h.server.port == 443);
	}
}

static void
version_2_tells_of_tls(void)
{
	uint8_t text[PROXY_HELLO_MOST];
	struct proxy_hello h = plain;

	h.alpn = SPAN("h2");
	h.name = SPAN("a.test");
	h.tls_version = SPAN("TLSv1.3");
	h.has_cert = true;
	h.verified = true;
	h.common_name = SPAN("alice");
	struct span s = proxy_hello_v2(&h, text);
	CHECK(span_find(s, SPAN("\x01\x00\x02h2")) < s.n);
	CHECK(span_find(s,
		      SPAN("\x02\x00\x06"
			   "a.test")) < s.n);
	CHECK(span_find(s, SPAN("\x03\x00\x00\x00\x00\x21\x00\x07TLSv1.3")) < s.n);
	CHECK(span_find(s,
		      SPAN("\x22\x00\x05"
			   "alice")) < s.n);
	h.verified = false;
	s = proxy_hello_v2(&h, text);
	CHECK(span_find(s, SPAN("alice")) == s.n);
}

static void
our_own_connections_speak_of_nobody(void)
{
	for (int version = 1; version <= 2; version++) {
		struct proxy_header h;
		struct err err = {0};
		CHECK_INT(proxy_header_read(proxy_hello_own(version), &h, &err),
			PROXY_READY);
		CHECK_INT(h.used, proxy_hello_own(version).n);
		CHECK_INT(h.client.ip.family, IP_NONE);
	}
}

static void
two_families_are_unknown(void)
{
	uint8_t text[PROXY_HELLO_MOST];
	struct proxy_hello h = plain;

	h.server.ip = (struct ip){.family = IP_V6, .bytes = {0x20, 1}};
	CHECK_SPAN(proxy_hello_v1(&h, text), "PROXY UNKNOWN\r\n");
	struct span s = proxy_hello_v2(&h, text);
	CHECK(s.n == 16 && s.p[13] == 0);
}

static void
what_does_not_fit_is_not_written(void)
{
	static uint8_t long_name[2000];
	uint8_t text[PROXY_HELLO_MOST];
	struct proxy_hello h = plain;

	h.name = span_of(long_name, sizeof(long_name));
	CHECK_INT(proxy_hello_v2(&h, text).n, 0);
}

static void
a_common_name_is_found_or_not(void)
{
	CHECK_SPAN(proxy_hello_common_name(SPAN("O=x, CN=alice,C=JP")), "alice");
	CHECK_INT(proxy_hello_common_name(SPAN("O=x")).n, 0);
	CHECK_INT(proxy_hello_common_name(SPAN("CN=a\\,CN=b")).n, 0);
}

TESTS(what_we_write_we_can_read, version_2_tells_of_tls,
	our_own_connections_speak_of_nobody, two_families_are_unknown,
	what_does_not_fit_is_not_written, a_common_name_is_found_or_not)
