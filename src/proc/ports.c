// SPDX-License-Identifier: Apache-2.0
#include "proc/ports_priv.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "gate/settings.h"
#include "net/listen.h"
#include "proc/notify_priv.h"

enum { FIRST_GIVEN = 3, LOOPBACK = 0x7f000001 };

struct addr
ports_admin(const struct settings *s)
{
	struct ip ip = s->admin.ip.family == IP_NONE ? ip_v4(LOOPBACK) : s->admin.ip;
	return (struct addr){.ip = ip, .port = s->admin.port};
}

static struct port *
add_port(struct ports *p, const struct addr *a)
{
	struct port *port = mem_alloc(sizeof(*port));
	port->addr = *a;
	list_push(&p->all, &port->in);
	return port;
}

static struct port *
find_port(const struct ports *p, const struct addr *a)
{
	LIST_EACH (l, &p->all) {
		struct port *port = CONTAINER_OF(l, struct port, in);
		if (addr_eq(&port->addr, a))
			return port;
	}
	return NULL;
}

/* Closes the sockets from n on. */
static void
cut_port(struct port *port, size_t n)
{
	while (port->n > n)
		(void)close(port->fds[--port->n]);
}

static void
free_port(struct port *port)
{
	cut_port(port, 0);
	list_leave(&port->in);
	mem_free(port->fds);
	mem_free(port);
}

static void
take_given(struct ports *p, int fd)
{
	struct addr a;
	int listens = 0;
	socklen_t n = sizeof(listens);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) != 0 || !listens ||
		!addr_local(fd, &a) || find_port(p, &a)) {
		log_warn("proc.socket-activation",
			"fd=%d reason=\"not a TCP listener\"", fd);
		return;
	}
	const int on = 1;
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	struct port *port = add_port(p, &a);
	port->fds = mem_alloc(sizeof(int));
	port->fds[0] = fd;
	port->n = port->n_before = 1;
	port->shared = true;
}

void
ports_init(struct ports *p)
{
	list_init(&p->all);
	size_t given = notify_listen_fds();
	for (size_t i = 0; i < given; i++)
		take_given(p, FIRST_GIVEN + (int)i); /* notify bounds it */
}

void
ports_adopt(struct ports *p, int fd)
{
	struct addr a;
	int listens = 0;
	int many = 0;
	socklen_t n = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) != 0 || !listens ||
		getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &many, &n) != 0 ||
		!addr_local(fd, &a)) {
		log_warn("upgrade.socket", "fd=%d reason=\"not a TCP listener\"", fd);
		(void)close(fd);
		return;
	}
	struct port *port = find_port(p, &a);
	if (!port)
		port = add_port(p, &a);
	port->fds = mem_resize(port->fds, (port->n + 1) * sizeof(int));
	port->fds[port->n++] = fd;
	port->n_before = port->n;
	port->shared = !many;
}

void
ports_fini(struct ports *p)
{
	LIST_EACH (l, &p->all)
		free_port(CONTAINER_OF(l, struct port, in));
}

static bool
want_path(struct ports *p, const struct listen_settings *l, struct err *err)
{
	struct port *port = find_port(p, &l->bind);

	if (!port)
		port = add_port(p, &l->bind);
	port->wanted = true;
	port->shared = port->is_path = true;
	if (port->n > 0)
		return true;
	port->fds = mem_alloc(sizeof(int));
	/* Who may sign is decided by certificates, not by who may connect. */
	if (!listen_open_unix(l->path, 0666, port->fds, err))
		return false;
	port->n = 1;
	return true;
}

static bool
want_port(struct ports *p, const struct addr *a, size_t n, struct err *err)
{
	struct port *port = find_port(p, a);
	if (!port)
		port = add_port(p, a);
	port->wanted = true;
	if (port->shared || port->n >= n)
		return true;
	port->fds = mem_resize(port->fds, n * sizeof(int));
	struct listen_fds more = {port->fds + port->n, n - port->n};
	if (!listen_open(a, &(struct listen_options){0}, NULL, &more, err))
		return false;
	port->n = n;
	return true;
}

static bool
want_all(struct ports *p, const struct settings *s, size_t n, struct err *err)
{
	for (const struct conf_item *it = s->listens; it; it = it->next) {
		const struct listen_settings *l =
			(const struct listen_settings *)(const void *)it;
		bool ok =
			l->path ? want_path(p, l, err) : want_port(p, &l->bind, n, err);
		if (!ok)
			return false;
	}
	if (s->admin.port == 0)
		return true;
	const struct addr admin = ports_admin(s);
	return want_port(p, &admin, 1, err);
}

bool
ports_prepare(struct ports *p, const struct settings *s, size_t n, struct err *err)
{
	LIST_EACH (l, &p->all) {
		struct port *port = CONTAINER_OF(l, struct port, in);
		port->n_before = port->n;
		port->wanted = false;
	}
	if (want_all(p, s, n, err))
		return true;
	ports_revert(p);
	return false;
}

void
ports_keep(struct ports *p)
{
	LIST_EACH (l, &p->all) {
		struct port *port = CONTAINER_OF(l, struct port, in);
		if (!port->wanted && (!port->shared || port->is_path))
			free_port(port);
	}
}

void
ports_revert(struct ports *p)
{
	LIST_EACH (l, &p->all) {
		struct port *port = CONTAINER_OF(l, struct port, in);
		cut_port(port, port->n_before);
		if (port->n == 0)
			free_port(port);
	}
}

int
ports_fd(const struct ports *p, const struct addr *a, size_t i)
{
	const struct port *port = find_port(p, a);
	if (!port || port->n == 0)
		return -1;
	if (port->shared)
		return port->fds[0];
	return i < port->n ? port->fds[i] : -1;
}
