// SPDX-License-Identifier: Apache-2.0
#include "http/cache.h"

#include "http/date.h"
#include "tests/test.h"

enum { NOW_S = 1790000000, LENGTH = 11 };

static struct arena arena;
static struct http_head request;
static struct http_head stored;
static struct cache_facts facts;

static void
start(void)
{
	arena_fini(&arena);
	arena_init(&arena, 65536);
	http_request_make(&request, &arena, HTTP_GET, SPAN("a.test"), SPAN("/"));
	http_response_make(&stored, &arena, 200);
	facts = (struct cache_facts){.came_ms = NOW_S * 1000LL, .status = 200};
}

static void
add(struct http_head *head, const char *name, const char *value)
{
	struct err err = {0};

	CHECK_OK(http_add(&head->fields, span_str(name), span_str(value), &err), &err);
}

static void
add_date(struct http_head *head, const char *name, int64_t delta)
{
	char date[DATE_TEXT];
	struct err err = {0};

	CHECK_OK(http_add(&head->fields, span_str(name),
			 date_write(date, NOW_S + delta), &err),
		&err);
}

static enum cache_part
select_now(void)
{
	return cache_select(&request.fields, &stored, &facts, LENGTH).part;
}

static void
tags_are_compared_weakly(void)
{
	static const struct {
		const char *tag;
		const char *asked;
		enum cache_part part;
	} rows[] = {
		{"\"abcdef\"", "\"abcdef\"", CACHE_UNCHANGED},
		{"W/\"abcdef\"", "W/\"abcdef\"", CACHE_UNCHANGED},
		{"W/\"abcdef\"", "\"abcdef\"", CACHE_UNCHANGED},
		{"\"abcdef\"", "\"1\", \"abcdef\", \"2\"", CACHE_UNCHANGED},
		{"\"abcdef\"", "\"1\", \"2\", \"abcdef\"", CACHE_UNCHANGED},
		{"\"a,b\"", "\"a,b\"", CACHE_UNCHANGED},
		{"\"abcdef\"", "*", CACHE_UNCHANGED},
		{"\"abcdef\"", "\"abc\"", CACHE_WHOLE},
		{"\"abcdef\"", "abcdef", CACHE_WHOLE},
		{"\"abcdef\"", "", CACHE_WHOLE},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		start();
		add(&stored, "ETag", rows[i].tag);
		add(&request, "If-None-Match", rows[i].asked);
		CHECK_INT(select_now(), rows[i].part);
	}
}

static void
a_tag_counts_more_than_a_date(void)
{
	start();
	add(&stored, "ETag", "\"a\"");
	add_date(&stored, "Last-Modified", -5000);
	add(&request, "If-None-Match", "\"b\"");
	add_date(&request, "If-Modified-Since", -1);
	CHECK_INT(select_now(), CACHE_WHOLE);
}

