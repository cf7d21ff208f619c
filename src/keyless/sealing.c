// SPDX-License-Identifier: Apache-2.0
#include "keyless/sealing.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

bool
sealing_load(struct seal *s, const char *path, struct err *err)
{
	uint8_t secret[SEAL_SECRET];

	if (!file_read_secret(path, secret, sizeof(secret), err))
		return false;
	seal_init(s, secret, SEALING_LIFE_S);
	secret_wipe(secret, sizeof(secret));
	return true;
}

void
sealing_seal(struct answer_call *c, const struct seal *s)
{
	struct span text = c->req.payload;
	struct err err = {0};

	if (text.n > SEALING_MOST - SEAL_OVERHEAD) {
		answer_refuse(c, WIRE_INTERNAL);
		return;
	}
	uint8_t *blob = mem_alloc(text.n + SEAL_OVERHEAD);
	if (seal_close(s, text, clock_wall(), blob, &err)) {
		answer_reply(c, span_of(blob, text.n + SEAL_OVERHEAD));
	} else {
		answer_refuse(c, WIRE_INTERNAL);
	}
	mem_free(blob);
}

void
sealing_unseal(struct answer_call *c, const struct seal *s)
{
	uint8_t *text = mem_alloc(c->req.payload.n);
	size_t room = c->req.payload.n;
	size_t n = 0;

	switch (seal_open(s, c->req.payload, clock_wall(), text, &n)) {
	case SEAL_OPENED:
		answer_reply(c, span_of(text, n));
		break;
	case SEAL_EXPIRED:
		answer_refuse(c, WIRE_EXPIRED);
		break;
	case SEAL_FORGED:
		answer_refuse(c, WIRE_CRYPTO);
		break;
	}
	secret_wipe(text, room);
	mem_free(text);
}
