// SPDX-License-Identifier: Apache-2.0
/*
 * ca_install: the root into the trust stores of this machine, and out again.
 *
 * The distribution's own tools do it, so that their updates keep it. Stores that are
 * not here are passed over; what was done is said line by line.
 */
#include <glob.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/ca_priv.h"
#include "cli/commands.h"
#include "pki/cert.h"

enum { PATH_ROOM = 1024, NICK = 32 };

extern char **environ;

static const struct cli_option options[] = {
	{"undo", 'u', NULL, "take the root out again", false},
	{"system", 0, NULL, "only the system's store", false},
	{"browsers", 0, NULL, "only the stores of Chromium and Firefox", false},
	{"home", 0, "DIR", "whose browsers [$HOME]", false},
	{"dry-run", 0, NULL, "only say what would be done", false},
	{0},
};

struct job {
	bool undo;
	bool dry;
	const char *home;
	char nick[NICK]; /* "sekisho 1a2b3c4d": one per root */
	struct span pem; /* owned */
	char *root_path; /* owned: where the root is, for certutil */
	size_t done;
	size_t failed;
};

/* A distribution's place for local roots, and the tool that takes them in. */
struct place {
	const char *dir;
	const char *tool[3];
	const char *undo[3]; /* Debian's leaves dead links behind without --fresh */
};

static const struct place places[] = {
	{"/usr/local/share/ca-certificates", {"update-ca-certificates", NULL},
		{"update-ca-certificates", "--fresh", NULL}},
	{"/etc/pki/ca-trust/source/anchors", {"update-ca-trust", "extract", NULL},
		{"update-ca-trust", "extract", NULL}},
	{"/etc/pki/trust/anchors", {"update-ca-certificates", NULL},
		{"update-ca-certificates", NULL}},
};

static void
tell(struct job *j, bool ok, const char *what, const char *where)
{
	text_out("%s %s: %s\n", ok ? "ok    " : "failed", where, what);
	j->done += ok;
	j->failed += !ok;
}

/* Runs a tool found in PATH, its output to standard error; true when it ends well. */
static bool
run_tool(const struct job *j, const char *const argv[])
{
	pid_t pid = 0;
	int status = 0;
	posix_spawn_file_actions_t files;

	if (j->dry) {
		text_out("would run");
		for (size_t i = 0; argv[i]; i++)
			text_out(" %s", argv[i]);
		text_out("\n");
		return true;
	}
	if (!text_flush() || posix_spawn_file_actions_init(&files) != 0)
		return false;
	bool ok = posix_spawn_file_actions_adddup2(
			  &files, STDERR_FILENO, STDOUT_FILENO) == 0 &&
		posix_spawnp(&pid, argv[0], &files, NULL,
			(char *const *)(uintptr_t)argv, environ) == 0;
	(void)posix_spawn_file_actions_destroy(&files);
	return ok && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
		WEXITSTATUS(status) == 0;
}

static bool
change_file(const struct job *j, const char *path, struct err *err)
{
	if (j->dry) {
		text_out("would %s %s\n", j->undo ? "remove" : "write", path);
		return true;
	}
	if (j->undo)
		return access(path, F_OK) != 0 || unlink(path) == 0;
	return file_replace(path, j->pem, 0644, err);
}

static bool
install_at(struct job *j, const struct place *p, struct err *err)
{
	char path[PATH_ROOM];
	struct text t = text_to(path, sizeof path);

	text_add(&t, "%s/sekisho-%s.crt", p->dir, j->nick + sizeof "sekisho");
	return !t.cut && change_file(j, path, err) &&
		run_tool(j, j->undo ? p->undo : p->tool);
}

/* Debian copies roots into Java's store and forgets them there. */
static void
clean_java(const struct job *j)
{
	static const char store[] = "/etc/ssl/certs/java/cacerts";
	char alias[PATH_ROOM];
	struct text t = text_to(alias, sizeof alias);
	const char *argv[] = {"keytool", "-delete", "-alias", alias, "-keystore", store,
		"-storepass", "changeit", NULL};

	text_add(&t, "debian:sekisho-%s.pem", j->nick + sizeof "sekisho");
	if (access(store, F_OK) == 0)
		(void)run_tool(j, argv); /* fails when it is not in there */
}

