// SPDX-License-Identifier: Apache-2.0
/* Any octets as what a request is taken apart into: lines of target, Cookie,
 * Accept-Language and X-Forwarded-For. */
#include "base/must.h"
#include "fact/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const names[] = {
		"cookie", "accept-language", "x-forwarded-for", "cookie"};
	const struct facts_wanted all = {.made = UINT32_MAX};
	struct span rest = span_of(p, n < 60000 ? n : 60000);
	struct span line = {0};
	struct http_head head;
	struct arena arena;
	struct err ignored = {0};
	struct facts f = {.base.reached = PHASE_REQUEST};
	arena_init(&arena, 4 << 20);
	(void)span_cut(&rest, '\n', &line);
	http_request_make(&head, &arena, HTTP_GET, SPAN("a.example"), line);
	for (size_t i = 0; span_cut(&rest, '\n', &line); i++) {
		if (!http_add(&head.fields, span_str(names[i % COUNT_OF(names)]), line,
			    &ignored))
			break;
	}
	facts_take_request(&f, &head, &all, &arena);
	must(value_len(&f.made[MADE_ARG_NAMES]) <= MADE_PIECES_MAX);
	must(value_len(&f.made[MADE_ARG_NAMES]) == value_len(&f.made[MADE_ARG_VALUES]));
	must(value_len(&f.made[MADE_ARGS]) <= value_len(&f.made[MADE_ARG_NAMES]));
	arena_fini(&arena);
	return 0;
}
