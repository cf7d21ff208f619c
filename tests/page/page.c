// SPDX-License-Identifier: Apache-2.0
#include "page/page.h"

#include "base/json.h"
#include "base/text.h"
#include "page/page_priv.h"
#include "tests/test.h"

/* One page with what it was asked in. */
static struct {
	struct arena arena;
	struct http_head request;
	struct http_head response;
	struct page_answer to;
} t;

static const struct page_cert certs[] = {
	{SPAN_INIT("bad<i>.example"), SPAN_INIT("Some CA"), SPAN_INIT("2025-01-01"),
		SPAN_INIT("2026-01-01"), SPAN_INIT("00ff")},
	{SPAN_INIT("Some CA"), SPAN_INIT("Some Root"), SPAN_INIT("2020-01-01"),
		SPAN_INIT("2030-01-01"), SPAN_INIT("11ee")},
};

static const char *const browser = "text/html,application/xhtml+xml,*/*;q=0.8";

static void
begin(const char *accept, const char *language)
{
	struct err err = {0};
	arena_init(&t.arena, (size_t)512 * 1024);
	http_request_make(&t.request, &t.arena, HTTP_GET, SPAN("x.example"), SPAN("/"));
	if (accept) {
		CHECK_OK(http_add(&t.request.fields, SPAN("Accept"), span_str(accept),
				 &err),
			&err);
	}
	if (language) {
		CHECK_OK(http_add(&t.request.fields, SPAN("Accept-Language"),
				 span_str(language), &err),
			&err);
	}
	t.to = (struct page_answer){
		.arena = &t.arena, .request = &t.request, .response = &t.response};
}

static void
make(const struct page_facts *f)
{
	struct err err = {0};
	CHECK_OK(page_make(&t.to, f, &err), &err);
	CHECK_INT(t.response.body.length, t.to.body.n);
}

static bool
says(const char *part)
{
	bool found = span_find(t.to.body, span_str(part)) < t.to.body.n;
	if (!found)
		print_error("not there: %s\n%.*s\n", part, SPAN_ARG(t.to.body));
	return found;
}

static bool
lacks(const char *part)
{
	return span_find(t.to.body, span_str(part)) == t.to.body.n;
}

static struct page_facts
blocked(void)
{
	return (struct page_facts){.kind = PAGE_BLOCKED,
		.status = 403,
		.code = ERR_GATE_BLOCKED,
		.reason = SPAN("known to be harmful"),
		.rule = SPAN("bad"),
		.host = SPAN("bad.example"),
		.path = SPAN("/x"),
		.request = 0xabc,
		.client = ip_v4(0x0a000001)};
}

static void
the_form_is_what_the_request_likes(void)
{
	static const struct {
		const char *accept;
		const char *type;
	} rows[] = {{NULL, "text/plain; charset=utf-8"},
		{"*/*", "text/plain; charset=utf-8"},
		{"text/html,*/*;q=0.8", "text/html; charset=utf-8"},
		{"application/json", "application/problem+json"},
		{"application/json, text/plain, */*", "application/problem+json"},
		{"text/html;q=0.5, application/json", "application/problem+json"},
		{"text/html;q=0, */*", "text/plain; charset=utf-8"},
		{"image/webp", "text/plain; charset=utf-8"}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct page_facts f = blocked();
		begin(rows[i].accept, NULL);
		make(&f);
		CHECK(span_eq(http_get(&t.response.fields, SPAN("content-type")),
			span_str(rows[i].type)));
		CHECK_INT(t.response.status, 403);
		CHECK_SPAN(http_get(&t.response.fields, SPAN("sekisho-reason")),
			"gate.blocked");
		CHECK_SPAN(http_get(&t.response.fields, SPAN("sekisho-request")),
			"0000000000000abc");
		CHECK(says("known to be harmful"));
		arena_fini(&t.arena);
	}
}

