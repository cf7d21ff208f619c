// SPDX-License-Identifier: Apache-2.0
/*
 * import: rules of other products, written as ours, with a report of what became of
 * each.
 */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "rule/expr.h"
#include "rule/policy.h"
#include "rule/set.h"

enum import_fate {
	IMPORT_CARRIED, /* means here what it meant there */
	IMPORT_CHANGED, /* carried over, with a part left out or said otherwise */
	IMPORT_REFUSED, /* written as a comment, with the reason */
	IMPORT_FATES,
};

struct import_done;
struct import_file;

/*
 * Rules are gathered first, because what becomes of one depends on those behind it. The
 * policy then goes to standard output, the report to standard error.
 */
struct import {
	struct arena arena;
	struct scheme scheme; /* ours; lists are known by name only */
	struct lists *lists;
	struct import_file *files; /* of lists, in order */
	struct import_file **last_file;
	struct import_done *done; /* rules, in order */
	struct import_done **last_done;
	struct import_note *notes; /* in order */
	struct import_note **last_note;
	size_t fates[IMPORT_FATES];
	size_t n; /* rules so far, for names */
};

/* A line of the report that is about no rule of ours. */
struct import_note {
	struct import_note *next;
	struct span text;
};

/* A list's name and the file that has to hold it. */
struct import_file {
	struct import_file *next;
	struct span name;
	struct span path;
};

/* All texts lie in the import's arena or the input. */
struct import_rule {
	struct span name;   /* as there */
	struct span text;   /* our expression, or what there is of it */
	struct span action; /* with its arguments, as in a configuration */
	struct span change; /* what is different, or empty */
	struct span refuse; /* why it cannot work, or empty */
	bool disabled;
	bool beside; /* a further part of the rule before it: not told by itself */
};

/* A rule that was looked at. */
struct import_done {
	struct import_done *next;
	struct import_rule given;
	enum import_fate fate;
	struct span why;  /* of a refused one */
	struct span name; /* ours */
	struct span text; /* canonical */
	const struct policy_action *action;
	enum phase phase; /* in which it is decided */
};

void import_init(struct import *im);
void import_fini(struct import *im);
/* Compiles one rule and keeps it with its fate. */
void import_write(struct import *im, const struct import_rule *r);
/* After the last rule: those that are now decided in another order are changed. */
void import_settle(struct import *im);
/* Prints lists, then a gateway's block with the rules; and the report. */
void import_print(struct import *im, const char *authority);
/* Adds a line to the report. */
void import_note(struct import *im, struct span text);
/* Makes a list known, so that rules which name it compile. */
void import_list(struct import *im, struct span name, struct span path);
struct span import_format(struct import *im, const char *fmt, ...) PRINTF(2, 3);

/* The three readers. False with *err when the input is not of the form. */
MUST_USE bool import_gateway(struct import *im, struct span text, struct err *err);
MUST_USE bool import_terraform(struct import *im, struct span text, struct err *err);
MUST_USE bool import_squid(struct import *im, struct span text, struct err *err);
