// SPDX-License-Identifier: Apache-2.0
#include "doctor/plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "doctor/say.h"

enum { RANKS = 9 };

/* A plan while it is made. */
struct planning {
	struct home *h;
	const struct bundle *b;
	const struct tool_view *v;
	struct plan *plan;
	struct err *err;
};

static struct plan_step *
add_step(struct planning *p)
{
	if (p->plan->n == PLAN_STEPS)
		return NULL;
	struct plan_step *s = &p->plan->steps[p->plan->n++];
	s->ask.tool = p->v->row->name;
	s->ask.key = "";
	return s;
}

static bool
is_planned(const struct planning *p, const char *path, const char *key)
{
	for (size_t i = 0; i < p->plan->n; i++) {
		const struct change_ask *a = &p->plan->steps[i].ask;
		if (strcmp(a->path, path) == 0 && strcmp(a->key, key) == 0)
			return true;
	}
	return false;
}

/* ---- our own files ---- */

static void
add_file(struct planning *p, const char *path, struct span content, size_t certs)
{
	struct plan_step *s = is_planned(p, path, "") ? NULL : add_step(p);

	if (!s) {
		mem_free((void *)(uintptr_t)content.p);
		return;
	}
	s->ask.kind = JOURNAL_FILE;
	s->ask.path = path;
	s->ask.content = content;
	s->what = home_text(p->h, "write %s (%zu certificate%s)",
		home_short(p->h, path), certs, certs == 1 ? "" : "s");
	s->lines = "";
}

/* Each making has another salt: a store that is there stays, unless what it was made of
 * changed. */
static bool
make_java(struct planning *p, struct span *out)
{
	const struct home_file *f = home_read(p->h, bundle_java_path(p->h));

	if (!f->readable || bundle_stale(p->b, p->h))
		return bundle_java(p->b, out, p->err);
	uint8_t *same = mem_alloc(f->text.n + 1);
	for (size_t i = 0; i < f->text.n; i++)
		same[i] = f->text.p[i];
	*out = span_of(same, f->text.n);
	return true;
}

static void
add_files_of(struct planning *p, bool all)
{
	size_t n = p->b->os.n + (p->b->os_has_org ? 0 : p->b->org.n);

	/* The CA alone is kept too, for the next time. */
	add_file(p, bundle_org_path(p->h), bundle_org_text(p->b), p->b->org.n);
	if (all)
		add_file(p, bundle_all_path(p->h), bundle_all_text(p->b), n);
}

static bool
add_files(struct planning *p, const char *value)
{
	bool java = strstr(value, "{java}") || strstr(value, "{p12}");
	bool all = java || strstr(value, "{bundle}");
	struct span store = {0};

	if (all || strstr(value, "{org}"))
		add_files_of(p, all);
	if (!java)
		return true;
	if (!make_java(p, &store))
		return false;
	add_file(p, bundle_java_path(p->h), store,
		p->b->os.n + (p->b->os_has_org ? 0 : p->b->org.n));
	return true;
}

/* ---- values ---- */

/* Options that somebody has in the variable already stay in front. */
static const char *
java_options(struct planning *p, const char *variable)
{
	const char *store = bundle_java_path(p->h);
	const char *old = getenv(variable);
	const char *ours = home_text(p->h,
		"-Djavax.net.ssl.trustStore=%s "
		"-Djavax.net.ssl.trustStorePassword=changeit",
		store);

	if (old && strstr(old, store))
		return home_text(p->h, "%s", old);
	if (old && old[0] && !strstr(old, "trustStore"))
		return home_text(p->h, "%s %s", old, ours);
	return ours;
}

static const char *
value_of(struct planning *p, const struct setting_row *row)
{
	static const char config[] = "{config}";
	const char *at = strstr(row->value, config);

	if (strcmp(row->value, "{org}") == 0)
		return bundle_org_path(p->h);
	if (strcmp(row->value, "{bundle}") == 0)
		return bundle_all_path(p->h);
	if (strcmp(row->value, "{p12}") == 0)
		return bundle_java_path(p->h);
	if (strcmp(row->value, "{java}") == 0)
		return java_options(p, row->key);
	if (at) {
		return home_text(p->h, "%.*s%s%s", (int)(at - row->value), row->value,
			p->h->config, at + sizeof config - 1);
	}
	return row->value;
}

/* ---- settings ---- */

