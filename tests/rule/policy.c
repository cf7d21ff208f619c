// SPDX-License-Identifier: Apache-2.0
#include "rule/policy.h"

#include <string.h>

#include "base/text.h"
#include "rule/set.h"
#include "tests/test.h"

struct facts {
	struct facts_base base;
	const char *host;
	const char *path;
	const char *sni;
};

static struct value
optional(const char *s)
{
	return s == NULL ? value_missing() : value_string(span_str(s));
}

static struct value
get_host(const struct facts *f, const struct field *row)
{
	(void)row;
	return optional(f->base.reached >= PHASE_REQUEST ? f->host : f->sni);
}

static struct value
get_domains(const struct facts *f, const struct field *row)
{
	struct value v = get_host(f, row);
	return v.kind == VALUE_MISSING ? v : value_domains(v.s);
}

static struct value
get_path(const struct facts *f, const struct field *row)
{
	(void)row;
	return optional(f->base.reached >= PHASE_REQUEST ? f->path : NULL);
}

static struct value
get_ip(const struct facts *f, const struct field *row)
{
	(void)f, (void)row;
	return value_ip(ip_v4(0x0a000001));
}

// clang-format off
static const struct field fields[] = {
	{.name = "ip.src", .type = TYPE_IP, .phase = PHASE_ACCEPT, .get = get_ip},
	{.name = "host", .type = TYPE_STRING, .phase = PHASE_HELLO, .get = get_host,
		.flags = FIELD_HOST, .again = 1 << PHASE_REQUEST},
	{.name = "domains", .type = TYPE_STRINGS, .phase = PHASE_HELLO, .get = get_domains,
		.flags = FIELD_HOST, .again = 1 << PHASE_REQUEST},
	{.name = "path", .type = TYPE_STRING, .phase = PHASE_REQUEST, .get = get_path},
};

static const struct policy_action bypass = {"bypass", PHASE_PEER, PHASE_ACCEPT, true, false};
static const struct policy_action block = {"block", PHASE_RESPONSE, PHASE_ACCEPT, true, true};
static const struct policy_action allow = {"allow", PHASE_RESPONSE, PHASE_ACCEPT, true, true};
static const struct policy_action note = {"log", PHASE_RESPONSE, PHASE_ACCEPT, false, true};
// clang-format on

struct setup {
	struct scheme scheme;
	struct lists *lists;
	struct policy *policy;
	struct facts facts;
	struct verdict_record v;
};

static void
set_up(struct setup *s)
{
	*s = (struct setup){.lists = lists_new()};
	struct err err = {0};
	struct span items[] = {SPAN("bad.example"), SPAN(".worse.example")};
	CHECK_OK(lists_add(s->lists,
			 &(struct list_source){.name = SPAN("bad"), .type = TYPE_NONE},
			 items, 2, &err),
		&err);
	scheme_init(&s->scheme, fields, COUNT_OF(fields), s->lists);
	s->policy = policy_new(&s->scheme);
	verdict_init(&s->v);
}

static void
tear_down(struct setup *s)
{
	policy_free(s->policy);
	scheme_fini(&s->scheme);
	lists_free(s->lists);
}

static void
add(struct setup *s, const char *name, const char *text, const struct policy_action *a)
{
	struct rule_error error;
	struct policy_rule rule = {
		.name = span_str(name), .text = span_str(text), .action = a};
	if (!policy_add(s->policy, &rule, &error))
		print_error("%s: %s\n", name, error.message);
	CHECK_INT(policy_size(s->policy) > 0, 1);
}

static uint32_t
decide(struct setup *s, enum phase phase)
{
	s->facts.base.reached = phase;
	return policy_decide(s->policy, phase, &s->facts, &s->v);
}

static void
the_first_deciding_match_wins_and_notes_are_kept_wherever_they_stand(void)
{
	struct setup s;
	set_up(&s);
	add(&s, "far", "host == \"x.example\"", &block);
	add(&s, "before", "ip.src == 10.0.0.1", &note);
	add(&s, "first", "host == \"a.example\"", &allow);
	add(&s, "second", "host contains \"a\"", &block);
	add(&s, "after", "host contains \"a\"", &note);
	policy_seal(s.policy);
	s.facts.sni = "a.example";
	CHECK_INT(decide(&s, PHASE_HELLO), 2);
	CHECK_INT(s.v.n_noted, 2);
	CHECK_INT(s.v.noted[0], 1);
	CHECK_INT(s.v.noted[1], 4);
	tear_down(&s);
}

static void
a_rule_about_the_host_is_decided_again_when_the_request_names_another(void)
{
	struct setup s;
	set_up(&s);
	add(&s, "front", "any(domains[*] == \"evil.example\")", &block);
	add(&s, "pass", "host == \"front.example\"", &bypass);
	policy_seal(s.policy);
	s.facts.sni = "cdn.example";
	s.facts.host = "x.evil.example";
	CHECK_INT(decide(&s, PHASE_HELLO), RULE_NONE);
	CHECK_INT(decide(&s, PHASE_REQUEST), 0);
	tear_down(&s);
}

static void
phases_left_out_are_caught_up_with_but_never_too_late_for_an_action(void)
{
	struct setup s;
	set_up(&s);
	add(&s, "pass", "host == \"a.example\"", &bypass);
	add(&s, "all", "", &note);
	policy_seal(s.policy);
	s.facts.host = "a.example";
	CHECK_INT(decide(&s, PHASE_REQUEST), RULE_NONE);
	CHECK_INT(s.v.n_noted, 1);
	tear_down(&s);
}

