// SPDX-License-Identifier: Apache-2.0
#include "http/header.h"

#include "tests/test.h"

static struct arena arena;

static void
start(struct http_head *head, enum http_version version)
{
	arena_fini(&arena);
	arena_init(&arena, 256 * 1024);
	http_head_init(head, &arena);
	head->version = version;
}

static void
add(struct http_head *head, const char *name, const char *value)
{
	struct err err = {0};

	CHECK_OK(http_add(&head->fields, span_str(name), span_str(value), &err), &err);
}

static void
lists_split_at_commas_outside_quotes(void)
{
	struct span rest = SPAN(", a ,,\tb;c=\"x,\\\",y\",  ,d");
	struct span item;
	struct span params;
	struct span name;
	struct span value;

	CHECK(header_item(&rest, &item));
	CHECK_SPAN(item, "a");
	CHECK(header_item(&rest, &item));
	CHECK_SPAN(item, "b;c=\"x,\\\",y\"");
	CHECK_SPAN(header_item_name(item, &params), "b");
	CHECK(header_param(&params, &name, &value));
	CHECK_SPAN(name, "c");
	CHECK_SPAN(value, "x,\\\",y");
	CHECK(!header_param(&params, &name, &value));
	CHECK(header_item(&rest, &item));
	CHECK_SPAN(item, "d");
	CHECK(!header_item(&rest, &item));
}

static void
tokens_are_found_in_any_of_several_fields(void)
{
	struct http_head head;

	start(&head, HTTP_1_1);
	add(&head, "Connection", "a");
	add(&head, "connection", "b, CLOSE");
	CHECK(header_lists(&head.fields, HTTP_NAME_CONNECTION, SPAN("close")));
	CHECK(!header_lists(&head.fields, HTTP_NAME_CONNECTION, SPAN("clos")));
}

static void
fields_of_one_hop_go(void)
{
	static const char *const hop[] = {"Connection", "Keep-Alive",
		"Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade",
		"HTTP2-Settings", "Proxy-Authorization", "Proxy-Authenticate"};
	struct http_head head;

	start(&head, HTTP_1_1);
	add(&head, "A", "1");
	for (size_t i = 0; i < COUNT_OF(hop); i++)
		add(&head, hop[i], "x");
	add(&head, "B", "2");
	header_strip(&head);
	CHECK_INT(head.fields.n, 2);
	CHECK_SPAN(head.fields.v[0].name, "A");
	CHECK_SPAN(head.fields.v[1].name, "B");
}

static void
listed_fields_go_but_guarded_ones_stay(void)
{
	static const char *const kept[] = {"Host", "Content-Length", "Cookie", "Via",
		"Authorization", "X-Forwarded-For", "X-Forwarded-Custom", "Forwarded",
		"Sec-Fetch-Site", "Content-Encoding", "Origin", "Cf-Connecting-Ip",
		"If-Match", "Expect"};
	struct http_head head;

	start(&head, HTTP_1_1);
	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		add(&head, "Connection", kept[i]);
		add(&head, kept[i], "x");
	}
	add(&head, "connection", "x-mine, close, X-Other");
	add(&head, "X-Mine", "1");
	add(&head, "x-other", "2");
	header_strip(&head);
	CHECK_INT(head.fields.n, COUNT_OF(kept));
	for (size_t i = 0; i < COUNT_OF(kept); i++)
		CHECK(span_eq(head.fields.v[i].name, span_str(kept[i])));
}

static void
persistence_follows_version_and_tokens(void)
{
	static const struct {
		enum http_version version;
		const char *connection;
		bool close;
	} rows[] = {
		{HTTP_1_1, NULL, false},
		{HTTP_1_1, "keep-alive", false},
		{HTTP_1_1, "keep-alive, close", true},
		{HTTP_1_0, NULL, true},
		{HTTP_1_0, "keep-alive", false},
		{HTTP_1_0, "keep-alive, close", true},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct http_head head;
		struct err err = {0};
		start(&head, rows[i].version);
		if (rows[i].connection)
			add(&head, "Connection", rows[i].connection);
		CHECK_OK(header_learn(&head, &err), &err);
		CHECK_INT(head.close, rows[i].close);
	}
}

