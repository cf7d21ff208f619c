// SPDX-License-Identifier: Apache-2.0
#include "keyless/sealing.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { FILE_MOST = 4096 };

bool
sealing_load(struct seal *s, const char *path, struct err *err)
{
	struct span text = {0};
	uint8_t secret[SEAL_SECRET];
	size_t n = 0;

	if (!file_is_private(path, err) || !file_read(path, FILE_MOST, &text, err))
		return false;
	bool ok = text_unhex(span_trim(text), secret, sizeof(secret), &n) &&
		n == SEAL_SECRET;
	secret_wipe((void *)(uintptr_t)text.p, text.n);
	mem_free((void *)(uintptr_t)text.p);
	if (ok)
		seal_init(s, secret, SEALING_LIFE_S);
	secret_wipe(secret, sizeof(secret));
	return ok || err_set(err, ERR_KEYLESS_SETUP, "%s is not 64 hex digits", path);
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
