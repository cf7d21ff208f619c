// SPDX-License-Identifier: Apache-2.0
#include "fact/facts.h"

#include "fact/vocab.h"
#include "rule/expr.h"
#include "tests/test.h"

static struct arena arena;
static struct scheme scheme;

static bool
holds(const char *text, const struct facts *f)
{
	struct rule_expr *e = NULL;
	struct rule_error error = {0};
	const struct rule_options options = {.dialect = RULE_GATEWAY};
	if (!rule_compile(&scheme, span_str(text), options, &e, &error))
		print_error("%s: %s\n", text, error.message);
	CHECK(e != NULL);
	bool yes = rule_eval(e, f);
	rule_free(e);
	return yes;
}

static void
open_scheme(void)
{
	arena_init(&arena, 1 << 20);
	scheme_init(&scheme, vocab_fields, vocab_count, NULL);
}

static void
close_scheme(void)
{
	scheme_fini(&scheme);
	arena_fini(&arena);
}

static struct http_head
make_request(const char *path)
{
	struct http_head head;
	struct err err = {0};
	http_request_make(
		&head, &arena, HTTP_POST, SPAN("WWW.Example.Org:8443"), span_str(path));
	head.version = HTTP_1_1;
	CHECK(http_add(&head.fields, SPAN("X-Two"), SPAN("a"), &err));
	CHECK(http_add(&head.fields, SPAN("x-two"), SPAN("b"), &err));
	CHECK(http_add(&head.fields, SPAN("User-Agent"), SPAN("curl/8"), &err));
	return head;
}

static void
a_request_answers_what_rules_ask(void)
{
	static const char *const truths[] = {
		"http.request.method == \"POST\"",
		"http.request.host == \"www.example.org\"",
		"any(http.request.domains[*] == \"example.org\")",
		"http.request.uri.path == \"/a/b\"",
		"http.request.uri.query == \"c=1\"",
		"http.request.full_uri == \"https://WWW.Example.Org:8443/a/b?c=1\"",
		"len(http.request.headers[\"x-two\"]) == 2",
		"any(http.request.headers[\"x-two\"][*] == \"b\")",
		"http.user_agent contains \"curl\"",
		"http.request.version == \"HTTP/1.1\"",
		"ip.src in {192.0.2.0/24}",
	};
	open_scheme();
	const struct facts_wanted all = {true, true, UINT32_MAX};
	struct http_head head = make_request("/a/b?c=1");
	struct facts f = {.base.reached = PHASE_REQUEST,
		.tls = true,
		.client.ip = ip_v4(0xc0000201)};
	facts_take_request(&f, &head, &all, &arena);
	for (size_t i = 0; i < COUNT_OF(truths); i++) {
		if (!holds(truths[i], &f))
			print_error("%s\n", truths[i]);
		CHECK(holds(truths[i], &f));
	}
	close_scheme();
}

static void
what_is_not_known_yet_is_missing(void)
{
	open_scheme();
	struct facts f = {.base.reached = PHASE_ACCEPT};
	CHECK(!holds("http.request.method != \"GET\"", &f));
	CHECK(!holds("http.response.code != 200", &f));
	CHECK(!holds("net.sni.host != \"a\"", &f));
	close_scheme();
}

static void
a_response_answers_with_its_status_and_fields(void)
{
	open_scheme();
	const struct facts_wanted all = {true, true, UINT32_MAX};
	struct http_head head;
	struct err err = {0};
	struct facts f = {.base.reached = PHASE_RESPONSE};
	http_response_make(&head, &arena, 404);
	CHECK(http_add(&head.fields, SPAN("Server"), SPAN("x"), &err));
	facts_take_response(&f, &head, &all, &arena);
	CHECK(holds("http.response.code == 404", &f));
	CHECK(holds("http.response.headers[\"server\"][0] == \"x\"", &f));
	close_scheme();
}

TESTS(a_request_answers_what_rules_ask, what_is_not_known_yet_is_missing,
	a_response_answers_with_its_status_and_fields)
