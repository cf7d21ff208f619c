// SPDX-License-Identifier: Apache-2.0
#include "http/msg.h"

#include "tests/test.h"

static struct arena arena;

static void
start(struct http_head *head)
{
	arena_fini(&arena);
	arena_init(&arena, 256 * 1024);
	http_head_init(head, &arena);
}

static void
fields_keep_their_order_and_case(void)
{
	struct http_head head;
	struct err err;
	struct span all[2];

	start(&head);
	CHECK_OK(http_add(&head.fields, SPAN("X-A"), SPAN(" 1\t"), &err), &err);
	CHECK_OK(http_add(&head.fields, SPAN("Cookie"), SPAN("c"), &err), &err);
	CHECK_OK(http_add(&head.fields, SPAN("x-a"), SPAN(""), &err), &err);
	CHECK_SPAN(head.fields.v[0].name, "X-A");
	CHECK_SPAN(http_get(&head.fields, SPAN("x-A")), "1");
	CHECK_SPAN(http_get(&head.fields, SPAN("COOKIE")), "c");
	CHECK(http_get(&head.fields, SPAN("none")).p == NULL);
	CHECK_INT(http_get_all(&head.fields, SPAN("X-a"), all, 2), 2);
	CHECK_SPAN(all[0], "1");
	CHECK_SPAN(all[1], "");
	CHECK_INT(http_get_all(&head.fields, SPAN("x-a"), all, 1), 2);
}

static void
setting_replaces_all_in_the_place_of_the_first(void)
{
	struct http_head head;
	struct err err;

	start(&head);
	CHECK_OK(http_add(&head.fields, SPAN("a"), SPAN("1"), &err), &err);
	CHECK_OK(http_add(&head.fields, SPAN("b"), SPAN("2"), &err), &err);
	CHECK_OK(http_add(&head.fields, SPAN("A"), SPAN("3"), &err), &err);
	CHECK_OK(http_set(&head.fields, SPAN("a"), SPAN("4"), &err), &err);
	CHECK_INT(head.fields.n, 2);
	CHECK_SPAN(head.fields.v[0].value, "4");
	CHECK_SPAN(head.fields.v[1].name, "b");
	CHECK_OK(http_set(&head.fields, SPAN("c"), SPAN("5"), &err), &err);
	CHECK_INT(head.fields.n, 3);
}

static void
removing_takes_all_of_a_name_and_no_other(void)
{
	struct http_head head;
	struct err err;

	start(&head);
	CHECK_OK(http_add(&head.fields, SPAN("via"), SPAN("1"), &err), &err);
	CHECK_OK(http_add(&head.fields, SPAN("x"), SPAN("2"), &err), &err);
	CHECK_OK(http_add(&head.fields, SPAN("Via"), SPAN("3"), &err), &err);
	CHECK_INT(http_remove(&head.fields, SPAN("VIA")), 2);
	CHECK_INT(http_remove_id(&head.fields, HTTP_NAME_VIA), 0);
	CHECK_INT(head.fields.n, 1);
	CHECK_SPAN(head.fields.v[0].name, "x");
}

static void
identity_fields_go_in_every_spelling(void)
{
	struct http_head head;
	struct err err;

	start(&head);
	CHECK_OK(http_add(&head.fields, SPAN("X-SSL-Cert"), SPAN("1"), &err), &err);
	CHECK_OK(http_add(&head.fields, SPAN("x_ssl-Verify"), SPAN("2"), &err), &err);
	CHECK_OK(http_add(&head.fields, SPAN("x-ss"), SPAN("3"), &err), &err);
	CHECK_INT(http_remove_prefix(&head.fields, SPAN("x-ssl-")), 2);
	CHECK_SPAN(head.fields.v[0].name, "x-ss");
}

static void
what_would_break_a_line_is_not_added(void)
{
	static const struct {
		struct span name;
		struct span value;
	} bad[] = {
		{SPAN_INIT(""), SPAN_INIT("v")},
		{SPAN_INIT("a b"), SPAN_INIT("v")},
		{SPAN_INIT("a:"), SPAN_INIT("v")},
		{SPAN_INIT("a\r\nb"), SPAN_INIT("v")},
		{SPAN_INIT("a"), SPAN_INIT("v\r\nb: c")},
		{SPAN_INIT("a"), SPAN_INIT("v\n")},
		{SPAN_INIT("a"), SPAN_INIT("v\0")},
	};
	struct http_head head;

	start(&head);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct err err = {0};
		CHECK(!http_add(&head.fields, bad[i].name, bad[i].value, &err));
		CHECK_INT(err.code, ERR_HTTP_SYNTAX);
		CHECK_INT(head.fields.n, 0);
	}
}

static void
a_full_arena_refuses_and_does_not_abort(void)
{
	struct http_head head;
	struct err err = {0};
	unsigned n = 0;

	arena_fini(&arena);
	arena_init(&arena, 4096);
	http_head_init(&head, &arena);
	while (http_add(&head.fields, SPAN("name"), SPAN("value"), &err))
		n++;
	CHECK_INT(err.code, ERR_HTTP_TOO_LARGE);
	CHECK_INT(head.fields.n, n);
	CHECK(n > 16);
}

static void
a_copy_stands_on_its_own(void)
{
	struct http_head head;
	struct http_head copy;
	struct arena other;
	struct err err;

	start(&head);
	arena_init(&other, 8192);
	http_request_make(&head, &arena, HTTP_GET, SPAN("a.example"), SPAN("/x"));
	CHECK_OK(http_add(&head.fields, SPAN("a"), SPAN("1"), &err), &err);
	CHECK_OK(http_add(&head.trailers, SPAN("t"), SPAN("2"), &err), &err);
	CHECK_OK(http_head_copy(&copy, &head, &other, &err), &err);
	arena_fini(&arena);
	CHECK_SPAN(copy.path, "/x");
	CHECK_SPAN(copy.authority, "a.example");
	CHECK_SPAN(http_get(&copy.fields, SPAN("a")), "1");
	CHECK_SPAN(http_get(&copy.trailers, SPAN("t")), "2");
	CHECK(copy.fields.arena == &other);
	arena_fini(&other);
}

TESTS(fields_keep_their_order_and_case, setting_replaces_all_in_the_place_of_the_first,
	removing_takes_all_of_a_name_and_no_other, identity_fields_go_in_every_spelling,
	what_would_break_a_line_is_not_added, a_full_arena_refuses_and_does_not_abort,
	a_copy_stands_on_its_own)
