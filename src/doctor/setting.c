// SPDX-License-Identifier: Apache-2.0
#include "doctor/setting.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/say.h"

/* Files that put variables into an environment, the strongest last: what a start-up
 * file sets counts only in processes below it, so the process's own comes first. */
static const struct {
	const char *place;
	enum edit_form form;
} env_files[] = {
	{"$CONFIG/sekisho/env.sh", EDIT_SHELL},
	{"~/.bashrc", EDIT_SHELL},
	{"~/.bash_profile", EDIT_SHELL},
	{"~/.bash_login", EDIT_SHELL},
	{"~/.profile", EDIT_SHELL},
	{"~/.zshenv", EDIT_SHELL},
	{"~/.zprofile", EDIT_SHELL},
	{"~/.zshrc", EDIT_SHELL},
	{"$CONFIG/fish/config.fish", EDIT_FISH},
	{"$CONFIG/fish/conf.d/*.fish", EDIT_FISH},
	{"$CONFIG/environment.d/*.conf", EDIT_ENVD},
	{"~/.pam_environment", EDIT_ENVD},
	{"/etc/environment", EDIT_ENVD},
	{"/etc/environment.d/*.conf", EDIT_ENVD},
	{"/etc/profile.d/*.sh", EDIT_SHELL},
	{"/etc/profile", EDIT_SHELL},
};

bool
setting_lists(const char *list, const char *word)
{
	struct span rest = span_str(list);
	struct span item;

	while (span_cut(&rest, ' ', &item)) {
		if (item.n > 0 && span_eq(item, span_str(word)))
			return true;
	}
	return false;
}

/* What is being gathered. */
struct gathering {
	struct home *h;
	const struct setting_ask *ask;
	struct setting_found *out;
	size_t cap;
	size_t n;
};

static void
add(struct gathering *g, const struct setting_found *f)
{
	for (size_t i = 0; i < g->n; i++) {
		if (g->out[i].path && f->path && strcmp(g->out[i].path, f->path) == 0 &&
			g->out[i].line == f->line)
			return;
	}
	if (g->n < g->cap)
		g->out[g->n++] = *f;
}

static void
look_in_file(struct gathering *g, const char *path, enum edit_form form)
{
	const struct home_file *file = home_read(g->h, path);
	struct edit_hit hit;

	if (!file->readable || !edit_find(form, file->text, g->ask->key, &hit))
		return;
	char *value = mem_alloc(EDIT_VALUE_MAX);
	edit_value(form, file->text, &hit, value);
	struct setting_found f = {.path = file->path,
		.value = home_text(g->h, "%s", value),
		.changed_ms = file->changed_ms,
		.line = hit.line,
		.form = form};
	mem_free(value);
	add(g, &f);
}

static void
look_in_files(struct gathering *g, const char *pattern, enum edit_form form)
{
	const char *paths[HOME_MATCHES];
	size_t n = home_glob(g->h, pattern, paths);

	for (size_t i = 0; i < n; i++)
		look_in_file(g, paths[i], form);
}

static void
look_in_environment(struct gathering *g)
{
	const char *value = getenv(g->ask->key);

	if (value && value[0]) {
		struct setting_found f = {
			.value = home_text(g->h, "%s", value), .form = EDIT_FORMS};
		add(g, &f);
	}
	for (size_t i = 0; i < COUNT_OF(env_files); i++)
		look_in_files(g, env_files[i].place, env_files[i].form);
}

static bool
is_remark(struct span line)
{
	struct span s = span_trim(line);

	return s.n == 0 || s.p[0] == '#' || s.p[0] == ';' ||
		span_starts(s, SPAN("//")) || span_starts(s, SPAN("--"));
}

static void
look_at_lines(struct gathering *g, const char *path, const regex_t *re)
{
	const struct home_file *file = home_read(g->h, path);
	struct span rest = file->text;
	struct span line;
	unsigned number = 0;
	char text[1024];

	while (file->readable && span_cut(&rest, '\n', &line)) {
		number++;
		/* A flag file may begin its lines with dashes; only words follow "--".
		 */
		bool flag = span_starts(span_trim(line), SPAN("--"));
		if ((is_remark(line) && !flag) ||
			!span_copy(text, sizeof text, span_first(line, 1000)) ||
			regexec(re, text, 0, NULL, 0) != 0)
			continue;
		struct setting_found f = {.path = file->path,
			.value = home_text(g->h, "%.*s", SPAN_ARG(span_trim(line))),
			.changed_ms = file->changed_ms,
			.line = number,
			.form = EDIT_FORMS};
		add(g, &f);
	}
}

static void
look_for_lines(struct gathering *g, const char *pattern)
{
	const char *paths[HOME_MATCHES];
	size_t n = home_glob(g->h, pattern, paths);
	regex_t re;

	if (n == 0 ||
		regcomp(&re, g->ask->key, REG_EXTENDED | REG_NOSUB | REG_ICASE) != 0)
		return;
	for (size_t i = 0; i < n; i++)
		look_at_lines(g, paths[i], &re);
	regfree(&re);
}

size_t
setting_find(struct home *h, const struct setting_ask *ask, struct setting_found *out,
	size_t cap)
{
	struct gathering g = {.h = h, .ask = ask, .out = out, .cap = cap};
	enum edit_form form = edit_form_find(span_str(ask->kind));
	struct span rest = span_str(ask->place);
	struct span place;
	char pattern[HOME_PATH];

	if (strcmp(ask->kind, "env") == 0)
		look_in_environment(&g);
	while (span_cut(&rest, ' ', &place)) {
		if (!span_copy(pattern, sizeof pattern, place))
			continue;
		if (strcmp(ask->kind, "line") == 0) {
			look_for_lines(&g, pattern);
		} else if (form != EDIT_FORMS) {
			look_in_files(&g, pattern, form);
		}
	}
	return g.n;
}

const char *
setting_where(struct home *h, const struct setting_found *f)
{
	if (!f->path)
		return say(h, "the environment");
	const char *words[] = {home_short(h, f->path), home_text(h, "%u", f->line)};
	return say_with(h, "{0} line {1}", words, COUNT_OF(words));
}

const char *
setting_since(struct home *h, const struct setting_found *f)
{
	char text[CLOCK_TEXT];

	if (f->changed_ms == 0)
		return "";
	clock_text(text, f->changed_ms);
	return home_text(h, "%.10s", text);
}
