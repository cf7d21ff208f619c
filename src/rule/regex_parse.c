// SPDX-License-Identifier: Apache-2.0
/*
 * regex_parse: reads the Rust regex dialect on octets (docs.rs/regex, "Syntax").
 *
 * Unicode is off: a class holds octets, and a character outside ASCII is its octets in
 * order. (?u) turns on only what needs no tables. Look-around and back-references do
 * not exist in the dialect; saying so beats "syntax error".
 */
#include "rule/regex_tree_priv.h"

static struct regex_node *
fail(struct regex_parser *p, size_t at, const char *reason)
{
	regex_refuse(p, at, reason);
	return NULL;
}

static bool
refuse(struct regex_parser *p, size_t at, const char *reason)
{
	return regex_refuse(p, at, reason);
}

static struct regex_node *
new_node(struct regex_parser *p, enum regex_kind kind)
{
	struct regex_node *n = arena_alloc(p->arena, sizeof(*n));
	n->kind = kind;
	return n;
}

static struct regex_node *
set_node(struct regex_parser *p, const struct octet_set *set)
{
	struct regex_node *n = new_node(p, REGEX_SET);
	n->set = *set;
	if (p->flags.nocase)
		class_fold_case(&n->set);
	return n;
}

static struct regex_node *
assert_node(struct regex_parser *p, enum regex_assert what)
{
	struct regex_node *n = new_node(p, REGEX_ASSERT);
	n->assert = what;
	return n;
}

static struct regex_node *
octet_node(struct regex_parser *p, uint8_t c)
{
	struct octet_set set = {0};
	octets_add(&set, c);
	return set_node(p, &set);
}

static struct regex_node *
range_node(struct regex_parser *p, uint8_t from, uint8_t to)
{
	struct octet_set set = {0};
	octets_add_range(&set, from, to);
	struct regex_node *n = new_node(p, REGEX_SET);
	n->set = set;
	return n;
}

/* Several octets as one thing that a repetition takes whole. */
static struct regex_node *
octets_node(struct regex_parser *p, struct span octets)
{
	if (octets.n == 1)
		return octet_node(p, octets.p[0]);
	struct regex_node *cat = new_node(p, REGEX_CAT);
	struct regex_node **tail = &cat->first;
	for (size_t i = 0; i < octets.n; i++) {
		*tail = octet_node(p, octets.p[i]);
		tail = &(*tail)->next;
	}
	return cat;
}

static size_t
encode_utf8(uint32_t c, uint8_t out[4])
{
	static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; c >>= 6)
		out[i] = (uint8_t)(0x80 | (c & 0x3f));
	out[0] = (uint8_t)(marks[n] | c);
	return n;
}

/* Any character outside ASCII in UTF-8, loosely: lead octet and continuations. */
static struct regex_node *
wide_character(struct regex_parser *p)
{
	static const uint8_t leads[][3] = {
		{0xc2, 0xdf, 1}, {0xe0, 0xef, 2}, {0xf0, 0xf4, 3}};
	struct regex_node *alt = new_node(p, REGEX_ALT);
	struct regex_node **tail = &alt->first;
	for (size_t i = 0; i < COUNT_OF(leads); i++) {
		struct regex_node *cat = new_node(p, REGEX_CAT);
		struct regex_node **octet = &cat->first;
		*octet = range_node(p, leads[i][0], leads[i][1]);
		for (unsigned k = 0; k < leads[i][2]; k++) {
			octet = &(*octet)->next;
			*octet = range_node(p, 0x80, 0xbf);
		}
		*tail = cat;
		tail = &cat->next;
	}
	return alt;
}

/* A set of octets where characters are meant: ASCII of it, or any wide character. */
static struct regex_node *
negated_unicode(struct regex_parser *p, const struct octet_set *set)
{
	struct octet_set ascii = *set;
	ascii.bits[2] = ascii.bits[3] = 0;
	struct regex_node *alt = wide_character(p);
	struct regex_node *narrow = set_node(p, &ascii);
	narrow->next = alt->first;
	alt->first = narrow;
	return alt;
}

static struct regex_node *
parse_dot(struct regex_parser *p)
{
	struct octet_set set = {0};
	if (!p->flags.dot_all)
		octets_add(&set, '\n');
	class_negate(&set);
	if (p->flags.unicode)
		return negated_unicode(p, &set);
	struct regex_node *n = new_node(p, REGEX_SET);
	n->set = set;
	return n;
}

