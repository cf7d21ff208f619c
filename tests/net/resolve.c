// SPDX-License-Identifier: Apache-2.0
/*
 * The name server here is a socket of this test: it holds questions until told what to
 * answer. Answers are made from the question's own octets.
 */
#include "net/resolve.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "net/addr.h"
#include "tests/test.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3 };

struct asked {
	uint8_t bytes[512];
	size_t n;
	struct sockaddr_storage from;
	socklen_t from_n;
	int type;
};

static struct {
	struct loop loop;
	struct resolver *resolver;
	int server;
	char servers[64];
	struct asked asked[16];
	size_t n_asked;
	size_t n_done;
} t;

static void
note(struct resolve *q)
{
	(void)q;
	t.n_done++;
}

static void
open_all(const char *hosts_path, size_t cache_bytes)
{
	struct err err = {0};
	struct sockaddr_storage sa;
	struct addr a = {.ip = ip_v4(0x7f000001)};
	unsigned n = addr_to_sockaddr(&a, &sa);
	char text[ADDR_TEXT];

	memset(&t, 0, sizeof(t));
	clock_real();
	CHECK_OK(loop_init(&t.loop, &err), &err);
	t.server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CHECK(bind(t.server, (struct sockaddr *)&sa, n) == 0 &&
		addr_local(t.server, &a));
	text_format(t.servers, sizeof(t.servers), "%s", addr_text(text, &a));
	struct resolve_options o = {.servers = t.servers,
		.hosts_path = hosts_path,
		.cache_bytes = cache_bytes,
		.ttl_most_s = 100,
		.ttl_negative_s = 5};
	t.resolver = resolve_open(&t.loop, &o, &err);
	CHECK_OK(t.resolver != NULL, &err);
}

static void
close_all(void)
{
	resolve_close(t.resolver);
	(void)close(t.server);
	loop_fini(&t.loop);
	clock_real();
}

/* Turns until n questions have come in all. */
static void
take_questions(size_t n)
{
	for (int i = 0; i < 200 && t.n_asked < n; i++) {
		struct asked *q = &t.asked[t.n_asked];
		q->from_n = sizeof(q->from);
		ssize_t got = recvfrom(t.server, q->bytes, sizeof(q->bytes), 0,
			(struct sockaddr *)&q->from, &q->from_n);
		if (got < 17) {
			loop_turn(&t.loop, 5);
			continue;
		}
		q->n = 12;
		while (q->bytes[q->n] != 0)
			q->n += q->bytes[q->n] + 1U;
		q->n += 5; /* the root label, type, class; what follows is EDNS */
		q->type = q->bytes[q->n - 3];
		t.n_asked++;
	}
	CHECK_INT(t.n_asked, n);
}

static void
send_reply(struct asked *q, int rcode, struct span rdata, uint32_t ttl_s)
{
	uint8_t bytes[600];
	memcpy(bytes, q->bytes, q->n);
	bytes[2] = 0x81;
	bytes[3] = (uint8_t)(0x80 | rcode);
	memset(bytes + 6, 0, 6);
	size_t n = q->n;
	if (rdata.n > 0) {
		const uint8_t head[] = {0xc0, 12, 0, (uint8_t)q->type, 0, 1,
			(uint8_t)(ttl_s >> 24), (uint8_t)(ttl_s >> 16),
			(uint8_t)(ttl_s >> 8), (uint8_t)ttl_s, 0, (uint8_t)rdata.n};
		bytes[7] = 1;
		memcpy(bytes + n, head, sizeof(head));
		memcpy(bytes + n + sizeof(head), rdata.p, rdata.n);
		n += sizeof(head) + rdata.n;
	}
	CHECK_INT(sendto(t.server, bytes, n, 0, (struct sockaddr *)&q->from, q->from_n),
		n);
}

/* Answers the questions of one type that came; the ttl is 60 s. */
static void
reply(int type, int rcode, struct span rdata)
{
	for (size_t i = 0; i < t.n_asked; i++) {
		if (t.asked[i].type == type)
			send_reply(&t.asked[i], rcode, rdata, 60);
	}
}

static void
turn_until(size_t n_done)
{
	for (int i = 0; i < 200 && t.n_done < n_done; i++)
		loop_turn(&t.loop, 5);
	CHECK_INT(t.n_done, n_done);
}

#define V4(last) SPAN("\xc0\x00\x02" last)
#define V6       SPAN("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01")

static void
check_ip(const struct ip *ip, const char *want)
{
	char text[IP_TEXT];
	CHECK_STR(ip_text(text, ip), want);
}

