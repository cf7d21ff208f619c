// SPDX-License-Identifier: Apache-2.0
#include "conf/lex_priv.h"

/* Allowed at the front of a text only. */
static const struct span byte_order_mark = SPAN_INIT("\xef\xbb\xbf");

void
conf_lex_init(struct conf_lex *l, const struct conf_file *file, struct arena *arena,
	struct conf_report *report)
{
	*l = (struct conf_lex){.arena = arena,
		.report = report,
		.file = file,
		.left = file->text,
		.line = 1,
		.column = 1};
	if (span_starts(l->left, byte_order_mark))
		l->left = span_from(l->left, 3);
}

struct conf_place
conf_lex_place(const struct conf_lex *l)
{
	return (struct conf_place){
		.file = l->file, .line = l->line, .column = l->column};
}

uint8_t
conf_lex_ahead(const struct conf_lex *l, size_t i)
{
	return i < l->left.n ? l->left.p[i] : 0;
}

/* UTF-8 continuations are no characters of their own. */
void
conf_lex_step(struct conf_lex *l, size_t n)
{
	for (size_t i = 0; i < n && i < l->left.n; i++) {
		uint8_t c = l->left.p[i];
		if (c == '\n') {
			l->line++;
			l->column = 1;
		} else if ((c & 0xc0) != 0x80) {
			l->column++;
		}
	}
	l->left = span_from(l->left, n);
}

bool
conf_lex_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* A backslash right before the line's end: the statement goes on. */
static size_t
joint_length(const struct conf_lex *l)
{
	if (conf_lex_ahead(l, 0) != '\\')
		return 0;
	if (conf_lex_ahead(l, 1) == '\n')
		return 2;
	return conf_lex_ahead(l, 1) == '\r' && conf_lex_ahead(l, 2) == '\n' ? 3 : 0;
}

void
conf_lex_skip_line(struct conf_lex *l)
{
	conf_lex_step(l, span_chr(l->left, '\n'));
}

static void
skip_blanks(struct conf_lex *l)
{
	for (;;) {
		size_t joint = joint_length(l);
		if (joint > 0) {
			conf_lex_step(l, joint);
		} else if (l->left.n > 0 && conf_lex_blank(conf_lex_ahead(l, 0))) {
			conf_lex_step(l, 1);
		} else {
			break;
		}
	}
	if (conf_lex_ahead(l, 0) == '#')
		conf_lex_skip_line(l);
}

/* Complains and gives up on the line. */
static enum conf_token
refuse(struct conf_lex *l, struct conf_place at, const char *what)
{
	(void)conf_complain(l->report, at, ERR_CONF_SYNTAX, "%s", what);
	conf_lex_skip_line(l);
	return CONF_TOKEN_BAD;
}

static bool
ends_word(uint8_t c)
{
	return conf_lex_blank(c) || c == '\n' || c == ';' || c == '{' || c == '}' ||
		c == '"';
}

/* Octets below a blank, and DEL, have no place in a text that people review. */
static bool
is_control(uint8_t c)
{
	return (c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f;
}

static enum conf_token
lex_bare(struct conf_lex *l, struct conf_word *out)
{
	size_t n = 0;
	while (n < l->left.n && !ends_word(l->left.p[n])) {
		if (is_control(l->left.p[n])) {
			conf_lex_step(l, n);
			return refuse(l, conf_lex_place(l),
				"there is a control character here");
		}
		n++;
	}
	if (span_find(span_first(l->left, n), byte_order_mark) < n) {
		return refuse(
			l, conf_lex_place(l), "there is an invisible character here");
	}
	if (l->left.p[n - 1] == '\\') {
		return refuse(l, conf_lex_place(l),
			"this word ends in a backslash: put it in quotes, or a blank "
			"before "
			"the backslash that joins lines");
	}
	uint32_t column = l->column;
	out->text = span_first(l->left, n);
	conf_lex_step(l, n);
	out->at.width = l->column - column;
	if (conf_lex_ahead(l, 0) == '"') {
		return refuse(
			l, conf_lex_place(l), "a blank is missing before the quote");
	}
	return CONF_TOKEN_WORD;
}

/* Length of the escape at the front, 0 when it is none; its octet to *c. */
static size_t
read_escape(const struct conf_lex *l, uint8_t *c)
{
	switch (conf_lex_ahead(l, 1)) {
	case '"':
	case '\\':
		*c = conf_lex_ahead(l, 1);
		return 2;
	case 'n':
		*c = '\n';
		return 2;
	case 't':
		*c = '\t';
		return 2;
	case 'x':
		break;
	default:
		return 0;
	}
	int high = ascii_hex(conf_lex_ahead(l, 2));
	int low = ascii_hex(conf_lex_ahead(l, 3));
	if (high < 0 || low < 0 || high + low == 0)
		return 0;
	*c = (uint8_t)(high << 4 | low);
	return 4;
}

/* Octets between the quotes at most, escapes counted as written. */
static size_t
quoted_length(struct span line)
{
	size_t n = 1;
	while (n < line.n && line.p[n] != '"')
		n += line.p[n] == '\\' ? 2 : 1;
	return n;
}

static enum conf_token
lex_quoted(struct conf_lex *l, struct conf_word *out)
{
	struct conf_place start = conf_lex_place(l);
	size_t line = span_chr(l->left, '\n');
	uint8_t *text = arena_alloc(l->arena, quoted_length(span_first(l->left, line)));
	size_t n = 0;

	conf_lex_step(l, 1);
	while (conf_lex_ahead(l, 0) != '"') {
		uint8_t c = conf_lex_ahead(l, 0);
		size_t taken = 1;
		if (l->left.n == 0 || c == '\n')
			return refuse(l, start, "this quote is not closed on its line");
		if (c == '\\') {
			taken = read_escape(l, &c);
		} else if (is_control(c)) {
			taken = 0;
		}
		if (taken == 0) {
			return refuse(l, conf_lex_place(l),
				c == '\\'
					? "this escape is not \\\", \\\\, \\n, \\t or "
					  "\\xHH"
					: "there is a control character in the quotes");
		}
		text[n++] = c;
		conf_lex_step(l, taken);
	}
	conf_lex_step(l, 1);
	out->text = span_of(text, n);
	out->quoted = true;
	out->at.width = l->column - start.column;
	if (l->left.n > 0 &&
		(!ends_word(conf_lex_ahead(l, 0)) || conf_lex_ahead(l, 0) == '"')) {
		return refuse(
			l, conf_lex_place(l), "a blank is missing after the quote");
	}
	return CONF_TOKEN_WORD;
}

enum conf_token
conf_lex_next(struct conf_lex *l, struct conf_word *out)
{
	l->gap = l->left;
	skip_blanks(l);
	l->gap.n -= l->left.n;
	*out = (struct conf_word){
		.text = span_first(l->left, 1), .at = conf_lex_place(l)};
	if (l->left.n == 0)
		return CONF_TOKEN_EOF;
	switch (conf_lex_ahead(l, 0)) {
	case '"':
		return lex_quoted(l, out);
	case '{':
		conf_lex_step(l, 1);
		return CONF_TOKEN_OPEN;
	case '}':
		conf_lex_step(l, 1);
		return CONF_TOKEN_CLOSE;
	case ';':
	case '\n':
		conf_lex_step(l, 1);
		return CONF_TOKEN_END;
	default:
		return lex_bare(l, out);
	}
}