static struct regex_node *
parse_word_boundary(struct regex_parser *p)
{
	static const struct {
		const char *name;
		enum regex_assert what;
	} kinds[] = {
		{"{start}", ASSERT_WORD_START},
		{"{end}", ASSERT_WORD_END},
		{"{start-half}", ASSERT_WORD_START_HALF},
		{"{end-half}", ASSERT_WORD_END_HALF},
	};
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (regex_take(p, kinds[i].name))
			return assert_node(p, kinds[i].what);
	}
	return assert_node(p, ASSERT_WORD);
}

/* Escapes that are no character and no class; NULL without a fault when c is none. */
static struct regex_node *
parse_assertion(struct regex_parser *p, uint8_t c)
{
	switch (c) {
	case 'A':
		return assert_node(p, ASSERT_TEXT_START);
	case 'z':
		return assert_node(p, ASSERT_TEXT_END);
	case 'b':
		return parse_word_boundary(p);
	case 'B':
		return assert_node(p, ASSERT_NOT_WORD);
	case '<':
		return assert_node(p, ASSERT_WORD_START);
	case '>':
		return assert_node(p, ASSERT_WORD_END);
	default: /* a letter from the pattern */
		return NULL;
	}
}

static struct regex_node *
parse_escape(struct regex_parser *p)
{
	size_t from = p->at++;
	struct octet_set set;
	if (!regex_more(p))
		return fail(p, from, "a backslash at the end of the pattern");
	uint8_t c = regex_peek(p);
	p->at++;
	if (class_perl(c, &set)) {
		if (p->flags.unicode) {
			return fail(p, from,
				"\\d, \\s and \\w of Unicode are not supported");
		}
		return set_node(p, &set);
	}
	struct regex_node *n = parse_assertion(p, c);
	if (n != NULL)
		return n;
	if (regex_is_code(c)) {
		uint32_t code;
		uint8_t utf8[4];
		if (!regex_read_code(p, c, &code))
			return NULL;
		if (code <= UINT8_MAX && c == 'x' && !p->flags.unicode)
			return octet_node(p, (uint8_t)code);
		return octets_node(p, span_of(utf8, encode_utf8(code, utf8)));
	}
	if (!regex_read_escape(c, &c))
		return fail(p, from, regex_escape_fault(c));
	return octet_node(p, c);
}

static struct regex_node *
parse_class(struct regex_parser *p)
{
	struct octet_set set;
	if (!regex_read_class(p, &set))
		return NULL;
	if (p->flags.unicode && (set.bits[2] != 0 || set.bits[3] != 0))
		return negated_unicode(p, &set);
	struct regex_node *n = new_node(p, REGEX_SET);
	n->set = set;
	return n;
}

static bool *
flag_of(struct regex_flags *f, uint8_t c)
{
	switch (c) {
	case 'i':
		return &f->nocase;
	case 'm':
		return &f->lines;
	case 's':
		return &f->dot_all;
	case 'U':
		return &f->swap;
	case 'u':
		return &f->unicode;
	case 'x':
		return &f->extended;
	default: /* a letter from the pattern */
		return NULL;
	}
}

/* One letter or hyphen behind "(?"; *on turns to false at the hyphen. */
static bool
take_flag(struct regex_parser *p, struct octet_set *seen, bool *on)
{
	uint8_t c = regex_peek(p);
	bool *flag = flag_of(&p->flags, c);
	if (octets_has(seen, c)) {
		return refuse(p, p->at,
			c == '-' ? "a second - among the flags"
				 : "a flag is given twice");
	}
	if (c != '-' && flag == NULL)
		return refuse(p, p->at, "an unknown flag behind (?");
	if (c == '-') {
		*on = false;
	} else {
		*flag = *on;
	}
	octets_add(seen, c);
	p->at++;
	return true;
}

