// SPDX-License-Identifier: Apache-2.0
/* page_text: sentences in the reader's language, and templates. */
#include <string.h>

#include "http/negotiate.h"
#include "page/page_files.h"
#include "page/page_priv.h"

enum { LANGUAGES_MAX = 32, NESTING_MAX = 6 };

struct span
page_file(struct span name)
{
	for (const struct embedded *f = page_files; f->name; f++) {
		if (span_eq(name, span_str(f->name)))
			return span_of(f->bytes, f->n);
	}
	return (struct span){0};
}

void
page_set(struct page_values *v, const char *name, struct span value)
{
	if (value.n > 0 && v->n < PAGE_VALUES)
		v->v[v->n++] = (struct page_value){name, value};
}

/* People read days; machines get the whole. */
struct span
page_day(struct span date)
{
	return date.n > 10 && date.p[10] == 'T' ? span_first(date, 10) : date;
}

static struct span
cert_value(const struct page_cert *c, struct span name)
{
	if (!c)
		return (struct span){0};
	if (span_eq(name, SPAN("cert.subject")))
		return c->subject;
	if (span_eq(name, SPAN("cert.issuer")))
		return c->issuer;
	if (span_eq(name, SPAN("cert.not_before")))
		return page_day(c->not_before);
	if (span_eq(name, SPAN("cert.not_after")))
		return page_day(c->not_after);
	if (span_eq(name, SPAN("cert.sha256")))
		return c->sha256;
	return (struct span){0};
}

struct span
page_get(const struct page_values *v, struct span name)
{
	for (size_t i = 0; i < v->n; i++) {
		if (span_eq(name, span_str(v->v[i].name)))
			return v->v[i].value;
	}
	return cert_value(v->cert, name);
}

/* --- languages --- */

/* English first: it is what those get who like none of the others. */
const char *
page_language(size_t i)
{
	static const char *const tags[] = {"en", "ja", NULL};
	return i < COUNT_OF(tags) ? tags[i] : NULL;
}

static void
add_text(struct page_values *v, struct span text)
{
	if (text.n > 0 && v->n_texts < PAGE_TEXTS)
		v->texts[v->n_texts++] = text;
}

/* The organisation's sentences and ours in one language. */
static void
add_language(struct page_values *v, const struct page_style *style, const char *tag)
{
	char file[20];
	for (size_t i = 0; i < style->n_texts; i++) {
		if (span_eq(style->texts[i].language, span_str(tag)))
			add_text(v, style->texts[i].texts);
	}
	text_format(file, sizeof(file), "%s.txt", tag);
	add_text(v, page_file(span_str(file)));
}

const char *
page_choose_language(struct page_values *v, const struct page_style *style,
	const struct http_fields *asked)
{
	struct span tags[LANGUAGES_MAX];
	size_t n = 0;
	for (; n < LANGUAGES_MAX && page_language(n); n++)
		tags[n] = span_str(page_language(n));
	size_t liked = asked ? negotiate_language(asked, tags, n) : 0;
	add_language(v, style, page_language(liked));
	if (liked != 0)
		add_language(v, style, page_language(0));
	return page_language(liked);
}

/* --- sentences --- */

/* The text of "topic.key" (or "key") in one file of lines "key: text". */
static struct span
find_line(struct span file, struct span topic, struct span key)
{
	struct span line;
	while (span_cut(&file, '\n', &line)) {
		struct span rest = line;
		if (topic.n > 0) {
			if (!span_starts(rest, topic) || rest.n == topic.n ||
				rest.p[topic.n] != '.')
				continue;
			rest = span_from(rest, topic.n + 1);
		}
		if (span_starts(rest, key) && rest.n > key.n && rest.p[key.n] == ':')
			return span_trim(span_from(rest, key.n + 1));
	}
	return (struct span){0};
}

/* A more exact topic in another language is worse than a general one in the reader's:
 * files outside, topics inside. */
static struct span
find_sentence(const struct page_values *v, struct span key)
{
	for (size_t i = 0; i < v->n_texts; i++) {
		for (size_t k = 0; k <= v->n_topics; k++) {
			struct span topic =
				k < v->n_topics ? v->topics[k] : (struct span){0};
			struct span found = find_line(v->texts[i], topic, key);
			if (found.n > 0)
				return found;
		}
	}
	return (struct span){0};
}

struct span
page_sentence(const struct page_values *v, struct span key, char dst[PAGE_LINE])
{
	struct span rest = find_sentence(v, key);
	struct text t = text_to(dst, PAGE_LINE);

	while (rest.n > 0) {
		size_t open = span_chr(rest, '{');
		text_put(&t, span_first(rest, open));
		rest = span_from(rest, open);
		size_t close = span_chr(rest, '}');
		if (close == rest.n) {
			text_put(&t, rest);
			break;
		}
		text_put(&t, page_get(v, span_slice(rest, 1, close)));
		rest = span_from(rest, close + 1);
	}
	return text_span(&t);
}

