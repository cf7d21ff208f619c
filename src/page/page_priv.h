// SPDX-License-Identifier: Apache-2.0
/*
 * page_priv: templates and texts, shared by the pages.
 *
 * A template is text with marks in double braces:
 *
 *	{{name}}                 the value, escaped
 *	{{t.key}}                the sentence of that key, escaped
 *	{{?name}} … {{/name}}    only if the value, or sentence, is there
 *	{{!name}} … {{/name}}    only if it is not
 *	{{*chain}} … {{/chain}}  once for each certificate, as {{cert.subject}} …
 *	{{>style.css}}           another of our files, as it is
 */
#pragma once

#include "base/text.h"
#include "page/page.h"

struct page_value {
	const char *name;
	struct span value;
};

enum {
	PAGE_VALUES = 28,
	PAGE_TOPICS = 5,
	PAGE_TEXTS = 4,
	PAGE_LINE = 1200, /* octets of one sentence with its values put in */
	PAGE_BODY = 80 * 1024,
	PAGE_LOGO = 32 * 1024,
};

/* What names and keys stand for on one page. Borrows everything. */
struct page_values {
	struct page_value v[PAGE_VALUES];
	size_t n;
	struct span topics[PAGE_TOPICS]; /* before keys, most exact first */
	size_t n_topics;
	struct span texts[PAGE_TEXTS]; /* text files, most wanted first */
	size_t n_texts;
	const struct page_cert *chain;
	size_t n_chain;
	const struct page_cert *cert; /* inside {{*chain}} */
};

/* Of our files; empty when there is none. */
struct span page_file(struct span name);

/* Sets a name; empty values count as not there. */
void page_set(struct page_values *v, const char *name, struct span value);
/* Chooses the texts for a request: the language liked most, then English. Returns its
 * tag. */
const char *page_choose_language(struct page_values *v, const struct page_style *style,
	const struct http_fields *asked);
/* The value of a name, or empty. */
struct span page_get(const struct page_values *v, struct span name);
/* The sentence of a key with values put in, into dst[PAGE_LINE]; empty when there is
 * none. */
struct span page_sentence(
	const struct page_values *v, struct span key, char dst[PAGE_LINE]);

/* "2026-11-18" of "2026-11-18T01:40:56Z"; others as they are. */
struct span page_day(struct span date);

/* Adds s for HTML, also inside quoted attributes. Octets that are not UTF-8, control
 * characters and those that turn the reading direction become U+FFFD. */
void page_put_html(struct text *t, struct span s);
/* Adds the template of that file with its marks replaced. */
void page_render(struct text *t, struct span file, struct page_values *v);

/* Names of a style that all pages share: organisation, contact, logo, accent. */
void page_set_style(
	struct page_values *v, const struct page_style *style, struct arena *a);
/* The style asked for, or ours; never NULL. */
const struct page_style *page_style(const struct page_answer *to);
/* Starts the response: status, and the fields every page has. */
MUST_USE bool page_begin(
	struct page_answer *to, unsigned status, struct span type, struct err *err);
/* "#1f4d7a" or "#fff". */
MUST_USE bool page_is_accent(struct span s);
/* A link that no script can hide in. */
MUST_USE bool page_is_link(struct span s);
