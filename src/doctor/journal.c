// SPDX-License-Identifier: Apache-2.0
#include "doctor/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { LINE_MAX = 64 * 1024, FILE_MAX = 16 * 1024 * 1024, LINE_ARENA = 512 * 1024 };

static const char *const kind_names[] = {
	[JOURNAL_EDIT] = "edit", [JOURNAL_FILE] = "file", [JOURNAL_NSS] = "nss"};

void
journal_hash(struct span s, char out[JOURNAL_HEX])
{
	uint8_t hash[SHA256_SIZE];
	struct text t = text_to(out, JOURNAL_HEX);

	sha256_of(s, hash);
	text_put_hex(&t, span_of(hash, sizeof hash), false);
}

bool
journal_stands(const struct journal_change *c)
{
	return c->state == JOURNAL_DONE || c->state == JOURNAL_UNDOING;
}

struct journal_change *
journal_at(struct journal *j, size_t i)
{
	for (size_t k = 0; k < j->n; k++) {
		if (journal_stands(&j->all[k]) && i-- == 0)
			return &j->all[k];
	}
	return NULL;
}

static struct journal_change *
find_id(struct journal *j, unsigned id)
{
	for (size_t i = 0; i < j->n; i++) {
		if (j->all[i].id == id)
			return &j->all[i];
	}
	return NULL;
}

/* Whether a later change of the same file was taken back after this one was made does
 * not matter: `after` of the last one that we touched is moved along. */
const char *
journal_expects(const struct journal *j, const char *path)
{
	const char *found = NULL;

	for (size_t i = 0; i < j->n; i++) {
		const struct journal_change *c = &j->all[i];
		if (journal_stands(c) && strcmp(c->path, path) == 0)
			found = c->after;
	}
	return found;
}

/* ---- reading ---- */

static const char *
kept(struct home *h, const struct json *o, const char *key)
{
	const struct json *v = json_get(o, key);

	if (!v || v->type != JSON_STRING)
		return NULL;
	return arena_cstr(&h->a, v->text);
}

static void
copy_hex(char dst[JOURNAL_HEX], const char *src)
{
	struct text t = text_to(dst, JOURNAL_HEX);

	text_add(&t, "%s", src ? src : "");
}

/* Everything we said of one file moves to its newest state. */
static void
move_expectation(struct journal *j, const char *path, const char *to)
{
	char after[JOURNAL_HEX];

	copy_hex(after, to); /* it may be one of those that change */
	for (size_t i = 0; i < j->n; i++) {
		struct journal_change *c = &j->all[i];
		if (journal_stands(c) && strcmp(c->path, path) == 0)
			copy_hex(c->after, after);
	}
}

/* Somebody else wrote to the file between two of our changes: replaying would lose it.
 */
static void
detach(struct journal *j, const char *path)
{
	for (size_t i = 0; i < j->n; i++) {
		struct journal_change *c = &j->all[i];
		if (journal_stands(c) && strcmp(c->path, path) == 0)
			c->detached = true;
	}
}

/* The first change of a file knows what it was before all of them; when it goes, the
 * next one inherits that. */
static void
release(struct journal *j, struct journal_change *c, bool merged)
{
	c->state = JOURNAL_UNDONE;
	if (merged)
		detach(j, c->path);
	for (size_t i = 0; i < j->n; i++) {
		struct journal_change *next = &j->all[i];
		if (!journal_stands(next) || strcmp(next->path, c->path) != 0)
			continue;
		if (next->id > c->id) {
			copy_hex(next->before, c->before);
			next->mode = c->mode;
		}
		return;
	}
}

static void
start_undoing(struct journal *j, struct journal_change *c, const char *after)
{
	copy_hex(c->was, c->after);
	c->state = JOURNAL_UNDOING;
	move_expectation(j, c->path, after);
}

static void
read_dirs(struct journal *j, const struct json *o)
{
	const struct json *list = json_get(o, "dirs");

	for (const struct json *d = list ? list->first : NULL; d; d = d->next) {
		if (j->n_dirs < JOURNAL_DIRS)
			j->dirs[j->n_dirs++] = arena_cstr(&j->h->a, d->text);
	}
}

