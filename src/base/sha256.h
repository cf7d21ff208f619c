// SPDX-License-Identifier: Apache-2.0
/*
 * sha256: SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), for rooms without OpenSSL.
 *
 * Signed links and cache keys; TLS uses OpenSSL's.
 */
#pragma once

#include "base/span.h"

enum { SHA256_SIZE = 32, SHA256_BLOCK = 64 };

struct sha256 {
	uint32_t state[8];
	uint64_t n; /* octets so far */
	uint8_t block[SHA256_BLOCK];
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, struct span s);
void sha256_done(struct sha256 *h, uint8_t out[SHA256_SIZE]);

/* In one go. */
void sha256_of(struct span s, uint8_t out[SHA256_SIZE]);

/* Of the message parts one behind the other; n parts. */
void sha256_hmac(
	struct span key, const struct span *parts, size_t n, uint8_t out[SHA256_SIZE]);
