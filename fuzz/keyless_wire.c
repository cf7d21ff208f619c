// SPDX-License-Identifier: Apache-2.0
/* Reads any octets as a stream of messages; what reads whole is written anew and must
 * read the same. */
#include <stdlib.h>

#include "keyless/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
expect(bool x)
{
	if (!x)
		abort();
}

static bool
same(const struct wire_msg *a, const struct wire_msg *b)
{
	return a->id == b->id && a->op == b->op && a->region == b->region &&
		span_eq(a->ski, b->ski) && span_eq(a->digest, b->digest) &&
		span_eq(a->name, b->name) && ip_eq(&a->client_ip, &b->client_ip) &&
		ip_eq(&a->server_ip, &b->server_ip) &&
		span_eq(a->cert_id, b->cert_id) && span_eq(a->payload, b->payload) &&
		span_eq(a->function, b->function) && span_eq(a->extra, b->extra) &&
		span_eq(a->trace, b->trace) && span_eq(a->context, b->context);
}

static void
write_and_read_again(const struct wire_msg *m)
{
	struct wire_reader r = {.body_max = WIRE_BODY_MAX};
	struct wire_msg again = {0};
	struct buf out;
	size_t used = 0;

	buf_init(&out, WIRE_MESSAGE_MAX);
	if (wire_write(&out, m, true)) { /* an added opcode item may make it too long */
		expect(wire_read(&r, &out, &again, &used) == WIRE_GOT);
		expect(used == wire_size(m, true) && same(m, &again));
	}
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct wire_reader r = {.body_max = 4096};
	struct wire_msg m = {0};
	struct buf in;
	size_t used = 0;

	buf_init(&in, (size_t)1 << 20);
	if (buf_put(&in, span_of(p, n))) {
		enum wire_got got = WIRE_ALIEN;

		while (got == WIRE_ALIEN || got == WIRE_GOT) {
			got = wire_read(&r, &in, &m, &used);
			if (got != WIRE_GOT)
				continue;
			write_and_read_again(&m);
			buf_drop(&in, used);
		}
	}
	buf_fini(&in);
	return 0;
}
