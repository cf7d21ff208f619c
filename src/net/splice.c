// SPDX-License-Identifier: Apache-2.0
/*
 * One way is: socket → pipe → socket. A pipe is taken from the pool when bytes are
 * there and goes back the moment it is empty, so the kernel's limit on pipe memory
 * (pipe-user-pages-soft) bounds how much slow drains can hold, and idle tunnels hold
 * none. `first` is what was read before the tunnel began; when splice is refused it
 * also is the buffer to copy through.
 */
#include "net/splice.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"

enum {
	PIPE_BYTES = 1 << 20,
	SPARE_MOST = 32,
	ROUNDS = 4,        /* per event; then the others have a turn */
	FEW_BYTES = 16384, /* a source that gave so little has no more */
	COPY_BYTES = 65536,
};

struct splice_pipe {
	struct splice_pipe *next;
	int read_fd;
	int write_fd;
};

void
splice_pool_init(struct splice_pool *pool)
{
	*pool = (struct splice_pool){
		.most_spare = SPARE_MOST, .pipe_bytes = PIPE_BYTES};
}

static void
free_pipe(struct splice_pipe *pipe)
{
	(void)close(pipe->read_fd);
	(void)close(pipe->write_fd);
	mem_free(pipe);
}

void
splice_pool_fini(struct splice_pool *pool)
{
	must(pool->n_held == 0);
	while (pool->spare) {
		struct splice_pipe *pipe = pool->spare;
		pool->spare = pipe->next;
		free_pipe(pipe);
	}
	pool->n_spare = 0;
}

/* NULL when there are no descriptors left. */
static struct splice_pipe *
take_pipe(struct splice_pool *pool)
{
	struct splice_pipe *pipe = pool->spare;
	if (pipe) {
		pool->spare = pipe->next;
		pool->n_spare--;
		pool->n_held++;
		return pipe;
	}
	int fds[2];
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0)
		return NULL;
	/* Refused above the user's limit: then it works as it is, with more calls. */
	(void)fcntl(fds[0], F_SETPIPE_SZ, (int)pool->pipe_bytes);
	pipe = mem_alloc(sizeof(*pipe));
	pipe->read_fd = fds[0];
	pipe->write_fd = fds[1];
	pool->n_held++;
	return pipe;
}

static void
give_pipe(struct splice_pool *pool, struct splice_way *way)
{
	struct splice_pipe *pipe = way->pipe;
	if (!pipe)
		return;
	way->pipe = NULL;
	pool->n_held--;
	if (way->in_pipe > 0 || pool->n_spare >= pool->most_spare) {
		free_pipe(pipe);
		return;
	}
	pipe->next = pool->spare;
	pool->spare = pipe;
	pool->n_spare++;
}

static bool
is_transient(int number)
{
	return number == EAGAIN || number == EINTR || number == ENOBUFS;
}

static void
fail(struct splice *s, int side, int number)
{
	if (s->end != SPLICE_RUNNING)
		return;
	s->end = SPLICE_FAILED;
	s->failed = number;
	s->failed_side = side;
}

/* ---- one way: from side i to side !i */

static bool
has_bytes(const struct splice_way *way)
{
	return way->in_pipe > 0 || !buf_empty(&way->first);
}

static ssize_t
read_copy(struct splice_way *way, int fd)
{
	size_t room = 0;
	uint8_t *at = buf_space(&way->first, COPY_BYTES, &room);
	if (!at)
		return -1;
	ssize_t n = recv(fd, at, room, MSG_DONTWAIT);
	int number = errno;
	buf_added(&way->first, n > 0 ? (size_t)n : 0);
	errno = number;
	return n;
}

static ssize_t
read_pipe(struct splice *s, struct splice_way *way, int fd)
{
	if (!way->pipe)
		way->pipe = take_pipe(s->pool);
	if (!way->pipe)
		return read_copy(way, fd);
	ssize_t n = splice(fd, NULL, way->pipe->write_fd, NULL, s->pool->pipe_bytes,
		SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n > 0)
		way->in_pipe += (size_t)n;
	if (n >= 0 || errno != EINVAL)
		return n;
	way->copies = true;
	give_pipe(s->pool, way);
	return read_copy(way, fd);
}

/* Takes what the source has. How many bytes; 0 when there are none now or any more. */
static size_t
fill(struct splice *s, int i)
{
	struct splice_way *way = &s->way[i];
	int fd = s->side[i].fd;
	ssize_t n = way->copies ? read_copy(way, fd) : read_pipe(s, way, fd);

	if (n > 0)
		return (size_t)n;
	if (n == 0) {
		way->eof = true;
		if (s->first_eof < 0)
			s->first_eof = i;
	} else if (!is_transient(errno)) {
		fail(s, i, errno);
	}
	return 0;
}

static ssize_t
write_some(struct splice_way *way, int fd)
{
	if (!buf_empty(&way->first)) {
		struct span bytes = buf_peek(&way->first);
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			buf_drop(&way->first, (size_t)n);
		return n;
	}
	ssize_t n = splice(way->pipe->read_fd, NULL, fd, NULL, way->in_pipe,
		SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n > 0)
		way->in_pipe -= (size_t)n;
	return n;
}

/* Gives the drain what is held. False when some is left. */
static bool
drain(struct splice *s, int i)
{
	struct splice_way *way = &s->way[i];
	while (has_bytes(way)) {
		ssize_t n = write_some(way, s->side[!i].fd);
		if (n <= 0) {
			if (n < 0 && !is_transient(errno))
				fail(s, !i, errno);
			return false;
		}
		s->n[i] += (uint64_t)n;
	}
	give_pipe(s->pool, way);
	return true;
}

