// SPDX-License-Identifier: Apache-2.0
/*
 * lint_test: lints that look at one comparison.
 */
#include <string.h>

#include "base/text.h"
#include "rule/lint_priv.h"

static bool
is_host_field(const struct path *p)
{
	return p->field != NULL && (p->field->flags & FIELD_HOST) != 0;
}

/* Compared whole, not with its parents. */
static bool
is_bare_host(const struct path *p)
{
	return is_host_field(p) && p->n_steps == 0 && p->element == TYPE_STRING;
}

static bool
is_meta(uint8_t c)
{
	return span_chr(SPAN("\\.+*?()|[]{}^$"), c) < 14;
}

/* The literal that a pattern is, with its signs taken off; false when it is more. */
static bool
read_literal_pattern(struct span s, char *dst, size_t cap)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		bool escaped = s.p[i] == '\\';
		if (escaped && ++i == s.n)
			return false;
		bool plain = escaped
			? !ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i])
			: !is_meta(s.p[i]);
		if (!plain || n + 1 >= cap || s.p[i] < 0x20)
			return false;
		dst[n++] = (char)s.p[i];
	}
	dst[n] = '\0';
	return n > 0;
}

struct shape {
	bool from_start; /* ^ */
	bool to_end;     /* $ */
	bool stars_front;
	bool stars_back;
	struct span body;
};

static struct shape
shape_of(struct span s)
{
	struct shape out = {0};
	out.from_start = span_starts(s, SPAN("^"));
	s = span_from(s, out.from_start);
	out.stars_front = span_starts(s, SPAN(".*"));
	s = span_from(s, out.stars_front ? 2 : 0);
	bool escaped = s.n > 1 && s.p[s.n - 2] == '\\';
	out.to_end = !escaped && span_ends(s, SPAN("$"));
	s = span_first(s, s.n - out.to_end);
	escaped = s.n > 2 && s.p[s.n - 3] == '\\';
	out.stars_back = !escaped && span_ends(s, SPAN(".*"));
	out.body = span_first(s, s.n - (out.stars_back ? 2 : 0));
	return out;
}

static void
hint_literal(struct lint_run *r, const struct shape *s, const struct test *t,
	const char *text)
{
	const char *name = t->path.field == NULL ? "field" : t->path.field->name;
	bool front = s->from_start && !s->stars_front;
	bool back = s->to_end && !s->stars_back;
	if (front && back) {
		text_format(r->hint, sizeof(r->hint), "%s == \"%s\"", name, text);
	} else if (front) {
		text_format(r->hint, sizeof(r->hint), "starts_with(%s, \"%s\")", name,
			text);
	} else if (back && is_host_field(&t->path) && text[0] == '.') {
		text_format(r->hint, sizeof(r->hint),
			"any(http.request.domains[*] == \"%s\")", text + 1);
	} else if (back) {
		text_format(
			r->hint, sizeof(r->hint), "ends_with(%s, \"%s\")", name, text);
	} else {
		text_format(r->hint, sizeof(r->hint), "%s contains \"%s\"", name, text);
	}
}

/* A letter, a bare dot, a letter: as in example.com. */
static bool
has_bare_dot(struct span s)
{
	for (size_t i = 1; i + 1 < s.n; i++) {
		bool letters = (ascii_is_alpha(s.p[i - 1]) || s.p[i - 1] == ')') &&
			ascii_is_alpha(s.p[i + 1]);
		if (s.p[i] == '.' && letters && (i < 2 || s.p[i - 2] != '\\'))
			return true;
	}
	return false;
}

static void
lint_regex(struct lint_run *r, const struct node *n)
{
	const struct test *t = n->test;
	struct shape s = shape_of(t->pattern);
	char text[100];
	if (has_bare_dot(t->pattern) && (is_host_field(&t->path) || s.to_end)) {
		text_format(r->hint, sizeof(r->hint), "write \\. for a dot");
		lint_report(r, "regex-dots", n->from, n->to,
			"a bare dot stands for any character: other names match as "
			"well");
		return;
	}
	if (s.stars_front && s.stars_back) {
		text_format(r->hint, sizeof(r->hint), "leave both .* out");
		lint_report(r, "regex-stars", n->from, n->to,
			"a pattern may match anywhere: .* at both ends changes "
			"nothing");
		return;
	}
	if (!read_literal_pattern(s.body, text, sizeof(text)))
		return;
	hint_literal(r, &s, t, text);
	lint_report(r, "regex-literal", n->from, n->to,
		"the pattern is only a text: a comparison says it more plainly");
}

/* Fields of which many travellers have none. */
static bool
may_be_missing(const struct path *p)
{
	if (p->n_steps > 0 && p->stars == 0)
		return true; /* a header, a position */
	if (p->field == NULL)
		return false;
	struct span name = span_str(p->field->name);
	static const char *const often[] = {
		"cf.tls_client_auth.", "identity.", "net.sni.", "tls.", "http.referer"};
	for (size_t i = 0; i < COUNT_OF(often); i++) {
		if (span_starts(name, span_str(often[i])))
			return true;
	}
	return span_find(name, SPAN(".geo.")) < name.n;
}