/* Strangers read it: nothing of what lies behind the site, nor how it is set up. */
static void
at_a_site_only_the_site_is_spoken_of(void)
{
	static const char *const forms[] = {
		"text/html", "application/json", "text/plain"};
	static const char *const secrets[] = {"10.0.0.5", "backend", "bad", "Some CA"};
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		struct page_facts f = blocked();
		f.host = SPAN("shop.example");
		f.kind = PAGE_ERROR;
		f.status = 502;
		f.code = ERR_NET_REFUSED;
		f.at_site = true;
		f.detail = SPAN("backend 10.0.0.5:80: connection refused");
		f.reason = (struct span){0};
		f.chain = certs;
		f.n_chain = COUNT_OF(certs);
		begin(forms[i], NULL);
		make(&f);
		CHECK(says("The site cannot answer now"));
		CHECK(says("shop.example") && says("net.refused"));
		CHECK(lacks("his network") && lacks("gateway of"));
		for (size_t k = 0; k < COUNT_OF(secrets); k++)
			CHECK(lacks(secrets[k]));
		arena_fini(&t.arena);
	}
}

static void
at_a_site_too_what_is_wrong_with_the_request_is_said(void)
{
	static const struct {
		enum err_code code;
		unsigned status;
		const char *title;
	} rows[] = {{ERR_GATE_RATE, 429, "too much in too short a time"},
		{ERR_GATE_TOO_LARGE, 413, "too large"},
		{ERR_HTTP_FRAMING, 400, "could be read in two ways"},
		{ERR_GATE_BUSY, 503, "The site is busy"},
		{ERR_GATE_NOT_TLS, 400, "wants https"},
		{ERR_HTTP_HOST, 400, "does not name one host"},
		{ERR_GATE_UNKNOWN_SITE, 404, "no such site here"}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct page_facts f = blocked();
		f.kind = PAGE_ERROR;
		f.at_site = true;
		f.code = rows[i].code;
		f.status = rows[i].status;
		begin(browser, NULL);
		make(&f);
		CHECK(says(rows[i].title));
		CHECK(says("server in front of the site"));
		arena_fini(&t.arena);
	}
}

static void
the_language_is_what_the_reader_likes(void)
{
	struct page_facts f = blocked();
	begin(browser, "ja-JP,ja;q=0.9,en;q=0.5");
	make(&f);
	CHECK_SPAN(http_get(&t.response.fields, SPAN("content-language")), "ja");
	CHECK(says("<html lang=\"ja\">") && says("このページは表示できません"));
	arena_fini(&t.arena);
	begin(browser, "tlh");
	make(&f);
	CHECK(says("This page is blocked"));
	arena_fini(&t.arena);
}

static void
nothing_from_outside_becomes_markup(void)
{
	struct page_facts f = blocked();
	f.host = SPAN("<script>alert(1)</script>");
	f.path = SPAN("/\"onmouseover='x'\xff\x01&{{rule}}{rule}");
	f.reason = SPAN("a<b>c</b>{{>style.css}}");
	f.rule = SPAN("</style><img src=x>");
	f.detail = SPAN("<!--");
	f.kind = PAGE_UNTRUSTED;
	f.verdict = SPAN("expired");
	f.chain = certs;
	f.n_chain = COUNT_OF(certs);
	begin(browser, NULL);
	make(&f);
	CHECK(lacks("<script") && lacks("<img") && lacks("<b>c") && lacks("<!--") &&
		lacks("<i>"));
	CHECK(lacks("\"onmouseover") && lacks("\xff") && lacks("\x01"));
	CHECK(says("&lt;script&gt;") && says("{{rule}}{rule}"));
	CHECK(text_is_utf8(t.to.body));
	struct span policy =
		http_get(&t.response.fields, SPAN("content-security-policy"));
	CHECK(span_starts(policy, SPAN("default-src 'none';")));
	arena_fini(&t.arena);
}

static void
what_turns_the_reading_direction_is_replaced(void)
{
	static const uint8_t turned[] = {'a', 0xe2, 0x80, 0xae, 'b', 0xef, 0xbb, 0xbf};
	struct page_facts f = blocked();
	f.host = span_of(turned, sizeof(turned));
	begin(browser, NULL);
	make(&f);
	CHECK(says("a\xef\xbf\xbd"
		   "b\xef\xbf\xbd"));
	CHECK(span_find(t.to.body, span_of(turned + 1, 3)) == t.to.body.n);
	arena_fini(&t.arena);
}

