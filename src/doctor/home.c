// SPDX-License-Identifier: Apache-2.0
#include "doctor/home.h"

#include <glob.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { ARENA_MAX = 64 * 1024 * 1024, FILE_MAX = 8 * 1024 * 1024 };

const char *
home_text(struct home *h, const char *fmt, ...)
{
	char *line = mem_alloc(4096);
	struct text t = text_to(line, 4096);
	va_list ap;

	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	const char *kept = arena_cstr(&h->a, text_span(&t));
	mem_free(line);
	return kept;
}

static const char *
xdg(struct home *h, const char *variable, const char *otherwise)
{
	const char *dir = getenv(variable);

	/* XDG Base Directory: relative paths are to be ignored. */
	if (dir && dir[0] == '/')
		return home_text(h, "%s", dir);
	return home_text(h, "%s/%s", h->dir, otherwise);
}

bool
home_open(struct home *h, const char *root, struct err *err)
{
	const char *dir = getenv("HOME");

	*h = (struct home){0};
	if (!dir || dir[0] != '/') {
		const struct passwd *who = getpwuid(getuid());
		dir = who ? who->pw_dir : NULL;
	}
	if (!dir || dir[0] != '/')
		return err_set(err, ERR_SYSTEM, "no home directory is known: set HOME");
	arena_init(&h->a, ARENA_MAX);
	struct span s = span_str(dir);
	while (s.n > 1 && s.p[s.n - 1] == '/')
		s.n--;
	h->dir = arena_cstr(&h->a, s);
	h->config = xdg(h, "XDG_CONFIG_HOME", ".config");
	h->data = xdg(h, "XDG_DATA_HOME", ".local/share");
	h->state = xdg(h, "XDG_STATE_HOME", ".local/state");
	h->cargo = xdg(h, "CARGO_HOME", ".cargo");
	h->root = root ? arena_cstr(&h->a, span_str(root)) : "";
	if (!words_language(NULL, &h->language))
		h->language = ENGLISH;
	h->files = mem_array(HOME_FILES, sizeof *h->files);
	return true;
}

void
home_close(struct home *h)
{
	for (size_t i = 0; i < h->n_files; i++)
		mem_free((void *)(uintptr_t)h->files[i].text.p);
	mem_free(h->files);
	arena_fini(&h->a);
	*h = (struct home){0};
}

const char *
home_path(struct home *h, const char *pattern)
{
	struct {
		const char *prefix;
		const char *dir;
	} places[] = {{"~/", h->dir}, {"$CONFIG/", h->config}, {"$DATA/", h->data},
		{"$STATE/", h->state}, {"$CARGO/", h->cargo}};
	struct span s = span_str(pattern);

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		size_t n = strlen(places[i].prefix);
		if (span_starts(s, span_str(places[i].prefix)))
			return home_text(h, "%s/%s", places[i].dir, pattern + n);
	}
	if (s.n > 0 && s.p[0] == '/')
		return home_text(h, "%s%s", h->root, pattern);
	return home_text(h, "%s", pattern);
}

size_t
home_glob(struct home *h, const char *pattern, const char **out)
{
	const char *path = home_path(h, pattern);
	size_t n = 0;
	glob_t g;

	if (glob(path, 0, NULL, &g) != 0)
		return 0;
	for (size_t i = 0; i < g.gl_pathc && n < HOME_MATCHES; i++)
		out[n++] = home_text(h, "%s", g.gl_pathv[i]);
	globfree(&g);
	return n;
}

static void
read_file(struct home_file *f)
{
	struct stat st;
	struct err ignored;

	f->there = stat(f->path, &st) == 0;
	if (!f->there)
		return;
	f->directory = S_ISDIR(st.st_mode);
	f->mode = (unsigned)st.st_mode & 07777;
	f->changed_ms = (int64_t)st.st_mtim.tv_sec * 1000;
	if (S_ISREG(st.st_mode))
		f->readable = file_read(f->path, FILE_MAX, &f->text, &ignored);
}

const struct home_file *
home_read(struct home *h, const char *path)
{
	for (size_t i = 0; i < h->n_files; i++) {
		if (strcmp(h->files[i].path, path) == 0)
			return &h->files[i];
	}
	if (h->n_files == HOME_FILES) /* the first is asked for least again */
		home_forget(h, h->files[0].path);
	struct home_file *f = &h->files[h->n_files++];
	*f = (struct home_file){.path = arena_cstr(&h->a, span_str(path))};
	read_file(f);
	return f;
}

void
home_forget(struct home *h, const char *path)
{
	for (size_t i = 0; i < h->n_files; i++) {
		if (strcmp(h->files[i].path, path) != 0)
			continue;
		mem_free((void *)(uintptr_t)h->files[i].text.p);
		h->files[i] = h->files[--h->n_files];
		return;
	}
}

const char *
home_short(struct home *h, const char *path)
{
	size_t n = strlen(h->dir);

	if (strncmp(path, h->dir, n) == 0 && path[n] == '/')
		return home_text(h, "~%s", path + n);
	return path;
}

const char *
home_program(struct home *h, const char *name)
{
	const char *path = getenv("PATH");
	struct span rest = span_str(path ? path : "/usr/local/bin:/usr/bin:/bin");
	struct span dir;
	char file[HOME_PATH];
	struct stat st;

	while (span_cut(&rest, ':', &dir)) {
		struct text t = text_to(file, sizeof file);
		if (dir.n == 0 || dir.p[0] != '/')
			continue;
		text_add(&t, "%.*s/%s", SPAN_ARG(dir), name);
		if (!t.cut && stat(file, &st) == 0 && S_ISREG(st.st_mode) &&
			access(file, X_OK) == 0)
			return arena_cstr(&h->a, text_span(&t));
	}
	return NULL;
}
