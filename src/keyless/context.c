// SPDX-License-Identifier: Apache-2.0
#include "keyless/context.h"

#include "base/arena.h"
#include "base/json.h"

enum { TEXT_MOST = 1024, MEMORY = 8 * TEXT_MOST };

bool
context_request_id(struct span context, char dst[CONTEXT_ID])
{
	struct arena arena;
	struct json *top = NULL;
	struct err ignored = {0};
	struct span id = {0};

	dst[0] = '\0';
	if (context.n == 0 || context.n > TEXT_MOST)
		return false;
	arena_init(&arena, MEMORY);
	if (json_parse(context, &arena, &top, &ignored))
		id = json_string(json_get(top, "request_id"));
	bool ok = id.n > 0 && span_copy(dst, CONTEXT_ID, id);
	arena_fini(&arena);
	return ok;
}
