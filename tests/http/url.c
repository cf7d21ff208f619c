// SPDX-License-Identifier: Apache-2.0
#include "http/url.h"

#include "http/msg.h"
#include "tests/test.h"

// clang-format off
static const struct {
	struct span in;
	const char *name; /* NULL: refused */
	unsigned port;
	bool is_ip;
} hosts[] = {
	{SPAN_INIT("a"), "a", 443, false},
	{SPAN_INIT("Example.ORG"), "example.org", 443, false},
	{SPAN_INIT("example.org."), "example.org", 443, false},
	{SPAN_INIT("example.org.:8443"), "example.org", 8443, false},
	{SPAN_INIT("a_b.x-y.example:65535"), "a_b.x-y.example", 65535, false},
	{SPAN_INIT("xn--bcher-kva.example"), "xn--bcher-kva.example", 443, false},
	{SPAN_INIT("1.example"), "1.example", 443, false},
	{SPAN_INIT("0x7f.example"), "0x7f.example", 443, false},
	{SPAN_INIT("192.0.2.1"), "192.0.2.1", 443, true},
	{SPAN_INIT("192.0.2.1:1"), "192.0.2.1", 1, true},
	{SPAN_INIT("[2001:DB8::1]"), "2001:db8::1", 443, true},
	{SPAN_INIT("[2001:db8:0:0::1]:80"), "2001:db8::1", 80, true},
	{SPAN_INIT("[::ffff:192.0.2.1]"), "192.0.2.1", 443, true},
	{SPAN_INIT(""), NULL, 0, false},
	{SPAN_INIT("."), NULL, 0, false},
	{SPAN_INIT(".a"), NULL, 0, false},
	{SPAN_INIT("a..b"), NULL, 0, false},
	{SPAN_INIT("a.."), NULL, 0, false},
	{SPAN_INIT(":443"), NULL, 0, false},
	{SPAN_INIT("a:"), NULL, 0, false},
	{SPAN_INIT("a:0"), NULL, 0, false},
	{SPAN_INIT("a:080"), NULL, 0, false},
	{SPAN_INIT("a:65536"), NULL, 0, false},
	{SPAN_INIT("a:+80"), NULL, 0, false},
	{SPAN_INIT("a:80:80"), NULL, 0, false},
	{SPAN_INIT("a:http"), NULL, 0, false},
	{SPAN_INIT("u@a"), NULL, 0, false},
	{SPAN_INIT("a b"), NULL, 0, false},
	{SPAN_INIT("a%2eb"), NULL, 0, false},
	{SPAN_INIT("b\xc3\xbc" "cher.example"), NULL, 0, false},
	{SPAN_INIT("a\0b"), NULL, 0, false},
	{SPAN_INIT("a/b"), NULL, 0, false},
	{SPAN_INIT("a,b"), NULL, 0, false},
	{SPAN_INIT("127.1"), NULL, 0, false},
	{SPAN_INIT("2130706433"), NULL, 0, false},
	{SPAN_INIT("0x7f.1"), NULL, 0, false},
	{SPAN_INIT("127.0.0.0x1"), NULL, 0, false},
	{SPAN_INIT("127.0.0.01"), NULL, 0, false},
	{SPAN_INIT("127.0.0.1."), NULL, 0, false},
	{SPAN_INIT("256.0.0.1"), NULL, 0, false},
	{SPAN_INIT("1.2.3.4.5"), NULL, 0, false},
	{SPAN_INIT("a.0x"), NULL, 0, false},
	{SPAN_INIT("2001:db8::1"), NULL, 0, false},
	{SPAN_INIT("[2001:db8::1"), NULL, 0, false},
	{SPAN_INIT("[2001:db8::1]x"), NULL, 0, false},
	{SPAN_INIT("[fe80::1%25eth0]"), NULL, 0, false},
	{SPAN_INIT("[192.0.2.1]"), NULL, 0, false},
	{SPAN_INIT("[]"), NULL, 0, false},
	{SPAN_INIT("a1234567890123456789012345678901234567890123456789012345678901234.b"), NULL, 0, false},
};
// clang-format on

