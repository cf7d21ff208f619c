// SPDX-License-Identifier: Apache-2.0
/*
 * import: rules of other products, written as ours, with a report of what became of
 * each.
 */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "rule/expr.h"
#include "rule/set.h"

enum import_fate {
	IMPORT_CARRIED, /* means here what it meant there */
	IMPORT_CHANGED, /* carried over, with a part left out or said otherwise */
	IMPORT_REFUSED, /* written as a comment, with the reason */
	IMPORT_FATES,
};

/* The policy goes to standard output, the report to standard error. */
struct import {
	struct arena arena;
	struct scheme scheme; /* ours; lists are known by name only */
	struct lists *lists;
	size_t fates[IMPORT_FATES];
	size_t n; /* rules so far, for names */
};

/* All texts lie in the import's arena or the input. */
struct import_rule {
	struct span name;   /* as there */
	struct span text;   /* our expression, or what there is of it */
	struct span action; /* with its arguments, as in a configuration */
	struct span change; /* what is different, or empty */
	struct span refuse; /* why it cannot work, or empty */
	bool disabled;
};

/* Compiles, writes and reports one rule; decides its fate. */
void import_write(struct import *im, const struct import_rule *r);
/* Makes a list known, so that rules which name it compile. */
void import_list(struct import *im, struct span name, struct span path);
struct span import_format(struct import *im, const char *fmt, ...) PRINTF(2, 3);

/* The three readers. False with *err when the input is not of the form. */
MUST_USE bool import_gateway(struct import *im, struct span text, struct err *err);
MUST_USE bool import_terraform(struct import *im, struct span text, struct err *err);
MUST_USE bool import_squid(struct import *im, struct span text, struct err *err);
