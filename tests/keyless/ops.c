// SPDX-License-Identifier: Apache-2.0
/* The tables of operations, errors and masks in keyless/wire.h. */
#include "keyless/wire.h"

#include "tests/test.h"

static void
masks_from_outside_never_hold_the_vaults_own(void)
{
	struct wire_mask all = wire_mask_public();
	struct wire_mask some = wire_mask_default();

	CHECK(!wire_mask_has(&all, WIRE_MINT));
	CHECK(!wire_mask_has(&all, WIRE_LEAFKEYS));
	CHECK(!wire_mask_has(&all, WIRE_CHAIN));
	CHECK(!wire_mask_has(&all, WIRE_CRL));
	CHECK(wire_mask_has(&all, WIRE_RSA_DECRYPT));
	CHECK(!wire_mask_has(&some, WIRE_RSA_DECRYPT));
	CHECK(!wire_mask_has(&some, WIRE_RSA_SHA1) &&
		!wire_mask_has(&some, WIRE_RSA_MD5SHA1));
	CHECK(wire_mask_has(&some, WIRE_PSS_SHA512) && wire_mask_has(&some, WIRE_PING));
	CHECK(!wire_mask_has(&some, WIRE_SEAL));
	wire_mask_add(&some, WIRE_MINT);
	some = wire_mask_and(some, all);
	CHECK(!wire_mask_has(&some, WIRE_MINT));
}

static void
each_operation_is_found_by_number_name_and_scheme(void)
{
	for (unsigned op = 1; op < 256; op++) {
		const struct wire_op_row *row = wire_op_find((uint8_t)op);

		if (row)
			CHECK_INT(wire_op_by_name(span_str(row->name)), op);
	}
	CHECK_INT(wire_op_for_scheme(0x0804), WIRE_PSS_SHA256);
	CHECK_INT(wire_op_for_scheme(0x0403), WIRE_ECDSA_SHA256);
	CHECK_INT(wire_op_for_scheme(0x0808), WIRE_NO_OP); /* ed448 */
	CHECK_STR(wire_error_name(200), "internal-error");
	CHECK(!wire_op_find(WIRE_RSA_RAW_LEGACY));
}

TESTS(masks_from_outside_never_hold_the_vaults_own,
	each_operation_is_found_by_number_name_and_scheme)
