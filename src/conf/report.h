// SPDX-License-Identifier: Apache-2.0
/*
 * report: where in a configuration something stands, and what is wrong with it.
 *
 * A check tells all that is wrong, not the first thing: complaints are collected, in a
 * bounded list, and printed as file:line:column, a sentence, the source line with a
 * mark under it, and a hint. Whoever reads the tree further (settings, rules) complains
 * into the same list.
 */
#pragma once

#include "base/err.h"

/* One source text. Owned by the tree that read it. */
struct conf_file {
	struct conf_file *next;
	const char *path; /* as given, or relative to the file that includes it */
	struct span text;
};

/* Where something stands. Lines and columns count from 1, columns in characters. */
struct conf_place {
	const struct conf_file *file; /* NULL: nowhere in a file */
	uint32_t line;
	uint32_t column;
	uint32_t width; /* characters to mark; 0 marks one */
};

/* The place `line`:`column` inside a text that itself begins at `start`, e.g. an error
 * in a rule's expression. */
struct conf_place conf_place_within(
	struct conf_place start, uint32_t line, uint32_t column, uint32_t width);

struct conf_complaint {
	struct conf_place at;
	enum err_code code;
	bool is_warning;
	char text[256]; /* a sentence without its full stop */
	char hint[160]; /* what to do, or "" for the hint of the code */
};

enum { CONF_COMPLAINTS = 40 };

struct conf_report {
	struct conf_complaint list[CONF_COMPLAINTS];
	size_t n;      /* kept in list */
	size_t errors; /* all, those not kept included */
	size_t warnings;
};

void conf_report_init(struct conf_report *r);
/* Adds an error. Control octets of the text are replaced. Returns false. */
bool conf_complain(struct conf_report *r, struct conf_place at, enum err_code code,
	const char *fmt, ...) PRINTF(4, 5);
/* Adds a warning: the configuration still loads. */
void conf_warn(struct conf_report *r, struct conf_place at, enum err_code code,
	const char *fmt, ...) PRINTF(4, 5);
/* Sets the hint of what was added last. */
void conf_hint(struct conf_report *r, const char *fmt, ...) PRINTF(2, 3);

MUST_USE bool conf_report_ok(const struct conf_report *r);

/*
 * Writes complaint i for a person, some lines with their newlines, into dst; returns
 * dst. With colours only where the caller knows a terminal.
 */
enum { CONF_COMPLAINT_TEXT = 1600 };
const char *conf_complaint_text(
	char dst[CONF_COMPLAINT_TEXT], const struct conf_complaint *c, bool colours);
/* "file:line:column: sentence" of the first error, for a log line; into *err. Returns
 * false; with no error it returns true. */
MUST_USE bool conf_report_err(const struct conf_report *r, struct err *err);
