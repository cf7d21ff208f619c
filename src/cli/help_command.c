// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_priv.h"
#include "cli/commands.h"

/* "ca init" may come as one operand or as two. */
static bool
names_command(const struct command *c, const struct cli_call *call)
{
	char asked[64];
	struct text t = text_to(asked, sizeof(asked));

	for (size_t i = 0; i < call->n_operands; i++)
		text_add(&t, "%s%s", i > 0 ? " " : "", call->operands[i]);
	return strcmp(asked, c->name) == 0;
}

static bool
print_reference(const struct cli_call *call)
{
	bool man = cli_has(call, "man");
	bool configuration = cli_has(call, "configuration");
	bool fields = cli_has(call, "fields");

	if (man)
		cli_print_manual(call->all);
	if (configuration)
		cli_print_configuration();
	if (fields)
		cli_print_fields();
	return man || configuration || fields;
}

static enum cli_exit
run_help(const struct cli_call *call)
{
	struct err err = {0};

	if (print_reference(call))
		return CLI_GOOD;
	if (call->n_operands == 0) {
		cli_print_overview(call->all, (struct span){0});
		return CLI_GOOD;
	}
	for (const struct command *const *c = call->all; *c; c++) {
		if (names_command(*c, call)) {
			cli_print_help(*c);
			return CLI_GOOD;
		}
	}
	err_set(&err, ERR_USAGE, "there is no command \"%s\"", call->operands[0]);
	return cli_fail(&err);
}

static const struct cli_option options[] = {
	{"man", 0, NULL, "print the manual page's source", false},
	{"configuration", 0, NULL, "print what a configuration can say, as Markdown",
		false},
	{"fields", 0, NULL, "print what rules can ask, as Markdown", false},
	{0},
};

const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.summary = "list the commands, or tell about one",
	.help = "",
	.examples = "sekisho help ca init\n",
	.options = options,
	.most = 2,
	.run = run_help,
};
