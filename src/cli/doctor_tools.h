// SPDX-License-Identifier: Apache-2.0
/*
 * doctor_tools: what the doctor's commands about tools share.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"
#include "doctor/tool.h"

enum { DOCTOR_JSON = 4 * 1024 * 1024, DOCTOR_TOOLS = 128 };

/* The person and what there is to trust; ended by doctor_scene_close(). */
struct doctor_scene {
	struct home home;
	struct bundle bundle;
	const struct tool_row *tools[DOCTOR_TOOLS]; /* named, or all that are here */
	size_t n_tools;
	bool named; /* by the user */
};

/* Reads --root and --ca and the names of tools. ERR_DOCTOR_TOOL, ERR_DOCTOR_CA. */
MUST_USE bool doctor_scene_open(
	const struct cli_call *call, struct doctor_scene *s, struct err *err);
void doctor_scene_close(struct doctor_scene *s);
/* home_open() with --root, and the language of --lang. */
MUST_USE bool doctor_home_open(
	const struct cli_call *call, struct home *h, struct err *err);
/* --yes, or a "y" from the terminal; ERR_USAGE otherwise. */
MUST_USE bool doctor_agrees(const struct cli_call *call, struct err *err);
/* "  conflict  " in the reader's language, eleven columns wide. */
void doctor_print_label(
	const struct home *h, const char *label, enum cli_colour colour);
