// SPDX-License-Identifier: Apache-2.0
/*
 * catalogue: which application a host belongs to, from data/apps.tsv.
 *
 * The facts have a source each; suffixes that serve far more than one application stay
 * out of the do-not-inspect group unless a rule names them. What a look-up gives is
 * made when the catalogue is read, so asking allocates nothing.
 */
#pragma once

#include "base/err.h"
#include "rule/value.h"

enum { CATALOGUE_DO_NOT_INSPECT = 16 };

struct catalogue;

struct catalogue_row {
	uint32_t id; /* of the application */
	struct span name;
	struct span category;
	struct span host;    /* as the file has it */
	struct span inspect; /* "on", "off", "broad", "app", "owner" */
	struct span pinned;
	struct span source;
};

struct catalogue_type {
	uint32_t id;
	struct span name;
};

/* What is known of a host; arrays of Int, missing when there is nothing. */
struct catalogue_hit {
	struct value ids;
	struct value types;
};

/* text must outlive the catalogue. *err has the line of a fault. */
MUST_USE struct catalogue *catalogue_new(struct span text, struct err *err);
/* The one the program carries. */
struct catalogue *catalogue_built_in(void);
void catalogue_free(struct catalogue *c);

/* host in lower case. */
struct catalogue_hit catalogue_find(const struct catalogue *c, struct span host);

/* Rows and types in the file's order; NULL past the last. */
const struct catalogue_row *catalogue_row(const struct catalogue *c, size_t i);
const struct catalogue_type *catalogue_type(const struct catalogue *c, size_t i);
/* Whether the row speaks of this host. */
MUST_USE bool catalogue_row_covers(const struct catalogue_row *r, struct span host);
/* The number of its category; 0 when unknown. */
uint32_t catalogue_type_of(const struct catalogue *c, struct span category);
