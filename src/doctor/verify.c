// SPDX-License-Identifier: Apache-2.0
#include "doctor/verify.h"

#include <dirent.h>
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/run.h"

enum { VERIFY_MS = 60000, ENV_MAX = 512 };

extern char **environ;

const char *
verify_word(enum verify_result r)
{
	static const char *const words[] = {
		[VERIFY_WORKS] = "works",
		[VERIFY_FAILS] = "fails",
		[VERIFY_UNSURE] = "unsure",
		[VERIFY_ABSENT] = "absent",
		[VERIFY_LATE] = "late",
	};

	return words[r];
}

/* Programs that have no way to fetch a URL on a command line. */
static const struct {
	const char *tool;
	const char *file;
	const char *text;
} probes[] = {
	{"java", "Probe.java",
		"public class Probe {\n"
		" public static void main(String[] a) throws Exception {\n"
		"  var c = (java.net.HttpURLConnection)\n"
		"   new java.net.URL(a[0]).openConnection();\n"
		"  System.out.println(c.getResponseCode());\n"
		" }\n}\n"},
	{"aiohttp", "probe.py",
		"import asyncio, sys, aiohttp\n"
		"async def go():\n"
		"    async with aiohttp.ClientSession(trust_env=True) as s:\n"
		"        async with s.get(sys.argv[1]) as r:\n"
		"            print(r.status)\n"
		"asyncio.run(go())\n"},
	{"maven", "settings.xml",
		"<settings><mirrors><mirror><id>probe</id><mirrorOf>*</mirrorOf>"
		"<url>${env.URL}</url></mirror></mirrors></settings>\n"},
	{"cmake", "probe.cmake",
		"file(DOWNLOAD \"$ENV{URL}\" \"$ENV{DIR}/probe\" TLS_VERIFY ON STATUS "
		"s)\n"
		"list(GET s 0 code)\n"
		"if(NOT code EQUAL 0)\n message(FATAL_ERROR \"${s}\")\nendif()\n"},
};

/* The environment of the child. */
struct surroundings {
	struct home *h;
	const char *env[ENV_MAX + 1];
	size_t n;
};

/* The last word counts: an older one of the same name is replaced. */
static void
put_env(struct surroundings *s, const char *name, const char *value)
{
	const char *entry = home_text(s->h, "%s=%s", name, value);
	size_t n = strlen(name);

	for (size_t i = 0; i < s->n; i++) {
		if (strncmp(s->env[i], name, n) == 0 && s->env[i][n] == '=') {
			s->env[i] = entry;
			return;
		}
	}
	if (s->n < ENV_MAX)
		s->env[s->n++] = entry;
}

/* What apply wrote for new shells counts here too. */
static void
put_settings(struct surroundings *s)
{
	const struct home_file *f =
		home_read(s->h, home_path(s->h, "$CONFIG/sekisho/env.sh"));
	char *value = mem_alloc(EDIT_VALUE_MAX);

	for (const struct setting_row *r = setting_rows; f->readable && r->tools; r++) {
		struct edit_hit hit;
		if (strcmp(r->kind, "env") != 0 ||
			!edit_find(EDIT_SHELL, f->text, r->key, &hit))
			continue;
		edit_value(EDIT_SHELL, f->text, &hit, value);
		put_env(s, r->key, value);
	}
	mem_free(value);
}

static bool
put_target(struct surroundings *s, const char *url, struct err *err)
{
	struct span rest = span_str(url);

	if (!span_starts(rest, SPAN("https://")))
		return err_set(err, ERR_USAGE, "%s: no https:// URL", url);
	rest = span_from(rest, 8);
	struct span place = span_first(rest, span_chr(rest, '/'));
	size_t colon = span_rchr(place, ':');
	struct span port = span_from(place, colon + 1);
	uint64_t number = 443;
	if (colon < place.n && !text_u64(port, 65535, &number))
		return err_set(err, ERR_USAGE, "%s: no port", url);
	put_env(s, "URL", url);
	put_env(s, "HOST", home_text(s->h, "%.*s", SPAN_ARG(span_first(place, colon))));
	put_env(s, "PORT", home_text(s->h, "%u", (unsigned)number));
	return true;
}

