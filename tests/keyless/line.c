// SPDX-License-Identifier: Apache-2.0
#include "keyless/line.h"

#include <sys/socket.h>
#include <unistd.h>

#include "pki/key.h"
#include "tests/test.h"

struct asker {
	struct ask ask;
	int done;
};

struct pair {
	struct loop loop;
	struct keys keys;
	struct answer_desk desk;
	struct answer_client client;
	struct answer_line server;
	struct ask_line line;
	bool server_ended;
	int line_ended;
};

static struct pair pair;

static void
count_done(struct ask *a)
{
	CONTAINER_OF(a, struct asker, ask)->done++;
}

static void
server_ended(struct answer_line *line)
{
	answer_line_close(line);
	pair.server_ended = true;
}

static void
line_ended(struct ask_line *line, const struct err *why)
{
	(void)line;
	CHECK(why->code != ERR_NONE);
	pair.line_ended++;
}

static void
mint(struct answer_call *c)
{
	answer_reply(c, c->req.payload);
}

static const struct answer_op ops[] = {{WIRE_MINT, false, 20000, mint}};

static void
pair_open(void)
{
	struct err err = {0};
	int fds[2];

	pair = (struct pair){.client.mask = wire_mask_public()};
	wire_mask_add(&pair.client.mask, WIRE_MINT);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	CHECK_OK(loop_init(&pair.loop, &err), &err);
	keys_init(&pair.keys);
	CHECK_OK(
		keys_add(&pair.keys, key_wrap(key_new(KEY_P256, &err)), "a", "t", &err),
		&err);
	answer_desk_open(&pair.desk, &pair.loop, &pair.keys);
	pair.desk.door.ops = ops;
	pair.desk.door.n_ops = COUNT_OF(ops);
	pair.desk.door.padded = false;
	answer_line_open(&pair.server, &pair.desk, &pair.client, fds[0]);
	pair.server.ended = server_ended;
	ask_line_open(&pair.line, &pair.loop, fds[1], 10000);
	pair.line.ended = line_ended;
}

static void
pair_close(void)
{
	ask_line_close(&pair.line);
	if (!pair.server_ended)
		answer_line_close(&pair.server);
	answer_desk_close(&pair.desk);
	keys_fini(&pair.keys);
	loop_fini(&pair.loop);
}

static void
ask_for(struct asker *a, uint8_t op, struct span payload)
{
	struct err err = {0};

	a->ask.want =
		(struct wire_msg){.op = op, .cert_id = SPAN("a"), .payload = payload};
	a->ask.done = count_done;
	CHECK_OK(ask_send(&pair.line.link, &a->ask, &err), &err);
}

static void
turn_until(const int *done)
{
	for (int i = 0; i < 5000 && !*done; i++)
		loop_turn(&pair.loop, 10);
	CHECK(*done);
}

static const uint8_t hash32[32] = "0123456789abcdef0123456789abcde";

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
a_server_that_goes_answers_everybody_with_an_error(void)
{
	struct asker a[3] = {0};

	pair_open();
	for (size_t i = 0; i < 3; i++)
		ask_for(&a[i], WIRE_ECDSA_SHA256, span_of(hash32, 32));
	answer_line_close(&pair.server);
	pair.server_ended = true;
	for (size_t i = 0; i < 3; i++) {
		turn_until(&a[i].done);
		CHECK_INT(a[i].ask.err.code, ERR_KEYLESS_BROKEN);
	}
	CHECK_INT(pair.line_ended, 1);
	pair_close();
}

static void
a_silent_server_costs_the_deadline_and_no_more(void)
{
	struct asker a = {0};
	int fds[2];
	struct err err = {0};

	pair_open();
	ask_line_close(&pair.line);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	ask_line_open(&pair.line, &pair.loop, fds[0], 10);
	pair.line.link.timeout_ms = 30;
	ask_for(&a, WIRE_PING, (struct span){0});
	turn_until(&a.done);
	CHECK_INT(a.ask.err.code, ERR_KEYLESS_LATE);
	/* The next one has its own time. */
	a = (struct asker){0};
	ask_for(&a, WIRE_PING, (struct span){0});
	turn_until(&a.done);
	CHECK_INT(a.ask.err.code, ERR_KEYLESS_LATE);
	close(fds[1]);
	for (int i = 0; i < 100 && !pair.line_ended; i++)
		loop_turn(&pair.loop, 10);
	CHECK(!ask_send(&pair.line.link, &a.ask, &err));
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
	a_server_that_goes_answers_everybody_with_an_error,
	a_silent_server_costs_the_deadline_and_no_more,
	a_peer_that_breaks_the_protocol_is_told_and_closed)
