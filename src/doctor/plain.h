// SPDX-License-Identifier: Apache-2.0
/*
 * plain: foreign output reduced to its letters, so that it can be searched.
 *
 * Tools wrap their messages in the middle of words, colour them, quote them, escape
 * them into JSON and write them with underscores. Letters and digits survive all of
 * that; so only they are kept, in lower case, with a note where words begin.
 * "SSLV3_ALERT\nUNKNOWN CA" and "sslv3 alert unknown ca" become the same.
 */
#pragma once

#include "base/span.h"

enum {
	PLAIN_MAX = 1 << 18, /* of a longer text the end is read */
	PLAIN_BEGINS = 1,    /* a word begins with this octet */
	PLAIN_MINUS = 2,     /* ... and a minus sign stands before it */
};

struct plain {
	uint8_t *letters; /* owned; UTF-8: ASCII letters and digits, and what is not
			     ASCII */
	uint8_t *marks;   /* owned; PLAIN_ flags of each octet */
	size_t n;
};

/*
 * Reads text of any kind: UTF-8 or UTF-16 with its mark, ANSI colours, JSON escapes.
 * What begins a line as log prefix (time, level, container) is left out when
 * `drop_prefixes`. Never fails: what cannot be read is skipped. Ended by plain_fini().
 */
void plain_init(struct plain *p, struct span text, bool drop_prefixes);
void plain_fini(struct plain *p);

/* The letters of a short text into dst; how many. What does not fit is left out. */
size_t plain_letters(struct span text, uint8_t *dst, size_t cap);

/* Index of the first occurrence of letters at or after `from`, or p->n. */
MUST_USE size_t plain_find(const struct plain *p, struct span letters, size_t from);
/* Whether a word begins at index i, or i is the end. */
MUST_USE bool plain_begins(const struct plain *p, size_t i);
