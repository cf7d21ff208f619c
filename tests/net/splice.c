// SPDX-License-Identifier: Apache-2.0
#include "net/splice.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/test.h"

enum { CHUNK = 65536 };

static struct {
	struct loop loop;
	struct splice_pool pool;
	struct splice tunnel;
	int far[2]; /* the peers' ends */
	size_t n_done;
} t;

static void
note(struct splice *s)
{
	(void)s;
	t.n_done++;
}

static void
make_tcp(int *near, int *far)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(in);
	int door = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(door, (struct sockaddr *)&in, n) == 0 && listen(door, 1) == 0);
	CHECK(getsockname(door, (struct sockaddr *)&in, &n) == 0);
	*far = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(*far, (struct sockaddr *)&in, n) == 0);
	*near = accept4(door, NULL, NULL, SOCK_NONBLOCK);
	(void)close(door);
}

static void
open_tunnel(struct buf *from_a, struct buf *from_b, uint64_t idle_ms)
{
	struct err err = {0};
	struct splice_ends ends = {
		.from_a = from_a, .from_b = from_b, .idle_ms = idle_ms};
	memset(&t, 0, sizeof(t));
	clock_real();
	CHECK_OK(loop_init(&t.loop, &err), &err);
	splice_pool_init(&t.pool);
	make_tcp(&ends.a, &t.far[0]);
	make_tcp(&ends.b, &t.far[1]);
	t.tunnel.done = note;
	splice_start(&t.tunnel, &t.loop, &t.pool, &ends);
	CHECK_INT(t.n_done, 0);
}

static void
close_all(void)
{
	splice_stop(&t.tunnel);
	splice_pool_fini(&t.pool);
	for (size_t i = 0; i < 2; i++) {
		if (t.far[i] >= 0)
			(void)close(t.far[i]);
	}
	loop_fini(&t.loop);
	buf_trim();
	clock_real();
}

static void
turn(int times)
{
	for (int i = 0; i < times; i++)
		loop_turn(&t.loop, 1);
}

static void
bytes_pass_both_ways_and_an_idle_tunnel_holds_no_pipe(void)
{
	char got[16] = "";
	open_tunnel(NULL, NULL, 0);
	CHECK(write(t.far[0], "ping", 4) == 4);
	turn(3);
	CHECK(read(t.far[1], got, sizeof(got)) == 4 && memcmp(got, "ping", 4) == 0);
	CHECK(write(t.far[1], "answer", 6) == 6);
	turn(3);
	CHECK(read(t.far[0], got, sizeof(got)) == 6 && memcmp(got, "answer", 6) == 0);
	CHECK(t.tunnel.n[0] == 4 && t.tunnel.n[1] == 6);
	CHECK(t.pool.n_held == 0 && t.pool.n_spare == 1);
	close_all();
}

static void
what_was_read_before_goes_first(void)
{
	char got[32] = "";
	struct buf a;
	struct buf b;
	buf_init(&a, 100);
	buf_init(&b, 100);
	CHECK(buf_put(&a, SPAN("hello ")) && buf_put(&b, SPAN("banner")));
	open_tunnel(&a, &b, 0);
	CHECK(buf_empty(&a) && buf_empty(&b));
	CHECK(write(t.far[0], "there", 5) == 5);
	turn(3);
	CHECK(read(t.far[1], got, sizeof(got)) == 11);
	CHECK(memcmp(got, "hello there", 11) == 0);
	CHECK(read(t.far[0], got, sizeof(got)) == 6 && memcmp(got, "banner", 6) == 0);
	CHECK(t.tunnel.n[0] == 11 && t.tunnel.n[1] == 6);
	close_all();
}

static void
a_half_close_is_carried_over_and_the_second_ends_it(void)
{
	char got[16] = "";
	open_tunnel(NULL, NULL, 0);
	CHECK(write(t.far[0], "last", 4) == 4 && shutdown(t.far[0], SHUT_WR) == 0);
	turn(4);
	CHECK(read(t.far[1], got, sizeof(got)) == 4 && read(t.far[1], got, 1) == 0);
	CHECK(t.n_done == 0 && t.tunnel.first_eof == 0);
	CHECK(write(t.far[1], "reply", 5) == 5 && shutdown(t.far[1], SHUT_WR) == 0);
	turn(4);
	CHECK(read(t.far[0], got, sizeof(got)) == 5 && read(t.far[0], got, 1) == 0);
	CHECK(t.n_done == 1 && t.tunnel.end == SPLICE_CLOSED);
	CHECK(!splice_is_open(&t.tunnel));
	close_all();
}

