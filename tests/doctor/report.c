// SPDX-License-Identifier: Apache-2.0
#include "doctor/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tests/test.h"

static char masked[600];

static const char *
mask(const char *s)
{
	struct text t = text_to(masked, sizeof(masked));
	report_mask(span_str(s), "/home/alice", &t);
	return masked;
}

static void
the_home_directory_becomes_a_tilde(void)
{
	CHECK_STR(mask("/home/alice/.npmrc"), "~/.npmrc");
	CHECK_STR(mask("a=/home/alice:/home/alice"), "a=~:~");
	CHECK_STR(mask("/home/alicent/x"), "/home/alicent/x");
}

static void
credentials_in_addresses_are_masked(void)
{
	CHECK_STR(mask("http://me:pa@ss@proxy:3128/ x"), "http://***@proxy:3128/ x");
	CHECK_STR(mask("https://host/path@2"), "https://host/path@2");
	CHECK_STR(mask("https://tok3n@host/"), "https://***@host/");
}

static void
values_behind_the_names_of_secrets_are_masked(void)
{
	CHECK_STR(mask("//r.example/:_authToken=npm_abc def"),
		"//r.example/:_authToken=***");
	CHECK_STR(mask("Authorization: Basic dXNlcg==\nnext"),
		"Authorization:***\\x0anext");
	CHECK_STR(mask("\"password\": \"x\""), "\"password\":***");
	CHECK_STR(mask("API_KEY=1"), "API_KEY=***");
	CHECK_STR(mask("Bearer abc"), "Bearer ***");
	CHECK_STR(mask("a token ring"), "a token ring");
}

static void
control_octets_are_escaped_and_characters_kept(void)
{
	CHECK_STR(mask("a\033[31mb"), "a\\x1b[31mb");
	CHECK_STR(mask("\xe9\x96\xa2"), "\xe9\x96\xa2");
	CHECK_STR(mask("\xe9\x96"), "\\xe9\\x96");
}

static void
every_row_is_masked_when_it_is_added(void)
{
	struct report *r = report_new("/home/alice");
	report_add(r, REPORT_TOOLS, SPAN("npm"), SPAN("/home/alice/x http://a:b@c/"));
	CHECK_INT(r->n, 1);
	CHECK_STR(r->rows[0].value, "~/x http://***@c/");
	for (size_t i = 0; i < REPORT_ROWS; i++)
		report_add(r, REPORT_TOOLS, SPAN("x"), SPAN("y"));
	CHECK(r->n == REPORT_ROWS && r->cut);
	report_free(r);
	report_free(NULL);
}

static void
proxies_of_the_environment_are_told_without_passwords(void)
{
	bool seen = false;
	struct report *r = report_new("/home/alice");
	setenv("https_proxy", "http://me:hunter2@proxy:3128", 1);
	setenv("HTTP_PROXY", "me:hunter2@proxy:3128", 1);
	report_machine(r, "/nonexistent");
	for (size_t i = 0; i < r->n; i++) {
		CHECK(!strstr(r->rows[i].value, "hunter2"));
		seen = seen || strcmp(r->rows[i].value, "http://***@proxy:3128") == 0;
	}
	CHECK(seen);
	report_free(r);
}

TESTS(the_home_directory_becomes_a_tilde, credentials_in_addresses_are_masked,
	values_behind_the_names_of_secrets_are_masked,
	control_octets_are_escaped_and_characters_kept,
	every_row_is_masked_when_it_is_added,
	proxies_of_the_environment_are_told_without_passwords)
