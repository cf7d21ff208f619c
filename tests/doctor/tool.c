// SPDX-License-Identifier: Apache-2.0
#include "doctor/tool.h"

#include "doctor/say.h"

#include "tests/doctor/shed.h"

static struct shed shed;
static struct home home;
static struct bundle bundle;
static const struct tool_finding nothing = {
	.text = "", .where = "", .since = "", .exposes = "", .instead = ""};

static void
enter(void)
{
	struct err err = {0};

	/* One program, so that nothing of this machine answers. */
	shed_put(&shed, "bin/npm", "#!/bin/sh\n");
	shed_put(&shed, "bin/node", "#!/bin/sh\necho v20.20.2\n");
	chmod(shed_path(&shed, "bin/npm"), 0755);
	chmod(shed_path(&shed, "bin/node"), 0755);
	setenv("PATH", shed_path(&shed, "bin"), 1);
	CHECK_OK(home_open(&home, shed_path(&shed, "system"), &err), &err);
	bundle_open(&bundle, &home);
	CHECK_OK(bundle_take(&bundle, &home, shed_path(&shed, "corp.pem"), &err), &err);
}

static void
leave(void)
{
	bundle_close(&bundle);
	home_close(&home);
	shed_close(&shed);
}

/* How many findings of that kind, and one of them. */
static size_t
count(const struct tool_view *v, enum tool_fault fault, const struct tool_finding **out)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_findings; i++) {
		if (v->findings[i].fault != fault)
			continue;
		if (out)
			*out = &v->findings[i];
		n++;
	}
	return n;
}

static void
every_row_of_the_tables_makes_sense(void)
{
	for (const struct setting_row *s = setting_rows; s->tools; s++) {
		struct span rest = span_str(s->tools);
		struct span name;
		char word[64];
		while (span_cut(&rest, ' ', &name))
			CHECK(span_copy(word, sizeof word, name) && tool_find(word));
		enum edit_form form = edit_form_find(span_str(s->kind));
		CHECK(form != EDIT_FORMS || strcmp(s->kind, "env") == 0 ||
			strcmp(s->kind, "nss") == 0);
		CHECK(!s->rank[0] || s->value[0]);
		CHECK(form == EDIT_FORMS || s->place[0]);
		CHECK(tool_effect_of(s) != TOOL_SELECTS ||
			strcmp(s->effect, "selects") == 0);
	}
	for (const struct unsafe_row *u = unsafe_rows; u->tools; u++) {
		CHECK(u->value[0] && u->key[0]);
		enum edit_form form = edit_form_find(span_str(u->kind));
		CHECK(form != EDIT_FORMS || strcmp(u->kind, "env") == 0 ||
			strcmp(u->kind, "line") == 0);
	}
	CHECK_STR(tool_nearest("nmp"), "npm");
	CHECK(!tool_find("nonsense"));
}

/* What follows from an unsafe setting must be understood. */
static void
dangers_are_told_in_japanese_too(void)
{
	struct err err = {0};

	shed_open(&shed);
	CHECK_OK(home_open(&home, NULL, &err), &err);
	home.language = JAPANESE;
	for (const struct unsafe_row *u = unsafe_rows; u->tools; u++)
		CHECK(!u->exposes[0] ||
			strcmp(say(&home, u->exposes), u->exposes) != 0);
	for (const struct say_row *r = say_rows; r->en; r++)
		CHECK(r->en[0] && r->ja[0] && text_is_utf8(span_str(r->ja)));
	const char *words[] = {"a", "b"};
	CHECK_STR(say_with(&home, "{0} line {1}", words, 2), "a の b 行目");
	home.language = ENGLISH;
	CHECK_STR(say_with(&home, "{1}{0}{2}{x", words, 2), "ba{2}{x");
	home_close(&home);
	shed_close(&shed);
}

static void
versions_are_compared_by_line(void)
{
	CHECK(tool_version_has("24.6.0", "24.6 22.19"));
	CHECK(tool_version_has("25.0.0", "24.6 22.19"));
	CHECK(tool_version_has("22.19.1", "24.6 22.19"));
	CHECK(!tool_version_has("22.18.9", "24.6 22.19"));
	CHECK(!tool_version_has("23.11.0", "24.6 22.19"));
	CHECK(!tool_version_has("20.20.2", "24.6 22.19"));
	CHECK(!tool_version_has("", "1.0"));
	CHECK(tool_version_has("", ""));
}

