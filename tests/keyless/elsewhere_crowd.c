// SPDX-License-Identifier: Apache-2.0
/* Very many handshakes that wait for one slow key server, on one loop. */
#include "keyless/elsewhere.h"

#include "tests/keyless/meeting.h"

enum { CROWD = 2000, OTHERS = 20 };

static struct answer_call *kept[CROWD];
static size_t n_kept;

/* The slow ones are thought about; the others are answered at once. */
static void
keep_slow(struct answer_call *c)
{
	uint8_t out[KEYS_RESULT_MAX];
	size_t n = 0;

	if (span_eq(c->req.name, SPAN("slow.example"))) {
		kept[n_kept++] = c;
		return;
	}
	c->entry = keys_find(&pair.keys, &c->req);
	CHECK(c->entry != NULL);
	CHECK_INT(keys_perform(c->entry, c->req.op, c->req.payload, out, &n), WIRE_OK);
	answer_reply(c, span_of(out, n));
}

static void
answer_kept(void)
{
	uint8_t out[KEYS_RESULT_MAX];
	size_t n = 0;

	for (size_t i = 0; i < n_kept; i++) {
		struct answer_call *c = kept[i];
		struct keys_entry *e = keys_find(&pair.keys, &c->req);

		CHECK_INT(keys_perform(e, c->req.op, c->req.payload, out, &n), WIRE_OK);
		answer_reply(c, span_of(out, n));
	}
	n_kept = 0;
}

static void
thousands_wait_while_others_go_on(void)
{
	static struct meeting crowd[CROWD];
	struct meeting other;

	site_open(KEY_P256, TLS_1_3);
	pair.desk.door.pass_on = keep_slow;
	pair.desk.door.link_max = CROWD + OTHERS;
	pair.server.io.out.limit = (size_t)2 * CROWD * WIRE_PAD_TO;
	for (size_t i = 0; i < CROWD; i++) {
		meeting_open(&crowd[i]);
		crowd[i].elsewhere.name = SPAN("slow.example");
		meeting_step(&crowd[i]);
		CHECK(elsewhere_waits(&crowd[i].elsewhere));
	}
	for (int i = 0; i < 1000 && n_kept < CROWD; i++)
		loop_turn(&pair.loop, 5);
	CHECK_INT(n_kept, CROWD);
	for (size_t i = 0; i < OTHERS; i++) {
		meeting_open(&other);
		meeting_run(&other);
		CHECK_INT(tls_state(other.server), TLS_OPEN);
		meeting_close(&other);
	}
	CHECK_INT(n_kept, CROWD); /* and these still wait */
	answer_kept();
	for (size_t i = 0; i < CROWD; i++) {
		meeting_run(&crowd[i]);
		CHECK_INT(tls_state(crowd[i].server), TLS_OPEN);
		meeting_close(&crowd[i]);
	}
	site_close();
}

static void
setup_once(void)
{
	struct err err = {0};

	CHECK_OK(remote_setup(CROWD + OTHERS, &err), &err);
}

TESTS(setup_once, thousands_wait_while_others_go_on)