static void
no_mark_of_a_template_is_left(void)
{
	for (int kind = PAGE_BLOCKED; kind <= PAGE_ERROR; kind++) {
		for (size_t l = 0; page_language(l); l++) {
			struct page_facts f = blocked();
			f.kind = (enum page_kind)kind;
			f.verdict = SPAN("no-such-class");
			f.chain = certs;
			f.n_chain = 1;
			f.continue_to = SPAN("/go");
			begin(browser, page_language(l));
			make(&f);
			CHECK(lacks("{{") && lacks("}}") && lacks("<h1></h1>"));
			arena_fini(&t.arena);
		}
	}
}

static void
an_untrusted_origin_is_explained_by_its_class(void)
{
	struct page_facts f = {.kind = PAGE_UNTRUSTED,
		.status = 502,
		.code = ERR_GATE_UNTRUSTED,
		.verdict = SPAN("wrong-name"),
		.host = SPAN("a.example"),
		.chain = certs,
		.n_chain = COUNT_OF(certs)};
	begin(browser, NULL);
	make(&f);
	CHECK(says("The certificate belongs to another site"));
	CHECK(says("issued by Some Root") && says("valid 2025-01-01 to 2026-01-01"));
	CHECK(says("gate.untrusted.wrong-name"));
	arena_fini(&t.arena);
}

static void
json_is_a_problem_with_members_of_ours(void)
{
	struct err err = {0};
	struct json *j = NULL;
	struct page_facts f = blocked();
	f.chain = certs;
	f.n_chain = COUNT_OF(certs);
	begin("application/json", NULL);
	make(&f);
	CHECK_OK(json_parse(t.to.body, &t.arena, &j, &err), &err);
	CHECK_SPAN(json_string(json_get(j, "code")), "gate.blocked");
	CHECK_SPAN(json_string(json_get(j, "reason")), "known to be harmful");
	CHECK_SPAN(json_string(json_get(j, "request")), "0000000000000abc");
	CHECK_INT(json_get(j, "chain")->n, 2);
	arena_fini(&t.arena);
}

static void
a_grpc_client_reads_a_status_of_its_own(void)
{
	struct err err = {0};
	struct page_facts f = blocked();
	begin(NULL, NULL);
	CHECK(http_add(&t.request.fields, SPAN("Content-Type"),
		SPAN("application/grpc+proto"), &err));
	make(&f);
	CHECK_INT(t.response.status, 200);
	CHECK_INT(t.to.body.n, 0);
	CHECK_SPAN(http_get(&t.response.fields, SPAN("grpc-status")), "7");
	arena_fini(&t.arena);
}

static void
the_organisation_gives_its_own_words(void)
{
	static const uint8_t logo[] = {0x89, 'P', 'N', 'G'};
	static const struct page_texts texts[] = {{SPAN_INIT("en"),
		SPAN_INIT("blocked.title: Not here, {organisation} says\n")}};
	struct page_style style = {.organisation = SPAN("Aoyama & Sons"),
		.contact = SPAN("desk"),
		.contact_url = SPAN("mailto:desk@aoyama.example"),
		.logo = span_of(logo, sizeof(logo)),
		.logo_type = SPAN("image/png"),
		.accent = SPAN("#123abc"),
		.reasons_url = SPAN("https://help.example/#"),
		.texts = texts,
		.n_texts = 1};
	struct page_facts f = blocked();
	begin(browser, NULL);
	t.to.style = &style;
	make(&f);
	CHECK(says("Not here, Aoyama &amp; Sons says") && says("--accent: #123abc"));
	CHECK(says("src=\"data:image/png;base64,iVBORw==\""));
	CHECK(says("href=\"mailto:desk@aoyama.example\""));
	CHECK(says("href=\"https://help.example/#gate.blocked\""));
	arena_fini(&t.arena);

	style.contact_url = SPAN("javascript:alert(1)");
	style.accent = SPAN("red}body{display:none");
	style.logo_type = SPAN("text/html");
	begin(browser, NULL);
	t.to.style = &style;
	make(&f);
	CHECK(lacks("javascript:") && lacks("display:none") &&
		lacks("text/html;base64"));
	arena_fini(&t.arena);
}

