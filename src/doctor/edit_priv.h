// SPDX-License-Identifier: Apache-2.0
/*
 * edit_priv: between the forms of files.
 */
#pragma once

#include "doctor/edit.h"

/* A change of text: `n` octets of `with` instead of what is between from and to. */
struct edit_patch {
	size_t from;
	size_t to;
	char with[EDIT_KEY_MAX + 2 * EDIT_VALUE_MAX];
};

/* A new text for the caller to free. */
struct span edit_splice(struct span text, const struct edit_patch *p);
/* "\r\n" where the text's first line ends so, otherwise "\n". */
const char *edit_newline(struct span text);
/* Number of the line that holds the octet at `at`. */
unsigned edit_line_of(struct span text, size_t at);
/* Octets of a byte order mark at the front: 0 or 3. */
size_t edit_bom(struct span text);

/* Lines of name and value: everything but JSON and the marked block. */
MUST_USE bool edit_lines_find(
	enum edit_form form, struct span text, const char *key, struct edit_hit *out);
/* Where a new setting goes, and its line. */
MUST_USE bool edit_lines_insert(enum edit_form form, struct span text,
	const char *const setting[2], struct edit_patch *p, struct err *err);

MUST_USE bool edit_json_find(struct span text, const char *key, struct edit_hit *out);
MUST_USE bool edit_json_insert(struct span text, const char *const setting[2],
	struct edit_patch *p, struct err *err);

/* Between a value and how it is written; false when it does not fit. */
struct text;
MUST_USE bool edit_quote(enum edit_form form, const char *value, struct text *t);
/* Whether c begins a quoted part, at the value's first octet or later. */
MUST_USE bool edit_is_quote(enum edit_form form, uint8_t c, bool first);
void edit_unquote(enum edit_form form, struct span raw, struct text *t);

/* End of the TOML value that begins at `at`: behind its last octet, over as many lines
 * as it takes. */
size_t edit_toml_value_end(struct span text, size_t at);
/* A dotted key as steps with '>' between: `a."b.c"` is "a>b.c". False if it is none. */
MUST_USE bool edit_toml_path(struct span dotted, struct text *t);
