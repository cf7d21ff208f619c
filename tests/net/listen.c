// SPDX-License-Identifier: Apache-2.0
#include "net/listen.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/test.h"

enum { CLIENTS = 32 };

static struct {
	struct loop loop;
	struct listen_limit limit;
	struct listener listener;
	struct addr at;
	int clients[CLIENTS];
	int accepted[CLIENTS];
	size_t n;
	struct addr peer;
} t;

static void
note(struct listener *l, int fd, const struct addr *peer)
{
	(void)l;
	t.accepted[t.n++] = fd;
	t.peer = *peer;
}

static void
open_listener(size_t most)
{
	struct err err = {0};
	int fd = -1;
	struct listen_fds fds = {&fd, 1};
	struct addr a = {.ip = ip_v4(0x7f000001)};

	memset(&t, 0, sizeof(t));
	CHECK_OK(loop_init(&t.loop, &err), &err);
	CHECK_OK(listen_open(&a, &(struct listen_options){0}, &t.at, &fds, &err), &err);
	listen_limit_init(&t.limit, most);
	t.listener.accepted = note;
	listen_start(&t.listener, &t.loop, fd, &t.limit);
}

static int
connect_to(const struct addr *a)
{
	struct sockaddr_storage sa;
	unsigned n = addr_to_sockaddr(a, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM, 0);
	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&sa, n) == 0);
	return fd;
}

static void
connect_clients(size_t n)
{
	for (size_t i = 0; i < n; i++)
		t.clients[i] = connect_to(&t.at);
}

static void
turn(int times)
{
	for (int i = 0; i < times; i++)
		loop_turn(&t.loop, 0);
}

static void
close_listener(size_t clients)
{
	for (size_t i = 0; i < clients; i++)
		(void)close(t.clients[i]);
	for (size_t i = 0; i < t.n; i++)
		(void)close(t.accepted[i]);
	listen_stop(&t.listener);
	loop_fini(&t.loop);
}

static void
connections_come_in_with_their_address(void)
{
	struct addr client = {0};
	open_listener(100);
	connect_clients(1);
	turn(1);
	CHECK(t.n == 1 && t.limit.open == 1 && t.listener.n_accepted == 1);
	CHECK(addr_local(t.clients[0], &client) && addr_eq(&client, &t.peer));
	CHECK(fcntl(t.accepted[0], F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(t.accepted[0], F_GETFD) & FD_CLOEXEC);
	close_listener(1);
}

static void
many_at_once_are_taken_in_growing_batches(void)
{
	open_listener(100);
	connect_clients(20);
	turn(1);
	CHECK_INT(t.n, 1);
	turn(4); /* 1, 2, 4, 8 more: each turn found some left by the one before */
	CHECK_INT(t.n, 16);
	turn(1);
	CHECK_INT(t.n, 20);
	close_listener(20);
}

static void
the_limit_holds_and_an_end_lets_the_next_in(void)
{
	open_listener(2);
	connect_clients(5);
	turn(6);
	CHECK(t.n == 2 && t.limit.open == 2);
	CHECK_INT(t.listener.watch.mask, 0);
	listen_release(&t.limit);
	turn(6);
	CHECK(t.n == 3 && t.limit.open == 2);
	close_listener(5);
}

static void
out_of_descriptors_a_caller_is_closed_and_the_rest_is_paused(void)
{
	struct rlimit before;
	struct rlimit few;
	char byte;

	open_listener(100);
	connect_clients(2);
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	int next = dup(0);
	(void)close(next);
	few = (struct rlimit){(rlim_t)next, before.rlim_max};
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	clock_fake(1000, 0);
	turn(1);
	CHECK(t.n == 0 && t.listener.n_shed == 1);
	CHECK_INT(t.listener.watch.mask, 0);
	CHECK(recv(t.clients[0], &byte, 1, 0) == 0);
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	turn(2);
	CHECK_INT(t.n, 0);
	clock_fake(1050, 0);
	turn(2);
	CHECK_INT(t.n, 1);
	clock_real();
	close_listener(2);
}

static void
several_sockets_share_a_port_that_was_free(void)
{
	struct err err = {0};
	int fd[3];
	struct listen_fds fds = {fd, 3};
	struct addr a = {.ip = ip_v4(0x7f000001)};
	struct addr bound = {0};
	struct addr got = {0};
	CHECK_OK(
		listen_open(&a, &(struct listen_options){0}, &bound, &fds, &err), &err);
	CHECK(bound.port != 0);
	for (size_t i = 0; i < 3; i++) {
		CHECK(addr_local(fd[i], &got) && addr_eq(&got, &bound));
		(void)close(fd[i]);
	}
}

static void
a_taken_port_is_an_error_that_names_it(void)
{
	struct err err = {0};
	int fd = -1;
	struct listen_fds fds = {&fd, 1};
	struct sockaddr_storage sa;
	struct addr a = {.ip = ip_v4(0x7f000001)};
	unsigned n = addr_to_sockaddr(&a, &sa);
	int other = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(other, (struct sockaddr *)&sa, n) == 0);
	CHECK(listen(other, 1) == 0 && addr_local(other, &a));
	CHECK(!listen_open(&a, &(struct listen_options){0}, NULL, &fds, &err));
	CHECK_INT(err.code, ERR_NET_LISTEN);
	CHECK(strstr(err.text, "127.0.0.1:") != NULL);
	(void)close(other);
}

static void
any_v6_takes_v4_callers_too(void)
{
	struct err err = {0};
	int fd = -1;
	struct listen_fds fds = {&fd, 1};
	struct addr any = {.ip.family = IP_V6};
	struct addr bound = {0};
	CHECK_OK(listen_open(&any, &(struct listen_options){0}, &bound, &fds, &err),
		&err);
	bound.ip = ip_v4(0x7f000001);
	(void)close(connect_to(&bound));
	(void)close(fd);
}

static void
a_unix_socket_has_its_mode_and_replaces_a_dead_one_only(void)
{
	struct err err = {0};
	struct stat st;
	char dir[] = "/tmp/sekisho-test-XXXXXX";
	char path[64];
	int a = -1;
	int b = -1;
	CHECK(mkdtemp(dir) != NULL);
	text_format(path, sizeof(path), "%s/sock", dir);
	CHECK_OK(listen_open_unix(path, 0600, &a, &err), &err);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK(!listen_open_unix(path, 0600, &b, &err));
	CHECK_INT(err.code, ERR_NET_LISTEN);
	(void)close(a);
	CHECK_OK(listen_open_unix(path, 0660, &b, &err), &err);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0660);
	(void)close(b);
	(void)unlink(path);
	(void)rmdir(dir);
}

TESTS(connections_come_in_with_their_address, many_at_once_are_taken_in_growing_batches,
	the_limit_holds_and_an_end_lets_the_next_in,
	out_of_descriptors_a_caller_is_closed_and_the_rest_is_paused,
	several_sockets_share_a_port_that_was_free,
	a_taken_port_is_an_error_that_names_it, any_v6_takes_v4_callers_too,
	a_unix_socket_has_its_mode_and_replaces_a_dead_one_only)
