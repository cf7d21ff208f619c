// SPDX-License-Identifier: Apache-2.0
#include "net/addr.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/test.h"

static void
text_comes_back_as_it_was(void)
{
	static const char *const texts[] = {
		"192.0.2.1:80", "[2001:db8::1]:443", "[::]:1", "0.0.0.0:65535"};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct addr a = {0};
		char text[ADDR_TEXT];
		CHECK(addr_parse(span_str(texts[i]), &a));
		CHECK_STR(addr_text(text, &a), texts[i]);
	}
}

static void
a_lone_port_means_every_address(void)
{
	struct addr a = {0};
	char text[ADDR_TEXT];
	CHECK(addr_parse(SPAN(":443"), &a));
	CHECK_STR(addr_text(text, &a), "[::]:443");
	CHECK(addr_parse(SPAN("*:8080"), &a));
	CHECK_STR(addr_text(text, &a), "[::]:8080");
}

static void
what_is_not_an_address_with_port_is_refused(void)
{
	static const char *const bad[] = {"", ":", "*", "*:", "1.2.3.4",
		"1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:+1", "1.2.3.4: 1",
		"1.2.3:1", "::1:80", "[::1]", "[::1]:", "[::1:80", "[1.2.3.4]:80",
		"[]:1", "host:1", "**:1", "1.2.3.4:00000080", "[::1]x:80"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct addr a = {.port = 7};
		if (addr_parse(span_str(bad[i]), &a))
			fail_msg("accepted \"%s\"", bad[i]);
		CHECK_INT(a.port, 7);
	}
}

static void
a_host_is_split_from_its_port(void)
{
	struct span host = {0};
	uint16_t port = 0;
	CHECK(addr_split(SPAN("example.org:443"), 0, &host, &port));
	CHECK_SPAN(host, "example.org");
	CHECK_INT(port, 443);
	CHECK(addr_split(SPAN("[2001:db8::7]:8443"), 0, &host, &port));
	CHECK_SPAN(host, "2001:db8::7");
	CHECK_INT(port, 8443);
	CHECK(addr_split(SPAN("example.org"), 80, &host, &port));
	CHECK_SPAN(host, "example.org");
	CHECK_INT(port, 80);
	CHECK(addr_split(SPAN("[::1]"), 80, &host, &port));
	CHECK_SPAN(host, "::1");
}

static void
a_host_without_its_port_or_with_two_is_refused(void)
{
	static const char *const bad[] = {"", "example.org", "example.org:", ":80",
		"a:b:80", "a:80:", "[::1", "[::1]80", "[a]:80", "[::1]:80:80"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct span host = SPAN("before");
		uint16_t port = 7;
		if (addr_split(span_str(bad[i]), 0, &host, &port))
			fail_msg("accepted \"%s\"", bad[i]);
		CHECK_SPAN(host, "before");
		CHECK_INT(port, 7);
	}
}

static void
the_kernels_form_comes_back_and_mapped_addresses_are_v4(void)
{
	struct sockaddr_storage sa;
	struct addr a = {0};
	struct addr b = {0};
	CHECK(addr_parse(SPAN("[2001:db8::1]:443"), &a));
	CHECK(addr_to_sockaddr(&a, &sa) > 16);
	CHECK(addr_from_sockaddr((struct sockaddr *)&sa, &b) && addr_eq(&a, &b));
	CHECK(addr_parse(SPAN("[::ffff:192.0.2.1]:443"), &a));
	CHECK_INT(addr_to_sockaddr(&a, &sa), 16);
	CHECK_INT(a.ip.family, IP_V4);
	sa.ss_family = AF_UNIX;
	CHECK(!addr_from_sockaddr((struct sockaddr *)&sa, &b));
}

static void
a_socket_knows_its_own_address(void)
{
	struct sockaddr_storage sa;
	struct addr want = {.ip = ip_v4(0x7f000001)};
	struct addr got = {0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	unsigned n = addr_to_sockaddr(&want, &sa);
	CHECK(bind(fd, (struct sockaddr *)&sa, n) == 0);
	CHECK(addr_local(fd, &got));
	CHECK(ip_eq(&got.ip, &want.ip) && got.port != 0);
	CHECK(!addr_peer(fd, &got));
	CHECK(!addr_original(fd, &got));
	(void)close(fd);
}

TESTS(text_comes_back_as_it_was, a_lone_port_means_every_address,
	what_is_not_an_address_with_port_is_refused, a_host_is_split_from_its_port,
	a_host_without_its_port_or_with_two_is_refused,
	the_kernels_form_comes_back_and_mapped_addresses_are_v4,
	a_socket_knows_its_own_address)
