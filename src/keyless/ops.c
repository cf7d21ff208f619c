// SPDX-License-Identifier: Apache-2.0
/*
 * ops: what each operation is. The table behind the wire_op_*, wire_error_* and
 * wire_mask_* parts of wire.h. To add an operation: a row in `rows`, sorted by opcode.
 */
#include "keyless/wire.h"

static const struct wire_op_row rows[] = {
	{WIRE_RSA_DECRYPT, WIRE_KEY_RSA, 0, false, "rsa-decrypt"},
	{WIRE_RSA_MD5SHA1, WIRE_KEY_RSA, 36, true, "rsa-md5sha1"},
	{WIRE_RSA_SHA1, WIRE_KEY_RSA, 20, true, "rsa-sha1"},
	{WIRE_RSA_SHA224, WIRE_KEY_RSA, 28, false, "rsa-sha224"},
	{WIRE_RSA_SHA256, WIRE_KEY_RSA, 32, false, "rsa-sha256"},
	{WIRE_RSA_SHA384, WIRE_KEY_RSA, 48, false, "rsa-sha384"},
	{WIRE_RSA_SHA512, WIRE_KEY_RSA, 64, false, "rsa-sha512"},
	{WIRE_ECDSA_MD5SHA1, WIRE_KEY_EC, 36, true, "ecdsa-md5sha1"},
	{WIRE_ECDSA_SHA1, WIRE_KEY_EC, 20, true, "ecdsa-sha1"},
	{WIRE_ECDSA_SHA224, WIRE_KEY_EC, 28, false, "ecdsa-sha224"},
	{WIRE_ECDSA_SHA256, WIRE_KEY_EC, 32, false, "ecdsa-sha256"},
	{WIRE_ECDSA_SHA384, WIRE_KEY_EC, 48, false, "ecdsa-sha384"},
	{WIRE_ECDSA_SHA512, WIRE_KEY_EC, 64, false, "ecdsa-sha512"},
	{WIRE_ED25519, WIRE_KEY_ED25519, 0, false, "ed25519"},
	{WIRE_SEAL, WIRE_KEY_NONE, 0, false, "seal"},
	{WIRE_UNSEAL, WIRE_KEY_NONE, 0, false, "unseal"},
	{WIRE_RPC, WIRE_KEY_NONE, 0, false, "rpc"},
	{WIRE_CUSTOM, WIRE_KEY_NONE, 0, false, "custom"},
	{WIRE_PSS_SHA256, WIRE_KEY_RSA, 32, false, "pss-sha256"},
	{WIRE_PSS_SHA384, WIRE_KEY_RSA, 48, false, "pss-sha384"},
	{WIRE_PSS_SHA512, WIRE_KEY_RSA, 64, false, "pss-sha512"},
	{WIRE_MINT, WIRE_KEY_NONE, 0, false, "mint"},
	{WIRE_LEAFKEYS, WIRE_KEY_NONE, 0, false, "leafkeys"},
	{WIRE_CHAIN, WIRE_KEY_NONE, 0, false, "chain"},
	{WIRE_CRL, WIRE_KEY_NONE, 0, false, "crl"},
	{WIRE_DAYKEY, WIRE_KEY_NONE, 4, false, "daykey"},
	{WIRE_PING, WIRE_KEY_NONE, 0, false, "ping"},
};

const struct wire_op_row *
wire_op_find(uint8_t op)
{
	size_t low = 0;
	size_t high = COUNT_OF(rows);

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (rows[mid].op == op)
			return &rows[mid];
		if (rows[mid].op < op) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return NULL;
}

const char *
wire_op_name(uint8_t op)
{
	const struct wire_op_row *row = wire_op_find(op);

	return row ? row->name : "unknown";
}

uint8_t
wire_op_by_name(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (span_eq(name, span_str(rows[i].name)))
			return rows[i].op;
	}
	return WIRE_NO_OP;
}

const char *
wire_error_name(uint8_t code)
{
	static const char *const names[] = {
		[WIRE_OK] = "ok",
		[WIRE_CRYPTO] = "cryptography-error",
		[WIRE_NO_KEY] = "key-not-found",
		[WIRE_READ] = "read-failure",
		[WIRE_VERSION] = "version-mismatch",
		[WIRE_BAD_OP] = "bad-opcode",
		[WIRE_UNEXPECTED_OP] = "unexpected-opcode",
		[WIRE_MALFORMED] = "malformed-message",
		[WIRE_INTERNAL] = "internal-error",
		[WIRE_NO_CERT] = "certificate-not-found",
		[WIRE_EXPIRED] = "expired",
		[WIRE_REMOTE] = "remote-configuration-error",
	};

	return code < COUNT_OF(names) ? names[code] : names[WIRE_INTERNAL];
}

uint8_t
wire_op_for_scheme(uint16_t scheme)
{
	static const struct {
		uint16_t scheme;
		uint8_t op;
	} schemes[] = {
		{0x0201, WIRE_RSA_SHA1},
		{0x0301, WIRE_RSA_SHA224},
		{0x0401, WIRE_RSA_SHA256},
		{0x0501, WIRE_RSA_SHA384},
		{0x0601, WIRE_RSA_SHA512},
		{0x0203, WIRE_ECDSA_SHA1},
		{0x0303, WIRE_ECDSA_SHA224},
		{0x0403, WIRE_ECDSA_SHA256},
		{0x0503, WIRE_ECDSA_SHA384},
		{0x0603, WIRE_ECDSA_SHA512},
		{0x0804, WIRE_PSS_SHA256},
		{0x0805, WIRE_PSS_SHA384},
		{0x0806, WIRE_PSS_SHA512},
		{0x0809, WIRE_PSS_SHA256},
		{0x080a, WIRE_PSS_SHA384},
		{0x080b, WIRE_PSS_SHA512},
		{0x0807, WIRE_ED25519},
	};

	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		if (schemes[i].scheme == scheme)
			return schemes[i].op;
	}
	return WIRE_NO_OP;
}

/* ---- masks ---- */

void
wire_mask_add(struct wire_mask *m, uint8_t op)
{
	m->bits[op / 64] |= UINT64_C(1) << (op % 64);
}

void
wire_mask_drop(struct wire_mask *m, uint8_t op)
{
	m->bits[op / 64] &= ~(UINT64_C(1) << (op % 64));
}

bool
wire_mask_has(const struct wire_mask *m, uint8_t op)
{
	return (m->bits[op / 64] >> (op % 64)) & 1;
}

static bool
is_private(uint8_t op)
{
	return op == WIRE_MINT || op == WIRE_LEAFKEYS || op == WIRE_CHAIN ||
		op == WIRE_CRL || op == WIRE_DAYKEY;
}

struct wire_mask
wire_mask_public(void)
{
	struct wire_mask m = {0};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!is_private(rows[i].op))
			wire_mask_add(&m, rows[i].op);
	}
	return m;
}

struct wire_mask
wire_mask_default(void)
{
	struct wire_mask m = {0};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].key != WIRE_KEY_NONE && !rows[i].sha1)
			wire_mask_add(&m, rows[i].op);
	}
	wire_mask_drop(&m, WIRE_RSA_DECRYPT);
	wire_mask_add(&m, WIRE_PING);
	return m;
}

struct wire_mask
wire_mask_and(struct wire_mask a, struct wire_mask b)
{
	struct wire_mask m = {0};

	for (size_t i = 0; i < COUNT_OF(m.bits); i++)
		m.bits[i] = a.bits[i] & b.bits[i];
	return m;
}
