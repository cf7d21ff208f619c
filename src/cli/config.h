// SPDX-License-Identifier: Apache-2.0
/*
 * config: what commands that read a configuration have in common.
 */
#pragma once

#include "cli/cli.h"
#include "gate/settings.h"

#define CLI_CONFIG "/etc/sekisho/sekisho.conf"

/* Prints every complaint to standard error. */
void config_complain(const struct conf_report *report);
/* Settings of this file; complaints are printed. NULL when it is not good. Ended by
 * config_close(). */
struct settings *config_load(const char *path);
/*
 * Settings of the file that --config names, or of CLI_CONFIG; complaints are printed.
 * NULL when it is not good. Ended by config_close().
 */
struct settings *config_open(const struct cli_call *call);
/* The gateway or edge of this name; NULL: the first one, gateways before edges. NULL
 * with *err when there is none. */
const struct gateway *config_gateway(
	const struct settings *s, const char *name, struct err *err);
void config_close(struct settings *s); /* NULL does nothing */
