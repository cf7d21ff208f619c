// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <string.h>

#include "base/mem.h"

/* FIPS 180-4 §4.2.2. */
static const uint32_t round_constants[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf,
	0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
	0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
	0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
	0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
	0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
	0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
	0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee,
	0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2};

static uint32_t
rotate(uint32_t v, unsigned n)
{
	return v >> n | v << (32 - n);
}

static uint32_t
read_word(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
write_word(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* FIPS 180-4 §6.2.2, step 1. */
static void
expand(uint32_t w[64], const uint8_t *block)
{
	for (size_t i = 0; i < 16; i++)
		w[i] = read_word(block + i * 4);
	for (size_t i = 16; i < 64; i++) {
		uint32_t a = w[i - 15];
		uint32_t b = w[i - 2];
		uint32_t s0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
		uint32_t s1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;
		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
}

/* FIPS 180-4 §6.2.2, steps 2 to 4. */
static void
compress(struct sha256 *h, const uint8_t *block)
{
	uint32_t w[64];
	uint32_t v[8];
	expand(w, block);
	memcpy(v, h->state, sizeof(v));
	for (size_t i = 0; i < 64; i++) {
		uint32_t e = v[4];
		uint32_t a = v[0];
		uint32_t t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
			((e & v[5]) ^ (~e & v[6])) + round_constants[i] + w[i];
		uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
			((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (size_t i = 0; i < 8; i++)
		h->state[i] += v[i];
}

void
sha256_init(struct sha256 *h)
{
	static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
		0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	memcpy(h->state, initial, sizeof(h->state));
	h->n = 0;
}

void
sha256_add(struct sha256 *h, struct span s)
{
	size_t have = h->n % SHA256_BLOCK;
	h->n += s.n;
	while (s.n > 0) {
		size_t room = SHA256_BLOCK - have;
		struct span piece = span_first(s, room);
		memcpy(h->block + have, piece.p, piece.n);
		s = span_from(s, piece.n);
		have += piece.n;
		if (have < SHA256_BLOCK)
			return;
		compress(h, h->block);
		have = 0;
	}
}

void
sha256_done(struct sha256 *h, uint8_t out[SHA256_SIZE])
{
	static const uint8_t padding[SHA256_BLOCK] = {0x80};
	uint8_t length[8];
	uint64_t bits = h->n * 8;
	size_t have = h->n % SHA256_BLOCK;
	size_t pad = have < 56 ? 56 - have : 56 + SHA256_BLOCK - have;

	sha256_add(h, span_of(padding, pad));
	write_word(length, (uint32_t)(bits >> 32));
	write_word(length + 4, (uint32_t)bits);
	sha256_add(h, span_of(length, sizeof(length)));
	for (size_t i = 0; i < 8; i++)
		write_word(out + i * 4, h->state[i]);
	secret_wipe(h, sizeof(*h));
}

void
sha256_of(struct span s, uint8_t out[SHA256_SIZE])
{
	struct sha256 h;
	sha256_init(&h);
	sha256_add(&h, s);
	sha256_done(&h, out);
}

static void
add_pad(struct sha256 *h, const uint8_t key[SHA256_BLOCK], uint8_t with)
{
	uint8_t pad[SHA256_BLOCK];
	for (size_t i = 0; i < SHA256_BLOCK; i++)
		pad[i] = key[i] ^ with;
	sha256_add(h, span_of(pad, sizeof(pad)));
	secret_wipe(pad, sizeof(pad));
}

void
sha256_hmac(
	struct span key, const struct span *parts, size_t n, uint8_t out[SHA256_SIZE])
{
	uint8_t block[SHA256_BLOCK] = {0};
	struct sha256 h;

	if (key.n > SHA256_BLOCK) {
		sha256_of(key, block);
	} else if (key.n > 0) {
		memcpy(block, key.p, key.n);
	}
	sha256_init(&h);
	add_pad(&h, block, 0x36);
	for (size_t i = 0; i < n; i++)
		sha256_add(&h, parts[i]);
	sha256_done(&h, out);

	sha256_init(&h);
	add_pad(&h, block, 0x5c);
	sha256_add(&h, span_of(out, SHA256_SIZE));
	sha256_done(&h, out);
	secret_wipe(block, sizeof(block));
}
