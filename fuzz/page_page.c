// SPDX-License-Identifier: Apache-2.0
/* A stranger's host, path, Accept and Accept-Language on every kind of page. */
#include <stdlib.h>

#include "base/text.h"
#include "page/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
must_hold(bool x)
{
	if (!x)
		abort();
}

/* Nothing that came from outside begins a tag: ours are known. */
static void
check_html(struct span body)
{
	must_hold(text_is_utf8(body));
	must_hold(span_find(body, SPAN("<script")) == body.n);
	must_hold(span_find(body, SPAN("<fuzz")) == body.n);
	must_hold(span_find(body, SPAN("q\"fuzz")) == body.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span rest = span_of(p, n);
	struct span parts[6] = {0};
	struct arena arena;
	struct http_head request;
	struct http_head response;
	struct err err = {0};

	for (size_t i = 0; i < COUNT_OF(parts) && span_cut(&rest, '\n', &parts[i]); i++)
		;
	arena_init(&arena, (size_t)512 * 1024);
	http_request_make(&request, &arena, HTTP_GET, SPAN("x"), SPAN("/"));
	(void)!http_add(&request.fields, SPAN("Accept"), parts[0], &err);
	(void)!http_add(&request.fields, SPAN("Accept-Language"), parts[1], &err);
	struct page_cert cert = {
		.subject = parts[5], .issuer = parts[4], .not_after = parts[3]};
	struct page_facts facts = {.kind = n % 4 == 0 ? PAGE_BLOCKED
			: n % 4 == 1                  ? PAGE_PROMPT
			: n % 4 == 2                  ? PAGE_UNTRUSTED
						      : PAGE_ERROR,
		.status = 403,
		.code = ERR_GATE_BLOCKED,
		.verdict = parts[2],
		.host = parts[3],
		.path = parts[4],
		.detail = parts[5],
		.continue_to = parts[4],
		.chain = &cert,
		.n_chain = 1};
	struct page_answer to = {
		.arena = &arena, .request = &request, .response = &response};
	if (page_make(&to, &facts, &err) &&
		span_starts(http_get(&response.fields, SPAN("content-type")),
			SPAN("text/html")))
		check_html(to.body);
	arena_fini(&arena);
	return 0;
}
