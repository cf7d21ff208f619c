// SPDX-License-Identifier: Apache-2.0
#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"

enum {
	BACKLOG = 4096,
	BATCH_MOST = 64, /* then those already here have a turn */
	PAUSE_MS = 50,   /* when descriptors or kernel memory ran out */
};

static bool
set_flag(int fd, int level, int option, int value, struct err *err)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) == 0)
		return true;
	return err_errno(err, ERR_NET_LISTEN, errno, "socket option %d", option);
}

/* [::] also takes IPv4; any other IPv6 address is itself alone. */
static bool
is_any(const struct ip *ip)
{
	static const uint8_t zero[sizeof(ip->bytes)];
	return memcmp(ip->bytes, zero, sizeof(zero)) == 0;
}

static bool
set_options(
	int fd, const struct addr *a, const struct listen_options *o, struct err *err)
{
	bool v6 = a->ip.family == IP_V6;
	if (!set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1, err) ||
		!set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1, err) ||
		!set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1, err))
		return false;
	if (v6 && !set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, !is_any(&a->ip), err))
		return false;
	if (o->defer_s != 0 &&
		!set_flag(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT,
			o->defer_s < 600 ? (int)o->defer_s : 600, err))
		return false;
	if (!o->transparent)
		return true;
	return v6 ? set_flag(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1, err)
		  : set_flag(fd, IPPROTO_IP, IP_TRANSPARENT, 1, err);
}

/* -1 and *err. */
static int
open_one(const struct addr *a, const struct listen_options *o, struct err *err)
{
	struct sockaddr_storage sa;
	unsigned n = addr_to_sockaddr(a, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		err_errno(err, ERR_NET_LISTEN, errno, "socket");
		return -1;
	}
	if (!set_options(fd, a, o, err))
		goto out;
	if (bind(fd, (struct sockaddr *)&sa, n) != 0) {
		err_errno(err, ERR_NET_LISTEN, errno, "bind");
		goto out;
	}
	if (listen(fd, o->backlog > 0 ? o->backlog : BACKLOG) == 0)
		return fd;
	err_errno(err, ERR_NET_LISTEN, errno, "listen");
out:
	(void)close(fd);
	return -1;
}

bool
listen_open(const struct addr *a, const struct listen_options *o, struct addr *bound,
	struct listen_fds *fds, struct err *err)
{
	struct addr at = *a;
	char text[ADDR_TEXT];

	for (size_t i = 0; i < fds->n; i++) {
		fds->fd[i] = open_one(&at, o, err);
		bool ok = fds->fd[i] >= 0;
		if (ok && at.port == 0 && !addr_local(fds->fd[i], &at)) {
			ok = err_errno(err, ERR_NET_LISTEN, errno, "getsockname");
			(void)close(fds->fd[i]);
		}
		if (ok)
			continue;
		while (i > 0)
			(void)close(fds->fd[--i]);
		return err_within(err, "%s", addr_text(text, a));
	}
	if (bound)
		*bound = at;
	return true;
}

/* Nobody listens: a socket left over by a process that died. */
static bool
is_dead(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool dead = connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) != 0 &&
		errno == ECONNREFUSED;
	(void)close(fd);
	return dead;
}

/* The umask makes the path appear with its permissions set. */
static bool
bind_unix(int fd, const struct sockaddr_un *sa, unsigned mode, struct err *err)
{
	struct stat st;
	if (lstat(sa->sun_path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode) || !is_dead(sa)) {
			return err_set(
				err, ERR_NET_LISTEN, "%s is in use", sa->sun_path);
		}
		(void)unlink(sa->sun_path);
	}
	mode_t before = umask((mode_t)(~mode & 0777));
	int rc = bind(fd, (const struct sockaddr *)sa, sizeof(*sa));
	int number = errno;
	(void)umask(before);
	if (rc != 0)
		return err_errno(err, ERR_NET_LISTEN, number, "%s", sa->sun_path);
	return true;
}

bool
listen_open_unix(const char *path, unsigned mode, int *fd, struct err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	if (!span_copy(sa.sun_path, sizeof(sa.sun_path), span_str(path))) {
		return err_set(
			err, ERR_NET_LISTEN, "socket path is too long: %s", path);
	}
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s < 0)
		return err_errno(err, ERR_NET_LISTEN, errno, "socket");
	if (!bind_unix(s, &sa, mode, err)) {
		(void)close(s);
		return false;
	}
	if (listen(s, BACKLOG) != 0) {
		err_errno(err, ERR_NET_LISTEN, errno, "%s", path);
		(void)close(s);
		return false;
	}
	*fd = s;
	return true;
}

