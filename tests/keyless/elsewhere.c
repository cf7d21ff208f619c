// SPDX-License-Identifier: Apache-2.0
/* Whole TLS handshakes whose private key is behind a socket pair, in another store. */
#include "keyless/elsewhere.h"

#include "tests/keyless/meeting.h"

static void
handshakes_complete_with_every_kind_of_key_and_version(void)
{
	static const enum key_kind kinds[] = {
		KEY_P256, KEY_P384, KEY_RSA2048, KEY_ED25519};
	static const uint16_t versions[] = {TLS_1_2, TLS_1_3};

	for (size_t i = 0; i < COUNT_OF(kinds) * 2; i++) {
		struct meeting m;
		struct tls_facts facts;

		site_open(kinds[i / 2], versions[i % 2]);
		meeting_open(&m);
		meeting_run(&m);
		if (tls_state(m.server) != TLS_OPEN)
			fail_msg("%zu: %s", i, m.err.text);
		tls_facts(m.server, &facts);
		CHECK_INT(facts.version, versions[i % 2]);
		CHECK_INT(m.readies, 1);
		CHECK_INT(m.elsewhere.err.code, ERR_NONE);
		CHECK_INT(pair.server.seat.link.requests, 1);
		meeting_close(&m);
		site_close();
	}
}

static void
a_refusal_ends_the_handshake_and_says_why(void)
{
	struct meeting m;

	site_open(KEY_P256, TLS_1_3);
	wire_mask_drop(&pair.client.mask, WIRE_ECDSA_SHA256);
	meeting_open(&m);
	meeting_run(&m);
	CHECK_INT(tls_state(m.server), TLS_FAILED);
	CHECK_INT(m.elsewhere.err.code, ERR_KEYLESS_REFUSED);
	CHECK(!buf_empty(&m.down) || tls_state(m.client) == TLS_FAILED); /* an alert */
	meeting_close(&m);
	site_close();
}

static void
a_broken_link_fails_the_handshake_at_once(void)
{
	struct meeting m;

	site_open(KEY_P256, TLS_1_3);
	meeting_open(&m);
	answer_line_close(&pair.server);
	pair.server_ended = true;
	meeting_run(&m);
	CHECK_INT(tls_state(m.server), TLS_FAILED);
	CHECK_INT(m.elsewhere.err.code, ERR_KEYLESS_BROKEN);
	meeting_close(&m);

	meeting_open(&m); /* now it cannot even be sent: no pause */
	meeting_run(&m);
	CHECK_INT(tls_state(m.server), TLS_FAILED);
	CHECK_INT(m.readies, 0);
	meeting_close(&m);
	site_close();
}

static struct answer_call *kept;

static void
keep_call(struct answer_call *c)
{
	kept = c;
}

static void
a_lie_is_found_out_and_a_client_that_went_is_forgotten(void)
{
	struct meeting m;
	static const uint8_t lie[71] = {0x30, 69};

	site_open(KEY_P256, TLS_1_3);
	pair.desk.door.pass_on = keep_call;
	meeting_open(&m);
	for (int i = 0; i < 100 && !kept; i++) {
		meeting_step(&m);
		loop_turn(&pair.loop, 1);
	}
	CHECK(kept && elsewhere_waits(&m.elsewhere));
	answer_reply(kept, span_of(lie, sizeof(lie)));
	kept = NULL;
	meeting_run(&m);
	CHECK_INT(tls_state(m.server), TLS_FAILED);
	CHECK_INT(m.err.code, ERR_TLS_REMOTE_LIED);
	meeting_close(&m);

	meeting_open(&m);
	for (int i = 0; i < 100 && !kept; i++) {
		meeting_step(&m);
		loop_turn(&pair.loop, 1);
	}
	meeting_close(&m); /* the client hung up while the key server thought */
	answer_reply(kept, span_of(lie, sizeof(lie)));
	for (int i = 0; i < 20; i++)
		loop_turn(&pair.loop, 1);
	CHECK_INT(pair.line.link.strays, 1);
	site_close();
}

static void
setup_once(void)
{
	struct err err = {0};

	CHECK_OK(remote_setup(64, &err), &err);
}

TESTS(setup_once, handshakes_complete_with_every_kind_of_key_and_version,
	a_refusal_ends_the_handshake_and_says_why,
	a_broken_link_fails_the_handshake_at_once,
	a_lie_is_found_out_and_a_client_that_went_is_forgotten)
