// SPDX-License-Identifier: Apache-2.0
/*
 * tool_sets: the settings of a tool that are there, and the certificates they name.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/run.h"
#include "doctor/tool_priv.h"

enum { CERTUTIL_MS = 10000 };

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
	struct run_ask ask = {.argv = argv, .timeout_ms = CERTUTIL_MS};
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

void
tool_add_sets(struct home *h, const struct bundle *b, struct tool_view *v)
{
	for (const struct setting_row *s = setting_rows; s->tools; s++) {
		if (!setting_lists(s->tools, v->row->name))
			continue;
		if (strcmp(s->kind, "nss") == 0) {
			add_databases(h, b, s, v);
		} else {
			add_sets(h, b, s, v);
		}
	}
}
