// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz http_cache: the input is a head of "name: value" lines; every question about it
 * has an answer, and what is kept of it reads back as the same.
 */
#include "base/must.h"
#include "http/cache.h"
#include "http/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct cache_policy policy = {
	.default_s = 1, .if_error_s = 1, .obeys_clients = true};

static void
read_lines(struct span s, struct http_head *head)
{
	struct span line;
	struct err err;

	while (head->fields.n < 64 && span_cut(&s, '\n', &line)) {
		size_t colon = span_chr(line, ':');
		struct span name = span_first(line, colon);
		struct span value = span_trim(span_from(line, colon + 1));
		if (!http_add(&head->fields, name, value, &err))
			continue;
	}
}

static void
keep(const struct http_head *head, struct arena *a)
{
	struct http_head back;
	struct span kept;
	struct span again;
	struct span vary;

	if (cache_vary_make(&head->fields, &head->fields, a, &vary))
		must(cache_vary_matches(vary, &head->fields));
	if (!cache_head_write(head, a, &kept))
		return;
	must(cache_head_read(kept, &back, a));
	must(cache_head_write(&back, a, &again));
	must(again.n <= kept.n);
}

static void
answer(struct http_head *head, const struct cache_facts *facts, struct arena *a)
{
	struct http_head request;
	struct err err;
	bool asked;
	struct cache_selection sel = cache_select(&head->fields, head, facts, 10);

	struct cache_place at;

	must(sel.from + sel.n <= 10 || sel.part == CACHE_OUT_OF_RANGE);
	if (cache_part_read(head, &at))
		must(at.n > 0 && at.from < at.total && at.n <= at.total - at.from);
	http_request_make(&request, a, HTTP_GET, SPAN("a"), SPAN("/"));
	must(cache_ask(&request, head, &asked, &err));
	must(cache_present(head, &sel, 1, 10, &err));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct cache_answer_times times = {1790000000000, 1790000000100};
	struct arena arena;
	struct http_head head;
	struct http_head request;
	struct cache_facts facts;
	struct cache_control asks;

	if (n > 16384)
		return 0;
	arena_init(&arena, 1 << 20);
	http_response_make(&head, &arena, 200);
	http_request_make(&request, &arena, HTTP_GET, SPAN("a"), SPAN("/"));
	read_lines(span_of(p, n), &head);
	cache_control_read(&head.fields, &asks);
	keep(&head, &arena);
	if (cache_learn(&request, &head, &policy, &times, &facts)) {
		must(facts.lifetime_s >= 0 && facts.age_ms >= 0);
		(void)cache_judge(&facts, &asks, &policy, times.came_ms);
		answer(&head, &facts, &arena);
	}
	arena_fini(&arena);
	(void)cache_head_read(span_of(p, n), &head, &arena);
	(void)cache_vary_matches(span_of(p, n), &request.fields);
	arena_fini(&arena);
	return 0;
}