static void
dates_are_compared_in_any_form(void)
{
	start();
	add(&stored, "Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
	add(&request, "If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT");
	CHECK_INT(select_now(), CACHE_UNCHANGED);
	start();
	add_date(&stored, "Last-Modified", -1000);
	add_date(&request, "If-Modified-Since", -2000);
	CHECK_INT(select_now(), CACHE_WHOLE);
	start(); /* without one, what is known is when it came */
	add_date(&stored, "Date", 0);
	add_date(&request, "If-Modified-Since", -3000);
	CHECK_INT(select_now(), CACHE_WHOLE);
	start();
	add_date(&stored, "Date", 0);
	add_date(&request, "If-Modified-Since", 0);
	CHECK_INT(select_now(), CACHE_UNCHANGED);
	start();
	add(&request, "If-Modified-Since", "yesterday");
	CHECK_INT(select_now(), CACHE_WHOLE);
}

static void
a_range_is_cut_from_the_whole(void)
{
	static const struct {
		const char *range;
		enum cache_part part;
		uint64_t from;
		uint64_t n;
	} rows[] = {
		{"bytes=0-1", CACHE_PART, 0, 2},
		{"bytes=1-", CACHE_PART, 1, 10},
		{"bytes=-1", CACHE_PART, 10, 1},
		{"bytes=-99", CACHE_PART, 0, 11},
		{"bytes=5-99", CACHE_PART, 5, 6},
		{"Bytes=10-10", CACHE_PART, 10, 1},
		{"bytes=11-", CACHE_OUT_OF_RANGE, 11, 0},
		{"bytes=-0", CACHE_OUT_OF_RANGE, 11, 0},
		{"bytes=2-1", CACHE_WHOLE, 0, 11},
		{"bytes=-", CACHE_WHOLE, 0, 11},
		{"bytes=0-1,4-5", CACHE_WHOLE, 0, 11},
		{"bytes=a-b", CACHE_WHOLE, 0, 11},
		{"bytes=18446744073709551616-", CACHE_WHOLE, 0, 11},
		{"lines=1-2", CACHE_WHOLE, 0, 11},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		start();
		add(&request, "Range", rows[i].range);
		struct cache_selection sel =
			cache_select(&request.fields, &stored, &facts, LENGTH);
		CHECK_INT(sel.part, rows[i].part);
		CHECK_INT(sel.from, rows[i].from);
		CHECK_INT(sel.n, rows[i].n);
	}
}

static void
a_range_of_something_else_gives_the_whole(void)
{
	static const struct {
		const char *if_range;
		enum cache_part part;
	} rows[] = {
		{"\"a\"", CACHE_PART},
		{"\"b\"", CACHE_WHOLE},
		{"W/\"a\"", CACHE_WHOLE},
		{"Sun, 06 Nov 1994 08:49:37 GMT", CACHE_PART},
		{"Sun, 06 Nov 1994 08:49:38 GMT", CACHE_WHOLE},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		start();
		add(&stored, "ETag", "\"a\"");
		add(&stored, "Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
		add(&request, "Range", "bytes=0-1");
		add(&request, "If-Range", rows[i].if_range);
		CHECK_INT(select_now(), rows[i].part);
	}
}

static void
answers_say_what_they_are(void)
{
	struct err err = {0};
	struct cache_selection part = {CACHE_PART, 2, 3};
	struct cache_selection none = {CACHE_UNCHANGED, 0, 0};
	struct cache_selection out = {CACHE_OUT_OF_RANGE, 0, 0};

	start();
	add(&stored, "Content-Type", "text/plain");
	add(&stored, "ETag", "\"a\"");
	CHECK_OK(cache_present(&stored, &part, 7, LENGTH, &err), &err);
	CHECK(stored.status == 206 && stored.body.length == 3);
	CHECK_SPAN(http_get(&stored.fields, SPAN("content-range")), "bytes 2-4/11");
	CHECK_SPAN(http_get(&stored.fields, SPAN("age")), "7");
	CHECK_OK(cache_present(&stored, &none, 7, LENGTH, &err), &err);
	CHECK(stored.status == 304 && stored.body.kind == BODY_NONE);
	CHECK(!http_get(&stored.fields, SPAN("content-type")).p);
	CHECK_SPAN(http_get(&stored.fields, SPAN("etag")), "\"a\"");
	CHECK_OK(cache_present(&stored, &out, 7, LENGTH, &err), &err);
	CHECK_SPAN(http_get(&stored.fields, SPAN("content-range")), "bytes */11");
}

static void
the_origin_is_asked_with_what_is_stored(void)
{
	struct err err = {0};
	bool asked = true;

	start();
	add(&request, "If-None-Match", "\"of-client\"");
	CHECK_OK(cache_ask(&request, &stored, &asked, &err), &err);
	CHECK(!asked);
	CHECK_SPAN(http_get(&request.fields, SPAN("if-none-match")), "\"of-client\"");
	add(&stored, "ETag", "W/\"a\"");
	add(&stored, "Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
	add(&request, "Range", "bytes=0-1");
	CHECK_OK(cache_ask(&request, &stored, &asked, &err), &err);
	CHECK(asked && !http_get(&request.fields, SPAN("range")).p);
	CHECK_SPAN(http_get(&request.fields, SPAN("if-none-match")), "W/\"a\"");
	CHECK_SPAN(http_get(&request.fields, SPAN("if-modified-since")),
		"Sun, 06 Nov 1994 08:49:37 GMT");
}

static void
a_part_says_where_it_is(void)
{
	static const char *const bad[] = {"", "bytes", "bytes 0-4", "bytes 0-4/*",
		"bytes */10", "bytes 4-3/10", "bytes 0-10/10", "bytes -4/10",
		"bytes 0-4/10, 5-6/10", "bytes 0-/10", "bytes +0-4/10", "octets 0-4/10",
		"bytes 0 -4/10", "bytes 0-4/99999999999999999999", "bytes 0-4/",
		"bytes 18446744073709551615-18446744073709551615/10"};
	struct cache_place at = {0};

	start();
	CHECK(!cache_part_read(&stored, &at));
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		start();
		add(&stored, "Content-Range", bad[i]);
		CHECK(!cache_part_read(&stored, &at));
	}
	start();
	add(&stored, "Content-Range", "Bytes 4-9/10");
	CHECK(cache_part_read(&stored, &at));
	CHECK(at.from == 4 && at.n == 6 && at.total == 10);
	start();
	add(&stored, "Content-Range", "bytes 0-0/1");
	CHECK(cache_part_read(&stored, &at) && at.from == 0 && at.n == 1);
}

static void
a_304_renews_fields_but_not_those_of_the_body(void)
{
	struct http_head news;
	struct err err = {0};

	start();
	http_response_make(&news, &arena, 304);
	add(&stored, "Test-Header", "A");
	add(&stored, "Kept", "1");
	add(&stored, "Content-Encoding", "gzip");
	add(&stored, "Content-Digest", "sha-256=:A:");
	add(&news, "Content-Digest", "sha-256=:of-nothing:");
	add(&stored, "ETag", "\"a\"");
	add(&news, "Test-Header", "B");
	add(&news, "test-header", "C");
	add(&news, "Content-Length", "10");
	add(&news, "Content-Encoding", "br");
	add(&news, "ETag", "W/\"a\"");
	CHECK(cache_speaks_of(&news, &stored));
	CHECK_OK(cache_freshen(&stored, &news, &err), &err);
	struct span v[3];
	CHECK_INT(http_get_all(&stored.fields, SPAN("test-header"), v, 3), 2);
	CHECK_SPAN(v[0], "B");
	CHECK_SPAN(v[1], "C");
	CHECK_SPAN(http_get(&stored.fields, SPAN("kept")), "1");
	CHECK_SPAN(http_get(&stored.fields, SPAN("content-encoding")), "gzip");
	CHECK_SPAN(http_get(&stored.fields, SPAN("content-digest")), "sha-256=:A:");
	CHECK(!http_get(&stored.fields, SPAN("content-length")).p);
	add(&news, "Last-Modified", "x");
	http_remove(&news.fields, SPAN("etag"));
	add(&news, "ETag", "\"b\"");
	CHECK(!cache_speaks_of(&news, &stored));
}

TESTS(tags_are_compared_weakly, a_tag_counts_more_than_a_date,
	dates_are_compared_in_any_form, a_range_is_cut_from_the_whole,
	a_range_of_something_else_gives_the_whole, answers_say_what_they_are,
	the_origin_is_asked_with_what_is_stored, a_part_says_where_it_is,
	a_304_renews_fields_but_not_those_of_the_body)
