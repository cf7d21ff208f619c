// SPDX-License-Identifier: Apache-2.0
/*
 * must: assertions that stay on in release builds.
 *
 * They state what *we* guarantee, never what a peer sends. A failed one ends the
 * process at once; for a worker that means its own connections, and a replacement.
 */
#pragma once

#include "base/attr.h"

#define must(x)             ((x) ? (void)0 : must_fail(#x, __FILE__, __LINE__))
#define must_not_reach(why) must_fail(why, __FILE__, __LINE__)

/* Writes one line to standard error and aborts. */
NORETURN COLD void must_fail(const char *what, const char *file, int line);
