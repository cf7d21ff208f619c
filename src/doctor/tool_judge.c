// SPDX-License-Identifier: Apache-2.0
/*
 * tool_judge: what is wrong with the settings of a tool.
 */
#include <string.h>

#include "base/text.h"
#include "doctor/say.h"
#include "doctor/tool_priv.h"

enum { SINGLE_MAX = 50 }; /* fewer certificates are no public list */

static struct tool_finding *
add_finding(struct tool_view *v, enum tool_fault fault)
{
	/* As many are enough to act on; the last place takes all that is too much. */
	if (v->n_findings == TOOL_FINDINGS)
		v->n_findings--;
	struct tool_finding *f = &v->findings[v->n_findings++];
	f->fault = fault;
	f->since = "";
	f->exposes = "";
	f->instead = "";
	return f;
}

static struct tool_finding *
add_about(struct home *h, struct tool_view *v, enum tool_fault fault,
	const struct tool_set *s)
{
	struct tool_finding *f = add_finding(v, fault);

	f->where = setting_where(h, &s->found);
	f->since = setting_since(h, &s->found);
	f->found = s->found;
	f->key = s->row->key;
	return f;
}

/* What a setting silences, of those that are there. */
static void
find_conflicts(struct home *h, struct tool_view *v)
{
	for (size_t i = 0; i < v->n_sets; i++) {
		struct tool_set *winner = &v->sets[i];
		for (size_t k = 0; k < v->n_sets; k++) {
			struct tool_set *loser = &v->sets[k];
			if (loser == winner || loser->silenced ||
				!setting_lists(winner->row->beats, loser->row->key))
				continue;
			loser->silenced = true;
			if (strcmp(winner->found.value, loser->found.value) == 0)
				continue; /* both say the same */
			struct tool_finding *f = add_about(h, v, TOOL_CONFLICT, winner);
			const char *words[] = {winner->row->key, f->where,
				loser->row->key, setting_where(h, &loser->found)};
			f->text = say_with(
				h, "{0} in {1} wins; {2} in {3} is ignored", words, 4);
			f->instead = say_with(h, "take {0} out of {1}", words, 2);
		}
	}
}

static void
report_broken(struct home *h, struct tool_view *v, const struct tool_set *s)
{
	enum pem_fault fault = pem_gravest(&s->report);
	unsigned line = fault < PEM_FAULTS ? s->report.line[fault] : 0;
	const char *words[] = {s->row->key, home_short(h, s->file),
		say(h, pem_fault_text(fault)), home_text(h, "%u", line)};

	add_about(h, v, TOOL_BROKEN, s)->text = say_with(h,
		line > 0 ? "{0} names {1}: line {3}: {2}" : "{0} names {1}: {2}", words,
		4);
}

static void
report_single(struct home *h, struct tool_view *v, const struct tool_set *s)
{
	const char *words[] = {s->row->key, home_short(h, s->file),
		home_text(h, "%zu", s->certs), v->row->name};
	struct tool_finding *f = add_about(h, v, TOOL_SINGLE, s);

	f->text = say_with(h,
		"{0} names {1} with {2} certificates only, and replaces the public "
		"list: "
		"hosts that are not inspected fail",
		words, 4);
	f->instead =
		say_with(h, "the combined bundle: sekisho doctor apply {3}", words, 4);
}

static void
judge_file(struct home *h, struct tool_view *v, const struct tool_set *s)
{
	const struct home_file *f = home_read(h, s->file);
	bool java = strstr(s->row->value, "{java}") || strstr(s->row->value, "{p12}");
	bool ours = strcmp(s->file, bundle_all_path(h)) == 0;

	if (!f->there || (!f->readable && !f->directory)) {
		const char *words[] = {s->row->key, home_short(h, s->file)};
		add_about(h, v, TOOL_DEAD, s)->text = say_with(h,
			f->there ? "{0} names {1}, which cannot be read"
				 : "{0} names {1}, which is not there",
			words, 2);
		return;
	}
	if (f->directory || java)
		return;
	if (pem_is_broken(&s->report) || s->report.faults & 1U << PEM_KEY)
		report_broken(h, v, s);
	if (s->effect == TOOL_REPLACES && !ours && s->certs > 0 &&
		s->certs < SINGLE_MAX)
		report_single(h, v, s);
}

