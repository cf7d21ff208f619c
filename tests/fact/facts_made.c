// SPDX-License-Identifier: Apache-2.0
#include "fact/facts_made.h"

#include "base/text.h"
#include "fact/facts.h"
#include "fact/vocab.h"
#include "rule/expr.h"
#include "tests/test.h"

static struct arena arena;
static struct scheme scheme;

static void
holds(const char *text, const struct facts *f)
{
	struct rule_expr *e = NULL;
	struct rule_error error = {0};
	const struct rule_options options = {.dialect = RULE_EDGE};
	if (!rule_compile(&scheme, span_str(text), options, &e, &error))
		print_error("%s: %s\n", text, error.message);
	CHECK(e != NULL);
	if (!rule_eval(e, f))
		print_error("does not hold: %s\n", text);
	CHECK(rule_eval(e, f));
	rule_free(e);
}

static void
set_up(void)
{
	arena_init(&arena, 1 << 20);
	scheme_init(&scheme, vocab_fields, vocab_count, NULL);
}

static void
tear_down(void)
{
	scheme_fini(&scheme);
	arena_fini(&arena);
}

static struct facts
visit(const char *path, const char *const fields[][2], size_t n, struct http_head *head)
{
	const struct facts_wanted all = {.made = UINT32_MAX};
	struct facts f = {
		.base.reached = PHASE_REQUEST, .tls = true, .request_id = 0xabc};
	struct err err = {0};
	http_request_make(head, &arena, HTTP_GET, SPAN("a.example"), span_str(path));
	head->version = HTTP_1_1;
	for (size_t i = 0; i < n; i++) {
		CHECK(http_add(&head->fields, span_str(fields[i][0]),
			span_str(fields[i][1]), &err));
	}
	facts_take_request(&f, head, &all, &arena);
	return f;
}

static void
a_request_is_taken_apart(void)
{
	static const char *const fields[][2] = {
		{"Cookie", "sid=abc; a%20b=1"},
		{"cookie", "sid=def;empty"},
		{"X-Forwarded-For", "192.0.2.1"},
		{"X-Forwarded-For", "192.0.2.2"},
		{"Accept-Language", "en;q=0.5, ja, *;q=0, de;q=0.75"},
	};
	static const char *const truths[] = {
		"http.request.cookies[\"sid\"][0] eq \"abc\"",
		"http.request.cookies[\"sid\"][1] eq \"def\"",
		"len(http.request.cookies[\"sid\"]) eq 2",
		"http.request.cookies[\"a b\"][0] eq \"1\"",
		"http.request.cookies[\"empty\"][0] eq \"\"",
		"http.cookie eq \"sid=abc; a%20b=1; sid=def;empty\"",
		"http.x_forwarded_for eq \"192.0.2.1, 192.0.2.2\"",
		"join(http.request.accepted_languages, \" \") eq \"ja de en *\"",
		"http.request.uri.args[\"q\"][0] eq \"a+b\"",
		"http.request.uri.args[\"q\"][1] eq \"%41\"",
		"http.request.uri.args[\"flag\"][0] eq \"\"",
		"join(http.request.uri.args.names, \",\") eq \"q,flag,q\"",
		"join(http.request.uri.args.values, \",\") eq \"a+b,,%41\"",
		"not len(http.request.uri.args[\"nope\"]) ge 0",
		"http.request.uri.path.extension eq \"gz\"",
		("http.request.full_uri eq "
		 "\"https://a.example/x.y/ARCHIVE.tar.GZ?q=a+b&flag&&q=%41\""),
		"raw.http.request.uri.path eq \"/x.y/ARCHIVE.tar.GZ\"",
		"any(http.request.headers.values[*] eq \"192.0.2.2\")",
		"cf.ray_id eq \"0000000000000abc\"",
		"len(cf.random_seed) eq 16",
	};
	struct http_head head;
	set_up();
	struct facts f = visit("/x.y/ARCHIVE.tar.GZ?q=a+b&flag&&q=%41", fields,
		COUNT_OF(fields), &head);
	for (size_t i = 0; i < COUNT_OF(truths); i++)
		holds(truths[i], &f);
	tear_down();
}

static void
what_is_not_there_is_missing_or_empty(void)
{
	struct http_head head;
	set_up();
	struct facts f = visit("/a.b/c", NULL, 0, &head);
	holds("http.request.uri.path.extension eq \"\"", &f);
	holds("not http.cookie ne \"\"", &f);
	holds("len(http.request.accepted_languages) eq 0", &f);
	holds("len(http.request.uri.args.names) eq 0", &f);
	holds("not http.request.headers.truncated", &f);
	tear_down();
}

/* As many as a head can hold: only some are told, and it takes no time. */
static void
a_flood_of_arguments_is_told_up_to_a_number(void)
{
	static char path[60000];
	struct text t = text_to(path, sizeof(path));
	struct http_head head;
	text_add(&t, "/?");
	for (unsigned i = 0; i < 12000; i++)
		text_add(&t, "a%u&", i % 7);
	set_up();
	struct facts f = visit(path, NULL, 0, &head);
	holds("len(http.request.uri.args.names) eq 1000", &f);
	holds("len(http.request.uri.args[\"a6\"]) eq 142", &f);
	tear_down();
}

static void
a_response_has_a_media_type(void)
{
	const struct facts_wanted all = {.made = UINT32_MAX};
	struct http_head head;
	struct err err = {0};
	struct facts f = {.base.reached = PHASE_RESPONSE};
	set_up();
	http_response_make(&head, &arena, 200);
	CHECK(http_add(&head.fields, SPAN("Content-Type"),
		SPAN(" Text/HTML ; charset=utf-8"), &err));
	facts_take_response(&f, &head, &all, &arena);
	holds("http.response.content_type.media_type eq \"text/html\"", &f);
	holds("any(http.response.headers.names[*] eq \"Content-Type\")", &f);
	tear_down();
}

TESTS(a_request_is_taken_apart, what_is_not_there_is_missing_or_empty,
	a_flood_of_arguments_is_told_up_to_a_number, a_response_has_a_media_type)