/* The lines of `text` around what changes, as a person compares them. */
static const char *
show_change(struct planning *p, const struct change_ask *ask)
{
	const struct home_file *f = home_read(p->h, ask->path);
	struct edit_hit hit;
	const char *old = "";

	if (f->readable && edit_find(ask->form, f->text, ask->key, &hit)) {
		struct span was = span_slice(f->text, hit.whole_from, hit.whole_to);
		old = home_text(p->h, "- %.*s\n", SPAN_ARG(span_trim(was)));
	}
	if (!ask->value)
		return old;
	if (ask->form == EDIT_BLOCK)
		return old[0] ? "" : home_text(p->h, "+ %s\n", ask->value);
	return home_text(p->h, "%s+ %s = %s\n", old, ask->key, ask->value);
}

static bool
add_edit(struct planning *p, const char *path, enum edit_form form,
	const char *const setting[2])
{
	struct plan_step *s = is_planned(p, path, setting[0]) ? NULL : add_step(p);
	struct span ignored = {0};

	if (!s)
		return true;
	s->ask.kind = JOURNAL_EDIT;
	s->ask.path = path;
	s->ask.form = form;
	s->ask.key = setting[0];
	s->ask.value = setting[1];
	bool there = home_read(p->h, path)->there;
	s->what = home_text(
		p->h, "%s %s", there ? "change" : "create", home_short(p->h, path));
	s->lines = show_change(p, &s->ask);
	/* What cannot be done must be known before anything is. */
	if (!change_preview(p->h, &s->ask, &ignored, p->err))
		return false;
	mem_free((void *)(uintptr_t)ignored.p);
	return true;
}

/* The first place that is there, else the first; never one of the current directory. */
static const char *
place_for(struct planning *p, const struct setting_row *row)
{
	struct span rest = span_str(row->place);
	struct span place;
	const char *first = NULL;
	char word[HOME_PATH];

	while (span_cut(&rest, ' ', &place)) {
		if (!span_copy(word, sizeof word, place) ||
			(word[0] != '~' && word[0] != '$') || strchr(word, '*'))
			continue;
		const char *path = home_path(p->h, word);
		if (home_read(p->h, path)->readable)
			return path;
		if (!first)
			first = path;
	}
	return first;
}

/* ---- variables ---- */

#define ENV_FILE "$CONFIG/sekisho/env.sh"

static bool
is_shell(const char *name)
{
	const char *shell = getenv("SHELL");
	const char *base = shell ? strrchr(shell, '/') : NULL;

	return base && strcmp(base + 1, name) == 0;
}

static const char *
source_line(struct home *h)
{
	const char *path = home_path(h, ENV_FILE);
	size_t n = strlen(h->dir);

	if (strncmp(path, h->dir, n) == 0) {
		return home_text(
			h, "[ -r \"$HOME%s\" ] && . \"$HOME%s\"", path + n, path + n);
	}
	return home_text(h, "[ -r '%s' ] && . '%s'", path, path);
}

/* Start-up files of shells, and when each is worth a line. */
static const struct {
	const char *place;
	const char *shell; /* made when this is the user's shell */
} start_files[] = {
	{"~/.bashrc", "bash"},
	{"~/.bash_profile", ""},
	{"~/.profile", ""},
	{"~/.zshrc", "zsh"},
};

static bool
add_sources(struct planning *p)
{
	const char *setting[2] = {"", source_line(p->h)};
	size_t made = 0;

	for (size_t i = 0; i < COUNT_OF(start_files); i++) {
		const char *path = home_path(p->h, start_files[i].place);
		if (!home_read(p->h, path)->there && !is_shell(start_files[i].shell))
			continue;
		made++;
		if (!add_edit(p, path, EDIT_BLOCK, setting))
			return false;
	}
	return made > 0 ||
		add_edit(p, home_path(p->h, "~/.profile"), EDIT_BLOCK, setting);
}

static bool
has_dir(struct home *h, const char *place)
{
	return home_read(h, home_path(h, place))->directory;
}

static bool
add_variable(struct planning *p, const struct setting_row *row)
{
	const char *setting[2] = {row->key, value_of(p, row)};
	bool fish = has_dir(p->h, "$CONFIG/fish") || is_shell("fish");
	bool systemd = has_dir(p->h, "$CONFIG/environment.d") ||
		has_dir(p->h, "$CONFIG/systemd") ||
		has_dir(p->h, "/run/systemd/system");

	p->plan->reach = say(p->h,
		systemd ? "reaches new shells, and programs of the desktop and user "
			  "services after the next login; not programs that run "
			  "already, "
			  "cron, or sudo"
			: "reaches new shells; not programs that run already, cron, or "
			  "sudo");
	if (!add_edit(p, home_path(p->h, ENV_FILE), EDIT_SHELL, setting) ||
		!add_sources(p))
		return false;
	if (fish &&
		!add_edit(p, home_path(p->h, "$CONFIG/fish/conf.d/sekisho.fish"),
			EDIT_FISH, setting))
		return false;
	return !systemd ||
		add_edit(p, home_path(p->h, "$CONFIG/environment.d/60-sekisho.conf"),
			EDIT_ENVD, setting);
}

