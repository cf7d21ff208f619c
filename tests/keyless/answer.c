// SPDX-License-Identifier: Apache-2.0
#include "keyless/answer.h"

#include <string.h>

#include "base/clock.h"
#include "pki/signer.h"
#include "tests/keyless/vectors.h"

struct host {
	struct keys keys;
	struct answer_door door;
	struct answer_client client;
	struct buf in;
	struct buf out;
	struct answer_link link;
};

static const struct json *
key_json(const struct vectors *vs, const char *name)
{
	return json_get(vs->keys, name);
}

static void
host_open(struct host *h, struct vectors *vs)
{
	static const char *const names[] = {"rsa", "p256", "p384", "ed25519"};
	struct err err = {0};

	*h = (struct host){.client.name = "edge"};
	keys_init(&h->keys);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct span pem =
			json_string(json_get(key_json(vs, names[i]), "private_pem"));
		struct key *key = key_open_pem(pem, (struct span){0}, &err);

		CHECK_OK(key != NULL, &err);
		CHECK_OK(keys_add(&h->keys, key, names[i], "vector", &err), &err);
	}
	h->client.mask = wire_mask_public();
	answer_door_init(&h->door, &h->keys);
	buf_init(&h->in, WIRE_MESSAGE_MAX);
	buf_init(&h->out, (size_t)1 << 17);
	answer_link_init(&h->link, &h->door, &h->client, &h->in, &h->out);
}

static void
host_close(struct host *h)
{
	answer_link_fini(&h->link);
	answer_door_fini(&h->door);
	keys_fini(&h->keys);
	buf_fini(&h->in);
	buf_fini(&h->out);
}

static struct keys_entry *
entry(struct host *h, const char *id)
{
	return keys_find(&h->keys, &(struct wire_msg){.cert_id = span_str(id)});
}

static bool
serve(struct host *h)
{
	bool ok = answer_link_advance(&h->link);

	while (answer_door_serve(&h->door, 1000))
		;
	return ok;
}

static void
ask_it(struct host *h, const struct wire_msg *m)
{
	CHECK(wire_write(&h->in, m, true));
}

/* The next answer: its opcode, or for an error 0xff00 | code. Its payload into dst. */
static unsigned
next_answer(struct host *h, uint32_t *id, uint8_t *dst, size_t *n)
{
	struct wire_reader r = {.body_max = WIRE_BODY_MAX};
	struct wire_msg m = {0};
	size_t used = 0;

	if (wire_read(&r, &h->out, &m, &used) != WIRE_GOT)
		return 0;
	*id = m.id;
	*n = m.payload.n;
	if (dst)
		memcpy(dst, m.payload.p ? m.payload.p : (const uint8_t *)"",
			m.payload.n);
	unsigned op = m.op == WIRE_ERROR ? 0xff00U | m.payload.p[0] : m.op;
	buf_drop(&h->out, used);
	return op;
}

static unsigned
answer_to(struct host *h, const struct wire_msg *m)
{
	uint32_t id = 0;
	size_t n = 0;

	ask_it(h, m);
	CHECK(serve(h));
	return next_answer(h, &id, NULL, &n);
}

/* Where the specification asks us to differ from what was recorded. */
static unsigned
wanted_instead(const struct vector *v)
{
	static const struct {
		const char *name;
		unsigned code;
	} rows[] = {
		{"no key identifier", 0xff00 | WIRE_NO_KEY},
		{"digest only (legacy lookup)", WIRE_RESPONSE},
		{"major version 2", 0xff00 | WIRE_VERSION},
		{"tag seen twice", 0xff00 | WIRE_MALFORMED},
		{"item runs past the body", 0xff00 | WIRE_MALFORMED},
		{"client address of 5 octets", 0xff00 | WIRE_MALFORMED},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (strcmp(rows[i].name, v->name) == 0)
			return rows[i].code;
	}
	return v->op == WIRE_ERROR ? 0xff00U | v->payload[0] : v->op;
}

/* Signatures that differ each time are checked with the public key. */
static void
check_signature(struct host *h, const struct vector *v, struct span signature)
{
	struct wire_msg m = {0};

	CHECK(wire_read_body(span_from(span_of(v->req, v->n_req), WIRE_HEAD), &m));
	struct keys_entry *e = keys_find(&h->keys, &m);
	struct key_job job = {.hash = (enum key_hash)(KEY_MD5SHA1 + (m.op & 7) - 2),
		.padding = m.op >= WIRE_PSS_SHA256 ? KEY_PSS : KEY_PKCS1,
		.input = m.payload};

	CHECK(e && signer_check(key_pkey(e->key), &job, signature));
}

