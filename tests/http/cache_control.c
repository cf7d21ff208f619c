// SPDX-License-Identifier: Apache-2.0
#include "http/cache_control.h"

#include "tests/test.h"

static struct arena arena;
static struct http_head head;

static void
start(void)
{
	arena_fini(&arena);
	arena_init(&arena, 65536);
	http_head_init(&head, &arena);
}

static void
add(const char *name, const char *value)
{
	struct err err = {0};

	CHECK_OK(http_add(&head.fields, span_str(name), span_str(value), &err), &err);
}

static struct cache_control
read_one(const char *value)
{
	struct cache_control c;

	start();
	add("Cache-Control", value);
	cache_control_read(&head.fields, &c);
	CHECK(c.given);
	return c;
}

static void
directives_are_found_in_any_case_and_any_field(void)
{
	struct cache_control c = read_one("No-StOrE, MaX-aGe=3600");

	CHECK(c.no_store && c.max_age == 3600 && c.s_maxage == -1);
	add("cache-control", "s-maxage=7, foobar, must-revalidate");
	cache_control_read(&head.fields, &c);
	CHECK(c.no_store && c.max_age == 3600 && c.s_maxage == 7 && c.must_revalidate);
}

static void
a_number_is_never_taken_for_more_than_it_says(void)
{
	static const struct {
		const char *text;
		int64_t max_age;
	} rows[] = {
		{"max-age=3600", 3600},
		{"max-age=\"3600\"", 3600},
		{"max-age=003600", 3600},
		{"max-age=2147483648", CACHE_SECONDS_MOST},
		{"max-age=99999999999999999999999", CACHE_SECONDS_MOST},
		{"max-age='3600'", 0},
		{"max-age=-100", 0},
		{"max-age=a100", 0},
		{"max-age=100a", 0},
		{"max-age=3600.0", 0},
		{"max-age", 0},
		{"max-age= 100", 0},
		{"max-age =100", -1},
		{"extension=\"max-age=100\", max-age=1", 1},
		{"max-age=1, extension=\"max-age=100\"", 1},
		{"max-age=1800, max-age=1", 1800},
		{"max-age=1, max-age=1800", 1},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		CHECK_INT(read_one(rows[i].text).max_age, rows[i].max_age);
}

static void
lists_of_fields_are_not_the_whole_response(void)
{
	struct cache_control c = read_one("no-cache=\"a, B\", private=x");

	CHECK(!c.no_cache && !c.is_private);
	CHECK(cache_control_lists(c.no_cache_fields, SPAN("b")));
	CHECK(!cache_control_lists(c.no_cache_fields, SPAN("x")));
	CHECK(cache_control_lists(c.private_fields, SPAN("X")));
}

static void
pragma_counts_only_without_cache_control(void)
{
	struct cache_control c;

	start();
	add("Pragma", "foo, No-Cache");
	cache_control_read(&head.fields, &c);
	CHECK(c.no_cache && !c.given);
	add("Cache-Control", "max-age=5");
	cache_control_read(&head.fields, &c);
	CHECK(!c.no_cache && c.max_age == 5);
}

static void
max_stale_may_have_no_number(void)
{
	CHECK_INT(read_one("max-stale").max_stale, CACHE_SECONDS_MOST);
	CHECK_INT(read_one("max-stale=5").max_stale, 5);
	CHECK_INT(read_one("max-stale=x").max_stale, 0);
}

static bool
read_cdn(const char *value, struct cache_control *c)
{
	start();
	add("CDN-Cache-Control", value);
	return cache_control_read_cdn(&head.fields, c);
}

static void
targeted_directives_are_a_dictionary(void)
{
	struct cache_control c;

	CHECK(read_cdn("foobar, max-age=3600;x=1, must-revalidate=?0", &c));
	CHECK(c.max_age == 3600 && !c.must_revalidate);
	CHECK(read_cdn("no-store", &c) && c.no_store);
	CHECK(read_cdn("max-age=2147483648", &c) && c.max_age == CACHE_SECONDS_MOST);
	CHECK(!read_cdn("max-age=10000, &&&&&", &c));
	CHECK(!read_cdn("max-age=\"10000\"", &c));
	CHECK(!read_cdn("max-age =100", &c));
	CHECK(!read_cdn("MaX-aGe=3600", &c));
	CHECK(!read_cdn("max-age", &c));
	start();
	CHECK(!cache_control_read_cdn(&head.fields, &c));
}

static void
an_empty_targeted_field_is_none(void)
{
	struct cache_control c;

	CHECK(!read_cdn("", &c));
	CHECK(!read_cdn(" , ", &c));
	start();
	add("CDN-Cache-Control", "");
	add("CDN-Cache-Control", "max-age=5");
	CHECK(cache_control_read_cdn(&head.fields, &c) && c.max_age == 5);
}

static bool
read_surrogate(const char *value, struct cache_control *c)
{
	start();
	add("Surrogate-Control", value);
	return cache_control_read_surrogate(&head.fields, c);
}

static void
surrogates_heed_what_is_said_to_them(void)
{
	struct cache_control c;

	CHECK(read_surrogate("content=\"ESI/1.0\", MaX-aGe=60", &c));
	CHECK(c.max_age == 60 && c.while_revalidate == -1 && !c.no_store);
	CHECK(read_surrogate("max-age=60+5", &c));
	CHECK(c.max_age == 60 && c.while_revalidate == 5);
	CHECK(read_surrogate("no-store;other, max-age=7; sekisho", &c));
	CHECK(c.max_age == 7 && !c.no_store);
	CHECK(read_surrogate("max-age=x", &c) && c.max_age == 0);
	CHECK(read_surrogate("max-age=99999999999", &c));
	CHECK(c.max_age == CACHE_SECONDS_MOST);
	CHECK(!read_surrogate("no-store;other", &c));
	CHECK(!read_surrogate("max-age =60", &c));
	CHECK(!read_surrogate("", &c));
}

TESTS(directives_are_found_in_any_case_and_any_field,
	a_number_is_never_taken_for_more_than_it_says,
	lists_of_fields_are_not_the_whole_response,
	pragma_counts_only_without_cache_control, max_stale_may_have_no_number,
	targeted_directives_are_a_dictionary, an_empty_targeted_field_is_none,
	surrogates_heed_what_is_said_to_them)