/* Behind "(?": letters up to : or ), which stays. */
static bool
parse_flags(struct regex_parser *p)
{
	size_t from = p->at;
	bool on = true;
	struct octet_set seen = {0};
	while (regex_more(p) && regex_peek(p) != ':' && regex_peek(p) != ')') {
		if (!take_flag(p, &seen, &on))
			return false;
	}
	if (!regex_more(p))
		return refuse(p, from, "a group has no closing )");
	if (p->at == from && regex_peek(p) == ')')
		return refuse(p, from, "flags are missing behind (?");
	return p->s.p[p->at - 1] != '-' || refuse(p, p->at - 1, "no flag behind the -");
}

/* Whether no group further left has this name; it is kept for those further right. */
static bool
keep_name(struct regex_parser *p, struct span text)
{
	for (const struct regex_name *n = p->names; n != NULL; n = n->next) {
		if (span_eq(n->text, text))
			return false;
	}
	struct regex_name *name = arena_alloc(p->arena, sizeof(*name));
	*name = (struct regex_name){.next = p->names, .text = text};
	p->names = name;
	return true;
}

/* Behind "(?P<" or "(?<": the name. */
static bool
parse_group_name(struct regex_parser *p)
{
	size_t from = p->at;
	while (regex_more(p) &&
		(ascii_is_alpha(regex_peek(p)) || regex_peek(p) == '_' ||
			(p->at > from &&
				(ascii_is_digit(regex_peek(p)) ||
					regex_peek(p) == '.'))))
		p->at++;
	struct span name = span_slice(p->s, from, p->at);
	if (name.n == 0 || !regex_take(p, ">"))
		return refuse(p, from, "a group's name is not right");
	return keep_name(p, name) || refuse(p, from, "two groups have this name");
}

static struct regex_node *parse_alternatives(struct regex_parser *p);

static bool
refuse_look_around(struct regex_parser *p)
{
	static const char *const starts[] = {"(?=", "(?!", "(?<=", "(?<!", "(?>"};
	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		if (span_starts(span_from(p->s, p->at), span_str(starts[i]))) {
			return refuse(p, p->at,
				i == 4 ? "atomic groups are not supported"
				       : "look-around (ahead or behind) is not "
					 "supported");
		}
	}
	return true;
}

/* What stands between ( and the body. *alone: flags only, the group is done. */
static bool
parse_group_head(struct regex_parser *p, unsigned *index, bool *alone)
{
	*alone = false;
	*index = 0;
	if (!refuse_look_around(p))
		return false;
	p->at++;
	if (!regex_take(p, "?")) {
		*index = ++p->groups;
		return true;
	}
	if (regex_take(p, "P<") || regex_take(p, "<")) {
		*index = ++p->groups;
		return parse_group_name(p);
	}
	if (span_starts(span_from(p->s, p->at), SPAN("P=")))
		return refuse(p, p->at, "back-references are not supported");
	if (!parse_flags(p))
		return false;
	*alone = regex_peek(p) == ')';
	p->at++;
	return true;
}

static struct regex_node *
parse_group(struct regex_parser *p)
{
	size_t opened = p->at;
	struct regex_flags outer = p->flags;
	unsigned index;
	bool alone;
	if (!parse_group_head(p, &index, &alone))
		return NULL;
	if (alone) {
		return new_node(
			p, REGEX_EMPTY); /* the flags hold on to the group's end */
	}
	if (++p->depth > REGEX_DEPTH_MAX)
		return fail(p, opened, "nested too deep");
	struct regex_node *body = parse_alternatives(p);
	if (body == NULL)
		return NULL;
	if (!regex_take(p, ")"))
		return fail(p, opened, "a group has no closing )");
	p->depth--;
	p->flags = outer;
	struct regex_node *n = new_node(p, REGEX_GROUP);
	n->first = body;
	n->index = index;
	return n;
}

static struct regex_node *
parse_literal(struct regex_parser *p)
{
	size_t from = p->at++;
	if (p->s.p[from] >= 0xc0) {
		while (regex_more(p) && (regex_peek(p) & 0xc0) == 0x80)
			p->at++;
	}
	return octets_node(p, span_slice(p->s, from, p->at));
}

