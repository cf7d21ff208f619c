// SPDX-License-Identifier: Apache-2.0
/*
 * der: reading DER (X.690) strictly, on the cursor of base/read.
 *
 * Lengths are minimal and definite, BOOLEANs are 0 or 255, INTEGERs are minimal. As
 * with every `struct read`, a failure sticks and is asked for once, at the end.
 */
#pragma once

#include "base/read.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BITS = 0x03,
	DER_OCTETS = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8 = 0x0c,
	DER_PRINTABLE = 0x13,
	DER_TELETEX = 0x14,
	DER_IA5 = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERAL_TIME = 0x18,
	DER_UNIVERSAL = 0x1c,
	DER_BMP = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	/* Context tags: DER_CHOICE + n primitive, DER_EXPLICIT + n constructed. */
	DER_CHOICE = 0x80,
	DER_EXPLICIT = 0xa0,
};

struct der {
	unsigned tag;      /* the identifier octet; long forms are refused */
	struct read value; /* contents */
	struct span whole; /* with header */
};

/* The next element, whatever it is; tag 0 when there is none. */
struct der der_any(struct read *r);
/* The contents of the next element, which must have this tag. */
struct read der_take(struct read *r, unsigned tag);
/* The same, header included. */
struct span der_take_whole(struct read *r, unsigned tag);
/* Whether the next element has this tag; nothing is taken. */
MUST_USE bool der_is(const struct read *r, unsigned tag);
/* Like der_take(), but an absent element is an empty span and no failure. */
struct span der_maybe(struct read *r, unsigned tag, bool *present);

/* DEFAULT FALSE: absent is false, an encoded FALSE is tolerated. */
bool der_flag(struct read *r);
/* INTEGER contents, checked to be minimal. */
struct span der_integer(struct read *r);
/* A non-negative INTEGER of at most `max`, of elements with this tag. */
uint32_t der_count(struct read *r, unsigned tag, uint32_t max);
/* BIT STRING without its first octet; *unused bits of the last octet, which are zero.
 */
struct span der_bits(struct read *r, unsigned *unused);
/* UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 allows them: wall seconds. */
int64_t der_time(struct read *r);

/* Makes the cursor bad: something it read is not acceptable. */
void der_refuse(struct read *r);
