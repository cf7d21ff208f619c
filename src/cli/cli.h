// SPDX-License-Identifier: Apache-2.0
/*
 * cli: what a person types, from tables.
 *
 * A command is one row: its name, its options, its help and what runs it. From the same
 * rows come the parsing, `--help`, "did you mean", and the manual page, so none of them
 * can differ. To add a command: write src/cli/NAME.c with a `const struct command`,
 * declare it in cli/commands.h, and name it in the table of main.c.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

/* Exit codes; scripts rely on them. */
enum cli_exit {
	CLI_GOOD = 0,
	CLI_FAILED = 1,  /* findings, or it did not work */
	CLI_USAGE = 2,   /* the command line was not understood */
	CLI_UNKNOWN = 3, /* could not tell: what we need to judge was out of reach */
};

enum {
	CLI_MAX_OPTIONS = 24,  /* of one command */
	CLI_MAX_OPERANDS = 64, /* what is not an option, in one call */
};

/* A table of options ends with a row whose name is NULL. */
struct cli_option {
	const char *name; /* long, without dashes: "config" */
	char letter;      /* short alias, or 0 */
	/* what a value is called in help ("FILE"), or NULL for a flag */
	const char *value;
	const char *help; /* one line, lower case, no full stop */
	bool many;        /* may be given more than once */
};

struct cli_call;

/* All strings are literals. */
struct command {
	const char *name;     /* "log", or "ca init" for a command of two words */
	const char *operands; /* usage of what is not an option: "HOST [PORT]"; "" if
				 none */
	const char *summary;  /* one line for the list of commands */
	const char *help; /* paragraphs for --help and the manual, "\n" between lines */
	const char *examples; /* lines to paste, "\n" after each; "" if none */
	const struct cli_option *options; /* or NULL */
	unsigned least;                   /* operands at least */
	unsigned most;                    /* operands at most */
	bool hidden;                      /* not listed: for tools */
	enum cli_exit (*run)(const struct cli_call *call);
};

struct cli_value {
	const struct cli_option *option;
	const char *text; /* borrowed from argv; "" for a flag */
};

/* One call of a command, as parsed. Borrows argv. */
struct cli_call {
	const struct command *command;
	const struct command *const *all; /* the program's table, NULL at its end */
	struct cli_value values[CLI_MAX_OPERANDS];
	size_t n_values;
	const char *operands[CLI_MAX_OPERANDS];
	size_t n_operands;
	bool wants_help;
};

/* The value of an option, the last one if given often; NULL when it was not given.
 * name must be in the command's table. */
MUST_USE const char *cli_get(const struct cli_call *call, const char *name);
/* Value i of an option that may be given often, in order; NULL past the last. */
MUST_USE const char *cli_get_nth(
	const struct cli_call *call, const char *name, size_t i);
MUST_USE bool cli_has(const struct cli_call *call, const char *name);
/* A whole number up to max; the default when not given. ERR_USAGE otherwise. */
MUST_USE bool cli_number(const struct cli_call *call, const char *name, uint64_t max,
	uint64_t *inout, struct err *err);
/* Operand i, or NULL. */
MUST_USE const char *cli_operand(const struct cli_call *call, size_t i);

/*
 * Finds the command of argv[1..] in `all` (ended by NULL), preferring two-word names,
 * and parses the rest. ERR_USAGE says what was not understood and names the nearest
 * thing.
 */
MUST_USE bool cli_parse(const struct command *const *all, int argc, char *const argv[],
	struct cli_call *out, struct err *err);

/* The whole program: parse, help or run, flush standard output. The exit code. */
int cli_main(const struct command *const *all, int argc, char *const argv[]);

/* Prints "sekisho: sentence: text" and the hint to standard error. Gives CLI_FAILED, or
 * CLI_USAGE for ERR_USAGE, so that `return cli_fail(&err)` ends a command. */
enum cli_exit cli_fail(const struct err *err);

/* Writes what was gathered and a line end to standard output, and ends j. */
void cli_print_json(struct json_out *j);

/* Colours of standard output, "" when it is not a terminal or NO_COLOR is set. */
enum cli_colour { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_RED, CLI_GREEN, CLI_YELLOW };
const char *cli_colour(enum cli_colour c);

/* The manual page sekisho(1) as man(7) source, from the rows, on standard output. */
void cli_print_manual(const struct command *const *all);