/* ---- NSS ---- */

static void
add_nss(struct planning *p, const char *dir)
{
	struct plan_step *s = add_step(p);
	char nick[300] = "";
	struct text t = text_to(nick, sizeof nick);

	if (!s)
		return;
	cert_common_name(p->b->org.certs[0]->subject, &t);
	s->ask.kind = JOURNAL_NSS;
	s->ask.path = dir;
	s->ask.key = home_text(p->h, "%s", nick[0] ? nick : "organisation CA");
	s->ask.value = bundle_org_path(p->h);
	s->what = home_text(
		p->h, "add \"%s\" to %s (certutil)", s->ask.key, home_short(p->h, dir));
	s->lines = "";
}

/* Profiles that are there; the shared database is made where there is none. */
static bool
add_nss_all(struct planning *p, const struct setting_row *row)
{
	struct span rest = span_str(row->place);
	struct span place;
	char word[HOME_PATH];
	size_t before = p->plan->n;

	while (span_cut(&rest, ' ', &place)) {
		const char *found[HOME_MATCHES];
		if (!span_copy(word, sizeof word, place))
			continue;
		size_t n = home_glob(p->h, word, found);
		for (size_t i = 0; i < n; i++) {
			struct span s = span_str(found[i]);
			if (span_ends(s, SPAN("/cert9.db")))
				s = span_first(s, span_rchr(s, '/'));
			add_nss(p, arena_cstr(&p->h->a, s));
		}
	}
	if (p->plan->n == before && strncmp(row->place, "~/.pki", 6) == 0)
		add_nss(p, home_path(p->h, "~/.pki/nssdb"));
	return p->plan->n > before ||
		err_set(p->err, ERR_DOCTOR_TOOL, "%s has no profile here yet",
			p->v->row->name);
}

/* ---- the way ---- */

static bool
is_ours(const struct tool_row *tool, const struct setting_row *row, unsigned rank)
{
	return row->rank[0] == (char)('0' + rank) &&
		setting_lists(row->tools, tool->name);
}

/* A file of the user's: below the home directory, or where XDG says. What belongs to
 * the system is never touched, whoever runs this. */
static bool
is_users(const struct planning *p, const char *path)
{
	const char *dirs[] = {p->h->dir, p->h->config, p->h->cargo};

	for (size_t i = 0; path && i < COUNT_OF(dirs); i++) {
		size_t n = strlen(dirs[i]);
		if (strncmp(path, dirs[i], n) == 0 && path[n] == '/')
			return access(path, W_OK) == 0;
	}
	return false;
}

/* Something that we must not take out silences the key. */
static bool
is_blocked(const struct planning *p, const char *key)
{
	for (size_t i = 0; i < p->v->n_sets; i++) {
		const struct tool_set *s = &p->v->sets[i];
		bool env = strcmp(s->row->kind, "env") == 0;
		if (setting_lists(s->row->beats, key) &&
			(env || !is_users(p, s->found.path)))
			return true;
	}
	return false;
}

static bool
is_usable(const struct planning *p, const struct setting_row *row)
{
	if (tool_effect_of(row) == TOOL_OS && !p->b->os_has_org)
		return false;
	return tool_version_has(p->v->version, row->since) && !is_blocked(p, row->key);
}

/* The least invasive rank whose rows can all be used; 0 for none. */
static unsigned
choose_rank(const struct planning *p)
{
	for (unsigned rank = 1; rank <= RANKS; rank++) {
		size_t n = 0;
		bool usable = true;
		for (const struct setting_row *r = setting_rows; r->tools; r++) {
			if (!is_ours(p->v->row, r, rank))
				continue;
			n++;
			usable &= is_usable(p, r);
		}
		if (n > 0 && usable)
			return rank;
	}
	return 0;
}

static bool
add_setting(struct planning *p, const struct setting_row *row)
{
	const char *setting[2] = {row->key, value_of(p, row)};

	if (!add_files(p, row->value))
		return false;
	if (strcmp(row->kind, "env") == 0)
		return add_variable(p, row);
	if (strcmp(row->kind, "nss") == 0)
		return add_nss_all(p, row);
	const char *path = place_for(p, row);
	return path && add_edit(p, path, edit_form_find(span_str(row->kind)), setting);
}

static const char *
effect_words(const struct setting_row *row)
{
	switch (tool_effect_of(row)) {
	case TOOL_OS:
		return "the system's list counts too";
	case TOOL_ADDS:
		return "your CA is added";
	case TOOL_REPLACES:
		return "the list is replaced by public roots and your CA";
	case TOOL_SELECTS:
		return "";
	}
	return "";
}

