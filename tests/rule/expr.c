// SPDX-License-Identifier: Apache-2.0
#include "rule/expr.h"

#include <string.h>

#include "base/text.h"
#include "tests/rule/scheme.h"
#include "tests/test.h"

static struct scheme
new_scheme(void)
{
	struct scheme s;
	scheme_init(&s, test_fields, COUNT_OF(test_fields), NULL);
	return s;
}

static bool
compiles(const struct scheme *s, const char *text, enum rule_dialect dialect,
	struct rule_error *error)
{
	struct rule_expr *e;
	struct rule_options options = {.dialect = dialect};
	if (!rule_compile(s, span_str(text), options, &e, error))
		return false;
	rule_free(e);
	return true;
}

static bool
holds(const struct scheme *s, const char *text, enum rule_dialect dialect)
{
	struct rule_expr *e = NULL;
	struct rule_error error;
	struct facts f = {.host = "a.b.example", .path = "/x", .port = 443};
	struct rule_options options = {.dialect = dialect};
	if (!rule_compile(s, span_str(text), options, &e, &error)) {
		print_error("%s: %s\n", text, error.message);
		return false;
	}
	bool out = rule_eval(e, &f);
	rule_free(e);
	return out;
}

static void
slips_get_the_hint_that_helps(void)
{
	static const struct {
		const char *text;
		const char *hint;
	} rows[] = {
		{"http.hst == \"a\"", "did you mean http.host?"},
		{"lowr(http.host) == \"a\"", "did you mean lower?"},
		{"http.host = \"a\"", "write == or eq"},
		{"http.host == 'a'", "double quotes"},
		{"http.host in {\"a\", \"b\"}", "separated by blanks"},
		{"cf.edge.server_port in {80, 443}", "separated by blanks"},
		{"http.host not in {\"a\"}", "not field in"},
		{"http.host EQ \"a\"", "small letters: eq"},
		{"ssl == true", "stands alone"},
		{"ip.src == 10.0.0.0/8", "stands in braces"},
		{"http.request.domains == \"a\"", "any(field[*] == ...)"},
		{"http.request.domains[] == \"a\"", "[*]"},
		{"http.request.domains[*] == \"a\"", "any(...)"},
		{"any(ssl and ssl)", "any(field[*]"},
		{"http.host contains {\"a\"}", "behind \"in\""},
		{"http.host matches \"(?=a)\"", "character 1"},
		{"ip.src in {10}", "10/8"},
		{"ip.src in {10.0.0.1/8}", "did you mean 10.0.0.0/8?"},
		{"ip.src == ::ffff:1.2.3.4", "1.2.3.4"},
		{"cf.edge.server_port in {80-443}", "80..443"},
		{"cf.edge.server_port == 80..443", "in {80..443}"},
		{"http.host starts_with \"a\"", "starts_with(field"},
		{"ssl AND ssl", "small letters"},
	};
	struct scheme s = new_scheme();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct rule_error error;
		CHECK(!compiles(&s, rows[i].text, RULE_EDGE, &error));
		if (strstr(error.hint, rows[i].hint) == NULL)
			print_error("%s: hint is \"%s\"\n", rows[i].text, error.hint);
		CHECK(strstr(error.hint, rows[i].hint) != NULL);
	}
	scheme_fini(&s);
}

static void
what_compiles_but_looks_wrong_gets_a_warning(void)
{
	static const struct {
		const char *text;
		const char *warning;
	} rows[] = {
		{"ssl andssl", "no blank behind \"and\""},
		{"(ssl)orssl", "no blank behind \"or\""},
		{"cf.edge.server_port == 0443", "octal: it is 291"},
		{"http.host matches \"a\\\\.b\"", "for a dot write"},
		{"http.request.headers[\"Accept\"][0] == \"a\"", "small letters"},
		{"any(identity.groups.name[*] == \"a\")", "not filled yet"},
	};
	struct scheme s = new_scheme();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct rule_expr *e = NULL;
		struct rule_error error;
		CHECK(rule_compile(&s, span_str(rows[i].text), (struct rule_options){0},
			&e, &error));
		CHECK(rule_warning(e, 0) != NULL);
		CHECK(strstr(rule_warning(e, 0)->message, rows[i].warning) != NULL);
		rule_free(e);
	}
	scheme_fini(&s);
}

static void
gateway_takes_the_looser_forms_and_edge_does_not(void)
{
	static const char *const texts[] = {
		"http.request.domains == \"b.example\"",
		"http.request.domains in {\"example\"}",
		"not identity.groups.name == \"x\"",
		"not any(identity.groups[*].name in {\"a\"})",
		"not any(app.type.ids in {16})",
		"cf.edge.server_port == \"443\"",
		"cf.edge.server_port in {\"443\" \"80\"}",
	};
	struct scheme s = new_scheme();
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct rule_error error;
		CHECK(!compiles(&s, texts[i], RULE_EDGE, &error));
		CHECK(holds(&s, texts[i], RULE_GATEWAY));
	}
	scheme_fini(&s);
}

static void
an_older_name_means_its_field(void)
{
	struct scheme s = new_scheme();
	CHECK(holds(&s, "old.host == \"a.b.example\"", RULE_EDGE));
	scheme_fini(&s);
}

