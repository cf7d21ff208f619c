// SPDX-License-Identifier: Apache-2.0
#include "gate/acts.h"

#include "base/text.h"

/* In the order of enum act_kind, aliases behind. */
const struct policy_action act_rows[] = {
	[ACT_BYPASS] = {.name = "bypass", .latest = PHASE_HELLO, .deciding = true},
	[ACT_ALLOW] = {.name = "allow",
		.latest = PHASE_RESPONSE_BODY,
		.deciding = true},
	[ACT_BLOCK] = {.name = "block", .latest = PHASE_RESPONSE, .deciding = true},
	[ACT_LOG] = {.name = "log", .latest = PHASE_RESPONSE_BODY},
	{0},
};

static const struct {
	const char *name;
	enum act_kind kind;
} names[] = {
	{"bypass", ACT_BYPASS},
	{"off", ACT_BYPASS}, /* as published Gateway rules call it */
	{"allow", ACT_ALLOW},
	{"block", ACT_BLOCK},
	{"log", ACT_LOG},
};

static bool
find_action(struct span name, enum act_kind *kind)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (span_eq(name, span_str(names[i].name))) {
			*kind = names[i].kind;
			return true;
		}
	}
	return false;
}

static bool
complain_unknown(const struct conf_word *word, struct conf_report *report)
{
	const char *known[COUNT_OF(names)];
	char shown[80];
	for (size_t i = 0; i < COUNT_OF(names); i++)
		known[i] = names[i].name;
	struct text t = text_to(shown, sizeof(shown));
	text_put_safe(&t, word->text);
	(void)conf_complain(report, word->at, ERR_POLICY_ACTION,
		"there is no action \"%s\"", shown);
	size_t nearest = text_nearest(word->text, known, COUNT_OF(known));
	if (nearest < COUNT_OF(known))
		conf_hint(report, "Did you mean %s?", known[nearest]);
	return false;
}

/* block ["reason"] [reset]; log ["label"]; the others take nothing. */
static bool
read_argument(const struct conf_word *word, struct act *out, struct conf_report *report)
{
	bool takes_text = out->kind == ACT_BLOCK || out->kind == ACT_LOG;
	if (out->kind == ACT_BLOCK && !word->quoted &&
		span_eq(word->text, SPAN("reset"))) {
		out->reset = true;
		return true;
	}
	if (takes_text && out->text.n == 0 && (word->quoted || out->kind == ACT_LOG)) {
		out->text = word->text;
		return true;
	}
	return conf_complain(report, word->at, ERR_POLICY_ACTION,
		"%s does not take this", out->row->name);
}

bool
act_read(const struct conf_node *rule, size_t first, struct act *out,
	struct conf_report *report)
{
	struct act act = {0};
	if (first >= rule->n)
		return conf_complain(report, rule->words[rule->n - 1].at,
			ERR_POLICY_ACTION, "the rule does not say what to do");
	if (!find_action(rule->words[first].text, &act.kind))
		return complain_unknown(&rule->words[first], report);
	act.row = &act_rows[act.kind];
	for (size_t i = first + 1; i < rule->n; i++) {
		if (!read_argument(&rule->words[i], &act, report))
			return false;
	}
	*out = act;
	return true;
}
