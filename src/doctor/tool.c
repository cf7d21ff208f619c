// SPDX-License-Identifier: Apache-2.0
#include "doctor/tool.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/run.h"
#include "doctor/say.h"

enum {
	SINGLE_MAX = 50, /* fewer certificates are no public list */
	VERSION_MS = 10000,
	TOOLS = 128,
};

const struct tool_row *
tool_find(const char *name)
{
	for (const struct tool_row *r = tool_rows; r->name; r++) {
		if (strcmp(r->name, name) == 0)
			return r;
	}
	return NULL;
}

const char *
tool_nearest(const char *name)
{
	const char *names[TOOLS];
	size_t n = 0;

	for (const struct tool_row *r = tool_rows; r->name && n < TOOLS; r++)
		names[n++] = r->name;
	size_t i = text_nearest(span_str(name), names, n);
	return i < n ? names[i] : NULL;
}

const char *
tool_fault_word(enum tool_fault fault)
{
	static const char *const words[] = {
		[TOOL_CONFLICT] = "conflict",
		[TOOL_DEAD] = "missing",
		[TOOL_BROKEN] = "broken",
		[TOOL_SINGLE] = "single",
		[TOOL_STALE] = "stale",
		[TOOL_DANGER] = "danger",
		[TOOL_UNSAFE] = "unsafe",
	};

	return words[fault];
}

enum tool_effect
tool_effect_of(const struct setting_row *row)
{
	static const char *const words[] = {[TOOL_OS] = "os",
		[TOOL_ADDS] = "adds",
		[TOOL_REPLACES] = "replaces",
		[TOOL_SELECTS] = "selects"};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(row->effect, words[i]) == 0)
			return (enum tool_effect)i;
	}
	return TOOL_SELECTS;
}

/* ---- is it here ---- */

/* Where Python keeps packages: the system's, the user's, a virtual environment's. */
static const char *const python_places[] = {
	"/usr/lib/python3/dist-packages/",
	"/usr/local/lib/python3*/dist-packages/",
	"~/.local/lib/python3*/site-packages/",
	"~/.pyenv/versions/*/lib/python3*/site-packages/",
	"./.venv/lib/python3*/site-packages/",
	"./venv/lib/python3*/site-packages/",
};

/* Debian's own packages use the system's list; all others bring one. */
static bool
has_module(struct home *h, const char *name, bool debian)
{
	const char *paths[HOME_MATCHES];

	for (size_t i = debian ? 0 : 1; i < (debian ? 1 : COUNT_OF(python_places));
		i++) {
		const char *p = home_text(h, "%s%s", python_places[i], name);
		if (home_glob(h, p, paths) > 0)
			return true;
	}
	return false;
}

static bool
has_file(struct home *h, const char *pattern)
{
	const char *paths[HOME_MATCHES];

	if (strncmp(pattern, "@py:", 4) == 0) {
		return has_module(h, pattern + 4, true) ||
			has_module(h, pattern + 4, false);
	}
	return home_glob(h, pattern, paths) > 0;
}

static const char *
find_program(struct home *h, const char *names)
{
	struct span rest = span_str(names);
	struct span name;
	char word[64];

	while (span_cut(&rest, ' ', &name)) {
		if (!span_copy(word, sizeof word, name) || !word[0])
			continue;
		const char *path = home_program(h, word);
		if (path)
			return path;
	}
	return NULL;
}

bool
tool_is_here(struct home *h, const struct tool_row *row)
{
	struct span rest = span_str(row->files);
	struct span pattern;
	char word[256];

	if (find_program(h, row->programs))
		return true;
	/* Files of a program count alone only where it has no program of its own, or
	 * was there once; a directory like ~/.cargo is a trace worth a look. */
	while (span_cut(&rest, ' ', &pattern)) {
		if (span_copy(word, sizeof word, pattern) && word[0] &&
			has_file(h, word))
			return true;
	}
	return false;
}

/* ---- versions ---- */

/* The first "digits.digits…" of a text as two numbers. */
static bool
read_version(struct span s, uint64_t out[2], struct span *whole)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_digit(s.p[i]))
			continue;
		size_t n = 0;
		struct span v = span_from(s, i);
		while (n < v.n && (ascii_is_digit(v.p[n]) || v.p[n] == '.'))
			n++;
		v = span_first(v, n);
		*whole = v;
		struct span major = span_first(v, span_chr(v, '.'));
		struct span rest = span_from(v, major.n + 1);
		struct span minor = span_first(rest, span_chr(rest, '.'));
		out[1] = 0;
		if (!text_u64(major, UINT32_MAX, &out[0]))
			return false;
		return minor.n == 0 || text_u64(minor, UINT32_MAX, &out[1]);
	}
	return false;
}