static bool
read_begin(struct journal *j, const struct json *o)
{
	const char *kind = kept(j->h, o, "kind");
	const char *form = kept(j->h, o, "form");
	int64_t id = 0;
	int64_t mode = 0;
	struct journal_change c = {.tool = kept(j->h, o, "tool"),
		.path = kept(j->h, o, "path"),
		.key = kept(j->h, o, "key"),
		.value = kept(j->h, o, "value"),
		.since = kept(j->h, o, "time")};

	if (!kind || !form || !c.tool || !c.path || !c.key ||
		!json_integer(json_get(o, "id"), &id) ||
		!json_integer(json_get(o, "mode"), &mode) || j->n == JOURNAL_CHANGES)
		return false;
	c.id = (unsigned)id;
	c.mode = (unsigned)mode & 07777;
	c.form = edit_form_find(span_str(form));
	for (size_t k = 0; k < COUNT_OF(kind_names); k++) {
		if (strcmp(kind, kind_names[k]) == 0)
			c.kind = (enum journal_kind)k;
	}
	copy_hex(c.before, kept(j->h, o, "before"));
	copy_hex(c.after, kept(j->h, o, "after"));
	const char *expected = journal_expects(j, c.path);
	c.detached = expected && strcmp(expected, c.before) != 0;
	if (c.detached)
		detach(j, c.path);
	j->all[j->n++] = c;
	j->last_id = c.id;
	return true;
}

static bool
read_line(struct journal *j, const struct json *o)
{
	const char *what = kept(j->h, o, "do");
	const char *after = kept(j->h, o, "after");
	int64_t id = 0;

	if (!what)
		return false;
	if (strcmp(what, "dirs") == 0) {
		read_dirs(j, o);
		return true;
	}
	if (strcmp(what, "begin") == 0)
		return read_begin(j, o);
	struct journal_change *c =
		json_integer(json_get(o, "id"), &id) ? find_id(j, (unsigned)id) : NULL;
	if (!c)
		return false;
	if (strcmp(what, "done") == 0) {
		c->state = JOURNAL_DONE;
		move_expectation(j, c->path, after ? after : c->after);
	} else if (strcmp(what, "undoing") == 0) {
		start_undoing(j, c, after);
	} else if (strcmp(what, "undone") == 0) {
		release(j, c, json_truth(json_get(o, "merged")));
	}
	return true;
}

static bool
read_lines(struct journal *j, struct span text, struct err *err)
{
	struct span line;
	unsigned number = 0;

	while (span_cut(&text, '\n', &line)) {
		struct arena a;
		struct json *o = NULL;
		number++;
		arena_init(&a, LINE_ARENA);
		struct err why = {0};
		bool ok = line.n < LINE_MAX && json_parse(line, &a, &o, &why) &&
			read_line(j, o);
		arena_fini(&a);
		if (!ok && text.n == 0)
			return true; /* the last word before a crash */
		if (!ok) {
			return err_set(err, ERR_DOCTOR_JOURNAL, "%s: line %u", j->path,
				number);
		}
	}
	return true;
}

static bool say(struct journal *j, const char *what, const struct journal_change *c,
	const char *after, struct err *err);

static void
settle_one(struct journal *j, struct journal_change *c, const char *now)
{
	struct err ignored;
	bool happened = c->after[0] || c->kind != JOURNAL_NSS
		? strcmp(now, c->after) == 0
		: strcmp(now, c->before) != 0;

	if (c->state == JOURNAL_UNDOING && happened) {
		release(j, c, false);
		happened = false;
	} else if (c->state == JOURNAL_UNDOING) {
		c->state = JOURNAL_DONE;
		move_expectation(j, c->path, c->was);
		happened = true;
		now = c->was;
	} else if (happened) {
		c->state = JOURNAL_DONE;
		move_expectation(j, c->path, now);
	} else {
		c->state = JOURNAL_UNDONE;
	}
	(void)!say(j, happened ? "done" : "undone", c, happened ? now : NULL, &ignored);
}

/* What was begun when the machine stopped: the file itself says whether it happened. */
static void
settle(struct journal *j)
{
	for (size_t i = 0; i < j->n; i++) {
		struct journal_change *c = &j->all[i];
		char now[JOURNAL_HEX] = "";
		if (c->state != JOURNAL_BEGUN && c->state != JOURNAL_UNDOING)
			continue;
		const struct home_file *f = home_read(j->h, c->path);
		if (f->there)
			journal_hash(f->text, now);
		settle_one(j, c, now);
	}
}

/* The directory is locked, not a file of ours: there may be none yet. */
static bool
take_lock(struct journal *j, struct err *err)
{
	struct stat st;
	j->lock = open(j->h->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->lock < 0)
		return err_errno(err, ERR_DOCTOR_JOURNAL, errno, "%s", j->h->dir);
	/* Its owner could lead us anywhere by a link, and we would write there as root.
	 */
	if (getenv("SUDO_UID") && geteuid() == 0 && fstat(j->lock, &st) == 0 &&
		st.st_uid != 0) {
		return err_set(err, ERR_DOCTOR_JOURNAL,
			"%s is not root's: run this as its owner, without sudo",
			j->h->dir);
	}
	return flock(j->lock, LOCK_EX | LOCK_NB) == 0 ||
		err_set(err, ERR_DOCTOR_JOURNAL, "another doctor is at work in %s",
			j->h->dir);
}

