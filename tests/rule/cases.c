// SPDX-License-Identifier: Apache-2.0
#include "rule/cases.h"

#include "tests/rule/scheme.h"
#include "tests/test.h"

static const struct policy_action bypass = {
	"bypass", PHASE_HELLO, PHASE_ACCEPT, true, false};
static const struct policy_action block = {
	"block", PHASE_RESPONSE, PHASE_ACCEPT, true, false};

static struct selftest
run(const char *json, bool good)
{
	struct scheme s;
	struct rule_error error;
	struct selftest count;
	struct err err = {0};
	scheme_init(&s, test_fields, COUNT_OF(test_fields), NULL);
	struct policy *p = policy_new(&s);
	struct policy_rule rule = {.name = SPAN("bank"),
		.text = SPAN("any(http.request.domains[*] == \"bank.example\")"),
		.action = &bypass};
	CHECK(policy_add(p, &rule, &error));
	rule = (struct policy_rule){.name = SPAN("path"),
		.text = SPAN("http.request.uri.path == \"/x\" or identity.groups.name "
			     "== \"g\""),
		.options = {.dialect = RULE_GATEWAY},
		.action = &block};
	CHECK(policy_add(p, &rule, &error));
	policy_seal(p);
	CHECK_INT(cases_run(p, span_str(json), &count, &err), good);
	policy_free(p);
	scheme_fini(&s);
	return count;
}

static void
expectations_are_held_against_the_rules(void)
{
	struct selftest c =
		run("{\"cases\": ["
		    "{\"name\": \"1\", \"facts\": {\"http.request.host\": "
		    "\"www.bank.example\"}, "
		    "\"expect\": \"bypass\", \"rule\": \"bank\"},"
		    "{\"name\": \"2\", \"facts\": {\"http.request.host\": \"a\", "
		    "\"http.request.uri.path\": \"/x\"}, \"expect\": \"block\"},"
		    "{\"name\": \"3\", \"facts\": {\"identity.groups.name\": [\"g\"]}, "
		    "\"expect\": \"block\"},"
		    "{\"name\": \"4\", \"facts\": {\"http.request.host\": \"a\"}, "
		    "\"expect\": \"none\"}]}",
			true);
	CHECK_INT(c.passed, 4);
	CHECK_INT(c.failed, 0);
}

static void
a_difference_is_counted(void)
{
	struct selftest c =
		run("{\"cases\": ["
		    "{\"name\": \"1\", \"facts\": {}, \"expect\": \"block\"},"
		    "{\"name\": \"2\", \"facts\": {\"http.request.host\": "
		    "\"bank.example\"}, \"expect\": \"bypass\", \"rule\": \"path\"}]}",
			true);
	CHECK_INT(c.failed, 2);
}

static void
a_field_that_does_not_exist_is_no_case(void)
{
	run("{\"cases\": [{\"facts\": {\"http.hst\": \"a\"}, \"expect\": \"none\"}]}",
		false);
	run("{\"cases\": [{\"facts\": {\"ip.src\": 5}, \"expect\": \"none\"}]}", false);
	run("{\"cases\": [{\"facts\": {}}]}", false);
	run("[]", false);
}

TESTS(expectations_are_held_against_the_rules, a_difference_is_counted,
	a_field_that_does_not_exist_is_no_case)
