// SPDX-License-Identifier: Apache-2.0
#include "keyless/context.h"

#include <string.h>

#include "tests/test.h"

static void
the_request_id_is_all_that_is_taken(void)
{
	char id[CONTEXT_ID];

	CHECK(context_request_id(SPAN("{\"other\":[1],\"request_id\":\"r-1\"}"), id));
	CHECK_STR(id, "r-1");
}

static void
what_is_no_request_id_is_passed_over(void)
{
	static const char *const texts[] = {"", "{", "[]", "{}", "{\"request_id\":7}",
		"{\"request_id\":\"\"}", "\"request_id\"",
		"{\"request_id\":\"a\\u0000b\"}"};
	char id[CONTEXT_ID] = "before";
	char text[2000];

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		CHECK(!context_request_id(span_str(texts[i]), id));
		CHECK_STR(id, "");
	}
	memset(text, 'x', sizeof(text));
	memcpy(text, "{\"request_id\":\"", 15);
	memcpy(text + 200, "\"}", 2);
	CHECK(!context_request_id(span_of(text, 202), id)); /* too long to be kept */
	CHECK(!context_request_id(span_of(text, sizeof(text)), id));
}

TESTS(the_request_id_is_all_that_is_taken, what_is_no_request_id_is_passed_over)
