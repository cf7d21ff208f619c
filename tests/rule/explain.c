// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/text.h"
#include "tests/rule/scheme.h"
#include "tests/test.h"

static void
parts_are_told_with_what_was_seen(void)
{
	struct scheme s;
	struct rule_expr *e = NULL;
	struct rule_error error;
	char out[1000];
	struct text t = text_to(out, sizeof(out));
	struct facts f = {.host = "a.example", .port = 443};
	scheme_init(&s, test_fields, COUNT_OF(test_fields), NULL);
	CHECK(rule_compile(&s,
		SPAN("http.host == \"b\" or not (cf.edge.server_port == 443 and "
		     "http.request.uri.path == \"/\")"),
		(struct rule_options){0}, &e, &error));
	rule_explain(&t, e, &f);
	CHECK(strstr(out, "false   http.host == \"b\"  -- is \"a.example\"\n"));
	CHECK(strstr(out, "cf.edge.server_port == 443  -- is 443\n"));
	CHECK(strstr(out,
		"http.request.uri.path == \"/\"  -- http.request.uri.path is missing"));
	CHECK_STR(rule_missing(e, &f)->name, "http.request.uri.path");
	f.path = "/";
	CHECK(rule_missing(e, &f) == NULL);
	rule_free(e);
	scheme_fini(&s);
}

TESTS(parts_are_told_with_what_was_seen)