static void
npms_cafile_silences_nodes_variable_and_says_where(void)
{
	struct tool_view v;
	const struct tool_finding *f = &nothing;

	shed_open(&shed);
	shed_put(&shed, ".npmrc", "registry=https://r.example/\ncafile=~/corp.pem\n");
	enter();
	setenv("NODE_EXTRA_CA_CERTS", "/nowhere/corp.pem", 1);
	tool_look(&home, &bundle, tool_find("npm"), &v);
	CHECK(v.here);
	CHECK_STR(v.version, "20.20.2");
	CHECK_INT(count(&v, TOOL_CONFLICT, &f), 1);
	CHECK_STR(f->text,
		"cafile in ~/.npmrc line 2 wins; NODE_EXTRA_CA_CERTS in the "
		"environment is ignored");
	CHECK_INT(count(&v, TOOL_SINGLE, &f), 1);
	CHECK_INT(count(&v, TOOL_DEAD, &f), 1);
	CHECK(strstr(f->text, "/nowhere/corp.pem, which is not there"));
	CHECK(v.trusts_org);
	unsetenv("NODE_EXTRA_CA_CERTS");
	leave();
}

static void
a_switch_that_an_old_node_does_not_know_is_dangerous(void)
{
	struct tool_view v;

	shed_open(&shed);
	shed_put(&shed, ".bashrc", "export NODE_OPTIONS='--use-system-ca'\n");
	enter();
	tool_look(&home, &bundle, tool_find("npm"), &v);
	CHECK_INT(count(&v, TOOL_DANGER, NULL), 1);
	CHECK(!v.trusts_org);
	leave();
}

static const struct {
	const char *tool;
	const char *file;
	const char *text;
	const char *where;
} hidden[] = {
	{"npm", ".npmrc", "strict-ssl = false\n", "~/.npmrc line 1"},
	{"node", ".bashrc", "# x\nexport NODE_TLS_REJECT_UNAUTHORIZED=0\n",
		"~/.bashrc line 2"},
	{"node", ".config/fish/config.fish", "set -gx NODE_TLS_REJECT_UNAUTHORIZED 0\n",
		"~/.config/fish/config.fish line 1"},
	{"git", ".gitconfig", "[http]\n\tsslVerify = no\n", "~/.gitconfig line 2"},
	{"git", ".gitconfig", "[http \"https://a/\"]\n\tsslverify=false\n",
		"~/.gitconfig line 2"},
	{"curl", ".curlrc", "-k\n", "~/.curlrc line 1"},
	{"curl", ".curlrc", "insecure\n", "~/.curlrc line 1"},
	{"curl", ".bashrc", "alias c='curl -sk x'\nalias d='curl -k x'\n",
		"~/.bashrc line 2"},
	{"wget", ".wgetrc", "check_certificate = off\n", "~/.wgetrc line 1"},
	{"pip", ".config/pip/pip.conf", "[global]\ntrusted-host = a b\n",
		"~/.config/pip/pip.conf line 2"},
	{"conda", ".condarc", "ssl_verify: False\n", "~/.condarc line 1"},
	{"kubectl", ".kube/config", "    insecure-skip-tls-verify: true\n",
		"~/.kube/config line 1"},
	{"maven", ".mavenrc", "MAVEN_OPTS=-Dmaven.wagon.http.ssl.insecure=true\n",
		"~/.mavenrc line 1"},
	{"bundler", ".gemrc", ":ssl_verify_mode: 0\n", "~/.gemrc line 1"},
	{"vscode", ".config/Code/User/settings.json",
		"{\n // x\n \"http.proxyStrictSSL\": false }",
		"~/.config/Code/User/settings.json line 3"},
	{"docker", "system/etc/docker/daemon.json",
		"{\"insecure-registries\": [\"r\"]}", NULL},
	{"composer", ".config/composer/config.json",
		"{\"config\": {\"disable-tls\": true}}",
		"~/.config/composer/config.json line 1"},
	{"psql", ".profile", "export PGSSLMODE=require\n", "~/.profile line 1"},
	{"apt", "system/etc/apt/apt.conf.d/99x",
		"Acquire::https::Verify-Peer \"false\";\n", NULL},
};

