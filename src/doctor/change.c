// SPDX-License-Identifier: Apache-2.0
#include "doctor/change.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/run.h"

enum { MODE_NEW = 0644, CERTUTIL_MS = 20000 };

/* Dotfiles are often links into a repository: the file changes, the link stays. */
static const char *
real_path(struct home *h, const char *path)
{
	char real[PATH_MAX];

	return realpath(path, real) ? home_text(h, "%s", real) : path;
}

static void
free_span(struct span *s)
{
	mem_free((void *)(uintptr_t)s->p);
	*s = (struct span){0};
}

static struct span
copy_of(struct span s)
{
	uint8_t *p = mem_alloc(s.n + 1);

	for (size_t i = 0; i < s.n; i++)
		p[i] = s.p[i];
	return span_of(p, s.n);
}

static bool
new_text(const struct change_ask *ask, struct span now, struct span *out,
	struct err *err)
{
	const char *setting[2] = {ask->key, ask->value};

	if (ask->kind == JOURNAL_EDIT)
		return edit_set(ask->form, now, setting, out, err);
	*out = copy_of(ask->content);
	return true;
}

bool
change_preview(
	struct home *h, const struct change_ask *ask, struct span *out, struct err *err)
{
	const struct home_file *f = home_read(h, real_path(h, ask->path));

	if (f->there && !f->readable)
		return err_set(err, ERR_FILE_READ, "%s", f->path);
	return new_text(ask, f->text, out, err) || err_within(err, "%s", f->path);
}

static bool
is_same(const struct journal_change *c, const struct change_ask *ask)
{
	if (c->kind != ask->kind || strcmp(c->tool, ask->tool) != 0)
		return false;
	if (ask->kind == JOURNAL_FILE)
		return true;
	bool values = ask->value && c->value ? strcmp(c->value, ask->value) == 0
					     : ask->value == c->value;
	return values && strcmp(c->key, ask->key) == 0;
}

bool
change_stands(struct journal *j, const struct change_ask *ask, struct home *h)
{
	const char *path = real_path(h, ask->path);
	struct journal_change *c;

	for (size_t i = 0; (c = journal_at(j, i)); i++) {
		struct span then = {0};
		struct err ignored;
		if (strcmp(c->path, path) != 0 || !is_same(c, ask))
			continue;
		if (ask->kind == JOURNAL_NSS)
			return true;
		if (!change_preview(h, ask, &then, &ignored))
			continue;
		bool same = span_eq(then, home_read(h, path)->text);
		free_span(&then);
		if (same)
			return true;
	}
	return false;
}

/* ---- writing ---- */

/* Mode and owner stay; a new file gets those of its maker. */
static bool
write_file(struct home *h, const char *path, struct span text, unsigned mode,
	struct err *err)
{
	struct stat st;
	bool old = stat(path, &st) == 0;

	home_forget(h, path);
	/* It would be replaced, and could not be given back to its owner. */
	if (old && geteuid() != 0 && st.st_uid != geteuid()) {
		return err_set(
			err, ERR_FILE_WRITE, "%s belongs to somebody else", path);
	}
	if (!file_replace(path, text, mode ? mode : MODE_NEW, err))
		return false;
	if (old && (st.st_uid != geteuid() || st.st_gid != getegid())) {
		return lchown(path, st.st_uid, st.st_gid) == 0 ||
			err_errno(err, ERR_FILE_WRITE, errno, "%s", path);
	}
	return true;
}

static struct journal_change
record_of(const struct change_ask *ask, const struct home_file *f)
{
	struct journal_change c = {.kind = ask->kind,
		.tool = ask->tool,
		.path = f->path,
		.form = ask->kind == JOURNAL_EDIT ? ask->form : EDIT_FORMS,
		.key = ask->key ? ask->key : "",
		.value = ask->value,
		.mode = f->there ? f->mode : 0};

	if (f->there)
		journal_hash(f->text, c.before);
	return c;
}

