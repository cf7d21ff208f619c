// SPDX-License-Identifier: Apache-2.0
/*
 * Walks the ground of the public HTTP cache tests: one row is a response, how long it
 * lay, a second request, and what a shared cache does with it.
 */
#include "http/cache.h"

#include "base/text.h"
#include "http/date.h"
#include "tests/test.h"

enum { NOW_S = 1790000000, FIELDS = 5 };

static struct arena arena;

enum outcome {
	NOT_STORED,
	USED,
	STALE,  /* the client takes it */
	BEHIND, /* stale-while-revalidate */
	ASKED,
};

/* A value that begins with '@' is a date, so many seconds from now. */
struct field {
	const char *name;
	const char *value;
};

struct row {
	unsigned status; /* 0: 200 */
	struct field answer[FIELDS];
	int64_t lay_s;
	struct field first[2]; /* fields of the request that brought it */
	struct field then[2];  /* of the one that is answered */
	enum outcome outcome;
};

static void
put(struct http_head *head, const struct field *fields, size_t n)
{
	struct err err = {0};
	char date[DATE_TEXT];

	for (size_t i = 0; i < n && fields[i].name; i++) {
		struct span value = span_str(fields[i].value);
		int64_t delta = 0;
		if (span_starts(value, SPAN("@")) &&
			text_i64(span_from(value, 1), &delta))
			value = date_write(date, NOW_S + delta);
		CHECK_OK(http_add(&head->fields, span_str(fields[i].name), value, &err),
			&err);
	}
}

static const struct cache_policy policy = {.obeys_clients = true};

static enum outcome
play(const struct row *row, const struct cache_policy *p)
{
	const struct cache_answer_times times = {NOW_S * 1000LL, NOW_S * 1000LL};
	struct http_head request;
	struct http_head then;
	struct http_head response;
	struct cache_control asks;
	struct cache_facts facts;

	arena_fini(&arena);
	arena_init(&arena, 65536);
	http_request_make(&request, &arena, HTTP_GET, SPAN("a.test"), SPAN("/"));
	http_request_make(&then, &arena, HTTP_GET, SPAN("a.test"), SPAN("/"));
	http_response_make(&response, &arena, row->status ? row->status : 200);
	put(&request, row->first, 2);
	put(&then, row->then, 2);
	put(&response, row->answer, FIELDS);
	if (!cache_learn(&request, &response, p, &times, &facts))
		return NOT_STORED;
	cache_control_read(&then.fields, &asks);
	switch (cache_judge(&facts, &asks, p, (NOW_S + row->lay_s) * 1000LL)) {
	case CACHE_USE:
		return USED;
	case CACHE_USE_STALE:
		return STALE;
	case CACHE_USE_BEHIND:
		return BEHIND;
	case CACHE_ASK:
		break;
	}
	return ASKED;
}

static void
play_all(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum outcome got = play(&rows[i], &policy);
		if (got != rows[i].outcome)
			print_error("row %zu\n", i);
		CHECK_INT(got, rows[i].outcome);
	}
}

#define CC(value)                      \
	{                              \
		"Cache-Control", value \
	}
#define ETAG                    \
	{                       \
		"ETag", "\"a\"" \
	}
#define DATE                 \
	{                    \
		"Date", "@0" \
	}

static void
freshness_is_what_the_origin_says(void)
{
	// clang-format off
	static const struct row rows[] = {
		{0, {DATE}, 3, {{0}}, {{0}}, NOT_STORED},
		{0, {CC("max-age=3600")}, 3, {{0}}, {{0}}, USED},
		{0, {CC("max-age=3600")}, 3600, {{0}}, {{0}}, ASKED},
		{0, {CC("max-age=0"), ETAG}, 0, {{0}}, {{0}}, ASKED},
		{0, {CC("max-age=0")}, 0, {{0}}, {{0}}, NOT_STORED},
		{0, {CC("max-age=10"), {"Age", "15"}, DATE, ETAG}, 3, {{0}}, {{0}}, ASKED},
		{0, {CC("max-age=3600"), {"Expires", "@-10000"}, DATE}, 3, {{0}}, {{0}}, USED},
		{0, {CC("max-age=3600"), {"Expires", "0"}, DATE}, 3, {{0}}, {{0}}, USED},
		{0, {CC("max-age=0"), {"Expires", "@10000"}, DATE, ETAG}, 3, {{0}}, {{0}}, ASKED},
		{0, {CC("max-age=1, s-maxage=3600")}, 3, {{0}}, {{0}}, USED},
		{0, {CC("max-age=3600, s-maxage=1"), ETAG}, 3, {{0}}, {{0}}, ASKED},
		{0, {CC("s-maxage=1"), CC("max-age=3600"), ETAG}, 3, {{0}}, {{0}}, ASKED},
		{0, {{"Expires", "@2592000"}, DATE}, 3, {{0}}, {{0}}, USED},
		{0, {{"Expires", "@-2592000"}, DATE, ETAG}, 3, {{0}}, {{0}}, ASKED},
		{0, {{"Expires", "@0"}, DATE, ETAG}, 0, {{0}}, {{0}}, ASKED},
		{0, {{"Expires", "@300"}, {"Date", "@400"}, ETAG}, 0, {{0}}, {{0}}, ASKED},
		{0, {{"Expires", "0"}, DATE, ETAG}, 0, {{0}}, {{0}}, ASKED},
		{0, {{"Expires", "@10"}, {"Date", "foo"}}, 0, {{0}}, {{0}}, USED},
		{0, {{"Expires", "@10"}, {"Date", "@-10"}, {"Age", "25"}, ETAG}, 0, {{0}}, {{0}}, ASKED},
		{0, {{"Expires", "@20"}, {"Date", "@10"}, {"Age", "15"}, ETAG}, 0, {{0}}, {{0}}, ASKED},
	};
	// clang-format on
	play_all(rows, COUNT_OF(rows));
}