/* A setting in a file of the user's is taken out with its key. */
static bool
take_out(struct planning *p, const struct setting_found *found, const char *key)
{
	const char *setting[2] = {key, NULL};

	if (!key || found->form == EDIT_FORMS || !is_users(p, found->path))
		return true;
	return add_edit(p, found->path, found->form, setting);
}

static bool
clean_up(struct planning *p, bool conflicts)
{
	for (size_t i = 0; i < p->v->n_findings; i++) {
		const struct tool_finding *f = &p->v->findings[i];
		bool unsafe = f->fault == TOOL_UNSAFE;
		bool silences = conflicts && f->fault == TOOL_CONFLICT;
		if ((unsafe || silences) && !take_out(p, &f->found, f->key))
			return false;
	}
	return true;
}

/* A silencing file is in the way even when what it silences is not set yet. */
static bool
clear_way(struct planning *p, const char *key)
{
	for (size_t i = 0; i < p->v->n_sets; i++) {
		const struct tool_set *s = &p->v->sets[i];
		if (setting_lists(s->row->beats, key) &&
			strcmp(s->row->kind, "env") != 0 &&
			!take_out(p, &s->found, s->row->key))
			return false;
	}
	return true;
}

static bool
add_way(struct planning *p, unsigned rank)
{
	for (const struct setting_row *r = setting_rows; r->tools; r++) {
		if (!is_ours(p->v->row, r, rank))
			continue;
		if (!add_setting(p, r) || !clear_way(p, r->key))
			return false;
		if (!p->plan->why[0]) {
			p->plan->why = home_text(p->h, "%s: %s",
				r->key[0] ? r->key : "NSS", say(p->h, effect_words(r)));
		}
	}
	return true;
}

static bool
is_repair(const struct tool_view *v)
{
	for (size_t i = 0; i < v->n_findings; i++) {
		enum tool_fault f = v->findings[i].fault;
		if (f != TOOL_UNSAFE && f != TOOL_DANGER)
			return true;
	}
	return false;
}

bool
plan_make(struct home *h, const struct bundle *b, const struct tool_view *v,
	struct plan *out, struct err *err)
{
	struct planning p = {.h = h, .b = b, .v = v, .plan = out, .err = err};

	*out = (struct plan){.tool = v->row, .why = "", .reach = "", .by_hand = ""};
	out->steps = arena_alloc(&h->a, PLAN_STEPS * sizeof *out->steps);
	if (b->org.n == 0) {
		return err_set(
			err, ERR_DOCTOR_CA, "none is known: name it with --ca FILE");
	}
	bool trusts = v->trusts_org && !is_repair(v);
	unsigned rank = trusts ? 0 : choose_rank(&p);
	if (rank == 0 && !trusts) {
		out->by_hand = plan_machine(h);
		return err_set(err, ERR_DOCTOR_TOOL,
			"%s: no setting of a user does it; the system's list would",
			v->row->name);
	}
	bool ok = (rank == 0 || add_way(&p, rank)) && clean_up(&p, rank != 0);
	if (!ok) {
		plan_fini(out);
		return false;
	}
	if (rank == 0)
		out->why = say(h, "it trusts your CA already");
	out->fine = out->n == 0;
	return true;
}

void
plan_fini(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		mem_free((void *)(uintptr_t)p->steps[i].ask.content.p);
	p->n = 0;
}

const char *
plan_machine(struct home *h)
{
	static const struct {
		const char *dir;
		const char *lines;
	} systems[] = {
		{"/usr/local/share/ca-certificates",
			"sudo install -m 0644 %s "
			"/usr/local/share/ca-certificates/organisation-ca.crt\n"
			"sudo update-ca-certificates\n"},
		{"/etc/pki/ca-trust/source/anchors",
			"sudo install -m 0644 %s "
			"/etc/pki/ca-trust/source/anchors/organisation-ca.pem\n"
			"sudo update-ca-trust\n"},
		{"/etc/pki/trust/anchors",
			"sudo install -m 0644 %s "
			"/etc/pki/trust/anchors/organisation-ca.pem\n"
			"sudo update-ca-certificates\n"},
	};
	const char *org = bundle_org_path(h);

	for (size_t i = 0; i < COUNT_OF(systems); i++) {
		if (!home_read(h, home_path(h, systems[i].dir))->directory)
			continue;
		struct span rest = span_str(systems[i].lines);
		size_t at = span_find(rest, SPAN("%s"));
		return home_text(h, "%.*s%s%s", (int)at, systems[i].lines, org,
			systems[i].lines + at + 2);
	}
	return home_text(h, "sudo trust anchor --store %s\n", org);
}
