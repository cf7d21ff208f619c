// SPDX-License-Identifier: Apache-2.0
/*
 * suffix: names under which the public registers names, from the list that Debian
 * packages as publicsuffix. A wildcard directly below one (*.co.uk) stands for
 * strangers.
 */
#pragma once

#include "base/map.h"

struct suffixes;

/* The list of a file in the public form; NULL when there is none to read. Only the part
 * of registries counts, as in browsers: *.github.io is its owner's to certify. */
struct suffixes *suffixes_load(const char *path);
void suffixes_free(struct suffixes *s); /* NULL does nothing */
/* The system's list, read the first time it is asked for and then kept; or NULL. */
const struct suffixes *suffixes_system(void);
/* Whether name (lower or upper case A-labels) is such a suffix; false for NULL. */
MUST_USE bool suffixes_has(const struct suffixes *s, struct span name);
