// SPDX-License-Identifier: Apache-2.0
/*
 * verify_priv: between `sekisho verify` of one chain and of a file of cases.
 */
#pragma once

#include "cli/cli.h"

struct verify_wish {
	bool json;
	bool only_differences;
	bool strict;
};

/* Runs every case of a file in the form of x509-limbo; prints how each ended. */
enum cli_exit verify_cases(const char *path, const struct verify_wish *wish);
