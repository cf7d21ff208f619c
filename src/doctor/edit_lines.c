// SPDX-License-Identifier: Apache-2.0
/*
 * edit_lines: files of lines with a name and a value.
 *
 * One reader for all of them; what differs stands in the table `dialects`. A logical
 * line may go over several (a backslash at its end, an indented continuation, a TOML
 * array).
 */
#include "base/text.h"
#include "doctor/edit_priv.h"

/* How one kind of file is written. */
struct dialect {
	const char *comments; /* first octets of a line that is none */
	const char *trailing; /* octets that end a value, outside quotes; "" if none */
	const char *seps;     /* octets between name and value */
	const char *put[2];   /* what stands before the name, and before the value */
	bool sections;
	bool nocase;   /* names without case, '-' and '_' alike */
	bool blank;    /* white space separates too */
	bool back;     /* a backslash at the end goes on */
	bool indented; /* an indented line goes on */
};

static const struct dialect dialects[EDIT_FORMS] = {
	[EDIT_SHELL] = {"#", "#;", "=", {"export ", "="}, .back = true},
	[EDIT_FISH] = {"#", "#;", "", {"set -gx ", " "}, .blank = true, .back = true},
	[EDIT_ENVD] = {"#", "", "=", {"", "="}, .back = true},
	[EDIT_NPMRC] = {"#;", "#;", "=", {"", "="}},
	[EDIT_INI] = {"#;", "", "=:", {"", " = "}, .sections = true, .nocase = true,
		.indented = true},
	[EDIT_GIT] = {"#;", "#;", "=", {"\t", " = "}, .sections = true, .nocase = true,
		.back = true},
	[EDIT_PROPERTIES] = {"#!", "", "=:", {"", "="}, .blank = true, .back = true},
	[EDIT_WORDS] = {"#", "", "=:", {"", " = "}, .nocase = true, .blank = true},
	[EDIT_YAML] = {"#", "#", ":", {"", ": "}},
	[EDIT_TOML] = {"#", "#", "=", {"", " = "}, .sections = true},
};

/* One logical line: name and value, or a section's beginning. */
struct entry {
	struct span name; /* as written; empty for a section or nothing */
	size_t from;      /* of the value */
	size_t to;
	size_t line_from;
	size_t line_to; /* behind its line end */
	bool is_section;
	bool shares_line;           /* stands behind its section's name */
	char section[EDIT_KEY_MAX]; /* the one it begins, normal form */
};

/* Goes through a text. */
struct reader {
	enum edit_form form;
	const struct dialect *d;
	struct span text;
	size_t at;
	bool shares_line;
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

static bool
is_one_of(uint8_t c, const char *set)
{
	return c != 0 && span_chr(span_str(set), c) < span_str(set).n;
}

static size_t
skip_blanks(struct span text, size_t at)
{
	while (at < text.n && is_blank(text.p[at]))
		at++;
	return at;
}

/* Index of the next line end, or of the text's. */
static size_t
line_end(struct span text, size_t at)
{
	return at + span_chr(span_from(text, at), '\n');
}

static bool
ends_in_backslash(struct span text, size_t from, size_t end)
{
	size_t n = 0;

	if (end > from && text.p[end - 1] == '\r')
		end--;
	while (end - n > from && text.p[end - n - 1] == '\\')
		n++;
	return n % 2 == 1;
}

/* End of the logical line that begins at `from`: index of its last line end. */
static size_t
logical_end(const struct reader *r, size_t from)
{
	size_t end = line_end(r->text, from);

	for (;;) {
		bool more = r->d->back && ends_in_backslash(r->text, from, end);
		size_t next = end + 1;
		if (!more && r->d->indented && next < r->text.n &&
			is_blank(r->text.p[next])) {
			size_t word = skip_blanks(r->text, next);
			more = word < r->text.n && r->text.p[word] != '\n' &&
				r->text.p[word] != '\r' &&
				!is_one_of(r->text.p[word], r->d->comments);
		}
		if (!more || end >= r->text.n)
			return end;
		end = line_end(r->text, next);
	}
}

/* ---- sections ---- */

/* [name], [name "sub"]: "name" or "name.sub" in lower case as far as git ignores it. */
static bool
normal_section(enum edit_form form, struct span inside, struct text *t)
{
	size_t quote = form == EDIT_GIT ? span_chr(inside, '"') : inside.n;
	struct span name = span_trim(span_first(inside, quote));

	if (form == EDIT_TOML)
		return edit_toml_path(inside, t);
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = form == EDIT_GIT ? ascii_lower(name.p[i]) : name.p[i];
		text_add(t, "%c", c);
	}
	if (quote < inside.n) {
		text_add(t, ".");
		struct span sub = span_from(inside, quote + 1);
		for (size_t i = 0; i < sub.n && sub.p[i] != '"'; i++) {
			i += sub.p[i] == '\\' && i + 1 < sub.n;
			text_add(t, "%c", sub.p[i]);
		}
	}
	return !t->cut;
}

