// SPDX-License-Identifier: Apache-2.0
#include "doctor/edit.h"

#include "base/mem.h"
#include "tests/test.h"

/* One change, and the text as it must be afterwards to the octet. */
struct change {
	enum edit_form form;
	const char *before;
	const char *key;
	const char *value; /* NULL removes */
	const char *after;
};

static void
check_change(const struct change *c)
{
	const char *setting[2] = {c->key, c->value};
	struct span out = {0};
	struct err err = {0};
	struct edit_hit hit;
	char value[EDIT_VALUE_MAX];

	CHECK_OK(edit_set(c->form, span_str(c->before), setting, &out, &err), &err);
	CHECK_STR((const char *)out.p, c->after);
	CHECK_INT(edit_find(c->form, out, c->key, &hit), c->value != NULL);
	if (c->value) {
		edit_value(c->form, out, &hit, value);
		CHECK_STR(value, c->value);
	}
	mem_free((void *)(uintptr_t)out.p);
}

static void
check_changes(const struct change *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_change(&c[i]);
}

static void
npm_settings_keep_their_neighbours(void)
{
	static const struct change rows[] = {
		{EDIT_NPMRC, "", "cafile", "/a/b.pem", "cafile=/a/b.pem\n"},
		{EDIT_NPMRC, "; mine\nregistry = https://r.example/", "cafile", "/b",
			"; mine\nregistry = https://r.example/\ncafile=/b\n"},
		{EDIT_NPMRC, "a=1\r\ncafile = /old ; why\r\nb=2\r\n", "cafile", "/new",
			"a=1\r\ncafile = /new ; why\r\nb=2\r\n"},
		{EDIT_NPMRC, "a=1\ncafile=/x\n#cafile=/no\ncafile=/y\nb=2\n", "cafile",
			NULL, "a=1\n#cafile=/no\nb=2\n"},
		{EDIT_NPMRC, "", "cafile", "/with # sign", "cafile=\"/with # sign\"\n"},
		{EDIT_NPMRC, "strict-ssl=false", "strict-ssl", NULL, ""},
	};
	check_changes(rows, COUNT_OF(rows));
}

static void
shell_and_fish_and_environment_files_take_any_value(void)
{
	static const struct change rows[] = {
		{EDIT_SHELL, "", "A", "/p q/it's", "export A='/p q/it'\\''s'\n"},
		{EDIT_SHELL, "export A=1 # one\nB=2\n", "A", "2",
			"export A=2 # one\nB=2\n"},
		{EDIT_SHELL, "A=1; export A\n", "A", NULL, ""},
		{EDIT_SHELL, "if true; then\n  export A=\"x\"\nfi\n", "A", "y",
			"if true; then\n  export A=y\nfi\n"},
		{EDIT_FISH, "set -gx A 1\n", "A", "it's \\",
			"set -gx A 'it\\'s \\\\'\n"},
		{EDIT_FISH, "", "A", "/x", "set -gx A /x\n"},
		{EDIT_ENVD, "# e\nA=1\n", "B", "-Dx=1 -Dy=$2",
			"# e\nA=1\nB=\"-Dx=1 -Dy=\\$2\"\n"},
		{EDIT_ENVD, "A=1\n", "A", NULL, ""},
	};
	check_changes(rows, COUNT_OF(rows));
}

static void
sections_are_found_and_made(void)
{
	static const struct change rows[] = {
		{EDIT_INI, "[global]\ntimeout = 3\n\n[install]\nx=1\n", "global>cert",
			"/c", "[global]\ntimeout = 3\ncert = /c\n\n[install]\nx=1\n"},
		{EDIT_INI,
			"[install]\ntrusted_host =\n    a.example\n    "
			"b.example\ny=1\n",
			"install>trusted-host", NULL, "[install]\ny=1\n"},
		{EDIT_INI, "[a]\nx=1", "global>cert", "/c",
			"[a]\nx=1\n\n[global]\ncert = /c\n"},
		{EDIT_INI, "[a]\nx=1\n[a]\nx=2\n", "a>x", "3", "[a]\nx=1\n[a]\nx=3\n"},
		{EDIT_GIT, "[user]\n\tname = me\n", "http>sslCAInfo", "/c",
			"[user]\n\tname = me\n\n[http]\n\tsslCAInfo = /c\n"},
		{EDIT_GIT, "[HTTP]\n\tSSLcainfo = \"/a;b\" ; mine\n", "http>sslCAInfo",
			"/c", "[HTTP]\n\tSSLcainfo = /c ; mine\n"},
		{EDIT_GIT, "[http \"https://A.example/\"]\n\tsslVerify = false\n",
			"http.https://A.example/>sslVerify", NULL,
			"[http \"https://A.example/\"]\n"},
		{EDIT_GIT, "[http] sslVerify = false\n[core]\n", "http>sslVerify", NULL,
			"[http] \n[core]\n"},
		{EDIT_GIT, "[http]\n\tproxy = x\n[a]\n", "http.https://b/>sslCAInfo",
			"/two words",
			"[http]\n\tproxy = x\n[a]\n\n[http \"https://b/\"]\n"
			"\tsslCAInfo = \"/two words\"\n"},
	};
	check_changes(rows, COUNT_OF(rows));
}