static void
pump(struct splice *s, int i)
{
	struct splice_way *way = &s->way[i];
	size_t got = SIZE_MAX;
	bool drained = drain(s, i);

	for (int round = 0; round < ROUNDS && drained && got > FEW_BYTES; round++) {
		if (way->eof || s->end != SPLICE_RUNNING)
			break;
		got = fill(s, i);
		drained = drain(s, i);
	}
	if (way->eof && drained && !way->shut) {
		way->shut = true;
		if (!s->way[!i].shut) /* else both are closed now, which says it too */
			(void)shutdown(s->side[!i].fd, SHUT_WR);
	}
}

/* ---- both */

static void
close_all(struct splice *s)
{
	for (int i = 0; i < 2; i++) {
		give_pipe(s->pool, &s->way[i]);
		buf_fini(&s->way[i].first);
		loop_close(s->loop, &s->side[i]);
	}
	timer_stop(s->loop, &s->idle);
	loop_unhook(&s->begin);
	s->loop = NULL;
}

/* A side that failed fails the other: its peer must not take a cut for an end. */
static void
pass_reset(struct splice *s)
{
	const struct linger reset = {.l_onoff = 1};
	for (int i = 0; i < 2; i++) {
		(void)setsockopt(
			s->side[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	}
}

static void
finish(struct splice *s)
{
	if (s->end != SPLICE_CLOSED)
		pass_reset(s);
	close_all(s);
	s->done(s);
}

/* As in io.c: reading already asked for is given up only when it came in vain. */
static void
update_interest(struct splice *s, int i, bool in_vain)
{
	const struct splice_way *from = &s->way[i];
	unsigned want = 0;
	bool keeps = (s->side[i].mask & LOOP_READ) && !in_vain;
	if (!from->eof && (!has_bytes(from) || keeps))
		want |= LOOP_READ;
	if (has_bytes(&s->way[!i]))
		want |= LOOP_WRITE;
	loop_watch(s->loop, &s->side[i], want);
}

static void
settle(struct splice *s, int i, bool in_vain)
{
	if (s->end == SPLICE_RUNNING && s->way[0].shut && s->way[1].shut)
		s->end = SPLICE_CLOSED;
	if (s->end != SPLICE_RUNNING) {
		finish(s);
		return;
	}
	update_interest(s, i, in_vain);
	update_interest(s, !i, false);
}

/* The kernel says this unasked; if nothing can be read, only a reset can be meant. */
static void
look_for_reset(struct splice *s, int i)
{
	int number = 0;
	socklen_t n = sizeof(number);
	if (getsockopt(s->side[i].fd, SOL_SOCKET, SO_ERROR, &number, &n) == 0 &&
		number != 0)
		fail(s, i, number);
}

static void
tell_side(struct splice *s, int i, unsigned events)
{
	uint64_t before = s->n[0] + s->n[1];
	bool ended = events & (LOOP_HUP | LOOP_ERROR);
	bool in_vain = false;

	if (events & LOOP_WRITE)
		pump(s, !i);
	if (ended || (events & LOOP_READ)) {
		in_vain = has_bytes(&s->way[i]) && !drain(s, i);
		if (!in_vain)
			pump(s, i);
	}
	if (ended && (in_vain || s->way[i].eof))
		look_for_reset(s, i);
	if (s->idle_ms != 0 && s->n[0] + s->n[1] != before)
		timer_set(s->loop, &s->idle, clock_now() + s->idle_ms);
	settle(s, i, in_vain);
}

static void
tell_a(struct watch *w, unsigned events)
{
	tell_side(CONTAINER_OF(w, struct splice, side[0]), 0, events);
}

static void
tell_b(struct watch *w, unsigned events)
{
	tell_side(CONTAINER_OF(w, struct splice, side[1]), 1, events);
}

static void
tell_idle(struct timer *t)
{
	struct splice *s = CONTAINER_OF(t, struct splice, idle);
	s->end = SPLICE_IDLE;
	finish(s);
}

static void
begin(struct hook *h)
{
	struct splice *s = CONTAINER_OF(h, struct splice, begin);
	(void)drain(s, 0);
	(void)drain(s, 1);
	settle(s, 0, false);
}

static void
take_first(struct splice_way *way, struct buf *from)
{
	size_t n = from ? buf_len(from) : 0;
	buf_init(&way->first, n > COPY_BYTES ? n : COPY_BYTES);
	if (n > 0)
		(void)buf_move(&way->first, from, n);
}

void
splice_start(struct splice *s, struct loop *loop, struct splice_pool *pool,
	const struct splice_ends *ends)
{
	void (*done)(struct splice *) = s->done;
	*s = (struct splice){
		.done = done, .loop = loop, .pool = pool, .idle_ms = ends->idle_ms};
	s->first_eof = -1;
	s->side[0] = (struct watch){.fd = ends->a, .ready = tell_a};
	s->side[1] = (struct watch){.fd = ends->b, .ready = tell_b};
	take_first(&s->way[0], ends->from_a);
	take_first(&s->way[1], ends->from_b);
	s->idle.fired = tell_idle;
	s->begin.run = begin;
	if (s->idle_ms != 0)
		timer_set(loop, &s->idle, clock_now() + s->idle_ms);
	loop_soon(loop, &s->begin);
}

bool
splice_is_open(const struct splice *s)
{
	return s->loop != NULL;
}

void
splice_stop(struct splice *s)
{
	if (splice_is_open(s))
		close_all(s);
}
