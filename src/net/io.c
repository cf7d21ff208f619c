// SPDX-License-Identifier: Apache-2.0
/*
 * How system calls are saved. Reading: a read that did not fill its room has emptied
 * the socket, so we do not ask again. Writing is tried when the caller is done, without
 * waiting for epoll to say it is possible; only what is left over makes us ask for
 * LOOP_WRITE. Interest in reading is given up late, when an event comes that cannot be
 * served because `in` is full: in a relay that drains at the same pace it never comes,
 * and no epoll_ctl is spent on a buf that is full for an instant.
 */
#include "net/io.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/must.h"

enum {
	READ_LEAST = 16384,
	STEP_MOST = 2,       /* 64 KiB */
	READS_PER_EVENT = 4, /* then the others have a turn */
};

/* After this no byte passes, and nothing the kernel says about it is of interest. */
static void
fail(struct io *io, int number)
{
	if (io->failed == 0)
		io->failed = number;
	buf_fini(&io->out);
	/* Most are closed in this very turn; telling epoll before would be one call for
	 * nothing, and the loop drops who is left behind. */
	loop_leave(io->loop, &io->watch);
}

static bool
is_transient(int number)
{
	return number == EAGAIN || number == EINTR || number == ENOBUFS;
}

/* True if there may be more. */
static bool
read_some(struct io *io)
{
	size_t room = 0;
	uint8_t *at = buf_space(&io->in, (size_t)READ_LEAST << io->read_step, &room);
	if (!at)
		return false;
	ssize_t n = recv(io->watch.fd, at, room, MSG_DONTWAIT);
	if (n <= 0) {
		buf_added(&io->in, 0);
		if (n == 0) {
			io->eof = true;
		} else if (!is_transient(errno)) {
			fail(io, errno);
		}
		return false;
	}
	buf_added(&io->in, (size_t)n);
	io->n_in += (uint64_t)n;
	if ((size_t)n < room) {
		io->read_step = 0;
		return false;
	}
	if (io->read_step < STEP_MOST)
		io->read_step++;
	return true;
}

static void
read_in(struct io *io)
{
	for (int i = 0; i < READS_PER_EVENT && !io->eof; i++) {
		if (!read_some(io))
			return;
	}
}

static void
shut_if_drained(struct io *io)
{
	if (!io->shut_wanted || io->shut || !buf_empty(&io->out))
		return;
	io->shut = true;
	if (shutdown(io->watch.fd, SHUT_WR) != 0 && errno != ENOTCONN)
		fail(io, errno);
}

static void
write_out(struct io *io)
{
	if (io->failed != 0)
		return;
	if (!buf_empty(&io->out)) {
		struct span s = buf_peek(&io->out);
		/* The end goes with the last octets, in one segment. */
		int more = io->shut_wanted && !io->shut ? MSG_MORE : 0;
		ssize_t n = send(
			io->watch.fd, s.p, s.n, MSG_DONTWAIT | MSG_NOSIGNAL | more);
		if (n < 0 && !is_transient(errno))
			fail(io, errno);
		if (n <= 0)
			return;
		buf_drop(&io->out, (size_t)n);
		io->n_out += (uint64_t)n;
	}
	shut_if_drained(io);
}

/* What to ask epoll for. Reading that was asked for and is not possible now stays asked
 * for until it comes in vain: see the top. */
static void
update_interest(struct io *io, bool read_came_in_vain)
{
	if (io->failed != 0)
		return;
	unsigned want = 0;
	bool keeps = (io->watch.mask & LOOP_READ) && !read_came_in_vain;
	if (!io->eof && (!buf_full(&io->in) || keeps))
		want |= LOOP_READ;
	if (!buf_empty(&io->out))
		want |= LOOP_WRITE;
	loop_watch(io->loop, &io->watch, want);
}

/*
 * The kernel reports these whether asked or not, so they must end in an answer or the
 * loop spins. A reset: bytes not read yet are gone, it failed. Both directions ended in
 * order while `in` is full: it leaves epoll until there is room (update_interest()).
 */
static void
take_hangup(struct io *io)
{
	int number = 0;
	socklen_t n = sizeof(number);
	if (getsockopt(io->watch.fd, SOL_SOCKET, SO_ERROR, &number, &n) != 0)
		number = errno;
	if (number != 0) {
		fail(io, number);
	} else {
		loop_watch(io->loop, &io->watch, 0);
	}
}

static void
tell_ready(struct watch *w, unsigned events)
{
	struct io *io = CONTAINER_OF(w, struct io, watch);
	bool in_vain = false;
	bool settled = false;

	if (events & (LOOP_READ | LOOP_HUP | LOOP_ERROR)) {
		in_vain = buf_full(&io->in);
		if (!in_vain && !io->eof)
			read_in(io);
	}
	if (events & LOOP_WRITE)
		write_out(io);
	if ((events & (LOOP_HUP | LOOP_ERROR)) && (in_vain || io->eof) &&
		io->failed == 0)
		take_hangup(io);
	settled = io->failed != 0;
	io->moved(io);
	if (!io_is_open(io) || settled)
		return;
	write_out(io);
	update_interest(io, in_vain);
	if (io->failed != 0)
		loop_soon(io->loop, &io->told);
}

static void
tell_failure(struct hook *h)
{
	struct io *io = CONTAINER_OF(h, struct io, told);
	io->moved(io);
}

void
io_open(struct io *io, struct loop *loop, int fd, size_t in_limit, size_t out_limit)
{
	void (*moved)(struct io *) = io->moved;
	*io = (struct io){.moved = moved, .loop = loop};
	buf_init(&io->in, in_limit);
	buf_init(&io->out, out_limit);
	io->watch = (struct watch){.fd = fd, .ready = tell_ready};
	io->told.run = tell_failure;
	loop_watch(loop, &io->watch, LOOP_READ);
}

bool
io_is_open(const struct io *io)
{
	return io->loop != NULL;
}

void
io_touch(struct io *io)
{
	if (!io_is_open(io) || io->failed != 0)
		return;
	write_out(io);
	update_interest(io, false);
	if (io->failed != 0)
		loop_soon(io->loop, &io->told);
}

void
io_shut(struct io *io)
{
	io->shut_wanted = true;
	io_touch(io);
}

int
io_take(struct io *io)
{
	int fd = io->watch.fd;
	must(io_is_open(io));
	loop_leave(io->loop, &io->watch);
	loop_unhook(&io->told);
	io->watch.fd = -1;
	io->loop = NULL;
	return fd;
}

void
io_close(struct io *io)
{
	if (!io_is_open(io))
		return;
	loop_close(io->loop, &io->watch);
	loop_unhook(&io->told);
	io->loop = NULL;
	buf_fini(&io->in);
	buf_fini(&io->out);
}

void
io_abort(struct io *io)
{
	if (!io_is_open(io))
		return;
	const struct linger reset = {.l_onoff = 1};
	(void)setsockopt(io->watch.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	io_close(io);
}

/* Not a TCP socket: there is nothing to set, and no harm. */
static void
set_tcp(int fd, int option, unsigned value)
{
	if (value != 0)
		(void)setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value));
}

void
io_keepalive(struct io *io, unsigned idle_s, unsigned give_up_ms)
{
	const int on = idle_s != 0;
	(void)setsockopt(io->watch.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	set_tcp(io->watch.fd, TCP_KEEPIDLE, idle_s);
	set_tcp(io->watch.fd, TCP_KEEPINTVL, idle_s > 8 ? idle_s / 4 : 2);
	set_tcp(io->watch.fd, TCP_USER_TIMEOUT, give_up_ms);
}