static void
play(struct vectors *vs, const struct vector *v)
{
	struct host h;
	uint8_t got[2048];
	uint32_t id = 0;
	size_t n = 0;

	host_open(&h, vs);
	entry(&h, "rsa")->decrypt = true;
	CHECK(buf_put(&h.in, span_of(v->req, v->n_req)));
	CHECK_INT(serve(&h), v->items || v->req[0] != WIRE_MAJOR);
	size_t total = buf_len(&h.out);
	unsigned op = next_answer(&h, &id, got, &n);
	if (op != wanted_instead(v))
		fail_msg("%s: answered %x, wanted %x", v->name, op, wanted_instead(v));
	CHECK_INT(id, v->req[4] << 24 | v->req[5] << 16 | v->req[6] << 8 | v->req[7]);
	CHECK_INT(total, 1024);
	if (v->items && op == v->op && v->fixed)
		CHECK(span_eq(span_of(got, n), span_of(v->payload, v->n_payload)));
	if (v->items && op == v->op && !v->fixed)
		check_signature(&h, v, span_of(got, n));
	host_close(&h);
}

static void
every_recorded_exchange_is_answered_as_recorded(void)
{
	struct vectors vs;
	struct vector v;

	vectors_open(&vs);
	while (vectors_next(&vs, &v))
		play(&vs, &v);
	CHECK_INT(vs.n, 40);
	vectors_close(&vs);
}

static void
keys_are_found_by_their_recorded_names(void)
{
	struct vectors vs;
	struct host h;
	uint8_t ski[WIRE_SKI];
	uint8_t digest[WIRE_DIGEST];
	size_t n = 0;

	vectors_open(&vs);
	host_open(&h, &vs);
	const struct json *rsa = key_json(&vs, "rsa");
	CHECK(text_unhex(json_string(json_get(rsa, "ski")), ski, sizeof(ski), &n));
	CHECK(text_unhex(
		json_string(json_get(rsa, "digest")), digest, sizeof(digest), &n));
	CHECK(keys_by_ski(&h.keys, span_of(ski, WIRE_SKI)) == entry(&h, "rsa"));
	CHECK(keys_find(&h.keys,
		      &(struct wire_msg){.digest = span_of(digest, WIRE_DIGEST)}) ==
		entry(&h, "rsa"));
	/* A wrong SKI is not made good by a right digest. */
	ski[0] ^= 1;
	CHECK(!keys_find(&h.keys,
		&(struct wire_msg){.ski = span_of(ski, WIRE_SKI),
			.digest = span_of(digest, WIRE_DIGEST)}));
	host_close(&h);
	vectors_close(&vs);
}

static const uint8_t hash32[32] = "0123456789abcdef0123456789abcde";

static void
an_opcode_must_fit_the_key_and_the_payload_the_opcode(void)
{
	static const struct {
		const char *key;
		uint8_t op;
		size_t n;
		unsigned want;
	} rows[] = {
		{"p256", WIRE_ECDSA_SHA256, 32, WIRE_RESPONSE},
		{"p256", WIRE_ECDSA_SHA256, 20, 0xff01},
		{"p256", WIRE_ECDSA_SHA256, 0, 0xff01},
		{"p256", WIRE_RSA_SHA256, 32, 0xff01},
		{"p256", WIRE_PSS_SHA256, 32, 0xff01},
		{"p256", WIRE_ED25519, 32, 0xff01},
		{"rsa", WIRE_ECDSA_SHA256, 32, 0xff01},
		{"rsa", WIRE_ED25519, 32, 0xff01},
		{"rsa", WIRE_PSS_SHA256, 32, WIRE_RESPONSE},
		{"rsa", WIRE_RSA_SHA1, 20, WIRE_RESPONSE},
		{"ed25519", WIRE_ED25519, 3, WIRE_RESPONSE},
		{"ed25519", WIRE_ED25519, 0, WIRE_RESPONSE},
		{"ed25519", WIRE_ECDSA_SHA256, 32, 0xff01},
		{"p384", WIRE_ECDSA_SHA1, 20, WIRE_RESPONSE},
		{"rsa", WIRE_RSA_DECRYPT, 32, 0xff01},
	};
	struct vectors vs;
	struct host h;

	vectors_open(&vs);
	host_open(&h, &vs);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct wire_msg m = {.op = rows[i].op,
			.cert_id = span_str(rows[i].key),
			.payload = span_of(hash32, rows[i].n)};
		unsigned got = answer_to(&h, &m);

		if (got != rows[i].want)
			fail_msg("row %zu: %x", i, got);
	}
	host_close(&h);
	vectors_close(&vs);
}