static void
lines_of_other_tools_keep_their_form(void)
{
	static const struct change rows[] = {
		{EDIT_PROPERTIES, "a.b=1\n! c\n", "systemProp.javax.net.ssl.trustStore",
			"/t", "a.b=1\n! c\nsystemProp.javax.net.ssl.trustStore=/t\n"},
		{EDIT_PROPERTIES, "k = one\\\n   two\nz=1\n", "k", "C:\\x",
			"k = C:\\\\x\nz=1\n"},
		{EDIT_WORDS, "# wget\nCheck_Certificate = off\n", "check-certificate",
			NULL, "# wget\n"},
		{EDIT_WORDS, "--insecure\ncacert /old\n", "cacert", "/new",
			"--insecure\ncacert /new\n"},
		{EDIT_WORDS, "insecure\n-x p\n", "insecure", NULL, "-x p\n"},
		{EDIT_YAML, "channels:\n  - a\nssl_verify: false # no\n", "ssl_verify",
			"truststore",
			"channels:\n  - a\nssl_verify: truststore # no\n"},
		{EDIT_YAML, "a:\n  ssl_verify: x\n", "ssl_verify", "true",
			"a:\n  ssl_verify: x\nssl_verify: true\n"},
	};
	check_changes(rows, COUNT_OF(rows));
}

static void
toml_is_changed_where_its_tables_are(void)
{
	static const struct change rows[] = {
		{EDIT_TOML, "", "system-certs", "true", "system-certs = true\n"},
		{EDIT_TOML, "# c\nx = 1\n\n[pip]\ny = 2\n", "system-certs", "true",
			"# c\nx = 1\nsystem-certs = true\n\n[pip]\ny = 2\n"},
		{EDIT_TOML, "[http]\nproxy = \"p\" # keep\n", "http>cainfo", "/a\"b",
			"[http]\nproxy = \"p\" # keep\ncainfo = \"/a\\\"b\"\n"},
		{EDIT_TOML, "http.cainfo = '/old'\n[net]\na=1\n", "http>cainfo", "/new",
			"http.cainfo = \"/new\"\n[net]\na=1\n"},
		{EDIT_TOML,
			"x = [\n \"[http]\", # ]\n]\ny = \"\"\"\n[http]\ncainfo = "
			"1\n\"\"\"\n",
			"http>cainfo", "/c",
			"x = [\n \"[http]\", # ]\n]\ny = \"\"\"\n[http]\ncainfo = "
			"1\n\"\"\"\n"
			"\n[http]\ncainfo = \"/c\"\n"},
		{EDIT_TOML, "[[http]]\ncainfo = 1\n", "http>cainfo", "/c",
			"[[http]]\ncainfo = 1\n\n[http]\ncainfo = \"/c\"\n"},
		{EDIT_TOML, "[tool . \"uv\"]\nnative-tls = [\n 1,\n]\nb=1\n",
			"tool>uv>native-tls", NULL, "[tool . \"uv\"]\nb=1\n"},
	};
	check_changes(rows, COUNT_OF(rows));
}

static void
json_keeps_comments_commas_and_indentation(void)
{
	static const struct change rows[] = {
		{EDIT_JSON, "", "a", "x", "{\n    \"a\": \"x\"\n}\n"},
		{EDIT_JSON, "{}", "a", "true", "{\n    \"a\": true\n}"},
		{EDIT_JSON, "{\n  // my\n  \"b\": 1, /* c */\n}\n", "a", "x",
			"{\n  \"a\": \"x\",\n  // my\n  \"b\": 1, /* c */\n}\n"},
		{EDIT_JSON, "{\n\t\"http.proxyStrictSSL\": false,\n\t\"b\": [1, {}]\n}",
			"http.proxyStrictSSL", NULL, "{\n\t\"b\": [1, {}]\n}"},
		{EDIT_JSON, "{\n  \"b\": 1,\n  \"a\": false\n}", "a", NULL,
			"{\n  \"b\": 1\n}"},
		{EDIT_JSON, "{\"a\":false}", "a", NULL, "{}"},
		{EDIT_JSON, "{\"e\": {\"x\": \"1\"}}", "e>y", "2",
			"{\"e\": {\n        \"y\": \"2\",\"x\": \"1\"}}"},
		{EDIT_JSON, "{\n  \"b\": 1\n}", "e>f>y", "2",
			"{\n  \"e\": { \"f\": { \"y\": \"2\" } },\n  \"b\": 1\n}"},
		{EDIT_JSON, "\xef\xbb\xbf{\"a\": \"x\\\"y\"}", "a", "z",
			"\xef\xbb\xbf{\"a\": \"z\"}"},
	};
	check_changes(rows, COUNT_OF(rows));
}

