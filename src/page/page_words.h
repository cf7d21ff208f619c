// SPDX-License-Identifier: Apache-2.0
/*
 * page_words: what an organisation says about its pages in the configuration.
 *
 *	pages {
 *	    organisation "Aoyama Trading"
 *	    contact "IT service desk, extension 2400" mailto:help@aoyama.example
 *	    logo aoyama.svg
 *	    texts en our-words.txt
 *	}
 */
#pragma once

#include "conf/schema.h"
#include "page/page.h"

struct page_contact {
	struct span text;
	struct span url;
};

struct page_words {
	struct span organisation;
	struct page_contact contact;
	struct span logo; /* path, or empty */
	struct span accent;
	struct span reasons;
	struct conf_item *texts;
};

extern const struct conf_table page_words_table;

/* Reads the files and checks the rest. *out borrows from the tree, whose arena holds
 * what was read. */
MUST_USE bool page_words_load(const struct page_words *words, struct conf_tree *tree,
	const struct conf_node *node, struct page_style *out,
	struct conf_report *report);