static void
a_rule_that_is_known_too_late_for_its_action_is_refused_with_its_column(void)
{
	struct setup s;
	struct rule_error error;
	set_up(&s);
	struct policy_rule rule = {.name = SPAN("late"),
		.text = SPAN("ip.src == 10.0.0.1 and\n starts_with(path, \"/x\")"),
		.action = &bypass};
	CHECK(!policy_add(s.policy, &rule, &error));
	CHECK_INT(error.line, 2);
	CHECK_INT(error.col, 14);
	CHECK(strstr(error.message, "path") && strstr(error.message, "bypass"));
	tear_down(&s);
}

static void
a_dry_run_rule_is_recorded_and_does_not_decide(void)
{
	struct setup s;
	struct rule_error error;
	set_up(&s);
	struct policy_rule rule = {.name = SPAN("dry"),
		.text = SPAN("true"),
		.action = &block,
		.dry_run = true};
	CHECK(policy_add(s.policy, &rule, &error));
	add(&s, "real", "true", &allow);
	policy_seal(s.policy);
	CHECK_INT(decide(&s, PHASE_ACCEPT), 1);
	CHECK_INT(s.v.dry[PHASE_ACCEPT], 0);
	tear_down(&s);
}

static void
lists_with_suffixes_are_found_through_the_index(void)
{
	static const struct {
		const char *host;
		bool by_host;
		bool by_domain;
	} rows[] = {{"bad.example", true, true}, {"x.bad.example", false, true},
		{"worse.example", true, true}, {"y.worse.example", true, true},
		{"good.example", false, false}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct setup s;
		set_up(&s);
		add(&s, "host", "host in $bad", &note);
		add(&s, "domain", "path == \"/\" and any(domains[*] in $bad)", &note);
		policy_seal(s.policy);
		s.facts.host = s.facts.sni = rows[i].host;
		s.facts.path = "/";
		decide(&s, PHASE_HELLO);
		decide(&s, PHASE_REQUEST);
		CHECK_INT(s.v.n_noted, rows[i].by_host + rows[i].by_domain);
		tear_down(&s);
	}
}

/* Deterministic; the same for every run. */
static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

static const char *const parts[] = {"host == \"a.example\"",
	"host in {\"b.example\" \"c\"}", "any(domains[*] == \"example\")",
	"host in $bad", "any(domains[*] in $bad)", "path matches \"^/a\"",
	"path matches \"b$\"", "ip.src == 10.0.0.1", "path == \"/ab\"", "false",
	"not host == \"c\"", "host contains \"e\""};

static void
random_condition(uint32_t *state, unsigned depth, struct text *t)
{
	if (depth == 0 || next_random(state) % 3 == 0) {
		text_add(t, "%s", parts[next_random(state) % COUNT_OF(parts)]);
		return;
	}
	text_add(t, "(");
	random_condition(state, depth - 1, t);
	text_add(t, next_random(state) % 2 ? " and " : " or ");
	random_condition(state, depth - 1, t);
	text_add(t, ")");
}

/* Whatever the index leaves out would not have matched. */
static void
the_index_never_changes_a_verdict(void)
{
	static const char *const hosts[] = {
		"a.example", "b.example", "c", "x.bad.example", "worse.example", "z"};
	static const char *const paths[] = {"/ab", "/", "/b", "/x"};
	struct setup s;
	uint32_t state = 7;
	set_up(&s);
	for (size_t i = 0; i < 300; i++) {
		char text[2000];
		struct text t = text_to(text, sizeof(text));
		random_condition(&state, 3, &t);
		add(&s, "r", text, &note);
	}
	policy_seal(s.policy);
	for (size_t i = 0; i < COUNT_OF(hosts) * COUNT_OF(paths); i++) {
		s.facts = (struct facts){{PHASE_REQUEST}, hosts[i / COUNT_OF(paths)],
			paths[i % COUNT_OF(paths)], NULL};
		verdict_init(&s.v);
		decide(&s, PHASE_REQUEST);
		size_t held = 0;
		for (uint32_t r = 0; r < policy_size(s.policy); r++)
			held += rule_eval(policy_expr(s.policy, r), &s.facts);
		CHECK_INT(s.v.n_noted + s.v.n_lost, held);
	}
	tear_down(&s);
}

static void
explain_names_rules_parts_and_what_is_missing(void)
{
	struct setup s;
	char text[4000];
	struct text t = text_to(text, sizeof(text));
	set_up(&s);
	add(&s, "one", "host == \"a.example\" and path == \"/\"", &block);
	policy_seal(s.policy);
	s.facts = (struct facts){{PHASE_REQUEST}, "a.example", NULL, NULL};
	policy_explain(&t, s.policy, &s.facts);
	CHECK(strstr(
		text, "no      rule one: block in phase request; first missing: path"));
	CHECK(strstr(text, "true    host == \"a.example\"  -- is \"a.example\""));
	CHECK(strstr(text, "false   path == \"/\"  -- path is missing"));
	CHECK(strstr(text, "phase request: nothing decides"));
	tear_down(&s);
}

TESTS(the_first_deciding_match_wins_and_notes_are_kept_wherever_they_stand,
	a_rule_about_the_host_is_decided_again_when_the_request_names_another,
	phases_left_out_are_caught_up_with_but_never_too_late_for_an_action,
	a_rule_that_is_known_too_late_for_its_action_is_refused_with_its_column,
	a_dry_run_rule_is_recorded_and_does_not_decide,
	lists_with_suffixes_are_found_through_the_index,
	the_index_never_changes_a_verdict,
	explain_names_rules_parts_and_what_is_missing)
