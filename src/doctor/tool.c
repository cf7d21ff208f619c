// SPDX-License-Identifier: Apache-2.0
#include "doctor/tool.h"

#include <string.h>

#include "base/text.h"
#include "doctor/run.h"
#include "doctor/tool_priv.h"

enum {
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
	tool_add_sets(h, b, &v);
	v.reads_os = reads_os(h, row, v.version);
	tool_judge(h, b, &v);
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