static bool
do_file(struct journal *j, const struct change_ask *ask, struct err *err)
{
	struct home *h = j->h;
	const char *path = real_path(h, ask->path);
	struct span text = {0};

	home_forget(h, path);
	if (!change_preview(h, ask, &text, err))
		return false;
	const struct home_file *f = home_read(h, path);
	struct journal_change c = record_of(ask, f);
	journal_hash(text, c.after);
	bool ok = journal_begin(j, &c, f->text, err) && journal_mkdir(j, path, err) &&
		write_file(h, c.path, text, c.mode, err) &&
		journal_done(j, &j->all[j->n - 1], NULL, err);
	free_span(&text);
	return ok || err_within(err, "%s", path);
}

/* ---- certutil ---- */

static const char *const nss_files[] = {"cert9.db", "key4.db", "pkcs11.txt"};

static bool
run_certutil(struct home *h, const char *const *args, struct err *err)
{
	const char *argv[16] = {home_program(h, "certutil")};
	struct run_answer answer = {0};

	if (!argv[0]) {
		return err_set(err, ERR_DOCTOR_RUN,
			"certutil (Debian: libnss3-tools) is not installed");
	}
	for (size_t i = 0; i < COUNT_OF(argv) - 2 && args[i]; i++)
		argv[i + 1] = args[i];
	struct run_ask ask = {.argv = argv, .timeout_ms = CERTUTIL_MS};
	if (!run_program(&ask, &answer, err))
		return false;
	bool ok = answer.code == 0 ||
		err_set(err, ERR_DOCTOR_RUN, "certutil: %.*s",
			SPAN_ARG(span_trim(span_of(answer.output, answer.n))));
	run_answer_fini(&answer);
	return ok;
}

static bool
add_to_nss(struct home *h, const struct change_ask *ask, bool made, struct err *err)
{
	const char *db = home_text(h, "sql:%s", ask->path);
	const char *create[] = {"-N", "-d", db, "--empty-password", NULL};
	const char *add[] = {
		"-A", "-d", db, "-n", ask->key, "-t", "C,,", "-i", ask->value, NULL};

	return (made || run_certutil(h, create, err)) && run_certutil(h, add, err);
}

/* Each file of the database is a change of its own, begun before certutil runs. */
static bool
do_nss(struct journal *j, const struct change_ask *ask, struct err *err)
{
	struct home *h = j->h;
	size_t first = j->n;
	bool made = false;

	if (!journal_mkdir(j, home_text(h, "%s/x", ask->path), err))
		return false;
	for (size_t i = 0; i < COUNT_OF(nss_files); i++) {
		const char *path = home_text(h, "%s/%s", ask->path, nss_files[i]);
		home_forget(h, path);
		const struct home_file *f = home_read(h, path);
		struct journal_change c = record_of(ask, f);
		made |= i == 0 && f->there;
		if (!journal_begin(j, &c, f->text, err))
			return false;
	}
	bool ok = add_to_nss(h, ask, made, err);
	for (size_t i = first; i < j->n; i++) {
		char after[JOURNAL_HEX] = "";
		home_forget(h, j->all[i].path);
		const struct home_file *f = home_read(h, j->all[i].path);
		if (f->there)
			journal_hash(f->text, after);
		struct err why = {0};
		if (!journal_done(j, &j->all[i], after, ok ? err : &why))
			return false;
	}
	return ok;
}

bool
change_do(struct journal *j, const struct change_ask *ask, struct err *err)
{
	return ask->kind == JOURNAL_NSS ? do_nss(j, ask, err) : do_file(j, ask, err);
}

/* ---- taking back ---- */

/* The first of our changes that stand on this file. */
static const struct journal_change *
first_on(struct journal *j, const char *path)
{
	struct journal_change *c;

	for (size_t i = 0; (c = journal_at(j, i)); i++) {
		if (strcmp(c->path, path) == 0)
			return c;
	}
	return NULL;
}

/* One standing change, done again. A file of ours stays as it is. */
static bool
replay(const struct journal_change *c, struct span now, struct span *text,
	struct err *err)
{
	struct change_ask ask = {.kind = c->kind,
		.form = c->form,
		.key = c->key,
		.value = c->value,
		.content = now};
	struct span next = {0};

	if (!new_text(&ask, *text, &next, err))
		return false;
	free_span(text);
	*text = next;
	return true;
}

/* The file without the change. */
static bool
text_without(struct journal *j, const struct journal_change *out, struct span now,
	struct span *text, struct err *err)
{
	const struct journal_change *base = first_on(j, out->path);
	struct journal_change *c;

