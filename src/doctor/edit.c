// SPDX-License-Identifier: Apache-2.0
#include "doctor/edit.h"

#include "base/mem.h"
#include "base/text.h"
#include "doctor/edit_priv.h"

#define BLOCK_BEGIN "# >>> sekisho doctor >>>"
#define BLOCK_END   "# <<< sekisho doctor <<<"

static const char *const form_names[] = {
	[EDIT_BLOCK] = "block",
	[EDIT_SHELL] = "shell",
	[EDIT_FISH] = "fish",
	[EDIT_ENVD] = "environment",
	[EDIT_NPMRC] = "npmrc",
	[EDIT_INI] = "ini",
	[EDIT_GIT] = "git",
	[EDIT_PROPERTIES] = "properties",
	[EDIT_WORDS] = "words",
	[EDIT_YAML] = "yaml",
	[EDIT_TOML] = "toml",
	[EDIT_JSON] = "json",
};

const char *
edit_form_name(enum edit_form form)
{
	return form_names[form];
}

enum edit_form
edit_form_find(struct span name)
{
	for (size_t i = 0; i < EDIT_FORMS; i++) {
		if (span_eq(name, span_str(form_names[i])))
			return (enum edit_form)i;
	}
	return EDIT_FORMS;
}

/* ---- text ---- */

static size_t
copy_in(uint8_t *dst, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		dst[i] = s.p[i];
	return s.n;
}

struct span
edit_splice(struct span text, const struct edit_patch *p)
{
	struct span with = span_str(p->with);
	uint8_t *out = mem_alloc(text.n + with.n + 1);
	size_t n = copy_in(out, span_first(text, p->from));

	n += copy_in(out + n, with);
	n += copy_in(out + n, span_from(text, p->to));
	return span_of(out, n);
}

const char *
edit_newline(struct span text)
{
	size_t at = span_chr(text, '\n');

	return at < text.n && at > 0 && text.p[at - 1] == '\r' ? "\r\n" : "\n";
}

unsigned
edit_line_of(struct span text, size_t at)
{
	unsigned line = 1;

	for (size_t i = 0; i < at && i < text.n; i++)
		line += text.p[i] == '\n';
	return line;
}

size_t
edit_bom(struct span text)
{
	return span_starts(text, SPAN("\xef\xbb\xbf")) ? 3 : 0;
}

/* ---- the marked block ---- */

/* Behind the line end that follows `at`. */
static size_t
past_line(struct span text, size_t at)
{
	size_t n = span_chr(span_from(text, at), '\n');

	return at + n < text.n ? at + n + 1 : text.n;
}

static bool
find_block(struct span text, struct edit_hit *out)
{
	size_t begin = span_find(text, SPAN(BLOCK_BEGIN));
	size_t body = past_line(text, begin);
	size_t end = body + span_find(span_from(text, body), SPAN(BLOCK_END));

	if (begin >= text.n || end >= text.n ||
		(begin > 0 && text.p[begin - 1] != '\n'))
		return false;
	*out = (struct edit_hit){
		body, end, begin, past_line(text, end), edit_line_of(text, begin)};
	return true;
}

static bool
insert_block(struct span text, const char *body, struct edit_patch *p, struct err *err)
{
	struct text t = text_to(p->with, sizeof p->with);
	const char *nl = edit_newline(text);
	bool open = text.n > 0 && text.p[text.n - 1] != '\n';

	text_add(&t, "%s" BLOCK_BEGIN "%s%s%s" BLOCK_END "%s", open ? nl : "", nl, body,
		nl, nl);
	p->from = text.n;
	p->to = text.n;
	return !t.cut || err_set(err, ERR_DOCTOR_EDIT, "the block is too long");
}

/* ---- all forms ---- */

bool
edit_find(enum edit_form form, struct span text, const char *key, struct edit_hit *out)
{
	if (text.n > EDIT_FILE_MAX)
		return false;
	if (form == EDIT_BLOCK)
		return find_block(text, out);
	if (form == EDIT_JSON)
		return edit_json_find(text, key, out);
	return edit_lines_find(form, text, key, out);
}

void
edit_value(enum edit_form form, struct span text, const struct edit_hit *hit,
	char dst[EDIT_VALUE_MAX])
{
	struct text t = text_to(dst, EDIT_VALUE_MAX);

	edit_unquote(form, span_slice(text, hit->from, hit->to), &t);
}

