// SPDX-License-Identifier: Apache-2.0
/*
 * regex_class: the words of a pattern, and classes in brackets.
 */
#include "base/text.h"
#include "rule/regex_tree_priv.h"

bool
regex_refuse(struct regex_parser *p, size_t at, const char *reason)
{
	if (p->fault->reason[0] == '\0') {
		p->fault->at = at;
		text_format(p->fault->reason, sizeof(p->fault->reason), "%s", reason);
	}
	return false;
}

static bool
refuse(struct regex_parser *p, size_t at, const char *reason)
{
	return regex_refuse(p, at, reason);
}

bool
regex_more(const struct regex_parser *p)
{
	return p->at < p->s.n;
}

uint8_t
regex_peek(const struct regex_parser *p)
{
	return regex_more(p) ? p->s.p[p->at] : 0;
}

bool
regex_take(struct regex_parser *p, const char *word)
{
	struct span w = span_str(word);
	if (!span_starts(span_from(p->s, p->at), w))
		return false;
	p->at += w.n;
	return true;
}

/* In extended mode blanks and comments mean nothing. */
void
regex_skip_extended(struct regex_parser *p)
{
	while (p->flags.extended && regex_more(p)) {
		uint8_t c = regex_peek(p);
		if (c == '#') {
			p->at += span_chr(span_from(p->s, p->at), '\n');
		} else if (c != ' ' && (c < '\t' || c > '\r')) {
			return;
		} else {
			p->at++;
		}
	}
}