static void
install_system(struct job *j)
{
	struct err err = {0};
	bool found = false;

	for (size_t i = 0; i < COUNT_OF(places) && !found; i++) {
		if (access(places[i].dir, F_OK) != 0)
			continue;
		found = true;
		bool ok = install_at(j, &places[i], &err);
		if (j->undo)
			clean_java(j);
		tell(j, ok, ok ? "the system's store" : err.text, places[i].dir);
	}
	if (!found)
		text_out("none   the system's store: no place we know\n");
}

static void
install_nss(struct job *j, const char *dir)
{
	char db[PATH_ROOM];
	struct text t = text_to(db, sizeof db);
	const char *add[] = {"certutil", "-A", "-d", db, "-n", j->nick, "-t", "C,,",
		"-i", j->root_path, NULL};
	const char *take[] = {"certutil", "-D", "-d", db, "-n", j->nick, NULL};

	text_add(&t, "sql:%s", dir);
	tell(j, !t.cut && run_tool(j, j->undo ? take : add), "browsers' store (NSS)",
		dir);
}

/* Each pattern finds certificate stores below the home directory. */
static void
install_browsers(struct job *j)
{
	static const char *const patterns[] = {".pki/nssdb/cert9.db",
		".mozilla/firefox/*/cert9.db",
		"snap/firefox/common/.mozilla/firefox/*/cert9.db",
		".var/app/org.mozilla.firefox/.mozilla/firefox/*/cert9.db",
		"snap/chromium/current/.pki/nssdb/cert9.db"};
	size_t found = 0;

	for (size_t i = 0; i < COUNT_OF(patterns); i++) {
		char pattern[PATH_ROOM];
		struct text t = text_to(pattern, sizeof pattern);
		glob_t g;
		text_add(&t, "%s/%s", j->home, patterns[i]);
		if (t.cut || glob(pattern, 0, NULL, &g) != 0)
			continue;
		for (size_t k = 0; k < g.gl_pathc; k++, found++) {
			struct span db = span_str(g.gl_pathv[k]);
			char *dir = mem_cstr(span_first(db, span_rchr(db, '/')));
			install_nss(j, dir);
			mem_free(dir);
		}
		globfree(&g);
	}
	if (found == 0)
		text_out("none   browsers' stores (NSS): none below %s\n", j->home);
}

static bool
prepare(const struct cli_call *call, struct job *j, struct err *err)
{
	const char *home = cli_get(call, "home");
	char path[PATH_ROOM];
	struct text p = text_to(path, sizeof path);
	struct text nick = text_to(j->nick, sizeof j->nick);
	struct authority *a = ca_load(call, err);
	if (!a)
		return false;

	bool ok = authority_root_pem(a, &j->pem, err);
	struct cert *c = ok ? cert_from_x509(a->root, err) : NULL;
	authority_free(a);
	if (!c)
		return false;
	text_add(&nick, "sekisho ");
	text_put_hex(&nick, span_of(c->sha256, 4), false);
	cert_put(c);
	text_add(&p, "%s/root.crt", ca_dir(call, 0));
	j->root_path = mem_cstr(text_span(&p));
	j->undo = cli_has(call, "undo");
	j->dry = cli_has(call, "dry-run");
	j->home = home ? home : getenv("HOME");
	if (!j->home)
		j->home = "/root";
	return true;
}

static enum cli_exit
run_install(const struct cli_call *call)
{
	struct job j = {0};
	struct err err = {0};
	bool only_system = cli_has(call, "system");
	bool only_browsers = cli_has(call, "browsers");

	if (!prepare(call, &j, &err)) {
		mem_free((void *)(uintptr_t)j.pem.p);
		return cli_fail(&err);
	}
	if (!only_browsers)
		install_system(&j);
	if (!only_system)
		install_browsers(&j);
	mem_free((void *)(uintptr_t)j.pem.p);
	mem_free(j.root_path);
	if (j.failed > 0) {
		err_set(&err, ERR_PKI_STORE, "%zu of %zu stores", j.failed,
			j.failed + j.done);
		return cli_fail(&err);
	}
	return CLI_GOOD;
}

const struct command command_ca_install = {
	.name = "ca install",
	.operands = "[DIR]",
	.summary = "trust the authority on this machine, or stop trusting it",
	.help = "Puts the root into the system's store (Debian, Fedora, openSUSE and "
		"kin) and into\n"
		"the stores of Chromium and Firefox below $HOME, with the "
		"distribution's tools.\n"
		"--undo takes it out of the same places.",
	.examples = "sudo sekisho ca install\nsekisho ca install --browsers\n"
		    "sudo sekisho ca install --undo\n",
	.options = options,
	.least = 0,
	.most = 1,
	.run = run_install,
};
