// SPDX-License-Identifier: Apache-2.0
#include "doctor/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/test.h"

/* ---- what real programs printed (data/doctor/tls-error-samples.tsv) ---- */

#define CA "unknown-issuer"

/* The classes that are right for a scenario; where the peer's fault looks the same to
 * every client of an engine, each name of it is. */
static const struct {
	const char *scenario;
	const char *classes;
} wanted[] = {
	{"ok", CA},
	{"ok12", CA},
	{"selfchain", CA " self-signed-in-chain"},
	{"leafonly", CA " missing-intermediate"},
	{"selfsigned", CA " self-signed-leaf"},
	{"wronghost", "hostname-mismatch"},
	{"expired", "expired"},
	{"expiredca", "expired ca-expired"},
	{"notyet", "not-yet-valid"},
	{"nosan", "no-san hostname-mismatch"},
	{"notca", "not-a-ca"},
	{"nobc", "not-a-ca"},
	{"weakleaf", "weak-key"},
	{"weakca", "weak-key"},
	{"sha1leaf", "weak-digest"},
	{"noaki", "strict-x509"},
	{"noski", "strict-x509"},
	{"bcnotcrit", "strict-x509"},
	{"noku", "strict-x509"},
	{"nameconstr", "name-constraints"},
	{"ekuclient", "wrong-purpose"},
	{"pathlen", "path-length"},
	{"noint", CA " missing-intermediate stale-ca"},
	{"tls10", "protocol-version"},
	{"tls11", "protocol-version"},
	{"nocipher", "no-shared-cipher"},
	{"rsakx", "no-shared-cipher"},
	{"mtls12", "client-cert-required no-shared-cipher"},
	{"mtls13", "client-cert-required"},
	{"unrecname", "unrecognized-name"},
	{"legacyreneg", "legacy-renegotiation"},
	{"rst", "reset"},
	{"fin", "eof"},
	{"plain", "plaintext"},
	{"a40", "no-shared-cipher"},
	{"a42", "alert-from-peer"},
	{"a46", "alert-from-peer"},
	{"a48", "alert-from-peer"},
	{"a49", "policy"},
	{"a70", "protocol-version"},
	{"a71", "no-shared-cipher"},
	{"a80", "peer-fault"},
};

struct sample {
	struct span client;
	struct span scenario;
	char *text; /* owned */
};

static bool
has_word(const char *words, const char *word)
{
	struct span rest = span_str(words);
	struct span w;
	while (span_cut(&rest, ' ', &w)) {
		if (span_eq(w, span_str(word)))
			return true;
	}
	return false;
}

static bool
is_wanted(struct span scenario, const char *class)
{
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		if (span_eq(scenario, span_str(wanted[i].scenario)))
			return has_word(wanted[i].classes, class);
	}
	print_error("no such scenario: %.*s\n", SPAN_ARG(scenario));
	return false;
}

/* "\n" in the file is a line's end. */
static void
unfold(char *s)
{
	char *to = s;
	for (; *s; s++, to++) {
		*to = *s;
		if (s[0] == '\\' && s[1] == 'n') {
			*to = '\n';
			s++;
		}
	}
	*to = 0;
}

static struct span
fixture(const char *name)
{
	const char *root = getenv("SEKISHO_SOURCE");
	char path[512];
	struct span s = {0};
	struct err err = {0};
	text_format(path, sizeof(path), "%s/data/doctor/%s", root ? root : ".", name);
	CHECK_OK(file_read(path, 1 << 20, &s, &err), &err);
	return s;
}

static bool
sample_read(struct span line, struct sample *out)
{
	struct span cell[5];
	size_t n = 0;
	if (line.n == 0 || line.p[0] == '#' || span_starts(line, SPAN("client\t")))
		return false;
	while (n < 4 && span_cut(&line, '\t', &cell[n]))
		n++;
	*out = (struct sample){cell[0], cell[1], mem_cstr(line)};
	unfold(out->text);
	return true;
}

struct tally {
	size_t right;
	size_t hidden;
	size_t wrong;
};