static void
expectations_of_old_clients_are_ignored(void)
{
	struct http_head head;
	struct err err = {0};

	start(&head, HTTP_1_0);
	add(&head, "Expect", "100-continue");
	CHECK_OK(header_learn(&head, &err), &err);
	CHECK(!head.expects_continue);
	head.version = HTTP_1_1;
	CHECK_OK(header_learn(&head, &err), &err);
	CHECK(head.expects_continue);
}

static void
via_tells_versions_and_loops(void)
{
	struct http_head head;
	struct err err = {0};

	start(&head, HTTP_1_0);
	add(&head, "Via", "1.1 a, HTTP/2 gate (x)");
	CHECK_OK(header_add_via(&head, SPAN("gate"), &err), &err);
	CHECK_SPAN(head.fields.v[1].value, "1.0 gate");
	CHECK_INT(header_count_via(&head, SPAN("Gate")), 2);
	CHECK_INT(header_count_via(&head, SPAN("gat")), 0);
}

static void
forwarded(enum header_forwarded how, struct ip ip, struct http_head *head)
{
	struct header_hop hop = {ip, SPAN("https"), SPAN("a.example:1")};
	struct err err = {0};

	start(head, HTTP_1_1);
	add(head, "X-Forwarded-For", "198.51.100.7");
	add(head, "X-Forwarded-For", "198.51.100.8");
	add(head, "X-Forwarded-Host", "evil");
	add(head, "Forwarded", "for=_x");
	CHECK_OK(header_forward(head, how, &hop, &err), &err);
}

static void
forwarded_fields_follow_policy(void)
{
	struct ip v4 = ip_v4(0xc0000201);
	struct ip v6;
	struct http_head head;

	CHECK(ip_parse(SPAN("2001:db8::1"), &v6));
	forwarded(HEADER_FORWARDED_KEEP, v4, &head);
	CHECK_INT(head.fields.n, 4);
	forwarded(HEADER_FORWARDED_REMOVE, v4, &head);
	CHECK_INT(head.fields.n, 0);
	forwarded(HEADER_FORWARDED_ADD, v4, &head);
	CHECK_SPAN(http_get(&head.fields, SPAN("x-forwarded-for")),
		"198.51.100.7, 198.51.100.8, 192.0.2.1");
	CHECK_SPAN(http_get(&head.fields, SPAN("x-forwarded-host")), "a.example:1");
	CHECK_SPAN(http_get(&head.fields, SPAN("forwarded")),
		"for=_x, for=192.0.2.1;host=\"a.example:1\";proto=https");
	forwarded(HEADER_FORWARDED_SET, v6, &head);
	CHECK_SPAN(http_get(&head.fields, SPAN("x-forwarded-for")), "2001:db8::1");
	CHECK_SPAN(http_get(&head.fields, SPAN("x-forwarded-proto")), "https");
	CHECK_SPAN(http_get(&head.fields, SPAN("forwarded")),
		"for=\"[2001:db8::1]\";host=\"a.example:1\";proto=https");
	CHECK_INT(head.fields.n, 4);
}

static void
media_types_are_read_strictly(void)
{
	CHECK_SPAN(header_media_type(SPAN("text/html; charset=utf-8")), "text/html");
	CHECK_SPAN(header_media_type(SPAN("text")), "");
	CHECK_SPAN(header_media_type(SPAN("text/")), "");
	CHECK_SPAN(header_media_type(SPAN("a/b/c")), "");
}

TESTS(lists_split_at_commas_outside_quotes, tokens_are_found_in_any_of_several_fields,
	fields_of_one_hop_go, listed_fields_go_but_guarded_ones_stay,
	persistence_follows_version_and_tokens, expectations_of_old_clients_are_ignored,
	via_tells_versions_and_loops, forwarded_fields_follow_policy,
	media_types_are_read_strictly)
