// SPDX-License-Identifier: Apache-2.0
#include "net/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"

struct attempt {
	struct dial *dial;
	struct watch watch; /* its fd is -1 when it is over */
	struct addr to;
};

/* All attempts, from dial_start() until the result. */
struct dial_race {
	struct attempt attempts[DIAL_MOST];
	size_t n;
	size_t next; /* the first not tried yet */
	size_t open;
	size_t n_forbidden;
	enum err_code forbidden; /* what the first refusal said */
	size_t n_refused;        /* by the host itself: it is up, its port is closed */
	uint64_t deadline_ms;
	uint64_t next_ms; /* when the next may start although others are open */
	bool starting;    /* inside dial_start() */
	char notes[200];  /* what each address said */
};

static void
note(struct dial_race *race, const struct addr *to, const char *what)
{
	size_t n = strlen(race->notes);
	char where[ADDR_TEXT];
	text_format(race->notes + n, sizeof(race->notes) - n, "%s%s: %s",
		n > 0 ? "; " : "", addr_text(where, to), what);
}

static void
note_errno(struct dial_race *race, const struct addr *to, int number)
{
	struct err err = {0};
	err_errno(&err, ERR_NET_UNREACHABLE, number, "connect");
	race->n_refused += number == ECONNREFUSED;
	note(race, to, err.text);
}

static void
end_attempt(struct attempt *a)
{
	loop_close(a->dial->loop, &a->watch);
	a->dial->race->open--;
}

static void
end_race(struct dial *d)
{
	for (size_t i = 0; i < d->race->next; i++) {
		if (d->race->attempts[i].watch.fd >= 0)
			end_attempt(&d->race->attempts[i]);
	}
	timer_stop(d->loop, &d->timer);
	mem_free(d->race);
	d->race = NULL;
}

static void
tell_finished(struct hook *h)
{
	struct dial *d = CONTAINER_OF(h, struct dial, finished);
	d->done(d);
}

/* The race is over; d->fd and d->err are set. */
static void
finish(struct dial *d)
{
	bool starting = d->race->starting;
	end_race(d);
	if (starting) {
		loop_soon(d->loop, &d->finished);
		return;
	}
	d->done(d);
}

static void
lose(struct dial *d, enum err_code code)
{
	struct dial_race *race = d->race;
	if (race->n_forbidden > 0 && race->n_forbidden == race->next)
		code = race->forbidden;
	/* One that answers tells more than others that do not. */
	if (code == ERR_NET_UNREACHABLE && race->n_refused > 0)
		code = ERR_NET_REFUSED;
	err_set(&d->err, code, "%s", race->notes[0] ? race->notes : "no address");
	finish(d);
}

static void
win(struct dial *d, struct attempt *a)
{
	d->fd = a->watch.fd;
	d->peer = a->to;
	loop_leave(d->loop, &a->watch); /* most likely for an io */
	a->watch.fd = -1;
	d->race->open--;
	finish(d);
}

