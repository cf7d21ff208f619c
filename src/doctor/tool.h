// SPDX-License-Identifier: Apache-2.0
/*
 * tool: what a program on this machine trusts, which setting says so, and what is wrong
 * with that. From data/doctor/tools.tsv, settings.tsv and unsafe.tsv.
 *
 * Reading only; what would change is plan.h's.
 */
#pragma once

#include "doctor/bundle.h"
#include "doctor/setting.h"

/* tools.tsv; every field a literal. */
struct tool_row {
	const char *name;
	const char *title;
	const char *programs;
	const char *files;
	const char *roots;
	const char *version;
	const char *verify;
	const char *note;
	const char *machine; /* lines for an administrator, "|" between */
	const char *proof;   /* ERE: what it prints when TLS worked and HTTP did not */
};
extern const struct tool_row tool_rows[];

enum tool_effect {
	TOOL_OS,       /* the system's list counts too */
	TOOL_ADDS,     /* besides what counts anyway */
	TOOL_REPLACES, /* stands alone */
	TOOL_SELECTS,  /* chooses, names no file */
};

/* One setting that is there. */
struct tool_set {
	const struct setting_row *row;
	struct setting_found found;
	enum tool_effect effect;
	bool silenced;            /* another one wins */
	const char *file;         /* the certificates it names, or NULL */
	struct pem_report report; /* of that file */
	size_t certs;
	bool has_org; /* the organisation's CA is in it */
};

enum tool_fault {
	TOOL_CONFLICT, /* one setting silences another */
	TOOL_DEAD,     /* the file it names is not there */
	TOOL_BROKEN,   /* or is not in good form */
	TOOL_SINGLE,   /* one CA in a setting that replaces the public list */
	TOOL_STALE,    /* our combined file is not what it should be */
	TOOL_DANGER,   /* a setting that stops older versions of the program */
	TOOL_UNSAFE,   /* verification is off */
};

/* All texts in the home's arena. */
struct tool_finding {
	enum tool_fault fault;
	const char *text;
	const char *where;
	const char *since;   /* a date, or "" */
	const char *exposes; /* unsafe settings: what follows */
	const char *instead;
	const char *key;            /* for taking it out, or NULL */
	struct setting_found found; /* where it stands */
};

enum { TOOL_SETS = 48, TOOL_FINDINGS = 48 };

struct tool_view {
	const struct tool_row *row;
	const char *program;   /* path, or NULL */
	const char *version;   /* "20.20.2", or "" */
	bool here;             /* the program or its files are */
	bool reads_os;         /* the system's list counts */
	struct tool_set *sets; /* in the arena; the one that wins first */
	size_t n_sets;
	struct tool_finding *findings; /* in the arena */
	size_t n_findings;
	bool trusts_org; /* as far as files can tell */
};

/* The row of that name, or NULL. */
const struct tool_row *tool_find(const char *name);
/* The nearest name to one that is not known, or NULL. */
const char *tool_nearest(const char *name);
/* Whether it is here; cheap, no file is opened. */
MUST_USE bool tool_is_here(struct home *h, const struct tool_row *row);
/* Everything about it. */
void tool_look(struct home *h, const struct bundle *b, const struct tool_row *row,
	struct tool_view *out);
/* Whether a version satisfies "24.6 22.19": the first or newer, or a later one of the
 * same major as one of the others. Unknown versions do not. */
MUST_USE bool tool_version_has(const char *version, const char *since);
enum tool_effect tool_effect_of(const struct setting_row *row);
/* "conflict", "unsafe", … */
const char *tool_fault_word(enum tool_fault fault);
/* Where it finds roots, in words. */
const char *tool_roots_text(const struct tool_view *v);
