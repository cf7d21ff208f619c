// SPDX-License-Identifier: Apache-2.0
#include "conf/report.h"

#include <string.h>

#include "base/text.h"

enum { SHOWN = 100 }; /* characters of a source line */

struct conf_place
conf_place_within(
	struct conf_place start, uint32_t line, uint32_t column, uint32_t width)
{
	struct conf_place at = start;
	at.line += line - 1;
	at.column = line == 1 ? start.column + column - 1 : column;
	at.width = width;
	return at;
}

void
conf_report_init(struct conf_report *r)
{
	r->n = 0;
	r->errors = 0;
	r->warnings = 0;
}

PRINTF(3, 0)
static void
add(struct conf_report *r, const struct conf_complaint *head, const char *fmt,
	va_list ap)
{
	if (r->n == CONF_COMPLAINTS)
		return;
	struct conf_complaint *c = &r->list[r->n++];
	c->at = head->at;
	c->code = head->code;
	c->is_warning = head->is_warning;
	c->hint[0] = 0;
	struct text t = text_to(c->text, sizeof(c->text));
	text_addv(&t, fmt, ap);
	for (size_t i = 0; i < t.n; i++) {
		if ((uint8_t)c->text[i] < ' ' || c->text[i] == 0x7f)
			c->text[i] = '?';
	}
}

bool
conf_complain(struct conf_report *r, struct conf_place at, enum err_code code,
	const char *fmt, ...)
{
	struct conf_complaint c;
	va_list ap;

	c.at = at;
	c.code = code;
	c.is_warning = false;
	r->errors++;
	va_start(ap, fmt);
	add(r, &c, fmt, ap);
	va_end(ap);
	return false;
}

void
conf_warn(struct conf_report *r, struct conf_place at, enum err_code code,
	const char *fmt, ...)
{
	struct conf_complaint c;
	va_list ap;

	c.at = at;
	c.code = code;
	c.is_warning = true;
	r->warnings++;
	va_start(ap, fmt);
	add(r, &c, fmt, ap);
	va_end(ap);
}

void
conf_hint(struct conf_report *r, const char *fmt, ...)
{
	va_list ap;

	if (r->n == 0 || r->errors + r->warnings > r->n)
		return; /* what was added last did not fit */
	struct conf_complaint *c = &r->list[r->n - 1];
	struct text t = text_to(c->hint, sizeof(c->hint));
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
}

bool
conf_report_ok(const struct conf_report *r)
{
	return r->errors == 0;
}

/* Line number `line` of a text, without its end. */
static struct span
source_line(struct span text, uint32_t line)
{
	struct span piece = {0};
	for (uint32_t i = 0; i < line; i++) {
		if (!span_cut(&text, '\n', &piece))
			return (struct span){0};
	}
	return piece;
}

/* Octets of the first n characters. */
static size_t
chars(struct span s, size_t n)
{
	size_t i = 0;
	while (i < s.n && (n > 0 || (s.p[i] & 0xc0) == 0x80)) {
		n -= (s.p[i] & 0xc0) != 0x80;
		i++;
	}
	return i;
}

/* The line as it may be shown on a terminal. */
static void
put_line(struct text *t, struct span line)
{
	text_add(t, "    ");
	for (size_t i = 0; i < line.n; i++) {
		bool control =
			(line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] == 0x7f;
		text_put(t, control ? SPAN(" ") : span_slice(line, i, i + 1));
	}
}

/* Marks under what stands behind `before`. Tabs stay, so that both lines agree. */
static void
put_marks(struct text *t, struct span before, size_t width)
{
	text_add(t, "\n    ");
	for (size_t i = 0; i < before.n; i++) {
		if (before.p[i] == '\t' || (before.p[i] & 0xc0) != 0x80)
			text_add(t, before.p[i] == '\t' ? "\t" : " ");
	}
	for (size_t i = 0; i < width; i++)
		text_add(t, "^");
	text_add(t, "\n");
}

/* The source line and marks under the place; a long line from where it matters. */
static void
put_source(struct text *t, const struct conf_place *at)
{
	struct span line = source_line(at->file->text, at->line);
	size_t column = at->column > 0 ? at->column - 1 : 0;

	if (column > SHOWN - 20) {
		size_t cut = column - (SHOWN - 20);
		line = span_from(line, chars(line, cut));
		column -= cut;
	}
	size_t room = SHOWN - column; /* at least 20 */
	size_t width = at->width < room ? at->width : room;
	line = span_first(line, chars(line, SHOWN));
	put_line(t, line);
	put_marks(t, span_first(line, chars(line, column)), width > 0 ? width : 1);
}

const char *
conf_complaint_text(
	char dst[CONF_COMPLAINT_TEXT], const struct conf_complaint *c, bool colours)
{
	struct text t = text_to(dst, CONF_COMPLAINT_TEXT);
	const char *hint = c->hint[0] ? c->hint : err_hint(c->code);
	const char *tone = c->is_warning ? "\033[33m" : "\033[31m";

	if (c->at.file)
		text_add(&t, "%s:%u:%u: ", c->at.file->path, c->at.line, c->at.column);
	text_add(&t, "%s%s%s: %s\n", colours ? tone : "",
		c->is_warning ? "warning" : "error", colours ? "\033[0m" : "", c->text);
	if (c->at.file && c->at.line > 0)
		put_source(&t, &c->at);
	if (hint[0])
		text_add(&t, "    %s\n", hint);
	return dst;
}

bool
conf_report_err(const struct conf_report *r, struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct conf_complaint *c = &r->list[i];
		if (c->is_warning)
			continue;
		if (!c->at.file)
			return err_set(err, c->code, "%s", c->text);
		return err_set(err, c->code, "%s:%u:%u: %s", c->at.file->path,
			c->at.line, c->at.column, c->text);
	}
	if (r->errors > 0)
		return err_set(err, ERR_CONF_SYNTAX, "%zu errors", r->errors);
	return true;
}