static bool
set_flag(int fd, int level, int option, unsigned value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/* Bound late, so that one port may serve towards many peers (IP_BIND_ADDRESS_NO_PORT).
 */
static bool
bind_source(const struct dial *d, int fd)
{
	struct sockaddr_storage sa;
	unsigned n = addr_to_sockaddr(d->source, &sa);
	bool v6 = d->source->ip.family == IP_V6;
	if (d->transparent && v6 && !set_flag(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1))
		return false;
	if (d->transparent && !v6 && !set_flag(fd, IPPROTO_IP, IP_TRANSPARENT, 1))
		return false;
	if (d->source->port == 0 &&
		!set_flag(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1))
		return false;
	return bind(fd, (struct sockaddr *)&sa, n) == 0;
}

/* A socket on its way to `to`, or -1 and errno. */
static int
connect_to(const struct dial *d, const struct addr *to)
{
	struct sockaddr_storage sa;
	unsigned n = addr_to_sockaddr(to, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	bool ok = set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
		(d->mark == 0 || set_flag(fd, SOL_SOCKET, SO_MARK, d->mark)) &&
		(!d->source || bind_source(d, fd));
	if (ok && (connect(fd, (struct sockaddr *)&sa, n) == 0 || errno == EINPROGRESS))
		return fd;
	int number = errno;
	(void)close(fd);
	errno = number;
	return -1;
}

static bool
may_dial(struct dial *d, const struct addr *to)
{
	struct err err = {0};
	if (d->source && d->source->ip.family != to->ip.family) {
		note(d->race, to, "the source address is of the other family");
		return false;
	}
	if (!d->allowed || d->allowed(d, to, &err))
		return true;
	if (d->race->n_forbidden++ == 0) {
		d->race->forbidden =
			err.code != ERR_NONE ? err.code : ERR_NET_FORBIDDEN;
	}
	note(d->race, to, err.text[0] ? err.text : "not allowed");
	return false;
}

static bool
start_attempt(struct dial *d, struct attempt *a)
{
	d->n_tried++;
	if (!may_dial(d, &a->to))
		return false;
	int fd = connect_to(d, &a->to);
	if (fd < 0) {
		note_errno(d->race, &a->to, errno);
		return false;
	}
	a->watch.fd = fd;
	d->race->open++;
	loop_watch(d->loop, &a->watch, LOOP_WRITE);
	return true;
}

/* Starts the next address that can be started at all, or loses when none is left. */
static void
start_next(struct dial *d)
{
	struct dial_race *race = d->race;
	bool started = false;

	while (!started && race->next < race->n)
		started = start_attempt(d, &race->attempts[race->next++]);
	if (race->open == 0) {
		lose(d, ERR_NET_UNREACHABLE);
		return;
	}
	race->next_ms = clock_now() + DIAL_STAGGER_MS;
	bool more = race->next < race->n && race->next_ms < race->deadline_ms;
	timer_set(d->loop, &d->timer, more ? race->next_ms : race->deadline_ms);
}

static void
tell_attempt(struct watch *w, unsigned events)
{
	struct attempt *a = CONTAINER_OF(w, struct attempt, watch);
	struct dial *d = a->dial;
	int number = 0;
	socklen_t n = sizeof(number);

	(void)events;
	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &number, &n) != 0)
		number = errno;
	if (number == 0) {
		win(d, a);
		return;
	}
	note_errno(d->race, &a->to, number);
	end_attempt(a);
	start_next(d);
}

static void
tell_timer(struct timer *t)
{
	struct dial *d = CONTAINER_OF(t, struct dial, timer);
	struct dial_race *race = d->race;

	if (clock_now() < race->deadline_ms) {
		start_next(d);
		return;
	}
	for (size_t i = 0; i < race->next; i++) {
		if (race->attempts[i].watch.fd >= 0)
			note(race, &race->attempts[i].to, "no answer in time");
	}
	lose(d, ERR_NET_TIMEOUT);
}

static void
add_attempt(struct dial *d, const struct ip *ip, uint16_t port)
{
	struct attempt *a = &d->race->attempts[d->race->n++];
	a->dial = d;
	a->watch = (struct watch){.fd = -1, .ready = tell_attempt};
	a->to = (struct addr){.ip = *ip, .port = port};
}

void
dial_start(struct dial *d, struct loop *loop, const struct dial_to *to,
	uint64_t deadline_ms)
{
	must(!d->race);
	d->loop = loop;
	d->fd = -1;
	d->err = (struct err){0};
	d->n_tried = 0;
	d->timer = (struct timer){.fired = tell_timer};
	d->finished = (struct hook){.run = tell_finished};
	d->race = mem_alloc(sizeof(*d->race));
	d->race->deadline_ms = deadline_ms;
	for (size_t i = 0; i < to->n && i < DIAL_MOST; i++)
		add_attempt(d, &to->ips[i], to->port);

	d->race->starting = true;
	start_next(d);
	if (d->race)
		d->race->starting = false;
}

void
dial_cancel(struct dial *d)
{
	if (d->race)
		end_race(d);
	loop_unhook(&d->finished);
}

bool
dial_unix(struct span path, int *fd, struct err *err)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (!span_copy(to.sun_path, sizeof(to.sun_path), path))
		return err_set(err, ERR_NET_UNREACHABLE, "the path is too long");
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s < 0)
		return err_errno(err, ERR_NET_UNREACHABLE, errno, "socket");
	if (connect(s, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		err_errno(err, ERR_NET_UNREACHABLE, errno, "%s", to.sun_path);
		(void)close(s);
		return false;
	}
	*fd = s;
	return true;
}
