// SPDX-License-Identifier: Apache-2.0
/* Any octets as the answers of a key server to eight asks: each ask ends exactly once,
 * whatever comes, and a link that was broken stays so. */
#include <stdlib.h>

#include "keyless/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { ASKS = 8 };

struct asked {
	struct ask ask;
	int done;
};

static void
expect(bool x)
{
	if (!x)
		abort();
}

static void
count(struct ask *a)
{
	struct asked *asked = CONTAINER_OF(a, struct asked, ask);

	expect(++asked->done == 1);
	expect(a->ok || a->err.code != ERR_NONE);
}

static void
send_all(struct ask_link *link, struct asked *asked)
{
	static const uint8_t ops[] = {WIRE_PING, WIRE_ECDSA_SHA256, WIRE_PSS_SHA256};
	struct err err = {0};

	for (size_t i = 0; i < ASKS; i++) {
		asked[i].ask.want = (struct wire_msg){
			.op = ops[i % COUNT_OF(ops)], .payload = SPAN("what is asked")};
		asked[i].ask.done = count;
		expect(ask_send(link, &asked[i].ask, &err));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct asked asked[ASKS] = {0};
	struct ask_link link;
	struct buf in;
	struct buf out;
	struct err err = {0};

	buf_init(&in, WIRE_MESSAGE_MAX);
	buf_init(&out, (size_t)1 << 17);
	ask_link_init(&link, &in, &out, ASKS);
	send_all(&link, asked);
	for (size_t at = 0; at < n && !link.broken; at += 700) {
		if (!buf_put(&in, span_slice(span_of(p, n), at, at + 700)))
			break;
		bool ok = ask_link_advance(&link, &err);
		expect(ok == !link.broken);
	}
	ask_link_fini(&link);
	for (size_t i = 0; i < ASKS; i++)
		expect(asked[i].done == 1);
	buf_fini(&in);
	buf_fini(&out);
	return 0;
}