static bool
insert(enum edit_form form, struct span text, const char *const setting[2],
	struct edit_patch *p, struct err *err)
{
	if (form == EDIT_BLOCK)
		return insert_block(text, setting[1], p, err);
	if (form == EDIT_JSON)
		return edit_json_insert(text, setting, p, err);
	return edit_lines_insert(form, text, setting, p, err);
}

static bool
replace(enum edit_form form, const struct edit_hit *hit, const char *value,
	struct edit_patch *p, struct err *err)
{
	struct text t = text_to(p->with, sizeof p->with);

	p->from = hit->from;
	p->to = hit->to;
	if (form == EDIT_BLOCK) {
		text_add(&t, "%s\n", value);
	} else if (!edit_quote(form, value, &t)) {
		return err_set(err, ERR_DOCTOR_EDIT,
			"line %u: the value cannot be written there", hit->line);
	}
	return !t.cut || err_set(err, ERR_DOCTOR_EDIT, "the value is too long");
}

/* In a shell a line may hold more, or be all that a block has. */
static bool
stands_alone(enum edit_form form, struct span text, const struct edit_hit *hit,
	const char *key)
{
	if (form != EDIT_SHELL && form != EDIT_FISH)
		return true;
	struct span rest = span_trim(span_slice(text, hit->to, hit->whole_to));
	uint8_t first = text.p[hit->whole_from];
	if (span_starts(rest, SPAN("; export ")) &&
		span_eq(span_from(rest, 9), span_str(key)))
		rest = (struct span){0}; /* that is of the same setting */
	return first != ' ' && first != '\t' && (rest.n == 0 || rest.p[0] == '#');
}

/* A key may be given twice; all go. */
static struct span
removed(enum edit_form form, struct span text, const char *key)
{
	struct edit_hit hit;
	uint8_t *now = mem_alloc(text.n + 1);
	size_t n = copy_in(now, text);

	while (edit_find(form, span_of(now, n), key, &hit)) {
		size_t kept = hit.whole_from;
		size_t from = hit.whole_to;
		if (!stands_alone(form, span_of(now, n), &hit, key)) {
			while (now[kept] == ' ' || now[kept] == '\t')
				kept++;
			now[kept++] = ':'; /* a command that does nothing */
			from = hit.to;
		}
		for (size_t i = from; i < n; i++)
			now[kept++] = now[i];
		n = kept;
	}
	now[n] = 0;
	return span_of(now, n);
}

/* What would leave its line, or end the text, is no value. */
static bool
is_plain(enum edit_form form, const char *value)
{
	struct span s = span_str(value);

	if (s.n >= EDIT_VALUE_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool line = form == EDIT_BLOCK && s.p[i] == '\n';
		if (!line && (s.p[i] < ' ' || s.p[i] == 0x7f))
			return false;
	}
	return true;
}

/* We change nothing that we cannot read back. */
static bool
reads_back(enum edit_form form, struct span text, const char *const setting[2],
	struct err *err)
{
	struct edit_hit hit;
	char *value = mem_alloc(EDIT_VALUE_MAX);
	bool ok = edit_find(form, text, setting[0], &hit);

	if (ok) {
		edit_value(form, text, &hit, value);
		ok = form == EDIT_BLOCK ||
			span_eq(span_str(value), span_str(setting[1]));
	}
	mem_free(value);
	return ok || err_set(err, ERR_DOCTOR_EDIT, "the file's form is not understood");
}

bool
edit_set(enum edit_form form, struct span text, const char *const setting[2],
	struct span *out, struct err *err)
{
	const char *key = setting[0];
	const char *value = setting[1];
	struct edit_hit hit;

	if (text.n > EDIT_FILE_MAX || span_str(key).n >= EDIT_KEY_MAX)
		return err_set(err, ERR_DOCTOR_EDIT, "%zu octets of text", text.n);
	if (!value) {
		*out = removed(form, text, key);
		return true;
	}
	if (!is_plain(form, value))
		return err_set(err, ERR_DOCTOR_EDIT, "a value with control characters");

	struct edit_patch *p = mem_alloc(sizeof *p);
	bool ok = edit_find(form, text, key, &hit)
		? replace(form, &hit, value, p, err)
		: insert(form, text, setting, p, err);
	struct span changed = {0};
	if (ok) {
		changed = edit_splice(text, p);
		ok = reads_back(form, changed, setting, err);
	}
	mem_free(p);
	if (ok) {
		*out = changed;
	} else {
		mem_free((void *)(uintptr_t)changed.p);
	}
	return ok;
}
