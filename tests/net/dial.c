// SPDX-License-Identifier: Apache-2.0
#include "net/dial.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/test.h"

static struct {
	struct loop loop;
	struct dial dial;
	size_t n_done;
	struct addr asked[8]; /* what allowed() was asked, in order */
	size_t n_asked;
	int doors[2];
	uint16_t port;
} t;

static void
note(struct dial *d)
{
	(void)d;
	t.n_done++;
}

static struct ip
loopback(uint8_t last)
{
	return ip_v4(0x7f000000U + last);
}

/* A listening socket on 127.0.0.last, or -1 when the port is somebody's there; t.port
 * becomes the door's when it is 0. A backlog of 0 that is taken is what makes a
 * connect() hang without a network. */
static int
try_door(uint8_t last, int backlog)
{
	struct sockaddr_storage sa;
	struct addr a = {.ip = loopback(last), .port = t.port};
	unsigned n = addr_to_sockaddr(&a, &sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&sa, n) < 0 || listen(fd, backlog) < 0) {
		(void)close(fd);
		return -1;
	}
	CHECK(addr_local(fd, &a));
	t.port = a.port;
	return fd;
}

static int
open_door(uint8_t last, int backlog)
{
	int fd = try_door(last, backlog);
	CHECK(fd >= 0);
	return fd;
}

/* Doors on 127.0.0.2 and 127.0.0.1 with one port. The kernel chooses it for the first
 * address, so it may be taken on the second: by another test, or a connection that
 * waits its time out. */
static void
open_two_doors(int backlog_of_2)
{
	for (int i = 0; i < 100 && t.doors[1] < 0; i++) {
		t.port = 0;
		t.doors[0] = open_door(2, backlog_of_2);
		t.doors[1] = try_door(1, 8);
		if (t.doors[1] < 0)
			(void)close(t.doors[0]);
	}
	CHECK(t.doors[1] >= 0);
}

static void
open_all(void)
{
	struct err err = {0};
	memset(&t, 0, sizeof(t));
	t.doors[0] = t.doors[1] = -1;
	clock_real();
	CHECK_OK(loop_init(&t.loop, &err), &err);
	t.dial.done = note;
}

static void
close_all(void)
{
	dial_cancel(&t.dial);
	for (size_t i = 0; i < 2; i++) {
		if (t.doors[i] >= 0)
			(void)close(t.doors[i]);
	}
	loop_fini(&t.loop);
	clock_real();
}

static void
start(const struct ip *ips, size_t n, uint64_t within_ms)
{
	struct dial_to to = {ips, n, t.port};
	dial_start(&t.dial, &t.loop, &to, clock_now() + within_ms);
	CHECK_INT(t.n_done, 0);
}

static void
finish(void)
{
	for (int i = 0; i < 50 && t.n_done == 0; i++)
		loop_turn(&t.loop, 100);
	CHECK_INT(t.n_done, 1);
}

static void
the_first_address_that_answers_is_used(void)
{
	struct addr got = {0};
	struct ip ips[] = {loopback(2), loopback(1)};
	open_all();
	t.doors[0] = open_door(1, 8);
	start(ips, 2, 5000);
	finish();
	CHECK(t.dial.fd >= 0 && t.dial.n_tried == 2);
	CHECK(ip_eq(&t.dial.peer.ip, &ips[1]));
	CHECK(addr_peer(t.dial.fd, &got) && addr_eq(&got, &t.dial.peer));
	(void)close(t.dial.fd);
	close_all();
}

static void
when_all_fail_the_error_tells_what_each_said(void)
{
	struct ip ips[] = {loopback(2), loopback(3)};
	open_all();
	t.doors[0] = open_door(1, 8);
	start(ips, 2, 5000);
	finish();
	CHECK_INT(t.dial.fd, -1);
	CHECK_INT(t.dial.err.code, ERR_NET_REFUSED);
	CHECK(strstr(t.dial.err.text, "127.0.0.2:") &&
		strstr(t.dial.err.text, "127.0.0.3:"));
	close_all();
}

static void
no_address_at_all_is_a_failure_told_from_the_loop(void)
{
	open_all();
	start(NULL, 0, 5000);
	finish();
	CHECK_INT(t.dial.fd, -1);
	CHECK_INT(t.dial.err.code, ERR_NET_UNREACHABLE);
	close_all();
}

static bool
refuse_two(struct dial *d, const struct addr *to, struct err *err)
{
	struct ip two = loopback(2);
	(void)d;
	t.asked[t.n_asked++] = *to;
	if (!ip_eq(&to->ip, &two))
		return true;
	return err_set(err, ERR_USAGE, "two is forbidden");
}