bool
tool_version_has(const char *version, const char *since)
{
	struct span rest = span_str(since);
	struct span one;
	struct span ignored;
	uint64_t v[2];
	uint64_t least[2];
	bool first = true;

	if (!since[0])
		return true;
	if (!read_version(span_str(version), v, &ignored))
		return false;
	for (; span_cut(&rest, ' ', &one); first = false) {
		if (!read_version(one, least, &ignored))
			continue;
		if (v[0] == least[0] && v[1] >= least[1])
			return true;
		if (first && v[0] > least[0])
			return true;
	}
	return false;
}

static const char *
ask_version(struct home *h, const struct tool_row *row)
{
	const char *argv[8] = {0};
	struct span rest = span_str(row->version);
	struct span word;
	size_t n = 0;
	struct run_answer answer = {0};
	struct err ignored;
	uint64_t numbers[2];
	struct span whole = {0};
	const char *found = "";

	while (n < COUNT_OF(argv) - 1 && span_cut(&rest, ' ', &word))
		argv[n++] = arena_cstr(&h->a, word);
	const char *path = n > 0 ? home_program(h, argv[0]) : NULL;
	if (!path)
		return "";
	argv[0] = path;
	struct run_ask ask = {.argv = argv, .timeout_ms = VERSION_MS};
	if (!run_program(&ask, &answer, &ignored))
		return "";
	if (answer.code == 0 &&
		read_version(span_of(answer.output, answer.n), numbers, &whole))
		found = arena_cstr(&h->a, whole);
	run_answer_fini(&answer);
	return found;
}

/* ---- settings ---- */

/* The file that a value names: a path, or inside options for Java. */
static const char *
file_of(struct home *h, const struct setting_row *row, const char *value)
{
	static const char store[] = "javax.net.ssl.trustStore=";
	const char *at = strstr(value, store);

	if (tool_effect_of(row) == TOOL_SELECTS || tool_effect_of(row) == TOOL_OS)
		return NULL;
	if (at) {
		struct span s = span_str(at + sizeof store - 1);
		return arena_cstr(&h->a, span_first(s, span_chr(s, ' ')));
	}
	if (strcmp(row->value, "{java}") == 0)
		return NULL;
	if (value[0] == '~' && value[1] == '/')
		return home_text(h, "%s%s", h->dir, value + 1);
	return strchr(value, '/') ? value : NULL;
}

/* Options of Java that name no store, and the words that follow the system, are no
 * setting of ours. */
static enum tool_effect
effect_of(const struct setting_row *row, const char *value)
{
	if (strcmp(row->value, "{java}") == 0 && !strstr(value, "trustStore"))
		return TOOL_SELECTS;
	return tool_effect_of(row);
}

static void
read_certs(struct home *h, const struct bundle *b, struct tool_set *s)
{
	const struct home_file *f = home_read(h, s->file);
	struct pem_list list = {0};

	if (f->readable) {
		pem_read(f->text, clock_wall(), &list, &s->report);
		s->certs = list.n;
		s->has_org = b->org.n > 0;
		for (size_t i = 0; i < b->org.n; i++)
			s->has_org &= pem_list_has(&list, b->org.certs[i]->sha256);
	}
	pem_list_fini(&list);
}

static void
add_sets(struct home *h, const struct bundle *b, const struct setting_row *row,
	struct tool_view *v)
{
	struct setting_found found[SETTING_FOUND];
	struct setting_ask ask = {row->kind, row->place, row->key};
	size_t n = setting_find(h, &ask, found, COUNT_OF(found));

	for (size_t i = 0; i < n && v->n_sets < TOOL_SETS; i++) {
		struct tool_set *s = &v->sets[v->n_sets];
		/* Two rows may be about one key; its value says which is meant. */
		bool word =
			row->value[0] && row->value[0] != '{' && row->value[0] != ':';
		if (word && strchr(found[i].value, '/'))
			continue;
		if (row->value[0] == '{' && row->rank[0] &&
			!strchr(found[i].value, '/') &&
			strcmp(row->value, "{java}") != 0)
			continue;
		v->n_sets++;
		s->row = row;
		s->found = found[i];
		s->effect = effect_of(row, found[i].value);
		s->file = file_of(h, row, found[i].value);
		if (s->file)
			read_certs(h, b, s);
	}
}

/* Whether a database has the CA: only certutil can read it. */
static bool
nss_has(struct home *h, const struct bundle *b, const char *dir)
{
	const struct cert *c = b->org.certs[0];
	char nick[300] = "";
	struct text t = text_to(nick, sizeof nick);
	const char *argv[] = {home_program(h, "certutil"), "-L", "-d",
		home_text(h, "sql:%s", dir), "-n", nick, "-a", NULL};
	struct run_ask ask = {.argv = argv, .timeout_ms = VERSION_MS};
	struct run_answer a = {0};
	struct pem_list list = {0};
	struct pem_report report;
	struct err ignored;

	cert_common_name(c->subject, &t);
	if (argv[0] && run_program(&ask, &a, &ignored))
		pem_read(span_of(a.output, a.n), clock_wall(), &list, &report);
	bool found = pem_list_has(&list, c->sha256);
	pem_list_fini(&list);
	run_answer_fini(&a);
	return found;
}

