// SPDX-License-Identifier: Apache-2.0
/*
 * words: the doctor's sentences in each language, from one table.
 */
#pragma once

#include "base/text.h"
#include "doctor/tables.h"

enum language { ENGLISH, JAPANESE };

/* What the user asked for (--lang), else what LC_ALL, LC_MESSAGES or LANG say; English
 * when neither is known. NULL: not asked. False for a word that is no language. */
MUST_USE bool words_language(const char *asked, enum language *out);

const char *words_say(const struct class_row *c, enum language l);
const char *words_why(const struct class_row *c, enum language l);
/* The cure with {ca} and {os} filled in for the client (or for any program, with NULL);
 * lines end with "\n". */
void words_fix(struct text *t, const struct class_row *c,
	const struct client_row *client, enum language l);

/* The fixed sentences of the commands; one row each in words.c. */
enum word {
	WORD_WHY,
	WORD_FIX,
	WORD_CHECK,
	WORD_TRAP,
	WORD_ALSO,
	WORD_HIDDEN,
	WORD_NOTHING,
	WORD_MORE_THAN_ONE,
	WORD_NEAR,
	WORD_PROBE,
	WORD_FILES,
	WORD_NEVER_OFF,
	WORD_COUNT
};
const char *words_get(enum word w, enum language l);
