// SPDX-License-Identifier: Apache-2.0
/*
 * schema: tables of words that turn a tree into structs, and print the manual.
 *
 * A table describes one struct: the values on the statement's own line (args) and the
 * statements in its braces (words). To add a setting, add a row and the field it fills:
 *
 *	static const struct conf_row upstream_words[] = {
 *		{"min-version", CONF_CHOICE, CONF_AT(struct upstream, min_version),
 *			.preset = "1.2", .choices = tls_versions,
 *			.help = "Lowest TLS version spoken to origins."},
 *		{"connect-timeout", CONF_DURATION, CONF_AT(struct upstream, connect_ms),
 *			.preset = "10s", .min = 100, .max = 300000, .help = "…"},
 *	};
 *	static const struct conf_table upstream = {.size = sizeof(struct upstream),
 *		CONF_WORDS_OF(upstream_words), .help = "…"};
 *
 * Filling checks every word: unknown ones get "did you mean", doubled ones name the
 * first, missing ones are asked for, numbers are held to their limits. All that is
 * wrong is told.
 */
#pragma once

#include "conf/tree.h"
#include "conf/value.h"

/* The type of a row is the C type of its field. */
enum conf_type {
	CONF_FLAG,     /* bool; the word alone means true, or on | off */
	CONF_INT,      /* uint64_t */
	CONF_SIZE,     /* uint64_t, octets */
	CONF_DURATION, /* uint64_t, milliseconds */
	CONF_PERCENT,  /* uint64_t, 0 to 100 */
	CONF_TEXT,     /* struct span, NUL behind it */
	CONF_NAME,     /* struct span, as conf_is_name() */
	CONF_PATH,   /* struct span, NUL behind it; relative to the file it stands in */
	CONF_CHOICE, /* int, one of .choices */
	CONF_ADDRESS,  /* struct conf_address; .min = 1 asks for a port, .max = 1 allows
			  a path, which becomes the host */
	CONF_PREFIX,   /* struct ip_prefix */
	CONF_TEXTS,    /* struct conf_texts; one or more words, repeatable */
	CONF_PREFIXES, /* struct conf_prefixes; one or more words, repeatable */
	CONF_NODES,    /* struct conf_nodes; the statement as it is, for its reader */
	CONF_BLOCK,    /* a struct of its own, embedded; by .block */
	CONF_BLOCKS, /* struct conf_item *: a list of structs, repeatable; by .block */
};

struct conf_texts {
	struct span *p; /* in the tree's arena, as all below */
	size_t n;
};

struct conf_prefixes {
	struct ip_prefix *p;
	size_t n;
};

struct conf_nodes {
	const struct conf_node **p;
	size_t n;
};

/* First member of every struct that a CONF_BLOCKS row makes; in order of the text. */
struct conf_item {
	struct conf_item *next;
	const struct conf_node *node; /* for complaints found later */
};

/* Ends with a row whose name is NULL. */
struct conf_choice {
	const char *name;
	int value;
	const char *help; /* may be NULL */
};

struct conf_table;

/* In the order in which rows are written, not of sizes. */
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
struct conf_row {
	const char *name; /* the word; of an arg, what the manual calls it */
	enum conf_type type;
	size_t offset;      /* of the field, by CONF_AT */
	const char *help;   /* a sentence, for the manual */
	const char *preset; /* the value when absent, as one would write it; or NULL */
	uint64_t min, max;  /* of numbers; max 0 means no limit of its own */
	const struct conf_choice *choices;
	const struct conf_table *block;
	const char *after; /* of an arg: the word that must stand before it ("as") */
	const char *shape; /* of CONF_NODES: its form for the manual */
	bool required;
};

struct conf_table {
	const char *help;
	size_t size; /* of the struct */
	const struct conf_row *args;
	size_t nargs;
	const struct conf_row *words;
	size_t nwords;
	bool no_braces; /* the line is all there is */
};

#define CONF_AT(type, field) offsetof(type, field)
#define CONF_ARGS_OF(array)  .args = (array), .nargs = COUNT_OF(array)
#define CONF_WORDS_OF(array) .words = (array), .nwords = COUNT_OF(array)

/*
 * Fills *out (zeroed or not: it is set anew) from the tree's top level. Texts and lists
 * lie in the tree's arena: the tree must live as long as *out. An arg with a preset, or
 * without .required, may be left out.
 * False when something was complained about; *out then holds what was right.
 */
MUST_USE bool conf_fill(struct conf_tree *t, const struct conf_table *top, void *out,
	struct conf_report *report);

/* Where the word of a row stands in the block of `node` (or at the top with NULL): for
 * complaints about a value found wrong later. The node itself when it is absent. */
struct conf_place conf_place_of(
	const struct conf_tree *t, const struct conf_node *node, const char *word);

/* The reference as Markdown: the whole table, blocks as sections. The caller frees it
 * with mem_free((void *)p). */
struct span conf_manual(const struct conf_table *top, const char *title);
