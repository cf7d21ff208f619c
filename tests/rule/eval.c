// SPDX-License-Identifier: Apache-2.0
#include "tests/rule/scheme.h"
#include "tests/test.h"

static bool
holds(const char *text, const struct facts *f)
{
	struct scheme s;
	struct rule_expr *e = NULL;
	struct rule_error error;
	scheme_init(&s, test_fields, COUNT_OF(test_fields), NULL);
	CHECK(rule_compile(&s, span_str(text), (struct rule_options){0}, &e, &error));
	bool out = rule_eval(e, f);
	rule_free(e);
	scheme_fini(&s);
	return out;
}

static void
missing_makes_every_comparison_false(void)
{
	static const char *const texts[] = {"http.host == \"a\"", "http.host != \"a\"",
		"http.host contains \"\"", "http.host matches \"\"",
		"http.host wildcard \"*\"", "http.host in {\"\"}",
		"len(http.host) >= 0", "starts_with(http.host, \"\")",
		"any(http.request.domains[*] != \"x\")",
		"http.request.domains[0] != \"x\"",
		"http.request.headers[\"nope\"][0] != \"x\""};
	struct facts f = {.port = 1};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		CHECK(!holds(texts[i], &f));
	CHECK(holds("not http.host == \"a\"", &f));
	CHECK(holds("all(http.request.domains[*] == \"x\")", &f));
}

static void
arrays_combine_element_by_element(void)
{
	struct facts f = {.host = "a.b.c", .port = 1};
	CHECK(holds("any((http.request.domains[*] == \"b.c\" and "
		    "http.request.domains[*] contains \"b\"))",
		&f));
	CHECK(!holds("any((http.request.domains[*] == \"b.c\" and "
		     "http.request.domains[*] == \"c\"))",
		&f));
	CHECK(holds("all((http.request.domains[*] == \"b.c\" or "
		    "not http.request.domains[*] == \"b.c\"))",
		&f));
	CHECK(holds("any(http.request.headers[*][*] == \"*/*\")", &f));
	CHECK(holds("any(upper(http.request.domains[*])[*] == \"B.C\")", &f));
}

static void
families_of_addresses_are_only_unequal(void)
{
	struct facts f = {.port = 1};
	CHECK(holds("ip.src != ::1", &f) && !holds("ip.src == ::1", &f));
	CHECK(!holds("ip.src < ::1", &f) && !holds("ip.src > ::1", &f));
}

TESTS(missing_makes_every_comparison_false, arrays_combine_element_by_element,
	families_of_addresses_are_only_unequal)
