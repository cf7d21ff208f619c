// SPDX-License-Identifier: Apache-2.0
/*
 * say: a sentence about tools in the reader's language.
 *
 * The English sentence is its own name; data/doctor/says.tsv has the others. What is
 * not in the table is said in English.
 */
#pragma once

#include "doctor/home.h"

/* says.tsv; "{0}", "{1}", … stand for words that differ. */
struct say_row {
	const char *en;
	const char *ja;
};
extern const struct say_row say_rows[];

/* The sentence; a literal, or `english` itself. */
const char *say(const struct home *h, const char *english);
/* The same with words filled in; in the arena. At most 10. */
const char *say_with(
	struct home *h, const char *english, const char *const *words, size_t n);
