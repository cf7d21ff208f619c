// SPDX-License-Identifier: Apache-2.0
/* Any octets as requests of a client that may do all: every whole message is answered
 * once, nothing is read after a broken one, and answers read as messages. */
#include <stdlib.h>

#include "keyless/answer.h"
#include "pki/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
expect(bool x)
{
	if (!x)
		abort();
}

static struct keys *
the_keys(void)
{
	static struct keys keys;
	struct err err = {0};

	if (keys.all.next)
		return &keys;
	keys_init(&keys);
	expect(keys_add(&keys, key_wrap(key_new(KEY_P256, &err)), "a", "fuzz", &err));
	expect(keys_add(
		&keys, key_wrap(key_new(KEY_ED25519, &err)), "b", "fuzz", &err));
	return &keys;
}

static void
read_answers(struct buf *out, uint64_t *answers)
{
	struct wire_reader r = {.body_max = WIRE_BODY_MAX};
	struct wire_msg m = {0};
	size_t used = 0;

	while (wire_read(&r, out, &m, &used) == WIRE_GOT) {
		expect(m.op == WIRE_RESPONSE || m.op == WIRE_PONG ||
			m.op == WIRE_ERROR);
		buf_drop(out, used);
		(*answers)++;
	}
	expect(buf_empty(out));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct answer_client client = {.name = "fuzz", .mask = wire_mask_public()};
	struct answer_door door;
	struct answer_link link;
	struct buf in;
	struct buf out;
	uint64_t answers = 0;
	bool going = true;

	answer_door_init(&door, the_keys());
	buf_init(&in, WIRE_MESSAGE_MAX);
	buf_init(&out, (size_t)1 << 17);
	answer_link_init(&link, &door, &client, &in, &out);
	for (size_t at = 0; going && at < n; at += 1000) {
		if (!buf_put(&in, span_slice(span_of(p, n), at, at + 1000)))
			break;
		going = answer_link_advance(&link);
		while (answer_door_serve(&door, 1000))
			;
		read_answers(&out, &answers);
	}
	expect(answers >= link.requests); /* and one for each that was malformed */
	expect(link.n_calls == 0 && link.reserved == 0);
	answer_link_fini(&link);
	answer_door_fini(&door);
	buf_fini(&in);
	buf_fini(&out);
	return 0;
}