static void
phase_fields_and_lists_are_known(void)
{
	struct scheme s = new_scheme();
	struct rule_expr *e = NULL;
	struct rule_error error;
	CHECK(rule_compile(&s,
		SPAN("http.request.host == \"a\" and lower(http.request.uri.path) == "
		     "\"/\""),
		(struct rule_options){0}, &e, &error));
	CHECK_INT(rule_phase(e), PHASE_REQUEST);
	CHECK_STR(rule_field(e, 0)->name, "http.request.host");
	CHECK_STR(rule_field(e, 1)->name, "http.request.uri.path");
	CHECK(rule_field(e, 2) == NULL);
	rule_free(e);
	scheme_fini(&s);
}

static void
errors_show_the_line_with_a_caret(void)
{
	struct scheme s = new_scheme();
	struct rule_error error;
	char out[500];
	struct text t = text_to(out, sizeof(out));
	struct span text = SPAN("ssl and\nhttp.host = \"a\"");
	CHECK(!compiles(&s, "ssl and\nhttp.host = \"a\"", RULE_EDGE, &error));
	rule_put_error(&t, text, &error);
	CHECK(strstr(out, "line 2, column 11: ") == out);
	CHECK(strstr(out, "\n    http.host = \"a\"\n              ^^^^^\nhint: ") !=
		NULL);
	scheme_fini(&s);
}

static void
limits_hold(void)
{
	static char text[20000];
	struct scheme s = new_scheme();
	struct rule_error error;
	memset(text, ' ', RULE_TEXT_MAX + 1);
	memcpy(text, "ssl", 3);
	CHECK(!compiles(&s, text, RULE_EDGE, &error));
	text[RULE_TEXT_MAX] = '\0';
	CHECK(compiles(&s, text, RULE_EDGE, &error));
	memset(text, '!', RULE_DEPTH_MAX);
	memcpy(text + RULE_DEPTH_MAX, "ssl", 4);
	CHECK(compiles(&s, text, RULE_EDGE, &error));
	memset(text, '!', RULE_DEPTH_MAX + 1);
	memcpy(text + RULE_DEPTH_MAX + 1, "ssl", 4);
	CHECK(!compiles(&s, text, RULE_EDGE, &error));
	CHECK_INT(error.col, RULE_DEPTH_MAX + 1);
	scheme_fini(&s);
}

/* Every beginning of an expression is either whole or refused in its own text. */
static void
every_truncation_is_refused_or_whole(void)
{
	static const char whole[] =
		"not (http.host in {\"a\" r#\"b\"#} or "
		"any(lower(http.request.headers[\"x\"]"
		"[*])[*] matches \"^[a\\\"]\") and ip.src in {10/8 ::1..::2}) xor "
		"cf.edge.server_port in {0x1..443} or http.host strict wildcard \"a*\"";
	struct scheme s = new_scheme();
	for (size_t n = 0; n <= sizeof(whole) - 1; n++) {
		struct rule_expr *e;
		struct rule_error error;
		struct span text = span_of(whole, n);
		if (rule_compile(&s, text, (struct rule_options){0}, &e, &error)) {
			rule_free(e);
			continue;
		}
		CHECK_INT(error.line, 1);
		CHECK(error.col >= 1 && error.col <= n + 1 && error.width >= 1);
		CHECK(error.message[0] != '\0');
	}
	scheme_fini(&s);
}

static void
the_canonical_text_has_one_form(void)
{
	static const struct {
		const char *text;
		const char *canonical;
	} rows[] = {
		{"((ssl))", "ssl"},
		{"!ssl||ssl&&ssl", "not ssl or ssl and ssl"},
		{"(ssl or ssl) and ssl", "(ssl or ssl) and ssl"},
		{"ssl or (ssl or ssl)", "ssl or (ssl or ssl)"},
		{"(ssl or ssl) or ssl", "ssl or ssl or ssl"},
		{"not(ssl and ssl)", "not (ssl and ssl)"},
		{"http.host eq r\"a\\b\"", "http.host == \"a\\\\b\""},
		{"http.host contains 61:0a", "http.host contains \"a\\x0a\""},
		{"http.host~r\"a\\.b\"", "http.host matches \"a\\.b\""},
		{"http.host matches r#\"a\"b\"#", "http.host matches r#\"a\"b\"#"},
		{"cf.edge.server_port in {0x50 1..2}",
			"cf.edge.server_port in {80 1..2}"},
		{"ip.src in {10/8 ::1 1.2.3.4..1.2.3.5}",
			"ip.src in {10.0.0.0/8 ::1 1.2.3.4/31}"},
		{"any((not http.request.domains[*]==\"a\"))",
			"any(not http.request.domains[*] == \"a\")"},
		{"lower ( http.host )==\"a\"", "lower(http.host) == \"a\""},
	};
	struct scheme s = new_scheme();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct rule_expr *e = NULL;
		struct rule_error error;
		char out[200];
		struct text t = text_to(out, sizeof(out));
		CHECK(rule_compile(&s, span_str(rows[i].text), (struct rule_options){0},
			&e, &error));
		rule_put(&t, e);
		CHECK_STR(out, rows[i].canonical);
		rule_free(e);
	}
	scheme_fini(&s);
}

TESTS(slips_get_the_hint_that_helps, what_compiles_but_looks_wrong_gets_a_warning,
	gateway_takes_the_looser_forms_and_edge_does_not, an_older_name_means_its_field,
	phase_fields_and_lists_are_known, errors_show_the_line_with_a_caret,
	limits_hold, every_truncation_is_refused_or_whole,
	the_canonical_text_has_one_form)
