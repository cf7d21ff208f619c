// SPDX-License-Identifier: Apache-2.0
/*
 * text: making and reading small texts. The one file that calls the printf family.
 *
 * `struct text` is a builder over memory of the caller: it never overruns, and says
 * whether something was cut.
 */
#pragma once

#include <stdarg.h>

#include "base/span.h"

struct buf;

enum { TEXT_UINT = 21 }; /* room for the digits of any uint64_t, and NUL */

struct text {
	char *p; /* borrowed; NUL-terminated at all times when cap > 0 */
	size_t n;
	size_t cap;
	bool cut; /* something did not fit */
};

struct text text_to(char *p, size_t cap);
void text_add(struct text *t, const char *fmt, ...) PRINTF(2, 3);
void text_addv(struct text *t, const char *fmt, va_list ap) PRINTF(2, 0);
void text_put(struct text *t, struct span s);
/* Puts s with control octets, DEL, backslash and non-UTF-8 as \xHH: for terminals and
 * logs. */
void text_put_safe(struct text *t, struct span s);
/* Decimal digits of v: what text_add() does with %u, many times faster. */
void text_put_uint(struct text *t, uint64_t v);
/* The same, with zeros in front up to `width` digits. */
void text_put_padded(struct text *t, uint64_t v, unsigned width);
/* Hex digits of s; lower case, or upper. */
void text_put_hex(struct text *t, struct span s, bool upper);
struct span text_span(const struct text *t);

/* As snprintf, but returns the bytes written without the NUL, never more than fit. */
size_t text_format(char *dst, size_t cap, const char *fmt, ...) PRINTF(3, 4);
/* Adds to a buf; false (and nothing added) when it does not fit. At most 4 KiB at once.
 */
MUST_USE bool text_to_buf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/* Standard output and standard error of commands. Output is buffered; text_flush()
 * tells whether all of it was written. */
void text_out(const char *fmt, ...) PRINTF(1, 2);
void text_out_span(struct span s);
void text_err(const char *fmt, ...) PRINTF(1, 2);
MUST_USE bool text_flush(void);
/* Whether colours are wanted on standard output: a terminal, and NO_COLOR unset. */
MUST_USE bool text_colours(void);

/* Decimal digits only, at most max; no sign, no blanks; whole span. */
MUST_USE bool text_u64(struct span s, uint64_t max, uint64_t *out);
MUST_USE bool text_i64(struct span s, int64_t *out);
/* Hex digits in pairs into dst; *n bytes. False on an odd count, a bad digit, or no
 * room. */
MUST_USE bool text_unhex(struct span s, uint8_t *dst, size_t cap, size_t *n);
/* Standard or URL-safe base64, padding optional. */
MUST_USE bool text_unbase64(struct span s, uint8_t *dst, size_t cap, size_t *n);
void text_put_base64(struct text *t, struct span s);
/* Whether s is well-formed UTF-8 (RFC 3629). */
MUST_USE bool text_is_utf8(struct span s);
/* Edit distance of two short names, for "did you mean"; at most 64 octets count. */
MUST_USE size_t text_distance(struct span a, struct span b);
/* Index of the nearest of n names within a third of its length, or n. */
MUST_USE size_t text_nearest(struct span s, const char *const *names, size_t n);
/* "1.5 MiB", "850 B"; "1 h 5 min", "250 ms". dst has 24 bytes; returns dst. */
const char *text_size(char dst[24], uint64_t bytes);
const char *text_duration(char dst[24], uint64_t ms);
