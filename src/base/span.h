// SPDX-License-Identifier: Apache-2.0
/*
 * span: a borrowed, read-only run of bytes. The one slice type of the tree.
 *
 * Passed by value. Never NUL-terminated by promise; whoever holds one says in a comment
 * whose memory it is. Letter case here is ASCII only: there is no locale.
 */
#pragma once

#include "base/attr.h"

struct span {
	const uint8_t *p;
	size_t n;
};

/* A span over a string literal, without its NUL. */
#define SPAN(lit) ((struct span){(const uint8_t *)("" lit), sizeof(lit) - 1})
/* The same as a constant initialiser for tables. */
#define SPAN_INIT(lit)                                     \
	{                                                  \
		(const uint8_t *)("" lit), sizeof(lit) - 1 \
	}
/* For "%.*s": only for bytes already known to be printable. */
#define SPAN_ARG(s) (int)(s).n, (const char *)(s).p

/* Over a C string; NULL gives the empty span. */
struct span span_str(const char *s);
struct span span_of(const void *p, size_t n);

MUST_USE bool span_eq(struct span a, struct span b);
/* ASCII letters compare without case. */
MUST_USE bool span_eq_nocase(struct span a, struct span b);
MUST_USE bool span_starts(struct span s, struct span prefix);
MUST_USE bool span_ends(struct span s, struct span suffix);
/* <0, 0, >0 by octets, the shorter first. */
MUST_USE int span_cmp(struct span a, struct span b);

/* Index of the first octet c, or s.n when there is none. */
MUST_USE size_t span_chr(struct span s, uint8_t c);
/* Index of the last octet c, or s.n. */
MUST_USE size_t span_rchr(struct span s, uint8_t c);
/* Index of the first occurrence of needle, or s.n; an empty needle is found at 0. */
MUST_USE size_t span_find(struct span s, struct span needle);

/* The bytes from `from` to the end, empty when `from` is past it. */
struct span span_from(struct span s, size_t from);
/* At most the first n bytes. */
struct span span_first(struct span s, size_t n);
/* From, up to but without to; clamped to s. */
struct span span_slice(struct span s, size_t from, size_t to);
/* Without the white space (blank, tab, CR, LF) at both ends. */
struct span span_trim(struct span s);

/*
 * Takes the text before the first c off the front of *rest and steps over the c.
 * Without a c it takes everything. False when *rest was empty already. For "a,b,c"
 * loops.
 */
MUST_USE bool span_cut(struct span *rest, uint8_t c, struct span *piece);

/* Copies s into dst[cap] with a closing NUL; false, and dst empty, if it does not fit
 * or holds a NUL itself. The only way from a span to a C string without allocation. */
MUST_USE bool span_copy(char *dst, size_t cap, struct span s);

/* Lower case of ASCII letters into dst, which has room for s.n bytes; dst may be s.p.
 */
void span_lower(uint8_t *dst, struct span s);
uint8_t ascii_lower(uint8_t c);
MUST_USE bool ascii_is_digit(uint8_t c);
MUST_USE bool ascii_is_alpha(uint8_t c);
/* 0 to 15, or -1. */
MUST_USE int ascii_hex(uint8_t c);

/* *sum = a + b, or false on overflow. For every addition on a foreign length. */
MUST_USE bool size_add(size_t a, size_t b, size_t *sum);