/* Databases that are there; each counts for its own programs or profile. */
static void
add_databases(struct home *h, const struct bundle *b, const struct setting_row *row,
	struct tool_view *v)
{
	struct span rest = span_str(row->place);
	struct span place;
	char word[HOME_PATH];

	while (b->org.n > 0 && span_cut(&rest, ' ', &place)) {
		const char *found[HOME_MATCHES];
		size_t n = span_copy(word, sizeof word, place)
			? home_glob(h, word, found)
			: 0;
		for (size_t i = 0; i < n && v->n_sets < TOOL_SETS; i++) {
			struct span s = span_str(found[i]);
			if (span_ends(s, SPAN("/cert9.db")))
				s = span_first(s, span_rchr(s, '/'));
			const char *dir = arena_cstr(&h->a, s);
			if (!nss_has(h, b, dir))
				continue;
			v->sets[v->n_sets++] = (struct tool_set){.row = row,
				.found = {.path = dir,
					.value = "NSS",
					.line = 1,
					.form = EDIT_FORMS},
				.effect = TOOL_ADDS,
				.certs = b->org.n,
				.has_org = true};
		}
	}
}

/* ---- findings ---- */

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

/* ---- all of it ---- */

static bool
reads_os(struct home *h, const struct tool_row *row, const char *version)
{
	/* pip has followed the system since 24.2; Debian's always did. */
	if (strcmp(row->name, "pip") == 0)
		return tool_version_has(version, "24.2") || has_module(h, "pip", true);
	if (strcmp(row->roots, "certifi") == 0) {
		const char *module = strncmp(row->files, "@py:", 4) == 0
			? row->files + 4
			: "certifi";
		return has_module(h, module, true) && !has_module(h, module, false);
	}
	if (strcmp(row->roots, "jdk") == 0)
		return home_read(h, home_path(h, "/etc/ssl/certs/java/cacerts"))->there;
	return setting_lists(row->roots, "os");
}

static bool
trusts_org(const struct bundle *b, const struct tool_view *v)
{
	bool os = v->reads_os;

	for (size_t i = 0; i < v->n_sets; i++) {
		const struct tool_set *s = &v->sets[i];
		if (s->silenced)
			continue;
		if (s->effect == TOOL_REPLACES && s->file) {
			return s->has_org || strstr(s->row->value, "{java}") ||
				strstr(s->row->value, "{p12}");
		}
		if (s->effect == TOOL_ADDS && s->has_org)
			return true;
		os |= s->effect == TOOL_OS &&
			tool_version_has(v->version, s->row->since);
	}
	return os && b->os_has_org;
}

void
tool_look(struct home *h, const struct bundle *b, const struct tool_row *row,
	struct tool_view *out)
{
	struct tool_view v = {.row = row, .version = ""};

	v.program = find_program(h, row->programs);
	v.here = tool_is_here(h, row);
	v.sets = arena_alloc(&h->a, TOOL_SETS * sizeof *v.sets);
	v.findings = arena_alloc(&h->a, TOOL_FINDINGS * sizeof *v.findings);
	if (row->version[0])
		v.version = ask_version(h, row);
	for (const struct setting_row *s = setting_rows; s->tools; s++) {
		if (!setting_lists(s->tools, row->name))
			continue;
		if (strcmp(s->kind, "nss") == 0) {
			add_databases(h, b, s, &v);
		} else {
			add_sets(h, b, s, &v);
		}
	}
	v.reads_os = reads_os(h, row, v.version);
	find_conflicts(h, &v);
	find_bad_files(h, b, &v);
	find_danger(h, &v);
	for (const struct unsafe_row *u = unsafe_rows; u->tools; u++) {
		if (setting_lists(u->tools, row->name))
			find_unsafe(h, u, &v);
	}
	v.trusts_org = trusts_org(b, &v);
	*out = v;
}

const char *
tool_roots_text(const struct tool_view *v)
{
	static const struct {
		const char *roots;
		const char *text;
	} words[] = {
		{"own", "a list of its own"},
		{"os", "the system's list"},
		{"own os", "a list of its own, and the system's"},
		{"nss", "a list of its own, and the NSS database"},
		{"none", "nothing: it checks only when told to"},
	};

	if (strcmp(v->row->roots, "certifi") == 0 || strcmp(v->row->name, "pip") == 0) {
		return v->reads_os ? "the system's list"
				   : "a list of its own (certifi)";
	}
	if (strcmp(v->row->roots, "jdk") == 0) {
		return v->reads_os ? "the JDK's store, which follows the system's list"
				   : "the JDK's store";
	}
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(words[i].roots, v->row->roots) == 0)
			return words[i].text;
	}
	return "";
}
