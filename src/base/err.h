// SPDX-License-Identifier: Apache-2.0
/*
 * err: why something did not work, for the person who must act on it.
 *
 * A function that can fail returns bool (or a pointer) and takes `struct err *` last.
 * True means done; on false the outputs are untouched and *err says why. Codes are in
 * err_list.h with a sentence and a hint; they appear in logs, pages and the manual.
 */
#pragma once

#include "base/span.h"

enum err_code {
	ERR_NONE = 0,
#define ERR(name, id, sentence, hint) ERR_##name,
#include "base/err_list.h"
#undef ERR
	ERR_COUNT
};

struct err {
	enum err_code code;
	char text[244]; /* what we saw, outermost circumstance first; printable */
};

/*
 * Says why, and returns false: `return err_set(err, ERR_X, "…")`. Control octets in the
 * formatted text are replaced, so that bytes from a peer may be shown.
 */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF(3, 4);

/* Puts a circumstance in front ("minting for a.example: …"), and returns false. */
bool err_within(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* Adds errno's meaning behind the text, and returns false. */
bool err_errno(struct err *err, enum err_code code, int number, const char *fmt, ...)
	PRINTF(4, 5);

/* Stable id such as "tls.hello"; sentence; hint (may be ""). Never NULL. */
const char *err_id(enum err_code code);
const char *err_sentence(enum err_code code);
const char *err_hint(enum err_code code);
/* The code of an id, or ERR_NONE. */
enum err_code err_find(struct span id);