/* What was never finished was never relied on; nothing may be written behind it. */
static bool
cut_torn(struct journal *j, struct span *text, struct err *err)
{
	size_t whole = text->n;
	while (whole > 0 && text->p[whole - 1] != '\n')
		whole--;
	bool torn = whole < text->n;
	text->n = whole;
	return !torn || truncate(j->path, (off_t)whole) == 0 ||
		err_errno(err, ERR_DOCTOR_JOURNAL, errno, "%s", j->path);
}

bool
journal_open(struct journal *j, struct home *h, struct err *err)
{
	struct span text = {0};
	struct stat st;

	*j = (struct journal){.h = h, .lock = -1};
	j->dir = home_path(h, "$STATE/sekisho/doctor");
	j->path = home_text(h, "%s/journal", j->dir);
	j->all = mem_array(JOURNAL_CHANGES, sizeof *j->all);
	if (!take_lock(j, err)) {
		journal_close(j);
		return false;
	}
	if (stat(j->path, &st) != 0 && errno == ENOENT)
		return true;
	bool ok = file_read(j->path, FILE_MAX, &text, err) && cut_torn(j, &text, err) &&
		read_lines(j, text, err);
	mem_free((void *)(uintptr_t)text.p);
	if (!ok) {
		journal_close(j);
		return err_within(err, "reading the journal");
	}
	settle(j);
	return true;
}

void
journal_close(struct journal *j)
{
	mem_free(j->all);
	if (j->lock >= 0)
		close(j->lock);
	*j = (struct journal){.lock = -1};
}

/* ---- writing ---- */

static bool
sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return false;
	bool ok = fsync(fd) == 0;
	close(fd);
	return ok;
}

