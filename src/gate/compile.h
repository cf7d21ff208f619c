// SPDX-License-Identifier: Apache-2.0
/*
 * compile: from a configuration's words to what a worker uses: lists loaded, rules
 * compiled, roots read, names resolved to the things they name.
 */
#pragma once

#include "gate/settings.h"

/* Fills the compiled parts of *s. Everything found wrong is complained about. */
MUST_USE bool settings_compile(struct settings *s, struct conf_report *report);
/* A path of a statement as a C string: relative to the file that it stands in. */
const char *compile_path(struct settings *s, struct conf_place at, struct span word);
/* Roots by these words: `system`, and files of PEM, or NULL. The caller's. */
struct trust *compile_roots(struct settings *s, struct conf_place at,
	const struct conf_texts *words, struct err *err);
/* Warns of what the compiler of rules found odd, such as a field that nothing fills:
 * whoever starts or reloads is told, not only who asks `check`. */
void compile_warn(const struct conf_node *node, const struct rule_expr *e,
	struct conf_report *report);
void settings_uncompile(struct settings *s);
