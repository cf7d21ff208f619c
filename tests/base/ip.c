// SPDX-License-Identifier: Apache-2.0
#include "base/ip.h"

#include "tests/test.h"

static void
addresses_are_written_as_rfc_5952_says(void)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
		{"192.0.2.1", "192.0.2.1"},
		{"0.0.0.0", "0.0.0.0"},
		{"::", "::"},
		{"::1", "::1"},
		{"2001:DB8::1", "2001:db8::1"},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"2001:0db8:0000:0001:0001:0001:0001:0001", "2001:db8:0:1:1:1:1:1"},
		{"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::ffff:c000:201", "192.0.2.1"},
		{"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
		{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct ip ip = {0};
		char text[IP_TEXT];
		CHECK(ip_parse(span_str(rows[i].in), &ip));
		CHECK_STR(ip_text(text, &ip), rows[i].out);
	}
}

static void
what_two_readers_could_read_differently_is_refused(void)
{
	static const char *const rows[] = {"", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4",
		"1.2.3.256", "1.2.3.4 ", "0x7f.0.0.1", "127.1", "2130706433",
		"1.2.3.-4", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"12345::", "g::", "::1%eth0", "[::1]", "::1.2.3",
		"1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.04", "1:2:3:4:5:6:7:8::"};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct ip ip = {.family = 9};
		CHECK(!ip_parse(span_str(rows[i]), &ip));
		CHECK_INT(ip.family, 9);
	}
}

static void
prefixes_hold_what_they_should(void)
{
	static const struct {
		const char *prefix;
		const char *ip;
		bool in;
	} rows[] = {
		{"10.0.0.0/8", "10.255.0.1", true},
		{"10.0.0.0/8", "11.0.0.0", false},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"192.0.2.128/25", "192.0.2.128", true},
		{"0.0.0.0/0", "203.0.113.9", true},
		{"0.0.0.0/0", "::1", false},
		{"::/0", "2001:db8::1", true},
		{"2001:db8::/33", "2001:db8:7fff::", true},
		{"2001:db8::/33", "2001:db8:8000::", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"::1/128", "::1", true},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct ip_prefix prefix = {0};
		struct ip ip = {0};
		CHECK(ip_prefix_parse(span_str(rows[i].prefix), &prefix));
		CHECK(ip_parse(span_str(rows[i].ip), &ip));
		CHECK_INT(ip_in(&ip, &prefix), rows[i].in);
	}
}

static void
a_prefix_with_host_bits_or_too_many_bits_is_refused(void)
{
	static const char *const rows[] = {"10.0.0.1/8", "10.0.0.0/33", "::/129",
		"10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08", "/8", "10.0.0.0/8/8"};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct ip_prefix prefix = {0};
		CHECK(!ip_prefix_parse(span_str(rows[i]), &prefix));
	}
}

static void
addresses_nobody_may_send_us_to_are_known(void)
{
	static const struct {
		const char *ip;
		enum ip_kind kind;
	} rows[] = {
		{"8.8.8.8", IP_PUBLIC},
		{"2600::1", IP_PUBLIC},
		{"127.0.0.1", IP_LOOPBACK},
		{"127.255.255.254", IP_LOOPBACK},
		{"::1", IP_LOOPBACK},
		{"::ffff:127.0.0.1", IP_LOOPBACK},
		{"169.254.169.254", IP_LINK_LOCAL},
		{"fe80::1", IP_LINK_LOCAL},
		{"64:ff9b::169.254.169.254", IP_LINK_LOCAL},
		{"10.0.0.1", IP_PRIVATE},
		{"172.16.0.1", IP_PRIVATE},
		{"172.32.0.1", IP_PUBLIC},
		{"192.168.1.1", IP_PRIVATE},
		{"100.64.0.1", IP_PRIVATE},
		{"fd00::1", IP_PRIVATE},
		{"64:ff9b::10.0.0.1", IP_PRIVATE},
		{"2002:7f00:1::", IP_LOOPBACK},
		{"224.0.0.1", IP_MULTICAST},
		{"ff02::1", IP_MULTICAST},
		{"0.0.0.0", IP_RESERVED},
		{"255.255.255.255", IP_RESERVED},
		{"192.0.2.1", IP_RESERVED},
		{"198.18.0.1", IP_RESERVED},
		{"240.0.0.1", IP_RESERVED},
		{"2001:db8::1", IP_RESERVED},
		{"::", IP_RESERVED},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct ip ip = {0};
		CHECK(ip_parse(span_str(rows[i].ip), &ip));
		CHECK_STR(ip_kind_name(ip_kind(&ip)), ip_kind_name(rows[i].kind));
	}
}

static void
octets_and_order(void)
{
	struct ip a = ip_v4(0xc0000201);
	struct ip b = {0};
	CHECK(ip_from_bytes(SPAN("\xc0\x00\x02\x01"), &b));
	CHECK(ip_eq(&a, &b) && ip_cmp(&a, &b) == 0 && ip_size(&a) == 4);
	CHECK(ip_from_bytes(SPAN("\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1"), &b));
	CHECK(ip_eq(&a, &b));
	CHECK(!ip_from_bytes(SPAN("\xc0\x00\x02"), &b));
	b = ip_v4(0xc0000202);
	CHECK(ip_cmp(&a, &b) < 0 && !ip_eq(&a, &b));
}

TESTS(addresses_are_written_as_rfc_5952_says,
	what_two_readers_could_read_differently_is_refused,
	prefixes_hold_what_they_should,
	a_prefix_with_host_bits_or_too_many_bits_is_refused,
	addresses_nobody_may_send_us_to_are_known, octets_and_order)
