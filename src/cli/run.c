// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "gate/settings.h"
#include "proc/master.h"

#define CONFIG_PATH "/etc/sekisho/sekisho.conf"

/* Every complaint as a person reads it; a terminal gets colours. */
static void
print_complaints(const struct conf_report *report)
{
	char text[CONF_COMPLAINT_TEXT];
	for (size_t i = 0; i < report->n; i++)
		text_err("%s", conf_complaint_text(text, &report->list[i], false));
}

static enum cli_exit
run_gateway(const struct cli_call *call)
{
	struct err err = {0};
	const char *path = cli_operand(call, 0);
	if (!path)
		path = CONFIG_PATH;
	struct conf_report *report = mem_alloc(sizeof(*report));
	struct settings *s = mem_alloc(sizeof(*s));
	conf_report_init(report);
	bool ok = settings_load(s, path, report);
	print_complaints(report);
	mem_free(report);
	if (!ok) {
		settings_fini(s);
		mem_free(s);
		return CLI_FAILED;
	}
	return master_run(path, s, &err) ? CLI_GOOD : cli_fail(&err);
}

const struct command command_run = {
	.name = "run",
	.operands = "[FILE]",
	.summary = "start the gateway with a configuration",
	.help = "Reads FILE (" CONFIG_PATH
		" unless given), opens its ports and serves\n"
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
	.examples = "sekisho run sekisho.conf\n",
	.most = 1,
	.run = run_gateway,
};
