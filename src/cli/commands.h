// SPDX-License-Identifier: Apache-2.0
/*
 * commands: every command of the program, one line each; main.c lists them in order.
 */
#pragma once

#include "cli/cli.h"

extern const struct command command_version;
extern const struct command command_help;
extern const struct command command_verify;
