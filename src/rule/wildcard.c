// SPDX-License-Identifier: Apache-2.0
#include "rule/wildcard_priv.h"

#include "base/mem.h"

static bool
octets_eq(struct span a, struct span b, bool strict)
{
	return strict ? span_eq(a, b) : span_eq_nocase(a, b);
}

/* Index of the first occurrence, or s.n + 1 when there is none. */
static size_t
find_piece(struct span s, struct span piece, bool strict)
{
	if (strict || piece.n == 0) {
		size_t at = span_find(s, piece);
		return at == s.n && piece.n > 0 ? s.n + 1 : at;
	}
	for (size_t at = 0; at + piece.n <= s.n; at++) {
		if (ascii_lower(s.p[at]) == ascii_lower(piece.p[0]) &&
			span_eq_nocase(span_slice(s, at, at + piece.n), piece))
			return at;
	}
	return s.n + 1;
}

/* One literal piece up to the next bare star or the end, without its backslashes. */
static bool
read_piece(struct arena *a, struct span pattern, size_t *at, struct span *out)
{
	uint8_t *dst = arena_alloc(a, pattern.n - *at + 1);
	size_t n = 0;
	for (; *at < pattern.n && pattern.p[*at] != '*'; ++*at) {
		uint8_t c = pattern.p[*at];
		if (c == '\\') {
			++*at;
			if (*at == pattern.n ||
				(pattern.p[*at] != '*' && pattern.p[*at] != '\\'))
				return false;
			c = pattern.p[*at];
		}
		dst[n++] = c;
	}
	*out = span_of(dst, n);
	return true;
}

bool
wildcard_parse(struct arena *a, struct span pattern, bool strict, struct wildcard **out,
	const char **why)
{
	struct wildcard *w = arena_alloc(a, sizeof(*w));
	size_t at = 0;

	w->strict = strict;
	w->pieces = arena_alloc(a, (WILDCARD_STARS_MAX + 1) * sizeof(*w->pieces));
	for (;;) {
		struct span *piece = &w->pieces[w->stars];
		if (!read_piece(a, pattern, &at, piece)) {
			*why = "a backslash in a wildcard only escapes * and itself";
			return false;
		}
		if (at == pattern.n)
			break;
		if (w->stars > 0 && piece->n == 0) {
			*why = "a wildcard has no double star";
			return false;
		}
		if (w->stars == WILDCARD_STARS_MAX) {
			*why = "too many stars in a wildcard";
			return false;
		}
		w->stars++;
		at++;
	}
	*out = w;
	return true;
}

static void
capture(struct span *captures, size_t star, struct span s)
{
	if (captures != NULL && star < WILDCARD_CAPTURES)
		captures[star] = s;
}

/*
 * Each piece is taken at its first occurrence: that leaves the most for those behind
 * it, so no star is ever tried twice, and each takes the least.
 */
bool
wildcard_matches(const struct wildcard *w, struct span s,
	struct span captures[WILDCARD_CAPTURES])
{
	struct span head = w->pieces[0];
	struct span tail = w->pieces[w->stars];
	if (w->stars == 0)
		return s.n == head.n && octets_eq(s, head, w->strict);
	if (s.n < head.n + tail.n || !octets_eq(span_first(s, head.n), head, w->strict))
		return false;
	if (!octets_eq(span_from(s, s.n - tail.n), tail, w->strict))
		return false;

	struct span rest = span_slice(s, head.n, s.n - tail.n);
	for (size_t star = 0; star + 1 < w->stars; star++) {
		struct span piece = w->pieces[star + 1];
		size_t at = find_piece(rest, piece, w->strict);
		if (at > rest.n)
			return false;
		capture(captures, star, span_first(rest, at));
		rest = span_from(rest, at + piece.n);
	}
	capture(captures, w->stars - 1, rest);
	return true;
}
