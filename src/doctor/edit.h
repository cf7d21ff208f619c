// SPDX-License-Identifier: Apache-2.0
/*
 * edit: one setting in somebody's file, and not an octet of the rest.
 *
 * Configuration files have comments, an order, line ends and quirks that belong to
 * their owner; so a setting is changed by the smallest change of text, never by writing
 * a file anew from a parsed form. Everything here is a function from text to text: who
 * reads, asks, writes and remembers is elsewhere (change.h).
 *
 * A key is a path with '>' between its steps: "cafile" in an npmrc, "http>sslCAInfo" in
 * git's file, "http.https://a.example/>sslCAInfo" with a subsection, "http>cainfo" in
 * TOML, "terminal.integrated.env.linux>NODE_EXTRA_CA_CERTS" in JSON.
 */
#pragma once

#include "base/err.h"

enum edit_form {
	EDIT_BLOCK,      /* our marked lines in a shell's start-up file; one per file */
	EDIT_SHELL,      /* export NAME='value' */
	EDIT_FISH,       /* set -gx NAME 'value' */
	EDIT_ENVD,       /* NAME=value (environment.d, /etc/environment) */
	EDIT_NPMRC,      /* name=value; npm's own */
	EDIT_INI,        /* [section] name = value (pip, aws, gcloud) */
	EDIT_GIT,        /* the same as git reads it */
	EDIT_PROPERTIES, /* Java: name=value */
	EDIT_WORDS,      /* name = value, or name value (wget, curl, aria2) */
	EDIT_YAML,       /* name: value at the top level (conda, yarn) */
	EDIT_TOML,
	EDIT_JSON, /* with comments and trailing commas, as VS Code takes it */
	EDIT_FORMS,
};

enum {
	EDIT_FILE_MAX = 4 * 1024 * 1024, /* larger files are left alone */
	EDIT_KEY_MAX = 512,
	EDIT_VALUE_MAX = 4096,
};

/* Where a setting stands in a text. Offsets of octets. */
struct edit_hit {
	size_t from; /* the value as written, quotes included */
	size_t to;
	size_t whole_from; /* what goes when the setting is removed */
	size_t whole_to;
	unsigned line; /* 1 is the first */
};

/* "npmrc", "toml", …, and the form of that name or EDIT_FORMS. */
const char *edit_form_name(enum edit_form form);
enum edit_form edit_form_find(struct span name);

/* The place that counts (the last one, where a key may be given twice). False when the
 * text does not have it. Any octets may be given. */
MUST_USE bool edit_find(
	enum edit_form form, struct span text, const char *key, struct edit_hit *out);

/* What a program would read there, without quotes and escapes, into dst; cut to fit. */
void edit_value(enum edit_form form, struct span text, const struct edit_hit *hit,
	char dst[EDIT_VALUE_MAX]);

/*
 * The text with the setting at this value, or without it when value is NULL. Every
 * octet that is not the setting's own stays. *out is the caller's to mem_free().
 * ERR_DOCTOR_EDIT when it cannot be done by a small change, and says where.
 */
MUST_USE bool edit_set(enum edit_form form, struct span text,
	const char *const setting[2], struct span *out, struct err *err);
