// SPDX-License-Identifier: Apache-2.0
/*
 * main: the table of commands. Order is the order of the overview and the manual.
 *
 * To add one: its file in cli/, its declaration in cli/commands.h, its line here.
 */
#include <stddef.h>

#include "cli/cli.h"
#include "cli/commands.h"

static const struct command *const commands[] = {
	&command_verify,
	&command_help,
	&command_version,
	NULL,
};

int
main(int argc, char *argv[])
{
	return cli_main(commands, argc, argv);
}