/* The ] that ends a section's name, not one inside quotes. */
static size_t
section_end(struct span line)
{
	bool quoted = false;

	for (size_t i = 0; i < line.n; i++) {
		quoted ^= line.p[i] == '"';
		if (line.p[i] == ']' && !quoted)
			return i;
	}
	return line.n;
}

/* False when the line is no section. */
static bool
read_section(struct reader *r, struct entry *e, size_t at)
{
	struct span line = span_slice(r->text, at, line_end(r->text, at));
	struct text t = text_to(e->section, sizeof e->section);
	bool tables = r->form == EDIT_TOML && span_starts(line, SPAN("[["));
	struct span inside = span_from(line, 1);
	size_t close = section_end(inside);

	if (!r->d->sections || line.n == 0 || line.p[0] != '[' || close >= inside.n)
		return false;
	e->is_section = true;
	if (tables) {
		text_add(&t, "[]"); /* one of many: never the one asked for */
	} else if (!normal_section(r->form, span_first(inside, close), &t)) {
		text_to(e->section, sizeof e->section);
	}
	size_t behind = skip_blanks(r->text, at + 1 + close + 1);
	r->shares_line = r->form == EDIT_GIT && behind < r->text.n &&
		r->text.p[behind] != '\n' && r->text.p[behind] != '\r' &&
		!is_one_of(r->text.p[behind], r->d->comments);
	r->at = r->shares_line ? behind : e->line_to;
	return true;
}

/* ---- names and values ---- */

static size_t
name_end(const struct reader *r, size_t at, size_t end)
{
	bool quoted = false;

	for (; at < end; at++) {
		uint8_t c = r->text.p[at];
		quoted ^= r->form == EDIT_TOML && c == '"';
		if (!quoted &&
			(is_one_of(c, r->d->seps) || (r->d->blank && is_blank(c))))
			break;
	}
	return at;
}

static size_t
without_blanks(struct span text, size_t from, size_t to)
{
	while (to > from &&
		(is_blank(text.p[to - 1]) || text.p[to - 1] == '\r' ||
			text.p[to - 1] == '\n'))
		to--;
	return to;
}

/* Whether a remark begins at `at`: git and npm take one anywhere, others behind a
 * blank; a semicolon ends a command of the shell. */
static bool
begins_remark(const struct reader *r, size_t value, size_t at)
{
	uint8_t c = r->text.p[at];
	bool anywhere = r->form == EDIT_GIT || r->form == EDIT_NPMRC || c == ';';

	return is_one_of(c, r->d->trailing) &&
		(anywhere || at == value || is_blank(r->text.p[at - 1]));
}

/* Where the value ends: before a comment that shares its line, and blanks. */
static size_t
value_end(const struct reader *r, size_t at, size_t end)
{
	uint8_t quote = 0;
	size_t stop = at;

	for (; stop < end; stop++) {
		uint8_t c = r->text.p[stop];
		if (c == '\\' && stop + 1 < end && quote != '\'') {
			stop++;
		} else if (quote) {
			quote = c == quote ? 0 : quote;
		} else if (edit_is_quote(r->form, c, stop == at)) {
			quote = c;
		} else if (begins_remark(r, at, stop)) {
			break;
		}
	}
	return without_blanks(r->text, at, stop);
}

