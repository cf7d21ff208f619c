// SPDX-License-Identifier: Apache-2.0
#include "rule/lint.h"

#include <string.h>

#include "base/text.h"
#include "tests/rule/scheme.h"
#include "tests/test.h"

static const struct policy_action block = {
	"block", PHASE_RESPONSE, PHASE_ACCEPT, true, false};

struct count {
	struct lint lint;
	const char *id;
	size_t found;
	size_t others;
	struct lint_finding last;
};

static void
found(struct lint *l, const struct lint_finding *f)
{
	struct count *c = CONTAINER_OF(l, struct count, lint);
	if (strcmp(f->id, c->id) != 0) {
		c->others++;
		return;
	}
	c->found++;
	c->last = *f;
}

static struct count
lint(const char *id, const char *first, const char *second)
{
	struct scheme s;
	struct rule_error error;
	struct count c = {.lint.found = found, .id = id};
	scheme_init(&s, test_fields, COUNT_OF(test_fields), NULL);
	struct policy *p = policy_new(&s);
	struct policy_rule rule = {
		.name = SPAN("a"), .text = span_str(first), .action = &block};
	CHECK(policy_add(p, &rule, &error));
	rule.name = SPAN("b");
	rule.text = span_str(second);
	if (second != NULL)
		CHECK(policy_add(p, &rule, &error));
	lint_policy(&c.lint, p);
	policy_free(p);
	scheme_fini(&s);
	return c;
}

static void
each_lint_finds_what_it_is_for(void)
{
	static const struct {
		const char *id;
		const char *rule;
	} rows[] = {
		{"warning", "ssl andssl"},
		{"block-bypass-group", "any(app.type.ids[*] in {16})"},
		{"block-bypass-group", "any(app.type.ids[*] == 16)"},
		{"regex-literal", "http.host matches \"^a\\.example$\""},
		{"regex-literal", "http.host matches \"\\.example\\.com$\""},
		{"regex-literal", "http.request.uri.path matches \"^/api/\""},
		{"regex-literal", "http.host matches \".*\\.example$\""},
		{"regex-dots", "http.host matches \"^(www|api).example.com$\""},
		{"regex-stars", "http.host matches \".*a[bc].*\""},
		{"negated-missing", "http.request.headers[\"x\"][0] != \"a\""},
		{"host-subdomains", "http.request.host == \"example.com\""},
		{"host-subdomains",
			"http.request.host in {\"example.com\" \"b.example.org\"}"},
		{"public-suffix", "any(http.request.domains[*] == \"com\")"},
		{"public-suffix", "http.host wildcard \"*.com\""},
		{"revoked", "not cf.tls_client_auth.cert_verified"},
		{"set-covered", "cf.edge.server_port in {80 1..100}"},
		{"set-covered", "ip.src in {10/8 10.1.0.0/16}"},
		{"set-covered", "http.host in {\"a\" \"a\"}"},
		{"set-covered",
			"any(http.request.domains[*] in {\"b.a.example\" "
			"\"a.example\"})"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct count c = lint(rows[i].id, rows[i].rule, NULL);
		if (c.found != 1)
			print_error("%s: %s\n", rows[i].id, rows[i].rule);
		CHECK_INT(c.found, 1);
	}
}

/* There a host is a site's name, and others do not come. */
static void
an_edge_compares_its_hosts_whole(void)
{
	struct scheme s;
	struct rule_error error;
	struct count c = {.lint = {.found = found, .hosts_are_own = true},
		.id = "host-subdomains"};
	const struct policy_rule rule = {.name = SPAN("a"),
		.text = SPAN("http.request.host == \"example.com\""),
		.action = &block};
	scheme_init(&s, test_fields, COUNT_OF(test_fields), NULL);
	struct policy *p = policy_new(&s);
	CHECK(policy_add(p, &rule, &error));
	lint_policy(&c.lint, p);
	CHECK_INT(c.found, 0);
	policy_free(p);
	scheme_fini(&s);
}

static void
rules_that_are_meant_as_they_stand_are_left_alone(void)
{
	static const char *const rules[] = {
		"any(http.request.domains[*] == \"example.com\")",
		"http.request.host == \"www.example.com\"",
		"http.host matches \"^(www|api)\\.example\\.com$\"",
		"http.request.uri.path matches \"^/v[0-9]+/.*$\"",
		("cf.tls_client_auth.cert_verified and not "
		 "cf.tls_client_auth.cert_revoked"),
		"cf.edge.server_port in {80 81 443}",
		"not http.request.headers[\"x\"][0] == \"a\"",
		"ip.src in {10.0.0.0/9 10.128.0.0/9}",
	};
	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		struct count c = lint("none", rules[i], NULL);
		if (c.others > 0)
			print_error("%s\n", rules[i]);
		CHECK_INT(c.others, 0);
	}
}

static void
a_rule_behind_one_that_always_decides_first_is_shadowed(void)
{
	static const struct {
		const char *first;
		const char *second;
		bool shadowed;
	} rows[] = {
		{"", "http.host == \"a\"", false}, /* another phase: both decide */
		{"ssl", "ssl and ip.src == 10.0.0.1", true},
		{"ssl or ip.src == 10.0.0.1", "ip.src == 10.0.0.1", true},
		{"http.host in {\"a\" \"b\"}", "http.host == \"a\"", true},
		{"http.host == \"a\"", "http.host in {\"a\" \"b\"}", false},
		{"any(http.request.domains[*] in {\"a\" \"b\"})",
			"any(http.request.domains[*] in {\"b\"}) and ssl", true},
		{"(http.host == \"a\")", "http.host eq r\"a\"", true},
		{"ssl", "not ssl", false},
		{"ip.src in {10.0.0.0/8}", "ip.src == 10.1.1.1 and ssl", true},
		{"ip.src in {10.0.0.0/8}", "ip.src in {10.1/16 11.0.0.1}", false},
		{"cf.edge.server_port in {80..90 443}",
			"cf.edge.server_port in {443 81..89}", true},
		{"cf.edge.server_port == 80", "cf.edge.server_port in {80 81}", false},
		{"cf.edge.server_port > 80", "cf.edge.server_port == 81", false},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct count c = lint("shadowed", rows[i].first, rows[i].second);
		if (c.found != rows[i].shadowed)
			print_error("%s | %s\n", rows[i].first, rows[i].second);
		CHECK_INT(c.found, rows[i].shadowed);
	}
}

static void
a_finding_has_its_place_and_a_proposal(void)
{
	struct count c = lint("regex-literal",
		"ssl and\n http.host matches \"\\.example\\.com$\"", NULL);
	CHECK_INT(c.last.at.line, 2);
	CHECK_INT(c.last.at.col, 2);
	CHECK_STR(c.last.at.hint, "any(http.request.domains[*] == \"example.com\")");
}

TESTS(each_lint_finds_what_it_is_for, an_edge_compares_its_hosts_whole,
	rules_that_are_meant_as_they_stand_are_left_alone,
	a_rule_behind_one_that_always_decides_first_is_shadowed,
	a_finding_has_its_place_and_a_proposal)
