// SPDX-License-Identifier: Apache-2.0
/*
 * lex_expr: where a rule's expression ends.
 *
 * Only the rule language understands an expression. What is known here are the things
 * that may hide its end: quoted and raw strings, patterns in which a quote may stand
 * between [ and ], and brackets. When it does not end the report points at what was
 * left open, and reading goes on at the next rule.
 */
#include "conf/lex_priv.h"

/* While an expression is passed over. */
struct scan {
	struct conf_lex *l;
	struct conf_lex start;
	struct span word; /* the token passed last; empty after strings and brackets */
	bool any;         /* something was passed */
	bool failed;
	bool found_rule; /* the front of another rule: go on there */
	size_t depth;
	uint8_t bracket[CONF_EXPR_DEPTH]; /* open ones */
	struct conf_place open[CONF_EXPR_DEPTH];
};

static void
fail(struct scan *s, struct conf_place at, const char *what)
{
	(void)conf_complain(s->l->report, at, ERR_CONF_EXPR, "%s", what);
	s->failed = true;
}

static bool
is_name(uint8_t c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c == '.' ||
		c == '$' || c == '-' || c >= 0x80;
}

/* r"…", r#"…"#: nothing inside is special. Length of the opening `at` ahead, or 0. */
static size_t
raw_opening(const struct conf_lex *l, size_t at)
{
	size_t n = at + 1;
	if (conf_lex_ahead(l, at) != 'r')
		return 0;
	while (conf_lex_ahead(l, n) == '#')
		n++;
	return conf_lex_ahead(l, n) == '"' ? n + 1 - at : 0;
}

/* The name at the front, which may be glued to a raw string: eqr"x". */
static struct span
name_ahead(const struct conf_lex *l)
{
	size_t n = 0;
	while (n < l->left.n && is_name(l->left.p[n]) && raw_opening(l, n) == 0)
		n++;
	return span_first(l->left, n);
}

/* Whether a raw string with so many marks ends here. */
static bool
closes_raw(const struct conf_lex *l, size_t marks)
{
	size_t n = 0;
	if (conf_lex_ahead(l, 0) != '"')
		return false;
	while (n < marks && conf_lex_ahead(l, n + 1) == '#')
		n++;
	return n == marks;
}

static void
pass_raw(struct scan *s, size_t opening)
{
	struct conf_place start = conf_lex_place(s->l);
	size_t marks = opening - 2;

	conf_lex_step(s->l, opening);
	while (s->l->left.n > 0 && !closes_raw(s->l, marks))
		conf_lex_step(s->l, 1);
	if (s->l->left.n == 0)
		fail(s, start, "this raw string is not closed");
	conf_lex_step(s->l, marks + 1);
}

/* In a pattern a quote between [ and ] is an ordinary octet. */
static void
pass_string(struct scan *s, bool is_pattern)
{
	struct conf_place start = conf_lex_place(s->l);
	bool in_class = false;

	conf_lex_step(s->l, 1);
	while (s->l->left.n > 0 && (conf_lex_ahead(s->l, 0) != '"' || in_class)) {
		uint8_t c = conf_lex_ahead(s->l, 0);
		if (is_pattern && (c == '[' || c == ']'))
			in_class = c == '[';
		conf_lex_step(s->l, c == '\\' ? 2 : 1);
	}
	if (s->l->left.n == 0)
		fail(s, start, "this quote is not closed");
	conf_lex_step(s->l, 1);
}

static void
pass_open(struct scan *s, uint8_t c)
{
	if (s->depth == CONF_EXPR_DEPTH) {
		fail(s, conf_lex_place(s->l), "brackets are nested too deeply");
		return;
	}
	s->open[s->depth] = conf_lex_place(s->l);
	s->bracket[s->depth++] = c;
	conf_lex_step(s->l, 1);
}

static void
pass_close(struct scan *s, uint8_t c)
{
	uint8_t opener = c == ')' ? '(' : c == ']' ? '[' : '{';

	if (s->depth == 0) {
		fail(s, conf_lex_place(s->l), "nothing is open that this closes");
	} else if (s->bracket[s->depth - 1] != opener) {
		fail(s, s->open[s->depth - 1],
			"this bracket is closed by another kind");
	} else {
		s->depth--;
	}
	conf_lex_step(s->l, 1);
}

static void
pass_token(struct scan *s)
{
	struct conf_lex *l = s->l;
	uint8_t c = conf_lex_ahead(l, 0);
	size_t raw = raw_opening(l, 0);
	struct span before = s->word;

	s->word = (struct span){0};
	s->any = true;
	if (raw > 0) {
		pass_raw(s, raw);
	} else if (c == '"') {
		pass_string(s,
			span_ends(before, SPAN("matches")) ||
				span_eq(before, SPAN("~")));
	} else if (c == '(' || c == '{' || c == '[') {
		pass_open(s, c);
	} else if (c == ')' || c == '}' || c == ']') {
		pass_close(s, c);
	} else {
		struct span name = name_ahead(l);
		s->word = name.n > 0 ? name : span_first(l->left, 1);
		conf_lex_step(l, s->word.n);
	}
}

