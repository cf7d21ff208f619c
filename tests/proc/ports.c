// SPDX-License-Identifier: Apache-2.0
#include "proc/ports_priv.h"

#include <sys/socket.h>
#include <unistd.h>

#include "gate/settings.h"
#include "tests/test.h"

/* Settings with these listeners and no more. */
static struct settings
settings_of(struct listen_settings *listens, size_t n)
{
	for (size_t i = 0; i < n; i++)
		listens[i].item.next = i + 1 < n ? &listens[i + 1].item : NULL;
	return (struct settings){.listens = n > 0 ? &listens[0].item : NULL};
}

/* An address whose port is free right now. */
static struct addr
free_addr(void)
{
	struct sockaddr_storage sa;
	struct addr a = {.ip = ip_v4(0x7f000001)};
	unsigned n = addr_to_sockaddr(&a, &sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(fd, (struct sockaddr *)&sa, n) == 0 && addr_local(fd, &a));
	(void)close(fd);
	return a;
}

static bool
takes_callers(const struct addr *a)
{
	struct sockaddr_storage sa;
	unsigned n = addr_to_sockaddr(a, &sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool ok = connect(fd, (struct sockaddr *)&sa, n) == 0;
	(void)close(fd);
	return ok;
}

static void
each_worker_has_a_socket_of_its_own_and_keeps_it(void)
{
	struct err err = {0};
	struct ports p;
	struct listen_settings l[1] = {{.bind = free_addr()}};
	struct settings s = settings_of(l, 1);
	ports_init(&p);
	CHECK_OK(ports_prepare(&p, &s, 2, &err), &err);
	ports_keep(&p);
	int first = ports_fd(&p, &l[0].bind, 0);
	int second = ports_fd(&p, &l[0].bind, 1);
	CHECK(first >= 0 && second >= 0 && first != second);
	CHECK_INT(ports_fd(&p, &l[0].bind, 2), -1);
	CHECK_OK(ports_prepare(&p, &s, 3, &err), &err);
	ports_keep(&p);
	CHECK(ports_fd(&p, &l[0].bind, 0) == first &&
		ports_fd(&p, &l[0].bind, 1) == second);
	CHECK(ports_fd(&p, &l[0].bind, 2) >= 0);
	ports_fini(&p);
}

static void
what_the_new_settings_do_not_need_is_closed_when_they_serve(void)
{
	struct err err = {0};
	struct ports p;
	struct listen_settings old[1] = {{.bind = free_addr()}};
	struct listen_settings fresh[1] = {{.bind = free_addr()}};
	struct settings s = settings_of(old, 1);
	ports_init(&p);
	CHECK_OK(ports_prepare(&p, &s, 1, &err), &err);
	ports_keep(&p);
	s = settings_of(fresh, 1);
	CHECK_OK(ports_prepare(&p, &s, 1, &err), &err);
	CHECK(takes_callers(&old[0].bind) && takes_callers(&fresh[0].bind));
	ports_keep(&p);
	CHECK(!takes_callers(&old[0].bind) && takes_callers(&fresh[0].bind));
	ports_fini(&p);
}

static void
settings_that_will_not_serve_leave_the_ports_as_they_were(void)
{
	struct err err = {0};
	struct ports p;
	struct listen_settings old[1] = {{.bind = free_addr()}};
	struct listen_settings fresh[1] = {{.bind = free_addr()}};
	struct settings s = settings_of(old, 1);
	ports_init(&p);
	CHECK_OK(ports_prepare(&p, &s, 1, &err), &err);
	ports_keep(&p);
	int before = ports_fd(&p, &old[0].bind, 0);
	s = settings_of(fresh, 1);
	CHECK_OK(ports_prepare(&p, &s, 4, &err), &err);
	ports_revert(&p);
	CHECK(!takes_callers(&fresh[0].bind));
	CHECK_INT(ports_fd(&p, &old[0].bind, 0), before);
	ports_fini(&p);
}

static void
one_that_cannot_be_opened_closes_those_opened_with_it(void)
{
	struct err err = {0};
	struct ports p;
	struct sockaddr_storage sa;
	struct listen_settings l[2] = {{.bind = free_addr()}, {.bind = free_addr()}};
	struct settings s = settings_of(l, 2);
	unsigned n = addr_to_sockaddr(&l[1].bind, &sa);
	int other = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(other, (struct sockaddr *)&sa, n) == 0 && listen(other, 1) == 0);
	ports_init(&p);
	CHECK(!ports_prepare(&p, &s, 2, &err));
	CHECK_INT(err.code, ERR_NET_LISTEN);
	CHECK(!takes_callers(&l[0].bind));
	CHECK_INT(ports_fd(&p, &l[0].bind, 0), -1);
	(void)close(other);
	ports_fini(&p);
}

static void
the_admin_address_is_loopback_unless_said_otherwise(void)
{
	struct settings s = {.admin.port = 9};
	struct addr a = ports_admin(&s);
	CHECK(ip_kind(&a.ip) == IP_LOOPBACK && a.port == 9);
}

TESTS(each_worker_has_a_socket_of_its_own_and_keeps_it,
	what_the_new_settings_do_not_need_is_closed_when_they_serve,
	settings_that_will_not_serve_leave_the_ports_as_they_were,
	one_that_cannot_be_opened_closes_those_opened_with_it,
	the_admin_address_is_loopback_unless_said_otherwise)