	if (base && base->before[0] && !journal_recall(j, base->before, text, err))
		return false;
	for (size_t i = 0; (c = journal_at(j, i)); i++) {
		if (c != out && strcmp(c->path, out->path) == 0 &&
			!replay(c, now, text, err)) {
			free_span(text);
			return false;
		}
	}
	return true;
}

/* Whether another of our changes stands on the file. */
static bool
is_shared(struct journal *j, const struct journal_change *out)
{
	struct journal_change *c;

	for (size_t i = 0; (c = journal_at(j, i)); i++) {
		if (c != out && strcmp(c->path, out->path) == 0)
			return true;
	}
	return false;
}

/* Only the setting itself goes back to what it was. */
static bool
merged_text(struct journal *j, const struct journal_change *c, struct span now,
	struct span *text, struct err *err)
{
	struct span before = {0};
	struct edit_hit hit;
	char *value = mem_alloc(EDIT_VALUE_MAX);
	const char *setting[2] = {c->key, NULL};
	bool ok = !c->before[0] || journal_recall(j, c->before, &before, err);

	if (ok && edit_find(c->form, before, c->key, &hit)) {
		edit_value(c->form, before, &hit, value);
		setting[1] = value;
	}
	ok = ok && edit_set(c->form, now, setting, text, err);
	mem_free(value);
	free_span(&before);
	return ok;
}

static bool
put_back(struct journal *j, struct journal_change *c, const struct span *text,
	bool merged, struct err *err)
{
	char after[JOURNAL_HEX] = "";
	bool gone = !text;

	if (!gone)
		journal_hash(*text, after);
	if (!journal_undoing(j, c, after, err))
		return false;
	if (gone) {
		home_forget(j->h, c->path);
		if (unlink(c->path) != 0 && errno != ENOENT)
			return err_errno(err, ERR_FILE_WRITE, errno, "%s", c->path);
	} else {
		struct stat st;
		unsigned mode = stat(c->path, &st) == 0 ? (unsigned)st.st_mode & 07777
							: c->mode;
		if (!write_file(j->h, c->path, *text, mode, err))
			return false;
	}
	return journal_undone(j, c, merged, err);
}

static bool
undo_merged(
	struct journal *j, struct journal_change *c, struct span now, struct err *err)
{
	struct span text = {0};

	if (c->kind != JOURNAL_EDIT) {
		return err_set(err, ERR_DOCTOR_CHANGED,
			"%s: it is not a file of settings; take it out by hand",
			c->path);
	}
	bool ok =
		merged_text(j, c, now, &text, err) && put_back(j, c, &text, true, err);
	free_span(&text);
	return ok;
}

/* Nobody else wrote to the file since. */
static bool
is_untouched(
	struct journal *j, const struct journal_change *c, const struct home_file *f)
{
	const char *expected = journal_expects(j, c->path);
	char now[JOURNAL_HEX] = "";

	if (f->there)
		journal_hash(f->text, now);
	return !c->detached && expected && strcmp(now, expected) == 0;
}

static bool
undo_replayed(
	struct journal *j, struct journal_change *c, struct span now, struct err *err)
{
	struct span text = {0};
	bool shared = is_shared(j, c);
	bool gone = !shared && !c->before[0];
	bool ok = gone ||
		(shared ? text_without(j, c, now, &text, err)
			: journal_recall(j, c->before, &text, err));

	ok = ok && put_back(j, c, gone ? NULL : &text, false, err);
	free_span(&text);
	return ok;
}

bool
change_undo(struct journal *j, struct journal_change *c, bool merge, struct err *err)
{
	home_forget(j->h, c->path);
	const struct home_file *f = home_read(j->h, c->path);

	if (!f->there && !c->before[0])
		return journal_undone(j, c, false, err); /* gone already */
	if (f->there && !f->readable)
		return err_set(err, ERR_FILE_READ, "%s", c->path);
	if (is_untouched(j, c, f))
		return undo_replayed(j, c, f->text, err);
	if (merge && f->there)
		return undo_merged(j, c, f->text, err);
	return err_set(
		err, ERR_DOCTOR_CHANGED, "%s: changed since %s", c->path, c->since);
}