/* Sends and receives `total` octets through the tunnel and compares each. */
static void
carry(size_t total)
{
	uint8_t *out = mem_alloc(CHUNK);
	uint8_t *in = mem_alloc(CHUNK);
	size_t sent = 0;
	size_t got = 0;
	bool same = true;
	for (size_t i = 0; i < CHUNK; i++)
		out[i] = (uint8_t)(i * 7 + i / 256);
	while (got < total) {
		size_t at = sent % CHUNK;
		size_t want = CHUNK - at < total - sent ? CHUNK - at : total - sent;
		ssize_t n = send(t.far[0], out + at, want, MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : 0;
		loop_turn(&t.loop, 0);
		n = recv(t.far[1], in, CHUNK, MSG_DONTWAIT);
		for (ssize_t i = 0; i < n; i++)
			same = same && in[i] == out[(got + (size_t)i) % CHUNK];
		got += n > 0 ? (size_t)n : 0;
	}
	CHECK(same && t.tunnel.n[0] == total);
	mem_free(out);
	mem_free(in);
}

static void
many_bytes_arrive_as_they_were(void)
{
	open_tunnel(NULL, NULL, 0);
	carry((size_t)20 << 20);
	CHECK_INT(t.pool.n_held, 0);
	close_all();
}

static void
without_descriptors_for_pipes_the_bytes_are_copied(void)
{
	struct rlimit before;
	struct rlimit few;
	open_tunnel(NULL, NULL, 0);
	int next = dup(0);
	(void)close(next);
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	few = (struct rlimit){(rlim_t)next, before.rlim_max};
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	carry((size_t)1 << 20);
	CHECK_INT(t.pool.n_spare, 0);
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	close_all();
}

static void
a_drain_that_does_not_read_stops_the_source(void)
{
	uint8_t *bytes = mem_alloc(CHUNK);
	uint64_t sent = 0;
	int idle = 0;
	open_tunnel(NULL, NULL, 0);
	while (idle < 20) {
		ssize_t n = send(t.far[0], bytes, CHUNK, MSG_DONTWAIT);
		idle = n > 0 ? 0 : idle + 1;
		sent += n > 0 ? (uint64_t)n : 0;
		loop_turn(&t.loop, 0);
	}
	CHECK(sent < (uint64_t)64 << 20);
	CHECK_INT(t.pool.n_held, 1);
	for (int i = 0; i < 20; i++)
		loop_turn(&t.loop, 0);
	uint64_t got = 0;
	while (got < sent) {
		ssize_t n = recv(t.far[1], bytes, CHUNK, MSG_DONTWAIT);
		got += n > 0 ? (uint64_t)n : 0;
		loop_turn(&t.loop, 0);
	}
	CHECK(t.tunnel.n[0] == sent && t.pool.n_held == 0);
	mem_free(bytes);
	close_all();
}

static void
a_reset_ends_it_and_reaches_the_other_side(void)
{
	const struct linger reset = {.l_onoff = 1};
	char byte;
	open_tunnel(NULL, NULL, 0);
	(void)setsockopt(t.far[0], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)close(t.far[0]);
	t.far[0] = -1;
	turn(4);
	CHECK(t.n_done == 1 && t.tunnel.end == SPLICE_FAILED);
	CHECK(t.tunnel.failed == ECONNRESET && t.tunnel.failed_side == 0);
	CHECK(recv(t.far[1], &byte, 1, 0) == -1 && errno == ECONNRESET);
	close_all();
}

static void
silence_ends_it_and_bytes_put_that_off(void)
{
	open_tunnel(NULL, NULL, 1000);
	uint64_t began = clock_tick();
	turn(1);
	clock_fake(began + 900, 0);
	CHECK(write(t.far[0], "x", 1) == 1);
	turn(2);
	clock_fake(began + 1700, 0);
	turn(2);
	CHECK_INT(t.n_done, 0);
	clock_fake(began + 1900, 0);
	turn(1);
	CHECK(t.n_done == 1 && t.tunnel.end == SPLICE_IDLE);
	close_all();
}

TESTS(bytes_pass_both_ways_and_an_idle_tunnel_holds_no_pipe,
	what_was_read_before_goes_first,
	a_half_close_is_carried_over_and_the_second_ends_it,
	many_bytes_arrive_as_they_were,
	without_descriptors_for_pipes_the_bytes_are_copied,
	a_drain_that_does_not_read_stops_the_source,
	a_reset_ends_it_and_reaches_the_other_side,
	silence_ends_it_and_bytes_put_that_off)
