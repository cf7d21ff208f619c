// SPDX-License-Identifier: Apache-2.0
/*
 * tree: a configuration text as statements with words, before their meaning.
 *
 *	# a comment runs to the end of the line
 *	listen 127.0.0.1:8080 as proxy use office
 *	gateway office {
 *	    upstream { trust system; min-version 1.2 }
 *	    rule banks when any(http.request.domains[*] in $banks) do bypass
 *	    let office = ip.src in {10.0.0.0/8}
 *	}
 *	include more.conf          # or a pattern, in order of names
 *
 * A statement is words, then a block or the end of the line or `;`. A backslash before
 * the line's end joins lines. A word in double quotes may hold anything, with \" \\ \n
 * \t and \xHH; no statement keyword is special except those that hold an expression:
 * `rule NAME when EXPRESSION do ACTION …` and `let NAME = EXPRESSION`. The expression
 * is kept as written, with its place, for the rule language to read; it may span lines.
 */
#pragma once

#include "base/arena.h"
#include "conf/report.h"

struct conf_word {
	struct span text; /* unescaped; lives as long as the tree */
	struct conf_place at;
	bool quoted;
};

struct conf_node {
	struct conf_node *next;  /* the statement after this one in its block */
	struct conf_node *first; /* of its block */
	struct conf_word *words; /* words[0] is the keyword */
	size_t n;                /* words, at least 1 */
	bool has_block;
	/*
	 * The expression between `when` and `do`, or after `=`; as written, trimmed. It
	 * is empty where the statement has none. `when`, `=` and `do` stay among the
	 * words: {rule, NAME, when, do, ACTION, …}.
	 */
	struct conf_word expr;
};

struct conf_tree {
	struct arena arena; /* nodes, words, texts */
	struct conf_file *files;
	size_t n_files;
	size_t text_size; /* octets of all files */
	/* statements of the top level, includes put in place */
	struct conf_node *first;
};

/* Limits: 8 MiB of text in 256 files, 8 levels of include, 16 of blocks, 64 words a
 * statement, 64 KiB an expression. */
void conf_tree_init(struct conf_tree *t);
void conf_tree_fini(struct conf_tree *t);

/*
 * Reads a file and what it includes. False when something was complained about; the
 * tree then holds what could be understood, so that its meaning can be checked as well.
 */
MUST_USE bool conf_tree_read(
	struct conf_tree *t, const char *path, struct conf_report *report);
/* The same from memory; `include` is refused. The text is copied. */
MUST_USE bool conf_tree_parse(struct conf_tree *t, const char *name, struct span text,
	struct conf_report *report);
