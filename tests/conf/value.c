// SPDX-License-Identifier: Apache-2.0
#include "conf/value.h"
#include "tests/test.h"

static void
sizes_are_powers_of_1024(void)
{
	static const struct {
		const char *text;
		uint64_t want;
	} rows[] = {{"0", 0}, {"850", 850}, {"64k", 65536}, {"64K", 65536},
		{"1kB", 1024}, {"2MiB", 2097152}, {"3g", 3221225472}, {"1_000", 1000}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t v = 1;
		CHECK(conf_read_size(span_str(rows[i].text), &v));
		CHECK_INT(v, rows[i].want);
	}
}

static void
odd_sizes_are_refused(void)
{
	static const char *const rows[] = {"", "k", "64 k", "-1", "1.5m", "64x", "1_",
		"_1", "1__0", "18446744073709551616", "18446744073709551615k", "0x10"};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t v = 7;
		CHECK(!conf_read_size(span_str(rows[i]), &v));
		CHECK_INT(v, 7);
	}
}

static void
durations_add_up(void)
{
	static const struct {
		const char *text;
		uint64_t want;
	} rows[] = {{"0", 0}, {"250ms", 250}, {"10s", 10000}, {"5min", 300000},
		{"18h", 64800000}, {"30d", 2592000000}, {"2w", 1209600000},
		{"1h30min", 5400000}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t v = 1;
		CHECK(conf_read_duration(span_str(rows[i].text), &v));
		CHECK_INT(v, rows[i].want);
	}
}

static void
durations_without_unit_are_refused(void)
{
	static const char *const rows[] = {"", "10", "5m", "1h30", "h", "10 s", "-1s",
		"99999999999999999999s", "18446744073709551615w"};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t v = 7;
		CHECK(!conf_read_duration(span_str(rows[i]), &v));
		CHECK_INT(v, 7);
	}
}

static void
what_is_printed_reads_back(void)
{
	static const uint64_t rows[] = {0, 1, 1023, 1024, 65536, 65537, 1048576,
		5368709120, 5400000, 93784005, UINT64_MAX};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[CONF_VALUE_TEXT];
		uint64_t v = 0;
		CHECK(conf_read_size(span_str(conf_size_text(text, rows[i])), &v));
		CHECK_INT(v, rows[i]);
		if (rows[i] == UINT64_MAX)
			continue; /* 31 octets do not hold it as a duration; no one says
				     it */
		CHECK(conf_read_duration(
			span_str(conf_duration_text(text, rows[i])), &v));
		CHECK_INT(v, rows[i]);
	}
}

static void
addresses_have_a_host_or_a_port(void)
{
	static const struct {
		const char *text;
		const char *host;
		int family;
		int port;
	} rows[] = {{"127.0.0.1:8080", "127.0.0.1", 4, 8080}, {":443", "", 0, 443},
		{"[::1]:80", "::1", 6, 80}, {"[2001:db8::1]", "2001:db8::1", 6, 0},
		{"::1", "::1", 6, 0}, {"keys.internal:2407", "keys.internal", 0, 2407},
		{"a-b_c.example", "a-b_c.example", 0, 0},
		{"10.0.0.1", "10.0.0.1", 4, 0}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct conf_address a = {0};
		CHECK(conf_read_address(span_str(rows[i].text), &a));
		CHECK(span_eq(a.host, span_str(rows[i].host)));
		CHECK_INT(a.ip.family, rows[i].family);
		CHECK_INT(a.port, rows[i].port);
	}
}

static void
other_addresses_are_refused(void)
{
	static const char *const rows[] = {"", ":", "a:", "a:0", "a:65536", "a:1:2",
		"[::1", "[::1]80", "[10.0.0.1]:80", "[name]:80", "a..b", ".a", "-a",
		"a b", "a/b", "::1:x"};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct conf_address a = {.port = 9};
		if (conf_read_address(span_str(rows[i]), &a))
			print_error("taken: %s\n", rows[i]);
		CHECK_INT(a.port, 9);
	}
}

static void
names_are_plain(void)
{
	CHECK(conf_is_name(SPAN("ca/office-2.a_b")));
	CHECK(!conf_is_name(SPAN("")));
	CHECK(!conf_is_name(SPAN("-x")));
	CHECK(!conf_is_name(SPAN("a b")));
	CHECK(!conf_is_name(SPAN(
		"12345678901234567890123456789012345678901234567890123456789012345")));
}

TESTS(sizes_are_powers_of_1024, odd_sizes_are_refused, durations_add_up,
	durations_without_unit_are_refused, what_is_printed_reads_back,
	addresses_have_a_host_or_a_port, other_addresses_are_refused, names_are_plain)