static void
unsafe_settings_are_found_wherever_they_hide(void)
{
	for (size_t i = 0; i < COUNT_OF(hidden); i++) {
		struct tool_view v;
		const struct tool_finding *f = &nothing;
		shed_open(&shed);
		shed_put(&shed, hidden[i].file, hidden[i].text);
		enter();
		tool_look(&home, &bundle, tool_find(hidden[i].tool), &v);
		if (count(&v, TOOL_UNSAFE, &f) != 1)
			print_error("%s: %s\n", hidden[i].tool, hidden[i].text);
		CHECK_INT(count(&v, TOOL_UNSAFE, &f), 1);
		if (hidden[i].where)
			CHECK_STR(f->where, hidden[i].where);
		CHECK_INT(strlen(f->since), 10);
		CHECK(f->exposes[0] && f->instead[0]);
		leave();
	}
}

static void
safe_settings_and_remarks_are_left_in_peace(void)
{
	struct tool_view v;

	shed_open(&shed);
	shed_put(&shed, ".npmrc", "strict-ssl=true\n; strict-ssl=false\n");
	shed_put(
		&shed, ".bashrc", "# alias c='curl -k x'\nexport GIT_SSL_NO_VERIFY=\n");
	shed_put(&shed, ".gitconfig", "[http]\n\tsslVerify = true\n");
	enter();
	const char *const names[] = {"npm", "curl", "git", "node"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		tool_look(&home, &bundle, tool_find(names[i]), &v);
		CHECK_INT(count(&v, TOOL_UNSAFE, NULL), 0);
	}
	leave();
}

static void
only_a_sound_ca_is_taken(void)
{
	struct err err = {0};
	struct bundle b = {0};

	shed_open(&shed);
	shed_put(&shed, "none.pem", "hello\n");
	enter();
	CHECK(!bundle_take(&b, &home, shed_path(&shed, "none.pem"), &err));
	CHECK_INT(err.code, ERR_DOCTOR_CA);
	CHECK(!bundle_take(&b, &home, shed_path(&shed, "gone.pem"), &err));
	CHECK_INT(err.code, ERR_FILE_READ);
	char *both = mem_alloc(20 * 1024);
	text_format(both, 20 * 1024,
		"%s-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		shed.pem);
	shed_put(&shed, "both.pem", both);
	mem_free(both);
	CHECK(!bundle_take(&b, &home, shed_path(&shed, "both.pem"), &err));
	CHECK(strstr(err.text, "private key"));
	bundle_close(&b);
	leave();
}

static void
the_combined_bundle_holds_each_certificate_once(void)
{
	struct pem_report report;
	struct err err = {0};
	struct span java = {0};

	shed_open(&shed);
	shed_put(&shed, "system/etc/ssl/certs/ca-certificates.crt", shed.pem);
	enter();
	CHECK(bundle.os_has_org);
	struct span all = bundle_all_text(&bundle);
	pem_read(all, 1800000000, NULL, &report);
	CHECK_INT(report.certs, 1);
	CHECK_INT(report.faults, 0);
	CHECK(all.p[all.n - 1] == '\n');
	mem_free((void *)(uintptr_t)all.p);
	CHECK_OK(bundle_java(&bundle, &java, &err), &err);
	CHECK(java.n > 300);
	mem_free((void *)(uintptr_t)java.p);
	leave();
}

TESTS(every_row_of_the_tables_makes_sense, dangers_are_told_in_japanese_too,
	versions_are_compared_by_line,
	npms_cafile_silences_nodes_variable_and_says_where,
	a_switch_that_an_old_node_does_not_know_is_dangerous,
	unsafe_settings_are_found_wherever_they_hide,
	safe_settings_and_remarks_are_left_in_peace, only_a_sound_ca_is_taken,
	the_combined_bundle_holds_each_certificate_once)
