// SPDX-License-Identifier: Apache-2.0
#include "http/cache.h"

#include "tests/test.h"

static struct arena arena;
static struct http_head request;
static struct http_head response;

static void
start(void)
{
	arena_fini(&arena);
	arena_init(&arena, 512 * 1024);
	http_request_make(&request, &arena, HTTP_GET, SPAN("a.test"), SPAN("/"));
	http_response_make(&response, &arena, 200);
}

static void
add(struct http_head *head, const char *name, const char *value)
{
	struct err err = {0};

	CHECK_OK(http_add(&head->fields, span_str(name), span_str(value), &err), &err);
}

static struct span
vary_of(const char *value)
{
	struct span vary = {0};

	add(&response, "Vary", value);
	CHECK(cache_vary_make(&response.fields, &request.fields, &arena, &vary));
	return vary;
}

static void
requests_that_agree_match(void)
{
	start();
	add(&request, "Foo", "1, 2");
	add(&request, "Other", "x");
	struct span vary = vary_of("foo, Bar, FOO");
	CHECK(cache_vary_matches(vary, &request.fields));
	http_remove(&request.fields, SPAN("other"));
	CHECK(cache_vary_matches(vary, &request.fields));
	http_remove(&request.fields, SPAN("foo"));
	CHECK(!cache_vary_matches(vary, &request.fields));
	add(&request, "Foo", "1");
	add(&request, "foo", "2");
	CHECK(cache_vary_matches(vary, &request.fields));
	add(&request, "Bar", "");
	CHECK(!cache_vary_matches(vary, &request.fields));
}

static void
languages_and_codings_match_in_any_case(void)
{
	start();
	add(&request, "Accept-Language", "EN-gb, de");
	add(&request, "Accept-Encoding", "GZip");
	struct span vary = vary_of("Accept-Language, Accept-Encoding");
	http_remove(&request.fields, SPAN("accept-language"));
	http_remove(&request.fields, SPAN("accept-encoding"));
	add(&request, "Accept-Language", "en-GB,DE");
	add(&request, "Accept-Encoding", "gzip");
	CHECK(cache_vary_matches(vary, &request.fields));
	http_remove(&request.fields, SPAN("accept-language"));
	add(&request, "Accept-Language", "de, en-gb"); /* some go by the order */
	CHECK(!cache_vary_matches(vary, &request.fields));
}

static void
a_star_anywhere_matches_nothing(void)
{
	static const char *const stars[] = {"*", "*, *", ", *", "*, Foo", "Foo, *"};

	for (size_t i = 0; i < COUNT_OF(stars); i++) {
		struct span vary = SPAN("before");
		start();
		add(&response, "Vary", "");
		add(&response, "Vary", stars[i]);
		CHECK(!cache_vary_make(
			&response.fields, &request.fields, &arena, &vary));
		CHECK_SPAN(vary, "before");
	}
}

static void
without_vary_every_request_matches(void)
{
	struct span vary = SPAN("before");

	start();
	CHECK(cache_vary_make(&response.fields, &request.fields, &arena, &vary));
	CHECK(vary.n == 0 && cache_vary_matches(vary, &request.fields));
}

static void
a_truncated_vary_matches_nothing(void)
{
	start();
	add(&request, "Foo", "1");
	struct span vary = vary_of("Foo");
	for (size_t n = 1; n < vary.n; n++)
		CHECK(!cache_vary_matches(span_first(vary, n), &request.fields));
}

static void
what_belongs_to_one_connection_is_not_kept(void)
{
	struct span kept = {0};
	struct http_head back;

	start();
	add(&response, "Cache-Control", "no-cache=\"a, b\", private=\"p\", max-age=1");
	add(&response, "A", "1");
	add(&response, "b", "2");
	add(&response, "P", "3");
	add(&response, "c", "4");
	add(&response, "Age", "5");
	add(&response, "Content-Length", "6");
	add(&response, "Proxy-Authenticate", "x");
	add(&response, "Keep-Alive", "x");
	CHECK(cache_head_write(&response, &arena, &kept));
	CHECK(cache_head_read(kept, &back, &arena));
	CHECK_INT(back.fields.n, 2);
	CHECK_SPAN(http_get(&back.fields, SPAN("C")), "4");
	CHECK(http_get_id(&back.fields, HTTP_NAME_CACHE_CONTROL).n > 0);
}

static void
a_truncated_head_is_none(void)
{
	struct span kept = {0};
	struct http_head back;

	start();
	add(&response, "a", "1");
	CHECK(cache_head_write(&response, &arena, &kept));
	for (size_t n = 1; n < kept.n; n++)
		CHECK(!cache_head_read(span_first(kept, n), &back, &arena));
	CHECK(!cache_head_read(
		SPAN("\0\1a\0\0\0\3x\ry"), &back, &arena)); /* no value */
}

TESTS(requests_that_agree_match, languages_and_codings_match_in_any_case,
	a_star_anywhere_matches_nothing, without_vary_every_request_matches,
	a_truncated_vary_matches_nothing, what_belongs_to_one_connection_is_not_kept,
	a_truncated_head_is_none)
