// SPDX-License-Identifier: Apache-2.0
#include "keyless/line.h"

#include "tests/keyless/pair.h"

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

TESTS(a_server_that_goes_answers_everybody_with_an_error,
	a_silent_server_costs_the_deadline_and_no_more)
