// SPDX-License-Identifier: Apache-2.0
/*
 * cli_priv: what parsing and printing share inside this room.
 */
#pragma once

#include "cli/cli.h"

/* --help of one command. */
void cli_print_help(const struct command *c);
/* The list of commands; with a group ("ca"), only those of it. Hidden ones are left
 * out. */
void cli_print_overview(const struct command *const *all, struct span group);
/* "sekisho ca init [options] NAME" into dst, cut if need be. */
void cli_usage_line(const struct command *c, char *dst, size_t cap);
/* Whether the command's name is the group's, a blank, and more. */
MUST_USE bool cli_in_group(const struct command *c, struct span group);
/* docs/configuration.md and docs/fields.md, from the tables that check them. */
void cli_print_configuration(void);
void cli_print_fields(void);