/* `bend` makes the text as some terminal, log or tool would have shown it. */
static struct tally
try_all(bool named, struct span (*bend)(struct span))
{
	struct span file = fixture("tls-error-samples.tsv");
	struct span rest = file;
	struct span line;
	struct tally t = {0};
	while (span_cut(&rest, '\n', &line)) {
		struct sample s;
		struct explanation e;
		if (!sample_read(line, &s))
			continue;
		struct span text = bend ? bend(span_str(s.text)) : span_str(s.text);
		explain_text(text, named ? s.client : SPAN(""), &e);
		bool right = is_wanted(s.scenario, e.class->class);
		t.right += right && !e.hidden;
		t.hidden += e.hidden;
		t.wrong += !right && !e.hidden;
		if (!right && !e.hidden) {
			print_error("%.*s %.*s: %s by \"%s\" of: %.300s\n",
				SPAN_ARG(s.client), SPAN_ARG(s.scenario),
				e.class->class, e.sign ? e.sign->sign : "", s.text);
		}
		if (bend)
			mem_free((void *)(uintptr_t)text.p);
		mem_free(s.text);
	}
	mem_free((void *)(uintptr_t)file.p);
	print_message(
		"# %zu right, %zu hidden, %zu wrong\n", t.right, t.hidden, t.wrong);
	return t;
}

static void
no_real_output_is_given_a_wrong_class(void)
{
	struct tally t = try_all(true, NULL);
	CHECK_INT(t.wrong, 0);
	CHECK(t.right > 600 && t.right + t.hidden > 860);
}

static void
the_program_is_recognised_by_its_output(void)
{
	struct tally t = try_all(false, NULL);
	CHECK_INT(t.wrong, 0);
	CHECK(t.right > 600);
}

/* Wrapped every 37 columns and coloured. */
static struct span
wrap(struct span s)
{
	size_t cap = s.n * 2 + 64;
	char *p = mem_alloc(cap);
	struct text t = text_to(p, cap);
	for (size_t i = 0; i < s.n; i++) {
		text_put(&t, span_slice(s, i, i + 1));
		if (i % 37 == 36)
			text_put(&t, SPAN("\n\033[31m"));
	}
	return text_span(&t);
}

static void
wrapping_and_colour_change_nothing(void)
{
	struct tally t = try_all(true, wrap);
	CHECK_INT(t.wrong, 0);
	CHECK(t.right > 600);
}

/* As a field of a JSON log line. */
static struct span
quote(struct span s)
{
	size_t cap = s.n * 2 + 64;
	char *p = mem_alloc(cap);
	struct text t = text_to(p, cap);
	text_put(&t, SPAN("{\"level\":\"error\",\"ts\":1763700000.1,\"msg\":\""));
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			text_put(&t, SPAN("\\n"));
		else if (s.p[i] == '"' || s.p[i] == '\\')
			text_add(&t, "\\%c", s.p[i]);
		else
			text_put(&t, span_slice(s, i, i + 1));
	}
	text_put(&t, SPAN("\"}"));
	return text_span(&t);
}

static void
a_json_log_changes_nothing(void)
{
	struct tally t = try_all(true, quote);
	CHECK_INT(t.wrong, 0);
	CHECK(t.right > 600);
}

/* Each line behind a prefix, and with `noise` after it. */
static struct span
interleave(struct span s, const char *prefix, const char *noise)
{
	size_t lines = 2;
	for (size_t i = 0; i < s.n; i++)
		lines += s.p[i] == '\n';
	size_t cap = s.n + lines * (span_str(prefix).n + span_str(noise).n + 4);
	char *p = mem_alloc(cap);
	struct text t = text_to(p, cap);
	struct span line;
	while (span_cut(&s, '\n', &line)) {
		text_add(&t, "%s", prefix);
		text_put(&t, line);
		text_add(&t, "\n%s\n", noise);
	}
	return text_span(&t);
}

static struct span
among_other_lines(struct span s)
{
	return interleave(s, "2026-11-20T10:00:00.123Z web-1  | ",
		"10.0.0.1 - - \"GET /health HTTP/1.1\" 200 2 \"curl/8\" certificate "
		"renewal: ok");
}

static void
interleaved_logs_never_make_it_wrong(void)
{
	struct tally t = try_all(true, among_other_lines);
	CHECK_INT(t.wrong, 0);
	CHECK(t.right > 550);
}