static void
hosts_have_one_reading_or_none(void)
{
	struct arena a;

	arena_init(&a, 65536);
	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		struct url_host host = {.port = 7};
		struct err err = {0};
		bool ok = url_host_parse(hosts[i].in, 443, &a, &host, &err);

		if (ok != (hosts[i].name != NULL))
			print_error("row %zu: %s\n", i, err.text);
		CHECK_INT(ok, hosts[i].name != NULL);
		CHECK_INT(url_host_check(hosts[i].in, &err), ok);
		CHECK_INT(host.port, ok ? hosts[i].port : 7);
		if (!ok) {
			CHECK_INT(err.code, ERR_HTTP_HOST);
			continue;
		}
		CHECK(span_eq(host.name, span_str(hosts[i].name)));
		CHECK_INT(host.ip.family != IP_NONE, hosts[i].is_ip);
	}
	arena_fini(&a);
}

static void
a_port_may_be_demanded(void)
{
	struct url_host host;
	struct arena a;
	struct err err = {0};

	arena_init(&a, 65536);
	CHECK(!url_host_parse(SPAN("a"), 0, &a, &host, &err));
	CHECK_OK(url_host_parse(SPAN("a.:1"), 0, &a, &host, &err), &err);
	CHECK(host.has_port && host.has_end_dot && host.port == 1);
	arena_fini(&a);
}

static void
a_full_arena_is_an_error(void)
{
	struct url_host host;
	struct span text;
	struct arena a;
	struct err err = {0};

	arena_init(&a, 128);
	CHECK(!url_host_parse(SPAN("a"), 443, &a, &host, &err));
	CHECK_INT(err.code, ERR_HTTP_TOO_LARGE);
	CHECK(!url_unescape(&a, span_of("", SIZE_MAX), false, &text));
	arena_fini(&a);
}

static void
names_alone_are_stricter(void)
{
	CHECK(url_name_check(SPAN("a.example")));
	CHECK(!url_name_check(SPAN("a.example.")));
	CHECK(!url_name_check(SPAN("192.0.2.1")));
	CHECK(!url_name_check(SPAN("a:1")));
	CHECK(!url_name_check(SPAN("")));
}

static void
same_hosts_are_recognised(void)
{
	CHECK(url_host_same(SPAN("A.example"), SPAN("a.EXAMPLE.:443"), 443));
	CHECK(url_host_same(SPAN("[::1]:80"), SPAN("[0:0::1]"), 80));
	CHECK(!url_host_same(SPAN("a.example"), SPAN("a.example:80"), 443));
	CHECK(!url_host_same(SPAN("a.example"), SPAN("b.example"), 443));
	CHECK(!url_host_same(SPAN("a"), SPAN("192.0.2.1"), 443));
	CHECK(!url_host_same(SPAN(""), SPAN(""), 443));
}

