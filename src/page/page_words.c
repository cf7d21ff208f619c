// SPDX-License-Identifier: Apache-2.0
#include "page/page_words.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "page/page_priv.h"

enum { TEXTS_FILE = 256 * 1024 };

struct texts_words {
	struct conf_item item;
	struct span language;
	struct span path;
};

static const struct conf_row texts_args[] = {
	{"language", CONF_NAME, CONF_AT(struct texts_words, language), .required = true,
		.help = "Its tag: en, ja."},
	{"file", CONF_PATH, CONF_AT(struct texts_words, path), .required = true,
		.help = "Lines \"key: text\", as in web/pages/en.txt."},
};
static const struct conf_table texts_table = {
	.help = "What is not in the file stays as it is.",
	.size = sizeof(struct texts_words),
	CONF_ARGS_OF(texts_args),
};

static const struct conf_row contact_args[] = {
	{"text", CONF_TEXT, CONF_AT(struct page_contact, text), .required = true,
		.help = "Whom to ask."},
	{"url", CONF_TEXT, CONF_AT(struct page_contact, url),
		.help = "How: https:, mailto: or tel:."},
};
static const struct conf_table contact_table = {
	.size = sizeof(struct page_contact),
	CONF_ARGS_OF(contact_args),
};

static const struct conf_row words[] = {
	{"organisation", CONF_TEXT, CONF_AT(struct page_words, organisation),
		.help = "Name in the corner of each page and in its sentences."},
	{"contact", CONF_BLOCK, CONF_AT(struct page_words, contact),
		.block = &contact_table, .help = "Whom people ask who see a page."},
	{"logo", CONF_PATH, CONF_AT(struct page_words, logo),
		.help = "PNG or SVG file, at most 32 KiB."},
	{"accent", CONF_TEXT, CONF_AT(struct page_words, accent),
		.help = "Colour of the pages, as \"#1f4d7a\" in quotes."},
	{"reasons", CONF_TEXT, CONF_AT(struct page_words, reasons),
		.help = "Reason codes link to this URL with the code behind it."},
	{"texts", CONF_BLOCKS, CONF_AT(struct page_words, texts), .block = &texts_table,
		.help = "Sentences of the organisation in one language."},
};
const struct conf_table page_words_table = {
	.help = "How the pages look that people see when something is blocked or "
		"fails.",
	.size = sizeof(struct page_words),
	CONF_WORDS_OF(words),
};

/* A small file into the tree's arena. */
static bool
read_file(struct conf_tree *tree, struct span path, size_t limit, struct span *out,
	struct err *err)
{
	struct span text;
	if (!file_read((const char *)path.p, limit, &text, err))
		return false;
	*out = arena_copy(&tree->arena, text);
	mem_free((void *)(uintptr_t)text.p);
	return true;
}

/* By what the file is, not by its name. */
static struct span
logo_type(struct span logo)
{
	if (span_starts(logo, SPAN("\x89PNG\r\n\x1a\n")))
		return SPAN("image/png");
	if (span_find(span_first(logo, 1024), SPAN("<svg")) < logo.n)
		return SPAN("image/svg+xml");
	return (struct span){0};
}

static bool
load_logo(struct conf_tree *tree, struct span path, struct page_style *out,
	struct err *err)
{
	if (path.n == 0)
		return true;
	if (!read_file(tree, path, PAGE_LOGO, &out->logo, err))
		return false;
	out->logo_type = logo_type(out->logo);
	return out->logo_type.n > 0 ||
		err_set(err, ERR_CONF_VALUE, "%.*s is neither PNG nor SVG",
			SPAN_ARG(path));
}

static bool
load_texts(const struct page_words *w, struct conf_tree *tree, struct page_style *out,
	struct conf_report *report)
{
	size_t n = 0;
	bool ok = true;
	for (struct conf_item *i = w->texts; i; i = i->next)
		n++;
	struct page_texts *texts = arena_alloc(&tree->arena, n * sizeof(*texts));

	out->texts = texts;
	for (struct conf_item *i = w->texts; i; i = i->next) {
		const struct texts_words *t = CONTAINER_OF(i, struct texts_words, item);
		struct err err = {0};
		if (!read_file(tree, t->path, TEXTS_FILE, &texts[out->n_texts].texts,
			    &err)) {
			ok = conf_complain(
				report, i->node->words[0].at, err.code, "%s", err.text);
		}
		texts[out->n_texts++].language = t->language;
	}
	return ok;
}

bool
page_words_load(const struct page_words *w, struct conf_tree *tree,
	const struct conf_node *node, struct page_style *out,
	struct conf_report *report)
{
	struct err err = {0};
	struct conf_place at = conf_place_of(tree, node, "pages");

	*out = (struct page_style){.organisation = w->organisation,
		.contact = w->contact.text,
		.contact_url = w->contact.url,
		.accent = w->accent,
		.reasons_url = w->reasons};
	bool ok = load_texts(w, tree, out, report);
	if (!load_logo(tree, w->logo, out, &err))
		ok = conf_complain(report, at, err.code, "%s", err.text);
	if (w->accent.n > 0 && !page_is_accent(w->accent)) {
		ok = conf_complain(report, at, ERR_CONF_VALUE,
			"accent is a colour such as \"#1f4d7a\"");
	}
	if (w->contact.url.n > 0 && !page_is_link(w->contact.url)) {
		ok = conf_complain(report, at, ERR_CONF_VALUE,
			"the contact's URL begins with https:, http:, mailto: or tel:");
	}
	if (w->reasons.n > 0 && !page_is_link(w->reasons))
		ok = conf_complain(report, at, ERR_CONF_VALUE, "reasons is a URL");
	return ok;
}
