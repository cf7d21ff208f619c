// SPDX-License-Identifier: Apache-2.0
/* pair: an asking and an answering line face to face, on one loop. */
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include "keyless/line.h"
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

static inline void
count_done(struct ask *a)
{
	CONTAINER_OF(a, struct asker, ask)->done++;
}

static inline void
server_ended(struct answer_line *line)
{
	answer_line_close(line);
	pair.server_ended = true;
}

static inline void
line_ended(struct ask_line *line, const struct err *why)
{
	(void)line;
	CHECK(why->code != ERR_NONE);
	pair.line_ended++;
}

static inline void
mint(struct answer_call *c)
{
	answer_reply(c, c->req.payload);
}

static const struct answer_op ops[] = {{WIRE_MINT, false, 20000, mint}};

static inline void
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

static inline void
pair_close(void)
{
	ask_line_close(&pair.line);
	if (!pair.server_ended)
		answer_line_close(&pair.server);
	answer_desk_close(&pair.desk);
	keys_fini(&pair.keys);
	loop_fini(&pair.loop);
}

static inline void
ask_for(struct asker *a, uint8_t op, struct span payload)
{
	struct err err = {0};

	a->ask.want =
		(struct wire_msg){.op = op, .cert_id = SPAN("a"), .payload = payload};
	a->ask.done = count_done;
	CHECK_OK(ask_send(&pair.line.link, &a->ask, &err), &err);
}

static inline void
turn_until(const int *done)
{
	for (int i = 0; i < 5000 && !*done; i++)
		loop_turn(&pair.loop, 10);
	CHECK(*done);
}

static const uint8_t hash32[32] = "0123456789abcdef0123456789abcde";