static void
ages_that_are_none_do_not_count(void)
{
	static const struct {
		const char *age;
		enum outcome outcome;
	} rows[] = {
		{"abc", USED},
		{"-7200", USED},
		{"7200.0", USED},
		{"0, 7200", USED},
		{"7200, 0", ASKED},
		{"7200", ASKED},
		{"7200;foo=111", ASKED},
		{"99999999999999999999", ASKED},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row row = {.answer = {CC("max-age=3600"),
						{"Age", rows[i].age}, DATE, ETAG},
			.lay_s = 3};
		CHECK_INT(play(&row, &policy), rows[i].outcome);
	}
}

static void
guesses_are_made_where_the_status_allows(void)
{
	static const struct {
		unsigned status;
		const char *cc;
		enum outcome outcome;
	} rows[] = {
		{200, "x", USED},
		{201, "x", ASKED},
		{202, "x", ASKED},
		{203, "x", USED},
		{204, "x", USED},
		{403, "x", ASKED},
		{404, "x", USED},
		{405, "x", USED},
		{410, "x", USED},
		{414, "x", USED},
		{501, "x", USED},
		{502, "x", ASKED},
		{503, "x", ASKED},
		{599, "x", ASKED},
		{599, "public", USED},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row row = {.status = rows[i].status,
			.answer = {{"Last-Modified", "@-86400"}, DATE, CC(rows[i].cc)}};
		CHECK_INT(play(&row, &policy), rows[i].outcome);
	}
}

static void
any_final_status_with_a_lifetime_is_stored(void)
{
	static const unsigned stored[] = {200, 203, 204, 299, 301, 302, 303, 307, 308,
		400, 404, 410, 499, 500, 502, 503, 504, 599};
	static const unsigned refused[] = {206, 304};

	for (size_t i = 0; i < COUNT_OF(stored); i++) {
		const struct row row = {
			.status = stored[i], .answer = {CC("max-age=3600")}};
		CHECK_INT(play(&row, &policy), USED);
	}
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		const struct row row = {
			.status = refused[i], .answer = {CC("max-age=3600")}};
		CHECK_INT(play(&row, &policy), NOT_STORED);
	}
}

static void
what_is_not_for_all_is_not_stored(void)
{
	// clang-format off
	static const struct row rows[] = {
		{0, {CC("private, max-age=3600")}, 0, {{0}}, {{0}}, NOT_STORED},
		{0, {CC("no-store")}, 0, {{0}}, {{0}}, NOT_STORED},
		{0, {CC("max-age=10000, no-store"), {"Expires", "@10000"}}, 0, {{0}}, {{0}}, NOT_STORED},
		{0, {CC("max-age=3600")}, 0, {CC("no-store")}, {{0}}, NOT_STORED},
		{0, {CC("max-age=3600")}, 0, {{"Authorization", "x"}}, {{0}}, NOT_STORED},
		{0, {CC("max-age=3600, public")}, 0, {{"Authorization", "x"}}, {{0}}, USED},
		{0, {CC("max-age=3600, must-revalidate")}, 0, {{"Authorization", "x"}}, {{0}}, USED},
		{0, {CC("s-maxage=3600")}, 0, {{"Authorization", "x"}}, {{0}}, USED},
		{0, {CC("max-age=3600"), {"Set-Cookie", "a=b"}}, 0, {{0}}, {{0}}, NOT_STORED},
		{0, {CC("public, max-age=3600"), {"Set-Cookie", "a=b"}}, 0, {{0}}, {{0}}, USED},
		{0, {CC("max-age=3600")}, 0, {{0}}, {{"Cookie", "a=b"}}, USED},
		{0, {{"Last-Modified", "@-86400"}, DATE}, 0, {{"Cookie", "a=b"}}, {{0}}, ASKED},
		{0, {CC("no-store, must-understand, max-age=9")}, 0, {{0}}, {{0}}, USED},
		{599, {CC("must-understand, max-age=9")}, 0, {{0}}, {{0}}, NOT_STORED},
		{0, {{"CDN-Cache-Control", "private"}, CC("max-age=10000")}, 0, {{0}}, {{0}}, NOT_STORED},
		{0, {{"CDN-Cache-Control", "max-age=10000"}, CC("no-store")}, 0, {{0}}, {{0}}, USED},
		{0, {{"CDN-Cache-Control", "max-age=10000, &&&"}, CC("no-store")}, 0, {{0}}, {{0}}, NOT_STORED},
		{0, {{"CDN-Cache-Control", "max-age=0"}, {"Expires", "@10000"}, ETAG}, 0, {{0}}, {{0}}, ASKED},
	};
	// clang-format on
	play_all(rows, COUNT_OF(rows));
	const struct cache_policy told = {.takes_cookies = true};
	const struct row row = {.answer = {CC("max-age=3600"), {"Set-Cookie", "a=b"}}};
	CHECK_INT(play(&row, &told), USED);
}

