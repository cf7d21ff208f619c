// SPDX-License-Identifier: Apache-2.0
/*
 * edit_json: one member of a JSON file that people write by hand: comments, trailing
 * commas and their own indentation stay.
 */
#include "base/text.h"
#include "doctor/edit_priv.h"

enum { DEPTH_MAX = 64 };

/* Goes through a text; `bad` sticks. */
struct walk {
	struct span text;
	size_t at;
	bool bad;
};

/* One member of an object. */
struct member {
	struct span name; /* between its quotes */
	size_t from;      /* its name's quote */
	size_t value;
	size_t value_to;
};

/* White space and comments. */
static void
skip_space(struct walk *w)
{
	struct span t = w->text;

	while (w->at < t.n) {
		struct span rest = span_from(t, w->at);
		if (span_starts(rest, SPAN("//"))) {
			w->at += span_chr(rest, '\n');
		} else if (span_starts(rest, SPAN("/*"))) {
			w->at += 2 + span_find(span_from(rest, 2), SPAN("*/")) + 2;
			w->at = w->at < t.n ? w->at : t.n;
		} else if (span_trim(span_first(rest, 1)).n == 0) {
			w->at++;
		} else {
			return;
		}
	}
}

static bool
is_at(struct walk *w, uint8_t c)
{
	skip_space(w);
	return !w->bad && w->at < w->text.n && w->text.p[w->at] == c;
}

static void
skip_string(struct walk *w)
{
	for (w->at++; w->at < w->text.n; w->at++) {
		uint8_t c = w->text.p[w->at];
		if (c == '"') {
			w->at++;
			return;
		}
		if (c == '\n')
			break;
		w->at += c == '\\';
	}
	w->bad = true;
	w->at = w->text.n;
}

static bool
is_atom(uint8_t c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '+' ||
		c == '.';
}

/* The brackets that are open. */
struct depth {
	char close[DEPTH_MAX];
	size_t n;
};

static void
skip_atom(struct walk *w)
{
	while (w->at < w->text.n && is_atom(w->text.p[w->at]))
		w->at++;
}

/* A bracket or what stands between members; false for anything else. */
static bool
skip_mark(struct walk *w, struct depth *d, uint8_t c)
{
	if ((c == '{' || c == '[') && d->n < DEPTH_MAX) {
		d->close[d->n++] = c == '{' ? '}' : ']';
	} else if (d->n > 0 && c == (uint8_t)d->close[d->n - 1]) {
		d->n--;
	} else if (d->n == 0 || (c != ',' && c != ':')) {
		return false;
	}
	w->at++;
	return true;
}

/* Over one value of any kind; brackets must pair. */
static void
skip_value(struct walk *w)
{
	struct depth d = {0};

	do {
		skip_space(w);
		uint8_t c = w->at < w->text.n ? w->text.p[w->at] : 0;
		if (c == '"') {
			skip_string(w);
		} else if (is_atom(c)) {
			skip_atom(w);
		} else if (!skip_mark(w, &d, c)) {
			w->bad = true;
		}
	} while (d.n > 0 && !w->bad);
}

/* The next member, behind { or a comma. */
static bool
read_member(struct walk *w, struct member *m)
{
	if (!is_at(w, '"'))
		return false;
	m->from = w->at;
	skip_string(w);
	if (w->bad)
		return false;
	m->name = span_slice(w->text, m->from + 1, w->at - 1);
	if (!is_at(w, ':')) {
		w->bad = true;
		return false;
	}
	w->at++;
	skip_space(w);
	m->value = w->at;
	skip_value(w);
	m->value_to = w->at;
	if (!w->bad && is_at(w, ','))
		w->at++;
	return !w->bad;
}

/* Inside the object whose { is at w->at; the last one of that name counts. */
static bool
find_member(struct walk *w, struct span name, struct member *out)
{
	struct member m;
	bool found = false;

	if (!is_at(w, '{'))
		return false;
	w->at++;
	while (read_member(w, &m)) {
		if (span_eq(m.name, name)) {
			*out = m;
			found = true;
		}
	}
	return found && !w->bad && is_at(w, '}');
}

static size_t
back_over_blanks(struct span t, size_t at)
{
	while (at > 0 && (t.p[at - 1] == ' ' || t.p[at - 1] == '\t'))
		at--;
	return at;
}

/* A member with a comma behind it; its whole lines where it has them for itself. */
static void
find_inner(struct span t, const struct member *m, size_t to, struct edit_hit *hit)
{
	size_t from = back_over_blanks(t, m->from);
	bool ends = to < t.n && (t.p[to] == '\n' || t.p[to] == '\r');
	bool begins = from > 0 && t.p[from - 1] == '\n';

	hit->whole_from = m->from;
	hit->whole_to = to;
	if (begins && ends) {
		hit->whole_from = from;
		hit->whole_to = to + span_chr(span_from(t, to), '\n') + 1;
	}
}

