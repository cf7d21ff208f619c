// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "rule/print_priv.h"
#include "tests/rule/scheme.h"
#include "tests/test.h"

static void
a_range_is_a_network_only_when_it_is_one(void)
{
	static const struct {
		const char *from;
		const char *to;
		int bits;
	} rows[] = {{"10.0.0.0", "10.255.255.255", 8}, {"10.0.0.0", "10.0.0.0", 32},
		{"10.0.0.1", "10.0.0.2", -1}, {"0.0.0.0", "255.255.255.255", 0},
		{"::", "::1", 127}, {"10.0.0.0", "10.0.0.2", -1}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct ip from;
		struct ip to;
		unsigned bits = 999;
		CHECK(ip_parse(span_str(rows[i].from), &from));
		CHECK(ip_parse(span_str(rows[i].to), &to));
		CHECK_INT(print_network_bits(&from, &to, &bits), rows[i].bits >= 0);
		CHECK(rows[i].bits < 0 || bits == (unsigned)rows[i].bits);
	}
}

/* What a quoted literal cannot hold takes the raw form, with marks enough. */
static void
any_octets_print_as_a_literal_that_reads_back(void)
{
	static const char *const texts[] = {"http.host == \"\\x00\\xff\\\"\\\\\"",
		"http.host matches r##\"a\"#b\"##", "http.host matches \"[\\\"]\"",
		"http.host == r#\"q\"q\"#",
		"http.request.headers[\"a\\x22\"][0] == \"\xc3\xa9\""};
	struct scheme s;
	scheme_init(&s, test_fields, COUNT_OF(test_fields), NULL);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct rule_expr *e = NULL;
		struct rule_expr *again = NULL;
		struct rule_error error;
		char one[200];
		char two[200];
		struct text t = text_to(one, sizeof(one));
		struct text u = text_to(two, sizeof(two));
		CHECK(rule_compile(
			&s, span_str(texts[i]), (struct rule_options){0}, &e, &error));
		rule_put(&t, e);
		CHECK(rule_compile(
			&s, text_span(&t), (struct rule_options){0}, &again, &error));
		rule_put(&u, again);
		CHECK_STR(one, two);
		rule_free(e);
		rule_free(again);
	}
	scheme_fini(&s);
}

TESTS(a_range_is_a_network_only_when_it_is_one,
	any_octets_print_as_a_literal_that_reads_back)