static void
both_families_are_asked_and_ipv6_comes_first(void)
{
	struct resolve q = {.done = note};
	open_all("", 0);
	CHECK(!resolve_start(t.resolver, &q, SPAN("www.Example.org.")));
	take_questions(2);
	reply(TYPE_A, 0, V4("\1"));
	reply(TYPE_AAAA, 0, V6);
	turn_until(1);
	CHECK(q.code == ERR_NONE && q.n == 2 && !q.cached);
	check_ip(&q.ips[0], "2001:db8::1");
	check_ip(&q.ips[1], "192.0.2.1");
	CHECK(q.ttl_s > 50 && q.ttl_s <= 60);
	close_all();
}

static void
a_known_name_is_answered_at_once_until_its_time_is_over(void)
{
	struct resolve q = {.done = note};
	open_all("", 0);
	CHECK(!resolve_start(t.resolver, &q, SPAN("a.example.")));
	take_questions(2);
	reply(TYPE_A, 0, V4("\1"));
	reply(TYPE_AAAA, 0, SPAN(""));
	turn_until(1);
	CHECK(resolve_start(t.resolver, &q, SPAN("A.example.")));
	CHECK(q.cached && q.n == 1);
	clock_fake(clock_now() + 61000, 0);
	CHECK(!resolve_start(t.resolver, &q, SPAN("a.example.")));
	resolve_cancel(&q);
	close_all();
}

static void
the_same_name_twice_at_once_is_one_question(void)
{
	struct resolve a = {.done = note};
	struct resolve b = {.done = note};
	struct resolve gone = {.done = note};
	open_all("", 0);
	CHECK(!resolve_start(t.resolver, &a, SPAN("a.example.")));
	CHECK(!resolve_start(t.resolver, &b, SPAN("a.example.")));
	CHECK(!resolve_start(t.resolver, &gone, SPAN("a.example.")));
	resolve_cancel(&gone);
	take_questions(2);
	reply(TYPE_A, 0, V4("\1"));
	reply(TYPE_AAAA, 0, V6);
	turn_until(2);
	for (int i = 0; i < 5; i++)
		loop_turn(&t.loop, 1);
	CHECK(t.n_done == 2 && a.n == 2 && b.n == 2);
	uint8_t byte;
	CHECK(recv(t.server, &byte, 1, 0) < 0);
	close_all();
}

static void
a_name_that_does_not_exist_is_remembered_as_that(void)
{
	struct resolve q = {.done = note};
	open_all("", 0);
	CHECK(!resolve_start(t.resolver, &q, SPAN("no.example.")));
	take_questions(2);
	reply(TYPE_A, RCODE_NXDOMAIN, SPAN(""));
	reply(TYPE_AAAA, RCODE_NXDOMAIN, SPAN(""));
	turn_until(1);
	CHECK(q.code == ERR_NET_NAME_UNKNOWN && q.n == 0 && q.why);
	CHECK(resolve_start(t.resolver, &q, SPAN("no.example.")));
	CHECK(q.cached && q.code == ERR_NET_NAME_UNKNOWN);
	clock_fake(clock_now() + 5001, 0);
	CHECK(!resolve_start(t.resolver, &q, SPAN("no.example.")));
	resolve_cancel(&q);
	close_all();
}

static void
a_slow_second_family_is_not_waited_for_but_completes_the_cache(void)
{
	struct resolve q = {.done = note};
	open_all("", 0);
	CHECK(!resolve_start(t.resolver, &q, SPAN("slow.example.")));
	take_questions(2);
	reply(TYPE_A, 0, V4("\1"));
	turn_until(1);
	CHECK_INT(q.n, 1);
	reply(TYPE_AAAA, 0, V6);
	for (int i = 0; i < 5; i++)
		loop_turn(&t.loop, 5);
	CHECK(resolve_start(t.resolver, &q, SPAN("slow.example.")));
	CHECK_INT(q.n, 2);
	close_all();
}

static void
a_ttl_is_held_within_the_limits(void)
{
	struct resolve q = {.done = note};
	open_all("", 0);
	CHECK(!resolve_start(t.resolver, &q, SPAN("long.example.")));
	take_questions(2);
	for (size_t i = 0; i < 2; i++)
		send_reply(&t.asked[i], 0, t.asked[i].type == TYPE_A ? V4("\1") : V6,
			1000000);
	turn_until(1);
	CHECK(q.ttl_s > 90 && q.ttl_s <= 100);
	close_all();
}

static void
literals_and_localhost_are_not_asked(void)
{
	struct resolve q = {.done = note};
	open_all("", 0);
	CHECK(resolve_start(t.resolver, &q, SPAN("192.0.2.7")));
	CHECK(q.n == 1 && q.code == ERR_NONE);
	check_ip(&q.ips[0], "192.0.2.7");
	CHECK(resolve_start(t.resolver, &q, SPAN("2001:db8::7")));
	check_ip(&q.ips[0], "2001:db8::7");
	CHECK(resolve_start(t.resolver, &q, SPAN("LocalHost")));
	CHECK(q.n == 2 && ip_kind(&q.ips[0]) == IP_LOOPBACK);
	CHECK(resolve_start(t.resolver, &q, SPAN("a.localhost")));
	CHECK(q.n == 2 && ip_kind(&q.ips[1]) == IP_LOOPBACK);
	close_all();
}

