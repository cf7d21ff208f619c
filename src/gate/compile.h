// SPDX-License-Identifier: Apache-2.0
/*
 * compile: from a configuration's words to what a worker uses: lists loaded, rules
 * compiled, roots read, names resolved to the things they name.
 */
#pragma once

#include "gate/settings.h"

/* Fills the compiled parts of *s. Everything found wrong is complained about. */
MUST_USE bool settings_compile(struct settings *s, struct conf_report *report);
void settings_uncompile(struct settings *s);
