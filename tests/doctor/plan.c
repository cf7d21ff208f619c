// SPDX-License-Identifier: Apache-2.0
#include "doctor/plan.h"

#include "doctor/snippet.h"
#include "tests/doctor/shed.h"

static struct shed shed;
static struct home home;
static struct bundle bundle;
static struct plan plan;
static struct err err;

/* node's version is what its program says. */
static void
enter(const char *node, bool in_system)
{
	char script[64];

	text_format(script, sizeof script, "#!/bin/sh\necho v%s\n", node);
	shed_put(&shed, "bin/node", script);
	chmod(shed_path(&shed, "bin/node"), 0755);
	setenv("PATH", shed_path(&shed, "bin"), 1);
	setenv("SHELL", "/bin/bash", 1);
	if (in_system)
		shed_put(&shed, "system/etc/ssl/certs/ca-certificates.crt", shed.pem);
	err = (struct err){0};
	CHECK_OK(home_open(&home, shed_path(&shed, "system"), &err), &err);
	bundle_open(&bundle, &home);
	CHECK_OK(bundle_take(&bundle, &home, shed_path(&shed, "corp.pem"), &err), &err);
}

static void
leave(void)
{
	plan_fini(&plan);
	bundle_close(&bundle);
	home_close(&home);
	shed_close(&shed);
}

static bool
make(const char *tool)
{
	struct tool_view v;

	tool_look(&home, &bundle, tool_find(tool), &v);
	return plan_make(&home, &bundle, &v, &plan, &err);
}

/* The planned value of a key, in the first file that gets it; "" for a removal. */
static const char *
value_of(const char *key)
{
	for (size_t i = 0; i < plan.n; i++) {
		const struct change_ask *a = &plan.steps[i].ask;
		if (a->kind == JOURNAL_EDIT && strcmp(a->key, key) == 0)
			return a->value ? a->value : "";
	}
	return NULL;
}

static void
the_switch_comes_first_where_the_system_has_the_ca(void)
{
	shed_open(&shed);
	enter("24.6.0", true);
	CHECK_OK(make("npm"), &err);
	CHECK_STR(value_of("NODE_USE_SYSTEM_CA"), "1");
	CHECK(!value_of("NODE_EXTRA_CA_CERTS"));
	leave();
}

static void
an_old_version_gets_a_setting_that_adds(void)
{
	shed_open(&shed);
	enter("20.20.2", true);
	CHECK_OK(make("npm"), &err);
	CHECK(!value_of("NODE_USE_SYSTEM_CA"));
	CHECK_STR(value_of("NODE_EXTRA_CA_CERTS"), bundle_org_path(&home));
	leave();
}

static void
without_the_system_a_replacing_setting_gets_the_combined_bundle(void)
{
	shed_open(&shed);
	enter("20.20.2", false);
	CHECK_OK(make("git"), &err);
	CHECK_STR(value_of("http>sslCAInfo"), bundle_all_path(&home));
	CHECK_INT(plan.steps[0].ask.kind, JOURNAL_FILE);
	leave();
}

static void
what_the_system_serves_already_needs_nothing(void)
{
	shed_open(&shed);
	enter("20.20.2", true);
	CHECK_OK(make("git"), &err);
	CHECK(plan.fine && plan.n == 0);
	leave();
}

static void
what_silences_the_setting_is_taken_out(void)
{
	shed_open(&shed);
	shed_put(&shed, ".npmrc", "cafile=/old.pem\nstrict-ssl=false\n");
	enter("20.20.2", false);
	CHECK_OK(make("npm"), &err);
	CHECK_STR(value_of("cafile"), "");
	CHECK_STR(value_of("strict-ssl"), "");
	CHECK_STR(value_of("NODE_EXTRA_CA_CERTS"), bundle_org_path(&home));
	leave();
}

static void
the_systems_own_files_are_never_touched(void)
{
	shed_open(&shed);
	shed_put(&shed, "elsewhere/etc/npmrc", "cafile=/old.pem\n");
	enter("20.20.2", false);
	home.root = home_text(&home, "/tmp/../%s/elsewhere", shed.dir);
	CHECK_OK(make("npm"), &err);
	for (size_t i = 0; i < plan.n; i++)
		CHECK(!strstr(plan.steps[i].ask.path, "/etc/npmrc"));
	/* The user's own file wins over it, with all roots. */
	CHECK_STR(value_of("cafile"), bundle_all_path(&home));
	leave();
}

static void
options_of_java_keep_what_was_there(void)
{
	shed_open(&shed);
	enter("20.20.2", false);
	setenv("MAVEN_OPTS", "-Xmx1g", 1);
	CHECK_OK(make("maven"), &err);
	CHECK(strncmp(value_of("MAVEN_OPTS"),
		      "-Xmx1g -Djavax.net.ssl.trustStore=", 34) == 0);
	unsetenv("MAVEN_OPTS");
	leave();
}

static void
without_a_ca_or_a_way_nothing_is_planned(void)
{
	shed_open(&shed);
	enter("20.20.2", false);
	CHECK(!make("apt"));
	CHECK_INT(err.code, ERR_DOCTOR_TOOL);
	CHECK(strstr(plan.by_hand, "sudo"));
	pem_list_fini(&bundle.org);
	CHECK(!make("npm"));
	CHECK_INT(err.code, ERR_DOCTOR_CA);
	leave();
}

static void
the_distributions_way_is_named(void)
{
	shed_open(&shed);
	shed_put(&shed, "system/etc/pki/ca-trust/source/anchors/x", "");
	enter("20.20.2", false);
	CHECK(strstr(plan_machine(&home), "sudo update-ca-trust"));
	leave();
}

static void
snippets_keep_the_ca_out_of_images(void)
{
	CHECK(strstr(snippet_find("docker"), "--mount=type=secret"));
	CHECK(strstr(snippet_find("ci-github"), "GITHUB_ENV"));
	CHECK(strstr(snippet_find("ci-gitlab"), "before_script"));
	CHECK(!snippet_find("x"));
	CHECK(strstr(snippet_names(), "ci-gitlab"));
}

TESTS(the_switch_comes_first_where_the_system_has_the_ca,
	an_old_version_gets_a_setting_that_adds,
	without_the_system_a_replacing_setting_gets_the_combined_bundle,
	what_the_system_serves_already_needs_nothing,
	what_silences_the_setting_is_taken_out, the_systems_own_files_are_never_touched,
	options_of_java_keep_what_was_there, without_a_ca_or_a_way_nothing_is_planned,
	the_distributions_way_is_named, snippets_keep_the_ca_out_of_images)