static void
what_cannot_be_a_name_fails_at_once(void)
{
	uint8_t longest[300];
	struct resolve q = {.done = note};
	memset(longest, 'a', sizeof(longest));
	open_all("", 0);
	CHECK(resolve_start(t.resolver, &q, SPAN("")));
	CHECK_INT(q.code, ERR_NET_NAME_UNKNOWN);
	CHECK(resolve_start(t.resolver, &q, span_of(longest, 255)));
	CHECK_INT(q.code, ERR_NET_NAME_UNKNOWN);
	CHECK(resolve_start(t.resolver, &q, SPAN("a\0b.example")));
	CHECK_INT(q.code, ERR_NET_NAME_UNKNOWN);
	CHECK(resolve_start(t.resolver, &q, span_of(longest, 254)));
	CHECK(q.code != ERR_NONE && q.n == 0);
	close_all();
}

static void
the_hosts_file_is_read_once_and_goes_first(void)
{
	struct err err = {0};
	struct resolve q = {.done = note};
	char path[] = "/tmp/sekisho-hosts-XXXXXX";
	(void)close(mkstemp(path));
	CHECK_OK(file_replace(path,
			 SPAN("# a comment\n192.0.2.9  One.example two.example # x\n"
			      "2001:db8::9\tone.example\r\nnonsense one.example\n"
			      "192.0.2.10"),
			 0600, &err),
		&err);
	open_all(path, 0);
	(void)unlink(path);
	CHECK(resolve_start(t.resolver, &q, SPAN("ONE.example.")));
	CHECK_INT(q.n, 2);
	check_ip(&q.ips[0], "192.0.2.9");
	check_ip(&q.ips[1], "2001:db8::9");
	CHECK(resolve_start(t.resolver, &q, SPAN("two.example")));
	CHECK_INT(q.n, 1);
	close_all();
}

static void
a_small_cache_forgets_the_oldest(void)
{
	struct resolve q = {.done = note};
	char name[32];
	open_all("", 600);
	for (size_t i = 0; i < 6; i++) {
		size_t n = text_format(name, sizeof(name), "n%zu.example.", i);
		t.n_asked = 0;
		CHECK(!resolve_start(t.resolver, &q, span_of(name, n)));
		take_questions(2);
		reply(TYPE_A, 0, V4("\1"));
		reply(TYPE_AAAA, 0, V6);
		turn_until(i + 1);
	}
	CHECK(resolve_start(t.resolver, &q, SPAN("n5.example.")));
	CHECK(!resolve_start(t.resolver, &q, SPAN("n0.example.")));
	close_all(); /* with a question open: done() does not come */
	CHECK_INT(t.n_done, 6);
}

static void
servers_that_fail_are_told_apart_from_names_that_do_not_exist(void)
{
	struct resolve q = {.done = note};
	open_all("", 0);
	CHECK(!resolve_start(t.resolver, &q, SPAN("broken.example.")));
	for (int i = 0; i < 400 && t.n_done == 0; i++) {
		struct asked *a = &t.asked[0];
		a->from_n = sizeof(a->from);
		ssize_t n = recvfrom(t.server, a->bytes, sizeof(a->bytes), 0,
			(struct sockaddr *)&a->from, &a->from_n);
		if (n > 17) {
			a->n = 12 + 16 + 4;
			send_reply(a, RCODE_SERVFAIL, SPAN(""), 0);
		}
		loop_turn(&t.loop, 2);
	}
	CHECK(t.n_done == 1 && q.code == ERR_NET_NAME_FAILED);
	close_all();
}

static void
a_bad_list_of_servers_is_an_error(void)
{
	struct err err = {0};
	struct loop loop;
	CHECK_OK(loop_init(&loop, &err), &err);
	struct resolve_options o = {.servers = "not an address"};
	CHECK(resolve_open(&loop, &o, &err) == NULL);
	CHECK_INT(err.code, ERR_NET_RESOLVER);
	loop_fini(&loop);
}

TESTS(both_families_are_asked_and_ipv6_comes_first,
	a_known_name_is_answered_at_once_until_its_time_is_over,
	the_same_name_twice_at_once_is_one_question,
	a_name_that_does_not_exist_is_remembered_as_that,
	a_slow_second_family_is_not_waited_for_but_completes_the_cache,
	a_ttl_is_held_within_the_limits, literals_and_localhost_are_not_asked,
	what_cannot_be_a_name_fails_at_once, the_hosts_file_is_read_once_and_goes_first,
	a_small_cache_forgets_the_oldest,
	servers_that_fail_are_told_apart_from_names_that_do_not_exist,
	a_bad_list_of_servers_is_an_error)
