// SPDX-License-Identifier: Apache-2.0
/*
 * daykey: a secret of each day that comes from a private key.
 *
 * Nodes that resume each other's sessions need one secret. Instead of a file that each
 * of them keeps for ever it can be what a private key makes of the day's number: the
 * key's signature, which is the same each time (RSA PKCS#1 v1.5, RFC 8017 §8.2;
 * Ed25519, RFC 8032), hashed. The key stays in the vault, in a token or on a key
 * server, and the usual operations of the key protocol are enough.
 *
 *	"sekisho session tickets of the day" | 00 | day(4)
 *		─▶ signature ─▶ HMAC ─▶ secret
 *
 * The key is for this alone: whoever may have it sign has every day's secret. No
 * message that TLS has signed begins like this one.
 */
#pragma once

#include "keyless/wire.h"

enum { DAYKEY_SECRET = 32, DAYKEY_MESSAGE = 39, DAYKEY_S = 86400 };

/* What the key has to sign. */
struct daykey_job {
	uint8_t op;
	struct span input; /* in bytes[] */
	uint8_t bytes[DAYKEY_MESSAGE];
};

/* day: since 1970, UTC. False for keys whose signatures differ each time: ECDSA. */
MUST_USE bool daykey_job(struct daykey_job *j, enum wire_key type, uint32_t day);
/* The day's secret; the holder wipes it. */
void daykey_secret(struct span signature, uint8_t out[DAYKEY_SECRET]);
/* Of the wall clock. */
uint32_t daykey_today(void);
