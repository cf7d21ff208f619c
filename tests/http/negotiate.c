// SPDX-License-Identifier: Apache-2.0
#include "http/negotiate.h"

#include "tests/test.h"

static unsigned
accepts(const char *accept, struct span type)
{
	struct http_head head;
	struct arena a;
	struct err err = {0};

	arena_init(&a, 65536);
	http_head_init(&head, &a);
	if (accept)
		CHECK_OK(http_add(&head.fields, SPAN("Accept"), span_str(accept), &err),
			&err);
	unsigned quality = negotiate_type(&head.fields, type);
	arena_fini(&a);
	return quality;
}

static void
the_most_exact_range_decides(void)
{
	const char *browser = "text/html,application/xml;q=0.9,*/*;q=0.8";

	CHECK_INT(accepts(NULL, SPAN("text/html")), 1000);
	CHECK_INT(accepts(browser, SPAN("text/html")), 1000);
	CHECK_INT(accepts(browser, SPAN("application/json")), 800);
	CHECK_INT(accepts("*/*, text/*;q=0.25, text/html;q=0", SPAN("text/html")), 0);
	CHECK_INT(accepts("*/*, text/*;q=0.25", SPAN("text/plain")), 250);
	CHECK_INT(accepts("application/json", SPAN("text/html")), 0);
	CHECK_INT(accepts("", SPAN("text/html")), 0);
}

static void
weights_are_read_as_three_decimals(void)
{
	CHECK_INT(accepts("a/b;q=0.123", SPAN("a/b")), 123);
	CHECK_INT(accepts("a/b;q=0.5;x=y", SPAN("a/b")), 500);
	CHECK_INT(accepts("a/b;q=1.000", SPAN("a/b")), 1000);
	CHECK_INT(accepts("a/b;q=0.", SPAN("a/b")), 0);
	CHECK_INT(accepts("a/b;q=", SPAN("a/b")), 0);
	CHECK_INT(accepts("a/b;q=0.12345", SPAN("a/b")), 0);
	CHECK_INT(accepts("a/b;q=9", SPAN("a/b")), 0);
}

static size_t
language(const char *value)
{
	static const struct span tags[] = {
		SPAN_INIT("en"), SPAN_INIT("de"), SPAN_INIT("fr")};
	struct http_head head;
	struct arena a;
	struct err err = {0};

	arena_init(&a, 65536);
	http_head_init(&head, &a);
	CHECK_OK(http_add(&head.fields, SPAN("Accept-Language"), span_str(value), &err),
		&err);
	size_t i = negotiate_language(&head.fields, tags, COUNT_OF(tags));
	arena_fini(&a);
	return i;
}

static void
the_language_liked_most_is_found(void)
{
	CHECK_INT(language("de-CH, en;q=0.9"), 1);
	CHECK_INT(language("ja, fr;q=0.2, de;q=0.1"), 2);
	CHECK_INT(language("ja"), 0);
	CHECK_INT(language("de;q=0"), 0);
	CHECK_INT(language(",,;q=,"), 0);
}

TESTS(the_most_exact_range_decides, weights_are_read_as_three_decimals,
	the_language_liked_most_is_found)
