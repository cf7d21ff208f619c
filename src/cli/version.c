// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"

static enum cli_exit
run_version(const struct cli_call *call)
{
	(void)call;
	text_out("sekisho %s\n", SEKISHO_VERSION);
	return CLI_GOOD;
}

const struct command command_version = {
	.name = "version",
	.operands = "",
	.summary = "print the version",
	.help = "",
	.examples = "",
	.run = run_version,
};
