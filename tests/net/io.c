// SPDX-License-Identifier: Apache-2.0
#include "net/io.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/test.h"

enum { LIMIT = 65536 };

static struct {
	struct loop loop;
	struct io io;
	int far; /* the other end, blocking unless told */
	size_t moves;
	bool closes; /* moved() closes */
} t;

static void
note(struct io *io)
{
	t.moves++;
	if (t.closes)
		io_close(io);
}

static void
open_pair(void)
{
	struct err err = {0};
	int fds[2];
	memset(&t, 0, sizeof(t));
	CHECK_OK(loop_init(&t.loop, &err), &err);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	t.far = fds[1];
	t.io.moved = note;
	io_open(&t.io, &t.loop, fds[0], LIMIT, LIMIT);
}

/* Over TCP on loopback: for what unix sockets do not have. */
static void
open_tcp(void)
{
	struct err err = {0};
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(in);
	int door = socket(AF_INET, SOCK_STREAM, 0);
	memset(&t, 0, sizeof(t));
	CHECK_OK(loop_init(&t.loop, &err), &err);
	CHECK(bind(door, (struct sockaddr *)&in, n) == 0 && listen(door, 1) == 0);
	CHECK(getsockname(door, (struct sockaddr *)&in, &n) == 0);
	t.far = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(t.far, (struct sockaddr *)&in, n) == 0);
	t.io.moved = note;
	io_open(&t.io, &t.loop, accept(door, NULL, NULL), LIMIT, LIMIT);
	(void)close(door);
}

static void
close_all(void)
{
	io_close(&t.io);
	if (t.far >= 0)
		(void)close(t.far);
	loop_fini(&t.loop);
	buf_trim();
}

static void
turn(int times)
{
	for (int i = 0; i < times; i++)
		loop_turn(&t.loop, 0);
}

static void
send_far(size_t n)
{
	uint8_t *bytes = mem_alloc(n);
	CHECK_INT(send(t.far, bytes, n, MSG_DONTWAIT), n);
	mem_free(bytes);
}

/* Until the kernel takes no more. */
static void
fill_out(void)
{
	uint8_t *bytes = mem_alloc(LIMIT);
	while (buf_empty(&t.io.out)) {
		CHECK(buf_put(&t.io.out, span_of(bytes, LIMIT)));
		io_touch(&t.io);
	}
	mem_free(bytes);
}

static ssize_t
read_far(void)
{
	uint8_t *bytes = mem_alloc(LIMIT);
	ssize_t n = recv(t.far, bytes, LIMIT, MSG_DONTWAIT);
	mem_free(bytes);
	return n;
}

static void
what_the_peer_sends_is_in_and_an_idle_io_owns_no_memory(void)
{
	open_pair();
	CHECK(t.io.in.mem == NULL);
	CHECK(write(t.far, "hello", 5) == 5);
	turn(1);
	CHECK_SPAN(buf_peek(&t.io.in), "hello");
	CHECK(t.io.n_in == 5 && t.moves == 1);
	buf_drop(&t.io.in, 5);
	io_touch(&t.io);
	turn(1);
	CHECK(t.moves == 1 && t.io.in.mem == NULL);
	close_all();
}

static void
a_touch_writes_at_once_and_asks_epoll_for_nothing(void)
{
	char got[8] = "";
	open_pair();
	unsigned before = t.io.watch.mask;
	CHECK(buf_put(&t.io.out, SPAN("hi")));
	io_touch(&t.io);
	CHECK(read(t.far, got, sizeof(got)) == 2 && memcmp(got, "hi", 2) == 0);
	CHECK(t.io.n_out == 2 && buf_empty(&t.io.out));
	CHECK_INT(t.io.watch.mask, before);
	CHECK_INT(t.moves, 0);
	close_all();
}

static void
a_full_buf_stops_the_reading_and_room_starts_it_again(void)
{
	open_pair();
	send_far(LIMIT);
	send_far(1000);
	turn(8);
	CHECK_INT(t.io.n_in, LIMIT);
	CHECK_INT(t.io.watch.mask, 0);
	size_t moves = t.moves;
	turn(1);
	CHECK_INT(t.moves, moves);
	buf_drop(&t.io.in, LIMIT);
	io_touch(&t.io);
	turn(1);
	CHECK_INT(t.io.n_in, LIMIT + 1000);
	close_all();
}

static void
a_peer_that_does_not_read_leaves_the_rest_in_out_until_it_does(void)
{
	uint64_t got = 0;
	open_pair();
	fill_out();
	CHECK(t.io.watch.mask & LOOP_WRITE);
	uint64_t want = t.io.n_out + buf_len(&t.io.out);
	while (got < want) {
		ssize_t n = read_far();
		got += n > 0 ? (uint64_t)n : 0;
		turn(1);
	}
	CHECK(got == want && t.io.n_out == want && t.moves > 0);
	CHECK_INT(t.io.watch.mask, LOOP_READ);
	close_all();
}

