// SPDX-License-Identifier: Apache-2.0
#include "keyless/line.h"

#include "tests/keyless/pair.h"

static void
thousands_of_signatures_cross_a_socket_pair(void)
{
	enum { N = 3000 };
	static struct asker a[N];

	pair_open();
	for (size_t i = 0; i < N; i++)
		ask_for(&a[i], WIRE_ECDSA_SHA256, span_of(hash32, 32));
	for (size_t i = 0; i < N; i++) {
		turn_until(&a[i].done);
		CHECK(a[i].ask.ok);
	}
	CHECK_INT(pair.server.seat.link.requests, N);
	pair_close();
}

static void
long_bodies_of_the_vaults_own_operations_pass(void)
{
	static const uint8_t facts[20000] = "facts";
	struct asker a = {0};
	struct asker longer = {0};
	static const uint8_t most[WIRE_PAYLOAD_MAX - 5];

	pair_open();
	ask_for(&a, WIRE_MINT, span_of(facts, sizeof(facts)));
	ask_for(&longer, WIRE_MINT, span_of(most, sizeof(most)));
	turn_until(&a.done);
	turn_until(&longer.done);
	CHECK(a.ask.ok);
	CHECK_INT(longer.ask.refusal, WIRE_INTERNAL); /* its answer was not foreseen */
	pair_close();
}

static void
a_peer_that_breaks_the_protocol_is_told_and_closed(void)
{
	int fds[2];
	uint8_t got[2048];
	struct answer_line line;

	pair_open();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	answer_line_open(&line, &pair.desk, &pair.client, fds[0]);
	line.ended = server_ended;
	CHECK(send(fds[1], "\1\0\0\3\0\0\0\7\x11\0\5", 11, 0) == 11);
	for (int i = 0; i < 100 && !pair.server_ended; i++)
		loop_turn(&pair.loop, 10);
	CHECK(pair.server_ended);
	pair.server_ended = false;
	ssize_t n = recv(fds[1], got, sizeof(got), 0);
	CHECK(n >= 16);
	CHECK(span_eq(span_of(got + 4, 12), SPAN("\0\0\0\7\x11\0\1\xff\x12\0\1\7")));
	CHECK(recv(fds[1], got, sizeof(got), 0) == 0);
	close(fds[1]);
	pair_close();
}

TESTS(thousands_of_signatures_cross_a_socket_pair,
	long_bodies_of_the_vaults_own_operations_pass,
	a_peer_that_breaks_the_protocol_is_told_and_closed)
