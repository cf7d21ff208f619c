// SPDX-License-Identifier: Apache-2.0
#include "keyless/sealing.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/test.h"

static const uint8_t secret[SEAL_SECRET] = "thirty-two octets of a secret..";
static struct seal seal;

static void
run_seal(struct answer_call *c)
{
	sealing_seal(c, &seal);
}

static void
run_unseal(struct answer_call *c)
{
	sealing_unseal(c, &seal);
}

static const struct answer_op ops[] = {
	{WIRE_SEAL, false, SEALING_MOST, run_seal},
	{WIRE_UNSEAL, false, SEALING_MOST, run_unseal},
};

struct end {
	struct answer_door door;
	struct answer_link link;
	struct answer_client client;
	struct buf in;
	struct buf out;
};

static void
open_end(struct end *e)
{
	seal_init(&seal, secret, SEALING_LIFE_S);
	answer_door_init(&e->door, NULL);
	e->door.ops = ops;
	e->door.n_ops = COUNT_OF(ops);
	e->client.mask = wire_mask_public();
	buf_init(&e->in, WIRE_MESSAGE_MAX);
	buf_init(&e->out, WIRE_MESSAGE_MAX);
	answer_link_init(&e->link, &e->door, &e->client, &e->in, &e->out);
}

static void
close_end(struct end *e)
{
	answer_link_fini(&e->link);
	answer_door_fini(&e->door);
	buf_fini(&e->in);
	buf_fini(&e->out);
	seal_fini(&seal);
}

/* One request; its answer's spans die with the next. */
static struct wire_msg
ask_end(struct end *e, uint8_t op, struct span payload)
{
	struct wire_reader r = {.body_max = WIRE_BODY_MAX};
	struct wire_msg m = {.op = op, .id = 7, .payload = payload};
	size_t used = 0;

	CHECK(wire_write(&e->in, &m, true));
	buf_drop(&e->out, buf_len(&e->out));
	CHECK(answer_link_advance(&e->link));
	while (answer_door_serve(&e->door, 1000))
		;
	CHECK_INT(wire_read(&r, &e->out, &m, &used), WIRE_GOT);
	CHECK_INT(m.id, 7);
	return m;
}

static void
what_was_sealed_is_unsealed(void)
{
	static struct end e;
	uint8_t blob[200];

	open_end(&e);
	struct wire_msg m = ask_end(&e, WIRE_SEAL, SPAN("a session"));
	CHECK_INT(m.op, WIRE_RESPONSE);
	CHECK_INT(m.payload.n, 9 + SEAL_OVERHEAD);
	struct span kept = {blob, m.payload.n};
	memcpy(blob, m.payload.p, m.payload.n);
	m = ask_end(&e, WIRE_UNSEAL, kept);
	CHECK_INT(m.op, WIRE_RESPONSE);
	CHECK(span_eq(m.payload, SPAN("a session")));
	close_end(&e);
}

static void
a_forged_an_old_and_a_short_blob_are_told_apart(void)
{
	static struct end e;
	uint8_t blob[200];

	open_end(&e);
	struct wire_msg m = ask_end(&e, WIRE_SEAL, SPAN("a session"));
	struct span kept = {blob, m.payload.n};
	memcpy(blob, m.payload.p, m.payload.n);
	blob[kept.n - 1] ^= 1;
	m = ask_end(&e, WIRE_UNSEAL, kept);
	CHECK(m.op == WIRE_ERROR && m.payload.p[0] == WIRE_CRYPTO);
	blob[kept.n - 1] ^= 1;
	blob[4] ^= 0x40; /* an epoch whose key is long gone, or never was */
	m = ask_end(&e, WIRE_UNSEAL, kept);
	CHECK(m.op == WIRE_ERROR && m.payload.p[0] != WIRE_OK);
	m = ask_end(&e, WIRE_UNSEAL, SPAN("x"));
	CHECK(m.op == WIRE_ERROR && m.payload.p[0] == WIRE_CRYPTO);
	m = ask_end(&e, WIRE_UNSEAL, (struct span){0});
	CHECK(m.op == WIRE_ERROR);
	close_end(&e);
}

static void
what_is_too_long_for_a_blob_is_refused(void)
{
	static struct end e;
	static const uint8_t text[SEALING_MOST];

	open_end(&e);
	struct wire_msg m =
		ask_end(&e, WIRE_SEAL, span_of(text, SEALING_MOST - SEAL_OVERHEAD));
	CHECK_INT(m.op, WIRE_RESPONSE);
	m = ask_end(&e, WIRE_SEAL, span_of(text, SEALING_MOST));
	CHECK(m.op == WIRE_ERROR && m.payload.p[0] == WIRE_INTERNAL);
	close_end(&e);
}

static void
a_secret_is_read_from_a_private_file_only(void)
{
	char path[] = "/tmp/sekisho-seal-XXXXXX";
	int fd = mkstemp(path);
	struct seal s = {0};
	struct err err = {0};

	CHECK(fd >= 0);
	CHECK(write(fd,
		      "00112233445566778899aabbccddeeff0011223344556677"
		      "8899aabbccddeeff\n",
		      65) == 65);
	CHECK_OK(sealing_load(&s, path, &err), &err);
	CHECK(s.secret[1] == 0x11 && s.secret[31] == 0xff);
	CHECK(fchmod(fd, 0644) == 0);
	CHECK(!sealing_load(&s, path, &err));
	CHECK(fchmod(fd, 0600) == 0 && ftruncate(fd, 40) == 0);
	CHECK(!sealing_load(&s, path, &err));
	CHECK_INT(err.code, ERR_FILE_READ);
	close(fd);
	CHECK(unlink(path) == 0);
	seal_fini(&s);
}

TESTS(what_was_sealed_is_unsealed, a_forged_an_old_and_a_short_blob_are_told_apart,
	what_is_too_long_for_a_blob_is_refused,
	a_secret_is_read_from_a_private_file_only)
