// SPDX-License-Identifier: Apache-2.0
/*
 * report: one text for the help desk, from which everything private has been taken.
 *
 * What is gathered are rows of section, name and value; each value is masked when it is
 * added, so that nothing can be printed that was not.
 */
#pragma once

#include "base/arena.h"

enum { REPORT_ROWS = 1024, REPORT_VALUE = 1000, REPORT_ARENA = 1 << 20 };

enum report_section {
	REPORT_MACHINE,
	REPORT_PROXY,
	REPORT_AGENTS,
	REPORT_ROOTS,
	REPORT_HOSTS,
	REPORT_OUTPUT,
	REPORT_TOOLS,
	REPORT_FINDINGS,
	REPORT_SECTIONS
};

struct report_row {
	enum report_section section;
	const char *name;  /* in the arena */
	const char *value; /* masked; in the arena */
};

struct report {
	struct arena a;
	const char *home; /* borrowed: shown as ~; "" or NULL: unknown */
	struct report_row rows[REPORT_ROWS];
	size_t n;
	bool cut; /* there was more */
};

struct report *report_new(const char *home);
void report_free(struct report *r); /* NULL does nothing */
/* Adds a row, masked; what does not fit is left out and said. */
void report_add(struct report *r, enum report_section section, struct span name,
	struct span value);

/* Writes s with the home directory as ~, "user:password@" in addresses as "***@", and
 * the values behind words such as password, token, Authorization as "***". Control
 * octets and what is not UTF-8 are escaped. */
struct text;
void report_mask(struct span s, const char *home, struct text *t);

/* What every report has: the system, the variables that name proxies, agents that run.
 * proc: "/proc", or another directory of that form. */
void report_machine(struct report *r, const char *proc);