/* What stands before a name and is none of it: "export", "set -gx", "--". */
static size_t
skip_prefix(const struct reader *r, size_t at, size_t end)
{
	struct span line = span_slice(r->text, at, end);

	if (r->form == EDIT_SHELL && span_starts(line, SPAN("export ")))
		return skip_blanks(r->text, at + 7);
	if (r->form == EDIT_WORDS && span_starts(line, SPAN("--")))
		return at + 2;
	if (r->form != EDIT_FISH || !span_starts(line, SPAN("set ")))
		return at;
	at = skip_blanks(r->text, at + 4);
	while (at < end && r->text.p[at] == '-') {
		while (at < end && !is_blank(r->text.p[at]))
			at++;
		at = skip_blanks(r->text, at);
	}
	return at;
}

/* Between name and value: blanks, and one separator at most. */
static size_t
skip_separator(const struct reader *r, size_t at, size_t end)
{
	at = skip_blanks(r->text, at);
	if (at < end && is_one_of(r->text.p[at], r->d->seps))
		at = skip_blanks(r->text, at + 1);
	return at < end ? at : end;
}

static void
read_pair(struct reader *r, struct entry *e, size_t at, size_t end)
{
	size_t from = skip_prefix(r, at, end);
	size_t to = name_end(r, from, end);
	bool fits = r->form != EDIT_YAML || from == e->line_from;
	bool shell = r->form != EDIT_SHELL || to < end;

	e->from = skip_separator(r, to, end);
	if (r->form == EDIT_TOML) {
		size_t value = edit_toml_value_end(r->text, e->from);
		end = line_end(r->text, value);
		e->to = value;
	} else {
		e->to = value_end(r, e->from, end);
	}
	e->line_to = end < r->text.n ? end + 1 : end;
	r->at = e->line_to;
	if (fits && shell)
		e->name = span_trim(span_slice(r->text, from, to));
}

/* The next logical line; false at the end. */
static bool
read_entry(struct reader *r, struct entry *e)
{
	size_t at = r->at;

	if (at >= r->text.n)
		return false;
	*e = (struct entry){.line_from = at, .shares_line = r->shares_line};
	r->shares_line = false;
	size_t word = skip_blanks(r->text, at);
	size_t end = line_end(r->text, at);
	e->line_to = end < r->text.n ? end + 1 : end;
	r->at = e->line_to;
	if (word >= end || r->text.p[word] == '\r' ||
		is_one_of(r->text.p[word], r->d->comments))
		return true;
	if (read_section(r, e, word))
		return true;
	read_pair(r, e, word, logical_end(r, at));
	return true;
}

static struct reader
reader_of(enum edit_form form, struct span text)
{
	return (struct reader){
		.form = form, .d = &dialects[form], .text = text, .at = edit_bom(text)};
}

/* ---- asking ---- */

static uint8_t
plain(uint8_t c)
{
	return c == '_' ? '-' : ascii_lower(c);
}

static bool
names_eq(const struct dialect *d, struct span a, struct span b)
{
	if (!d->nocase)
		return span_eq(a, b);
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (plain(a.p[i]) != plain(b.p[i]))
			return false;
	}
	return true;
}

/* The key asked for, taken apart. */
struct wanted {
	struct span section; /* empty in forms without */
	struct span name;
	struct span whole; /* TOML compares this */
};

static struct wanted
wanted_of(const struct dialect *d, const char *key)
{
	struct span s = span_str(key);
	size_t cut = d->sections ? span_rchr(s, '>') : s.n;

	if (cut >= s.n)
		return (struct wanted){.name = s, .whole = s};
	return (struct wanted){span_first(s, cut), span_from(s, cut + 1), s};
}

/* Whether the line is about the key; a TOML key may bring steps of its own. */
static bool
is_wanted(const struct reader *r, const struct wanted *w, const char *section,
	struct span name)
{
	char path[2 * EDIT_KEY_MAX];
	struct text t = text_to(path, sizeof path);

	if (r->form != EDIT_TOML) {
		return span_eq(span_str(section), w->section) &&
			names_eq(r->d, name, w->name);
	}
	text_add(&t, "%s%s", section, section[0] ? ">" : "");
	return edit_toml_path(name, &t) && !t.cut && span_eq(text_span(&t), w->whole);
}