static void
some_responses_are_never_used_unasked(void)
{
	// clang-format off
	static const struct row rows[] = {
		{0, {CC("max-age=10000, no-cache"), ETAG}, 0, {{0}}, {{0}}, ASKED},
		{0, {CC("no-cache"), ETAG}, 0, {{0}}, {CC("max-stale")}, ASKED},
		{0, {CC("no-cache=\"a\", max-age=100")}, 0, {{0}}, {{0}}, USED},
		{0, {CC("max-age=10000, must-revalidate"), ETAG}, 0, {{0}}, {{0}}, USED},
		{0, {CC("max-age=2, must-revalidate"), ETAG}, 3, {{0}}, {CC("max-stale=9")}, ASKED},
		{0, {CC("max-age=2, proxy-revalidate"), ETAG}, 3, {{0}}, {CC("max-stale=9")}, ASKED},
		{0, {CC("s-maxage=2"), ETAG}, 3, {{0}}, {CC("max-stale=9")}, ASKED},
	};
	// clang-format on
	play_all(rows, COUNT_OF(rows));
}

static void
clients_may_ask_for_more_and_for_less(void)
{
	// clang-format off
	static const struct row rows[] = {
		{0, {CC("max-age=3600")}, 3, {{0}}, {CC("max-age=0")}, ASKED},
		{0, {CC("max-age=3600")}, 3, {{0}}, {CC("max-age=1")}, ASKED},
		{0, {CC("max-age=3600"), {"Age", "1800"}}, 0, {{0}}, {CC("max-age=600")}, ASKED},
		{0, {CC("max-age=1"), ETAG}, 3, {{0}}, {CC("max-stale=1000")}, STALE},
		{0, {CC("max-age=1500"), {"Age", "2000"}, ETAG}, 0, {{0}}, {CC("max-stale=1000")}, STALE},
		{0, {CC("max-age=1"), ETAG}, 30, {{0}}, {CC("max-stale=10")}, ASKED},
		{0, {CC("max-age=1500")}, 0, {{0}}, {CC("min-fresh=2000")}, ASKED},
		{0, {CC("max-age=1500"), {"Age", "1000"}}, 0, {{0}}, {CC("min-fresh=1000")}, ASKED},
		{0, {CC("max-age=3600")}, 0, {{0}}, {CC("no-cache")}, ASKED},
		{0, {CC("max-age=3600")}, 0, {{0}}, {CC("no-store")}, ASKED},
		{0, {CC("max-age=3600")}, 0, {{0}}, {{"Pragma", "no-cache"}}, ASKED},
		{0, {CC("max-age=3600")}, 0, {{0}}, {{"Pragma", "foo"}, CC("x")}, USED},
		{0, {CC("max-age=3600"), {"Pragma", "no-cache"}}, 0, {{0}}, {{0}}, USED},
	};
	// clang-format on
	play_all(rows, COUNT_OF(rows));
	const struct cache_policy deaf = {.obeys_clients = false};
	CHECK_INT(play(&rows[0], &deaf), USED);
	CHECK_INT(play(&rows[3], &deaf), ASKED);
}

static void
stale_answers_need_leave(void)
{
	// clang-format off
	static const struct row rows[] = {
		{0, {CC("max-age=0, stale-while-revalidate=3600"), ETAG}, 0, {{0}}, {{0}}, BEHIND},
		{0, {CC("max-age=1, stale-while-revalidate=5"), ETAG}, 7, {{0}}, {{0}}, ASKED},
		{0, {CC("max-age=0, stale-while-revalidate=5, must-revalidate"), ETAG}, 0, {{0}}, {{0}}, ASKED},
		{0, {CC("max-age=0, stale-if-error=5"), ETAG}, 0, {{0}}, {{0}}, ASKED},
	};
	// clang-format on
	play_all(rows, COUNT_OF(rows));
}

