// SPDX-License-Identifier: Apache-2.0
/*
 * der_write: making DER, from its end to its beginning.
 *
 * A header holds the length of what follows, so the contents are written first and the
 * header in front of them:
 *
 *	size_t end = der_mark(&w);
 *	der_put(&w, host);
 *	der_wrap(&w, DER_IA5, end);
 */
#pragma once

#include "pki/der.h"

struct der_write {
	uint8_t *mem; /* borrowed */
	size_t at;    /* first octet written so far; cap at the start */
	size_t cap;
	bool bad; /* it did not fit */
};

struct der_write der_write_to(void *mem, size_t cap);
/* What was written; empty when it did not fit. */
struct span der_written(const struct der_write *w);

/* Puts octets in front of all that was written. */
void der_put(struct der_write *w, struct span s);
void der_put_octet(struct der_write *w, uint8_t octet);
/* Where an element ends whose contents are about to be written. */
size_t der_mark(const struct der_write *w);
/* Puts identifier and length in front of what was written since the mark. */
void der_wrap(struct der_write *w, unsigned tag, size_t mark);
/* A whole element with these contents. */
void der_element(struct der_write *w, unsigned tag, struct span contents);
/* UTCTime until 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
void der_put_time(struct der_write *w, int64_t wall);
