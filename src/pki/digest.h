// SPDX-License-Identifier: Apache-2.0
/*
 * digest: hashes of octets, without looking for the algorithm each time.
 *
 * OpenSSL 3.0 finds an algorithm by its name, through locks and tables, in every
 * EVP_DigestInit_ex(…, EVP_sha256(), …) and every SHA256(): that costs more than
 * hashing a few hundred octets. Here it is found once per process, and so is the object
 * that hashes.
 *
 *	if (!digest_begin(DIGEST_MD5))
 *		…                       the library has none (MD5 under FIPS)
 *	digest_add(DIGEST_MD5, text);
 *	digest_end(DIGEST_MD5, sum);
 */
#pragma once

#include "base/span.h"

enum digest { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGESTS };

enum { /* octets */
	DIGEST_MD5_SIZE = 16,
	DIGEST_SHA1_SIZE = 20,
	DIGEST_SHA256_SIZE = 32,
};

/* One of a kind at a time: what was begun is ended before the next begins. False when
 * the library does not have it; MD5 apart it does, or nothing would work. */
MUST_USE bool digest_begin(enum digest kind);
void digest_add(enum digest kind, struct span s);
/* out has as many octets as the kind; returns how many these are. */
size_t digest_end(enum digest kind, uint8_t *out);

void digest_sha256(struct span s, uint8_t out[DIGEST_SHA256_SIZE]);
