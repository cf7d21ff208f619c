// SPDX-License-Identifier: Apache-2.0
/*
 * page_files: the files of web/pages/ as the program carries them.
 */
#pragma once

#include <stddef.h>

struct embedded {
	const char *name; /* "page.html"; NULL behind the last */
	const unsigned char *bytes;
	size_t n;
};

/* Made by tools/embed at build. */
extern const struct embedded page_files[];
