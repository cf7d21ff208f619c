// SPDX-License-Identifier: Apache-2.0
/*
 * check: whether a configuration is good, and all that is wrong with it.
 */
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "gate/advise.h"
#include "gate/settings.h"
#include "proc/ready.h"

static const struct cli_option options[] = {
	{"config", 'c', "FILE", "the configuration [" CLI_CONFIG "]", false},
	{"quiet", 'q', NULL, "print nothing when all is well", false},
	{0},
};

static size_t
count_items(const struct conf_item *first)
{
	size_t n = 0;
	for (const struct conf_item *i = first; i; i = i->next)
		n++;
	return n;
}

static size_t
count_rules(struct conf_item *first)
{
	size_t n = 0;
	for (struct conf_item *i = first; i; i = i->next)
		n += CONTAINER_OF(i, struct gateway, item)->rules.n;
	return n;
}

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void
print_counts(const char *file, const struct settings *s)
{
	size_t listens = count_items(s->listens);
	size_t gateways = count_items(s->gateways);
	size_t edges = count_items(s->edges);
	size_t rules = count_rules(s->gateways) + count_rules(s->edges);

	text_out("%s: good: %zu listener%s, %zu gateway%s", file, listens,
		plural(listens), gateways, plural(gateways));
	if (edges > 0)
		text_out(", %zu edge%s", edges, plural(edges));
	text_out(", %zu rule%s\n", rules, plural(rules));
}

/* Of a configuration that is good it is no fault: it may be for another machine. */
static void
warn_of_machine(const struct settings *s)
{
	struct err err = {0};

	if (!ready_check(s, &err)) {
		text_err("warning: this machine is not ready for it: %s [%s]\n    %s\n",
			err.text, err_id(err.code), err_hint(err.code));
	}
}

static enum cli_exit
run_check(const struct cli_call *call)
{
	const char *file = cli_operand(call, 0);
	struct conf_report *report = mem_alloc(sizeof(*report));
	struct settings *s = mem_alloc(sizeof(*s));

	if (!file)
		file = cli_get(call, "config");
	if (!file)
		file = CLI_CONFIG;
	conf_report_init(report);
	bool ok = settings_load(s, file, report);
	if (ok)
		settings_advise(s, report);
	config_complain(report);
	if (ok) {
		warn_of_machine(s);
		if (!cli_has(call, "quiet"))
			print_counts(file, s);
	} else {
		text_err("%s: %zu error%s, %zu warning%s\n", file, report->errors,
			plural(report->errors), report->warnings,
			plural(report->warnings));
	}
	settings_fini(s);
	mem_free(s);
	mem_free(report);
	return ok ? CLI_GOOD : CLI_FAILED;
}

const struct command command_check = {
	.name = "check",
	.operands = "[FILE]",
	.summary = "check a configuration",
	.help = "Reads a configuration with all it includes and names (lists, "
		"certificates) and\n"
		"prints everything that is wrong with it: file, line, column, the line "
		"itself,\n"
		"and what to do. Exit code 0 means that it is good. When this machine "
		"is not ready\n"
		"for it (no such user, a directory that cannot be written) there is a "
		"warning.",
	.examples = "sekisho check\nsekisho check -c new.conf && sekisho ctl reload\n",
	.options = options,
	.most = 1,
	.run = run_check,
};