static void
every_address_is_asked_about_and_a_forbidden_one_is_not_dialled(void)
{
	struct ip ips[] = {loopback(2), loopback(3), loopback(1)};
	open_all();
	open_two_doors(8);
	t.dial.allowed = refuse_two;
	start(ips, 3, 5000);
	finish();
	CHECK(t.dial.fd >= 0 && ip_eq(&t.dial.peer.ip, &ips[2]));
	CHECK_INT(t.n_asked, 3);
	CHECK(t.asked[0].port == t.port);
	(void)close(t.dial.fd);
	close_all();
}

static void
when_all_are_forbidden_the_error_is_the_refusers(void)
{
	struct ip ips[] = {loopback(2)};
	open_all();
	t.doors[0] = open_door(2, 8);
	t.dial.allowed = refuse_two;
	start(ips, 1, 5000);
	finish();
	CHECK_INT(t.dial.err.code, ERR_USAGE); /* the code of who refused */
	CHECK(strstr(t.dial.err.text, "two is forbidden"));
	close_all();
}

/* Takes the places of a door's queue, so that the next SYN gets no answer. */
static void
fill_queue(uint8_t last, int clients[3])
{
	struct sockaddr_storage sa;
	struct addr a = {.ip = loopback(last), .port = t.port};
	unsigned n = addr_to_sockaddr(&a, &sa);
	for (size_t i = 0; i < 3; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(clients[i], (struct sockaddr *)&sa, n);
	}
}

static void
a_silent_address_is_overtaken_after_the_stagger(void)
{
	int clients[3];
	struct ip ips[] = {loopback(2), loopback(1)};
	open_all();
	open_two_doors(0);
	fill_queue(2, clients);
	uint64_t began = clock_tick();
	start(ips, 2, 10000);
	CHECK_INT(t.dial.n_tried, 1);
	clock_fake(began + DIAL_STAGGER_MS - 1, 0);
	loop_turn(&t.loop, 0);
	CHECK_INT(t.dial.n_tried, 1);
	clock_fake(began + DIAL_STAGGER_MS, 0);
	loop_turn(&t.loop, 0);
	CHECK_INT(t.dial.n_tried, 2);
	finish();
	CHECK(t.dial.fd >= 0 && ip_eq(&t.dial.peer.ip, &ips[1]));
	(void)close(t.dial.fd);
	for (size_t i = 0; i < 3; i++)
		(void)close(clients[i]);
	close_all();
}

static void
the_deadline_ends_it_with_who_was_silent(void)
{
	int clients[3];
	struct ip ips[] = {loopback(2)};
	open_all();
	t.doors[0] = open_door(2, 0);
	fill_queue(2, clients);
	uint64_t began = clock_tick();
	clock_fake(began, 0);
	start(ips, 1, 1000);
	clock_fake(began + 1000, 0);
	loop_turn(&t.loop, 0);
	CHECK_INT(t.n_done, 1);
	CHECK_INT(t.dial.err.code, ERR_NET_TIMEOUT);
	CHECK(strstr(t.dial.err.text, "127.0.0.2:"));
	for (size_t i = 0; i < 3; i++)
		(void)close(clients[i]);
	close_all();
}

static void
a_cancelled_dial_is_not_heard_of_again(void)
{
	struct ip ips[] = {loopback(1)};
	open_all();
	t.doors[0] = open_door(1, 8);
	start(ips, 1, 5000);
	dial_cancel(&t.dial);
	loop_turn(&t.loop, 10);
	start(NULL, 0, 5000);
	dial_cancel(&t.dial);
	dial_cancel(&t.dial);
	loop_turn(&t.loop, 10);
	CHECK_INT(t.n_done, 0);
	close_all();
}

static void
the_source_address_is_used_and_the_other_family_skipped(void)
{
	struct addr local = {0};
	struct addr source = {.ip = loopback(9)};
	struct ip ips[] = {{.family = IP_V6}, loopback(1)};
	ips[0].bytes[15] = 1;
	open_all();
	t.doors[0] = open_door(1, 8);
	t.dial.source = &source;
	start(ips, 2, 5000);
	finish();
	CHECK(t.dial.fd >= 0 && addr_local(t.dial.fd, &local));
	CHECK(ip_eq(&local.ip, &source.ip));
	(void)close(t.dial.fd);
	close_all();
}

TESTS(the_first_address_that_answers_is_used,
	when_all_fail_the_error_tells_what_each_said,
	no_address_at_all_is_a_failure_told_from_the_loop,
	every_address_is_asked_about_and_a_forbidden_one_is_not_dialled,
	when_all_are_forbidden_the_error_is_the_refusers,
	a_silent_address_is_overtaken_after_the_stagger,
	the_deadline_ends_it_with_who_was_silent,
	a_cancelled_dial_is_not_heard_of_again,
	the_source_address_is_used_and_the_other_family_skipped)