/* Hex digits: exactly n of them, or {…}. */
static bool
read_hex(struct regex_parser *p, size_t n, uint32_t *out)
{
	size_t from = p->at;
	bool braces = regex_take(p, "{");
	size_t digits = 0;
	uint32_t v = 0;
	while (ascii_hex(regex_peek(p)) >= 0 && regex_more(p) &&
		digits < (braces ? 8 : n)) {
		v = v << 4 | (uint32_t)ascii_hex(regex_peek(p));
		p->at++;
		digits++;
	}
	if (digits == 0 || (braces ? !regex_take(p, "}") : digits != n))
		return refuse(p, from, "a hexadecimal escape is not complete");
	if (v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return refuse(p, from, "not a character");
	*out = v;
	return true;
}

/* What an escape stands for when it is one character; false when it is none. */
bool
regex_read_escape(uint8_t c, uint8_t *out)
{
	static const struct span names = SPAN_INIT("aftnrv");
	static const struct span values = SPAN_INIT("\a\f\t\n\r\v");
	size_t at = span_chr(names, c);
	if (at < names.n) {
		*out = values.p[at];
		return true;
	}
	*out = c;
	return c < 0x80 && !ascii_is_alpha(c) && !ascii_is_digit(c) && c != '<' &&
		c != '>';
}

/* \x \u \U behind the letter: the character. */
bool
regex_read_code(struct regex_parser *p, uint8_t letter, uint32_t *out)
{
	return read_hex(p, letter == 'x' ? 2 : letter == 'u' ? 4 : 8, out);
}

bool
regex_is_code(uint8_t c)
{
	return c == 'x' || c == 'u' || c == 'U';
}

/* Why a letter or digit cannot stand behind a backslash. */
const char *
regex_escape_fault(uint8_t c)
{
	if (ascii_is_digit(c))
		return "back-references are not supported";
	if (c == 'p' || c == 'P')
		return "classes of Unicode are not supported: patterns see octets";
	if (c == 'Z')
		return "\\Z is not known; the end of the text is \\z";
	if (c == 'k')
		return "back-references are not supported";
	return "an unknown escape";
}

/* One character of a class, as an octet. */
static bool
read_class_octet(struct regex_parser *p, uint8_t *out)
{
	size_t from = p->at;
	uint8_t c = regex_peek(p);
	p->at++;
	if (c >= 0x80)
		return refuse(p, from, "a class holds octets: write \\xHH for one");
	*out = c;
	if (c != '\\')
		return true;
	c = regex_peek(p);
	p->at++;
	if (regex_is_code(c)) {
		uint32_t code = 0;
		if (!regex_read_code(p, c, &code))
			return false;
		if (code > (c == 'x' && !p->flags.unicode ? UINT8_MAX : 0x7f)) {
			return refuse(
				p, from, "a class holds octets: write \\xHH for one");
		}
		*out = (uint8_t)code;
		return true;
	}
	if (p->at > p->s.n || !regex_read_escape(c, out))
		return refuse(p, from, regex_escape_fault(c));
	return true;
}

/* [:alpha:] at the cursor. 0: there is none; 1: taken; -1: an unknown name. */
static int
take_posix(struct regex_parser *p, struct octet_set *out)
{
	struct span rest = span_from(p->s, p->at);
	size_t end = span_find(rest, SPAN(":]"));
	if (!span_starts(rest, SPAN("[:")) || end == rest.n)
		return 0;
	struct span name = span_slice(rest, 2, end);
	bool negated = name.n > 0 && name.p[0] == '^';
	if (!class_posix(span_from(name, negated ? 1 : 0), out)) {
		/* Not a name at all: `[[:x]`, a nested class; a name: a mistake. */
		for (size_t i = 0; i < name.n; i++) {
			if (!ascii_is_alpha(name.p[i]) && !(i == 0 && negated))
				return 0;
		}
		refuse(p, p->at, "an unknown class between [: and :]");
		return -1;
	}
	if (negated)
		class_negate(out);
	p->at += end + 2;
	return 1;
}

/* A class inside a class: [:x:], [..], \d. 0, 1, -1 as above. */
static int
take_inner_class(struct regex_parser *p, struct octet_set *out)
{
	int posix = take_posix(p, out);
	if (posix != 0)
		return posix;
	if (regex_peek(p) == '[')
		return regex_read_class(p, out) ? 1 : -1;
	if (regex_peek(p) != '\\' || p->at + 1 >= p->s.n)
		return 0;
	uint8_t c = p->s.p[p->at + 1];
	if (!class_perl(c, out))
		return 0;
	if (p->flags.unicode) {
		refuse(p, p->at, "\\d, \\s and \\w of Unicode are not supported");
		return -1;
	}
	p->at += 2;
	return 1;
}

/* A character, or a range of them. */
static bool
read_class_range(struct regex_parser *p, struct octet_set *out)
{
	size_t start = p->at;
	uint8_t from = 0;
	uint8_t to = 0;
	if (!read_class_octet(p, &from))
		return false;
	to = from;
	struct span rest = span_from(p->s, p->at);
	bool range =
		rest.n > 1 && rest.p[0] == '-' && rest.p[1] != ']' && rest.p[1] != '-';
	if (range) {
		p->at++;
		struct octet_set inner;
		if (regex_peek(p) == '[' || take_inner_class(p, &inner) != 0) {
			return refuse(
				p, start, "a range ends in a character, not a class");
		}
		if (!read_class_octet(p, &to))
			return false;
		if (to < from)
			return refuse(p, start, "a range ends before it starts");
	}
	octets_add_range(out, from, to);
	return true;
}

static bool
at_set_operator(const struct regex_parser *p)
{
	struct span rest = span_from(p->s, p->at);
	return span_starts(rest, SPAN("&&")) || span_starts(rest, SPAN("--")) ||
		span_starts(rest, SPAN("~~"));
}

/* Items up to an operator or the end; `first`: a ] here is itself. */
static bool
parse_class_items(struct regex_parser *p, bool first, struct octet_set *out)
{
	*out = (struct octet_set){0};
	for (;; first = false) {
		regex_skip_extended(p);
		if (!regex_more(p))
			return refuse(p, p->at, "a class has no closing ]");
		if ((regex_peek(p) == ']' && !first) || (at_set_operator(p) && !first))
			return true;
		struct octet_set inner;
		int taken = regex_peek(p) == ']' ? 0 : take_inner_class(p, &inner);
		if (taken < 0)
			return false;
		if (taken > 0) {
			class_join(out, &inner);
		} else if (!read_class_range(p, out)) {
			return false;
		}
	}
}

static void
apply_operator(struct octet_set *left, uint8_t op, const struct octet_set *right)
{
	for (size_t i = 0; i < COUNT_OF(left->bits); i++) {
		if (op == '&') {
			left->bits[i] &= right->bits[i];
		} else if (op == '-') {
			left->bits[i] &= ~right->bits[i];
		} else {
			left->bits[i] ^= right->bits[i];
		}
	}
}

/* From [ to its ]; case is folded before negation, as the dialect does. */
bool
regex_read_class(struct regex_parser *p, struct octet_set *out)
{
	size_t opened = p->at++;
	bool negated = regex_take(p, "^");
	struct octet_set set;
	if (++p->depth > REGEX_DEPTH_MAX)
		return refuse(p, opened, "nested too deep");
	if (!parse_class_items(p, true, &set))
		return false;
	while (at_set_operator(p)) {
		struct octet_set right;
		uint8_t op = regex_peek(p);
		p->at += 2;
		if (!parse_class_items(p, false, &right))
			return false;
		apply_operator(&set, op, &right);
	}
	p->at++; /* the ] that ended the items */
	p->depth--;
	if (p->flags.nocase)
		class_fold_case(&set);
	if (negated)
		class_negate(&set);
	*out = set;
	return true;
}
