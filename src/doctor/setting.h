// SPDX-License-Identifier: Apache-2.0
/*
 * setting: where a trust setting stands: in the environment, in a shell's start-up
 * file, in a tool's own file. From the tables data/doctor/settings.tsv and unsafe.tsv.
 */
#pragma once

#include "doctor/edit.h"
#include "doctor/home.h"

/* settings.tsv; every field a literal, "" where empty. */
struct setting_row {
	const char *tools;
	const char *rank; /* "" is never written */
	const char *kind; /* "env", "nss", or a form's name */
	const char *place;
	const char *key;
	const char *value; /* with {org}, {bundle}, … */
	const char *effect;
	const char *since;
	const char *beats;
	const char *note;
};
extern const struct setting_row setting_rows[];

/* unsafe.tsv. */
struct unsafe_row {
	const char *tools;
	const char *kind; /* as above, or "line" */
	const char *place;
	const char *key;
	const char *value; /* words that are unsafe; "*" any */
	const char *exposes;
	const char *instead;
};
extern const struct unsafe_row unsafe_rows[];

/* What to look for. */
struct setting_ask {
	const char *kind;
	const char *place;
	const char *key;
};

/* One place that has it. Texts lie in the home's arena. */
struct setting_found {
	const char *path; /* NULL: the environment of this process */
	const char *value;
	int64_t changed_ms; /* of the file; 0 for the environment */
	unsigned line;
	enum edit_form form; /* EDIT_FORMS: cannot be edited */
};

enum { SETTING_FOUND = 16 };

/* Whether the blank-separated list has the word. */
MUST_USE bool setting_lists(const char *list, const char *word);
/* All places, the one that counts first. At most cap. */
size_t setting_find(struct home *h, const struct setting_ask *ask,
	struct setting_found *out, size_t cap);
/* "~/.npmrc line 3" or "the environment". */
const char *setting_where(struct home *h, const struct setting_found *f);
/* "2026-10-01", or "" when nobody knows. */
const char *setting_since(struct home *h, const struct setting_found *f);