static struct span
among_failures_of_another(struct span s)
{
	return interleave(s, "",
		"kubelet: Get \"https://b.example/\": x509: certificate is "
		"valid for c.example, not b.example");
}

static void
failures_of_another_program_never_make_it_wrong(void)
{
	struct tally t = try_all(true, among_failures_of_another);
	/* terraform and bundler break the very words that tell their failure, so that
	 * only the other's are whole. */
	CHECK(t.wrong <= 10);
	CHECK(t.right > 400);
}

/* ---- tables ---- */

static void
every_class_that_signs_and_rows_name_has_words(void)
{
	for (const struct sign_row *r = sign_rows; r->engine; r++) {
		if (!explain_class(r->class))
			print_error("%s\n", r->class);
		CHECK(explain_class(r->class) && r->sign[0] && r->weight[0]);
	}
	for (const struct error_row *r = error_rows; r->client; r++) {
		if (!span_starts(span_str(r->class), SPAN("by-")))
			CHECK(explain_class(r->class));
	}
	for (const struct class_row *r = class_rows; r->class; r++)
		CHECK(r->say_en[0] && r->fix_en[0] && r->say_ja[0] && r->fix_ja[0]);
}

static void
every_client_is_known_by_its_names(void)
{
	for (const struct client_row *r = client_rows; r->client; r++) {
		struct span names = span_str(r->names);
		struct span name;
		while (span_cut(&names, ',', &name))
			CHECK(client_named(name) == r);
		CHECK(r->give[0] != 0);
	}
	CHECK(!client_named(SPAN("google")) && !client_named(SPAN("")));
	CHECK_STR(client_named(SPAN("py313-urllib"))->client, "python");
}

/* Every fixed message of tls-errors.tsv is read as its row says, or admits not to know.
 */
static void
the_measured_messages_keep_their_class(void)
{
	size_t wrong = 0;
	for (const struct error_row *r = error_rows; r->client; r++) {
		struct explanation e;
		struct span match = span_str(r->match);
		bool gateway = span_eq(span_str(r->client), SPAN("server-side"));
		if (span_starts(match, SPAN("re:")) || gateway ||
			span_starts(span_str(r->class), SPAN("by-")))
			continue;
		explain_text(match, SPAN(""), &e);
		/* "proxy" is the class of those whose status is cut off. */
		if (span_starts(span_str(e.class->class), span_str(r->class)))
			continue;
		if (!e.hidden && e.class != explain_class(r->class)) {
			print_error("%s: \"%s\" is %s, not %s\n", r->client, r->match,
				e.class->class, r->class);
			wrong++;
		}
	}
	CHECK_INT(wrong, 0);
}

/* ---- judgement ---- */

/* data/doctor/explain-cases.tsv: text, client, class. */
static bool
is_case_right(struct span line)
{
	struct span text = {0};
	struct span client = {0};
	struct explanation e;
	char got[64];

	if (!span_cut(&line, '\t', &text) || !span_cut(&line, '\t', &client))
		return false;
	char *unfolded = mem_cstr(text);
	unfold(unfolded);
	explain_text(span_str(unfolded), client, &e);
	mem_free(unfolded);
	text_format(got, sizeof(got), "%s%s", e.class->class, e.hidden ? "?" : "");
	if (span_eq(line, span_str(got)))
		return true;
	print_error("%s, not %.*s: %.*s\n", got, SPAN_ARG(line), SPAN_ARG(text));
	return false;
}

static void
messages_of_many_programs_are_understood(void)
{
	struct span file = fixture("explain-cases.tsv");
	struct span rest = file;
	struct span line;
	size_t n = 0;
	size_t wrong = 0;
	while (span_cut(&rest, '\n', &line)) {
		if (line.p[0] == '#' || span_starts(line, SPAN("text\t")))
			continue;
		n++;
		wrong += !is_case_right(line);
	}
	mem_free((void *)(uintptr_t)file.p);
	CHECK(n > 100);
	CHECK_INT(wrong, 0);
}

