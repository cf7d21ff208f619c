// SPDX-License-Identifier: Apache-2.0
#include "doctor/sign.h"

enum { LETTERS = 160, PIECES = 6, REFUSED = 4, GAP = 1000, TRIES = 128 };

struct piece {
	uint8_t letters[LETTERS];
	size_t n;
	bool begins; /* ^ before it */
	bool ends;   /* $ behind it */
	bool minus;  /* - before it */
};

struct pattern {
	struct piece pieces[PIECES];
	size_t n_pieces;
	struct piece refused[REFUSED]; /* may not follow */
	size_t n_refused;
};

static void
piece_read(struct piece *out, struct span text)
{
	out->begins = span_starts(text, SPAN("^"));
	out->ends = span_ends(text, SPAN("$"));
	out->minus = text.n > 1 && text.p[0] == '-' && ascii_is_digit(text.p[1]);
	out->n = plain_letters(text, out->letters, LETTERS);
}

/* "a*b!c!d": pieces a and b, refused c and d. An exclamation mark of the message itself
 * has a blank or nothing behind it. */
static void
pattern_read(struct pattern *out, const char *sign)
{
	struct span rest = span_str(sign);
	struct span part;
	bool refuse = false;

	*out = (struct pattern){0};
	while (rest.n > 0) {
		size_t i = 0;
		while (i < rest.n && rest.p[i] != '*' &&
			!(rest.p[i] == '!' && i + 1 < rest.n && rest.p[i + 1] != ' '))
			i++;
		part = span_first(rest, i);
		if (refuse && out->n_refused < REFUSED) {
			piece_read(&out->refused[out->n_refused++], part);
		} else if (!refuse && out->n_pieces < PIECES) {
			piece_read(&out->pieces[out->n_pieces++], part);
		}
		refuse = i < rest.n && rest.p[i] == '!';
		rest = span_from(rest, i + 1);
	}
}

static bool
piece_fits(const struct plain *p, const struct piece *piece, size_t at)
{
	if (piece->begins && !plain_begins(p, at))
		return false;
	if (piece->minus && (p->marks[at] & PLAIN_MINUS) == 0)
		return false;
	return !piece->ends || plain_begins(p, at + piece->n);
}

/* Index of the piece from `from` on, before `limit`; p->n when it is not there. */
static size_t
piece_find(const struct plain *p, const struct piece *piece, size_t from, size_t limit)
{
	struct plain near = *p;
	if (limit < near.n)
		near.n = limit;
	size_t at = plain_find(&near, span_of(piece->letters, piece->n), from);
	while (at < near.n && !piece_fits(p, piece, at))
		at = plain_find(&near, span_of(piece->letters, piece->n), at + 1);
	return at < near.n ? at : p->n;
}

static bool
is_refused(const struct pattern *x, const struct plain *p, size_t end)
{
	struct span rest = span_from(span_of(p->letters, p->n), end);
	for (size_t i = 0; i < x->n_refused; i++) {
		if (span_starts(rest, span_of(x->refused[i].letters, x->refused[i].n)))
			return true;
	}
	return false;
}

/* Whether the pieces behind the first follow one another. */
static bool
rest_follows(const struct pattern *x, const struct plain *p, size_t end)
{
	for (size_t i = 1; i < x->n_pieces; i++) {
		size_t at = piece_find(p, &x->pieces[i], end, end + GAP);
		if (at == p->n)
			return false;
		end = at + x->pieces[i].n;
	}
	return !is_refused(x, p, end);
}

bool
sign_find(const struct plain *p, const char *sign, size_t *at)
{
	struct pattern x;
	bool found = false;

	pattern_read(&x, sign);
	if (x.n_pieces == 0 || x.pieces[0].n == 0)
		return false;
	size_t i = piece_find(p, &x.pieces[0], 0, p->n);
	for (size_t tries = 0; i < p->n && tries < TRIES; tries++) {
		if (rest_follows(&x, p, i + x.pieces[0].n)) {
			*at = i;
			found = true;
		}
		i = piece_find(p, &x.pieces[0], i + 1, p->n);
	}
	return found;
}
