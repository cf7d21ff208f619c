// SPDX-License-Identifier: Apache-2.0
#include "base/must.h"

#include <stdlib.h>

#include "base/text.h"

void
must_fail(const char *what, const char *file, int line)
{
	text_err("sekisho: broken promise at %s:%d: %s\n", file, line, what);
	abort();
}