static void
keep_section(char dst[EDIT_KEY_MAX], const struct entry *e)
{
	struct text t = text_to(dst, EDIT_KEY_MAX);

	text_add(&t, "%s", e->section);
}

bool
edit_lines_find(
	enum edit_form form, struct span text, const char *key, struct edit_hit *out)
{
	struct reader r = reader_of(form, text);
	struct wanted w = wanted_of(r.d, key);
	char section[EDIT_KEY_MAX] = "";
	struct entry e;
	bool found = false;

	while (read_entry(&r, &e)) {
		if (e.is_section)
			keep_section(section, &e);
		if (e.name.n == 0 || !is_wanted(&r, &w, section, e.name))
			continue;
		found = true;
		*out = (struct edit_hit){e.from, e.to,
			e.shares_line ? skip_prefix(&r, e.line_from, e.line_to)
				      : e.line_from,
			e.shares_line ? e.to : e.line_to, edit_line_of(text, e.from)};
	}
	return found;
}

/* ---- adding ---- */

/* Where a new line goes. */
struct spot {
	size_t at;
	bool has_section;
	unsigned table; /* line of a TOML value that is the table itself, or 0 */
};

/* "http" of "http>cainfo", where the file says `http = { … }`. */
static bool
is_table(const struct reader *r, const struct wanted *w, const struct entry *e,
	const char *section)
{
	struct wanted outer = {.whole = w->section};

	return r->form == EDIT_TOML && w->section.n > 0 &&
		is_wanted(r, &outer, section, e->name);
}

static struct spot
find_spot(enum edit_form form, struct span text, const struct wanted *w)
{
	struct reader r = reader_of(form, text);
	struct spot spot = {.at = text.n, .has_section = w->section.n == 0};
	char section[EDIT_KEY_MAX] = "";
	struct entry e;
	bool inside = w->section.n == 0;

	if (r.d->sections && inside)
		spot.at = r.at;
	while (read_entry(&r, &e)) {
		if (e.is_section) {
			keep_section(section, &e);
			inside = span_eq(span_str(section), w->section);
			spot.has_section |= inside;
		} else if (e.name.n > 0 && is_table(&r, w, &e, section)) {
			spot.table = edit_line_of(text, e.from);
		}
		if (inside && r.d->sections && (e.is_section || e.name.n > 0))
			spot.at = e.line_to;
	}
	return spot;
}

/* [http "https://a.example/"] for "http.https://a.example/". */
static void
put_section(enum edit_form form, struct span section, struct text *t)
{
	size_t dot = form == EDIT_GIT ? span_chr(section, '.') : section.n;

	text_add(t, "[");
	for (size_t i = 0; i < dot; i++)
		text_add(t, "%c", section.p[i] == '>' ? '.' : section.p[i]);
	if (dot < section.n)
		text_add(t, " \"%.*s\"", SPAN_ARG(span_from(section, dot + 1)));
	text_add(t, "]");
}

bool
edit_lines_insert(enum edit_form form, struct span text, const char *const setting[2],
	struct edit_patch *p, struct err *err)
{
	const struct dialect *d = &dialects[form];
	struct wanted w = wanted_of(d, setting[0]);
	struct spot spot = find_spot(form, text, &w);
	struct text t = text_to(p->with, sizeof p->with);
	const char *nl = edit_newline(text);
	bool open =
		spot.at > 0 && text.p[spot.at - 1] != '\n' && spot.at > edit_bom(text);

	if (spot.table > 0) {
		return err_set(err, ERR_DOCTOR_EDIT,
			"line %u: a table in braces, which only its owner should "
			"change",
			spot.table);
	}
	p->from = spot.at;
	p->to = spot.at;
	if (open)
		text_add(&t, "%s", nl);
	if (!spot.has_section) {
		text_add(&t, "%s", text.n > 0 ? nl : "");
		put_section(form, w.section, &t);
		text_add(&t, "%s", nl);
	}
	text_add(&t, "%s%.*s%s", d->put[0], SPAN_ARG(w.name), d->put[1]);
	bool ok = edit_quote(form, setting[1], &t);
	text_add(&t, "%s", nl);
	return (ok && !t.cut) ||
		err_set(err, ERR_DOCTOR_EDIT, "the value cannot be written there");
}
