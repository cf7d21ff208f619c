// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "http/msg.h"
#include "tests/test.h"

static void
every_known_name_finds_itself(void)
{
	for (unsigned i = 1; i < HTTP_NAME_COUNT; i++) {
		struct span text = http_name_text((enum http_name)i);
		CHECK_INT(http_name_find(text), i);
	}
}

static void
names_are_found_without_regard_to_case(void)
{
	CHECK_INT(http_name_find(SPAN("CONTENT-Length")), HTTP_NAME_CONTENT_LENGTH);
	CHECK_INT(http_name_find(SPAN("te")), HTTP_NAME_TE);
	CHECK_INT(http_name_find(SPAN("tx")), HTTP_NAME_OTHER);
	CHECK_INT(http_name_find(SPAN("")), HTTP_NAME_OTHER);
	CHECK_INT(http_name_find(SPAN("proxy-authentication-inf_")), HTTP_NAME_OTHER);
}

static void
methods_keep_their_case(void)
{
	CHECK_INT(http_method_find(SPAN("GET")), HTTP_GET);
	CHECK_INT(http_method_find(SPAN("get")), HTTP_OTHER);
	CHECK_INT(http_method_find(SPAN("")), HTTP_OTHER);
	CHECK(http_method_repeats(HTTP_PUT) && !http_method_repeats(HTTP_POST));
}

static void
tokens_and_values_are_told_from_others(void)
{
	for (unsigned c = 0; c < 256; c++) {
		uint8_t text[17] = "aaaaaaaaaaaaaaaa";
		bool tchar = ascii_is_alpha((uint8_t)c) || ascii_is_digit((uint8_t)c) ||
			(c != 0 && strchr("!#$%&'*+-.^_`|~", (int)c));
		bool text_octet = c == '\t' || (c >= 0x20 && c != 0x7f);
		for (size_t at = 0; at < 16; at++) {
			text[at] = (uint8_t)c;
			CHECK_INT(http_is_token(span_of(text, 16)), tchar);
			CHECK_INT(http_is_value(span_of(text, 16)), text_octet);
			CHECK_INT(http_is_value(span_of(text, at + 1)), text_octet);
			text[at] = 'a';
		}
	}
	CHECK(!http_is_token(SPAN("")));
	CHECK(http_is_value(SPAN("")));
}

static void
reasons_and_failure_statuses_are_known(void)
{
	CHECK_SPAN(http_reason(421), "Misdirected Request");
	CHECK_SPAN(http_reason(299), "");
	CHECK_INT(http_error_status(ERR_HTTP_TOO_LARGE), 431);
	CHECK_INT(http_error_status(ERR_HTTP_VERSION), 505);
	CHECK_INT(http_error_status(ERR_HTTP_FRAMING), 400);
	CHECK_STR(http_version_text(HTTP_2), "HTTP/2");
}

TESTS(every_known_name_finds_itself, names_are_found_without_regard_to_case,
	methods_keep_their_case, tokens_and_values_are_told_from_others,
	reasons_and_failure_statuses_are_known)
