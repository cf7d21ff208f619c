// SPDX-License-Identifier: Apache-2.0
/*
 * seal: blobs that only the holders of one secret can open, for a limited time.
 *
 *	version(1) | epoch(4) | nonce(12) | AES-256-GCM ciphertext | tag(16)
 *
 * The key of an epoch is derived from the secret (HKDF-SHA256), so that servers with
 * the same secret open each other's blobs with nothing said between them; the first
 * three fields are authenticated.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum { SEAL_SECRET = 32, SEAL_OVERHEAD = 1 + 4 + 12 + 16 };

struct seal {
	uint8_t secret[SEAL_SECRET];
	uint32_t epoch_s;  /* how long one key seals */
	uint32_t n_epochs; /* how many back can be opened */
};

enum seal_state { SEAL_OPENED, SEAL_EXPIRED, SEAL_FORGED };

/* A blob stays openable for at least life_s and at most twice that. */
void seal_init(struct seal *s, const uint8_t secret[SEAL_SECRET], uint32_t life_s);
/* Wipes. */
void seal_fini(struct seal *s);

/* dst has text.n + SEAL_OVERHEAD octets; now is wall seconds. ERR_PKI_KEY. */
MUST_USE bool seal_close(const struct seal *s, struct span text, int64_t now,
	uint8_t *dst, struct err *err);
/* dst has blob.n octets; *n is set when opened. */
enum seal_state seal_open(
	const struct seal *s, struct span blob, int64_t now, uint8_t *dst, size_t *n);
