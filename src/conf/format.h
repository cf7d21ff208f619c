// SPDX-License-Identifier: Apache-2.0
/*
 * format: one layout for every configuration, so that texts compare.
 *
 * A statement a line, a tab a level, one blank between words, braces as in C, no more
 * than one empty line; comments stay where they are. Words are not changed; expressions
 * are given to whoever knows their language.
 */
#pragma once

#include "base/text.h"
#include "conf/report.h"

/* Embed it. */
struct conf_format {
	/* Adds an expression's canonical text; false (nothing added): it stays as
	 * written. */
	bool (*put_expr)(struct conf_format *f, struct span expr, struct text *t);
};

/*
 * Adds the text in that layout. False when it cannot be read (complained about). name
 * is for complaints. t.cut tells that there was not room enough.
 */
MUST_USE bool conf_format(struct conf_format *f, const struct conf_file *file,
	struct text *t, struct conf_report *report);