static void
find_bad_files(struct home *h, const struct bundle *b, struct tool_view *v)
{
	for (size_t i = 0; i < v->n_sets; i++) {
		const struct tool_set *s = &v->sets[i];
		if (!s->file)
			continue;
		judge_file(h, v, s);
		if (strcmp(s->file, bundle_all_path(h)) == 0 && b->org.n > 0 &&
			bundle_stale(b, h)) {
			struct tool_finding *f = add_about(h, v, TOOL_STALE, s);
			f->text = say(h,
				"the combined bundle is older than the system's list");
			f->instead =
				home_text(h, "sekisho doctor apply %s", v->row->name);
		}
	}
}

/* Node refuses to start for a switch that it does not know. */
static void
find_danger(struct home *h, struct tool_view *v)
{
	for (size_t i = 0; i < v->n_sets; i++) {
		const struct tool_set *s = &v->sets[i];
		if (strcmp(s->row->key, "NODE_OPTIONS") != 0 ||
			!strstr(s->found.value, "--use-system-ca") ||
			tool_version_has(v->version, "23.9 22.15"))
			continue;
		struct tool_finding *f = add_about(h, v, TOOL_DANGER, s);
		const char *words[] = {v->version[0] ? v->version : "?"};
		f->text = say_with(h,
			"NODE_OPTIONS has --use-system-ca: node {0} does not know it "
			"and "
			"refuses to start",
			words, 1);
		f->instead =
			say(h, "NODE_USE_SYSTEM_CA=1, which older versions ignore");
	}
}

/* Whether the value is one of the unsafe words. */
static bool
is_unsafe(const struct unsafe_row *row, const char *value)
{
	struct span rest = span_str(row->value);
	struct span word;

	if (strcmp(row->value, "*") == 0)
		return true;
	while (span_cut(&rest, ' ', &word)) {
		if (word.n > 0 && span_eq_nocase(word, span_str(value)))
			return true;
	}
	return false;
}

/* Two rows may be about one line: the exact one stands first. */
static bool
is_known(const struct tool_view *v, const struct setting_found *found)
{
	for (size_t i = 0; i < v->n_findings; i++) {
		const struct tool_finding *f = &v->findings[i];
		if (f->fault == TOOL_UNSAFE && f->found.path && found->path &&
			f->found.line == found->line &&
			strcmp(f->found.path, found->path) == 0)
			return true;
	}
	return false;
}

static void
find_unsafe(struct home *h, const struct unsafe_row *row, struct tool_view *v)
{
	struct setting_found found[SETTING_FOUND];
	struct setting_ask ask = {row->kind, row->place, row->key};
	size_t n = setting_find(h, &ask, found, COUNT_OF(found));

	for (size_t i = 0; i < n; i++) {
		/* An empty variable is as good as none. */
		bool unset = strcmp(row->kind, "env") == 0 && !found[i].value[0];
		if (unset || !is_unsafe(row, found[i].value) || is_known(v, &found[i]))
			continue;
		struct tool_finding *f = add_finding(v, TOOL_UNSAFE);
		bool line = strcmp(row->kind, "line") == 0;
		f->text = line ? found[i].value
			       : home_text(h, "%s=%s", row->key, found[i].value);
		f->where = setting_where(h, &found[i]);
		f->since = setting_since(h, &found[i]);
		f->exposes = say(h, row->exposes);
		f->instead = say(h, row->instead);
		f->key = line ? NULL : row->key;
		f->found = found[i];
	}
}

void
tool_judge(struct home *h, const struct bundle *b, struct tool_view *v)
{
	find_conflicts(h, v);
	find_bad_files(h, b, v);
	find_danger(h, v);
	for (const struct unsafe_row *u = unsafe_rows; u->tools; u++) {
		if (setting_lists(u->tools, v->row->name))
			find_unsafe(h, u, v);
	}
}
