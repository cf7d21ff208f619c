// SPDX-License-Identifier: Apache-2.0
/*
 * categories: directories of lists, each list a category, so that published category
 * lists can be dropped in as they are.
 *
 * Every entry of a directory that is no dot file is one: a file in any form that lists
 * have, or a directory of files. Its name is the category's; digits before a hyphen are
 * its number: `17-gambling` is 17, gambling.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "rule/set.h"

enum category_kind { CATEGORY_CONTENT, CATEGORY_SECURITY, CATEGORY_KINDS };

struct categories;

struct categories *categories_new(void);
void categories_free(struct categories *c);
/* Reads a directory into lists of `lists`, which outlives c. *err has file and line. */
MUST_USE bool categories_load(struct categories *c, struct lists *lists,
	enum category_kind kind, struct span path, struct err *err);
/* How many there are. */
size_t categories_count(const struct categories *c);

enum { CATEGORIES_OF_HOST = 32 };

/* Of one host; missing where it has none, or there are no categories. */
struct categories_hit {
	struct value numbers[CATEGORY_KINDS]; /* arrays of Int */
	struct value names;                   /* array of String, both kinds */
};

/* host in lower case. The hit lies in the arena; at most CATEGORIES_OF_HOST count. c
 * may be NULL. */
void categories_find(const struct categories *c, struct span host,
	struct categories_hit *out, struct arena *a);