static struct regex_node *
parse_atom(struct regex_parser *p)
{
	uint8_t c = regex_peek(p);
	switch (c) {
	case '(':
		return parse_group(p);
	case '[':
		return parse_class(p);
	case '\\':
		return parse_escape(p);
	case '.':
		p->at++;
		return parse_dot(p);
	case '^':
		p->at++;
		return assert_node(
			p, p->flags.lines ? ASSERT_LINE_START : ASSERT_TEXT_START);
	case '$':
		p->at++;
		return assert_node(
			p, p->flags.lines ? ASSERT_LINE_END : ASSERT_TEXT_END);
	case '*':
	case '+':
	case '?':
	case '{':
		return fail(p, p->at, "nothing stands before this repetition");
	default: /* a character for itself */
		return parse_literal(p);
	}
}

static bool
read_count(struct regex_parser *p, uint32_t *out)
{
	size_t from = p->at;
	uint32_t v = 0;
	while (ascii_is_digit(regex_peek(p)) && regex_more(p) &&
		v <= REGEX_REPEAT_MAX) {
		v = v * 10 + (uint32_t)(regex_peek(p) - '0');
		p->at++;
	}
	if (p->at == from)
		return refuse(p, from, "a repetition in braces wants a number");
	if (v > REGEX_REPEAT_MAX) {
		return refuse(
			p, from, "a repetition of more than 50000 is not supported");
	}
	*out = v;
	return true;
}

/* {n}, {n,}, {n,m} */
static bool
parse_braces(struct regex_parser *p, uint32_t *min, uint32_t *max)
{
	size_t from = p->at++;
	if (!read_count(p, min))
		return false;
	*max = *min;
	if (regex_take(p, ",")) {
		*max = REGEX_FOREVER;
		if (regex_peek(p) != '}' && !read_count(p, max))
			return false;
	}
	if (!regex_take(p, "}"))
		return refuse(p, from, "a repetition has no closing }");
	return *min <= *max ||
		refuse(p, from, "a repetition of at least more than at most");
}

static bool
is_repetition(uint8_t c)
{
	return c == '*' || c == '+' || c == '?' || c == '{';
}

/* An atom with its repetitions; each one more repeats the whole before it. */
static struct regex_node *
parse_repeated(struct regex_parser *p)
{
	struct regex_node *n = parse_atom(p);
	regex_skip_extended(p);
	for (unsigned stacked = 0;
		n != NULL && regex_more(p) && is_repetition(regex_peek(p)); stacked++) {
		struct regex_node *r = new_node(p, REGEX_REPEAT);
		uint8_t c = regex_peek(p);
		if (stacked == REGEX_DEPTH_MAX)
			return fail(p, p->at, "nested too deep");
		r->first = n;
		r->min = c == '+' ? 1 : 0;
		r->max = c == '?' ? 1 : REGEX_FOREVER;
		if (c != '{') {
			p->at++;
		} else if (!parse_braces(p, &r->min, &r->max)) {
			return NULL;
		}
		/* cppcheck-suppress nullPointerRedundantCheck ; new_node() never is */
		r->lazy = regex_take(p, "?") != p->flags.swap;
		n = r;
		regex_skip_extended(p);
	}
	return n;
}

static struct regex_node *
parse_sequence(struct regex_parser *p)
{
	struct regex_node *cat = new_node(p, REGEX_CAT);
	struct regex_node **tail = &cat->first;
	for (;;) {
		regex_skip_extended(p);
		if (!regex_more(p) || regex_peek(p) == '|' || regex_peek(p) == ')')
			return cat;
		*tail = parse_repeated(p);
		if (*tail == NULL)
			return NULL;
		tail = &(*tail)->next;
	}
}

static struct regex_node *
parse_alternatives(struct regex_parser *p)
{
	struct regex_node *first = parse_sequence(p);
	if (first == NULL || regex_peek(p) != '|' || !regex_more(p))
		return first;
	struct regex_node *alt = new_node(p, REGEX_ALT);
	struct regex_node **tail = &alt->first;
	*tail = first;
	while (regex_take(p, "|")) {
		tail = &(*tail)->next;
		*tail = parse_sequence(p);
		if (*tail == NULL)
			return NULL;
	}
	return alt;
}

struct regex_node *
regex_parse(struct arena *a, struct span pattern, struct regex_fault *fault)
{
	struct regex_parser p = {.s = pattern, .arena = a, .fault = fault};
	*fault = (struct regex_fault){0};
	struct regex_node *n = parse_alternatives(&p);
	if (n != NULL && regex_more(&p))
		return fail(&p, p.at, "a ) without its (");
	return n;
}