static void
rsa_decrypt_is_off_until_the_key_allows_it(void)
{
	struct vectors vs;
	struct host h;
	uint8_t block[256] = {0, 2};
	struct wire_msg m = {.op = WIRE_RSA_DECRYPT,
		.cert_id = SPAN("rsa"),
		.payload = span_of(block, sizeof(block))};

	vectors_open(&vs);
	host_open(&h, &vs);
	CHECK_INT(answer_to(&h, &m), 0xff01);
	entry(&h, "rsa")->decrypt = true;
	CHECK_INT(answer_to(&h, &m), WIRE_RESPONSE);
	m.payload.n = 255;
	CHECK_INT(answer_to(&h, &m), 0xff01);
	host_close(&h);
	vectors_close(&vs);
}

static void
a_client_gets_what_its_policy_allows(void)
{
	static const char *const names[] = {"a.example", ".b.example"};
	struct vectors vs;
	struct host h;
	struct wire_msg m = {.op = WIRE_ECDSA_SHA256,
		.cert_id = SPAN("p256"),
		.payload = span_of(hash32, 32)};

	vectors_open(&vs);
	host_open(&h, &vs);
	h.client.mask = wire_mask_default();
	CHECK_INT(answer_to(&h, &m), WIRE_RESPONSE);
	m.op = WIRE_SEAL;
	CHECK_INT(answer_to(&h, &m), 0xff05);
	m.op = WIRE_ECDSA_SHA256;

	h.client.skis = entry(&h, "p384")->ski;
	h.client.n_skis = 1;
	CHECK_INT(answer_to(&h, &m), 0xff02);
	h.client.skis = entry(&h, "p256")->ski;
	CHECK_INT(answer_to(&h, &m), WIRE_RESPONSE);

	h.client.names = names;
	h.client.n_names = COUNT_OF(names);
	CHECK_INT(answer_to(&h, &m), 0xff02);
	m.name = SPAN("A.example");
	CHECK_INT(answer_to(&h, &m), WIRE_RESPONSE);
	m.name = SPAN("x.b.example");
	CHECK_INT(answer_to(&h, &m), WIRE_RESPONSE);
	m.name = SPAN(".b.example");
	CHECK_INT(answer_to(&h, &m), WIRE_RESPONSE);
	m.name = SPAN("b.example");
	CHECK_INT(answer_to(&h, &m), 0xff02);
	m.name = SPAN("xa.example");
	CHECK_INT(answer_to(&h, &m), 0xff02);
	host_close(&h);
	vectors_close(&vs);
}

static void
a_rate_is_per_second_and_shared(void)
{
	struct vectors vs;
	struct host h;
	struct wire_msg m = {.op = WIRE_ECDSA_SHA256,
		.cert_id = SPAN("p256"),
		.payload = span_of(hash32, 32)};

	vectors_open(&vs);
	clock_fake(5000, 0);
	host_open(&h, &vs);
	h.client.per_second = 2;
	CHECK_INT(answer_to(&h, &m), WIRE_RESPONSE);
	CHECK_INT(answer_to(&h, &m), WIRE_RESPONSE);
	CHECK_INT(answer_to(&h, &m), 0xff08);
	clock_fake(5500, 0);
	CHECK_INT(answer_to(&h, &m), WIRE_RESPONSE);
	CHECK_INT(answer_to(&h, &m), 0xff08);
	m.op = WIRE_PING;
	CHECK_INT(answer_to(&h, &m), WIRE_PONG);
	host_close(&h);
	clock_real();
	vectors_close(&vs);
}

/* The vault's own operations have rows in its door, yet a mask from outside lacks them.
 */
static void
reply_secret(struct answer_call *c)
{
	answer_reply(c, SPAN("secret"));
}

