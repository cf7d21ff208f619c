// SPDX-License-Identifier: Apache-2.0
/* context: what an edge says about the request it needs a key for (item 0x16, JSON). */
#pragma once

#include "base/span.h"

enum { CONTEXT_ID = 128 };

/* The only key in use, request_id; whatever else stands there is not ours to repeat.
 * False, and dst empty, when there is none, or it is too long. dst is what the edge
 * wrote: to be escaped where it is shown. */
MUST_USE bool context_request_id(struct span context, char dst[CONTEXT_ID]);