void
listen_limit_init(struct listen_limit *limit, size_t most)
{
	*limit = (struct listen_limit){.most = most};
	list_init(&limit->waiting);
}

/* Out of descriptors: the caller gets a close instead of silence, by means of the one
 * descriptor kept for that; then we leave it alone for a moment. */
static void
shed_one(struct listener *l)
{
	if (l->reserve >= 0) {
		(void)close(l->reserve);
		int fd = accept4(l->watch.fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0) {
			(void)close(fd);
			l->n_shed++;
		}
		l->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	loop_watch(l->loop, &l->watch, 0);
	timer_set(l->loop, &l->pause, clock_now() + PAUSE_MS);
}

static bool
is_shortage(int number)
{
	return number == EMFILE || number == ENFILE || number == ENOBUFS ||
		number == ENOMEM;
}

/* False: stop for this turn. */
static bool
accept_one(struct listener *l)
{
	struct sockaddr_storage sa = {0};
	struct addr peer;
	socklen_t n = sizeof(sa);
	int fd = accept4(
		l->watch.fd, (struct sockaddr *)&sa, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		int number = errno;
		if (is_shortage(number))
			shed_one(l);
		return number == ECONNABORTED || number == EINTR;
	}
	if (!addr_from_sockaddr((struct sockaddr *)&sa, &peer))
		peer = (struct addr){0}; /* a unix socket's */
	l->limit->open++;
	l->n_accepted++;
	l->accepted(l, fd, &peer);
	return true;
}

static bool
is_at_limit(struct listener *l)
{
	if (l->limit->open < l->limit->most)
		return false;
	loop_watch(l->loop, &l->watch, 0);
	list_push(&l->limit->waiting, &l->waiting);
	return true;
}

/* Asking once more than there are connections costs a call per connection when they
 * come singly, so we ask for as many as came lately, and for more when that was little.
 */
static void
tell_ready(struct watch *w, unsigned events)
{
	struct listener *l = CONTAINER_OF(w, struct listener, watch);
	(void)events;
	for (unsigned i = 0; i < l->batch; i++) {
		if (!l->loop || is_at_limit(l))
			return;
		if (!accept_one(l)) {
			l->batch = i > 1 ? i : 1;
			return;
		}
	}
	if (!l->loop)
		return;
	if (l->batch < BATCH_MOST && l->full_turn + 1 == l->loop->turns)
		l->batch *= 2;
	l->full_turn = l->loop->turns;
}

static void
end_pause(struct timer *t)
{
	struct listener *l = CONTAINER_OF(t, struct listener, pause);
	if (!list_joined(&l->waiting))
		loop_watch(l->loop, &l->watch, LOOP_READ);
}

void
listen_start(struct listener *l, struct loop *loop, int fd, struct listen_limit *limit)
{
	l->loop = loop;
	l->limit = limit;
	l->batch = 1;
	l->full_turn = UINT64_MAX;
	l->watch = (struct watch){.fd = fd, .ready = tell_ready};
	l->pause = (struct timer){.fired = end_pause};
	l->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	list_init(&l->waiting);
	loop_watch(loop, &l->watch, LOOP_READ);
}

void
listen_stop(struct listener *l)
{
	if (!l->loop)
		return;
	timer_stop(l->loop, &l->pause);
	list_leave(&l->waiting);
	loop_forget(l->loop, &l->watch);
	(void)close(l->watch.fd);
	if (l->reserve >= 0)
		(void)close(l->reserve);
	l->watch.fd = l->reserve = -1;
	l->loop = NULL;
}

void
listen_release(struct listen_limit *limit)
{
	must(limit->open > 0);
	limit->open--;
	struct list *first = list_first(&limit->waiting);
	if (!first || limit->open >= limit->most)
		return;
	struct listener *l = CONTAINER_OF(first, struct listener, waiting);
	list_leave(first);
	if (!timer_is_set(&l->pause))
		loop_watch(l->loop, &l->watch, LOOP_READ);
}
