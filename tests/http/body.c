// SPDX-License-Identifier: Apache-2.0
#include "http/body.h"

#include "http/msg.h"
#include "tests/test.h"

static void
lengths_are_plain_digits_below_2_63(void)
{
	uint64_t n = 7;

	CHECK(body_length_parse(SPAN("0"), &n) && n == 0);
	CHECK(body_length_parse(SPAN("007"), &n) && n == 7);
	CHECK(body_length_parse(SPAN("9223372036854775807"), &n) && n == INT64_MAX);
	CHECK(!body_length_parse(SPAN("9223372036854775808"), &n));
	CHECK(!body_length_parse(SPAN(""), &n));
	CHECK(!body_length_parse(SPAN("1 "), &n));
	CHECK(!body_length_parse(SPAN("+1"), &n));
}

/* RFC 9112 §6.3: what follows a response, by status, method asked and fields. */
static const struct {
	unsigned status;
	enum http_method asked;
	const char *name; /* one field, or NULL */
	const char *value;
	enum body_kind kind;
	bool doubt;
} responses[] = {
	{200, HTTP_GET, NULL, NULL, BODY_CLOSE, false},
	{200, HTTP_GET, "content-length", "5", BODY_LENGTH, false},
	{200, HTTP_GET, "transfer-encoding", "chunked", BODY_CHUNKED, false},
	{200, HTTP_HEAD, NULL, NULL, BODY_NONE, false},
	{200, HTTP_HEAD, "content-length", "5", BODY_NONE, false},
	{200, HTTP_HEAD, "transfer-encoding", "chunked", BODY_NONE, false},
	{304, HTTP_GET, "content-length", "5", BODY_NONE, false},
	{304, HTTP_GET, "transfer-encoding", "chunked", BODY_NONE, false},
	{204, HTTP_GET, "content-length", "0", BODY_NONE, false},
	{204, HTTP_GET, "content-length", "5", BODY_NONE, true},
	{204, HTTP_GET, "transfer-encoding", "chunked", BODY_NONE, true},
	{204, HTTP_HEAD, "content-length", "5", BODY_NONE, true},
	{103, HTTP_GET, "content-length", "5", BODY_NONE, true},
	{200, HTTP_CONNECT, "content-length", "5", BODY_NONE, true},
	{200, HTTP_CONNECT, NULL, NULL, BODY_NONE, false},
	{407, HTTP_CONNECT, "content-length", "5", BODY_LENGTH, false},
	{500, HTTP_OTHER, NULL, NULL, BODY_CLOSE, false},
};

static void
responses_have_the_body_that_status_and_method_say(void)
{
	struct arena a;

	arena_init(&a, 65536);
	for (size_t i = 0; i < COUNT_OF(responses); i++) {
		struct http_head head;
		struct http_body body = {0};
		struct err err = {0};
		bool doubt = false;

		http_head_init(&head, &a);
		head.version = HTTP_1_1;
		head.status = responses[i].status;
		if (responses[i].name) {
			CHECK_OK(http_add(&head.fields, span_str(responses[i].name),
					 span_str(responses[i].value), &err),
				&err);
		}
		CHECK_OK(body_of_response(
				 &head, responses[i].asked, &body, &doubt, &err),
			&err);
		CHECK_INT(body.kind, responses[i].kind);
		CHECK_INT(doubt, responses[i].doubt);
		CHECK_INT(body.length, body.kind == BODY_LENGTH ? 5 : 0);
	}
	arena_fini(&a);
}

static void
a_refused_framing_leaves_the_output_alone(void)
{
	struct http_body body = {BODY_LENGTH, 77};
	struct http_head head;
	struct arena a;
	struct err err = {0};

	arena_init(&a, 65536);
	http_head_init(&head, &a);
	CHECK_OK(http_add(&head.fields, SPAN("content-length"), SPAN("x"), &err), &err);
	CHECK(!body_of_request(&head, &body, &err));
	CHECK_INT(err.code, ERR_HTTP_FRAMING);
	CHECK(body.kind == BODY_LENGTH && body.length == 77);
	arena_fini(&a);
}

TESTS(lengths_are_plain_digits_below_2_63,
	responses_have_the_body_that_status_and_method_say,
	a_refused_framing_leaves_the_output_alone)