static void
an_error_is_borne_as_long_as_said(void)
{
	struct cache_facts f = {.lifetime_s = 2, .if_error_s = 60};
	struct cache_control none;
	struct http_head head;

	arena_fini(&arena);
	arena_init(&arena, 4096);
	http_head_init(&head, &arena);
	cache_control_read(&head.fields, &none);
	CHECK(cache_bears_error(&f, &none, &policy, 3000));
	CHECK(!cache_bears_error(&f, &none, &policy, 63000));
	f.if_error_s = 0;
	CHECK(!cache_bears_error(&f, &none, &policy, 3000));
	none.if_error = 5;
	CHECK(cache_bears_error(&f, &none, &policy, 3000));
	f.flags = CACHE_NEVER_STALE;
	CHECK(!cache_bears_error(&f, &none, &policy, 3000));
	CHECK(cache_is_error(503) && !cache_is_error(501) && !cache_is_error(404));
}

static void
an_error_is_not_borne_with_another(void)
{
	struct cache_facts f = {.lifetime_s = 2, .if_error_s = 60, .status = 503};
	struct cache_control none = {.if_error = -1};

	CHECK(!cache_bears_error(&f, &none, &policy, 3000));
	f.status = 404;
	CHECK(cache_bears_error(&f, &none, &policy, 3000));
}

static void
what_answers_one_request_only_is_not_stored(void)
{
	// clang-format off
	static const struct row rows[] = {
		{412, {CC("max-age=3600"), ETAG}, 0, {{0}}, {{0}}, NOT_STORED},
		{416, {CC("max-age=3600"), ETAG}, 0, {{0}}, {{0}}, NOT_STORED},
		{304, {CC("max-age=3600"), ETAG}, 0, {{0}}, {{0}}, NOT_STORED},
		{413, {CC("max-age=3600"), ETAG}, 0, {{0}}, {{0}}, USED},
	};
	// clang-format on
	play_all(rows, COUNT_OF(rows));
}

static void
targeted_directives_stand_for_all_others(void)
{
	// clang-format off
	static const struct row rows[] = {
		{0, {{"CDN-Cache-Control", "max-age=3600"}, CC("no-store")}, 0, {{0}}, {{0}}, USED},
		{0, {{"CDN-Cache-Control", ""}, CC("max-age=3600")}, 0, {{0}}, {{0}}, USED},
		{0, {{"CDN-Cache-Control", ""}, CC("no-store")}, 0, {{0}}, {{0}}, NOT_STORED},
		{0, {{"CDN-Cache-Control", "max-age=1"}, {"Surrogate-Control", "max-age=3600"}}, 5, {{0}}, {{0}}, ASKED},
		{0, {{"Surrogate-Control", "max-age=3600"}, CC("no-store")}, 0, {{0}}, {{0}}, USED},
		{0, {{"Surrogate-Control", "max-age=0"}, {"Expires", "@3600"}, DATE, ETAG}, 0, {{0}}, {{0}}, ASKED},
		{0, {{"Surrogate-Control", "no-store"}, CC("max-age=3600")}, 0, {{0}}, {{0}}, NOT_STORED},
		{0, {{"Surrogate-Control", "no-store;another"}, CC("max-age=3600")}, 0, {{0}}, {{0}}, USED},
		{0, {{"Surrogate-Control", "max-age=10+50"}, CC("max-age=1")}, 20, {{0}}, {{0}}, BEHIND},
	};
	// clang-format on
	play_all(rows, COUNT_OF(rows));
}

static void
age_grows_while_it_lies(void)
{
	struct cache_facts f = {.came_ms = 10000, .age_ms = 30000, .lifetime_s = 600};

	CHECK_INT(cache_age(&f, 13000), 33);
	CHECK_INT(cache_left(&f, 13000), 567);
	CHECK(cache_left(&f, 700000) < 0);
	CHECK_INT(cache_age(&f, 5000), 30); /* a clock set back makes nothing younger */
}

TESTS(freshness_is_what_the_origin_says, ages_that_are_none_do_not_count,
	guesses_are_made_where_the_status_allows,
	any_final_status_with_a_lifetime_is_stored, what_is_not_for_all_is_not_stored,
	some_responses_are_never_used_unasked, clients_may_ask_for_more_and_for_less,
	stale_answers_need_leave, an_error_is_borne_as_long_as_said,
	an_error_is_not_borne_with_another, what_answers_one_request_only_is_not_stored,
	targeted_directives_stand_for_all_others, age_grows_while_it_lies)