/* --- templates --- */

static const char replacement[] = "\xef\xbf\xbd";

/* Characters that are not printed, or that turn the reading direction so that a name
 * looks like another. */
static bool
is_harmful(uint32_t c)
{
	static const struct {
		uint32_t from;
		uint32_t to;
	} ranges[] = {{0, 0x1f}, {0x7f, 0x9f}, {0x200b, 0x200f}, {0x202a, 0x202e},
		{0x2060, 0x2069}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}};
	for (size_t i = 0; i < COUNT_OF(ranges); i++) {
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	}
	return false;
}

/* Takes the character at the front off; false when it is not to be shown. */
static bool
take_character(struct span *s, struct span *out)
{
	size_t n = s->p[0] < 0x80 ? 1 : s->p[0] < 0xe0 ? 2 : s->p[0] < 0xf0 ? 3 : 4;
	bool whole = n <= s->n && text_is_utf8(span_first(*s, n));

	n = whole ? n : 1;
	*out = span_first(*s, n);
	*s = span_from(*s, n);
	uint32_t c = n == 1 ? out->p[0] : out->p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (out->p[i] & 0x3f);
	return whole && !is_harmful(c);
}

static const char *
entity(uint8_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default: /* stands for itself */
		return NULL;
	}
}

void
page_put_html(struct text *t, struct span s)
{
	struct span c;
	while (s.n > 0) {
		bool fine = take_character(&s, &c);
		const char *name = fine && c.n == 1 ? entity(c.p[0]) : NULL;
		if (name) {
			text_put(t, span_str(name));
		} else {
			text_put(t, fine ? c : span_str(replacement));
		}
	}
}

static bool
is_there(const struct page_values *v, struct span name)
{
	char line[PAGE_LINE];
	if (span_eq(name, SPAN("chain")))
		return v->n_chain > 0;
	if (span_starts(name, SPAN("t.")))
		return page_sentence(v, span_from(name, 2), line).n > 0;
	return page_get(v, name).n > 0;
}

static void render(
	struct text *t, struct span rest, struct page_values *v, unsigned depth);

/* {{*chain}}: the inner part for each certificate. */
static void
render_chain(struct text *t, struct span inner, struct page_values *v, unsigned depth)
{
	for (size_t i = 0; i < v->n_chain; i++) {
		v->cert = &v->chain[i];
		render(t, inner, v, depth);
	}
	v->cert = NULL;
}

/* A part that ends in {{/name}}; returns what is behind it. */
static struct span
render_part(struct text *t, struct span mark, struct span rest, struct page_values *v,
	unsigned depth)
{
	char end[64];
	struct span name = span_from(mark, 1);
	text_format(end, sizeof(end), "{{/%.*s}}", SPAN_ARG(name));
	size_t at = span_find(rest, span_str(end));
	struct span inner = span_first(rest, at);

	if (mark.p[0] == '*') {
		render_chain(t, inner, v, depth);
	} else if (is_there(v, name) == (mark.p[0] == '?')) {
		render(t, inner, v, depth);
	}
	return span_from(rest, at + strlen(end));
}

static void
render_value(struct text *t, struct span mark, const struct page_values *v)
{
	char line[PAGE_LINE];
	if (mark.n > 0 && mark.p[0] == '>') {
		text_put(t, page_file(span_from(mark, 1)));
	} else if (span_starts(mark, SPAN("t."))) {
		page_put_html(t, page_sentence(v, span_from(mark, 2), line));
	} else {
		page_put_html(t, page_get(v, mark));
	}
}

static void
render(struct text *t, struct span rest, struct page_values *v, unsigned depth)
{
	while (rest.n > 0 && depth < NESTING_MAX) {
		size_t open = span_find(rest, SPAN("{{"));
		text_put(t, span_first(rest, open));
		rest = span_from(rest, open);
		size_t close = span_find(rest, SPAN("}}"));
		struct span mark = span_slice(rest, 2, close);
		rest = span_from(rest, close + 2);
		if (mark.n > 1 &&
			(mark.p[0] == '?' || mark.p[0] == '!' || mark.p[0] == '*')) {
			rest = render_part(t, mark, rest, v, depth + 1);
		} else if (mark.n > 0) {
			render_value(t, mark, v);
		}
	}
}

void
page_render(struct text *t, struct span file, struct page_values *v)
{
	render(t, page_file(file), v, 0);
}