/* What goes with a member. The last one takes a comma before it along. */
static void
find_whole(struct span t, const struct member *m, struct edit_hit *hit)
{
	struct walk w = {.text = t, .at = m->value_to};
	size_t from = m->from;

	if (is_at(&w, ',')) {
		find_inner(t, m, w.at + 1, hit);
		return;
	}
	while (from > 0 && span_trim(span_slice(t, from - 1, from)).n == 0)
		from--;
	hit->whole_from = from > 0 && t.p[from - 1] == ',' ? from - 1 : from;
	hit->whole_to = m->value_to;
}

bool
edit_json_find(struct span text, const char *key, struct edit_hit *out)
{
	struct walk w = {.text = text, .at = edit_bom(text)};
	struct span rest = span_str(key);
	struct span step;
	struct member m = {0};

	while (span_cut(&rest, '>', &step)) {
		if (!find_member(&w, step, &m))
			return false;
		w.at = m.value;
	}
	out->from = m.value;
	out->to = m.value_to;
	out->line = edit_line_of(text, m.value);
	find_whole(text, &m, out);
	return true;
}

/* ---- adding ---- */

/* The white space before the first member of the object at `open`, or a guess. */
static void
put_indent(struct span t, size_t open, size_t depth, struct text *out)
{
	struct walk w = {.text = t, .at = open + 1};
	size_t from = 0;

	if (is_at(&w, '"')) {
		from = w.at;
		while (from > 0 && (t.p[from - 1] == ' ' || t.p[from - 1] == '\t'))
			from--;
	}
	if (from > open + 1 && t.p[from - 1] == '\n') {
		text_put(out, span_slice(t, from, w.at));
		return;
	}
	for (size_t i = 0; i < depth; i++)
		text_add(out, "    ");
}

/* The text of a new member, with objects around it for the steps that are missing. */
static bool
put_member(struct span steps, const char *value, struct text *t)
{
	struct span step;
	size_t closing = 0;

	while (span_cut(&steps, '>', &step)) {
		text_add(t, "\"%.*s\": ", SPAN_ARG(step));
		if (steps.n > 0) {
			text_add(t, "{ ");
			closing++;
		}
	}
	bool ok = edit_quote(EDIT_JSON, value, t);
	while (closing-- > 0)
		text_add(t, " }");
	return ok && !t->cut;
}

/* Goes down as far as the file does; w->at is then at the {, *rest what is missing. */
static size_t
descend(struct walk *w, struct span *rest)
{
	size_t depth = 1;

	for (;;) {
		struct span left = *rest;
		struct span step = {0};
		struct member m = {0};
		struct walk deeper = *w;
		if (!span_cut(&left, '>', &step) || left.n == 0 ||
			!find_member(&deeper, step, &m) || w->text.p[m.value] != '{')
			return depth;
		w->at = m.value;
		*rest = left;
		depth++;
	}
}

static bool
is_whole(struct span text)
{
	struct walk w = {.text = text, .at = edit_bom(text)};

	if (!is_at(&w, '{'))
		return false;
	skip_value(&w);
	skip_space(&w);
	return !w.bad && w.at >= text.n;
}

/* An empty file gets an object. */
static bool
start_file(struct span text, const char *const setting[2], struct edit_patch *p)
{
	struct text t = text_to(p->with, sizeof p->with);

	p->from = text.n;
	p->to = text.n;
	text_add(&t, "{\n    ");
	bool ok = put_member(span_str(setting[0]), setting[1], &t);
	text_add(&t, "\n}\n");
	return ok && !t.cut;
}

bool
edit_json_insert(struct span text, const char *const setting[2], struct edit_patch *p,
	struct err *err)
{
	struct walk w = {.text = text, .at = edit_bom(text)};
	struct span rest = span_str(setting[0]);
	struct text t = text_to(p->with, sizeof p->with);
	const char *nl = edit_newline(text);

	if (span_trim(text).n == 0) {
		return start_file(text, setting, p) ||
			err_set(err, ERR_DOCTOR_EDIT, "the value is too long");
	}
	if (!is_whole(text))
		return err_set(err, ERR_DOCTOR_EDIT, "this is not one JSON object");
	skip_space(&w);
	size_t depth = descend(&w, &rest);
	struct walk first = {.text = text, .at = w.at + 1};
	bool empty = is_at(&first, '}');

	p->from = w.at + 1;
	p->to = w.at + 1;
	text_add(&t, "%s", nl);
	put_indent(text, w.at, depth, &t);
	bool ok = put_member(rest, setting[1], &t);
	text_add(&t, "%s", empty ? nl : ",");
	return (ok && !t.cut) || err_set(err, ERR_DOCTOR_EDIT, "the value is too long");
}