/* Steps over blanks and returns the word behind them; on a copy of the lexer. */
static struct span
next_word(struct conf_lex *l)
{
	size_t n = 0;
	while (conf_lex_blank(conf_lex_ahead(l, 0)))
		l->left = span_from(l->left, 1);
	while (n < l->left.n && !conf_lex_blank(l->left.p[n]) && l->left.p[n] != '\n')
		n++;
	struct span word = span_first(l->left, n);
	l->left = span_from(l->left, n);
	return word;
}

/* `rule NAME when` at the front of a line: the expression before it never ended. */
static bool
begins_rule(struct conf_lex l)
{
	bool is_rule = span_eq(next_word(&l), SPAN("rule"));
	(void)next_word(&l);
	return is_rule && span_eq(next_word(&l), SPAN("when"));
}

static void
pass_line(struct scan *s)
{
	conf_lex_step(s->l, 1);
	if (!begins_rule(*s->l))
		return;
	s->found_rule = true;
	if (s->depth > 0) {
		fail(s, s->open[s->depth - 1], "this bracket is not closed");
	} else {
		fail(s, conf_lex_place(&s->start),
			"a \"do\" is missing behind this condition");
	}
}

static bool
is_operator(struct span w)
{
	static const char *const words[] = {"and", "or", "xor", "not", "&", "|", "^",
		"!", "eq", "ne", "lt", "le", "gt", "ge", "in", "=", "<", ">",
		"contains", "matches", "wildcard", "~"};
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (span_eq(w, span_str(words[i])))
			return true;
	}
	return false;
}

bool
conf_lex_continues(struct span s)
{
	static const char *const words[] = {"and", "or", "xor"};
	struct span two = span_first(s, 2);

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		struct span word = span_str(words[i]);
		if (span_starts(s, word) && (s.n == word.n || !is_name(s.p[word.n])))
			return true;
	}
	return span_eq(two, SPAN("&&")) || span_eq(two, SPAN("||")) ||
		span_eq(two, SPAN("^^"));
}

/* Whether an expression that ends with its line goes on in the next: nothing was said
 * yet, an operator stands last, or one begins the next line. */
static bool
goes_on(const struct scan *s)
{
	struct conf_lex peek = *s->l;

	if (!s->any || is_operator(s->word))
		return true;
	conf_lex_step(&peek, 1);
	while (conf_lex_blank(conf_lex_ahead(&peek, 0)))
		conf_lex_step(&peek, 1);
	return conf_lex_continues(peek.left);
}

static bool
at_end(const struct scan *s, enum conf_expr_end end)
{
	uint8_t c = conf_lex_ahead(s->l, 0);

	if (s->depth > 0)
		return false;
	if (end == CONF_EXPR_DO)
		return span_eq(name_ahead(s->l), SPAN("do"));
	return c == ';' || c == '}' || c == '#' || (c == '\n' && !goes_on(s));
}

/* The text ran out. */
static void
check_ended(struct scan *s, enum conf_expr_end end)
{
	if (s->failed || s->l->left.n > 0)
		return;
	if (s->depth > 0) {
		fail(s, s->open[s->depth - 1], "this bracket is not closed");
	} else if (end == CONF_EXPR_DO) {
		fail(s, conf_lex_place(&s->start),
			"a \"do\" is missing behind this condition");
	}
}

static void
scan_expr(struct scan *s, enum conf_expr_end end)
{
	while (!s->failed && s->l->left.n > 0 && !at_end(s, end)) {
		uint8_t c = conf_lex_ahead(s->l, 0);
		if (c == '\n') {
			pass_line(s);
		} else if (conf_lex_blank(c)) {
			conf_lex_step(s->l, 1);
		} else {
			pass_token(s);
		}
		if (s->start.left.n - s->l->left.n > CONF_EXPR_MAX) {
			fail(s, conf_lex_place(&s->start),
				"this condition is too long");
		}
	}
	check_ended(s, end);
	if (!s->failed && end == CONF_EXPR_LINE && is_operator(s->word))
		fail(s, conf_lex_place(s->l), "this condition ends in an operator");
}

bool
conf_lex_announces(const struct conf_word *first, const struct conf_word *last,
	size_t n, enum conf_expr_end *end)
{
	if (n < 2 || first->quoted || last->quoted)
		return false;
	*end = span_eq(first->text, SPAN("rule")) ? CONF_EXPR_DO : CONF_EXPR_LINE;
	if (*end == CONF_EXPR_DO)
		return span_eq(last->text, SPAN("when"));
	return span_eq(first->text, SPAN("let")) && span_eq(last->text, SPAN("="));
}

bool
conf_lex_expr(struct conf_lex *l, enum conf_expr_end end, struct conf_word *out)
{
	while (conf_lex_blank(conf_lex_ahead(l, 0)) || conf_lex_ahead(l, 0) == '\n')
		conf_lex_step(l, 1);

	struct scan s = {.l = l, .start = *l};
	scan_expr(&s, end);
	if (s.failed && !s.found_rule) {
		*l = s.start;
		conf_lex_skip_line(l);
	}
	if (s.failed)
		return false;

	struct span text =
		span_trim(span_first(s.start.left, s.start.left.n - l->left.n));
	*out = (struct conf_word){.text = text, .at = conf_lex_place(&s.start)};
	if (text.n == 0) {
		return conf_complain(l->report, out->at, ERR_CONF_EXPR,
			"a condition is missing here");
	}
	for (size_t i = 0; i < text.n && text.p[i] != '\n'; i++)
		out->at.width += (text.p[i] & 0xc0) != 0x80;
	return true;
}
