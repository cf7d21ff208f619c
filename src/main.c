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
	&command_run,
	&command_ctl_status,
	&command_ctl_reload,
	&command_ctl_upgrade,
	&command_ctl_drain,
	&command_ctl_cache,
	&command_check,
	&command_explain,
	&command_log,
	&command_ca_init,
	&command_ca_import,
	&command_ca_show,
	&command_ca_status,
	&command_ca_export,
	&command_ca_install,
	&command_ca_rotate,
	&command_ca_activate,
	&command_ca_cross,
	&command_ca_request,
	&command_ca_sign,
	&command_ca_adopt,
	&command_client_init,
	&command_client_issue,
	&command_client_list,
	&command_client_show,
	&command_client_revoke,
	&command_client_restore,
	&command_client_renew,
	&command_client_add,
	&command_client_serve,
	&command_client_export,
	&command_client_crl,
	&command_verify,
	&command_test,
	&command_fmt,
	&command_import,
	&command_doctor,
	&command_doctor_look,
	&command_doctor_explain,
	&command_doctor_report,
	&command_doctor_ca_list,
	&command_doctor_ca_show,
	&command_doctor_ca_export,
	&command_doctor_show,
	&command_doctor_apply,
	&command_doctor_verify,
	&command_doctor_undo,
	&command_apps,
	&command_rules_selftest,
	&command_key_init,
	&command_key_list,
	&command_key_show,
	&command_key_serve,
	&command_key_delegate,
	&command_key_test,
	&command_key_edge,
	&command_help,
	&command_version,
	NULL,
};

int
main(int argc, char *argv[])
{
	return cli_main(commands, argc, argv);
}