static void
a_crowded_arena_still_gets_words(void)
{
	struct page_facts f = blocked();
	begin(browser, NULL);
	(void)arena_alloc(&t.arena, arena_room(&t.arena) - 16000);
	make(&f);
	CHECK(says("This page is blocked") && lacks("<html"));
	arena_fini(&t.arena);
}

static void
every_language_has_every_sentence(void)
{
	struct span english = page_file(SPAN("en.txt"));
	struct span line;
	CHECK(english.n > 0);
	while (span_cut(&english, '\n', &line)) {
		struct span key = span_first(line, span_chr(line, ':'));
		if (line.n == 0 || line.p[0] == '#')
			continue;
		for (size_t l = 1; page_language(l); l++) {
			char file[20];
			char start[100];
			text_format(file, sizeof(file), "%s.txt", page_language(l));
			text_format(start, sizeof(start), "\n%.*s: ", SPAN_ARG(key));
			struct span other = page_file(span_str(file));
			if (span_find(other, span_str(start)) == other.n)
				print_error("%s lacks %s\n", file, start + 1);
			CHECK(span_find(other, span_str(start)) < other.n);
		}
	}
}

static const struct page_status status = {.gateway = SPAN_INIT("office"),
	.root_name = SPAN_INIT("A <Root>"),
	.root_pem = SPAN_INIT("-----BEGIN CERTIFICATE-----\n"),
	.root_der = SPAN_INIT("\x30\x03"
			      "abc"),
	.root_sha256 = SPAN_INIT("000102030405060708090a0b0c0d0e0f10111213"),
	.version = SPAN_INIT("1.2.3")};

static void
ask_status(const char *path, const char *accept)
{
	struct err err = {0};
	begin(accept, NULL);
	t.request.path = span_str(path);
	CHECK_OK(page_status_make(&t.to, &status, &err), &err);
	CHECK_INT(t.response.body.length, t.to.body.n);
}

static void
the_certificate_can_be_taken_away(void)
{
	ask_status("/", browser);
	CHECK(says("A &lt;Root&gt;") && says("href=\"/ca.mobileconfig\"") &&
		lacks("{{"));
	arena_fini(&t.arena);
	ask_status("/?x", "*/*");
	CHECK(says("sekisho 1.2.3\n") && lacks("<html"));
	arena_fini(&t.arena);
	ask_status("/ca.pem", "*/*");
	CHECK_SPAN(t.to.body, "-----BEGIN CERTIFICATE-----\n");
	arena_fini(&t.arena);
	ask_status("/ca.crt", browser);
	CHECK(span_eq(t.to.body, status.root_der));
	CHECK_SPAN(http_get(&t.response.fields, SPAN("content-type")),
		"application/x-x509-ca-cert");
	arena_fini(&t.arena);
	ask_status("/ca.mobileconfig", browser);
	CHECK(says("<data>MANhYmM=</data>") && says("A &lt;Root&gt;"));
	CHECK(says("<string>00010203-0405-8607-8809-0A0B0C0D0E0E</string>"));
	arena_fini(&t.arena);
	ask_status("/nothing", browser);
	CHECK_INT(t.response.status, 404);
	CHECK(says("There is no such page here"));
	arena_fini(&t.arena);
}

TESTS(the_form_is_what_the_request_likes, at_a_site_only_the_site_is_spoken_of,
	at_a_site_too_what_is_wrong_with_the_request_is_said,
	the_language_is_what_the_reader_likes, nothing_from_outside_becomes_markup,
	what_turns_the_reading_direction_is_replaced, no_mark_of_a_template_is_left,
	an_untrusted_origin_is_explained_by_its_class,
	json_is_a_problem_with_members_of_ours, a_grpc_client_reads_a_status_of_its_own,
	the_organisation_gives_its_own_words, a_crowded_arena_still_gets_words,
	every_language_has_every_sentence, the_certificate_can_be_taken_away)
