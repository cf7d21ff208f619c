// SPDX-License-Identifier: Apache-2.0
/*
 * plan: what would make a tool trust the organisation's CA, least invasive way first.
 *
 * The ranks of settings.tsv: the tool's "use the system's list" switch where that list
 * has the CA, then a setting that adds, then the combined bundle where a setting
 * replaces, then a store. What silences the chosen setting, and what switches
 * verification off, is taken out in the same plan. Nothing is changed here.
 */
#pragma once

#include "doctor/change.h"
#include "doctor/tool.h"

enum { PLAN_STEPS = 48 };

struct plan_step {
	struct change_ask ask;
	const char *what;  /* "change ~/.npmrc" */
	const char *lines; /* "+ cafile=…" with line ends; "" for a whole file */
};

/* Texts lie in the home's arena; contents of files are owned. */
struct plan {
	const struct tool_row *tool;
	struct plan_step *steps; /* in the arena */
	size_t n;
	const char *why;     /* one line: what it does, or why there is nothing to do */
	const char *reach;   /* which programs see it, or "" */
	const char *by_hand; /* lines for an administrator to run, or "" */
	bool fine;           /* the tool trusts the CA already, and nothing is wrong */
};

/* ERR_DOCTOR_CA without a CA; ERR_DOCTOR_TOOL where no way of ours is known. */
MUST_USE bool plan_make(struct home *h, const struct bundle *b,
	const struct tool_view *v, struct plan *out, struct err *err);
void plan_fini(struct plan *p);
/* What an administrator would run to put the CA into the system's list. */
const char *plan_machine(struct home *h);
