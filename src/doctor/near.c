// SPDX-License-Identifier: Apache-2.0
#include "doctor/near.h"

enum {
	WORD_LEAST = 4,
	WORD_MOST = 64,
	HALF = 50,
	WORDS_LEAST = 2,
	RANKS = 8,
	TAIL = 1 << 15
};

static bool
is_letter(uint8_t c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c >= 0x80;
}

/* The next run of letters; false at the end. */
static bool
next_word(struct span *rest, struct span *word)
{
	while (rest->n > 0 && !is_letter(rest->p[0]))
		*rest = span_from(*rest, 1);
	size_t n = 0;
	while (n < rest->n && is_letter(rest->p[n]))
		n++;
	*word = span_first(*rest, n);
	*rest = span_from(*rest, n);
	return n > 0;
}

static bool
has_word(const struct plain *p, struct span word)
{
	uint8_t letters[WORD_MOST];
	struct span w = span_of(letters, plain_letters(word, letters, sizeof(letters)));
	for (size_t i = plain_find(p, w, 0); i < p->n; i = plain_find(p, w, i + 1)) {
		if (plain_begins(p, i) && plain_begins(p, i + w.n))
			return true;
	}
	return false;
}

/* Per cent of the message's longer words that the text has; 0 for too few. */
static unsigned
likeness(const struct plain *p, const char *message)
{
	struct span rest = span_str(message);
	struct span word;
	unsigned all = 0;
	unsigned there = 0;
	while (next_word(&rest, &word)) {
		if (word.n < WORD_LEAST)
			continue;
		all++;
		there += has_word(p, word) ? 1 : 0;
	}
	return there < WORDS_LEAST ? 0 : there * 100 / all;
}

struct ranking {
	const struct error_row **rows;
	unsigned scores[RANKS];
	size_t n;
	size_t cap;
};

static void
rank(struct ranking *k, const struct error_row *row, unsigned score)
{
	size_t at = k->n;
	while (at > 0 && k->scores[at - 1] < score)
		at--;
	if (at == k->cap)
		return;
	k->n += k->n < k->cap ? 1 : 0;
	for (size_t i = k->n - 1; i > at; i--) {
		k->scores[i] = k->scores[i - 1];
		k->rows[i] = k->rows[i - 1];
	}
	k->scores[at] = score;
	k->rows[at] = row;
}

size_t
near_rows(const struct plain *p, const struct error_row **out, size_t cap)
{
	struct ranking k = {.rows = out, .cap = cap < RANKS ? cap : RANKS};
	struct plain tail = *p; /* what failed stands at the end of a log */
	size_t skip = p->n > TAIL ? p->n - TAIL : 0;
	tail.letters += skip;
	tail.marks += skip;
	tail.n -= skip;
	for (const struct error_row *r = error_rows; k.cap > 0 && r->client; r++) {
		unsigned score = likeness(&tail, r->match);
		if (score >= HALF)
			rank(&k, r, score);
	}
	return k.n;
}