static bool
put_probe(struct surroundings *s, const struct tool_row *row, const char *dir,
	struct err *err)
{
	put_env(s, "DIR", dir);
	for (size_t i = 0; i < COUNT_OF(probes); i++) {
		if (strcmp(probes[i].tool, row->name) != 0)
			continue;
		const char *path = home_text(s->h, "%s/%s", dir, probes[i].file);
		put_env(s, "PROBE", path);
		return file_replace(path, span_str(probes[i].text), 0600, err);
	}
	return true;
}

enum { DEPTH_MAX = 32 };

static bool
is_dir(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What programs left in the directory that was made for them. */
static void
remove_tree(struct home *h, const char *path, unsigned depth)
{
	DIR *d = depth < DEPTH_MAX ? opendir(path) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		const char *inner = home_text(h, "%s/%s", path, e->d_name);
		if (is_dir(inner)) {
			remove_tree(h, inner, depth + 1);
		} else {
			unlink(inner);
		}
	}
	if (d)
		closedir(d);
	rmdir(path);
}

/* The program speaks of what HTTP said: TLS was good. */
static bool
is_proof(const struct tool_row *row, const char *output)
{
	regex_t re;

	if (!row->proof[0] || regcomp(&re, row->proof, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	bool found = regexec(&re, output, 0, NULL, 0) == 0;
	regfree(&re);
	return found;
}

static void
judge(const struct tool_row *row, struct run_answer *ran, struct verify_answer *out)
{
	out->code = ran->code;
	out->output = ran->output;
	ran->output = NULL;
	if (ran->code == -1) {
		out->result = VERIFY_LATE;
	} else if (ran->code == 0) {
		out->result = VERIFY_WORKS;
	} else {
		struct span text = span_of(out->output, ran->n);
		explain_text(text, span_str(row->name), &out->why);
		out->result = VERIFY_FAILS;
		if (is_proof(row, out->output)) {
			out->result = VERIFY_WORKS;
		} else if (out->why.nothing) {
			out->result = VERIFY_UNSURE;
		}
	}
}

/* One trial. */
struct trial {
	const struct tool_row *row;
	const char *url;
	const char *dir;
};

static bool
run_trial(struct home *h, const struct trial *t, struct verify_answer *out,
	struct err *err)
{
	struct surroundings *s = mem_alloc(sizeof *s);
	struct run_answer ran = {0};
	const char *argv[] = {"/bin/sh", "-c", t->row->verify, NULL};
	struct run_ask ask = {.argv = argv, .dir = t->dir, .timeout_ms = VERIFY_MS};

	s->h = h;
	for (size_t i = 0; environ[i] && s->n < ENV_MAX; i++)
		s->env[s->n++] = environ[i];
	put_settings(s);
	ask.env = s->env;
	bool ok = put_target(s, t->url, err) && put_probe(s, t->row, t->dir, err) &&
		run_program(&ask, &ran, err);
	if (ok)
		judge(t->row, &ran, out);
	run_answer_fini(&ran);
	mem_free(s);
	return ok;
}

bool
verify_tool(struct home *h, const struct tool_row *row, const char *url,
	struct verify_answer *out, struct err *err)
{
	char dir[] = "/tmp/sekisho-verify-XXXXXX";
	const struct trial trial = {row, url, dir};

	*out = (struct verify_answer){.result = VERIFY_ABSENT};
	if (!row->verify[0] || !tool_is_here(h, row))
		return true;
	if (!mkdtemp(dir))
		return err_errno(err, ERR_DOCTOR_RUN, errno, "%s", dir);
	bool ok = run_trial(h, &trial, out, err);
	remove_tree(h, dir, 0);
	return ok;
}

void
verify_answer_fini(struct verify_answer *a)
{
	mem_free(a->output);
	*a = (struct verify_answer){0};
}
