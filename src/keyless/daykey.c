// SPDX-License-Identifier: Apache-2.0
#include "keyless/daykey.h"

#include <string.h>

#include "base/clock.h"
#include "base/read.h"
#include "base/sha256.h"

static const char label[] = "sekisho session tickets of the day"; /* and its NUL */

bool
daykey_job(struct daykey_job *j, enum wire_key type, uint32_t day)
{
	uint8_t message[DAYKEY_MESSAGE];
	struct write w = write_to(message, sizeof(message));

	write_span(&w, span_of(label, sizeof(label)));
	write_be(&w, day, 4);
	struct span said = write_done(&w);
	switch (type) {
	case WIRE_KEY_ED25519:
		j->op = WIRE_ED25519;
		memcpy(j->bytes, said.p, said.n); /* both DAYKEY_MESSAGE */
		j->input = span_of(j->bytes, said.n);
		return true;
	case WIRE_KEY_RSA:
		j->op = WIRE_RSA_SHA256;
		sha256_of(said, j->bytes);
		j->input = span_of(j->bytes, SHA256_SIZE);
		return true;
	case WIRE_KEY_EC:
	case WIRE_KEY_NONE:
		break;
	}
	return false;
}

void
daykey_secret(struct span signature, uint8_t out[DAYKEY_SECRET])
{
	sha256_hmac(SPAN("sekisho day key"), &signature, 1, out);
}

uint32_t
daykey_today(void)
{
	return (uint32_t)(clock_wall() / DAYKEY_S); /* fits for eleven million years */
}
