// SPDX-License-Identifier: Apache-2.0
#include "gate/advise.h"

#include "pki/suffix.h"
#include "rule/lint.h"

struct advice {
	struct lint lint;
	const struct gateway *gateway;
	struct conf_report *report;
};

static bool
is_public_suffix(struct span name)
{
	return span_chr(name, '.') == name.n || suffixes_has(suffixes_system(), name);
}

static void
warn_finding(struct lint *l, const struct lint_finding *f)
{
	struct advice *a = CONTAINER_OF(l, struct advice, lint);
	const struct conf_node *node = a->gateway->rules.p[f->rule];
	conf_warn(a->report,
		conf_place_within(node->expr.at, f->at.line, f->at.col, f->at.width),
		ERR_RULE_ADVICE, "%s [%s]", f->at.message, f->id);
	if (f->at.hint[0])
		conf_hint(a->report, "%s", f->at.hint);
}

static void
advise_on(struct conf_item *first, struct conf_report *report)
{
	for (struct conf_item *i = first; i; i = i->next) {
		struct advice a = {
			.lint = {.found = warn_finding,
				.is_public_suffix = is_public_suffix},
			.gateway = CONTAINER_OF(i, struct gateway, item),
			.report = report,
		};
		lint_policy(&a.lint, a.gateway->policy);
	}
}

void
settings_advise(const struct settings *s, struct conf_report *report)
{
	advise_on(s->gateways, report);
	advise_on(s->edges, report);
}
