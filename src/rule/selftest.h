// SPDX-License-Identifier: Apache-2.0
/*
 * selftest: the language against a file of expressions and verdicts.
 *
 * The file brings its own scheme, lists and contexts (rules-language-examples.json has
 * the form), so a team can keep expectations about the language itself, and two
 * implementations can be held against one file.
 */
#pragma once

#include "base/err.h"

struct selftest {
	size_t passed;
	size_t failed;
};

/*
 * Runs all cases, prints each difference to standard output, and counts. False when the
 * file is not of the form.
 */
MUST_USE bool selftest_run(struct span json, struct selftest *out, struct err *err);