static void
two_failures_in_one_text_are_both_told(void)
{
	struct explanation e;
	explain_text(
		SPAN("curl: (60) SSL certificate problem: certificate has expired\n"
		     "curl: (60) SSL certificate problem: self-signed certificate\n"),
		SPAN("curl"), &e);
	CHECK(e.hidden && e.n_also == 1);
	CHECK_STR(e.class->class, "self-signed-leaf");
	CHECK_STR(e.also[0]->class, "expired");
}

static void
another_programs_failure_in_the_log_does_not_count(void)
{
	struct explanation e;
	explain_text(SPAN("Get \"https://a.example/\": x509: certificate is valid for "
			  "b, not a\n"
			  "npm error code SELF_SIGNED_CERT_IN_CHAIN\n"),
		SPAN("npm"), &e);
	CHECK_STR(e.class->class, "self-signed-in-chain");
	CHECK(!e.hidden);
}

static void
what_says_nothing_of_tls_is_admitted(void)
{
	struct explanation e;
	explain_text(SPAN("make: *** No rule to make target 'all'."), SPAN(""), &e);
	CHECK(e.hidden && e.nothing && !e.sign);
	explain_text(SPAN(""), SPAN("wget2"), &e);
	CHECK(e.hidden && e.nothing);
	CHECK_STR(e.class->class, "misleading");
}

static void
what_is_not_known_is_shown_what_is_near(void)
{
	struct explanation e;
	explain_text(SPAN("tls: negative serial number in x509 object"), SPAN(""), &e);
	CHECK(e.nothing && e.n_near > 0);
	CHECK(strstr(e.near[0]->match, "negative serial number"));
	explain_text(SPAN("make: nothing to be done"), SPAN(""), &e);
	CHECK(e.nothing && e.n_near == 0);
}

static void
the_host_is_found(void)
{
	struct explanation e;
	explain_text(SPAN("unable to access 'https://a.example:8443/x.git/': bad"),
		SPAN(""), &e);
	CHECK_STR(e.host, "a.example:8443");
	explain_text(
		SPAN("HTTPSConnectionPool(host='b.example', port=443)"), SPAN(""), &e);
	CHECK_STR(e.host, "b.example");
}

static void
the_fix_is_for_the_client(void)
{
	char fix[2000];
	struct text t = text_to(fix, sizeof(fix));
	words_fix(&t, explain_class("unknown-issuer"), client_named(SPAN("npm")),
		ENGLISH);
	CHECK(strstr(fix, "NODE_USE_SYSTEM_CA=1") &&
		strstr(fix, "NODE_EXTRA_CA_CERTS"));
	t = text_to(fix, sizeof(fix));
	words_fix(&t, explain_class("unknown-issuer"), NULL, JAPANESE);
	CHECK(strstr(fix, "update-ca-certificates") && text_is_utf8(span_str(fix)) &&
		!t.cut);
}

static void
the_language_is_asked_or_from_the_environment(void)
{
	enum language l = ENGLISH;
	CHECK(words_language("ja", &l) && l == JAPANESE);
	CHECK(words_language("en_GB", &l) && l == ENGLISH);
	CHECK(!words_language("tlh", &l));
	setenv("LC_ALL", "", 1);
	setenv("LC_MESSAGES", "", 1);
	setenv("LANG", "ja_JP.UTF-8", 1);
	CHECK(words_language(NULL, &l) && l == JAPANESE);
	setenv("LANG", "de_DE.UTF-8", 1);
	CHECK(words_language(NULL, &l) && l == ENGLISH);
}

TESTS(no_real_output_is_given_a_wrong_class, the_program_is_recognised_by_its_output,
	wrapping_and_colour_change_nothing, a_json_log_changes_nothing,
	interleaved_logs_never_make_it_wrong,
	failures_of_another_program_never_make_it_wrong,
	every_class_that_signs_and_rows_name_has_words,
	every_client_is_known_by_its_names, the_measured_messages_keep_their_class,
	messages_of_many_programs_are_understood,
	two_failures_in_one_text_are_both_told,
	another_programs_failure_in_the_log_does_not_count,
	what_says_nothing_of_tls_is_admitted, what_is_not_known_is_shown_what_is_near,
	the_host_is_found, the_fix_is_for_the_client,
	the_language_is_asked_or_from_the_environment)
