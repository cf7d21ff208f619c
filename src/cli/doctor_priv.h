// SPDX-License-Identifier: Apache-2.0
/*
 * doctor_priv: what the doctor's commands share.
 */
#pragma once

#include "cli/cli.h"
#include "doctor/words.h"

/* Rows for the options every doctor command has. */
#define DOCTOR_OPTIONS                                                       \
	{"json", 'j', NULL, "answer as one JSON object", false},             \
	{                                                                    \
		"lang", 0, "LANG", "en or ja [as LC_ALL or LANG say]", false \
	}

/* --lang, else the environment. ERR_USAGE for a language we do not speak. */
MUST_USE bool doctor_language(
	const struct cli_call *call, enum language *out, struct err *err);

/* The end of a file, or of standard input for "-" or NULL: at most limit octets,
 * however long it is. *out is freed with mem_free((void *)(uintptr_t)out->p). */
MUST_USE bool doctor_read_tail(
	const char *path, size_t limit, struct span *out, struct err *err);

/* Prints a text below a label: "  fix     first line", further lines indented alike. */
void doctor_print_block(const char *label, struct span text);
