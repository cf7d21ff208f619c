// SPDX-License-Identifier: Apache-2.0
#include "doctor/plain.h"

#include "base/mem.h"
#include "doctor/sign.h"
#include "tests/test.h"

/* The letters of a text, compared. */
static void
check(struct span text, const char *want)
{
	struct plain p;
	char got[400];
	plain_init(&p, text, false);
	CHECK(span_copy(got, sizeof(got), span_of(p.letters, p.n)));
	CHECK_STR(got, want);
	plain_fini(&p);
}

static bool
found(const char *text, const char *sign, bool drop_prefixes)
{
	struct plain p;
	size_t at = 0;
	plain_init(&p, span_str(text), drop_prefixes);
	bool ok = sign_find(&p, sign, &at);
	plain_fini(&p);
	return ok;
}

static void
letters_and_digits_are_kept_in_lower_case(void)
{
	check(SPAN("Self-signed_CERT (19)!\r\n"), "selfsignedcert19");
	check(SPAN(""), "");
}

static void
colours_and_titles_are_skipped(void)
{
	check(SPAN("\033[1;31merr\033[0mor \033]0;title\007x \xc2\x9b"
		   "31my"),
		"errorxy");
	check(SPAN("\\u001b[31mred\\x1b[0m \\033[1mbold^[[0mplain"), "redboldplain");
}

static void
escapes_of_json_are_blanks(void)
{
	check(SPAN("certificate\\nverify\\\\n \\\"failed\\\" \\u8a3c"),
		"certificateverifyfailed\xe8\xa8\xbc");
}

static void
utf16_is_read_by_its_mark(void)
{
	check(SPAN("\xff\xfe"
		   "a\0B\0\x3c\x8a"),
		"ab\xe8\xa8\xbc");
	check(SPAN("\xfe\xff\0a\0B"), "ab");
}

static void
what_is_not_utf8_is_skipped(void)
{
	check(SPAN("a\xff\xc3(b\xe8\xa8"), "ab");
	check(SPAN("\xe2\x94\x82 \xe2\x80\x98x\xe2\x80\x99 \xe3\x80\x8c\xe3\x81\x82"),
		"x\xe3\x81\x82");
}

static void
a_sign_is_found_whatever_the_wrapping(void)
{
	CHECK(found(
		"curl error 35: Open\nSSL/3.0: unsafe legacy renegotiation disa\nbled",
		"unsafe legacy renegotiation disabled", false));
	CHECK(found("SELF_SIGNED\nCERT", "self signed cert", false));
	CHECK(!found("self made", "self signed", false));
}

static void
a_sign_knows_gaps_ends_and_what_may_not_follow(void)
{
	CHECK(found("is valid for a, b, not c", "is valid for*, not", false));
	CHECK(!found("not valid", "valid*not", false));
	CHECK(found("alert number 48", "alert number 48$", false));
	CHECK(!found("alert number 480", "alert number 48$", false));
	CHECK(!found("self-signed certificate in certificate chain",
		"self-signed certificate!in c", false));
	CHECK(found("self-signed certificate", "self-signed certificate!in c", false));
	CHECK(found("code=-9807", "-9807$", false));
	CHECK(!found("code 9807", "-9807$", false));
	CHECK(found("npm ERR! code E407", "npm ERR! code E407", false));
	CHECK(found("x one", "^one", false) && !found("xone", "^one", false));
}

static void
log_prefixes_do_not_tear_a_wrapped_message(void)
{
	CHECK(found("web-1  | unable to get local iss\nweb-1  | uer certificate",
		"unable to get local issuer certificate", true));
	CHECK(found("2026-11-20T10:00:00Z [build] ERROR unable to get\n"
		    "2026-11-20T10:00:01Z [build] ERROR local issuer certificate",
		"unable to get local issuer certificate", true));
}

static void
of_a_long_text_the_end_is_read(void)
{
	size_t n = PLAIN_MAX * 2;
	uint8_t *p = mem_alloc(n);
	struct plain plain;
	size_t at = 0;
	for (size_t i = 0; i < n; i++)
		p[i] = 'x';
	p[n - 3] = 'e';
	plain_init(&plain, span_of(p, n), false);
	CHECK_INT(plain.n, PLAIN_MAX);
	CHECK(sign_find(&plain, "xexx", &at) && at == plain.n - 4);
	plain_fini(&plain);
	mem_free(p);
}

TESTS(letters_and_digits_are_kept_in_lower_case, colours_and_titles_are_skipped,
	escapes_of_json_are_blanks, utf16_is_read_by_its_mark,
	what_is_not_utf8_is_skipped, a_sign_is_found_whatever_the_wrapping,
	a_sign_knows_gaps_ends_and_what_may_not_follow,
	log_prefixes_do_not_tear_a_wrapped_message, of_a_long_text_the_end_is_read)