/* One line, on the disk when this returns. */
static bool
append(struct journal *j, struct json_out *line, struct err *err)
{
	struct span s = json_text(line);
	int fd = open(
		j->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_errno(err, ERR_DOCTOR_JOURNAL, errno, "%s", j->path);
	struct stat before;
	bool known = fstat(fd, &before) == 0;
	bool ok = known && !line->cut && write(fd, s.p, s.n) == (ssize_t)s.n &&
		write(fd, "\n", 1) == 1 && fsync(fd) == 0;
	int why = errno;
	/* Or the next would be glued on. */
	if (!ok && known)
		(void)!ftruncate(fd, before.st_size);
	close(fd);
	ok = ok && sync_dir(j->dir);
	return ok || err_errno(err, ERR_DOCTOR_JOURNAL, why, "%s", j->path);
}

static bool
say(struct journal *j, const char *what, const struct journal_change *c,
	const char *after, struct err *err)
{
	struct json_out line;

	json_init(&line, LINE_MAX);
	json_object(&line, NULL);
	json_str(&line, "do", what);
	json_uint(&line, "id", c->id);
	if (after)
		json_str(&line, "after", after);
	json_end(&line);
	bool ok = append(j, &line, err);
	json_fini(&line);
	return ok;
}

/* The directories above the path that are missing, outermost first. */
static size_t
missing_dirs(struct journal *j, const char *path, const char **out, size_t cap)
{
	struct span s = span_str(path);
	size_t n = 0;
	struct stat st;

	for (size_t i = 1; i < s.n && n < cap; i++) {
		if (s.p[i] != '/')
			continue;
		const char *dir = arena_cstr(&j->h->a, span_first(s, i));
		if (stat(dir, &st) != 0 && errno == ENOENT)
			out[n++] = dir;
	}
	return n;
}

/* The journal's own come first, and remember themselves. */
static bool
say_dirs(struct journal *j, const char *const *dirs, size_t n, struct err *err)
{
	struct json_out line;

	json_init(&line, LINE_MAX);
	json_object(&line, NULL);
	json_str(&line, "do", "dirs");
	json_array(&line, "dirs");
	for (size_t i = 0; i < n; i++)
		json_str(&line, NULL, dirs[i]);
	json_end(&line);
	json_end(&line);
	bool ok = append(j, &line, err);
	json_fini(&line);
	for (size_t i = 0; ok && i < n && j->n_dirs < JOURNAL_DIRS; i++)
		j->dirs[j->n_dirs++] = dirs[i];
	return ok;
}

static bool
prepare(struct journal *j, struct err *err)
{
	const char *dirs[32];
	const char *blobs = home_text(j->h, "%s/before/", j->dir);
	size_t n = missing_dirs(j, blobs, dirs, COUNT_OF(dirs));

	if (n == 0)
		return true;
	return file_mkdir(blobs, 0700, err) && say_dirs(j, dirs, n, err);
}

bool
journal_mkdir(struct journal *j, const char *path, struct err *err)
{
	const char *dirs[32];

	if (!prepare(j, err))
		return false;
	/* Only now: preparing may have made some of them. */
	size_t n = missing_dirs(j, path, dirs, COUNT_OF(dirs));
	if (n == 0)
		return true;
	return say_dirs(j, dirs, n, err) && file_mkdir(dirs[n - 1], 0755, err);
}

static const char *
blob_path(const struct journal *j, const char *sha256)
{
	return home_text(j->h, "%s/before/%s", j->dir, sha256);
}

static bool
keep_before(struct journal *j, const struct journal_change *c, struct span before,
	struct err *err)
{
	struct stat st;
	const char *path = blob_path(j, c->before);

	if (!c->before[0] || stat(path, &st) == 0)
		return true;
	return file_replace(path, before, 0600, err);
}

bool
journal_begin(struct journal *j, const struct journal_change *c, struct span before,
	struct err *err)
{
	char now[CLOCK_TEXT];
	struct json_out line;
	struct journal_change mine = *c;

	if (j->n == JOURNAL_CHANGES) {
		return err_set(err, ERR_DOCTOR_JOURNAL, "more than %d changes",
			JOURNAL_CHANGES);
	}
	if (!prepare(j, err) || !keep_before(j, c, before, err))
		return false;
	mine.id = ++j->last_id;
	mine.state = JOURNAL_BEGUN;
	mine.since = home_text(j->h, "%s", clock_text(now, clock_wall_ms()));
	const char *expected = journal_expects(j, c->path);
	mine.detached = expected && strcmp(expected, c->before) != 0;
	if (mine.detached)
		detach(j, c->path);
	json_init(&line, LINE_MAX);
	json_object(&line, NULL);
	json_str(&line, "do", "begin");
	json_uint(&line, "id", mine.id);
	json_str(&line, "time", mine.since);
	json_str(&line, "tool", c->tool);
	json_str(&line, "kind", kind_names[c->kind]);
	json_str(&line, "path", c->path);
	json_str(&line, "form", c->form < EDIT_FORMS ? edit_form_name(c->form) : "");
	json_str(&line, "key", c->key);
	json_str(&line, "value", c->value);
	json_str(&line, "before", c->before);
	json_str(&line, "after", c->after);
	json_uint(&line, "mode", c->mode);
	json_end(&line);
	bool ok = append(j, &line, err);
	json_fini(&line);
	if (ok)
		j->all[j->n++] = mine;
	return ok;
}

bool
journal_done(
	struct journal *j, struct journal_change *c, const char *after, struct err *err)
{
	c->state = JOURNAL_DONE;
	move_expectation(j, c->path, after ? after : c->after);
	return say(j, "done", c, after, err);
}

bool
journal_undoing(
	struct journal *j, struct journal_change *c, const char *after, struct err *err)
{
	start_undoing(j, c, after);
	return say(j, "undoing", c, after, err);
}

bool
journal_undone(
	struct journal *j, struct journal_change *c, bool merged, struct err *err)
{
	struct json_out line;

	release(j, c, merged);
	json_init(&line, LINE_MAX);
	json_object(&line, NULL);
	json_str(&line, "do", "undone");
	json_uint(&line, "id", c->id);
	json_bool(&line, "merged", merged);
	json_end(&line);
	bool ok = append(j, &line, err);
	json_fini(&line);
	return ok;
}

bool
journal_recall(const struct journal *j, const char sha256[JOURNAL_HEX],
	struct span *out, struct err *err)
{
	return file_read(blob_path(j, sha256), FILE_MAX, out, err);
}

/* ---- the end ---- */

static bool
nothing_stands(const struct journal *j)
{
	for (size_t i = 0; i < j->n; i++) {
		if (journal_stands(&j->all[i]))
			return false;
	}
	return true;
}

static void
remove_own(struct journal *j)
{
	DIR *d = opendir(home_text(j->h, "%s/before", j->dir));
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (span_str(e->d_name).n == JOURNAL_HEX - 1)
			unlink(blob_path(j, e->d_name));
	}
	if (d)
		closedir(d);
	unlink(j->path);
}

void
journal_tidy(struct journal *j)
{
	if (nothing_stands(j))
		remove_own(j);
	/* Deepest first; those in use stay, and so do those that others filled. */
	for (size_t left = j->n_dirs; left > 0; left--) {
		size_t deepest = 0;
		for (size_t i = 1; i < left; i++) {
			if (strlen(j->dirs[i]) > strlen(j->dirs[deepest]))
				deepest = i;
		}
		const char *dir = j->dirs[deepest];
		rmdir(dir);
		j->dirs[deepest] = j->dirs[left - 1];
		j->dirs[left - 1] = dir;
	}
}