static void
the_end_of_the_peer_is_told_once_after_its_last_bytes(void)
{
	open_pair();
	CHECK(write(t.far, "bye", 3) == 3);
	CHECK(shutdown(t.far, SHUT_WR) == 0);
	turn(2);
	CHECK_SPAN(buf_peek(&t.io.in), "bye");
	CHECK(t.io.eof && t.io.failed == 0);
	size_t moves = t.moves;
	turn(1);
	CHECK_INT(t.moves, moves);
	CHECK(buf_put(&t.io.out, SPAN("still here")));
	io_touch(&t.io);
	CHECK_INT(t.io.n_out, 10);
	close_all();
}

static void
shut_waits_for_out_and_leaves_the_other_way_open(void)
{
	char got[8] = "";
	open_pair();
	CHECK(buf_put(&t.io.out, SPAN("end")));
	io_shut(&t.io);
	CHECK(t.io.shut);
	CHECK(read(t.far, got, sizeof(got)) == 3 && read(t.far, got, sizeof(got)) == 0);
	CHECK(write(t.far, "more", 4) == 4);
	turn(1);
	CHECK_SPAN(buf_peek(&t.io.in), "more");
	close_all();
}

static void
shut_is_sent_by_the_loop_when_a_slow_peer_has_read_all(void)
{
	ssize_t n = 1;
	open_pair();
	fill_out();
	io_shut(&t.io);
	CHECK(!t.io.shut);
	for (int i = 0; i < 1000 && n != 0; i++) {
		n = read_far();
		turn(1);
	}
	CHECK(n == 0 && t.io.shut);
	close_all();
}

static void
a_failure_found_while_writing_is_told_from_the_loop(void)
{
	open_pair();
	(void)close(t.far);
	t.far = -1;
	CHECK(buf_put(&t.io.out, SPAN("x")));
	io_touch(&t.io);
	CHECK_INT(t.io.failed, EPIPE);
	CHECK_INT(t.moves, 0);
	loop_turn(&t.loop, 60000);
	CHECK_INT(t.moves, 1);
	CHECK(buf_empty(&t.io.out));
	close_all();
}

static void
a_reset_is_a_failure_even_when_in_is_full(void)
{
	const struct linger reset = {.l_onoff = 1};
	open_tcp();
	send_far(LIMIT);
	turn(8);
	CHECK_INT(t.io.n_in, LIMIT);
	CHECK_INT(t.io.watch.mask, LOOP_READ);
	(void)setsockopt(t.far, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)close(t.far);
	t.far = -1;
	turn(2);
	CHECK_INT(t.io.failed, ECONNRESET);
	size_t moves = t.moves;
	turn(1);
	CHECK_INT(t.moves, moves);
	close_all();
}

/* HUP cannot be masked: an io that cannot act on it must not be told for ever. */
static void
both_ends_over_with_in_full_does_not_spin(void)
{
	open_pair();
	send_far(LIMIT);
	send_far(10);
	io_shut(&t.io);
	CHECK(shutdown(t.far, SHUT_WR) == 0);
	turn(8);
	size_t moves = t.moves;
	turn(8);
	CHECK_INT(t.moves, moves);
	buf_drop(&t.io.in, LIMIT);
	io_touch(&t.io);
	turn(4);
	CHECK(t.io.n_in == LIMIT + 10 && t.io.eof);
	close_all();
}

static void
abort_resets_the_peer(void)
{
	char got[4];
	open_tcp();
	io_abort(&t.io);
	CHECK(!io_is_open(&t.io));
	CHECK(recv(t.far, got, sizeof(got), 0) == -1 && errno == ECONNRESET);
	close_all();
}

static void
moved_may_close_and_is_not_called_again(void)
{
	open_pair();
	t.closes = true;
	CHECK(write(t.far, "x", 1) == 1);
	turn(1);
	CHECK(!io_is_open(&t.io) && t.moves == 1);
	io_touch(&t.io);
	turn(1);
	CHECK_INT(t.moves, 1);
	close_all();
}

static void
a_taken_fd_works_on_without_us(void)
{
	char got[4];
	open_pair();
	CHECK(write(t.far, "abc", 3) == 3);
	turn(1);
	int fd = io_take(&t.io);
	CHECK_SPAN(buf_peek(&t.io.in), "abc");
	buf_fini(&t.io.in);
	CHECK(write(t.far, "d", 1) == 1);
	turn(1);
	CHECK(t.moves == 1 && read(fd, got, sizeof(got)) == 1);
	(void)close(fd);
	close_all();
}

TESTS(what_the_peer_sends_is_in_and_an_idle_io_owns_no_memory,
	a_touch_writes_at_once_and_asks_epoll_for_nothing,
	a_full_buf_stops_the_reading_and_room_starts_it_again,
	a_peer_that_does_not_read_leaves_the_rest_in_out_until_it_does,
	the_end_of_the_peer_is_told_once_after_its_last_bytes,
	shut_waits_for_out_and_leaves_the_other_way_open,
	shut_is_sent_by_the_loop_when_a_slow_peer_has_read_all,
	a_failure_found_while_writing_is_told_from_the_loop,
	a_reset_is_a_failure_even_when_in_is_full,
	both_ends_over_with_in_full_does_not_spin, abort_resets_the_peer,
	moved_may_close_and_is_not_called_again, a_taken_fd_works_on_without_us)
