// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "proc/master.h"

static const struct cli_option options[] = {
	{"config", 'c', "FILE", "the configuration [" CLI_CONFIG "]", false},
	{0},
};

static enum cli_exit
run_gateway(const struct cli_call *call)
{
	struct err err = {0};
	const char *path = cli_operand(call, 0);
	if (!path)
		path = cli_get(call, "config");
	if (!path)
		path = CLI_CONFIG;
	struct settings *s = config_load(path);
	if (!s)
		return CLI_FAILED;
	return master_run(path, s, &err) ? CLI_GOOD : cli_fail(&err);
}

const struct command command_run = {
	.name = "run",
	.operands = "[FILE]",
	.summary = "start the gateway with a configuration",
	.help = "Reads FILE (" CLI_CONFIG " unless given), opens its ports and serves\n"
		"until told to end. Does not go into the background.\n"
		"\n"
		"SIGHUP reads the file again: a new generation of processes takes over "
		"and\n"
		"the old one finishes what it carries; a file that is not right "
		"changes\n"
		"nothing. SIGTERM or Ctrl-C finishes and ends; a second time ends at "
		"once.\n"
		"Started as root, everything that meets traffic becomes the `user` of "
		"the\n"
		"configuration. Sockets given by systemd are used where they fit.",
	.options = options,
	.examples = "sekisho run sekisho.conf\n",
	.most = 1,
	.run = run_gateway,
};