static void
lint_negated(struct lint_run *r, const struct node *n)
{
	if (n->test->op != TEST_NE || !may_be_missing(&n->test->path))
		return;
	text_format(r->hint, sizeof(r->hint),
		"write: not (... == ...), which a missing field "
		"makes true");
	lint_report(r, "negated-missing", n->from, n->to,
		"!= is false where the field is missing");
}

static size_t
count_labels(struct span name)
{
	size_t n = name.n > 0;
	for (size_t i = 0; i < name.n; i++)
		n += name.p[i] == '.';
	return n;
}

static bool
is_public(const struct lint_run *r, struct span name)
{
	if (span_starts(name, SPAN(".")))
		name = span_from(name, 1);
	if (r->lint->is_public_suffix != NULL)
		return r->lint->is_public_suffix(name);
	return count_labels(name) == 1;
}

static void
report_public(struct lint_run *r, const struct node *n, struct span name)
{
	char text[160];
	text_format(text, sizeof(text), "strangers register names below %.*s",
		SPAN_ARG(span_first(name, 80)));
	lint_report(r, "public-suffix", n->from, n->to, text);
}

/* One name that a host or its parents are compared with. */
static bool
lint_name(struct lint_run *r, const struct node *n, struct span name)
{
	const struct path *p = &n->test->path;
	if (!is_bare_host(p)) {
		if (!is_host_field(p) || !is_public(r, name))
			return false;
		report_public(r, n, name);
		return true;
	}
	if (r->lint->hosts_are_own || count_labels(name) != 2)
		return false;
	text_format(r->hint, sizeof(r->hint),
		"any(http.request.domains[*] == \"%.*s\")",
		SPAN_ARG(span_first(name, 80)));
	lint_report(r, "host-subdomains", n->from, n->to,
		"the host is compared whole: names below it are not covered");
	return true;
}

static void
lint_names(struct lint_run *r, const struct node *n)
{
	const struct test *t = n->test;
	if (!is_host_field(&t->path) || t->path.element != TYPE_STRING)
		return;
	if (t->op == TEST_EQ) {
		(void)lint_name(r, n, t->literal.s);
		return;
	}
	for (size_t i = 0; t->op == TEST_IN_SET && i < t->n_items; i++) {
		if (lint_name(r, n, t->items[i].s))
			return;
	}
	bool suffix = t->op == TEST_WILDCARD || t->op == TEST_STRICT_WILDCARD;
	if (suffix && span_starts(t->pattern, SPAN("*.")) &&
		span_chr(span_from(t->pattern, 2), '*') == t->pattern.n - 2 &&
		is_public(r, span_from(t->pattern, 2)))
		report_public(r, n, span_from(t->pattern, 2));
}

/* The same name again, or one below another where parents are compared. */
static bool
has_covered_name(const struct test *t)
{
	bool parents = is_host_field(&t->path) && t->path.stars == 1;
	if (t->strings.n < t->n_items)
		return true;
	for (size_t i = 0; parents && i < t->n_items; i++) {
		struct span name = t->items[i].s;
		while (span_chr(name, '.') < name.n) {
			name = span_from(name, span_chr(name, '.') + 1);
			if (string_set_has(&t->strings, name))
				return true;
		}
	}
	return false;
}

enum { COVER_LOOK = 400 };

static bool
overlap(enum type t, const struct set_item *a, const struct set_item *b)
{
	if (t == TYPE_INT)
		return a->from <= b->to && b->from <= a->to;
	return a->ip_from.family == b->ip_from.family &&
		ip_cmp(&a->ip_from, &b->ip_to) <= 0 &&
		ip_cmp(&b->ip_from, &a->ip_to) <= 0;
}

static bool
has_covered_item(const struct test *t)
{
	enum type element = t->path.element;
	if (element == TYPE_STRING)
		return has_covered_name(t);
	for (size_t i = 0; i < t->n_items && t->n_items <= COVER_LOOK; i++) {
		for (size_t k = 0; k < i; k++) {
			if (overlap(element, &t->items[i], &t->items[k]))
				return true;
		}
	}
	return false;
}

/* Type 16 is the group of applications that must not be inspected. */
static void
lint_bypass_group(struct lint_run *r, const struct node *n)
{
	const struct test *t = n->test;
	bool group = t->path.field != NULL &&
		strcmp(t->path.field->name, "app.type.ids") == 0 &&
		((t->op == TEST_IN_SET && int_set_has(&t->ints, 16)) ||
			(t->op == TEST_EQ && t->literal.i == 16));
	if (!group || strcmp(r->action->name, "block") != 0)
		return;
	text_format(
		r->hint, sizeof(r->hint), "the action of such a rule is bypass (off)");
	lint_report(r, "block-bypass-group", n->from, n->to,
		"type 16 is the do-not-inspect group: these applications would all be "
		"blocked");
}

void
lint_test(struct lint_run *r, const struct node *n)
{
	const struct test *t = n->test;
	if (t->op == TEST_MATCHES)
		lint_regex(r, n);
	lint_negated(r, n);
	lint_names(r, n);
	lint_bypass_group(r, n);
	if (t->op == TEST_IN_SET && has_covered_item(t)) {
		lint_report(r, "set-covered", n->from, n->to,
			"some items are covered by others (ints and addresses that "
			"touch count "
			"as one range)");
	}
}
