// SPDX-License-Identifier: Apache-2.0
/*
 * embedded: files that the program carries with it, as tools/embed writes them.
 */
#pragma once

#include <stddef.h>

/* A table of them ends with a row without a name. */
struct embedded {
	const char *name; /* "page.html"; NULL behind the last */
	const unsigned char *bytes;
	size_t n;
};
