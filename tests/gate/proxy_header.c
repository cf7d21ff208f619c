// SPDX-License-Identifier: Apache-2.0
#include "gate/proxy_header.h"

#include "base/text.h"
#include "tests/test.h"

#define V1      "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"
#define V2_SIGN "\r\n\r\n\0\r\nQUIT\n"
#define V2      V2_SIGN "\x21\x11\0\x0f\xc0\0\2\1\xc0\0\2\2\xdc\4\1\xbb\3\0\0"

static enum proxy_turn
read_it(struct span s, struct proxy_header *h)
{
	struct err err = {0};
	return proxy_header_read(s, h, &err);
}

static void
both_versions_say_the_same(void)
{
	const struct span texts[] = {SPAN_INIT(V1 "GET /"), SPAN_INIT(V2 "GET /")};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct proxy_header h = {0};
		char text[ADDR_TEXT];
		CHECK(read_it(texts[i], &h) == PROXY_READY);
		CHECK(!h.local);
		CHECK_STR(addr_text(text, &h.client), "192.0.2.1:56324");
		CHECK_STR(addr_text(text, &h.server), "192.0.2.2:443");
		CHECK_SPAN(span_from(texts[i], h.used), "GET /");
	}
}

static void
every_truncation_asks_for_more(void)
{
	const struct span texts[] = {SPAN_INIT(V1), SPAN_INIT(V2)};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		for (size_t n = 0; n < texts[i].n; n++) {
			struct proxy_header h = {.used = 7};
			CHECK(read_it(span_first(texts[i], n), &h) == PROXY_WANTS_MORE);
			CHECK_INT(h.used, 7);
		}
	}
}

static void
what_does_not_say_who_leaves_the_addresses(void)
{
	struct proxy_header h = {0};
	CHECK(read_it(SPAN("PROXY UNKNOWN ffff::1 x y z\r\n"), &h) == PROXY_READY &&
		h.local);
	CHECK(read_it(SPAN(V2_SIGN "\x20\0\0\0"), &h) == PROXY_READY && h.local);
	CHECK_INT(h.used, 16);
	CHECK(read_it(SPAN(V2_SIGN "\x21\x31\0\1x"), &h) == PROXY_READY && h.local);
}

static void
malformed_headers_are_refused(void)
{
	const struct span texts[] = {
		SPAN_INIT("GET / HTTP/1.1\r\n"),
		SPAN_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n"),
		SPAN_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 1\r\n"),
		SPAN_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 056324 443\r\n"),
		SPAN_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n"),
		SPAN_INIT("PROXY TCP4 ::1 ::1 1 1\r\n"),
		SPAN_INIT("PROXY TCP6 192.0.2.1 192.0.2.2 1 1\r\n"),
		SPAN_INIT("PROXY UDP4 192.0.2.1 192.0.2.2 1 1\r\n"),
		SPAN_INIT(V2_SIGN "\x31\x11\0\0"),
		SPAN_INIT(V2_SIGN "\x22\x11\0\0"),
		SPAN_INIT(V2_SIGN "\x21\x11\0\x0b\xc0\0\2\1\xc0\0\2\2\xdc\4\1"),
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct proxy_header h = {0};
		CHECK(read_it(texts[i], &h) == PROXY_BAD);
	}
}

static void
a_line_without_an_end_is_refused_at_its_limit(void)
{
	char line[200] = "PROXY TCP4 ";
	struct proxy_header h = {0};
	for (size_t i = 11; i < sizeof(line); i++)
		line[i] = '1';
	CHECK(read_it(span_of(line, 106), &h) == PROXY_WANTS_MORE);
	CHECK(read_it(span_of(line, 107), &h) == PROXY_BAD);
}

TESTS(both_versions_say_the_same, every_truncation_asks_for_more,
	what_does_not_say_who_leaves_the_addresses, malformed_headers_are_refused,
	a_line_without_an_end_is_refused_at_its_limit)