static void
the_marked_block_comes_and_goes(void)
{
	static const struct change rows[] = {
		{EDIT_BLOCK, "alias ll='ls -l'", "", ". x",
			"alias ll='ls -l'\n# >>> sekisho doctor >>>\n. x\n"
			"# <<< sekisho doctor <<<\n"},
		{EDIT_BLOCK,
			"a\n# >>> sekisho doctor >>>\n. x\n# <<< sekisho doctor "
			"<<<\nb\n",
			"", NULL, "a\nb\n"},
	};
	const char *again[2] = {"", ". y"};
	struct span out = {0};
	struct err err = {0};

	CHECK_INT(
		edit_set(rows[0].form, span_str(rows[0].after), again, &out, &err), 1);
	CHECK_STR((const char *)out.p,
		"alias ll='ls -l'\n# >>> sekisho doctor >>>\n. y\n"
		"# <<< sekisho doctor <<<\n");
	mem_free((void *)(uintptr_t)out.p);
	CHECK_INT(edit_set(rows[0].form, span_str(rows[0].before),
			  (const char *[]){"", ". x"}, &out, &err),
		1);
	CHECK_STR((const char *)out.p, rows[0].after);
	mem_free((void *)(uintptr_t)out.p);
	check_change(&rows[1]);
}

static void
what_no_small_change_can_do_is_refused(void)
{
	static const struct change rows[] = {
		{EDIT_TOML, "http = { proxy = \"p\" }\n", "http>cainfo", "/c", NULL},
		{EDIT_JSON, "[1, 2]", "a", "x", NULL},
		{EDIT_JSON, "{\"a\": ", "b", "x", NULL},
		{EDIT_JSON, "{} {}", "b", "x", NULL},
		{EDIT_NPMRC, "", "a", "two\nlines", NULL},
		{EDIT_WORDS, "", "a", "a\"b", NULL},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *setting[2] = {rows[i].key, rows[i].value};
		struct span out = {0};
		struct err err = {0};
		CHECK(!edit_set(
			rows[i].form, span_str(rows[i].before), setting, &out, &err));
		CHECK_INT(err.code, ERR_DOCTOR_EDIT);
		CHECK(!out.p);
	}
}

static const char sample[] = "[http]\nsslCAInfo = \"/a\" # x\n[b \"c\"]\nd=e\\\n f\n"
			     "cacert = [ \"x\", '''y''' ]\n{ \"http\": { /* */ } }\n";

/* Setting and removing again gives the text back, wherever the text is cut. */
static void
every_truncation_is_survived_and_taken_back(void)
{
	const char *set[2] = {"http>zz", "/new"};
	const char *unset[2] = {"http>zz", NULL};

	for (size_t n = 0; n < sizeof sample; n++) {
		for (size_t form = EDIT_SHELL; form < EDIT_FORMS; form++) {
			struct span text = span_of(sample, n);
			struct span there = {0};
			struct span back = {0};
			struct edit_hit hit;
			struct err err = {0};
			if (!edit_set((enum edit_form)form, text, set, &there, &err))
				continue;
			CHECK(edit_set(
				(enum edit_form)form, there, unset, &back, &err));
			CHECK(!edit_find((enum edit_form)form, back, set[0], &hit));
			mem_free((void *)(uintptr_t)there.p);
			mem_free((void *)(uintptr_t)back.p);
		}
	}
}

static void
forms_have_names(void)
{
	for (size_t i = 0; i < EDIT_FORMS; i++) {
		const char *name = edit_form_name((enum edit_form)i);
		CHECK_INT(edit_form_find(span_str(name)), i);
	}
	CHECK_INT(edit_form_find(SPAN("xml")), EDIT_FORMS);
}

TESTS(npm_settings_keep_their_neighbours,
	shell_and_fish_and_environment_files_take_any_value,
	sections_are_found_and_made, lines_of_other_tools_keep_their_form,
	toml_is_changed_where_its_tables_are,
	json_keeps_comments_commas_and_indentation, the_marked_block_comes_and_goes,
	what_no_small_change_can_do_is_refused,
	every_truncation_is_survived_and_taken_back, forms_have_names)