static void
what_is_the_vaults_is_never_reached_with_a_public_mask(void)
{
	static const struct answer_op ops[] = {{WIRE_MINT, false, 0, reply_secret},
		{WIRE_LEAFKEYS, false, 0, reply_secret}};
	struct vectors vs;
	struct host h;

	vectors_open(&vs);
	host_open(&h, &vs);
	h.door.ops = ops;
	h.door.n_ops = COUNT_OF(ops);
	for (unsigned op = 0; op < 256; op++) {
		struct wire_msg m = {.op = (uint8_t)op};
		unsigned got = answer_to(&h, &m);

		CHECK(got == WIRE_PONG || got >= 0xff00);
	}
	wire_mask_add(&h.client.mask, WIRE_MINT);
	CHECK_INT(answer_to(&h, &(struct wire_msg){.op = WIRE_MINT}), WIRE_RESPONSE);
	host_close(&h);
	vectors_close(&vs);
}

/* Sixteen RSA requests before it, and the ECDSA signature is still the first answer. */
static void
elliptic_curves_do_not_wait_behind_rsa(void)
{
	struct vectors vs;
	struct host h;
	uint32_t id = 0;
	size_t n = 0;
	struct wire_msg rsa = {.op = WIRE_RSA_SHA256,
		.cert_id = SPAN("rsa"),
		.payload = span_of(hash32, 32)};
	struct wire_msg ec = {.op = WIRE_ECDSA_SHA256,
		.cert_id = SPAN("p256"),
		.payload = span_of(hash32, 32)};

	vectors_open(&vs);
	host_open(&h, &vs);
	for (rsa.id = 1; rsa.id <= 16; rsa.id++)
		ask_it(&h, &rsa);
	ec.id = 99;
	ask_it(&h, &ec);
	CHECK(serve(&h));
	CHECK_INT(next_answer(&h, &id, NULL, &n), WIRE_RESPONSE);
	CHECK_INT(id, 99);
	for (uint32_t i = 1; i <= 16; i++) {
		CHECK_INT(next_answer(&h, &id, NULL, &n), WIRE_RESPONSE);
		CHECK_INT(id, i);
	}
	host_close(&h);
	vectors_close(&vs);
}

static void
a_full_line_says_so_early(void)
{
	struct vectors vs;
	struct host h;
	uint32_t id = 0;
	size_t n = 0;
	struct wire_msg m = {.op = WIRE_ECDSA_SHA256,
		.cert_id = SPAN("p256"),
		.payload = span_of(hash32, 32)};

	vectors_open(&vs);
	host_open(&h, &vs);
	h.door.line_max = 2;
	for (m.id = 0; m.id < 3; m.id++)
		ask_it(&h, &m);
	CHECK(answer_link_advance(&h.link));
	CHECK_INT(next_answer(&h, &id, NULL, &n), 0xff08);
	CHECK_INT(id, 2);
	CHECK(serve(&h));
	CHECK_INT(next_answer(&h, &id, NULL, &n), WIRE_RESPONSE);
	CHECK_INT(next_answer(&h, &id, NULL, &n), WIRE_RESPONSE);
	host_close(&h);
	vectors_close(&vs);
}

/* Room for an answer is kept when its request is read: a small out means that requests
 * stay in `in`, never that an answer is lost. */
static void
requests_wait_when_answers_would_not_fit(void)
{
	struct vectors vs;
	struct host h;
	uint32_t id = 0;
	size_t n = 0;
	unsigned answers = 0;
	struct wire_msg m = {.op = WIRE_ECDSA_SHA256,
		.cert_id = SPAN("p256"),
		.payload = span_of(hash32, 32)};

	vectors_open(&vs);
	host_open(&h, &vs);
	buf_fini(&h.out);
	buf_init(&h.out, 3000); /* two answers */
	for (m.id = 0; m.id < 8; m.id++)
		ask_it(&h, &m);
	for (int turn = 0; turn < 8; turn++) {
		CHECK(serve(&h));
		CHECK(buf_len(&h.out) <= 2048);
		while (next_answer(&h, &id, NULL, &n) == WIRE_RESPONSE)
			CHECK_INT(id, answers++);
	}
	CHECK_INT(answers, 8);
	/* What could never be said is refused at once. */
	static const uint8_t long_ping[4000];
	CHECK_INT(answer_to(&h,
			  &(struct wire_msg){.op = WIRE_PING,
				  .payload = span_of(long_ping, sizeof(long_ping))}),
		0xff08);
	host_close(&h);
	vectors_close(&vs);
}