// clang-format off
static const struct {
	struct span in;
	enum http_method method;
	int form; /* enum url_form, -1: refused */
	const char *authority;
	const char *path;
} targets[] = {
	{SPAN_INIT("/"), HTTP_GET, URL_ORIGIN, "", "/"},
	{SPAN_INIT("//a//b?c"), HTTP_GET, URL_ORIGIN, "", "//a//b?c"},
	{SPAN_INIT("/a|b{c}\"<>\\^`[%zz]"), HTTP_GET, URL_ORIGIN, "", "/a|b{c}\"<>\\^`[%zz]"},
	{SPAN_INIT("http://a/b?c=http://d/"), HTTP_GET, URL_ABSOLUTE, "a", "/b?c=http://d/"},
	{SPAN_INIT("HTTPS://A:1"), HTTP_GET, URL_ABSOLUTE, "A:1", "/"},
	{SPAN_INIT("http://a"), HTTP_OPTIONS, URL_ABSOLUTE, "a", "*"},
	{SPAN_INIT("*"), HTTP_OPTIONS, URL_ASTERISK, "", "*"},
	{SPAN_INIT("a:443"), HTTP_CONNECT, URL_AUTHORITY, "a:443", ""},
	{SPAN_INIT("[::1]:443"), HTTP_CONNECT, URL_AUTHORITY, "[::1]:443", ""},
	{SPAN_INIT("a"), HTTP_CONNECT, -1, "", ""},
	{SPAN_INIT("http://a:1/"), HTTP_CONNECT, -1, "", ""},
	{SPAN_INIT("*"), HTTP_GET, -1, "", ""},
	{SPAN_INIT("a:443"), HTTP_GET, -1, "", ""},
	{SPAN_INIT("http://a?b"), HTTP_GET, -1, "", ""},
	{SPAN_INIT("http:///b"), HTTP_GET, -1, "", ""},
	{SPAN_INIT("http://u:p@a/"), HTTP_GET, -1, "", ""},
	{SPAN_INIT("http:/a"), HTTP_GET, -1, "", ""},
	{SPAN_INIT("ftp://a/"), HTTP_GET, -1, "", ""},
	{SPAN_INIT("/a#b"), HTTP_GET, -1, "", ""},
	{SPAN_INIT("/a\x7f"), HTTP_GET, -1, "", ""},
	{SPAN_INIT("/a\0"), HTTP_GET, -1, "", ""},
	{SPAN_INIT("/\x80"), HTTP_GET, -1, "", ""},
	{SPAN_INIT(""), HTTP_GET, -1, "", ""},
};
// clang-format on

static void
targets_have_one_form_or_none(void)
{
	for (size_t i = 0; i < COUNT_OF(targets); i++) {
		struct url_target target = {0};
		struct err err = {0};
		bool ok = url_target_parse(
			targets[i].in, targets[i].method, &target, &err);

		if (ok != (targets[i].form >= 0))
			print_error("row %zu: %s\n", i, err.text);
		CHECK_INT(ok, targets[i].form >= 0);
		if (!ok)
			continue;
		CHECK_INT(target.form, targets[i].form);
		CHECK(span_eq(target.authority, span_str(targets[i].authority)));
		CHECK(span_eq(target.path, span_str(targets[i].path)));
	}
}

static void
queries_are_split_as_sent(void)
{
	struct span path;
	struct span query;
	struct span key;
	struct span value;

	CHECK(url_split(SPAN("/p?a=1&b&=c&d=e=f"), &path, &query));
	CHECK_SPAN(path, "/p");
	CHECK(url_query_next(&query, &key, &value));
	CHECK_SPAN(key, "a");
	CHECK_SPAN(value, "1");
	CHECK(url_query_next(&query, &key, &value));
	CHECK_SPAN(key, "b");
	CHECK_SPAN(value, "");
	CHECK(url_query_next(&query, &key, &value));
	CHECK_SPAN(key, "");
	CHECK_SPAN(value, "c");
	CHECK(url_query_next(&query, &key, &value));
	CHECK_SPAN(value, "e=f");
	CHECK(!url_query_next(&query, &key, &value));
	CHECK(!url_split(SPAN("/p"), &path, &query));
	CHECK_SPAN(query, "");
}

static void
escapes_are_undone_once(void)
{
	struct arena a;
	struct span out;

	arena_init(&a, 4096);
	CHECK(url_unescape(&a, SPAN("%41%2e%2E%252e+%"), false, &out));
	CHECK_SPAN(out, "A..%2e+%");
	CHECK(url_unescape(&a, SPAN("a+b%2"), true, &out));
	CHECK_SPAN(out, "a b%2");
	CHECK(url_unescape(&a, SPAN("%zz%4"), true, &out));
	CHECK_SPAN(out, "%zz%4");
	arena_fini(&a);
}

TESTS(hosts_have_one_reading_or_none, a_port_may_be_demanded, a_full_arena_is_an_error,
	names_alone_are_stricter, same_hosts_are_recognised,
	targets_have_one_form_or_none, queries_are_split_as_sent,
	escapes_are_undone_once)