static struct answer_call *kept[4];
static size_t n_kept;

static void
keep_call(struct answer_call *c)
{
	kept[n_kept++] = c;
}

static void
calls_may_be_answered_later_in_any_order_or_to_nobody(void)
{
	static const struct answer_op ops[] = {{WIRE_CUSTOM, false, 4000, keep_call}};
	static const uint8_t bytes[4001];
	struct vectors vs;
	struct host h;
	uint32_t id = 0;
	size_t n = 0;

	n_kept = 0;
	vectors_open(&vs);
	host_open(&h, &vs);
	h.door.ops = ops;
	h.door.n_ops = 1;
	for (uint32_t i = 0; i < 4; i++)
		ask_it(&h, &(struct wire_msg){.id = i, .op = WIRE_CUSTOM});
	CHECK(serve(&h));
	CHECK_INT(n_kept, 4);
	answer_reply(kept[2], span_of(bytes, 4000));
	answer_reply(kept[0], span_of(bytes, 4001 + 100)); /* more than was promised */
	CHECK_INT(next_answer(&h, &id, NULL, &n), WIRE_RESPONSE);
	CHECK_INT(id, 2);
	CHECK_INT(n, 4000);
	CHECK_INT(next_answer(&h, &id, NULL, &n), 0xff08);
	CHECK_INT(id, 0);
	answer_link_fini(&h.link);
	CHECK(!kept[1]->link);
	answer_reply(kept[1], SPAN("late"));
	answer_refuse(kept[3], WIRE_CRYPTO);
	host_close(&h);
	vectors_close(&vs);
}

static void
half_frames_at_every_place_change_nothing(void)
{
	struct vectors vs;
	struct host h;
	struct buf all;
	uint32_t id = 0;
	size_t n = 0;

	vectors_open(&vs);
	buf_init(&all, 4096);
	CHECK(wire_write(&all, &(struct wire_msg){.id = 1, .op = WIRE_PING}, false));
	CHECK(wire_write(&all,
		&(struct wire_msg){.id = 2,
			.op = WIRE_ED25519,
			.cert_id = SPAN("ed25519"),
			.payload = SPAN("abc")},
		false));
	struct span s = buf_peek(&all);
	for (size_t cut = 0; cut <= s.n; cut++) {
		host_open(&h, &vs);
		CHECK(buf_put(&h.in, span_first(s, cut)));
		CHECK(serve(&h));
		CHECK(buf_put(&h.in, span_from(s, cut)));
		CHECK(serve(&h));
		CHECK_INT(next_answer(&h, &id, NULL, &n), WIRE_PONG);
		CHECK_INT(next_answer(&h, &id, NULL, &n), WIRE_RESPONSE);
		CHECK_INT(n, 64);
		host_close(&h);
	}
	buf_fini(&all);
	vectors_close(&vs);
}

static void
a_call_that_waited_too_long_is_not_performed(void)
{
	struct vectors vs;
	struct host h;
	uint32_t id = 0;
	size_t n = 0;

	vectors_open(&vs);
	host_open(&h, &vs);
	h.door.deadline_us = 1;
	ask_it(&h,
		&(struct wire_msg){.op = WIRE_ED25519,
			.cert_id = SPAN("ed25519"),
			.payload = SPAN("a")});
	CHECK(answer_link_advance(&h.link));
	uint64_t start = clock_us();
	while (clock_us() < start + 10)
		;
	CHECK(!answer_door_serve(&h.door, 1000));
	CHECK_INT(next_answer(&h, &id, NULL, &n), 0xff08);
	host_close(&h);
	vectors_close(&vs);
}

TESTS(every_recorded_exchange_is_answered_as_recorded,
	keys_are_found_by_their_recorded_names,
	an_opcode_must_fit_the_key_and_the_payload_the_opcode,
	rsa_decrypt_is_off_until_the_key_allows_it,
	a_client_gets_what_its_policy_allows, a_rate_is_per_second_and_shared,
	what_is_the_vaults_is_never_reached_with_a_public_mask,
	elliptic_curves_do_not_wait_behind_rsa, a_full_line_says_so_early,
	requests_wait_when_answers_would_not_fit,
	calls_may_be_answered_later_in_any_order_or_to_nobody,
	half_frames_at_every_place_change_nothing,
	a_call_that_waited_too_long_is_not_performed)
